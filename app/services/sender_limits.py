"""Limits that several senders keep together: of an account at a provider, and of a channel."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.pace import MOST, Shared
from app.gateways.base import Accounted, Gateway
from app.services.audit import note
from app.services.controller import Controller, NotFound, Refused
from app.services.gateways_of_senders import Registry, gateway_of
from app.services.manage_senders import find_sender
from app.storage.database import db, transaction
from app.storage.models import AccountRate, Sender

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._@-]{0,119}")


@dataclass(frozen=True)
class AccountRow:
    """An account, the names of its senders, and their messages (SMS: parts) a second together; None: no such limit."""

    account: str
    rate: float | None
    senders: tuple[str, ...]


def accounts(*, registry: Registry, controller: Controller) -> list[AccountRow]:
    """Return every account that a sender belongs to, by name; senders that have none of a name are left out."""
    session = db.session()
    rates = {row.account: row.rate for row in session.scalars(select(AccountRate))}
    senders: dict[str, list[str]] = {account: [] for account in rates}
    for sender in session.scalars(select(Sender).order_by(Sender.name)):
        account = account_of(sender, gateway_of(sender, controller, registry))
        if account:
            senders.setdefault(account, []).append(sender.name)
    return [AccountRow(account, rates.get(account), tuple(senders[account])) for account in sorted(senders)]


def set_account(
    name: str, account: str, *, registry: Registry, by: str, controller: Controller, now: datetime
) -> str:
    """Say which account the sender belongs to, empty for the one that its settings name. Returns what holds now.

    Raises `NotFound`, or `Refused` for what cannot name an account.
    """
    if account and not _NAME.fullmatch(account):
        raise Refused(
            f"“{account}” cannot name an account; take letters, digits and : . _ @ -, 120 at most. "
            "Example: riverside-portfolio"
        )
    with transaction() as session:
        sender = find_sender(session, name)
        sender.account = account or None
        note(session, by, "sender.account", f"sender {name}", now, account=account)
        return account_of(sender, gateway_of(sender, controller, registry))


def set_rate(
    account: str,
    rate: float | None,
    *,
    registry: Registry,
    by: str,
    controller: Controller,
    now: datetime,
) -> AccountRow:
    """Let all senders of an account send `rate` messages a second together; None: each as fast as it may.

    Raises `NotFound` for an account that no sender belongs to, or `Refused` for a rate that cannot be.
    """
    if rate is not None and not 0 < rate <= MOST:
        raise Refused(
            f"A rate of {rate:g} is not possible; it is messages per second, above 0, up to {MOST:.0f}."
        )
    known = {row.account: row for row in accounts(registry=registry, controller=controller)}
    if account not in known:
        names = ", ".join(known) or "none yet; name one with: tidings senders set NAME --account ACCOUNT"
        raise NotFound(f"No sender belongs to the account “{account}”. Accounts: {names}.")
    with transaction() as session:
        row = session.get(AccountRate, account)
        if rate is None and row is not None:
            session.delete(row)
        elif rate is not None:
            session.merge(AccountRate(account=account, rate=rate))
        note(session, by, "sender.account_rate", f"account {account}", now, rate=rate)
    return AccountRow(account, rate, known[account].senders)


def account_of(sender: Sender, gateway: Gateway) -> str:
    """Return the account that a sender belongs to; empty where nobody knows of one, and it shares nothing."""
    return sender.account or (gateway.provider_account if isinstance(gateway, Accounted) else "")


def shared_by(
    session: Session, sender: Sender, gateway: Gateway, channel_rates: Mapping[str, float]
) -> tuple[Shared, ...]:
    """Return the limits that a sender keeps together with others."""
    found = []
    account = account_of(sender, gateway)
    row = session.get(AccountRate, account) if account else None
    if row is not None:
        found.append(Shared(f"account:{account}", row.rate))
    if sender.channel in channel_rates:
        found.append(Shared(f"channel:{sender.channel}", channel_rates[sender.channel]))
    return tuple(found)
