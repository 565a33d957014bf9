"""Where an uploaded file lies: in a folder of its own below TIDINGS_HOME, readable by its owner only."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.services.import_notebook import Notebook


@dataclass(frozen=True)
class Folder:
    """What is kept of one upload: the file, and the notebook of who was met and refused."""

    path: Path

    @property
    def file(self) -> Path:
        """The upload, byte by byte."""
        return self.path / "upload.csv"

    @property
    def notebook(self) -> Path:
        """What the dry run, then the import, has met and refused."""
        return self.path / "notebook.sqlite"

    def make(self) -> None:
        """Make it, for nobody else's eyes."""
        self.path.mkdir(mode=0o700, parents=True)
        self.file.touch(mode=0o600)
        self.clear_notebook()

    def clear_notebook(self) -> None:
        """Begin with an empty one."""
        for path in self.path.glob(f"{self.notebook.name}*"):
            path.unlink(missing_ok=True)
        if self.path.exists():
            self.notebook.touch(mode=0o600)
            Notebook(self.notebook).close()

    def keep_the_refused(self) -> None:
        """Delete the file and everybody who was taken; the refused rows stay a while. Once more does no harm."""
        with closing(Notebook(self.notebook)) as notebook:
            notebook.forget_the_taken()
        self.file.unlink(missing_ok=True)

    def delete(self) -> None:
        """Delete all of it."""
        shutil.rmtree(self.path, ignore_errors=True)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Tell whether no other process works on it, and keep others away; the lock dies with the process."""
        with (self.path / "lock").open("w") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
