"""Reports what became of each message: receipts in order, at their time, from a small pool of threads."""

import heapq
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from threading import Condition, Thread

from app.simulator.magic import Step
from app.simulator.records import Message
from app.simulator.wire import CannotDeliver, Wire

QUEUE_LIMIT = 200_000
THREADS = 8
RETRY_SECONDS = 1.0
ERROR_TEXTS = {30004: "Message blocked", 30005: "Unknown destination handset"}  # others have no words here


@dataclass(slots=True)
class Journey:
    """The receipts that one message still has before it."""

    message: Message
    steps: tuple[Step, ...]
    epoch: int
    position: int = 0
    attempt: int = 1

    @property
    def event_id(self) -> str:
        """Return what names this step; it stays the same when the callback is repeated."""
        return f"{self.message.sid}-{self.position}"


class Receipts:
    """Walks messages through their statuses and posts a signed callback for each step.

    `on_step(message, status, error_code)` runs before each post. A message has one receipt under way at a time, so
    `sent` is answered before `delivered` leaves. A callback is repeated once when the product cannot be reached;
    an answer, whatever it says, ends it. `pauses` are the seconds before the first and before each later step.
    """

    def __init__(
        self,
        wire: Wire,
        on_step: Callable[[Message, str, int | None], object],
        pauses: tuple[float, float] = (0.05, 0.3),
        limit: int = QUEUE_LIMIT,
    ) -> None:
        self._wire, self._on_step, self._pauses, self._limit = wire, on_step, pauses, limit
        self._waiting: list[tuple[float, int, Journey]] = []
        self._ticket = count()
        self._change = Condition()
        self._threads: list[Thread] = []
        self._stopping = False
        self._under_way = 0
        self._epoch = 0
        self._counts: Counter[str] = Counter()

    def start(self, threads: int = THREADS) -> None:
        """Start the threads that post."""
        for number in range(threads):
            thread = Thread(target=self._work, name=f"receipts-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def has_room(self) -> bool:
        """Return whether another message may be accepted without the queue growing over its limit."""
        return len(self._waiting) + self._under_way < self._limit

    def add(self, message: Message, steps: tuple[Step, ...]) -> None:
        """Begin the journey of an accepted message; one that nobody wants to hear of ends here and now."""
        if not message.callback:
            for status, error_code in steps:
                self._on_step(message, status, error_code)
            return
        self._push(Journey(message, steps, self._epoch), self._pauses[0])

    def work_off(self) -> None:
        """Post what is waiting now in this thread and without pauses, for a world that was not started."""
        waiting = sorted(self._waiting)
        for _, _, journey in waiting:
            while journey.position < len(journey.steps):
                self._walk(journey)
        self._waiting.clear()

    def stop(self, within: float = 1.0) -> int:
        """Stop the threads and return how many messages still had receipts to come."""
        with self._change:
            self._stopping = True
            self._change.notify_all()
        end = time.monotonic() + within
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        return len(self._waiting)

    def reset(self) -> None:
        """Drop what is queued and forget the counts."""
        with self._change:
            self._epoch += 1  # a journey that a thread has in hand ends after its present step
            self._waiting.clear()
            self._counts.clear()

    def counts(self) -> dict[str, int]:
        """Return callbacks sent, acknowledged (2xx), failed and queued (messages with receipts to come)."""
        with self._change:
            queued = len(self._waiting) + self._under_way
            return {name: self._counts[name] for name in ("sent", "acknowledged", "failed")} | {
                "queued": queued
            }

    def _push(self, journey: Journey, pause: float) -> None:
        with self._change:
            if journey.epoch != self._epoch:
                return
            heapq.heappush(self._waiting, (time.monotonic() + pause, next(self._ticket), journey))
            self._change.notify()

    def _pop(self) -> Journey | None:
        with self._change:
            while not self._stopping:
                wait = self._waiting[0][0] - time.monotonic() if self._waiting else None
                if wait is not None and wait <= 0:
                    self._under_way += 1
                    return heapq.heappop(self._waiting)[2]
                self._change.wait(wait)
            return None

    def _work(self) -> None:
        while (journey := self._pop()) is not None:
            try:
                self._walk(journey)
            finally:
                with self._change:
                    self._under_way -= 1

    def _walk(self, journey: Journey) -> None:
        status, error_code = journey.steps[journey.position]
        message = journey.message
        if journey.attempt == 1:
            self._on_step(message, status, error_code)
        if not self._post(journey, status, error_code):
            journey.attempt += 1
            self._push(journey, RETRY_SECONDS)
            return
        journey.position += 1
        if journey.position < len(journey.steps):
            journey.attempt = 1
            self._push(journey, self._pauses[1])

    def _post(self, journey: Journey, status: str, error_code: int | None) -> bool:
        """Post one callback; return False when it is worth repeating."""
        message = journey.message
        form = callback_form(message, status, error_code)
        self._add_count("sent")
        try:
            answer = self._wire.post(message.callback, form, message.sender.auth_token, journey.event_id)
        except CannotDeliver:
            if journey.attempt == 1 and not self._stopping:
                return False
            self._add_count("failed")
            return True
        self._add_count("acknowledged" if answer.taken else "failed")
        return True

    def _add_count(self, name: str) -> None:
        with self._change:
            self._counts[name] += 1


def callback_form(message: Message, status: str, error_code: int | None) -> dict[str, str]:
    """Return the form fields of a status callback."""
    form = {
        "AccountSid": message.sender.account_sid,
        "ApiVersion": "2010-04-01",
        "From": message.sender.number,
        "To": message.to,
        "MessageSid": message.sid,
        "MessageStatus": status,
        "SmsSid": message.sid,
        "SmsStatus": status,
    }
    if message.by_service:
        form["MessagingServiceSid"] = message.sender.messaging_service_sid
    if error_code is not None:
        form |= {"ErrorCode": str(error_code), "ErrorMessage": ERROR_TEXTS.get(error_code, "")}
    if status != "sent" and message.updated is not None:
        form["RawDlrDoneDate"] = _short_date(message.updated)
    return form


def _short_date(moment: datetime) -> str:
    return moment.strftime("%y%m%d%H%M")
