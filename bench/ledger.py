"""`python -m bench.ledger`: how long the ledger takes to verify, to sign and to prove from, and in how much memory."""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from flask_migrate import upgrade
from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.config import Settings, make_master_key
from app.domain.ledger import canonical, commit_bytes, iso_ms
from app.domain.sealing import new_data_key, seal_with
from app.factory import create_app
from app.gateways.twilio import TwilioGateway
from app.runtime import runtime
from app.services.controller import Controller
from app.services.lists_of_sender import present_notice
from app.services.manage_lists import create_list
from app.services.manage_senders import add
from app.storage.consent import append, append_pii, lock_head, uuid7
from app.storage.database import db, transaction
from app.storage.models import Notice, Subject, Subscriber
from app.supervisor.guard import Guard
from bench.cpu import peak_megabytes
from bench.numbers import reserved
from bench.report import rewritten
from bench.stage import empty_database, own_postgres

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
START = datetime(2026, 1, 1, tzinfo=UTC)
STORY = ("notice_shown", "consent_given", "consent_withdrawn")
PEOPLE_AT_ONCE = 2000
THE_ONE = "+12025550100"


@dataclass(frozen=True)
class Measured:
    """One command on one database: seconds from start to exit, and the most memory it held."""

    command: str
    database: str
    seconds: float
    megabytes: float


@click.command()
@click.option("--entries", default=1_000_000, show_default=True, type=click.IntRange(3))
@click.option("--write", is_flag=True, help="Put the table into docs/performance.md.")
def main(entries: int, write: bool) -> None:
    """Fill a ledger on SQLite and on a throw-away PostgreSQL, and time the commands that read all of it."""
    rows: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="tidings-bench-") as folder, Guard() as guard:
        home = Path(folder)
        rows += _measure(f"sqlite:///{home / 'ledger.db'}", "SQLite", home, entries)
        with own_postgres(guard) as server, empty_database(server, "ledger") as url:
            rows += _measure(url.render_as_string(hide_password=False), "PostgreSQL", home, entries)
    table = _table(rows, entries)
    click.echo(table)
    if write:
        PAGE.write_text(rewritten(PAGE.read_text(), "ledger", table))


def _measure(url: str, database: str, home: Path, entries: int) -> list[Measured]:
    env = {
        "PATH": os.environ.get("PATH", os.defpath),
        "DATABASE_URL": url,
        "REDIS_URL": "unix:///nowhere",
        "SECRET_KEY": secrets.token_hex(32),
        "MASTER_KEY": make_master_key(),
        "PUBLIC_URL": "http://localhost",
        "TIDINGS_HOME": str(home / database),
    }
    app = create_app(Settings.from_env(env))
    with app.app_context():
        upgrade()
        began = time.monotonic()
        _fill(runtime().controller, entries)
        click.echo(f"{database}: {entries} entries written in {time.monotonic() - began:.0f} s", err=True)
        db.session.remove()
        db.engine.dispose()
    commands = (("consent", "heads", "sign"), ("consent", "verify"), ("consent", "prove", THE_ONE))
    return [_timed(command, database, env) for command in commands]


def _timed(command: tuple[str, ...], database: str, env: Mapping[str, str]) -> Measured:
    began = time.monotonic()
    arguments = [sys.executable, str(ROOT / "cli.py"), *command, "--json"]
    with tempfile.TemporaryFile() as words:
        process = subprocess.Popen(arguments, env=dict(env), cwd=ROOT, stdout=words)
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, peak_megabytes(process.pid))
            time.sleep(0.02)
        seconds = time.monotonic() - began
        words.seek(0)
        said = json.loads(words.read())
    if process.returncode or said.get("bad"):
        raise click.ClickException(f"{' '.join(command)} on {database} failed: {said}")
    return Measured(" ".join(command), database, seconds, peak)


def _fill(controller: Controller, entries: int) -> None:
    """Write a ledger of people who were shown a notice, came and went: three entries each, all with evidence."""
    numbers, made = reserved(10_000), 0
    notice = _list(controller)
    while made < entries:
        people = min(PEOPLE_AT_ONCE, -(-(entries - made) // len(STORY)))
        with transaction() as session:
            subjects = [_subject(controller) for _ in range(people)]
            session.execute(insert(Subject), [subject.row for subject in subjects])
            if made == 0:
                session.add(_subscriber(subjects[0].row["subject_ref"]))
            wanted = list(_entries(subjects, numbers, notice, controller, made))[: entries - made]
            _append(session, controller, wanted)
        made += len(wanted)


@dataclass(frozen=True)
class _Person:
    row: dict[str, Any]
    key: bytes


def _subject(controller: Controller) -> _Person:
    key = new_data_key()
    row = {
        "subject_ref": uuid7(START),
        "index_hmac": secrets.token_hex(32),
        "wrapped_key": controller.keys.wrap(key),
        "created_at": START,
    }
    return _Person(row, key)


def _subscriber(subject_ref: str) -> Subscriber:
    return Subscriber(
        channel="sms",
        address=THE_ONE,
        subject_ref=subject_ref,
        language="en",
        attributes={},
        created_at=START,
    )


def _entries(
    people: list[_Person], numbers: list[str], notice: Notice, controller: Controller, made: int
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for person in people:
        for event_type in STORY:
            made += 1
            at = iso_ms(START + timedelta(seconds=made))
            pii = {
                "address": numbers[made % len(numbers)],
                "channel": "sms",
                "provider_message_id": f"SM{made:032x}",
                "text": "STOP" if event_type == "consent_withdrawn" else "NEWS",
            }
            salt, plain = os.urandom(32), canonical(pii)
            event_id = uuid7(START + timedelta(seconds=made))
            yield (
                {
                    "event_id": event_id,
                    "v": 1,
                    "ledger": controller.ledger,
                    "subject_ref": person.row["subject_ref"],
                    "event_type": event_type,
                    "occurred_at": at,
                    "recorded_at": at,
                    "channel": "sms",
                    "provider": "twilio",
                    "sender_id": 1,
                    "list_id": notice.list_id,
                    "purpose": "The day's news",
                    "scope": "list",
                    "notice_id": notice.id,
                    "notice_version": notice.version,
                    "notice_lang": notice.language,
                    "notice_sha256": notice.sha256,
                    "act": "keyword_exact",
                    "matcher_version": "2",
                    "matched_rule": "list-word",
                    "tier": "exact",
                    "controller_name": controller.brand,
                    "controller_contact": controller.contact,
                    "actor": "person",
                    "pii_commit": commit_bytes(plain, salt),
                },
                {"event_id": event_id, "salt": salt, "sealed": seal_with(person.key, plain)},
            )


def _append(
    session: Session, controller: Controller, wanted: list[tuple[dict[str, Any], dict[str, Any]]]
) -> None:
    append(session, lock_head(session, controller.ledger), [entry for entry, _ in wanted])
    append_pii(session, [sealed for _, sealed in wanted])


def _list(controller: Controller) -> Notice:
    sender = add(
        name="bench",
        gateway=TwilioGateway,
        settings={"account_sid": "AC" + "0" * 32, "auth_token": "bench", "from": "+12025550199"},
        by="bench",
        controller=controller,
        now=START,
    )
    list_id = create_list(
        name="News",
        keyword="NEWS",
        purpose="The day's news",
        language="en",
        max_per_day=3,
        from_hour=7,
        until_hour=21,
        zone="UTC",
        sender_id=sender.id,
        is_default=True,
        by="bench",
        controller=controller,
        now=START,
    )
    with transaction() as session:
        return present_notice(session, list_id, "en")


def _table(rows: list[Measured], entries: int) -> str:
    lines = [
        "| command | database | seconds | entries/s | MB at most |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for row in rows:
        command, rate = row.command.replace(THE_ONE, "…"), entries / row.seconds
        lines.append(
            f"| `tidings {command}` | {row.database} | {row.seconds:.1f} | {rate:,.0f} | {row.megabytes:.0f} |"
        )
    return "\n".join([*lines, "", f"- {entries:,} entries, each with a sealed personal part"])


if __name__ == "__main__":
    main(prog_name="python -m bench.ledger")
