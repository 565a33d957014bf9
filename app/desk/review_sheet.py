"""The sheet before anything goes out once: whom it reaches, what it costs, what stands against it, and the button."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from flask import render_template

from app.desk.approvals import approval_of
from app.desk.choices import Choice, moment_fields
from app.desk.forms import Errors
from app.desk.freshness import fresh_of
from app.desk.holidays import holiday_note
from app.desk.media_words import notes_of
from app.desk.phones import drawn, links_of, phones_of_draft
from app.desk.reading import broadcast_or_404, counting_for, targets
from app.desk.refusals import said
from app.desk.segments import segment_of
from app.desk.text_check import check_text
from app.desk.typed_number import is_asked
from app.runtime import runtime
from app.services import approval, comments, correct_broadcasts, review_broadcasts
from app.services.review_broadcasts import Review
from app.storage.models import Broadcast

FIRST_WAVES: Final = (5, 10, 25)


def look(broadcast: Broadcast, choice: Choice, now: datetime, fresh_minutes: int | None = None) -> Review:
    """The dry run for a moment that was chosen, and for how long after it the message is worth sending."""
    return review_broadcasts.check(
        broadcast.id,
        now=now,
        at=choice.at,
        local_at=choice.local_at,
        zone=choice.zone,
        brand=runtime().controller.brand,
        public_url=runtime().settings.public_url,
        fresh_minutes=fresh_minutes,
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
        quota_notes=[said(note) for note in sheet.quota_notes],
        choice=choice,
        holiday="" if reading else holiday_note(choice.day(now), [one.zone for one in lists]),
        raw=raw,
        moment_fields=moment_fields(raw),
        errors=errors or {},
        promise=said(sheet.promise),
        gaps=[said(str(gap)) for gap in sheet.gaps],
        lists=lists,
        worth_until=last + timedelta(minutes=fresh_of(raw) or broadcast.fresh_minutes),
        ends=last + timedelta(seconds=sheet.seconds),
        first_waves=FIRST_WAVES,
        number_to_type=sheet.reachable if is_asked(sheet.reachable) else None,
        approval=approval_of(broadcast),
        reading=reading,
        open_comments=comments.open_ones(broadcast.id),
        **segment_of(broadcast),
        **on_the_phone(broadcast, sheet),
    )


def on_the_phone(broadcast: Broadcast, sheet: Review) -> dict[str, Any]:
    """The words of a draft, checked, and how each channel's phone shows them; also for the review of a rule."""
    phones = phones_of_draft(broadcast)
    check = check_text(
        broadcast.text,
        findings=sheet.findings,
        counting=counting_for(broadcast.id),
        tail=phones[0].tail,
        button_links=links_of(phones),
        styled=broadcast.styled,
    )
    return {"check": check, **drawn(phones, {})}
