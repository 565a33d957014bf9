"""Who is at an address, where one account has several: the tables of subscribers and of their other addresses."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.domain.addresses import ALIASED_CHANNELS, Address
from app.storage import linked
from app.storage.database import among
from app.storage.models import AddressAlias, Subscriber


def people_at(session: Session, addresses: Collection[Address]) -> dict[Address, Subscriber]:
    """Return the subscribers at `addresses` (of one channel); an alias leads to the one whose it is.

    One statement; a second one on channels where an account has several addresses.
    """
    if not addresses:
        return {}
    channel, values = next(iter(addresses)).channel, {one.value for one in addresses}
    rows = session.scalars(
        select(Subscriber).where(Subscriber.channel == channel, among(session, Subscriber.address, values))
    )
    found = {Address(channel, row.address): row for row in rows}
    if channel in ALIASED_CHANNELS:
        aliases = session.execute(
            select(AddressAlias.address, Subscriber)
            .join(Subscriber, Subscriber.id == AddressAlias.subscriber_id)
            .where(AddressAlias.channel == channel, among(session, AddressAlias.address, values))
        )
        found |= {Address(channel, address): person for address, person in aliases}
    return found


def known_among(session: Session, channels: Collection[str], values: Collection[str]) -> set[str]:
    """Return those of `values` at which we know anybody on one of `channels`, in two statements that make no rows."""
    here = select(Subscriber.address).where(Subscriber.channel.in_(channels), Subscriber.address.in_(values))
    also = select(AddressAlias.address).where(
        AddressAlias.channel.in_(channels), AddressAlias.address.in_(values)
    )
    return {*session.scalars(here), *session.scalars(also)}


def person_at(session: Session, address: Address) -> Subscriber | None:
    """Return the subscriber whom a message from this address is from; None when nobody is there."""
    return people_at(session, [address]).get(address)


def aliases_of(session: Session, people: Sequence[Subscriber]) -> list[Address]:
    """Return the further addresses of these people."""
    if not any(person.channel in ALIASED_CHANNELS for person in people):
        return []
    rows = session.execute(
        select(AddressAlias.channel, AddressAlias.address)
        .where(AddressAlias.subscriber_id.in_([person.id for person in people]))
        .order_by(AddressAlias.address)
    )
    return [Address(channel, address) for channel, address in rows]


def addresses_of(session: Session, person: Subscriber) -> list[Address]:
    """Return the address of a subscriber and their further ones."""
    return [Address(person.channel, person.address), *aliases_of(session, [person])]


def former_selves(session: Session, person: Subscriber) -> Sequence[Subscriber]:
    """Return the subscribers that were made at this person's other addresses before we knew whose they are."""
    if person.channel not in ALIASED_CHANNELS:
        return []
    return session.scalars(
        select(Subscriber)
        .join(
            AddressAlias,
            (AddressAlias.channel == Subscriber.channel) & (AddressAlias.address == Subscriber.address),
        )
        .where(AddressAlias.subscriber_id == person.id, Subscriber.id != person.id)
        .order_by(Subscriber.id)
    ).all()


def add(session: Session, person: Subscriber, address: Address, now: datetime) -> None:
    """Let an address lead to this person, whoever it led to before."""
    key = (address.channel, address.value)
    row = session.get(AddressAlias, key) or AddressAlias(channel=key[0], address=key[1], since=now)
    row.subscriber_id = person.id
    session.add(row)
    session.flush()


def move(session: Session, before: Subscriber, after: Subscriber) -> None:
    """Let everything that led to one subscriber lead to another, who takes their place beside other channels too."""
    linked.move(session, before, after)
    session.execute(
        update(AddressAlias).where(AddressAlias.subscriber_id == before.id).values(subscriber_id=after.id),
        execution_options={"synchronize_session": False},
    )
    session.execute(
        delete(AddressAlias).where(
            AddressAlias.channel == after.channel, AddressAlias.address == after.address
        ),
        execution_options={"synchronize_session": False},
    )
