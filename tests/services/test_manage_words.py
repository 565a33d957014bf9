"""Words of the operator's own: what they do, and why some are refused."""

import pytest

from app.services import manage_words
from app.services.controller import NotFound, Refused
from tests.support.world import Newsroom, number


def test_an_own_word_stops_until_it_is_taken_back(newsroom: Newsroom) -> None:
    newsroom.join(1, first=1)
    word_id = manage_words.add("Adieu  Kanal", "stop", "en", by="ops", now=newsroom.now)

    stopped = newsroom.text("adieu kanal!", number(1))
    manage_words.remove(word_id, by="ops", now=newsroom.now)
    after = newsroom.text("adieu kanal!", number(2))

    assert (stopped.outcome, after.outcome) == ("STOP", "NONE")


@pytest.mark.parametrize(
    ("word", "meaning", "reason"),
    [
        ("STOP", "help", "means STOP already"),
        ("city", "stop", "keyword of a list"),
        ("x", "stop", "3 to 40 letters"),
        ("please", "stop", "everyday talk"),
        ("adieu kanal", "start", "by your own words"),
        ("good morning", "bye", "can mean stop, start, help"),
    ],
)
def test_a_word_that_means_something_already_is_refused(
    newsroom: Newsroom, word: str, meaning: str, reason: str
) -> None:
    manage_words.add("Adieu Kanal", "stop", "en", by="ops", now=newsroom.now)

    with pytest.raises(Refused, match=reason):
        manage_words.add(word, meaning, "en", by="ops", now=newsroom.now)


def test_what_comes_with_tidings_is_shown_and_cannot_be_removed(newsroom: Newsroom) -> None:
    rows = {row.meaning: row for row in manage_words.words_in("de")}

    assert "abmelden" in rows["stop"].fixed
    assert rows["stop"].own == ()
    with pytest.raises(NotFound):
        manage_words.remove(1, by="ops", now=newsroom.now)
    with pytest.raises(NotFound, match="no words in “xx”"):
        manage_words.words_in("xx")
