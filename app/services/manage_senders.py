"""Senders: our numbers, bots and accounts on a gateway, with their secrets sealed under the master key."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.gateways.base import BadSetting, GatewayClass, Paced
from app.services.audit import note
from app.services.controller import Conflict, Controller, NotFound, Refused
from app.services.gateways_of_senders import Registry, gateway_of, open_settings, seal_settings
from app.storage.database import db, transaction
from app.storage.models import MediaUpload, Sender, SenderNews

MAX_RATE: Final = 100_000.0

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
MAX_PRICE: Final = 100
ALL_PAUSED: Final = "All sending was paused by"


@dataclass(frozen=True)
class SenderRow:
    """What may be shown of a sender; never a secret. `rate` is messages (SMS: parts) per second."""

    id: int
    name: str
    gateway: str
    channel: str
    address: str
    base_url: str | None
    rate: float
    paused_at: datetime | None
    paused_reason: str | None


def add(
    *,
    name: str,
    gateway: GatewayClass,
    settings: Mapping[str, str],
    base_url: str | None = None,
    rate: float | None = None,
    by: str,
    controller: Controller,
    now: datetime,
) -> SenderRow:
    """Add a sender whose provider posts to `/hooks/<name>`; `rate` falls back to the gateway's careful default.

    Settings that the gateway can make itself, such as a key pair, need not be given.

    Raises `Refused` for a name, setting, address or rate that cannot be, and `Conflict` for a name in use.
    """
    _check_name(name)
    _check_base_url(base_url)
    settings = {**gateway.generated(), **settings}
    address = _checked_address(gateway, settings)
    bound = gateway(settings, base_url)
    pace = gateway.capabilities().default_rate if rate is None else _checked_rate(rate, bound)
    with transaction() as session:
        if session.scalar(select(Sender.id).where(Sender.name == name)) is not None:
            raise Conflict(f"There is a sender “{name}” already. Choose another name, or rotate its secrets.")
        sender = Sender(
            name=name,
            gateway=gateway.name,
            channel=gateway.channel,
            address=address,
            sealed_settings=seal_settings(settings, controller),
            base_url=base_url,
            rate=pace,
            has_template=bound.has_template,
            template_file=bound.template_file,
            created_at=now,
        )
        session.add(sender)
        note(session, by, "sender.add", f"sender {name}", now)
        session.flush()
        return _row(sender)


def list_senders() -> list[SenderRow]:
    """Return every sender by name."""
    return [_row(sender) for sender in db.session.scalars(select(Sender).order_by(Sender.name))]


def gateway_name(name: str) -> str:
    """Return the name of the gateway that a sender is on. Raises `NotFound`."""
    return find_sender(db.session(), name).gateway


def id_of(name: str) -> int:
    """Return the id of a sender. Raises `NotFound`."""
    return find_sender(db.session(), name).id


def registration(
    name: str, *, public_url: str, registry: Registry, by: str, controller: Controller, now: datetime
) -> str:
    """Return the file that tells the sender's own server of us. It holds secrets, so the audit log says who asked.

    Raises `NotFound`, and `Refused` where the provider needs no file.
    """
    with transaction() as session:
        sender = find_sender(session, name)
        found = gateway_of(sender, controller, registry).registration(hook_of(name, public_url))
        if found is None:
            raise Refused(f"{sender.gateway} needs no such file: give it {hook_of(name, public_url)}")
        note(session, by, "sender.registration", f"sender {name}", now)
        return found


def hook_of(name: str, public_url: str) -> str:
    """Return the address at which a sender's provider calls us."""
    return f"{public_url}/hooks/{name}"


def set_rate(
    name: str, rate: float, *, registry: Registry, by: str, controller: Controller, now: datetime
) -> SenderRow:
    """Pace the sender at `rate` messages per second. Raises `Refused`, `NotFound`."""
    with transaction() as session:
        sender = find_sender(session, name)
        sender.rate = _checked_rate(rate, gateway_of(sender, controller, registry))
        note(session, by, "sender.rate", f"sender {name}", now)
        return _row(sender)


def pause(name: str, *, reason: str, by: str, now: datetime) -> SenderRow:
    """Let nothing more go out here; what is due waits. A second pause changes nothing but the reason."""
    with transaction() as session:
        sender = find_sender(session, name)
        sender.paused_at = sender.paused_at or now
        sender.paused_reason = reason or f"Paused by {by}."
        note(session, by, "sender.pause", f"sender {name}", now)
        return _row(sender)


def resume(name: str, *, by: str, now: datetime) -> SenderRow:
    """Let messages go out again; a sender that is not paused stays as it is."""
    with transaction() as session:
        sender = find_sender(session, name)
        sender.paused_at = sender.paused_reason = None
        note(session, by, "sender.resume", f"sender {name}", now)
        return _row(sender)


def set_price(name: str, price: Decimal | None, currency: str, *, by: str, now: datetime) -> str:
    """Say what a message (SMS: a part) of a sender costs, for the reports; None: nobody knows. Returns its name.

    Raises `NotFound`, or `Refused` for what is no price: 0 to 100, in millionths at the finest, and a currency.
    """
    if price is not None and not (0 <= price <= MAX_PRICE and _CURRENCY.fullmatch(currency)):
        raise Refused(
            f"“{price} {currency}” is no price of a message; give 0 to {MAX_PRICE} and a currency of three letters. "
            "Example: 0.0079 USD"
        )
    with transaction() as session:
        sender = find_sender(session, name)
        sender.price_micros = None if price is None else int((price * 1_000_000).to_integral_value())
        sender.currency = None if price is None else currency
        note(session, by, "sender.price", f"sender {name}", now, price=str(price), currency=currency)
        return sender.name


def pause_all(*, by: str, now: datetime) -> int:
    """Let nothing more go out of any sender; returns how many were not paused already, whose own reasons stay."""
    with transaction() as session:
        senders = session.scalars(select(Sender).where(Sender.paused_at.is_(None))).all()
        for sender in senders:
            sender.paused_at, sender.paused_reason = now, f"{ALL_PAUSED} {by}"[:300]
        note(session, by, "sender.pause_all", "all senders", now, senders=len(senders))
        return len(senders)


def resume_all(*, by: str, now: datetime) -> list[int]:
    """Let the senders go on that `pause_all` paused; returns their ids. One paused for a reason of its own stays so."""
    with transaction() as session:
        senders = session.scalars(select(Sender).where(Sender.paused_reason.like(f"{ALL_PAUSED}%"))).all()
        for sender in senders:
            sender.paused_at = sender.paused_reason = None
        note(session, by, "sender.resume_all", "all senders", now, senders=len(senders))
        return [sender.id for sender in senders]


def rotate_secrets(
    name: str,
    *,
    gateway: GatewayClass,
    settings: Mapping[str, str],
    by: str,
    controller: Controller,
    now: datetime,
) -> SenderRow:
    """Replace the settings given, such as a new auth token, and keep the others. Raises `Refused`, `NotFound`.

    A sender that may not go so fast any more goes as fast as it may.
    """
    with transaction() as session:
        sender = find_sender(session, name)
        merged = {**open_settings(sender, controller), **settings}
        sender.address = _checked_address(gateway, merged)
        sender.sealed_settings = seal_settings(merged, controller)
        bound = gateway(merged, sender.base_url)
        sender.has_template, sender.template_file = bound.has_template, bound.template_file
        sender.rate = min(sender.rate, bound.most_per_second) if isinstance(bound, Paced) else sender.rate
        usual = SenderNews.subject == bound.usual_template
        session.execute(update(SenderNews).where(SenderNews.sender_id == sender.id).values(usual=usual))
        # What the provider calls our files it may call otherwise for other access.
        session.execute(delete(MediaUpload).where(MediaUpload.sender_id == sender.id))
        note(session, by, "sender.rotate", f"sender {name}", now)
        return _row(sender)


def find_sender(session: Session, name: str) -> Sender:
    """Return a sender by its name. Raises `NotFound`, which says what names there are."""
    found = session.scalar(select(Sender).where(Sender.name == name))
    if found is None:
        raise NotFound(f"There is no sender “{name}”. Senders: {_names(session)}.")
    return found


def _names(session: Session) -> str:
    names: Sequence[str] = session.scalars(select(Sender.name).order_by(Sender.name)).all()
    return ", ".join(names) or "none yet; make one with: tidings senders add"


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise Refused(
            f"“{name}” cannot name a sender: its provider posts to /hooks/<name>, so use small letters, digits "
            "and hyphens, 40 at most. Example: news-us"
        )


def _check_base_url(base_url: str | None) -> None:
    parts = urlsplit(base_url or "http://unset")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise Refused(f"“{base_url}” is no base address. Example: --base-url http://127.0.0.1:8001")


def _checked_address(gateway: GatewayClass, settings: Mapping[str, str]) -> str:
    try:
        return gateway.check_settings(settings)
    except BadSetting as error:
        raise Refused(str(error)) from error


def _checked_rate(rate: float, gateway: object) -> float:
    if not 0 < rate <= MAX_RATE:
        most = f"{MAX_RATE:.0f}"
        raise Refused(
            f"A rate of {rate:g} is not possible; it is messages per second, above 0, up to {most}."
        )
    if isinstance(gateway, Paced) and rate > gateway.most_per_second:
        raise Refused(
            f"A rate of {rate:g} is not possible; the platform takes {gateway.most_per_second:g} a second from one "
            f"sender. {gateway.how_to_send_more}".strip()
        )
    return rate


def _row(sender: Sender) -> SenderRow:
    return SenderRow(
        sender.id,
        sender.name,
        sender.gateway,
        sender.channel,
        sender.address,
        sender.base_url,
        sender.rate,
        sender.paused_at,
        sender.paused_reason,
    )
