"""Verdicts on what the sink took: plain functions over its arrivals and what people did meanwhile."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import pairwise

from bench.sink import Arrival

Statuses = Mapping[int, int]
"""Subscriber id -> what the delivery stands at."""

STOP_GRACE_NS = 50_000_000
_MS = 1_000_000
_ON_THE_WIRE_NS = 50 * _MS


def copies(arrivals: Iterable[Arrival]) -> Counter[str]:
    """How many messages each number got."""
    return Counter(one.to for one in arrivals)


def reached_once(arrivals: Iterable[Arrival], must: Set[str], may: Set[str] = frozenset()) -> list[str]:
    """Faults unless everybody in `must` got one message, nobody two, and nobody else any but those in `may`."""
    got = copies(arrivals)
    counts = {
        "got a second copy": sum(1 for number in got.values() if number > 1),
        "got nothing": len(must - set(got)),
        "got it and were not to": len(set(got) - must - may),
    }
    return [f"{count} {words}" for words, count in counts.items() if count]


def stops(arrivals: Sequence[Arrival], answered: Mapping[str, int], people: set[str]) -> list[str]:
    """Faults of a STOP race; `answered` has the moment (ns) at which each STOP got our 2xx.

    A number that stopped may have it when it arrived before the answer, or at most 50 ms after. The rest must
    have it once. A race in which no STOP came in time proves nothing.
    """
    late = late_by_ms(arrivals, answered)
    faults = reached_once(arrivals, people - set(answered), set(answered))
    faults += [f"{len(late)} got it up to {max(late):.0f} ms after our answer to their STOP"] if late else []
    if answered and set(answered) <= set(copies(arrivals)):
        faults.append("every STOP came too late, so the race proves nothing")
    return faults


def late_by_ms(arrivals: Iterable[Arrival], answered: Mapping[str, int]) -> list[float]:
    """Milliseconds after our answer, of each message that came more than 50 ms after it."""
    after = [one.at_ns - answered[one.to] for one in arrivals if one.to in answered]
    return [ns / _MS for ns in after if ns > STOP_GRACE_NS]


def leaked(arrivals: Iterable[Arrival], since_ns: int, until_ns: int | None = None) -> int:
    """How many messages came after a moment, and before another when one is given."""
    return sum(1 for one in arrivals if one.at_ns > since_ns and (until_ns is None or one.at_ns < until_ns))


def agreement(arrivals: Sequence[Arrival], fates: Mapping[str, str], people: set[str]) -> list[str]:
    """Faults where the report and the sink disagree, number by number, or somebody has two copies or no fate."""
    got = copies(arrivals)
    said = {number: fates.get(number, "none") for number in people}
    counts = {
        "got a second copy": sum(1 for number in got.values() if number > 1),
        "got it and were not to": len(set(got) - people),
        "are sent by the report and got nothing": sum(
            1 for number, fate in said.items() if fate in ("sent", "delivered") and number not in got
        ),
        "got it, and the report says otherwise": sum(
            1 for number in got if said.get(number) not in ("sent", "delivered", "unknown")
        ),
        "got nothing, and the report does not say so": sum(
            1 for number, fate in said.items() if number not in got and fate not in ("unknown", "failed")
        ),
    }
    return [f"{count} {words}" for words, count in counts.items() if count]


def longest_silence(arrivals: Sequence[Arrival], after_ns: Sequence[int] | None = None) -> float:
    """Seconds of the longest time between two messages; 0 for fewer than two.

    `after_ns` asks only for those in which one of these moments lies; what was on the wire by then still comes.
    """
    moments = sorted(one.at_ns for one in arrivals)
    spans = [
        end - begin
        for begin, end in pairwise(moments)
        if after_ns is None or any(begin - _ON_THE_WIRE_NS < moment < end for moment in after_ns)
    ]
    return max(spans, default=0) / 1e9


def fingerprint(statuses: Statuses) -> str:
    """Return a checksum over (subscriber, status), in whatever order they come."""
    lines = "".join(f"{person} {status}\n" for person, status in sorted(statuses.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def applied(wanted: Statuses, found: Statuses) -> list[str]:
    """Faults unless deliveries stand at what the receipts that were sent say: by count, and by checksum."""
    if Counter(wanted.values()) != Counter(found.values()):
        return [f"statuses are {dict(Counter(found.values()))} instead of {dict(Counter(wanted.values()))}"]
    if fingerprint(wanted) != fingerprint(found):
        return ["as many deliveries as should stand at each status, but not the same ones"]
    return []


def most_in_a_row(values: Iterable[float]) -> float:
    """The largest sum of values that follow one another; 0 where none is positive."""
    most = here = 0.0
    for value in values:
        here = max(0.0, here + value)
        most = max(most, here)
    return most


def rates(arrivals: Iterable[Arrival], seconds: float) -> list[float]:
    """Messages a second in each window of `seconds` from the first message on, without the last, broken one."""
    moments = sorted(one.at_ns for one in arrivals)
    if not moments:
        return []
    bins = Counter(int((moment - moments[0]) / 1e9 / seconds) for moment in moments)
    return [bins[number] / seconds for number in range(max(bins))]
