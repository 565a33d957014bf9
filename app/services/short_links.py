"""Short links: whether a list counts clicks, the links of a broadcast, and who agreed that theirs are kept."""

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from app.domain.clicks import SAYS, says_clicks
from app.domain.placeholders import Template, read
from app.domain.short_links import (
    CODE_LENGTH,
    LETTERS,
    PATH,
    Clicks,
    Counting,
    links_in,
    person_code,
    with_person,
    with_short,
)
from app.domain.styles import read_styled, uncoded
from app.services.audit import note
from app.services.controller import Controller, Refused
from app.services.manage_lists import find_list
from app.services.rich_messages import Dress, plain_dress, rich_of
from app.storage.database import transaction
from app.storage.models import (
    Broadcast,
    BroadcastList,
    BroadcastTarget,
    BroadcastVariant,
    ConsentEvent,
    Delivery,
    Notice,
    Sender,
    ShortLink,
)
from app.storage.ways import ways_of_broadcast

TAGS: Final = "click-code"
PERSON: Final = "click code"
"""The slot of a person's code: with a blank in it, so that no editor can write it."""


def set_clicks(name: str, clicks: Clicks, *, public_url: str, by: str, now: datetime) -> str:
    """Say what a list counts from its next broadcast on; returns its name.

    To keep clicks with people, the newest notice in each of its languages must say so. Raises `NotFound`, `Refused`.
    """
    with transaction() as session:
        row = find_list(session, name)
        if clicks is Clicks.PEOPLE:
            _refuse_unless_said(session, row)
        row.clicks = clicks.value
        row.links_begin = None if clicks is Clicks.OFF else public_url + PATH
        note(session, by, "list.clicks", f"list {row.id}", now, clicks=clicks.value)
        return row.name


def _refuse_unless_said(session: Session, row: BroadcastList) -> None:
    notices = select(Notice).where(Notice.list_id == row.id).order_by(Notice.version)
    newest = {one.language: one for one in session.scalars(notices)}
    silent = [language for language, one in sorted(newest.items()) if not says_clicks(one.text, language)]
    if silent:
        wanted = " ".join(f"“{SAYS[one]}” ({one})" for one in silent)
        raise Refused(
            f"The words shown when people join “{row.name}” do not say that clicks are kept. "
            f"Write a notice with: {wanted}"
        )


def counting_of(session: Session, list_ids: Sequence[int]) -> Counting | None:
    """Return how a broadcast to these lists counts; None unless each of them wants it."""
    rows = session.scalars(
        select(BroadcastList).where(BroadcastList.id.in_(list_ids)).order_by(BroadcastList.id)
    ).all()
    if not rows or any(row.clicks == Clicks.OFF or row.links_begin is None for row in rows):
        return None
    return Counting(str(rows[0].links_begin), all(row.clicks == Clicks.PEOPLE for row in rows))


def counting_for(session: Session, broadcast_id: int) -> Counting | None:
    """Return how clicks on a broadcast are counted; None: they are not."""
    return counting_of(session, _list_ids(session, broadcast_id))


def _list_ids(session: Session, broadcast_id: int) -> Sequence[int]:
    targets = select(BroadcastTarget.list_id).where(BroadcastTarget.broadcast_id == broadcast_id)
    return session.scalars(targets).all()


def as_sent(text: str, counting: Counting | None, *, styled: bool = False, gateway: str = "") -> str:
    """Return a text with links as long as those that will go out, to count its parts.

    Of a text that is `styled` no mark counts, unless the apps of the gateway read marks in the text.
    """
    if counting is None and not styled:
        return text
    template = read_styled(text) if styled else read(text)
    if counting is not None:
        template = with_short(template, dict.fromkeys(links_in(template), counting.longest))
    return uncoded(template.source, gateway)


def dressed_as_sent(dress: Dress, counting: Counting | None) -> Dress:
    """Return what goes with a text, its link buttons with addresses as long as those that will go out."""
    return dress.with_links(dict.fromkeys(dress.links, counting.longest)) if counting else dress


def make_links(session: Session, broadcast: Broadcast, list_ids: Sequence[int]) -> None:
    """Give each link of a broadcast that is being planned its code; one that it had already stays the same."""
    counting = counting_of(session, list_ids)
    wanted = _links_of(session, broadcast) if counting else ()
    there = {row.url: row for row in links_of(session, broadcast.id)}
    gone = [row.code for url, row in there.items() if url not in wanted]
    session.execute(delete(ShortLink).where(ShortLink.code.in_(gone)))
    for url in wanted:
        if counting and url not in there:
            session.add(ShortLink(code=_code(), broadcast_id=broadcast.id, url=url, begins=counting.begins))


def links_of(session: Session, broadcast_id: int) -> Sequence[ShortLink]:
    """Return the short links of a broadcast."""
    rows = select(ShortLink).where(ShortLink.broadcast_id == broadcast_id).order_by(ShortLink.code)
    return session.scalars(rows).all()


def _links_of(session: Session, broadcast: Broadcast) -> tuple[str, ...]:
    """Return the links of its texts, then those of its buttons, each once: one address has one count."""
    others = session.scalars(
        select(BroadcastVariant.text).where(BroadcastVariant.broadcast_id == broadcast.id)
    )
    cut = read_styled if broadcast.styled else read
    found = [link for text in (broadcast.text, *others) for link in links_in(cut(text))]
    for sender_id in ways_of_broadcast(session, broadcast.id).values():
        sender = session.get_one(Sender, sender_id)
        found += plain_dress(rich_of(session, broadcast.id, sender.channel), sender).links
    return tuple(dict.fromkeys(found))


def _code() -> str:
    # Of 62 to the power of 8: where there are a million links, one new link in two hundred million is refused.
    return "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))


class Outfit(NamedTuple):
    """Texts, what goes with them, and by subscriber the values of the slots that only short links have."""

    words: Mapping[str, Template]
    dress: Dress
    codes: Mapping[int, Mapping[str, str]]


def for_slice(
    session: Session,
    texts: Mapping[str, Template],
    dress: Dress,
    broadcast_id: int,
    slice_seq: int,
    controller: Controller,
) -> Outfit:
    """Return the texts of a slice, buttons in words at their end, with the short links of both and of buttons.

    There is no slot, and nothing by person, unless every list keeps clicks with people and somebody agreed to that.
    """
    links = [link for one in texts.values() for link in links_in(one)]
    used, list_ids, counting = _used(session, (*links, *dress.links), broadcast_id)
    if counting is None:
        return Outfit({key: one.followed_by(dress.ending) for key, one in texts.items()}, dress, {})
    short = {row.url: row.address for row in used}
    dress = dress.with_links(short)
    words = {key: with_short(one, short).followed_by(dress.ending) for key, one in texts.items()}
    theirs = Delivery.slice == slice_seq
    agreed = _agreed(session, broadcast_id, theirs, list_ids, controller) if counting.people else ()
    if not agreed:
        return Outfit(words, dress, {})
    for row in used:
        words = {key: with_person(one, [row.address], slot_of(row.code)) for key, one in words.items()}
    dress = replace(
        dress, codes={row.address: slot_of(row.code) for row in used if row.address in dress.links}
    )
    return Outfit(words, dress, {one: _codes(one, used, controller) for one in agreed})


def text_for(
    session: Session,
    template: Template,
    dress: Dress,
    broadcast_id: int,
    subscriber_id: int,
    controller: Controller,
) -> Template:
    """Return a text as it went to one person, buttons in words at its end: what a provider is asked for afterwards."""
    used, list_ids, counting = _used(session, (*links_in(template), *dress.links), broadcast_id)
    if counting is None:
        return template.followed_by(dress.ending)
    theirs = Delivery.subscriber_id == subscriber_id
    agreed = counting.people and _agreed(session, broadcast_id, theirs, list_ids, controller)
    codes = _codes(subscriber_id, used, controller) if agreed else {}
    short = {row.url: row.address + codes.get(slot_of(row.code), "") for row in used}
    return with_short(template, short).followed_by(dress.with_links(short).ending)


def _used(
    session: Session, urls: Iterable[str], broadcast_id: int
) -> tuple[Sequence[ShortLink], Sequence[int], Counting | None]:
    """Return the short links of these, the lists that the broadcast goes to, and how they count.

    Nothing where none was made, and where counting was switched off since: what leaves from then on is not counted.
    """
    links = {row.url: row for row in links_of(session, broadcast_id)}
    used = [links[url] for url in dict.fromkeys(urls) if url in links]
    if not used:
        return (), (), None
    list_ids = _list_ids(session, broadcast_id)
    return used, list_ids, counting_of(session, list_ids)


def slot_of(code: str) -> str:
    """The name of the slot behind a short link."""
    return f"{PERSON} {code}"


def _codes(subscriber_id: int, links: Collection[ShortLink], controller: Controller) -> dict[str, str]:
    return {
        slot_of(row.code): person_code(subscriber_id, row.code, lambda body: controller.keys.tag(TAGS, body))
        for row in links
    }


def _agreed(
    session: Session,
    broadcast_id: int,
    theirs: ColumnElement[bool],
    list_ids: Sequence[int],
    controller: Controller,
) -> Sequence[int]:
    """Return those whose delivery stands on a consent to a notice that says so."""
    notices = notices_that_say(session, list_ids)
    if not notices:
        return ()
    return session.scalars(
        select(Delivery.subscriber_id)
        .join(
            ConsentEvent,
            (ConsentEvent.seq == Delivery.consent_seq) & (ConsentEvent.ledger == controller.ledger),
        )
        .where(
            theirs,
            Delivery.broadcast_id == broadcast_id,
            Delivery.inbound_id == 0,
            ConsentEvent.notice_id.in_(notices),
        )
    ).all()


def notices_that_say(session: Session, list_ids: Sequence[int]) -> list[int]:
    """Return the notices of these lists, of all versions, that say that clicks are kept."""
    rows = session.scalars(select(Notice).where(Notice.list_id.in_(list_ids)))
    return [row.id for row in rows if says_clicks(row.text, row.language)]
