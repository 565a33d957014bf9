"""The posts of providers, kept sealed as they came: put away, opened, listed, and let go with the person they name.

What a connector receives over its connection is such a post too. All but receipts that say that all went well: these
are kept whole in the deliveries, and come by the million.
"""

import itertools
import json
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.domain.addresses import PHONE_CHANNELS
from app.domain.messages import DeliveryRef, Event, EventKind, HookRequest
from app.domain.sealing import CannotOpen, KeyRing
from app.services.controller import Controller
from app.storage import aliases
from app.storage.database import db
from app.storage.models import Subscriber, Webhook, WebhookPerson
from app.storage.models.webhooks import IS_PROBLEM, NAMES_NOBODY
from app.storage.provider_ids import deliveries_found_by

SEAL_LABEL: Final = "webhooks"
_MICROSECOND: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BITS: Final = 12
_PAGE: Final = 500
_DIALLED: Final = 9
_order = itertools.count(secrets.randbelow(1 << _BITS))


class Took(StrEnum):
    """What a post was for us. MALFORMED: we could not read it. FAULT: we could read it, and failed to apply it."""

    MESSAGE = "message"
    SIGNAL = "signal"
    RECEIPT = "receipt"
    IGNORED = "ignored"
    MALFORMED = "malformed"
    FAULT = "fault"


PROBLEMS: Final = (Took.MALFORMED, Took.FAULT)


@dataclass(frozen=True)
class Hook:
    """One post on its way into the table, sealed already. `people` are the subscribers whom it names, if known."""

    id: int
    sender_id: int
    received_at: datetime
    what: Took
    sealed: bytes
    people: tuple[int, ...] = ()


@dataclass(frozen=True)
class Opened:
    """A kept post in the clear; `request` is None when none of our keys opens it."""

    id: int
    sender_id: int
    received_at: datetime
    what: Took
    request: HookRequest | None
    reason: str = ""


def id_at(moment: datetime) -> int:
    """The lowest id that a post of this moment can have: microseconds, and room for 4,096 of each."""
    return ((moment - _EPOCH) // _MICROSECOND) << _BITS


def keep(
    request: HookRequest,
    *,
    sender_id: int,
    what: Took,
    people: Sequence[int] = (),
    reason: str = "",
    keys: KeyRing,
    now: datetime,
) -> Hook:
    """Seal a post for the table. Only what reading it again needs: its signature was checked, and is left out."""
    headers = _own_headers(request) or {"content-type": request.headers.get("content-type", "")}
    head = json.dumps([request.method, request.public_url, dict(request.query), headers, reason])
    return Hook(
        id_at(now) | next(_order) % (1 << _BITS),
        sender_id,
        now,
        what,
        keys.seal(head.encode() + b"\n" + request.body, SEAL_LABEL),
        tuple(dict.fromkeys(people)),
    )


def is_kept(events: Sequence[Event]) -> bool:
    """Tell whether a post that was read is worth keeping."""
    return not all(event.receipt is not None and event.receipt.error is None for event in events)


def what_of(events: Sequence[Event]) -> Took:
    """Name a post by the weightiest thing it tells."""
    kinds = {event.kind for event in events}
    found = (one for one in (EventKind.MESSAGE, EventKind.SIGNAL, EventKind.RECEIPT) if one in kinds)
    return Took(next(found, EventKind.IGNORED).value)


def people_of(request: HookRequest, sender_id: int, events: Sequence[Event] = ()) -> list[int]:
    """Return the subscribers whom a post names: by our reference beside it, by its receipts, by its texts.

    Who texted us was made a subscriber by now.
    """
    found = _by_reference(request)
    receipts = [event.receipt for event in events if event.receipt]
    found += [one.ref.subscriber_id for one in receipts if one.ref]
    ids = {one.provider_id for one in receipts if one.ref is None}
    said = [event.message.address for event in events if event.message]
    for signal in (event.signal for event in events if event.signal):
        said += [one for one in (signal.address, signal.new_address) if one]
    for address in said:
        found += [person.id for person in aliases.people_at(db.session(), [address]).values()]
    if ids:
        refs = deliveries_found_by(db.session(), sender_id, ids)
        found += [ref.subscriber_id for ref in refs.values()]
    if said or ids:
        db.session.rollback()  # give the connection back before we wait for our turn to write
    return found


def _own_headers(request: HookRequest) -> dict[str, str]:
    """The headers of what came over a connection: we set them ourselves. A webhook's are a stranger's."""
    return {} if request.public_url else dict(request.headers)


def _by_reference(request: HookRequest) -> list[int]:
    """The parameter or header has another name on each gateway; its three numbers look like nothing else."""
    found = []
    for value in (*request.query.values(), *_own_headers(request).values()):
        with suppress(ValueError):
            found.append(DeliveryRef.parse(value).subscriber_id)
    return found


def open_hook(row: Webhook, keys: KeyRing) -> Opened:
    """Return a kept post in the clear."""
    found = (row.id, row.sender_id, row.received_at, Took(row.what))
    try:
        head, _, body = keys.open(row.sealed, SEAL_LABEL).partition(b"\n")
    except CannotOpen:
        return Opened(*found, None, "sealed with a key that is not here any more")
    method, url, query, headers, reason = json.loads(head)
    if isinstance(headers, str):  # those of earlier versions have the content type alone
        headers = {"content-type": headers}
    request = HookRequest(method, url, headers, body, query)
    return Opened(*found, request, reason)


def kept(
    *,
    controller: Controller,
    sender_id: int | None = None,
    since: datetime | None = None,
    what: Sequence[Took] = tuple(Took),
) -> Iterator[Opened]:
    """Yield kept posts as they came, page by page, so that memory does not grow with them."""
    last = id_at(since) - 1 if since else 0
    while True:
        page = select(Webhook).where(Webhook.id > last, Webhook.what.in_([one.value for one in what]))
        if sender_id is not None:
            page = page.where(Webhook.sender_id == sender_id)
        rows = db.session.scalars(page.order_by(Webhook.id).limit(_PAGE)).all()
        db.session.rollback()  # nothing is held while the caller works on the page
        for row in rows:
            yield open_hook(row, controller.keys)
        if len(rows) < _PAGE:
            return
        last = rows[-1].id


@dataclass(frozen=True)
class Problems:
    """How many posts are kept that we could not take, and why the newest was not."""

    count: int
    sender_id: int = 0
    reason: str = ""


def problems(*, controller: Controller) -> Problems:
    """Count the posts that were not taken and are still kept."""
    count = db.session.scalar(select(func.count()).select_from(Webhook).where(IS_PROBLEM)) or 0
    row = db.session.scalar(select(Webhook).where(IS_PROBLEM).order_by(Webhook.id.desc()).limit(1))
    return Problems(count, row.sender_id, open_hook(row, controller.keys).reason) if row else Problems(0)


def forget(session: Session, people: Sequence[Subscriber], keys: KeyRing) -> None:
    """Delete every kept post about these people; call it while their addresses are still there.

    Of what we could not read, or ignored, we may not know whom it names: each of those is opened, and goes if one of
    the addresses is in it or if it cannot be opened.
    """
    about = select(WebhookPerson.webhook_id).where(
        WebhookPerson.subscriber_id.in_([person.id for person in people])
    )
    gone = list(session.scalars(about))
    needles = [needle for person in people for needle in _written(person)]
    for row in session.scalars(select(Webhook).where(NAMES_NOBODY).execution_options(yield_per=_PAGE)):
        opened = open_hook(row, keys)
        body = opened.request.body.lower() if opened.request else b""
        if opened.request is None or any(needle in body for needle in needles):
            gone.append(row.id)
    for start in range(0, len(gone), _PAGE):
        session.execute(
            delete(Webhook).where(Webhook.id.in_(gone[start : start + _PAGE])),
            execution_options={"synchronize_session": False},
        )


def _written(person: Subscriber) -> tuple[bytes, ...]:
    """How an address may stand in a post, in small letters: a post too many that goes does no harm."""
    if person.channel in PHONE_CHANNELS and person.address.startswith("+"):
        return (
            person.address.removeprefix("+")[-_DIALLED:].encode(),
        )  # a centre may bring it as dialled at home
    address = person.address.lower()
    return address.encode(), address.encode("ascii", "xmlcharrefreplace")
