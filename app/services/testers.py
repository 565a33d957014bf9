"""Testers: people at the desk with addresses of their own, which they prove by a text from there with a code.

Nothing is ever sent to an address that only somebody else wrote down: who holds it writes first, on any channel. That
text is in the ledger, and every test names it as its consent; STOP from there ends it as it ends everything.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.domain.channels import IN_BROWSERS
from app.domain.consent import Act, EventType, Scope
from app.domain.keywords import Decision, Outcome
from app.services.audit import note
from app.services.controller import NotFound, Refused
from app.services.project_consent import to_ms
from app.services.words.case import Case
from app.storage.database import db, transaction
from app.storage.models import ConsentEvent, Sender, Subscriber, Tester, User

RULE: Final = "tester"
DECISION: Final = Decision(Outcome.NONE, RULE, RULE)
CODE_LIVES: Final = timedelta(minutes=30)
MOST_ADDRESSES: Final = 10
# Without 0, 1, I, L, O: somebody types it. Eight of 31 letters are 40 bits, and a code lives half an hour.
_LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_CODE: Final = re.compile(r"TEST-[2-9A-HJKMNP-Z]{8}")


@dataclass(frozen=True)
class AddressOfTester:
    """One address of a tester; `channel` is empty and `code` is given while it waits for the text. `open`: no STOP."""

    id: int
    user_id: int
    name: str
    channel: str
    address: str
    code: str
    code_until: datetime | None
    verified_at: datetime | None
    open: bool


def begin(user_id: int, *, now: datetime) -> str:
    """Return a code for one more address of somebody; an earlier one that nobody used is worth nothing any more."""
    with transaction() as session:
        session.execute(delete(Tester).where(Tester.user_id == user_id, Tester.verified_at.is_(None)))
        own = select(func.count()).select_from(Tester).where(Tester.user_id == user_id)
        if (session.scalar(own) or 0) >= MOST_ADDRESSES:
            raise Refused(f"You have {MOST_ADDRESSES} addresses for tests. Remove one of them first.")
        code = "TEST-" + "".join(secrets.choice(_LETTERS) for _ in range(8))
        session.add(Tester(user_id=user_id, code=code, code_until=now + CODE_LIVES, created_at=now))
        return code


def remove(tester_id: int, *, of_user: int | None, by: str, now: datetime) -> None:
    """Let no more tests go to an address; `of_user` may remove only their own. Raises `NotFound`."""
    with transaction() as session:
        row = session.get(Tester, tester_id)
        if row is None or of_user not in (None, row.user_id):
            raise NotFound("There is no such address for tests.")
        session.delete(row)
        note(session, by, "tester.remove", f"user {row.user_id}", now)


def read_code(session: Session, words: str, payload: str, now: datetime) -> Tester | None:
    """Return whose code a message brought, as words or by a link; None when it is none, or not good any more."""
    for text in (words, payload):
        code = text.strip().upper()
        if not _CODE.fullmatch(code):
            continue
        good = (Tester.code == code, Tester.code_until > now)
        if (found := session.scalar(select(Tester).where(*good).with_for_update())) is not None:
            return found
    return None


def confirm(case: Case, tester: Tester) -> None:
    """Let tests go where the code came from: the person's text is the proof, and stands in the ledger."""
    session, person = case.session, case.person
    event = case.event(EventType.ENDPOINT_CHANGED, act=Act.KEYWORD_EXACT, scope=Scope.ALL)
    case.record(event)
    newest = select(func.max(ConsentEvent.seq)).where(
        ConsentEvent.ledger == case.controller.ledger, ConsentEvent.subject_ref == person.subject_ref
    )
    session.execute(
        delete(Tester).where(Tester.subscriber_id == person.id, Tester.id != tester.id),
        execution_options={"synchronize_session": False},
    )
    tester.code = tester.code_until = None
    tester.subscriber_id, tester.granted_seq = person.id, session.scalars(newest).one()
    tester.verified_at = to_ms(case.now)
    case.row.read_at = case.now  # a code is no question to anybody
    user = session.get_one(User, tester.user_id)
    note(session, f"{user.name} (#{user.id})", "tester.add", f"user {user.id}", case.now)


def addresses(*, user_id: int | None = None) -> list[AddressOfTester]:
    """Return the addresses of everybody, or of one person, by name; codes that wait included."""
    return in_session(db.session(), user_id=user_id)


def in_session(session: Session, *, user_id: int | None = None) -> list[AddressOfTester]:
    """Do what `addresses` does within a transaction."""
    query = (
        select(Tester, User.name, Subscriber)
        .join(User, User.id == Tester.user_id)
        .outerjoin(Subscriber, Subscriber.id == Tester.subscriber_id)
        .where(User.disabled_at.is_(None))
        .order_by(User.name, Tester.id)
    )
    if user_id is not None:
        query = query.where(Tester.user_id == user_id)
    return [_address(row, name, person) for row, name, person in session.execute(query)]


def writable_senders() -> Sequence[Sender]:
    """Return the senders to which a code can be texted."""
    rows = select(Sender).where(Sender.channel.not_in(IN_BROWSERS)).order_by(Sender.id)
    return db.session.scalars(rows).all()


def _address(row: Tester, name: str, person: Subscriber | None) -> AddressOfTester:
    return AddressOfTester(
        row.id,
        row.user_id,
        name,
        person.channel if person else "",
        person.address if person else "",
        row.code or "",
        row.code_until,
        row.verified_at,
        person is not None and _is_open(row, person),
    )


def _is_open(row: Tester, person: Subscriber) -> bool:
    if any((person.erased_at, person.suppressed_at, person.blocked_at)):
        return False
    stop, proved = person.last_stop_at, row.verified_at
    return stop is None or proved is None or stop < proved
