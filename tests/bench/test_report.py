"""The arithmetic of a report: which rounds count, ratios inside a round, and where the table goes."""

import pytest

from bench.report import NAIVE_FORK, NAIVE_SIMPLE, Report, Round, Spread, as_json, as_markdown, rewritten
from bench.running import ROOT, Run

OURS = "ours, SQLite"
FACTS = {"ceiling": "wrk"}


def run(per_second: float, *, cpu_us: float = 100.0, **extra) -> Run:
    return Run(messages=1000, seconds=1000 / per_second, cpu_seconds=cpu_us / 1000, **extra)


def round_of(ours: float, simple: float = 100.0, *, before: float = 1000.0, after: float = 1000.0) -> Round:
    return Round(before, after, {NAIVE_FORK: run(5.0), NAIVE_SIMPLE: run(simple), OURS: run(ours)})


def ours_in(report: Report):
    return next(line for line in report.lines if line.name == OURS)


def test_a_ratio_is_the_median_of_the_ratios_inside_rounds():
    # The middle speeds alone would give 400 / 100 = 4.
    report = Report(FACTS, [round_of(400, 50), round_of(300, 100), round_of(900, 150)])

    line = ours_in(report)

    assert line.to_simple == pytest.approx(6.0)
    assert line.per_second == Spread(pytest.approx(300), pytest.approx(400), pytest.approx(900))


def test_the_ceiling_of_a_round_is_the_middle_of_before_and_after():
    report = Report(FACTS, [round_of(450, before=1000, after=800)])

    assert ours_in(report).to_ceiling == pytest.approx(0.5)


def test_cpu_is_told_in_microseconds_a_message():
    assert run(500, cpu_us=60).cpu_us == pytest.approx(60)


def test_a_round_with_an_unsteady_ceiling_does_not_count():
    report = Report(FACTS, [round_of(400, before=1000, after=700), round_of(300)])

    assert len(report.counted) == 1
    assert ours_in(report).per_second.middle == pytest.approx(300)
    assert "the ceiling moved from 1,000 to 700" in report.void_reasons[0]


def test_an_unsteady_ceiling_is_no_matter_where_speed_is_not_judged():
    report = Report(FACTS, [round_of(400, before=1000, after=100)], judge_speed=False)

    assert not report.void


def test_a_fault_of_any_contender_makes_the_round_void():
    broken = run(400, faults=("1 messages were second copies",), duplicates=1)
    report = Report(FACTS, [Round(1000, 1000, {NAIVE_SIMPLE: run(100), OURS: broken})], judge_speed=False)

    assert report.void
    assert report.lines == []
    assert report.void_reasons == ["ours, SQLite: 1 messages were second copies"]


def test_the_json_tells_the_figures_of_one_contender():
    told = as_json(Report(FACTS, [round_of(400)], 600.0), OURS)

    assert (told["ours_per_s"], told["naive_per_s"], told["ceiling_per_s"]) == (400.0, 100.0, 1000.0)
    assert (told["ratio_naive"], told["ratio_naive_fork"], told["ratio_ceiling"]) == (4.0, 80.0, 0.4)
    assert (told["cpu_us_per_message"], told["duplicates"], told["lost"], told["void"]) == (
        100.0,
        0,
        0,
        False,
    )


def test_the_json_of_a_void_report_claims_no_speed_but_tells_what_was_lost():
    broken = Round(1000, 1000, {OURS: run(400, faults=("x",), duplicates=2, lost=3)})

    told = as_json(Report(FACTS, [broken]), OURS)

    assert told["ours_per_s"] is None
    assert (told["void"], told["duplicates"], told["lost"]) == (True, 2, 3)


def test_the_table_has_a_row_for_each_contender_and_the_ceiling():
    table = as_markdown(Report(FACTS, [round_of(400), round_of(400)]))

    assert "| ours, SQLite | 1,000 | 400, 400, 400 | 80× | 4× | 0.4 | 100 |" in table
    assert "| ceiling (wrk) | | 1,000, 1,000, 1,000 | | | 1 | |" in table
    assert "- rounds: 2, of which 2 count" in table


def test_only_what_is_between_the_marks_is_rewritten():
    page = "before\n<!-- bench:a -->\nold\n<!-- /bench:a -->\nafter\n"

    assert rewritten(page, "a", "new") == "before\n<!-- bench:a -->\nnew\n<!-- /bench:a -->\nafter\n"


def test_a_page_without_marks_is_refused():
    with pytest.raises(ValueError, match="bench:a"):
        rewritten("nothing here", "a", "new")


def test_the_page_about_performance_has_room_for_the_table():
    page = (ROOT / "docs" / "performance.md").read_text()

    assert "| new |" in rewritten(page, "throughput", "| new |")
