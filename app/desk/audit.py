"""The audit log, for admins: who did what, when; filtered, page by page, and as CSV."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from flask import Response, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue

from app.desk.access import LARGEST_ID, allow, room
from app.desk.audit_words import DEEDS, KINDS, deed_words, detail_words
from app.desk.reading import house_zone
from app.services import read_audit
from app.services.read_audit import Asked
from app.storage.models.accounts import Role

ROWS: Final = 50
_LONGEST: Final = 120

audit = room("audit", __name__)


@audit.get("/audit")
@allow(Role.ADMIN)
def index() -> ResponseReturnValue:
    """Lines of the log, the newest first."""
    before = request.args.get("before", None, int)
    rows = read_audit.entries(
        _asked(), before=min(before, LARGEST_ID) if before and before > 0 else None, limit=ROWS + 1
    )
    return render_template(
        "audit.html",
        rows=rows[:ROWS],
        more=rows[ROWS - 1].id if len(rows) > ROWS else None,
        raw={name: request.args.get(name, "") for name in ("who", "what", "subject", "first", "last")},
        kinds=KINDS,
        deeds=[name for name in read_audit.deeds() if name in DEEDS],
        deed_words=deed_words,
        detail_words=detail_words,
        zone=house_zone(),
    )


@audit.get("/audit.csv")
@allow(Role.ADMIN)
def as_csv() -> ResponseReturnValue:
    """Every line that was asked for, as a file for spreadsheets."""
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return Response(stream_with_context(read_audit.as_csv(_asked())), mimetype="text/csv", headers=headers)


def _asked() -> Asked:
    who, what, subject = (
        request.args.get(name, "").strip()[:_LONGEST] for name in ("who", "what", "subject")
    )
    last = _day("last")
    return Asked(
        who, what, subject, _begin(_day("first")), _begin(last + timedelta(days=1) if last else None)
    )


def _day(name: str) -> date | None:
    """A day of a filter; one that cannot be read, or that no clock of ours shows, filters nothing."""
    try:
        found = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    return found if 2000 <= found.year < 2200 else None


def _begin(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), ZoneInfo(house_zone())).astimezone(UTC) if day else None
