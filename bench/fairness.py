"""Two senders, three broadcasts, several workers: each sender's limit is kept, and it is used."""

import statistics
from collections import Counter
from collections.abc import Sequence

from bench import verdicts
from bench.finding import Finding
from bench.ground import Ground, ground
from bench.ours import NUMBER, SECOND_NUMBER
from bench.size import Size

# People, the first sender's messages a second (the second has half), workers.
_PLANS = {Size.SMOKE: (400, 200, 2), Size.NORMAL: (3_000, 500, 4), Size.FULL: (10_000, 1_000, 8)}
_SECOND = "harbour-desk"
_BROKEN = 0.05
_ERROR, _USED = 0.005, 0.97
_BIN, _FIRST_BINS = 0.1, 10
# Seconds: the throttle's burst, as much again for the edges of bins, and what workers have in their hands.
_AHEAD = 0.3


def run(database: str, size: Size, seed: int) -> Finding:
    """Two broadcasts share the first sender, the third has the second; both take equally long. Raises `RunFailed`."""
    people, per_second, workers = _PLANS[size]
    with ground(database, people=people) as field:
        with field.room.app.app_context():
            other = field.room.add_sender(
                field.account, name=_SECOND, number=SECOND_NUMBER, keyword="HARBOUR"
            )
        field.pace(per_second)
        field.pace(per_second / 2, _SECOND)
        broadcasts = [field.schedule(), field.schedule(), field.schedule(other)]
        field.start(*(f"worker{number}" for number in range(workers)), "clock")
        for one in broadcasts:
            field.until_settled(one, 60 + 8 * people / per_second)
        return _finding(field, per_second, workers, database)


def _finding(field: Ground, per_second: float, workers: int, database: str) -> Finding:
    arrivals = field.sink.arrivals()
    got = Counter((one.to, one.sender) for one in arrivals)
    wanted = {(to, sender): count for to, _ in field.room.people for sender, count in _COPIES}
    faults = (
        [] if got == wanted else ["not everybody has two messages of the first sender and one of the second"]
    )
    used, missed = list[str](), list[str]()
    for number, limit in ((NUMBER, per_second), (SECOND_NUMBER, per_second / 2)):
        rates = verdicts.rates([one for one in arrivals if one.sender == number], _BIN)
        use, over, under = steady_use(rates, limit), ahead(rates, limit), behind(rates, limit)
        used.append(
            f"{use:.2%} of {limit:g}/s used, at most {over:.2f} s ahead of it and {under:.2f} s behind"
        )
        missed += [f"{over:.2f} s ahead of {limit:g}/s"] if over > _AHEAD else []
        faults += [f"the limit of {limit:g}/s was exceeded by {use - 1:.1%}"] if use > 1 + _BROKEN else []
        missed += (
            [f"error {use - 1:.2%} over the limit of {limit:g}/s"] if _ERROR < use - 1 <= _BROKEN else []
        )
        missed += [f"{use:.1%} of {limit:g}/s used"] if use < _USED else []
    facts = f"{workers} workers, in bins of {_BIN * 1000:.0f} ms: {'; '.join(used)}"
    return Finding("rate fairness", database, facts, tuple(faults), tuple(missed))


_COPIES = ((NUMBER, 2), (SECOND_NUMBER, 1))


def steady_use(rates: Sequence[float], limit: float) -> float:
    """The share of a limit that was used in the bins after the first second; 0 when there are none."""
    steady = rates[_FIRST_BINS:]
    return statistics.mean(steady) / limit if steady else 0.0


def ahead(rates: Sequence[float], limit: float) -> float:
    """By how many seconds' worth of the limit any run of bins was over it: a burst, and what was on its way."""
    return verdicts.most_in_a_row((one / limit - 1) * _BIN for one in rates)


def behind(rates: Sequence[float], limit: float) -> float:
    """By how many seconds' worth of the limit any run of bins was under it."""
    return verdicts.most_in_a_row((1 - one / limit) * _BIN for one in rates)
