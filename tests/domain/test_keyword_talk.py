"""Messages that people wrote to each other: none of them may start anything, and hardly any may stop anything."""

from collections import Counter
from pathlib import Path

import pytest

from app.domain.keywords import Outcome, classify

CORPUS = Path(__file__).parent.parent / "data" / "sms-spam-collection.tsv"
STOPS = (Outcome.STOP, Outcome.STOP_FUZZY, Outcome.STOP_LIST, Outcome.ERASE)
OTHER_COMMANDS = (Outcome.START, Outcome.START_LIST, Outcome.CONFIRM, Outcome.HELP, Outcome.PAUSE)


def ham() -> list[str]:
    lines = CORPUS.read_text(encoding="utf-8").splitlines()
    return [line.partition("\t")[2] for line in lines if line.startswith("ham\t")]


def outcomes(*languages: str) -> Counter[Outcome]:
    return Counter(classify(text, languages=languages, state="active").outcome for text in ham())


def test_of_4827_real_messages_at_most_5_stop_and_10_are_held() -> None:
    found = outcomes("en")

    assert found.total() == 4_827
    assert sum(found[outcome] for outcome in STOPS) <= 5
    assert found[Outcome.REVIEW] <= 10
    assert [found[outcome] for outcome in OTHER_COMMANDS] == [0] * len(OTHER_COMMANDS)


@pytest.mark.slow
def test_four_more_languages_in_use_change_nothing_of_that() -> None:
    found = outcomes("en", "de", "fr", "nl", "es")

    assert sum(found[outcome] for outcome in STOPS) <= 5
    assert found[Outcome.REVIEW] <= 10
