"""Imports of subscribers: how far each one is, and which of its rows were refused for what we know of the person."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.storage.database import BigId, Model, UtcDateTime


class ImportState(StrEnum):
    """A draft waits for its columns and its evidence, and is checked before anything is written.

    A running import goes on from its last committed row.
    """

    DRAFT = "draft"
    CHECKING = "checking"
    CHECKED = "checked"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ImportRun(Model):
    """One import of one file. `done_rows` moves in the transaction that stores those rows, so a kill loses nothing.

    `choices` says what the columns mean and who vouches with which words; it holds no subscriber's data.
    `fingerprint` is the same for the same file, list and choices. `stored_as` names the folder below TIDINGS_HOME
    while anything of an uploaded file is kept. While it is checked, and until it starts, `done_rows` and `counts`
    are those of the dry run.
    """

    __tablename__ = "import_run"
    __table_args__ = (Index("ix_import_run_state", "state", "updated_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("broadcast_list.id"))
    state: Mapped[str] = mapped_column(String(10))
    file_name: Mapped[str] = mapped_column(String(200))
    file_sha256: Mapped[str] = mapped_column(String(64))
    file_lines: Mapped[int]
    fingerprint: Mapped[str] = mapped_column(String(64), index=True)
    choices: Mapped[dict[str, Any]] = mapped_column(JSON)
    actor: Mapped[str] = mapped_column(String(120))
    done_rows: Mapped[int] = mapped_column(default=0)
    done_line: Mapped[int] = mapped_column(default=0)
    counts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    problem: Mapped[str | None] = mapped_column(String(500))
    stored_as: Mapped[str | None] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ImportRefusal(Model):
    """A row that makes sense and was refused all the same; the address itself stays in the file."""

    __tablename__ = "import_refusal"

    import_id: Mapped[int] = mapped_column(ForeignKey("import_run.id"), primary_key=True)
    row_number: Mapped[int] = mapped_column(primary_key=True)
    verdict: Mapped[str] = mapped_column(String(16))
