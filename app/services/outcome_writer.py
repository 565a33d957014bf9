"""A lane's outcomes on their way into the database: gathered, and written in bulk while the lane goes on sending."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domain.messages import DeliveryRef, Outcome
from app.services.beside import Beside
from app.services.controller import Controller
from app.services.settle_outcomes import Verdict, settle

WRITE_AT = 512
WRITE_EVERY = timedelta(milliseconds=150)
# So many that are not even being written mean that the database does not keep up: the lane waits for it.
TOO_MANY = 4 * WRITE_AT


@dataclass(frozen=True)
class Written:
    """Outcomes that are in the database, and what the lane must know of them."""

    outcomes: Sequence[Outcome]
    verdict: Verdict


@dataclass
class OutcomeWriter:
    """Writes one batch at a time, for one sender."""

    sender_id: int
    controller: Controller
    clock: Callable[[], datetime]
    beside: Beside
    _gathered: list[Outcome] = field(default_factory=list)
    _attempts: dict[DeliveryRef, int] = field(default_factory=dict)
    _oldest: datetime | None = None
    _writing: tuple[Sequence[Outcome], Future[Verdict]] | None = None

    def add(self, outcome: Outcome, attempt: int) -> None:
        """Gather what came of attempt number `attempt`."""
        self._gathered.append(outcome)
        self._attempts[outcome.ref] = attempt

    @property
    def has_some(self) -> bool:
        """Tell whether anything is not known to be in the database."""
        return bool(self._gathered) or self._writing is not None

    def go_on(self) -> Written | None:
        """Begin to write when it is time, wait for nothing but a database that is far behind; returns what is done."""
        done = None
        if self._writing and (self._writing[1].done() or len(self._gathered) >= TOO_MANY):
            done = self._finish()
        if self._gathered and not self._writing and (len(self._gathered) >= WRITE_AT or self._is_old()):
            self._begin()
        return done

    def write_all(self) -> Sequence[Written]:
        """Write everything and wait for it."""
        done = [self._finish()] if self._writing else []
        if self._gathered:
            self._begin()
            done.append(self._finish())
        return done

    def _is_old(self) -> bool:
        """Tell whether the first outcome that is not in the database has waited long enough to be seen there."""
        now = self.clock()
        if self._oldest is None:
            self._oldest = now
        return now - self._oldest >= WRITE_EVERY

    def _begin(self) -> None:
        outcomes, attempts = self._gathered, self._attempts
        self._gathered, self._attempts, self._oldest = [], {}, None
        writing = self.beside.start(
            settle,
            outcomes,
            attempts,
            sender_id=self.sender_id,
            controller=self.controller,
            now=self.clock(),
        )
        self._writing = (outcomes, writing)

    def _finish(self) -> Written:
        assert self._writing is not None  # noqa: S101  # both callers looked
        (outcomes, writing), self._writing = self._writing, None
        return Written(outcomes, writing.result())
