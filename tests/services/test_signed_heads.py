"""Signed heads: made once a day, kept outside, and what they find when the database itself can be believed no more."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Table, delete, func, select, text, update
from sqlalchemy.orm import Session

from app.domain.ledger import leaf_hash, merkle_root
from app.domain.sealing import KeyRing
from app.domain.tree_heads import SignedHead
from app.services.controller import Refused
from app.services.head_files import read
from app.services.rebuild_subscriptions import rebuild
from app.services.sign_heads import export, list_heads, sign, sign_heads
from app.services.verify_ledger import BadEntry, Kept, verify
from app.storage.append_only import AppendOnlyError
from app.storage.database import Model, db, is_sqlite, transaction
from app.storage.models import ConsentEvent, ConsentPii, Notice, Subject, TreeHead
from tests.services.conftest import ANNA, BERT, NOW, World
from tests.support.tampering import tamper, unguard, write_anew
from tests.support.world import Newsroom

DAY = timedelta(days=1)


@pytest.fixture
def told(world: World) -> World:
    """Six entries: Anna came and went, Bert stayed, and asked again."""
    world.text(ANNA, "NEWS", NOW)
    world.text(BERT, "NEWS", NOW + timedelta(minutes=1))
    world.text(ANNA, "STOP", NOW + timedelta(minutes=2))
    world.text(ANNA, "NEWS", NOW + timedelta(minutes=3))
    return world


def bad_of(world: World, folder: Path | None = None) -> BadEntry:
    found = verify(controller=world.controller, kept=Kept(folder=folder)).bad
    db.session.rollback()
    assert found is not None
    return found


def seqs() -> int:
    found = db.session.scalar(select(func.max(ConsentEvent.seq)))
    db.session.rollback()
    assert found is not None
    return found


def test_a_signed_head_fits_a_ledger_that_has_only_grown(told: World, tmp_path: Path) -> None:
    first = sign(tmp_path, controller=told.controller, now=NOW)
    told.text(BERT, "STOP", NOW + timedelta(hours=1))
    second = sign(tmp_path, controller=told.controller, now=NOW + timedelta(hours=2))

    verdict = verify(controller=told.controller, kept=Kept(folder=tmp_path))

    assert (verdict.bad, verdict.problems, verdict.heads) == (None, (), 2)
    assert (verdict.count, verdict.root, verdict.newest_head) == (second.tree_size, second.root, second.time)
    assert first.tree_size < second.tree_size
    assert first.is_signed()
    assert first.public_key == told.controller.keys.public_key
    assert sorted(read(tmp_path)[0], key=lambda head: head.time) == [first, second]


def test_t15_a_changed_byte_a_lost_row_and_swapped_rows_are_named_by_their_number(
    told: World, tmp_path: Path
) -> None:
    end = seqs()
    with transaction() as session:
        rows = [dict(row) for row in session.execute(select(ConsentEvent.__table__)).mappings()]
    fourth = next(row for row in rows if row["seq"] == 4)
    fifth = next(row for row in rows if row["seq"] == 5)

    tamper(update(ConsentEvent).where(ConsentEvent.seq == 3).values(actor="Person"))
    flipped = bad_of(told)
    tamper(update(ConsentEvent).where(ConsentEvent.seq == 3).values(actor=rows[2]["actor"]))
    assert verify(controller=told.controller).bad is None
    tamper(update(ConsentEvent).where(ConsentEvent.seq == 4).values(seq=99))
    tamper(update(ConsentEvent).where(ConsentEvent.seq == 5).values(seq=4))
    tamper(update(ConsentEvent).where(ConsentEvent.seq == 99).values(seq=5))
    swapped = bad_of(told)
    tamper("DELETE FROM consent_pii")
    tamper(delete(ConsentEvent).where(ConsentEvent.event_id == fifth["event_id"]))
    lost = bad_of(told)

    assert (flipped.seq, flipped.event_id, "content" in flipped.reason) == (3, rows[2]["event_id"], True)
    assert (swapped.seq, "prev_hash" in swapped.reason) == (4, True)
    assert (lost.seq, f"entry {fourth['seq'] + 1} stands" in lost.reason) == (4, True)
    assert end > 5


def test_t15_a_tail_cut_after_a_signed_head_is_found_by_the_exported_head(
    told: World, tmp_path: Path
) -> None:
    end = seqs()
    sign(tmp_path, controller=told.controller, now=NOW + DAY)
    tamper("DELETE FROM tree_head")
    write_anew(dropping=[end])

    assert verify(controller=told.controller).bad is None
    bad = bad_of(told, tmp_path)
    assert (bad.seq, f"covers {end} entries" in bad.reason, "cut off" in bad.reason) == (end, True, True)


def test_t15_a_ledger_written_anew_is_found_and_the_newest_head_that_fits_narrows_it_down(
    told: World, tmp_path: Path
) -> None:
    sign(tmp_path, controller=told.controller, now=NOW)
    first, end = list_heads(controller=told.controller)[0].tree_size, seqs()
    told.text(BERT, "STOP", NOW + timedelta(hours=1))
    sign(tmp_path, controller=told.controller, now=NOW + timedelta(hours=2))
    told.text(BERT, "NEWS", NOW + timedelta(hours=3))
    tamper("DELETE FROM tree_head")

    write_anew(dropping=[end + 1])
    narrowed = bad_of(told, tmp_path)
    write_anew(controller_name="Somebody else")
    whole = bad_of(told, tmp_path)

    assert verify(controller=told.controller).bad is None
    assert (narrowed.seq, "rewritten" in narrowed.reason) == (first + 1, True)
    assert (whole.seq, f"from here to {first}" in whole.reason) == (1, True)


def test_a_head_that_is_forged_altered_or_signed_with_another_key_is_no_evidence_and_is_named(
    told: World, tmp_path: Path
) -> None:
    stranger = replace(told.controller, keys=KeyRing(bytes(32)))
    head = sign(tmp_path, controller=stranger, now=NOW)
    file = next(tmp_path.glob("*.head.json"))
    file.with_name("altered.head.json").write_text(file.read_text().replace(head.root, "0" * 64))
    file.with_name("torn.head.json").write_text("{")

    verdict = verify(controller=told.controller, kept=Kept(folder=tmp_path))
    known = verify(controller=told.controller, kept=Kept(public_keys=[head.public_key]))

    assert (verdict.bad, verdict.heads) == (None, 0)
    assert sorted(problem.partition(": ")[0].split()[-1] for problem in verdict.problems)
    words = " ".join(verdict.problems)
    assert all(part in words for part in ("torn.head.json is no signed head", "not ours", "forged"))
    assert (known.problems, known.heads) == ((), 1)


def test_nothing_is_signed_that_contradicts_the_head_before(told: World, tmp_path: Path) -> None:
    sign(tmp_path, controller=told.controller, now=NOW)
    write_anew(controller_name="Somebody else")

    with pytest.raises(Refused, match="nothing is signed"):
        sign(tmp_path, controller=told.controller, now=NOW + DAY)


def test_a_head_is_signed_once_a_day_however_often_the_clock_looks(told: World, tmp_path: Path) -> None:
    signed = [
        sign_heads(tmp_path, controller=told.controller, now=NOW + timedelta(hours=hour))
        for hour in (0, 1, 11, 12, 30)
    ]

    assert [head is not None for head in signed] == [True, False, False, True, False]
    assert len(list(tmp_path.glob("*.head.json"))) == 2


def test_a_head_that_cannot_be_exported_is_not_kept_either(told: World, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")

    with pytest.raises(Refused, match="cannot be written"):
        sign(blocked, controller=told.controller, now=NOW)
    assert list_heads(controller=told.controller) == []


def test_exporting_writes_what_is_missing_and_never_over_what_is_there(told: World, tmp_path: Path) -> None:
    head = sign(tmp_path / "own", controller=told.controller, now=NOW)

    first = export(tmp_path / "stick", controller=told.controller)
    again = export(tmp_path / "stick", controller=told.controller)

    assert (len(first), again) == (1, [])
    assert SignedHead(**{k: v for k, v in json.loads(first[0].read_text()).items() if k != "format"}) == head


def test_the_sends_of_a_day_are_one_file_outside_and_one_root_in_the_ledger(
    newsroom: Newsroom, tmp_path: Path
) -> None:
    newsroom.join(3)
    newsroom.broadcast()
    newsroom.send()
    today = sign_heads(tmp_path, controller=newsroom.controller, now=newsroom.now)
    newsroom.later(days=1)
    tomorrow = sign_heads(tmp_path, controller=newsroom.controller, now=newsroom.now)
    newsroom.later(days=1)
    sign_heads(tmp_path, controller=newsroom.controller, now=newsroom.now)

    (file,) = tmp_path.glob("*.jsonl.gz")
    lines = gzip.decompress(file.read_bytes()).splitlines()
    (event,) = db.session.scalars(select(ConsentEvent).where(ConsentEvent.event_type == "send_log_root"))
    said = json.loads(event.statement or "")
    assert [json.loads(line)["status"] for line in lines] == ["sent"] * 3
    assert json.loads(lines[0]).keys() == {"broadcast_id", "consent_seq", "status", "subject_ref", "time"}
    assert (said["count"], said["root"]) == (3, merkle_root(map(leaf_hash, lines)))
    assert (said["from"], said["until"]) == (None, "2026-03-03T00:00:00.000Z")
    assert today is not None
    assert tomorrow is not None
    assert tomorrow.tree_size == today.tree_size + 1 == event.seq
    assert rebuild(controller=newsroom.controller, repair=False, now=newsroom.now).differing == 0
    db.session.rollback()

    assert verify(controller=newsroom.controller, kept=Kept(folder=tmp_path)).bad is None
    file.chmod(0o644)
    file.write_bytes(gzip.compress(b"\n".join(lines[1:])))
    bad = verify(controller=newsroom.controller, kept=Kept(folder=tmp_path)).bad
    assert bad is not None
    assert (bad.seq, file.name in bad.reason) == (event.seq, True)


@pytest.mark.parametrize("table", ["consent_event", "notice", "tree_head"])
def test_t17_no_way_of_changing_or_deleting_is_open(told: World, tmp_path: Path, table: str) -> None:
    sign(tmp_path, controller=told.controller, now=NOW)
    model = {"consent_event": ConsentEvent, "notice": Notice, "tree_head": TreeHead}[table]
    column = {"consent_event": "actor", "notice": "text", "tree_head": "root"}[table]
    with transaction() as session:
        row = dict(session.execute(select(model.__table__)).mappings().first() or {})

    def orm_update() -> None:
        with transaction() as session:
            setattr(session.scalars(select(model)).first(), column, "x")

    def orm_delete() -> None:
        with transaction() as session:
            session.delete(session.scalars(select(model)).first())

    def run(statement: object) -> None:
        with transaction() as session:
            if statement == "replace":
                verb = "INSERT OR REPLACE" if is_sqlite(session) else "INSERT"
                ending = f" ON CONFLICT DO UPDATE SET {column} = 'x'"
                target = "" if is_sqlite(session) else _on_conflict(table, ending)
                _replace(session, verb, table, row | {column: "x"}, target)
            else:
                session.execute(statement if not isinstance(statement, str) else text(statement))

    ways = [
        orm_update,
        orm_delete,
        lambda: run(update(model).values({column: "x"})),
        lambda: run(delete(model)),
        lambda: run(model.__table__.update().values({column: "x"})),
        lambda: run(f"UPDATE {table} SET {column} = 'x'"),
        lambda: run(f"DELETE FROM {table}"),
        lambda: run("replace"),
    ]
    for way in ways:
        with pytest.raises(Exception, match="append-only"):
            way()
    with transaction() as session:
        assert dict(session.execute(select(model.__table__)).mappings().first() or {}) == row


@pytest.mark.parametrize("model", [ConsentEvent, Notice, TreeHead, ConsentPii, Subject])
def test_t17_code_of_ours_is_refused_before_the_database_is_asked(
    told: World, tmp_path: Path, model: type[Model]
) -> None:
    sign(tmp_path, controller=told.controller, now=NOW)
    table: Table = model.__table__  # type: ignore[assignment]  # a mapped class's table is typed as FromClause
    column = {"consent_event": "actor", "notice": "text", "tree_head": "root"}.get(table.name, "salt")
    with transaction() as session:
        unguard(session)  # the triggers are gone, so what refuses now is the guard
        rows = session.execute(select(table)).all()
        ways: list[Callable[[Session], object]] = [
            lambda session: session.delete(session.scalars(select(model)).first()),
            lambda session: session.execute(delete(model)),
            lambda session: session.execute(table.delete()),
        ]
        if model is not Subject:  # whose data key is wrapped anew under a new master key
            ways += [
                lambda session: setattr(session.scalars(select(model)).first(), column, b"x"),
                lambda session: session.execute(update(model).values({column: "x"})),
                lambda session: session.execute(table.update().values({column: "x"})),
            ]
    for way in ways:
        with pytest.raises(AppendOnlyError, match=table.name), transaction() as session:
            way(session)
    with transaction() as session:
        assert session.execute(select(table)).all() == rows


def test_t17_what_looks_changed_but_is_the_same_is_no_change(told: World) -> None:
    with transaction() as session:
        first = session.scalars(select(ConsentEvent)).first()
        assert first is not None
        first.actor = str(first.actor)


def _on_conflict(table: str, ending: str) -> str:
    key = "event_id" if table == "consent_event" else "id"
    return ending.replace("CONFLICT", f"CONFLICT ({key})")


def _replace(session: object, verb: str, table: str, row: dict[str, object], ending: str) -> None:
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    session.execute(text(f"{verb} INTO {table} ({names}) VALUES ({values}){ending}"), row)  # type: ignore[attr-defined]
