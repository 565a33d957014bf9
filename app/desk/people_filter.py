"""The filter of the People page: what was asked for in its address, and what each field has to choose from."""

from collections.abc import Mapping
from typing import Any, Final

from flask import request
from sqlalchemy import select

from app.desk.access import LARGEST_ID
from app.desk.languages import language
from app.desk.languages import lazy_gettext as _l
from app.desk.reading import open_lists
from app.desk.words import SUBSCRIPTIONS
from app.domain.channels import CHANNELS
from app.domain.keywords import LANGUAGES
from app.services.filter_people import STATUSES, Filter
from app.services.read_segments import DatabaseNames
from app.storage.database import db
from app.storage.models import Sender

# Beside the states of a subscription: what forbids any message.
_FORBIDDEN: Final[Mapping[str, Any]] = {
    "blocked": _l("blocked our number"),
    "bounced": _l("number not reachable"),
    "suppressed": _l("must never be written to"),
    "review": _l("a text waits for a decision"),
}
_LONGEST: Final = 100


def asked() -> Filter:
    """The filter of this request; what cannot be is not asked."""
    list_id = request.args.get("list", None, int)
    return Filter(
        query=_word("q"),
        status=_among("status", STATUSES),
        list_id=list_id if list_id is not None and 0 < list_id <= LARGEST_ID else None,
        language=_word("language")[:8],
        place=_word("place"),
        tag=_word("tag")[:30],
        channel=_among("channel", tuple(CHANNELS)),
    )


def before() -> int | None:
    """Below which id this page looks; None begins with the newest."""
    given = request.args.get("before", None, int)
    return given if given is not None and 0 < given <= LARGEST_ID else None


def as_query(wanted: Filter) -> dict[str, Any]:
    """The filter as the address of a page has it."""
    given = {
        "q": wanted.query,
        "status": wanted.status,
        "list": wanted.list_id,
        "language": wanted.language,
        "place": wanted.place,
        "tag": wanted.tag,
        "channel": wanted.channel,
    }
    return {name: value for name, value in given.items() if value}


def choices() -> dict[str, list[tuple[str, str]]]:
    """Field -> what may be chosen in it, as value and words."""
    names = DatabaseNames(language())
    channels = sorted(db.session.scalars(select(Sender.channel).distinct()))
    spoken = [(one, names.language(one)) for one in LANGUAGES]
    return {
        "status": [(one, str(SUBSCRIPTIONS.get(one) or _FORBIDDEN[one])) for one in STATUSES],
        "list": [(str(row.id), row.name) for row in open_lists()],
        "language": sorted(spoken, key=lambda pair: pair[1].casefold()),
        "channel": [(one, names.channel(one)) for one in channels],
    }


def _word(name: str) -> str:
    return request.args.get(name, "").strip()[:_LONGEST]


def _among(name: str, values: tuple[str, ...]) -> str:
    given = request.args.get(name, "")
    return given if given in values else ""
