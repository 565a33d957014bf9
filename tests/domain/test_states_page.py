"""docs/states.md tells the truth about the tables in the code."""

import re
from pathlib import Path

from app.domain.consent import EFFECTIVE_FROM, Overlay, SubscriptionState
from app.domain.keywords import Outcome
from app.domain.replies import ReplyKind

PAGE = (Path(__file__).parents[2] / "docs" / "states.md").read_text(encoding="utf-8")


def test_the_page_lists_every_event_with_the_states_in_which_it_has_an_effect() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\w, ]+) \|$", PAGE, re.MULTILINE))

    every = {state.value for state in SubscriptionState}
    read = {event: every if what == "every state" else set(what.split(", ")) for event, what in rows.items()}
    assert read == {event.value: {one.value for one in states} for event, states in EFFECTIVE_FROM.items()}


def test_the_page_names_every_outcome_overlay_and_only_answers_that_there_are() -> None:
    rows = re.findall(r"^\| (\w+) \| .*? \| (.*?) \|$", PAGE, re.MULTILINE)
    firsts = {first for first, _ in rows}

    assert firsts >= {outcome.value for outcome in Outcome} | {one.value for one in Overlay}
    answers = {word for _, last in rows for word in re.findall(r"`(\w+)`", last)}
    assert answers <= {kind.value for kind in ReplyKind}
