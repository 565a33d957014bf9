"""Facts about replies: the texts are those of the golden files, and each holds what the law wants in it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.addresses import Address
from app.domain.keywords import Outcome, classify
from app.domain.parts import measure
from app.domain.replies import (
    LANGUAGES,
    Facts,
    MissingFact,
    ReplyKind,
    missing_facts,
    notice_text,
    rates_apply,
    reply,
)

GOLDEN = Path(__file__).parent / "replies_golden"
ENGLISH = Facts(
    brand="Riverside News",
    list_name="Flood Watch",
    purpose="Flood warnings and road closures in Riverside County",
    frequency="At most 3 messages a day, between 7 and 21 h",
    contact="+1 202 555 0100",
    until="2 April 2026",
    privacy_url="https://news.example/privacy",
    words=("FLOOD", "SPORT"),
    rates_apply=True,
    link="https://news.example/confirm/7h3kq9wd2x",
)
GERMAN = Facts(
    brand="Uferpost",
    list_name="Hochwasser",
    purpose="Warnungen vor Hochwasser und gesperrte Straßen im Landkreis",
    frequency="Höchstens 3 Nachrichten am Tag, zwischen 7 und 21 Uhr",
    contact="+49 30 23125 001",
    until="2. April 2026",
    privacy_url="https://uferpost.example/datenschutz",
    words=("FLUT", "SPORT"),
    link="https://uferpost.example/confirm/7h3kq9wd2x",
)
FACTS = {"en": ENGLISH, "de": GERMAN}
EVERY_TEXT = [(language, kind) for language in LANGUAGES for kind in ReplyKind]
# To whom we say that this was all, without inviting them back.
NO_WAY_BACK = (ReplyKind.ERASURE, ReplyKind.WRONG_NUMBER)
CONFIRMATIONS = [ReplyKind.STOPPED, ReplyKind.STOPPED_LIST, ReplyKind.ALREADY_STOPPED]


def golden_page(language: str) -> str:
    """All texts of a language, as a page that people who are not developers can read and correct."""
    blocks = []
    for kind in ReplyKind:
        text = reply(kind, language, FACTS[language])
        parts = measure(text)
        blocks.append(f"{kind} ({parts.count} SMS, {parts.encoding}, {parts.units} units)\n{text}\n")
    return "\n".join(blocks)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_texts_are_those_of_the_golden_file(language: str) -> None:
    assert golden_page(language) == (GOLDEN / f"{language}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(("language", "kind"), EVERY_TEXT)
def test_every_text_names_the_brand_first_and_fits_gsm7(language: str, kind: ReplyKind) -> None:
    text = reply(kind, language, FACTS[language])

    assert text.startswith(f"{FACTS[language].brand}: ")
    assert measure(text).encoding == "GSM-7"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rates", [True, False])
def test_the_welcome_fits_two_parts(language: str, rates: bool) -> None:
    facts = replace(FACTS[language], rates_apply=rates)

    assert measure(reply(ReplyKind.WELCOME, language, facts)).count <= 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_welcome_holds_everything_that_was_promised(language: str) -> None:
    facts = FACTS[language]
    text = reply(ReplyKind.WELCOME, language, facts)

    assert all(
        fact in text for fact in (facts.list_name, facts.purpose, facts.frequency, facts.privacy_url, "STOP")
    )
    assert text.endswith(facts.privacy_url)


@pytest.mark.parametrize("language", LANGUAGES)
def test_t20_the_question_names_brand_list_and_frequency_praises_nothing_and_fits_two_parts(
    language: str,
) -> None:
    facts = replace(FACTS[language], rates_apply=True)
    text = reply(ReplyKind.QUESTION, language, facts)

    assert all(fact in text for fact in (facts.list_name, facts.frequency, "STOP"))
    assert facts.purpose not in text
    assert text.endswith(facts.link)
    assert measure(text).count <= 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_help_names_the_contact_the_frequency_and_the_way_out(language: str) -> None:
    facts = FACTS[language]
    text = reply(ReplyKind.HELP, language, facts)

    assert all(fact in text for fact in (facts.contact, facts.frequency, "STOP"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", CONFIRMATIONS)
def test_what_confirms_a_stop_is_short_and_has_no_link(language: str, kind: ReplyKind) -> None:
    text = reply(kind, language, FACTS[language])

    assert "http" not in text
    assert FACTS[language].purpose not in text
    assert "START" in text
    assert measure(text).count <= 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_repeated_stop_is_answered_like_the_first(language: str) -> None:
    facts = FACTS[language]

    assert reply(ReplyKind.ALREADY_STOPPED, language, facts) == reply(ReplyKind.STOPPED, language, facts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_to_choose_from_are_named(language: str) -> None:
    facts = FACTS[language]

    assert ", ".join(facts.words) in reply(ReplyKind.CHOOSE_LIST, language, facts)


@pytest.mark.parametrize(("language", "kind"), [one for one in EVERY_TEXT if one[1] not in NO_WAY_BACK])
def test_every_command_that_a_text_offers_is_understood(language: str, kind: ReplyKind) -> None:
    facts = replace(FACTS[language], words=("news",))
    offered = re.findall(r"\b[A-Z]{4,}\b", reply(kind, language, facts))

    assert offered
    assert all(classify(word, languages=(language,)).outcome is not Outcome.NONE for word in offered)


@pytest.mark.parametrize("kind", [ReplyKind.WELCOME, ReplyKind.HELP])
def test_the_line_on_rates_appears_only_where_it_applies(kind: ReplyKind) -> None:
    line = "Msg&data rates may apply."

    assert line in reply(kind, "en", ENGLISH)
    assert line not in reply(kind, "en", replace(ENGLISH, rates_apply=False))


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (Address("sms", "+12025550123"), True),
        (Address("sms", "+447700900123"), False),
        (Address("whatsapp", "+12025550123"), False),
    ],
)
def test_rates_apply_to_sms_in_country_code_one(address: Address, expected: bool) -> None:
    assert rates_apply(address) is expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_welcome_text_is_the_notice(language: str) -> None:
    assert notice_text(language, FACTS[language]) == reply(ReplyKind.WELCOME, language, FACTS[language])


@pytest.mark.parametrize(("tag", "language"), [("de-AT", "de"), ("DE_de", "de"), ("fr", "en"), ("", "en")])
def test_a_language_without_texts_is_answered_in_english(tag: str, language: str) -> None:
    assert reply(ReplyKind.STOPPED, tag, GERMAN) == reply(ReplyKind.STOPPED, language, GERMAN)


def test_a_sentence_about_an_unknown_fact_is_left_out() -> None:
    text = reply(ReplyKind.HELP, "en", Facts(brand="Riverside News", contact="help@news.example"))

    assert text == "Riverside News: for questions contact help@news.example. Reply STOP to end at any time."


@pytest.mark.parametrize("ending", ["", ".", "!", " "])
def test_a_sentence_is_closed_once(ending: str) -> None:
    text = reply(ReplyKind.HELP, "en", replace(ENGLISH, frequency=f"Daily{ending}"))

    assert f"Daily{ending.strip() or '.'} Msg" in text


def test_braces_in_a_fact_stay_as_they_are() -> None:
    assert "{brand} {0}" in reply(ReplyKind.HELP, "en", replace(ENGLISH, contact="{brand} {0}"))


@pytest.mark.parametrize("fact", ["brand", "list_name", "purpose", "frequency", "privacy_url"])
def test_a_welcome_without_a_required_fact_is_refused(fact: str) -> None:
    facts = replace(ENGLISH, **{fact: " "})

    assert missing_facts(ReplyKind.WELCOME, facts) == (fact,)
    with pytest.raises(MissingFact, match=f"welcome text needs {fact}"):
        reply(ReplyKind.WELCOME, "en", facts)


def test_there_is_nothing_to_choose_without_words() -> None:
    with pytest.raises(MissingFact, match="choose_list text needs words"):
        reply(ReplyKind.CHOOSE_LIST, "en", replace(ENGLISH, words=()))
