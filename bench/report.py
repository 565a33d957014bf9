"""From rounds to figures: which rounds count, the spread of each contender, ratios inside a round, tables."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.running import Run

# Two ceilings around a round that differ by more tell of other work on the machine.
STEADY = 0.25
NAIVE_FORK, NAIVE_SIMPLE = "naive, forking worker", "naive, SimpleWorker"


@dataclass(frozen=True)
class Round:
    """Every contender once, one after the other, between two measurements of the ceiling (requests a second)."""

    before: float
    after: float
    runs: Mapping[str, Run]

    @property
    def ceiling(self) -> float:
        """Requests a second that the machine allowed during the round."""
        return (self.before + self.after) / 2

    def faults(self, *, judge_speed: bool = True) -> list[str]:
        """Why the round is void; empty when it counts. Without `judge_speed` only correctness is asked for."""
        found = [f"{name}: {words}" for name, run in self.runs.items() for words in run.faults]
        drift = abs(self.before - self.after) / max(self.before, self.after)
        if judge_speed and drift > STEADY:
            found.append(
                f"the ceiling moved from {self.before:,.0f} to {self.after:,.0f} a second ({drift:.0%})"
            )
        return found


@dataclass(frozen=True)
class Spread:
    """Smallest, middle and largest of some figures."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Spread":
        """Raises `ValueError` for no figures."""
        return cls(min(figures), statistics.median(figures), max(figures))


@dataclass(frozen=True)
class Line:
    """One contender over all rounds that count. Ratios are medians of the ratios inside each round."""

    name: str
    messages: int
    per_second: Spread
    to_fork: float | None
    to_simple: float | None
    to_ceiling: float
    cpu_us: float
    memory_mb: float


@dataclass(frozen=True)
class Report:
    """What a benchmark found. `facts` are the lines about machine, versions and commit."""

    facts: Mapping[str, str]
    rounds: Sequence[Round]
    bare_per_second: float | None = None
    judge_speed: bool = True
    counted: Sequence[Round] = field(init=False)

    def __post_init__(self) -> None:
        good = [one for one in self.rounds if not one.faults(judge_speed=self.judge_speed)]
        object.__setattr__(self, "counted", good)

    @property
    def void(self) -> bool:
        """True when no round counts."""
        return not self.counted

    @property
    def void_reasons(self) -> list[str]:
        """Why rounds do not count, in order."""
        return [words for one in self.rounds for words in one.faults(judge_speed=self.judge_speed)]

    @property
    def lines(self) -> list[Line]:
        """One line for each contender; none when every round is void."""
        return [self._line(name) for name in self.counted[0].runs] if self.counted else []

    @property
    def ceiling(self) -> Spread | None:
        """The ceiling over the rounds that count."""
        return Spread.of([one.ceiling for one in self.counted]) if self.counted else None

    def _line(self, name: str) -> Line:
        runs = [one.runs[name] for one in self.counted]
        return Line(
            name=name,
            messages=runs[0].messages,
            per_second=Spread.of([run.per_second for run in runs]),
            to_fork=self._ratio(name, lambda one: _speed(one, NAIVE_FORK)),
            to_simple=self._ratio(name, lambda one: _speed(one, NAIVE_SIMPLE)),
            to_ceiling=self._ratio(name, lambda one: one.ceiling) or 0.0,
            cpu_us=statistics.median(run.cpu_us for run in runs),
            memory_mb=max(run.memory_mb for run in runs),
        )

    def _ratio(self, name: str, base: Callable[[Round], float | None]) -> float | None:
        pairs = [(one.runs[name].per_second, base(one)) for one in self.counted]
        ratios = [speed / other for speed, other in pairs if other]
        return statistics.median(ratios) if ratios else None


def _speed(one: Round, name: str) -> float | None:
    return one.runs[name].per_second if name in one.runs else None


def as_json(report: Report, ours: str) -> dict[str, Any]:
    """Return the figures as one flat object about the contender `ours`, with every line below `lines`."""
    lines = {line.name: line for line in report.lines}
    runs = [run for one in report.rounds for run in one.runs.values()]
    mine, naive = lines.get(ours), lines.get(NAIVE_SIMPLE)
    return {
        "ours": ours,
        "ours_per_s": mine and round(mine.per_second.middle, 1),
        "naive_per_s": naive and round(naive.per_second.middle, 1),
        "ceiling_per_s": report.ceiling and round(report.ceiling.middle, 1),
        "ratio_naive": mine and mine.to_simple and round(mine.to_simple, 2),
        "ratio_naive_fork": mine and mine.to_fork and round(mine.to_fork, 1),
        "ratio_ceiling": mine and round(mine.to_ceiling, 4),
        "cpu_us_per_message": mine and round(mine.cpu_us, 1),
        "duplicates": sum(run.duplicates for run in runs),
        "lost": sum(run.lost for run in runs),
        "void": report.void,
        "void_reasons": report.void_reasons,
        "rounds": len(report.rounds),
        "rounds_counted": len(report.counted),
        "bare_transport_per_s": report.bare_per_second and round(report.bare_per_second, 1),
        "lines": [_line_json(line) for line in report.lines],
        "facts": dict(report.facts),
    }


def _line_json(line: Line) -> dict[str, Any]:
    return {
        "name": line.name,
        "messages": line.messages,
        "per_s": [
            round(one, 1) for one in (line.per_second.low, line.per_second.middle, line.per_second.high)
        ],
        "ratio_naive_fork": line.to_fork,
        "ratio_naive": line.to_simple,
        "ratio_ceiling": line.to_ceiling,
        "cpu_us_per_message": line.cpu_us,
        "memory_mb": round(line.memory_mb, 1),
    }


def as_markdown(report: Report) -> str:
    """Return the tables of docs/performance.md."""
    head = (
        "| contender | messages a round | messages/s: min, median, max | to the forking worker "
        "| to SimpleWorker | to the ceiling | CPU µs/message |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    )
    rows = [_row(line) for line in report.lines]
    if report.ceiling:
        rows.append(f"| ceiling ({report.facts['ceiling']}) | | {spread(report.ceiling)} | | | 1 | |")
    if report.bare_per_second and report.ceiling:
        share = report.bare_per_second / report.ceiling.middle
        rows.append(f"| our transport alone, once | | {report.bare_per_second:,.0f} | | | {share:.2g} | |")
    return "\n".join([head, *rows, "", *notes(report)])


def notes(report: Report) -> list[str]:
    """The lines under a table: where and what, and which rounds count."""
    facts = [f"- {name}: {words}" for name, words in report.facts.items()]
    counted = f"- rounds: {len(report.rounds)}, of which {len(report.counted)} count"
    return [*facts, counted, *(f"  - void: {words}" for words in report.void_reasons)]


def _row(line: Line) -> str:
    fork, simple = times(line.to_fork), times(line.to_simple)
    return (
        f"| {line.name} | {line.messages:,} | {spread(line.per_second)} | {fork} | {simple} "
        f"| {line.to_ceiling:.2g} | {line.cpu_us:,.0f} |"
    )


def spread(found: Spread) -> str:
    """Write smallest, middle and largest, with a digit behind the point where that matters."""
    shape = ",.1f" if found.high < 100 else ",.0f"
    return ", ".join(format(one, shape) for one in (found.low, found.middle, found.high))


def times(ratio: float | None) -> str:
    """Write a ratio, or nothing for none."""
    return "" if ratio is None else f"{ratio:.3g}×" if ratio < 1000 else f"{ratio:,.0f}×"


def rewritten(page: str, name: str, table: str) -> str:
    """Put `table` between the marks `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`. Raises `ValueError`."""
    begin, end = f"<!-- bench:{name} -->", f"<!-- /bench:{name} -->"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"The page must have the marks {begin} and {end} once each.")
    before, _, rest = page.partition(begin)
    return f"{before}{begin}\n{table}\n{end}{rest.partition(end)[2]}"
