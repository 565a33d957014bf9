"""Who must never be written to: the one place that asks the suppression list, and that adds to it or lifts.

The gate reads a mark on the subscriber, which the ledger's entry sets and lifts: whoever adds here writes one.
Only keyed hashes are kept. They outlive the person's erasure, and then nobody can make them anew under a later
key: each entry names the version of its key, and every look-up tries all versions that the key ring knows.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.domain.addresses import Address
from app.domain.consent import Scope
from app.domain.sealing import KeyRing
from app.storage.database import changed
from app.storage.models import Suppression

MAX_REASON: Final = 40


def hashes(keys: KeyRing, address: Address) -> Mapping[int, str]:
    """Return the hash of an address under each version of the suppression key, by version."""
    return keys.suppress_hmacs(address.channel, address.value)


def suppressed(session: Session, keys: KeyRing, addresses: Collection[Address]) -> set[Address]:
    """Return those of `addresses` that are suppressed now, in one statement however many there are.

    A suppression is of one address on one channel: it says nothing of another address of the same person.
    """
    owners = {hmac: address for address in addresses for hmac in hashes(keys, address).values()}
    found = session.scalars(
        select(Suppression.hmac).where(Suppression.hmac.in_(owners), Suppression.lifted_at.is_(None))
    )
    return {owners[hmac] for hmac in found}


def add(
    session: Session, keys: KeyRing, reasons: Mapping[Address, str], *, now: datetime
) -> Sequence[Address]:
    """Suppress each address for its reason (40 characters at most); return those that were not suppressed yet."""
    already = suppressed(session, keys, reasons.keys())
    fresh = [address for address in reasons if address not in already]
    session.add_all(
        Suppression(
            hmac=keys.suppress_hmac(address.channel, address.value),
            key_version=keys.version,
            scope=Scope.ALL.value,
            reason=reasons[address],
            created_at=now,
        )
        for address in fresh
    )
    return fresh


def lift(session: Session, keys: KeyRing, address: Address, *, now: datetime) -> bool:
    """End every open suppression of this address; the rows stay, closed. False when there was none."""
    done = session.execute(
        update(Suppression)
        .where(Suppression.hmac.in_(hashes(keys, address).values()), Suppression.lifted_at.is_(None))
        .values(lifted_at=now)
    )
    return changed(done) > 0
