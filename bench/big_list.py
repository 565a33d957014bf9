"""A list larger than there are numbers that belong to nobody: chats of Telegram, brought in by the product's import."""

import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select, text

from app.clock import utcnow
from app.domain.consent import Act, EventType
from app.runtime import runtime
from app.services.record_consent import NewEvent, record
from app.storage.database import db, transaction
from app.storage.models import Subscriber
from bench import tokens
from bench.cpu import peak_megabytes
from bench.ground import Ground
from bench.ours import STOPPED_EVERY
from bench.running import ROOT, RunFailed, environment

KEYWORD = "CHAT"
# Telegram's ids have at most 52 significant bits (core.telegram.org/bots/api#chat); its accounts have ten digits today.
FIRST_CHAT = 7_000_000_000_000
_BATCH = 1000
_COMMAND = "from app.commands.root import root; root.main(prog_name='tidings')"
_HEADER = ("address", "city", "consent_at", "consent_source", "consent_text")
_EVIDENCE = (
    "2026-03-02T09:30:00+00:00",
    "Stand at the town fair, form 2",
    "Yes, write me the news of the city",
)
# Not the product's own query: the bench decides by itself who may be reached.
_ELIGIBLE = text(
    "SELECT s.attributes FROM subscriber s JOIN subscription m ON m.subscriber_id = s.id "
    "WHERE m.list_id = :list_id AND m.state = 'active' AND s.suppressed_at IS NULL AND s.blocked_at IS NULL "
    "AND s.bounced_at IS NULL"
).columns(attributes=Subscriber.attributes.type)


@dataclass(frozen=True)
class BigList:
    """A list, how many of its people may be reached, and the fingerprint of these."""

    list_id: int
    people: int
    fingerprint: str


@dataclass(frozen=True)
class Imported:
    """The import of a file: rows taken, seconds from start to exit of the command, the most memory it held."""

    rows: int
    seconds: float
    megabytes: float


def rows_for(people: int) -> int:
    """How many are imported so that `people` are left: one in so many leaves again."""
    return people + people // STOPPED_EVERY


def fill(field: Ground, people: int) -> tuple[BigList, Imported]:
    """Make a bot and a list, import people into it, and let some leave, so that `people` may be reached.

    Raises `RunFailed` when the import does not take every row.
    """
    with field.room.app.app_context():
        list_id = field.room.add_bot(field.account, keyword=KEYWORD)
        db.session.remove()
    with tempfile.TemporaryDirectory(dir=field.directory) as folder:
        path = Path(folder) / "people.csv"
        _write(path, rows_for(people), field.account.key)
        imported = _import(field, path, rows_for(people))
    with field.room.app.app_context():
        _leave(list_id, people)
        return _who(list_id), imported


def _chat(number: int) -> str:
    return str(FIRST_CHAT + number)


def _write(path: Path, rows: int, key: bytes) -> None:
    """Write people, their tokens and the evidence of their consent, as an operator brings them."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(_HEADER)
        for chat in map(_chat, range(rows)):
            writer.writerow((chat, tokens.token(key, chat), *_EVIDENCE))


def _import(field: Ground, path: Path, rows: int) -> Imported:
    command = [
        sys.executable,
        "-c",
        _COMMAND,
        "subscribers",
        "import",
        str(path),
        "--list",
        KEYWORD,
        "--json",
    ]
    began, peak = time.monotonic(), 0.0
    with tempfile.TemporaryFile() as words, (field.directory / "import.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            env=environment(field.room.env),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=log,
        )
        field.guard.watch(process.pid)
        while process.poll() is None:
            peak = max(peak, peak_megabytes(process.pid))
            time.sleep(0.02)
        seconds = time.monotonic() - began
        words.seek(0)
        said = words.read()
    if process.returncode or json.loads(said)["counts"]["imported"] != rows:
        raise RunFailed(f"The import did not take every row: {said[-500:]!r} {field.last_words()}")
    return Imported(rows, seconds, peak)


def _leave(list_id: int, people: int) -> None:
    """Let as many leave again as there are too many; `one in STOPPED_EVERY`, all over the list."""
    leavers = [_chat(number) for number in range(0, rows_for(people), STOPPED_EVERY + 1)]
    leavers = leavers[: rows_for(people) - people]
    for start in range(0, len(leavers), _BATCH):
        now = utcnow()
        with transaction() as session:
            chosen = Subscriber.address.in_(leavers[start : start + _BATCH])
            found = session.scalars(select(Subscriber).where(Subscriber.channel == "telegram", chosen))
            events = [
                NewEvent(
                    person,
                    EventType.CONSENT_WITHDRAWN,
                    now,
                    "person",
                    act=Act.KEYWORD_EXACT,
                    list_id=list_id,
                )
                for person in found
            ]
            record(session, events, controller=runtime().controller, now=now)


def _who(list_id: int) -> BigList:
    """Ask the database, person by person and keeping none of them, who may be reached."""
    people, total = 0, 0
    for token in _tokens(list_id):
        people, total = people + 1, total + int(token, 16)
    db.session.remove()
    return BigList(list_id, people, f"{total & 2**64 - 1:016x}")


def _tokens(list_id: int) -> Iterator[str]:
    rows = db.session.execute(_ELIGIBLE, {"list_id": list_id}, execution_options={"yield_per": _BATCH})
    return (str(attributes["city"]) for (attributes,) in rows)
