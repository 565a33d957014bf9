"""What the scenarios of the benchmark call wrong, fact by fact, and what they call an empty proof."""

import pytest

from bench import finding, growth, keyword_burst, verdicts
from bench.ceiling import Around
from bench.fairness import ahead, behind, steady_use
from bench.finding import Finding
from bench.sink import Arrival

ADA, BEA, CEM = "+12025550101", "+12025550102", "+12025550103"
MS = 1_000_000


def at(ms: float, to: str, sender: str = "+12025550100") -> Arrival:
    return Arrival(to, sender, int(ms * MS))


def test_everybody_once_is_no_fault_and_anything_else_is():
    assert verdicts.reached_once([at(1, ADA), at(2, BEA)], {ADA, BEA}) == []
    assert verdicts.reached_once([at(1, ADA), at(2, ADA)], {ADA, BEA}) == [
        "1 got a second copy",
        "1 got nothing",
    ]
    assert verdicts.reached_once([at(1, ADA), at(2, CEM)], {ADA}) == ["1 got it and were not to"]
    assert verdicts.reached_once([at(1, ADA), at(2, CEM)], {ADA}, {CEM}) == []


def test_a_message_fifty_milliseconds_after_the_answer_is_in_time_and_a_later_one_is_not():
    people, answered = {ADA, BEA, CEM}, {BEA: 100 * MS, CEM: 100 * MS}
    assert verdicts.stops([at(1, ADA), at(150, BEA)], answered, people) == []
    assert verdicts.stops([at(1, ADA), at(151, BEA)], answered, people) == [
        "1 got it up to 51 ms after our answer to their STOP"
    ]


def test_a_race_that_no_stop_could_win_proves_nothing():
    assert verdicts.stops([at(1, ADA), at(2, BEA)], {BEA: 100 * MS}, {ADA, BEA}) == [
        "every STOP came too late, so the race proves nothing"
    ]


def test_leaks_are_counted_between_two_moments():
    arrivals = [at(1, ADA), at(5, BEA), at(9, CEM)]
    assert (verdicts.leaked(arrivals, 4 * MS), verdicts.leaked(arrivals, 4 * MS, 8 * MS)) == (2, 1)


def test_the_report_agrees_when_sent_means_arrived_and_unknown_may_be_either():
    fates = {ADA: "sent", BEA: "unknown", CEM: "unknown"}
    assert verdicts.agreement([at(1, ADA), at(2, BEA)], fates, {ADA, BEA, CEM}) == []
    assert verdicts.agreement([], {ADA: "sent"}, {ADA}) == [
        "1 are sent by the report and got nothing",
        *_silent(),
    ]
    assert verdicts.agreement([at(1, ADA)], {ADA: "failed"}, {ADA}) == [
        "1 got it, and the report says otherwise"
    ]
    assert verdicts.agreement([], {}, {ADA}) == ["1 got nothing, and the report does not say so"]


def _silent() -> list[str]:
    return ["1 got nothing, and the report does not say so"]


def test_the_longest_silence_and_the_rate_of_each_whole_window():
    arrivals = [at(ms, ADA) for ms in (0, 10, 20, 110, 120, 410)]
    assert verdicts.longest_silence(arrivals) == 0.29
    assert verdicts.longest_silence([]) == 0
    assert verdicts.longest_silence(arrivals, [arrivals[2].at_ns + 5_000_000]) == 0.09
    assert verdicts.longest_silence(arrivals, []) == 0
    assert verdicts.rates(arrivals, 0.1) == [30, 20, 0, 0]
    assert verdicts.rates([], 0.1) == []


def test_a_missed_speed_fails_nothing_and_a_fault_fails_the_run():
    good, slow = Finding("a", "SQLite", "x"), Finding("b", "SQLite", "y", (), ("2 s",))
    assert finding.as_json([good, slow])["failed"] is False
    assert finding.as_json([good, Finding("c", "SQLite", "", ("two copies",))])["failed"] is True
    assert "| b | SQLite | y | correct; not reached: 2 s |" in finding.as_markdown([good, slow])


def test_the_exponent_is_the_power_of_the_audience():
    assert growth.exponent({1_000: 1.0, 10_000: 10.0, 100_000: 100.0}) == pytest.approx(1.0)
    assert growth.exponent({1_000: 1.0, 10_000: 100.0}) == pytest.approx(2.0)


def test_the_first_second_of_a_limit_is_not_judged_because_it_may_begin_with_a_burst():
    assert steady_use([140.0] * 10 + [100.0, 98.0], 100) == pytest.approx(0.99)
    assert steady_use([140.0] * 10, 100) == 0


def test_a_burst_and_a_pause_are_seen_though_the_mean_is_right():
    """In tenths of a second: two idle ones, and all of it at once after them."""
    rates = [100.0] * 10 + [0.0, 0.0, 300.0] * 5

    assert steady_use(rates, 100) == pytest.approx(1.0)
    assert ahead(rates, 100) == pytest.approx(0.2)
    assert behind(rates, 100) == pytest.approx(0.2)
    assert ahead([100.0] * 20, 100) == behind([100.0] * 20, 100) == 0


def test_receipts_are_compared_by_count_and_by_checksum():
    assert verdicts.applied({1: 4, 2: 4, 3: 2}, {3: 2, 2: 4, 1: 4}) == []
    assert "instead of" in verdicts.applied({1: 4, 2: 4}, {1: 4, 2: 2})[0]
    assert "not the same ones" in verdicts.applied({1: 4, 2: 2}, {1: 2, 2: 4})[0]


def test_a_run_between_two_ceilings_that_differ_much_is_void():
    assert Around(80_000, 70_000, "wrk").faults == []
    assert Around(80_000, 59_000, "wrk").faults == ["void: the ceilings before and after differ by 26%"]
    assert "80,000/s before and 59,000/s after (wrk)" in Around(80_000, 59_000, "wrk").words


def test_the_last_word_counts_and_help_changes_nothing():
    said = [["STOP", "START", "HELP"], ["START", "STOP", "HELP"], ["HELP"], []]
    assert [keyword_burst.stays(words) for words in said] == [True, False, True, True]


def test_a_seed_says_the_same_words_again():
    assert keyword_burst.words_of([ADA, BEA], 9, 1) == keyword_burst.words_of([ADA, BEA], 9, 1)
