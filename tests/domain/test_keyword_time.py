"""Reading a text takes next to no time, whatever somebody sends."""

import random
import time
from pathlib import Path

import pytest

from app.domain.keywords import classify

LANGUAGES = ("en", "de", "fr", "nl", "es")

SENTENCES = Path(__file__).parent.parent / "data" / "keyword-sentences"


def seconds(text: str, times: int) -> float:
    """The fastest of several readings, the first not counted: it compiles phrases."""
    classify(text, languages=LANGUAGES)
    took = []
    for _ in range(times):
        started = time.perf_counter()
        classify(text, languages=LANGUAGES)
        took.append(time.perf_counter() - started)
    return min(took)


SLACK = 5
"""The promise is for an ordinary machine at rest; a busy or slow one shall not fail, only a pattern gone wild."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", ["STOP", "Abmelden!", "START", "help", "🛑", "Désabonner", "STOP ALL", "PAUSE 7"]
)
def test_a_command_is_read_in_50_microseconds(text: str) -> None:
    assert seconds(text, 200) < 50e-6 * SLACK


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000,
        "ю" * 100_000,
        "please " * 15_000,
        "stop sending me the " * 5_000,
        "stop, " * 17_000,
        "on " * 33_000,
        "!1" * 50_000,
        "don't want to receive " * 5_000,
        "lösch meine daten " * 5_000,
        "keine keine nachrichten " * 5_000,
        "you and but so yes i said " * 4_000,
        "remove me my name and remove " * 4_000,
        "停止 不要 " * 20_000,
        "\ufdfa" * 10_000,
        "a\u0308" * 50_000,
        "> \n" * 33_000,
    ],
)
def test_the_longest_and_nastiest_text_is_read_in_ten_milliseconds(text: str) -> None:
    assert seconds(text, 5) < 10e-3 * SLACK


@pytest.mark.slow
@pytest.mark.parametrize("between", [" ", ". ", ", ", "? "])
@pytest.mark.parametrize("languages", [LANGUAGES, ("en", "ru", "uk"), ("en", "it", "pt"), ("en", "ja", "zh")])
def test_talk_about_stopping_without_end_is_read_in_ten_milliseconds(
    languages: tuple[str, ...], between: str
) -> None:
    """The slowest that was found: many sentences, each nearly a wish to stop, in several languages and scripts."""
    files = [(SENTENCES / f"{language}.tsv").read_text("utf-8") for language in languages]
    talk = [
        line[5:].strip(".!?") for file in files for line in file.splitlines() if line.startswith("none\t")
    ]

    assert seconds(between.join(random.Random(1).sample(talk, 80)), 5) < 10e-3 * SLACK
