"""A list's notices: every version with its hash and author, and a new one that must say all that the law wants."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.parts import Parts, measure
from app.domain.policy.content import Finding, Severity, lint_notice
from app.domain.replies import Facts
from app.services.audit import note
from app.services.controller import Conflict, Controller, NotFound, Refused
from app.services.list_notices import NOTICE_LANGUAGES
from app.services.lists_of_sender import Offer, facts_of
from app.storage import headcounts
from app.storage.consent import lock_head
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, Notice, Sender

MAX_PURPOSE: Final = 300


@dataclass(frozen=True)
class Draft:
    """Words for a notice, looked at: what is wrong with them, how they travel, and whether people must agree anew.

    `purpose_changes`, `controller_changes`: people agreed to something else than what these words say. `same` as
    the newest version: nothing to write.
    """

    text: str
    purpose: str
    facts: Facts
    findings: tuple[Finding, ...]
    parts: Parts
    purpose_changes: bool
    controller_changes: bool
    active: int
    same: bool

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that forbid these words."""
        return tuple(one for one in self.findings if one.severity is Severity.ERROR)

    @property
    def asks_again(self) -> bool:
        """Whether people are on the list who agreed to something else (consent rules, 3.2 row 39)."""
        return self.active > 0 and (self.purpose_changes or self.controller_changes)


def versions(list_id: int, language: str) -> Sequence[Notice]:
    """Return a list's notices in one language, the newest first. Raises `NotFound`, `Refused`."""
    session = db.session()
    _checked(session, list_id, language)
    return session.scalars(
        select(Notice)
        .where(Notice.list_id == list_id, Notice.language == language)
        .order_by(Notice.version.desc())
    ).all()


def look_at(list_id: int, language: str, text: str, purpose: str, *, controller: Controller) -> Draft:
    """Say what these words would be; nothing is written. Raises `NotFound`, `Refused`."""
    session = db.session()
    return _look_at(session, _checked(session, list_id, language), language, text, purpose, controller)


def write(
    list_id: int,
    language: str,
    *,
    text: str,
    purpose: str,
    after_version: int,
    confirmed: bool,
    by: str,
    controller: Controller,
    now: datetime,
) -> int:
    """Write a new version, with `purpose` for the list; earlier versions and what people agreed to stay as they are.

    `after_version` is the version that the author saw. `confirmed` says that people who agreed to another purpose
    or controller get nothing of this list until they agree anew. Returns the number of the version. Raises `Refused`
    naming what is missing or unconfirmed, `Conflict` when somebody else wrote one, `NotFound`.
    """
    with transaction() as session:
        row = _checked(session, list_id, language)
        newest = _newest(session, list_id, language)
        if newest.version != after_version:
            raise Conflict(
                f"Somebody else wrote version {newest.version} in the meantime. Load it again, then make your change."
            )
        draft = _look_at(session, row, language, text, purpose, controller)
        _refuse(draft, confirmed=confirmed)
        made = Notice(
            list_id=list_id,
            language=language,
            version=newest.version + 1,
            text=draft.text,
            sha256=hashlib.sha256(draft.text.encode()).hexdigest(),
            created_at=now,
            written_by=by,
            policy_url=controller.privacy_url,
        )
        session.add(made)
        row.purpose = draft.purpose
        if draft.purpose_changes or draft.controller_changes:
            row.purpose_since_seq = lock_head(session, controller.ledger).seq
        details = {"language": language, "version": made.version, "asks_again": draft.asks_again}
        note(session, by, "list.notice", f"list {list_id}", now, **details)
        return made.version


def _refuse(draft: Draft, *, confirmed: bool) -> None:
    if not 1 <= len(draft.purpose) <= MAX_PURPOSE:
        raise Refused(f"Say in 1 to {MAX_PURPOSE} characters what people get.")
    if draft.errors:
        raise Refused(" ".join(one.advice for one in draft.errors))
    if draft.same:
        raise Refused("These are the words of the newest version; nothing would change.")
    if draft.asks_again and not confirmed:
        raise Refused(
            f"{draft.active} people agreed to another purpose or sender. Confirm that they will be asked again."
        )


def _look_at(
    session: Session, row: BroadcastList, language: str, text: str, purpose: str, controller: Controller
) -> Draft:
    text, purpose = text.replace("\r\n", "\n").strip(), " ".join(purpose.split())
    facts = _facts(session, row, language, controller)
    newest = _newest(session, row.id, language)
    return Draft(
        text,
        purpose,
        facts,
        tuple(lint_notice(text, facts)),
        measure(text),
        purpose_changes=_changes_purpose(row.purpose, purpose, newest.text, text),
        controller_changes=not _says(newest.text, controller.brand),
        active=_active(session, row.id),
        same=newest.text == text and row.purpose == purpose,
    )


def _changes_purpose(old: str, new: str, old_text: str, new_text: str) -> bool:
    """Whether the purpose is another, or the words that named it are gone from the text."""
    return not _says(new, old) or not _says(old, new) or (_says(old_text, old) and not _says(new_text, old))


def _says(text: str, phrase: str) -> bool:
    return " ".join(phrase.split()).rstrip(".").casefold() in " ".join(text.split()).casefold()


def _facts(session: Session, row: BroadcastList, language: str, controller: Controller) -> Facts:
    offer = Offer(row.keyword, row)
    return facts_of(offer, {row.keyword: offer}, session.get_one(Sender, row.sender_id), controller, language)


def _checked(session: Session, list_id: int, language: str) -> BroadcastList:
    row = session.get(BroadcastList, list_id)
    if row is None:
        raise NotFound(f"There is no list number {list_id}.")
    if language not in NOTICE_LANGUAGES:
        raise Refused(f"Notices are written in {' and '.join(NOTICE_LANGUAGES)}, not in “{language}”.")
    return row


def _newest(session: Session, list_id: int, language: str) -> Notice:
    return session.scalars(
        select(Notice)
        .where(Notice.list_id == list_id, Notice.language == language)
        .order_by(Notice.version.desc())
        .limit(1)
    ).one()


def _active(session: Session, list_id: int) -> int:
    return headcounts.by_list(session).get(list_id, 0)
