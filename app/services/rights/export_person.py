"""Everything that we hold of one person (GDPR articles 15 and 20), as JSON to take along and as a page to read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.addresses import Address, mask
from app.domain.ledger import iso_ms
from app.domain.retention import Periods
from app.domain.statuses import DeliveryStatus
from app.domain.styles import shown
from app.services import prove_consent
from app.services.audit import note
from app.services.controller import Controller, NotFound
from app.services.rights import words
from app.storage import aliases, linked
from app.storage.database import db, transaction
from app.storage.models import (
    Broadcast,
    BroadcastAnswer,
    Delivery,
    DeliveryRead,
    InboundRow,
    OwnMessage,
    PersonClick,
    PushRouteRow,
    Sender,
    ShortLink,
    Subscriber,
    Suppression,
)

FORMAT: Final = "tidings-person-1"


def export(
    subscriber_id: int, *, language: str, periods: Periods, by: str, controller: Controller, now: datetime
) -> dict[str, Any]:
    """Return the export as a JSON object in `language`; the audit log says who made it.

    It holds the proof pack of the person (see `prove_consent.prove`) and what that leaves out: the profile, every
    delivery and answer, suppressions, and what is kept why and how long. Raises `NotFound`, also for who is erased.
    """
    session = db.session()
    person = session.get(Subscriber, subscriber_id)
    if person is None or person.erased_at is not None:
        raise NotFound("There is no such person.")
    proof = prove_consent.prove(
        person.address, channel=person.channel, language=language, controller=controller, now=now
    )
    pack = {
        "format": FORMAT,
        "language": language,
        "made_at": iso_ms(now),
        "controller": proof["controller"],
        "person": proof["person"]
        | {"profile": dict(person.attributes), "other_addresses": _other_addresses(session, person)}
        | _browser(session, person),
        "consent": proof["entries"],
        "notices": proof["notices"],
        "messages_in": proof["inbound"],
        "answers": _answers(session, person),
        "messages_out": _messages_out(session, person),
        "clicks": _clicks(session, person),
        "suppressions": _suppressions(session, person, controller),
        "recipients": recipients(session, language, _senders_of(session, person)),
        "kept": words.retention_table(language, periods),
        "rights": list(words.load(language)["rights"]["lines"]),
    }
    _remember(person, by, now)
    return pack


def _browser(session: Session, person: Subscriber) -> dict[str, str]:
    """Where the push service of their browser takes messages for them; nothing for everybody else."""
    route = session.get(PushRouteRow, person.id)
    return {"push_endpoint": route.endpoint} if route else {}


def _other_addresses(session: Session, person: Subscriber) -> list[dict[str, str]]:
    """Other addresses of the same account, and those on other channels that the person linked."""
    linked_ones = [Address(one.channel, one.address) for one in linked.others_of(session, person)]
    return [
        {"channel": one.channel, "address": one.value}
        for one in (*aliases.aliases_of(session, [person]), *linked_ones)
    ]


def page(pack: Mapping[str, Any]) -> str:
    """Return an export as a printable page in its language."""
    return words.page("person", pack)


def _messages_out(session: Session, person: Subscriber) -> list[dict[str, Any]]:
    """Return every broadcast and answer, also those that did not go, in order of time.

    The text is filled in with the profile of today; an answer is the one that was kept.
    """
    marks = select(DeliveryRead.broadcast_id, DeliveryRead.at).where(DeliveryRead.subscriber_id == person.id)
    read = {broadcast_id: at for broadcast_id, at in session.execute(marks)}
    rows = session.execute(
        select(
            Delivery,
            Broadcast.title,
            Broadcast.text,
            Broadcast.styled,
            func.coalesce(InboundRow.reply_text, OwnMessage.text),
            Sender.name,
        )
        .join(Broadcast, Broadcast.id == Delivery.broadcast_id)
        .outerjoin(InboundRow, InboundRow.id == Delivery.inbound_id)
        .outerjoin(OwnMessage, OwnMessage.id == -Delivery.inbound_id)
        .outerjoin(Sender, Sender.id == Broadcast.sender_id)
        .where(Delivery.subscriber_id == person.id)
        .order_by(Delivery.updated_at, Delivery.broadcast_id, Delivery.inbound_id)
    )
    return [
        {
            "kind": "answer" if delivery.inbound_id else "broadcast",
            "title": None if delivery.inbound_id else title,
            "text": reply if delivery.inbound_id else shown(text, person.attributes, styled=styled).text,
            "sender": sender,
            "status": DeliveryStatus(delivery.status).name.lower(),
            "reason": delivery.reason,
            "error_code": delivery.error_code,
            "attempts": delivery.attempts,
            "consent_seq": delivery.consent_seq,
            "provider_id": delivery.provider_id,
            "at": iso_ms(delivery.updated_at),
            "read_at": iso_ms(read[delivery.broadcast_id])
            if not delivery.inbound_id and delivery.broadcast_id in read
            else None,
        }
        for delivery, title, text, styled, reply, sender in rows
    ]


def _answers(session: Session, person: Subscriber) -> list[dict[str, Any]]:
    """Return which button of which broadcast they pressed last."""
    rows = session.execute(
        select(Broadcast.title, BroadcastAnswer.label, BroadcastAnswer.answered_at)
        .join(Broadcast, Broadcast.id == BroadcastAnswer.broadcast_id)
        .where(BroadcastAnswer.subscriber_id == person.id)
        .order_by(BroadcastAnswer.id)
    )
    return [{"title": title, "answer": label, "at": iso_ms(at)} for title, label, at in rows if at]


def _clicks(session: Session, person: Subscriber) -> list[dict[str, Any]]:
    """Return which links they opened; nothing unless they agreed that it is kept."""
    rows = session.execute(
        select(PersonClick, ShortLink.url, Broadcast.title)
        .join(ShortLink, ShortLink.code == PersonClick.code)
        .join(Broadcast, Broadcast.id == ShortLink.broadcast_id)
        .where(PersonClick.subscriber_id == person.id)
        .order_by(PersonClick.first_at, PersonClick.code)
    )
    return [
        {
            "url": url,
            "title": title,
            "times": row.times,
            "first_at": iso_ms(row.first_at),
            "last_at": iso_ms(row.last_at),
        }
        for row, url, title in rows
    ]


def _suppressions(session: Session, person: Subscriber, controller: Controller) -> list[dict[str, Any]]:
    hmacs = controller.keys.suppress_hmacs(person.channel, person.address).values()
    rows = session.scalars(select(Suppression).where(Suppression.hmac.in_(hmacs)).order_by(Suppression.id))
    return [
        {
            "reason": row.reason,
            "since": iso_ms(row.created_at),
            "lifted_at": iso_ms(row.lifted_at) if row.lifted_at else None,
        }
        for row in rows
    ]


def _senders_of(session: Session, person: Subscriber) -> list[Sender]:
    """Return the senders that carried words from or to this person."""
    out = select(Broadcast.sender_id).join(Delivery, Delivery.broadcast_id == Broadcast.id)
    texted = select(InboundRow.sender_id).where(InboundRow.subscriber_id == person.id)
    query = select(Sender).where(
        Sender.id.in_(out.where(Delivery.subscriber_id == person.id)) | Sender.id.in_(texted)
    )
    return list(session.scalars(query.order_by(Sender.name)))


def recipients(session: Session, language: str, senders: list[Sender]) -> list[dict[str, str]]:
    """Return the providers behind these senders, with company and country where we know them, each once."""
    known = words.load(language)["recipients"]
    return [
        {"gateway": gateway, "who": known.get(gateway, known["other"].format(gateway=gateway))}
        for gateway in sorted({sender.gateway for sender in senders})
    ]


def _remember(person: Subscriber, by: str, now: datetime) -> None:
    with transaction() as session:
        who = f"subscriber {person.channel} {mask(Address(person.channel, person.address).value)}"
        note(session, by, "subscriber.data", who, now)
