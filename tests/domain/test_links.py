"""What deep links and buttons carry."""

import re

import pytest

from app.domain.keywords import Outcome
from app.domain.links import BadTag, payload_of, read_payload, read_written

LISTS = {"city": "1", "städte": "2"}


@pytest.mark.parametrize(("word", "list_id"), [("CITY", 1), ("städte", 2), ("x" * 40, 3)])
@pytest.mark.parametrize("source", ["", "poster-7", "a" * 30])
def test_a_payload_fits_every_platform_and_leads_back_to_its_list(
    word: str, list_id: int, source: str
) -> None:
    payload = payload_of(word, list_id, source)

    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", payload)
    found = read_payload(payload, {**LISTS, "x" * 40: "3"})
    assert found is not None
    assert (found.decision.outcome, found.decision.list_key) == (Outcome.START_LIST, str(list_id))
    assert found.source == source


@pytest.mark.parametrize("source", ["two words", "ü", "a" * 31, "x_y"])
def test_a_tag_that_no_link_can_carry_is_refused(source: str) -> None:
    with pytest.raises(BadTag, match="poster-7"):
        payload_of("city", 1, source)


@pytest.mark.parametrize(
    ("payload", "outcome", "key"),
    [
        ("start", Outcome.START, None),
        ("stop", Outcome.STOP, None),
        ("STOP_button", Outcome.STOP, None),
        ("stop-city", Outcome.STOP_LIST, "1"),
        ("stop-list-2", Outcome.STOP_LIST, "2"),
        ("optout:city", Outcome.STOP_LIST, "1"),
        ("help", Outcome.HELP, None),
        ("City_x", Outcome.START_LIST, "1"),
    ],
)
def test_a_button_is_as_clear_as_the_typed_word(payload: str, outcome: Outcome, key: str | None) -> None:
    found = read_payload(payload, LISTS)

    assert found is not None
    assert (found.decision.outcome, found.decision.list_key) == (outcome, key)


@pytest.mark.parametrize("payload", ["", "weekly", "list-9", "list-", "stop-weekly"])
def test_what_names_no_list_of_ours_means_nothing(payload: str) -> None:
    assert read_payload(payload, LISTS) is None


@pytest.mark.parametrize("text", ["city_poster-7", " City_web ", "list-2", "LIST-2_web"])
def test_a_text_that_a_link_wrote_joins_its_list(text: str) -> None:
    found = read_written(text, LISTS)

    assert found is not None
    assert found.decision.outcome is Outcome.START_LIST


@pytest.mark.parametrize(
    "text",
    ["city", "stop-city_x", "start_web", "weekly_web", "city_is great", "see city_web", "city_" + "a" * 31],
)
def test_no_other_text_is_taken_for_one_that_a_link_wrote(text: str) -> None:
    assert read_written(text, LISTS) is None
