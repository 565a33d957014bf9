"""Requests that many share, where languages have words of their own."""

from datetime import timedelta
from typing import cast

from app.domain.messages import DeliveryRef
from app.domain.placeholders import Template, read
from app.domain.wording import Wording
from app.services.held_slice import HeldSlice
from app.storage.deliveries import Lease, Person
from app.storage.holding import Limits
from app.storage.journal import Pages
from tests.support.world import NOON

MAIN, GERMAN = read("Open."), read("Offen.")


def held(*templates: Template, people: int = 0) -> HeldSlice:
    there = [Person(DeliveryRef(1, n), "line", f"U{n}", {}) for n in range(len(templates) or people)]
    return HeldSlice(
        Lease(1, 1, 1, Wording("Open.")),
        MAIN,
        there,
        [one.ref.subscriber_id for one in there],
        cast("Pages", None),
        cast("Limits", None),
        0,
        NOON,
        NOON + timedelta(seconds=30),
        by_parts=False,
        templates=templates,
    )


def test_people_of_one_text_share_a_request() -> None:
    one_text = held(people=5)

    assert one_text.requests(5, 3) == 2
    assert one_text.within(1, 5, 3) == 3


def test_each_language_takes_requests_of_its_own() -> None:
    mixed = held(MAIN, GERMAN, MAIN, GERMAN, MAIN)

    assert mixed.requests(5, 3) == 2
    assert mixed.requests(5, 2) == 3
    assert mixed.within(1, 5, 3) == 1
    assert mixed.within(2, 5, 3) == 5
    assert [mixed.text(place) for place in range(3)] == ["Open.", "Offen.", "Open."]


def test_words_with_a_placeholder_in_one_language_are_nobody_elses() -> None:
    assert not held(MAIN, GERMAN).has_slots
    assert held(MAIN, read("Offen, {{first_name|du}}.")).has_slots
