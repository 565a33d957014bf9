"""Lists: what people subscribe to, the word that joins it, its promise, and the notices that say so."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.domain.keywords import LANGUAGES, squeeze
from app.domain.keywords.tables import all_words, words_for
from app.domain.replies import Facts, MissingFact, notice_text
from app.domain.statuses import OnUnknown
from app.services.audit import note
from app.services.controller import Conflict, Controller, NotFound, Refused
from app.services.lists_of_sender import Offer, facts_of, offers_of
from app.storage import headcounts
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, ListSender, Notice, Sender

NOTICE_LANGUAGES: Final = ("en", "de")
MAX_PER_DAY: Final = 50


@dataclass(frozen=True)
class ListRow:
    """What is shown of a list. Hours are of the day in `zone`; `active` counts its subscribers.

    `most` and `ends_at` are the promise of a live event.
    """

    id: int
    name: str
    keyword: str
    purpose: str
    language: str
    max_per_day: int
    from_hour: int
    until_hour: int
    zone: str
    sender: str
    is_default: bool
    active: int
    archived_at: datetime | None
    any_hour_reason: str | None
    further_senders: tuple[str, ...]
    most: int | None = None
    ends_at: datetime | None = None


def create_list(
    *,
    name: str,
    keyword: str,
    purpose: str,
    language: str,
    max_per_day: int,
    from_hour: int,
    until_hour: int,
    zone: str,
    sender_id: int,
    is_default: bool,
    by: str,
    controller: Controller,
    now: datetime,
    any_hour_reason: str = "",
) -> int:
    """Make a list and its first notice in English and German; returns the list's id.

    The promise (at most `max_per_day`, from `from_hour` until `until_hour` in `zone`) is part of the notice. A
    bare START joins the default list; a new default takes over from the old one of its sender, and the first
    list of a sender is its default anyway. With `any_hour_reason` the hours promised stand for the quiet hours of
    the places where people are; the reason is kept. Raises `Refused` for what cannot be, `Conflict` for a name or
    keyword in use (naming the other list), `NotFound` for an unknown sender.
    """
    with transaction() as session:
        row = BroadcastList(
            name=name.strip(),
            keyword=squeeze(keyword),
            purpose=purpose.strip(),
            language=language,
            max_per_day=max_per_day,
            from_hour=from_hour,
            until_hour=until_hour,
            zone=zone,
            sender_id=sender_id,
            is_default=is_default,
            any_hour_reason=_reason(any_hour_reason),
            created_at=now,
        )
        return add_list(session, row, keyword, by=by, controller=controller, now=now)


def add_list(
    session: Session, row: BroadcastList, keyword: str, *, by: str, controller: Controller, now: datetime
) -> int:
    """Do what `create_list` does within the caller's transaction; `keyword` is the word as it was written."""
    _check_texts(row.name, row.purpose, row.language)
    _check_word(keyword, row.keyword)
    _check_promise(row.max_per_day, row.from_hour, row.until_hour, row.zone)
    sender = session.get(Sender, row.sender_id)
    if sender is None:
        raise NotFound(f"There is no sender number {row.sender_id}. Make one with: tidings senders add")
    _check_free(session, row.name, row.keyword)
    row.is_default = row.is_default or not offers_of(session, sender)
    _stand_alone_as_default(session, row)
    session.add(row)
    session.flush()
    _write_notices(session, row, sender, controller, now)
    why = {"any_hour": row.any_hour_reason} if row.any_hour_reason else {}
    note(session, by, "list.create", f"list {row.id}", now, **why)
    return row.id


def new_notice_version(
    list_id: int,
    *,
    purpose: str,
    max_per_day: int,
    from_hour: int,
    until_hour: int,
    by: str,
    controller: Controller,
    now: datetime,
) -> int:
    """Change a list's purpose or promise: new people are shown a new notice, old consents keep theirs.

    Returns how many notices were written; none when nothing changed. Raises `Refused`, `NotFound`.
    """
    with transaction() as session:
        row = session.get(BroadcastList, list_id)
        if row is None:
            raise NotFound(f"There is no list number {list_id}.")
        _check_texts(row.name, purpose.strip(), row.language)
        _check_promise(max_per_day, from_hour, until_hour, row.zone)
        row.purpose, row.max_per_day = purpose.strip(), max_per_day
        row.from_hour, row.until_hour = from_hour, until_hour
        written = _write_notices(session, row, session.get_one(Sender, row.sender_id), controller, now)
        note(session, by, "list.change", f"list {row.id}", now)
        return written


def archive(name: str, *, by: str, now: datetime) -> ListRow:
    """Close a list: nobody can join, nothing more is sent to it, its history stays. Twice changes nothing."""
    with transaction() as session:
        row = find_list(session, name)
        if row.archived_at is None:
            row.archived_at, row.is_default = now, False
            note(session, by, "list.archive", f"list {row.id}", now)
        session.flush()
        return _rows(session)[row.id]


def set_any_hour(name: str, reason: str, *, by: str, now: datetime) -> ListRow:
    """Let a list's promised hours stand for the quiet hours of places, for a reason; with none, quiet hours hold again.

    What already waits for an opening keeps waiting for it. Raises `NotFound`, or `Refused` for too long a reason.
    """
    with transaction() as session:
        row = find_list(session, name)
        row.any_hour_reason = _reason(reason)
        note(session, by, "list.any_hour", f"list {row.id}", now, reason=row.any_hour_reason)
        session.flush()
        return _rows(session)[row.id]


def set_on_unknown(name: str, policy: OnUnknown, *, by: str, now: datetime) -> str:
    """Say what becomes of messages of a list that the provider does not have; returns its name. Raises `NotFound`."""
    with transaction() as session:
        row = find_list(session, name)
        row.on_unknown = policy.value
        note(session, by, "list.on_unknown", f"list {row.id}", now, policy=policy.value)
        return row.name


def list_lists(*, archived: bool = False) -> list[ListRow]:
    """Return the lists by name, with `archived` those closed too."""
    rows = _rows(db.session()).values()
    return [row for row in rows if archived or row.archived_at is None]


def find_list(session: Session, name: str) -> BroadcastList:
    """Return the list with this name or keyword; raises `NotFound` naming those that exist."""
    rows = session.scalars(select(BroadcastList).order_by(BroadcastList.name)).all()
    for row in rows:
        if name.strip().casefold() == row.name.casefold() or squeeze(name) == row.keyword:
            return row
    there = ", ".join(f"“{row.name}”" for row in rows) or "none yet; make one with: tidings lists create"
    raise NotFound(f"There is no list “{name}”. Lists: {there}.")


def _check_texts(name: str, purpose: str, language: str) -> None:
    if not 1 <= len(name) <= 100:
        raise Refused("A list needs a name of 1 to 100 characters, such as “Morning news”.")
    if not 1 <= len(purpose) <= 300:
        raise Refused(
            "Say in 1 to 300 characters what people get; it is shown before they agree. "
            "Example: “the day's most important news from Riverside”"
        )
    if language not in LANGUAGES:
        raise Refused(f"“{language}” is no language that we can read commands in: {', '.join(LANGUAGES)}.")


def _check_word(keyword: str, word: str) -> None:
    if not 2 <= len(word) <= 40:
        raise Refused(f"“{keyword}” cannot be a keyword: it needs 2 to 40 letters or digits. Example: NEWS")
    words = words_for(LANGUAGES)
    meanings = {"STOP": {**words.also_stop, **words.stop}, "START": words.start, "HELP": words.help}
    meanings |= {"YES": words.yes, "NO": words.no, "PAUSE": words.pause}
    for meaning, taken in meanings.items():
        if word in taken:
            language = taken[word].partition(".")[0]
            raise Refused(f"“{keyword}” means {meaning} to people who write in “{language}”. Choose another.")
    if word in all_words():
        raise Refused(f"“{keyword}” means every list, as in “STOP ALL”. Choose another keyword.")


def _check_promise(max_per_day: int, from_hour: int, until_hour: int, zone: str) -> None:
    if not 1 <= max_per_day <= MAX_PER_DAY:
        raise Refused(f"At most {max_per_day} messages a day is no promise; give 1 to {MAX_PER_DAY}.")
    if not 0 <= from_hour < until_hour <= 24:
        raise Refused(
            f"From {from_hour} until {until_hour} is no time of day; the first hour comes before the last, "
            "both from 0 to 24. Example: from 7 until 21"
        )
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Refused(f"There is no time zone “{zone}”. Example: Europe/Berlin") from error


def _reason(any_hour_reason: str) -> str | None:
    reason = any_hour_reason.strip()
    if len(reason) > 300:
        raise Refused("Say in at most 300 characters why this list may be sent at any hour.")
    return reason or None


def _check_free(session: Session, name: str, word: str) -> None:
    for row in session.scalars(select(BroadcastList)):
        closed = " (archived)" if row.archived_at else ""
        if row.name.casefold() == name.casefold():
            raise Conflict(f"There is a list “{row.name}”{closed} already. Choose another name.")
        if row.keyword == word:
            raise Conflict(f"The keyword “{word}” belongs to the list “{row.name}”{closed}. Choose another.")


def _stand_alone_as_default(session: Session, row: BroadcastList) -> None:
    if row.is_default:
        session.execute(
            update(BroadcastList)
            .where(BroadcastList.sender_id == row.sender_id, BroadcastList.is_default.is_(True))
            .values(is_default=False)
        )


def _write_notices(
    session: Session, row: BroadcastList, sender: Sender, controller: Controller, now: datetime
) -> int:
    """Write the notice of each language whose words are not those of its newest version."""
    newest = _newest_notices(session, row.id)
    offer = Offer(row.keyword, row)
    written = 0
    for language in NOTICE_LANGUAGES:
        facts = facts_of(offer, {row.keyword: offer}, sender, controller, language)
        text, old = _worded(language, facts), newest.get(language)
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
                policy_url=controller.privacy_url,
            )
        )
        written += 1
    session.flush()
    return written


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


def _rows(session: Session) -> dict[int, ListRow]:
    counts, further = headcounts.by_list(session), _further_senders(session)
    found = session.execute(
        select(BroadcastList, Sender.name)
        .join(Sender, Sender.id == BroadcastList.sender_id)
        .order_by(BroadcastList.name)
    )
    return {
        row.id: _row(row, sender, counts.get(row.id, 0), further.get(row.id, ())) for row, sender in found
    }


def _further_senders(session: Session) -> Mapping[int, tuple[str, ...]]:
    found = session.execute(
        select(ListSender.list_id, Sender.name)
        .join(Sender, Sender.id == ListSender.sender_id)
        .order_by(ListSender.list_id, Sender.name)
    ).all()
    return {
        list_id: tuple(name for _, name in group) for list_id, group in groupby(found, key=lambda one: one[0])
    }


def _row(row: BroadcastList, sender: str, active: int, further: tuple[str, ...]) -> ListRow:
    return ListRow(
        row.id,
        row.name,
        row.keyword,
        row.purpose,
        row.language,
        row.max_per_day,
        row.from_hour,
        row.until_hour,
        row.zone,
        sender,
        row.is_default,
        active,
        row.archived_at,
        row.any_hour_reason,
        further,
        row.most,
        row.ends_at,
    )
