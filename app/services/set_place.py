"""Say in which town somebody is, or that nobody knows: what segments and the People page ask for."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.segments.written import LONGEST_PLACE
from app.services.audit import note
from app.services.controller import Controller, NotFound, Refused
from app.services.manage_subscribers import Person, describe, find_subscriber, read_address
from app.storage.database import transaction
from app.storage.models import Subscriber
from app.storage.models.people import PLACE


def set_place(subscriber_id: int, place: str, *, by: str, now: datetime) -> None:
    """Note the town of one person; "" takes it away. The audit log says who did it, and not which town.

    Raises `NotFound`, and `Refused` for a town that is too long or not on one line, and for an erased person.
    """
    with transaction() as session:
        person = session.get(Subscriber, subscriber_id, with_for_update=True)
        if person is None:
            raise NotFound("There is no such person.")
        _set(session, person, place, by, now)


def set_place_at(
    raw: str, place: str, *, channel: str = "sms", by: str, controller: Controller, now: datetime
) -> Person:
    """Note the town of the person at an address; raises as `set_place` does, and `Refused` for no address."""
    with transaction() as session:
        address = read_address(raw, channel=channel, controller=controller)
        person = find_subscriber(session, address)
        _set(session, person, place, by, now)
        return describe(session, person)


def _set(session: Session, person: Subscriber, place: str, by: str, now: datetime) -> None:
    if person.erased_at is not None:
        raise Refused("This person's data was erased already.")
    town = " ".join(place.split())
    if len(town) > LONGEST_PLACE or not town.isprintable():
        raise Refused(f"A town has at most {LONGEST_PLACE} characters, on one line.")
    rest = {name: value for name, value in person.attributes.items() if name != PLACE}
    person.attributes = {**rest, PLACE: town} if town else rest
    note(session, by, "subscriber.place", f"subscriber {person.id}", now)
