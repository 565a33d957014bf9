"""Sentences written while the phrases were: a floor under what is found, and a ceiling on what is taken for a stop.

They are what the phrases were tuned on, so these shares say nothing about messages from outside. Only
`fourth/test` was kept from whoever tunes; it is for measuring, and its failures are not looked at.
"""

from pathlib import Path

import pytest

from app.domain.keywords import LANGUAGES, Outcome, classify

FOLDER = Path(__file__).parent.parent / "data" / "keyword-sentences"
FILES = sorted(FOLDER.glob("*.tsv"))
LABELS = ("stop", "none", "talk")
STOPS = (Outcome.STOP, Outcome.STOP_FUZZY)


def sentences(path: Path, label: str) -> list[str]:
    rows = [line.split("\t", 1) for line in path.read_text(encoding="utf-8").splitlines() if line]
    assert {row[0] for row in rows} <= {"stop", "review", "none", "talk"}
    return [text for said, text in rows if said == label]


def is_stop(text: str, path: Path) -> bool:
    return classify(text, languages=("en", path.stem), state="active").outcome in STOPS


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nine_of_ten_development_sentences_are_found(path: Path) -> None:
    wanted = sentences(path, "stop")

    assert path.stem in LANGUAGES
    assert sum(is_stop(text, path) for text in wanted) >= 0.9 * len(wanted) > 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_hardly_any_misleading_development_sentence_is_a_stop(path: Path) -> None:
    talk = sentences(path, "none")

    assert [text for text in talk if is_stop(text, path)][3:] == []


def test_of_sentences_nobody_tuned_on_three_in_four_are_found_and_one_in_twenty_is_mistaken() -> None:
    files = sorted((FOLDER / "fourth" / "test").glob("*.tsv"))
    read = {
        label: [is_stop(text, path) for path in files for text in sentences(path, label)] for label in LABELS
    }

    assert [path.stem for path in files] == sorted(LANGUAGES)
    assert sum(read["stop"]) >= 0.75 * len(read["stop"])
    assert sum(read["none"]) <= 0.05 * len(read["none"])
    assert sum(read["talk"]) == 0


@pytest.mark.parametrize(
    "text",
    [
        "stop all of it",
        "Stop all of them!",
        "please stop all of this",
        "stop the lot",
        "Cancel every one of these",
    ],
)
def test_whoever_wants_all_of_it_stopped_is_understood(text: str) -> None:
    assert classify(text, state="active").outcome is Outcome.STOP_FUZZY


@pytest.mark.parametrize("text", ["stop half of it", "stop all of the trams", "the lot", "all of it"])
def test_all_of_something_else_stops_nothing(text: str) -> None:
    assert classify(text, state="active").outcome not in STOPS
