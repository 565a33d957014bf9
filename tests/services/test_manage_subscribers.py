"""What operators do for one person: look up, export, record a revocation, suppress."""

import pytest
from sqlalchemy import select

from app.services import manage_subscribers
from app.services.controller import NotFound, Refused
from app.services.manage_subscribers import Person
from app.storage.database import db
from app.storage.models import ConsentEvent, Suppression
from tests.services.conftest import ANNA, BERT, NOW, World


def _opt_out(
    world: World, address: str, *, reason: str = "wrote a letter", list_name: str | None = None
) -> Person:
    return manage_subscribers.opt_out(
        address, reason=reason, list_name=list_name, by="ops", controller=world.controller, now=NOW
    )


def _states(person: Person) -> dict[str, str]:
    return {row.list_name: row.state for row in person.lists}


def test_a_person_is_found_in_any_spelling_with_standings(world: World) -> None:
    world.text(ANNA, "NEWS")

    person = manage_subscribers.show("+1 (202) 555-0101", controller=world.controller)

    assert (person.address, _states(person), person.overlays) == (ANNA, {"News": "active"}, {})


def test_a_stranger_is_not_found_and_the_number_is_masked_in_the_answer(world: World) -> None:
    with pytest.raises(NotFound, match=r"\+1\*\*\*101"):
        manage_subscribers.show(ANNA, controller=world.controller)


def test_something_that_is_no_number_is_refused_with_an_example(world: World) -> None:
    with pytest.raises(Refused, match="country code"):
        manage_subscribers.show("hello", controller=world.controller)


def test_a_recorded_revocation_stops_every_list_and_says_who_recorded_it(world: World) -> None:
    world.add_list("Sport", "SPORT")
    world.text(ANNA, "NEWS")
    world.text(ANNA, "SPORT")

    person = _opt_out(world, ANNA)

    event = db.session.scalars(select(ConsentEvent).order_by(ConsentEvent.seq.desc())).first()
    assert _states(person) == {"News": "stopped", "Sport": "stopped"}
    assert event is not None
    assert (event.act, event.actor, event.scope) == ("operator", "operator:ops", "all")


def test_a_revocation_for_one_list_leaves_the_others(world: World) -> None:
    world.add_list("Sport", "SPORT")
    world.text(ANNA, "NEWS")
    world.text(ANNA, "SPORT")

    assert _states(_opt_out(world, ANNA, list_name="sport")) == {"News": "active", "Sport": "stopped"}


def test_a_revocation_without_a_reason_is_refused(world: World) -> None:
    with pytest.raises(Refused, match="why"):
        _opt_out(world, ANNA, reason="  ")


def test_the_export_has_a_line_for_everybody_who_was_ever_on_the_list(world: World) -> None:
    world.text(ANNA, "NEWS")
    world.text(BERT, "NEWS")
    world.text(BERT, "STOP")

    lines = "".join(manage_subscribers.export_list("News")).splitlines()

    assert lines == [
        "number,state,since,language",
        f"{ANNA},active,2026-11-22T12:00:00+00:00,en",
        f"{BERT},stopped,2026-11-22T12:00:00+00:00,en",
    ]


def test_an_unknown_list_is_refused_before_the_first_line(world: World) -> None:
    with pytest.raises(NotFound):
        manage_subscribers.export_list("Weather")


def test_suppressing_keeps_no_address_and_twice_is_once(world: World) -> None:
    world.text(ANNA, "NEWS")
    for _ in range(2):
        manage_subscribers.suppress(
            ANNA, reason="court order", by="ops", controller=world.controller, now=NOW
        )

    row = db.session.scalars(select(Suppression)).one()
    person = manage_subscribers.show(ANNA, controller=world.controller)
    assert ANNA not in repr(vars(row))
    assert person.overlays == {"suppressed": NOW}


def test_lifting_a_suppression_leaves_consent_as_it_was(world: World) -> None:
    world.text(ANNA, "NEWS")
    manage_subscribers.suppress(ANNA, reason="mistake", by="ops", controller=world.controller, now=NOW)

    manage_subscribers.unsuppress(ANNA, by="ops", controller=world.controller, now=NOW)

    person = manage_subscribers.show(ANNA, controller=world.controller)
    assert (person.overlays, _states(person)) == ({}, {"News": "active"})
    db.session.rollback()
    with pytest.raises(Refused, match="is not suppressed"):
        manage_subscribers.unsuppress(ANNA, by="ops", controller=world.controller, now=NOW)
