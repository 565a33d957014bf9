"""What a text must say, and must not say."""

from dataclasses import replace

import pytest

from app.domain.policy.content import SinceStop, lint, lint_notice
from app.domain.replies import Facts, notice_text
from app.domain.replies.promise import promise

GOOD = "Riverside News: the bridge is open again. Reply STOP to leave."
FACTS = Facts(
    brand="Riverside News",
    list_name="Flood Watch",
    purpose="Flood warnings",
    frequency=promise("en", 3, 7, 21),
    contact="help@example.org",
    privacy_url="https://news.example/privacy",
    rates_apply=True,
)


def codes(text: str, **facts) -> dict[str, str]:
    return {one.code: one.severity.value for one in lint(text, brand="Riverside News", **facts)}


def notice_codes(text: str, facts: Facts = FACTS) -> dict[str, str]:
    return {one.code: one.severity.value for one in lint_notice(text, facts)}


def test_a_good_text_has_no_findings():
    assert codes(GOOD) == {}


@pytest.mark.parametrize(
    ("addition", "code"),
    [
        ("Read on: https://bit.ly/3abc", "short_link"),
        ("See TINYURL.com/x.", "short_link"),
        ("Reply 2 to unsubscribe.", "numeric_opt_out"),
        ('Text "9" to be removed.', "numeric_opt_out"),
        ("1 = more, 2 = unsubscribe", "numeric_opt_out"),
        ("Antworte mit 2, um dich abzumelden.", "numeric_opt_out"),
        ("Sende 2 um abzubestellen.", "numeric_opt_out"),
        ("STOP is the only way to leave.", "only_way"),
        ("The only way to opt out is STOP.", "only_way"),
        ("Abmeldung nur per SMS STOP.", "only_way"),
        ("Der einzige Weg zum Abmelden ist STOP.", "only_way"),
    ],
)
def test_what_may_not_be_said_is_an_error(addition, code):
    assert codes(f"{GOOD} {addition}") == {code: "error"}


@pytest.mark.parametrize(
    "harmless",
    [
        "Reply 1 to vote, STOP to end.",
        "Poll: 1 = yes, 2 = no",
        "https://news.example/bit.ly/3abc",
        "They have only one way to stop the flood: sandbags.",
        "The beeriest town wins.",
        "Only the mayor can stop it.",
    ],
)
def test_news_is_not_mistaken_for_a_trick(harmless):
    assert codes(f"{GOOD} {harmless}") == {}


@pytest.mark.parametrize(
    ("words", "topic"),
    [("Free beer tonight", "alcohol"), ("Zigaretten werden teurer", "tobacco"), ("Ammo sale", "firearms")],
)
def test_topics_for_adults_are_worth_a_word_unless_the_list_asks_for_an_age(words, topic):
    assert codes(f"{GOOD} {words}") == {f"topic_{topic}": "warning"}
    assert codes(f"{GOOD} {words}", age_gate=True) == {}


def test_a_text_without_a_name_or_with_a_glued_stop_is_worth_a_word():
    assert codes("The bridge is open again. Reply STOP2END") == {
        "no_brand": "warning",
        "no_stop": "warning",
        "stop_glued": "warning",
    }


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (None, {"no_stop": "warning"}),
        (SinceStop(0, 0), {}),
        (SinceStop(3, 29), {}),
        (SinceStop(4, 1), {"stop_due": "warning"}),  # this would be the fifth
        (SinceStop(0, 30), {"stop_due": "warning"}),
    ],
)
def test_people_are_reminded_of_stop_every_thirty_days_or_fifth_message(since, expected):
    assert codes("Riverside News: the bridge is open.", since_stop=since) == expected


def test_where_a_country_wants_stop_in_each_message_it_is_an_error_to_leave_it_out():
    quiet = SinceStop(0, 0)

    assert codes("Riverside News: le pont.", countries={"FR", "DE"}, since_stop=quiet) == {
        "stop_each_time": "error"
    }
    assert codes("Riverside News: le pont.", countries={"DE"}, since_stop=quiet) == {}
    assert codes(GOOD, countries={"FR"}) == {}


def test_a_finding_quotes_the_place_and_says_what_to_do():
    (found,) = lint(f"{GOOD} https://bit.ly/3abc", brand="Riverside News")

    assert found.where == "bit.ly/3abc"
    assert "full link" in found.advice


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("rates", [True, False])
def test_our_own_notices_have_no_findings(language, rates):
    facts = replace(FACTS, frequency=promise(language, 3, 7, 21), rates_apply=rates)

    assert lint_notice(notice_text(language, facts), facts) == []


@pytest.mark.parametrize(
    ("left_out", "code"),
    [
        ("Riverside News", "no_brand"),
        ("Flood Watch", "no_programme"),
        ("At most 3 a day, 7 to 21 h", "no_frequency"),
        ("HELP", "no_help"),
        ("STOP", "no_stop"),
        ("https://news.example/privacy", "no_privacy"),
        ("Msg&data rates may apply.", "no_rates"),
    ],
)
def test_t19_a_notice_that_lacks_what_people_must_read_is_an_error(left_out, code):
    text = notice_text("en", FACTS)

    assert notice_codes(text.replace(left_out, "-")) == {code: "error"}


def test_a_notice_must_fit_two_parts_and_says_which_characters_make_it_long():
    found = lint_notice(notice_text("en", FACTS) + "🌊" + "x" * 120, FACTS)

    assert [(one.severity.value, one.code, one.where) for one in found] == [
        ("error", "too_long", ""),
        ("warning", "ucs2", "🌊"),
    ]
    assert "It takes 5 parts" in found[0].advice


def test_a_fact_that_is_not_there_cannot_be_said():
    facts = replace(FACTS, privacy_url=" ")

    assert notice_codes(notice_text("en", FACTS), facts) == {"no_privacy": "error"}


def test_t20_the_question_of_a_double_opt_in_may_not_carry_what_a_notice_may_not():
    assert "short_link" in notice_codes(notice_text("en", FACTS) + " https://bit.ly/3abc")
