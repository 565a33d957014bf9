"""What messengers tell some time after their answer: receipts, and how a mass send ended."""

import time
from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TypeAlias

Later: TypeAlias = Callable[[Callable[[], None]], None]
"""Takes a job, and runs it some time later."""


class Soon:
    """Runs each job so many seconds after it came, on daemon threads that start with the first one."""

    def __init__(self, seconds: float, threads: int = 4) -> None:
        self._seconds, self._threads = seconds, threads
        self._jobs: SimpleQueue[tuple[float, Callable[[], None]]] = SimpleQueue()
        self._lock, self._started = Lock(), False

    def __call__(self, job: Callable[[], None]) -> None:
        """Put a job into the queue; all wait equally long, so the first to come is the first to run."""
        self._jobs.put((time.monotonic() + self._seconds, job))
        with self._lock:
            if self._started:
                return
            self._started = True
        for number in range(self._threads):
            Thread(target=self._work, name=f"later-{number}", daemon=True).start()

    def _work(self) -> None:
        while True:
            due, job = self._jobs.get()
            time.sleep(max(0.0, due - time.monotonic()))
            job()
