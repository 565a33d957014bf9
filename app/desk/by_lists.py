"""The fields of a draft that depend on its lists: other words in languages, and approved templates."""

from collections.abc import Mapping
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue

from app.desk import language_form, rich_form
from app.desk.access import allow, room
from app.desk.forms import posted
from app.desk.reading import broadcast_or_404, further_channels, ordinary_lists, other_words, sender_of
from app.domain.buttons import Rich
from app.domain.channels import CHANNELS
from app.storage.models import Broadcast
from app.storage.models.accounts import Role

by_lists = room("by_lists", __name__)


@by_lists.post("/broadcasts/fields")
@allow(Role.EDITOR)
def show() -> ResponseReturnValue:
    """These fields for the lists that are ticked just now, with what is written in them."""
    begun = request.form.get("draft", "")
    broadcast = broadcast_or_404(int(begun)) if begun.isdecimal() and len(begun) < 19 else None
    return render_template("compose_by_lists.html", **fields(posted(), broadcast, {}))


def fields(
    values: Mapping[str, Any], broadcast: Broadcast | None, rich: Mapping[str, Rich]
) -> dict[str, object]:
    """Return the fields for the lists among `values`; what is filled in stays, and without lists there are all."""
    chosen = [int(one) for one in map(str, values.get("list_ids", [])) if one.isdecimal() and len(one) < 19]
    senders = rich_form.senders_for(sender_of(chosen), chosen)
    here = {one.channel for one in senders} if chosen else {*CHANNELS}
    further = [channel for channel in further_channels() if channel in CHANNELS]
    stored = other_words(broadcast.id) if broadcast else {}
    tongues = language_form.tongues(values, stored, ordinary_lists(), chosen, further)
    return {
        "tongues": [
            one._replace(
                fields=[each for each in one.fields if each.channel in (None, *here) or each.text.strip()]
            )
            for one in tongues
        ],
        "template_fields": [
            one
            for one in rich_form.template_fields(rich)
            if one.channel in here or one.name or one.language or one.variables
        ],
    }
