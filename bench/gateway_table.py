"""From turns of gateways to the table of docs/performance.md."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench import running_all
from bench.report import Spread


@dataclass(frozen=True)
class Stretch:
    """What went out in one stretch of time. `faults` says why it does not count; empty when it does."""

    messages: int
    requests: int
    seconds: float
    cpu_seconds: float
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Turn:
    """A gateway's part of a round, and what the transport alone did with its first call just before."""

    ours: Stretch
    alone: Stretch

    @property
    def faults(self) -> tuple[str, ...]:
        """Why this turn does not count; empty when it does."""
        return self.ours.faults + self.alone.faults

    @property
    def share(self) -> float:
        """Requests a second of ours to those of the transport alone."""
        return (self.ours.requests / self.ours.seconds) / (self.alone.requests / self.alone.seconds)


def faults(found: Mapping[str, Sequence[Turn]]) -> list[str]:
    """What went wrong, each with its row; empty when everything counts."""
    return [f"{name}: {words}" for name, turns in found.items() for turn in turns for words in turn.faults]


def as_markdown(found: Mapping[str, Sequence[Turn]], sink_kind: str) -> str:
    """Return the table: medians over the rounds; a row in which a round went wrong says void."""
    head = (
        "| gateway | messages/s: min, median, max | requests/s | people a request | CPU µs/message "
        "| to the transport alone |\n| --- | ---: | ---: | ---: | ---: | ---: |"
    )
    rounds = max(len(turns) for turns in found.values())
    notes = [*running_all.where(), f"sink: {sink_kind}", f"rounds: {rounds}"]
    rows = [_row(name, turns) for name, turns in found.items()]
    return "\n".join([head, *rows, "", *(f"- {words}" for words in notes)])


def _row(name: str, turns: Sequence[Turn]) -> str:
    if faults({name: turns}):
        return f"| {name} | void | | | | |"
    ours = [turn.ours for turn in turns]
    speed = Spread.of([one.messages / one.seconds for one in ours])
    requests = statistics.median(one.requests / one.seconds for one in ours)
    people = sum(one.messages for one in ours) / sum(one.requests for one in ours)
    cpu_us = statistics.median(one.cpu_seconds / one.messages * 1e6 for one in ours)
    share = statistics.median(turn.share for turn in turns)
    speeds = f"{speed.low:,.0f}, {speed.middle:,.0f}, {speed.high:,.0f}"
    return f"| {name} | {speeds} | {requests:,.0f} | {people:,.0f} | {cpu_us:.3g} | {share:.2f} |"
