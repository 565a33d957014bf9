"""Who may be asked to confirm a sign-up, and that the question itself sells nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.asking import Known, Who, WhyNot, why_not
from app.domain.consent import Act, EventType, Fact, Overlays, Standing, SubscriptionState, fold_person
from app.domain.messages import DeliveryRef
from app.domain.policy.content import adverts
from app.domain.replies import Facts, ReplyKind, reply

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LIST = 1


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def stopped(days: float, scope: int | None = LIST) -> Known:
    """Somebody who joined, and left so many days ago."""
    facts = [
        Fact(1, EventType.CONSENT_GIVEN, ago(400), LIST, act=Act.KEYWORD_EXACT),
        Fact(2, EventType.CONSENT_WITHDRAWN, ago(days), scope, act=Act.KEYWORD_EXACT),
    ]
    overlays, standings = fold_person(facts, [LIST])
    return Known(standings[LIST], overlays)


@pytest.mark.parametrize("who", [Who.FORM, Who.OPERATOR, Who.IMPORT])
@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (Known(), None),
        (Known(suppressed=True), WhyNot.SUPPRESSED),
        (Known(overlays=Overlays(suppressed_at=ago(900))), WhyNot.SUPPRESSED),
        (Known(overlays=Overlays(erased_at=ago(900))), WhyNot.SUPPRESSED),
        (Known(overlays=Overlays(blocked_at=ago(1))), WhyNot.UNREACHABLE),
        (Known(overlays=Overlays(bounced_at=ago(1))), WhyNot.UNREACHABLE),
        (Known(overlays=Overlays(review_opened_at=ago(1))), WhyNot.HELD),
        (Known(Standing(SubscriptionState.ACTIVE)), WhyNot.SUBSCRIBED),
        (Known(Standing(SubscriptionState.PAUSED)), WhyNot.SUBSCRIBED),
        (Known(Standing(SubscriptionState.PENDING, expires_at=NOW)), WhyNot.ASKED),
        (Known(Standing(SubscriptionState.PENDING, expires_at=NOW - timedelta(seconds=1))), None),
        (Known(questions=2), None),
        (Known(questions=3), WhyNot.TOO_OFTEN),
    ],
)
def test_t20_who_may_be_asked_is_the_same_whoever_wants_it(
    who: Who, known: Known, reason: WhyNot | None
) -> None:
    assert why_not(known, who, NOW) is reason


def test_because_of_a_new_purpose_only_those_on_the_list_are_asked() -> None:
    active, paused = (
        Known(Standing(state)) for state in (SubscriptionState.ACTIVE, SubscriptionState.PAUSED)
    )
    others = [Known(), stopped(400), Known(Standing(SubscriptionState.PENDING, expires_at=NOW))]

    assert [why_not(one, Who.CHANGE, NOW) for one in (active, paused)] == [None, None]
    assert {why_not(one, Who.CHANGE, NOW) for one in others} == {WhyNot.NOT_ON_IT}
    held = replace(active, overlays=Overlays(review_opened_at=ago(1)))
    assert why_not(held, Who.CHANGE, NOW) is WhyNot.HELD
    assert why_not(replace(active, questions=3), Who.CHANGE, NOW) is WhyNot.TOO_OFTEN


@pytest.mark.parametrize("scope", [LIST, None])
def test_after_a_stop_the_form_may_lead_to_one_question_when_more_than_thirty_days_have_passed(
    scope: int | None,
) -> None:
    old = stopped(30.1, scope)
    asked_since = Known(old.standing, old.overlays, asked_here_at=ago(20), asked_at=ago(20))
    asked_before = Known(old.standing, old.overlays, asked_here_at=ago(200), asked_at=ago(200))

    assert why_not(old, Who.FORM, NOW) is None
    assert why_not(stopped(30, scope), Who.FORM, NOW) is WhyNot.STOPPED
    assert why_not(asked_since, Who.FORM, NOW) is WhyNot.STOPPED
    assert why_not(asked_before, Who.FORM, NOW) is None


def test_after_a_stop_of_everything_a_question_about_another_list_counts_as_the_one() -> None:
    everything, one_list = stopped(40, None), stopped(40)

    elsewhere = Known(everything.standing, everything.overlays, asked_at=ago(20))
    assert why_not(elsewhere, Who.FORM, NOW) is WhyNot.STOPPED
    elsewhere = Known(one_list.standing, one_list.overlays, asked_at=ago(20))
    assert why_not(elsewhere, Who.FORM, NOW) is None


@pytest.mark.parametrize("who", [Who.OPERATOR, Who.IMPORT])
def test_nobody_else_undoes_a_stop_however_old(who: Who) -> None:
    never_met = Known(overlays=Overlays(last_stop_at=ago(900)))

    assert why_not(stopped(900), who, NOW) is WhyNot.STOPPED
    assert why_not(never_met, who, NOW) is WhyNot.STOPPED
    assert why_not(Known(Standing(SubscriptionState.STALE)), who, NOW) is WhyNot.STALE
    assert why_not(Known(Standing(SubscriptionState.STALE)), Who.FORM, NOW) is None


@pytest.mark.parametrize("language", ["en", "de"])
def test_t20_the_question_holds_no_word_of_advertising(language: str) -> None:
    facts = Facts(
        brand="Riverside News",
        list_name="Flood Watch",
        frequency="At most 3 a day",
        rates_apply=True,
        link="https://news.example/confirm/abcdefgh23",
    )

    assert adverts(reply(ReplyKind.QUESTION, language, facts)) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Free pizza, now with 20% off!", ["Free", "0%", "!"]),
        ("Jetzt gratis testen", ["Jetzt", "gratis"]),
        ("Freedom of the press; the saved bridge", []),
        ("Only 5 € or €5", ["€5"]),
    ],
)
def test_words_that_praise_or_sell_are_found(text: str, found: list[str]) -> None:
    assert adverts(text) == found


@pytest.mark.parametrize("text", ["1.2.3", "1.2.0", "1.2.-3"])
def test_a_delivery_reference_is_read_as_it_was_written(text: str) -> None:
    assert str(DeliveryRef.parse(text)) == text


@pytest.mark.parametrize("text", ["1.-2.3", "-1.2.3", "1.2.--3", "1.2.-", "1.2", "1.2.3.-4"])
def test_what_is_no_delivery_reference_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no delivery reference"):
        DeliveryRef.parse(text)
