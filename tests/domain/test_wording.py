"""Who gets which words of a broadcast."""

import pytest

from app.domain.wording import BadScope, Scope, scope, scope_written, wording

ALL = {"telegram": "Long", "/de": "Kurz", "telegram/de": "Lang", "sms/fr": "Bref"}


@pytest.mark.parametrize(
    ("channel", "language", "words"),
    [
        ("telegram", "de", "Lang"),
        ("sms", "de", "Kurz"),
        ("telegram", "en", "Long"),
        ("telegram", "fr", "Long"),
        ("sms", "fr", "Bref"),
        ("sms", "en", "Short"),
    ],
)
def test_the_closest_words_go_out(channel: str, language: str, words: str) -> None:
    assert wording("Short", ALL, channel).to(language) == words


def test_a_language_goes_before_a_channel() -> None:
    assert wording("Short", {"telegram": "Long", "/de": "Kurz"}, "telegram").to("de") == "Kurz"


def test_without_words_for_a_language_there_is_one_text_for_all() -> None:
    there = wording("Short", {"telegram": "Long"}, "telegram")

    assert (there.texts, dict(there.by_language)) == (("Long",), {})


def test_a_language_whose_words_are_everybodys_is_not_named() -> None:
    there = wording("Open", {"/de": "Offen", "wechat/de": "Open"}, "wechat")

    assert (there.texts, dict(there.by_language)) == (("Open",), {})


def test_each_text_is_named_once() -> None:
    assert wording("Short", {"/de": "Kurz", "/at": "Kurz"}, "sms").texts == ("Short", "Kurz")


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("telegram", Scope("telegram", "")),
        ("de", Scope("", "de")),
        ("/de", Scope("", "de")),
        ("sms/de", Scope("sms", "de")),
    ],
)
def test_an_editor_names_a_channel_a_language_or_both(written: str, found: Scope) -> None:
    assert scope_written(written) == found
    assert scope(found.key) == found


@pytest.mark.parametrize("written", ["", "/", "pigeon", "pigeon/de", "sms/", "sms/german", "/DE"])
def test_anything_else_is_refused(written: str) -> None:
    with pytest.raises(BadScope, match="no channel"):
        scope_written(written)
