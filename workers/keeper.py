"""Keeps a worker at work: everything is loaded once, then forked; a worker that is killed is followed by the next fork.

Starting Python and loading the program takes about a second of CPU, and several on a busy machine; a fork takes
milliseconds. A supervisor that stops everything when one command ends (ours does) does not notice such a death.
"""

import os
import signal
import sys
import time
from types import FrameType

import structlog

from app.supervisor.parents import die_with_parent

_ENDING = (signal.SIGTERM, signal.SIGINT)
_SHORT_LIFE, _PAUSE = 0.5, 1.0
"""Seconds. One that dies at once would be forked, and die, all the time."""

log = structlog.get_logger(__name__)


def in_a_kept_process() -> None:
    """Return in a forked process only, and in the next one whenever a signal has ended that.

    The process that calls stays behind as its keeper and exits with the code with which the last one ended. SIGTERM
    and SIGINT are passed on; a keeper that is killed takes the other with it (Linux; elsewhere leases and epochs
    keep two workers from sending the same slice).
    """
    keeper = _Keeper()
    while True:
        began = time.monotonic()
        if keeper.fork():
            return
        status = keeper.wait()
        if keeper.stopping or not os.WIFSIGNALED(status):
            sys.exit(0 if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status))
        log.warning("the worker was killed and the next one begins", by=signal.strsignal(os.WTERMSIG(status)))
        if time.monotonic() - began < _SHORT_LIFE:
            time.sleep(_PAUSE)


class _Keeper:
    """One child at a time. `stopping` is set when the end was asked for."""

    def __init__(self) -> None:
        self.stopping, self._child = False, 0
        for number in _ENDING:
            signal.signal(number, self._pass_on)

    def fork(self) -> bool:
        """Return True in the new process."""
        # A signal that comes now waits until the child is known, and has none of our handlers.
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        self._child = os.fork()
        if not self._child:
            die_with_parent()
            # A group of its own: a signal to the keeper's group comes once, from the keeper.
            os.setpgid(0, 0)
            for number in _ENDING:
                signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        return not self._child

    def wait(self) -> int:
        """Wait until the child has ended; returns its status."""
        return os.waitpid(self._child, 0)[1]

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        self.stopping = True
        if self._child:
            os.kill(self._child, number)
