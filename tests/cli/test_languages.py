"""`tidings broadcasts create --text-for`: other words for a channel, a language, or both."""

from tests.cli.conftest import Shell

CREATE = ("broadcasts", "create", "--title", "x", "--text", "It is open.", "--list", "NEWS")


def test_words_for_a_language_are_kept_counted_and_shown(newsdesk: Shell) -> None:
    others = ("--text-for", "de=Offen.", "--text-for", "sms/fr=C'est ouvert.")

    created = newsdesk.ok(*CREATE, *others)

    assert "of these in words of their own (de) on SMS: 0, 1 part(s) each" in created
    assert newsdesk.json("broadcasts", "show", "1")["text_for"] == {
        "/de": "Offen.",
        "sms/fr": "C'est ouvert.",
    }
    shown = newsdesk.ok("broadcasts", "show", "1")
    assert "Text in de: Offen." in shown
    assert "Text on SMS in fr: C'est ouvert." in shown


def test_what_is_neither_a_channel_nor_a_language_is_refused(newsdesk: Shell) -> None:
    refused = newsdesk.run(*CREATE, "--text-for", "german=Offen.")

    assert refused.exit_code == 2
    assert "a language of two letters such as de, or both: telegram/de." in " ".join(refused.output.split())
