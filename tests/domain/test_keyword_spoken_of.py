"""Who speaks about stopping is not taken for somebody who wishes it; a human reads the text."""

import pytest

from app.domain.keywords import Outcome, classify


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ('He shouted "leave me alone" at the reporter', "en"),
        ("Er rief \u201elasst mich in Ruhe\u201c und ging", "de"),
        ("Unsubscribe? Never!", "en"),
        ("Me d\u00e9sabonner\u00a0? Jamais\u00a0!", "fr"),
        ("L\u00f6scht ihr meine Nummer, wenn ich umziehe?", "de"),
        ("Kan ik me voor \u00e9\u00e9n onderwerp afmelden?", "nl"),
        ("Asla abonelikten \u00e7\u0131kmam", "tr"),
        ("\u60f3\u8fc7\u9000\u8ba2\uff0c\u4f46\u8fd8\u662f\u7559\u4e0b\u5427", "zh"),
        ("Streicht meinen Namen aus dem Artikel", "de"),
        ("Wys\u0142a\u0142em przez pomy\u0142k\u0119 STOP", "pl"),
        ("Stop, wacht nog even op mij en op haar!", "nl"),
    ],
)
def test_stopping_that_is_spoken_of_stops_nothing(text: str, language: str) -> None:
    assert classify(text, languages=(language,), state="active").outcome in (Outcome.REVIEW, Outcome.NONE)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ('"Unsubscribe"', "en"),
        ("How do I unsubscribe?", "en"),
        ("Wie werde ich euch los?", "de"),
        ("Not interested. Stop.", "en"),
        ("Could you please take me off your list?", "en"),
    ],
)
def test_a_wish_stays_a_wish_in_quotation_marks_or_as_a_question(text: str, language: str) -> None:
    assert classify(text, languages=(language,)).outcome in (Outcome.STOP, Outcome.STOP_FUZZY)


def test_a_wish_at_the_end_of_a_long_message_is_heard() -> None:
    rant = ". ".join(f"Point {number}, about the road" for number in range(40))

    assert classify(f"{rant}. Please unsubscribe me").outcome is Outcome.STOP_FUZZY
