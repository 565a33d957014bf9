"""One thread beside a lane: what waits for the database is done there, while the lane goes on sending."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from app.storage.database import for_another_thread, serves_several

P = ParamSpec("P")
R = TypeVar("R")


class Beside:
    """Runs tasks one after the other, in their order.

    While a database server answers, the interpreter is free for the lane: one thread hides most of that wait, and
    tasks of two would be in no order. SQLite works in our own process and lets one writer in at a time, so there every
    task is done at once. A task's error comes out where its result is asked for, or at the end.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="beside-lane") if serves_several() else None
        self._unasked: list[Future[None]] = []

    def start(self, task: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Begin a task whose result will be asked for."""
        if self._pool is not None:
            return self._pool.submit(for_another_thread(task), *args, **kwargs)
        done = Future[R]()
        try:
            done.set_result(task(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done

    def leave(self, task: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Begin a task of which nobody will ask; `close` raises its error."""
        self._unasked = [one for one in self._unasked if not one.done() or one.exception()]
        self._unasked.append(self.start(task, *args, **kwargs))

    def close(self) -> None:
        """Wait for all tasks; raises the first error of those that nobody asked for."""
        if self._pool is not None:
            self._pool.shutdown(wait=True)
        for one in self._unasked:
            one.result()
