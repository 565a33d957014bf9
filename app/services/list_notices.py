"""The notices that Tidings writes from what a list is, when it is made and whenever its name or promise changes."""

import hashlib
import re
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.replies import Facts, MissingFact, notice_text
from app.services.controller import Controller, Refused
from app.services.lists_of_sender import Offer, facts_of
from app.storage.models import BroadcastList, Notice, Sender

NOTICE_LANGUAGES: Final = ("en", "de")


def notice_facts(session: Session, row: BroadcastList, controller: Controller) -> dict[str, Facts]:
    """Return what the notice of a list says, by language."""
    offer, sender = Offer(row.keyword, row), session.get_one(Sender, row.sender_id)
    return {
        language: facts_of(offer, {row.keyword: offer}, sender, controller, language)
        for language in NOTICE_LANGUAGES
    }


def write_notices(
    session: Session,
    row: BroadcastList,
    controller: Controller,
    now: datetime,
    before: dict[str, Facts] | None = None,
    by: str | None = None,
) -> int:
    """Write the notice of each language whose words are not those of its newest version; returns how many.

    Words that somebody wrote stay, but for the name and the promise: what was said of these `before` is said anew.
    """
    newest, written = _newest_notices(session, row.id), 0
    for language, facts in notice_facts(session, row, controller).items():
        old = newest.get(language)
        if old is not None and old.written_by and before is not None:
            text = _said_anew(old.text, before[language], facts)
        else:
            text = _worded(language, facts)
        if old is not None and old.text == text:
            continue
        session.add(
            Notice(
                list_id=row.id,
                language=language,
                version=old.version + 1 if old else 1,
                text=text,
                sha256=hashlib.sha256(text.encode()).hexdigest(),
                created_at=now,
                written_by=by if old is not None and old.written_by else None,
                policy_url=controller.privacy_url,
            )
        )
        written += 1
    session.flush()
    return written


def _said_anew(text: str, before: Facts, facts: Facts) -> str:
    """Replace the name and the promise as `lint_notice` found them: in any letters, with any space between words."""
    for old, new in ((before.frequency, facts.frequency), (before.list_name, facts.list_name)):
        words = old.rstrip(".").split()
        if old != new and words:
            pattern = r"\s+".join(map(re.escape, words))
            text = re.sub(pattern, lambda _, said=new: said.rstrip("."), text, flags=re.IGNORECASE)  # type: ignore[misc]
    return text


def _worded(language: str, facts: Facts) -> str:
    try:
        return notice_text(language, facts)
    except MissingFact as error:
        raise Refused(
            f"{error} Brand and privacy page are the settings TIDINGS_BRAND and TIDINGS_PRIVACY_URL."
        ) from error


def _newest_notices(session: Session, list_id: int) -> dict[str, Notice]:
    rows = session.scalars(select(Notice).where(Notice.list_id == list_id).order_by(Notice.version))
    return {row.language: row for row in rows}
