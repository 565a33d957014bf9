"""The sheet before anything goes out once: whom it reaches, what it costs, what stands against it, and the button."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from flask import render_template

from app.desk import rich_form
from app.desk.approvals import approval_of
from app.desk.choices import Choice, moment_fields
from app.desk.forms import Errors
from app.desk.holidays import holiday_note
from app.desk.media_form import shown_of
from app.desk.media_words import notes_of
from app.desk.reading import broadcast_or_404, counting_for, sender_of, targets
from app.desk.refusals import said
from app.desk.segments import segment_of
from app.desk.text_check import check_text
from app.desk.typed_number import is_asked
from app.runtime import runtime
from app.services import approval, comments, correct_broadcasts, review_broadcasts
from app.services.review_broadcasts import Review
from app.storage.models import Broadcast

FIRST_WAVES: Final = (5, 10, 25)


def look(broadcast: Broadcast, choice: Choice, now: datetime) -> Review:
    """The dry run for a moment that was chosen."""
    return review_broadcasts.check(
        broadcast.id,
        now=now,
        at=choice.at,
        local_at=choice.local_at,
        zone=choice.zone,
        brand=runtime().controller.brand,
        public_url=runtime().settings.public_url,
    )


def review_page(
    broadcast: Broadcast,
    choice: Choice,
    sheet: Review,
    now: datetime,
    *,
    raw: Mapping[str, Any],
    errors: Errors | None = None,
    reading: bool = False,
) -> str:
    """The page. `raw` is the form as it came, to show again; `reading`, for a second person, has no button to send."""
    last = max(choice.plan.ends, now) if choice.plan else choice.at or now
    lists = targets(broadcast.id)
    # Whoever is to say yes need not be told that they have not.
    unsaid = approval.missing(broadcast, lists) if reading else ""
    return render_template(
        "review.html",
        broadcast=broadcast,
        corrected=broadcast_or_404(broadcast.corrects_id) if broadcast.corrects_id else None,
        way_in_place=correct_broadcasts.way_of_draft(broadcast, max(choice.at or now, now)),
        sheet=sheet,
        problems=[said(problem) for problem in sheet.problems if problem != unsaid],
        file_notes=notes_of(sheet.shares),
        file=shown_of(sheet.shares[0].media if sheet.shares else None),
        quota_notes=[said(note) for note in sheet.quota_notes],
        choice=choice,
        holiday="" if reading else holiday_note(choice.day(now), [one.zone for one in lists]),
        raw=raw,
        moment_fields=moment_fields(raw),
        errors=errors or {},
        promise=said(sheet.promise),
        gaps=[said(str(gap)) for gap in sheet.gaps],
        lists=lists,
        ends=last + timedelta(seconds=sheet.seconds),
        first_waves=FIRST_WAVES,
        number_to_type=sheet.reachable if is_asked(sheet.reachable) else None,
        approval=approval_of(broadcast),
        reading=reading,
        open_comments=comments.open_ones(broadcast.id),
        **segment_of(broadcast),
        **_on_the_phone(broadcast, sheet, [one.id for one in lists]),
    )


def _on_the_phone(broadcast: Broadcast, sheet: Review, list_ids: list[int]) -> dict[str, Any]:
    sender = sender_of(list_ids)
    counting, rich = counting_for(broadcast.id), rich_form.stored(broadcast)
    looks = rich_form.shown_on(rich_form.senders_for(sender, list_ids), rich, counting)
    check = check_text(
        broadcast.text,
        findings=sheet.findings,
        counting=counting,
        tail=rich_form.tail_of_first(looks),
        button_links=rich_form.links_of(looks),
    )
    return {"sender": sender, "looks": looks, "check": check}
