"""How long personal data is kept."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.retention import RULES, BadPeriod, Kept, Traces, due, read_periods

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DEFAULTS = read_periods("")


def traces(days_ago: int, *, on_a_list: bool = False, answered: bool = False, asked: bool = False) -> Traces:
    at = NOW - timedelta(days=days_ago)
    return Traces(on_a_list, answered, asked, used_at=at, heard_at=NOW if answered else at)


def test_every_kind_has_a_default_and_a_reason() -> None:
    assert set(RULES) == set(Kept) == set(DEFAULTS)
    assert all(rule.days > 0 and rule.source for rule in RULES.values())


def test_an_installation_changes_single_periods() -> None:
    periods = read_periods(" messages = 30, proof=3653 ,")

    assert (periods[Kept.MESSAGES], periods[Kept.PROOF]) == (30, 3653)
    assert periods[Kept.SIGNUPS] == DEFAULTS[Kept.SIGNUPS]


@pytest.mark.parametrize(
    "written", ["letters=3", "messages", "messages=0", "messages=-1", "messages=x", "proof=99999"]
)
def test_a_period_that_cannot_be_is_refused(written: str) -> None:
    with pytest.raises(BadPeriod, match=r"none of|whole number"):
        read_periods(written)


@pytest.mark.parametrize(
    ("who", "kind", "at", "day_before"),
    [
        ("stranger", Kept.STRANGERS, traces(90), traces(89)),
        ("never confirmed", Kept.SIGNUPS, traces(30, asked=True), traces(29, asked=True)),
        ("left", Kept.PROOF, traces(1827, answered=True), traces(1826, answered=True)),
        (
            "confirmed and left",
            Kept.PROOF,
            traces(1827, answered=True, asked=True),
            traces(1826, answered=True),
        ),
    ],
)
def test_a_timer_runs_out_on_its_day(who: str, kind: Kept, at: Traces, day_before: Traces) -> None:
    assert due(at, DEFAULTS, NOW) is kind
    assert due(day_before, DEFAULTS, NOW) is None


def test_whoever_is_on_a_list_is_never_too_old() -> None:
    assert due(traces(9999, on_a_list=True, answered=True), DEFAULTS, NOW) is None
