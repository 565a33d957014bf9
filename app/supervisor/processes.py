"""Runs a set of named commands together with honcho: when one ends, all are stopped."""

import re
import signal
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from honcho.environ import parse_procfile
from honcho.manager import KILL_WAIT, SYSTEM_PRINTER_NAME, Manager
from honcho.printer import Printer

from app.supervisor.guard import Guard

_REMEMBERED_LINES = 30
_EVENT = re.compile(r"(?P<name>\S+) (?P<what>started|stopped) \((?:pid|rc)=(?P<number>-?\d+)\)")


def load_procfile(path: Path) -> dict[str, str]:
    """Return the commands of a Procfile by name, in its order."""
    return dict(parse_procfile(path.read_text(encoding="utf-8")).processes)


@dataclass(frozen=True)
class Ended:
    """A command that ended before anybody asked it to."""

    name: str
    exit_code: int


class Processes:
    """A group of shell commands that live and end together; run it from the main thread.

    `commands` maps names to commands. `guard` learns of each one. `on_started` is called in the main thread when
    all have been started. What they print goes to `output`, with the name in front, unless that is None.
    """

    def __init__(
        self,
        commands: Mapping[str, str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        guard: Guard,
        on_started: Callable[[], None],
        output: TextIO | None = None,
    ) -> None:
        self._ears = _Ears(set(commands), guard, self._all_started, output)
        self._manager = _Manager(self._ears)
        self._on_started = on_started
        self._ended = threading.Event()
        for name, command in commands.items():
            self._manager.add_process(name, command, env=dict(env), cwd=str(cwd))

    def run(self) -> None:
        """Start all and return when all have ended. SIGINT and SIGTERM ask them to stop."""
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            self._manager.loop()
        finally:
            self._ended.set()
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """Ask all to stop; from any thread, as often as you like."""
        self._manager.terminate()

    @property
    def first_to_end(self) -> Ended | None:
        """The command that brought the others down; None when the stop was asked for."""
        return self._ears.first_to_end

    @property
    def stopping(self) -> bool:
        """Whether the end has begun, for whatever reason."""
        return self._manager.stopping.is_set()

    def last_lines(self, name: str, count: int = 10) -> list[str]:
        """What a command printed last."""
        return list(self._ears.lines[name])[-count:]

    def _all_started(self) -> None:
        self._manager.all_started()
        threading.Thread(target=self._kill_the_stubborn, daemon=True).start()
        self._on_started()

    def _kill_the_stubborn(self) -> None:
        """Honcho counts its seconds of patience from the first end, so it would wait for ever if none ends."""
        self._manager.stopping.wait()
        if not self._ended.wait(KILL_WAIT):
            self._manager.kill()


class _Manager(Manager):  # type: ignore[misc]  # honcho has no type information
    """Honcho's manager, made safe against a stop that comes before it knows every process id."""

    def __init__(self, ears: "_Ears") -> None:
        super().__init__(ears)
        self._ears = ears
        self._asked = False
        self._complete = False
        self.stopping = threading.Event()

    def terminate(self) -> None:
        if not self._asked:  # a second signal may come while the first is being handled, and locks the event
            self._asked = self._ears.stop_expected = True
            self.stopping.set()
        if self._complete:
            super().terminate()

    def all_started(self) -> None:
        self._complete = True
        if self._asked:
            super().terminate()


@dataclass
class _Ears:
    """The printer handed to honcho: hears what commands print, and from honcho's own lines what becomes of them."""

    waited_for: set[str]
    guard: Guard
    on_all_started: Callable[[], None]
    output: TextIO | None
    width: int = 0
    stop_expected: bool = False
    first_to_end: Ended | None = None
    lines: dict[str, deque[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lines = {name: deque(maxlen=_REMEMBERED_LINES) for name in self.waited_for}
        self._printer = Printer(self.output, width=max(map(len, self.lines)))

    def write(self, message: Any) -> None:
        if message.name == SYSTEM_PRINTER_NAME:
            # Also called from honcho's signal handler, where printing could re-enter a print.
            self._hear(_EVENT.match(message.data))
            return
        self.lines[message.name].append(message.data.decode(errors="replace").rstrip())
        if self.output is not None:
            self._printer.write(message)

    def _hear(self, event: re.Match[str] | None) -> None:
        if event is None:
            return
        name, number = event["name"], int(event["number"])
        if event["what"] == "stopped":
            if not self.stop_expected and self.first_to_end is None:
                self.first_to_end = Ended(name, number)
            return
        self.guard.watch(number)
        self.waited_for.discard(name)
        if not self.waited_for:
            self.on_all_started()
