"""One empty, migrated database for each test, copied from a template that is made once for each process."""

import contextlib
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.support import postgres

Migrate = Callable[[str], None]
"""Brings the empty database at a URL to the newest schema."""


@dataclass
class SqliteDatabases:
    """Databases as files in `directory`; a copy takes less than a millisecond."""

    directory: Path
    migrate: Migrate
    _numbers: "count[int]" = field(default_factory=count)

    @contextlib.contextmanager
    def fresh(self) -> Iterator[str]:
        """Yield the URL of a database of its own."""
        template = self._template()
        path = self.directory / f"test-{next(self._numbers)}.db"
        shutil.copyfile(template, path)
        try:
            yield f"sqlite:///{path}"
        finally:
            for leftover in self.directory.glob(f"{path.name}*"):  # with -wal and -shm
                leftover.unlink()

    def _template(self) -> Path:
        template = self.directory / "template.db"
        if not template.exists():
            draft = self.directory / "draft.db"
            draft.unlink(missing_ok=True)
            self.migrate(f"sqlite:///{draft}")
            _fold_journal(draft)
            draft.rename(template)
        return template


def _fold_journal(path: Path) -> None:
    """Put everything into the one file that is copied."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@dataclass
class PostgresDatabases:
    """Databases `<prefix>_<n>` on a server that other processes may use under other prefixes."""

    server: postgres.Server
    prefix: str
    migrate: Migrate
    _numbers: "count[int]" = field(default_factory=count)
    _ready: bool = False

    @contextlib.contextmanager
    def fresh(self) -> Iterator[str]:
        """Yield the URL of a database of its own."""
        name = f"{self.prefix}_{next(self._numbers)}"
        with postgres.fresh_database(self.server, name, self._template()) as url:
            yield url.render_as_string(hide_password=False)

    def close(self) -> None:
        """Remove the template."""
        postgres.drop_database(self.server, f"{self.prefix}_template")

    def _template(self) -> str:
        name = f"{self.prefix}_template"
        if not self._ready:
            url = postgres.create_empty_database(self.server, name)
            self.migrate(url.render_as_string(hide_password=False))
            self._ready = True
        return name
