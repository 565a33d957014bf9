"""Uploaded imports: worked in turns, gone on with after a crash, deleted in time, and never twice at once."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.runtime import runtime
from app.services import import_runs, import_turns
from app.services.controller import Conflict, NotFound, Refused
from app.services.import_notebook import Notebook, read_refused
from app.services.import_rows import Evidence
from app.services.import_turns import go_on, take_forgotten, tidy
from app.services.import_uploads import KEPT, MOST_OPEN, Choices, Uploads
from app.storage.database import db
from app.storage.models import AuditEntry, ConsentEvent, ImportRun, Subscriber
from tests.services.conftest import ANNA, BERT, NOW, World

PAPER = Evidence("Paper form, town fair", datetime(2026, 5, 1, tzinfo=UTC), "Yes, text me", by="Anna Ross")
NO_TIME = timedelta(0)
"""A turn ends after its first batch of 1,000 rows."""


class Killed(BaseException):
    """What a process does not live to see."""


@pytest.fixture
def uploads(world: World) -> Uploads:
    return runtime().uploads


def upload(uploads: Uploads, world: World, text: str, name: str = "people.csv") -> int:
    return uploads.add(
        lambda path: path.write_text(text),
        name=name,
        list_id=world.list_id,
        encoding="utf-8",
        delimiter=None,
        by="Ed (#2)",
        now=NOW,
    )


def in_one_go(uploads: Uploads, import_id: int) -> int:
    """Work until there is nothing more to do; returns the number of turns."""
    turns = 1
    while go_on(uploads, import_id, clock=lambda: NOW, turn=NO_TIME):
        turns += 1
    return turns


def checked(uploads: Uploads, world: World, text: str) -> int:
    import_id = upload(uploads, world, text)
    uploads.choose(import_id, Choices({"address": "number"}, PAPER), now=NOW)
    in_one_go(uploads, import_id)
    return import_id


def run_of(import_id: int) -> ImportRun:
    db.session.rollback()
    return import_runs.find(import_id)


def many(count: int) -> str:
    """A column of numbers, with a bad one and a repeated one in each thousand."""
    rows = [f"+4477009{n:05}" for n in range(count)]
    for start in range(500, count, 1000):
        rows[start], rows[start + 1] = "12", rows[0]
    return "\n".join(["number", *rows])


def refused_lines(uploads: Uploads, import_id: int) -> list[int]:
    notebook = uploads.folder(run_of(import_id)).notebook
    return [problem.line for problem in read_refused(notebook)]


def test_turns_add_up_to_the_whole(world: World, uploads: Uploads) -> None:
    import_id = upload(uploads, world, many(2600))
    uploads.choose(import_id, Choices({"address": "number"}, PAPER), now=NOW)

    assert in_one_go(uploads, import_id) == 3 + 1  # the last finds that no row is left
    assert run_of(import_id).counts == {"imported": 2594, "duplicate": 3, "invalid": 3}
    assert db.session.scalar(select(func.count()).select_from(Subscriber)) == 0
    uploads.start(import_id, by="Ed (#2)", now=NOW)
    assert in_one_go(uploads, import_id) == 3 + 1

    run = run_of(import_id)
    assert (run.state, run.done_rows) == ("done", 2600)
    assert run.counts == {"imported": 2594, "duplicate": 3, "invalid": 3}
    assert refused_lines(uploads, import_id) == [502, 1502, 2502]
    assert db.session.scalar(select(func.count()).select_from(ConsentEvent)) == 2594


@pytest.mark.parametrize("lost", ["nothing", "the notebook"])
@pytest.mark.parametrize("place", ["before the notebook is kept", "after it is kept"])
def test_a_killed_import_goes_on_where_it_was(
    place: str, lost: str, world: World, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kill comes in the second batch, once its rows are committed."""
    import_id = checked(uploads, world, many(2600))
    uploads.start(import_id, by="Ed (#2)", now=NOW)
    go_on(uploads, import_id, clock=lambda: NOW, turn=NO_TIME)
    with monkeypatch.context() as patch:
        patch.setattr(Notebook, "keep", dying(Notebook.keep, after=place.startswith("after")))
        with pytest.raises(Killed):
            go_on(uploads, import_id, clock=lambda: NOW)
    assert run_of(import_id).done_rows == 2000
    if lost == "the notebook":
        uploads.folder(run_of(import_id)).clear_notebook()

    in_one_go(uploads, import_id)

    assert run_of(import_id).counts == {"imported": 2594, "duplicate": 3, "invalid": 3}
    assert refused_lines(uploads, import_id) == [502, 1502, 2502]
    assert db.session.scalar(select(func.count()).select_from(ConsentEvent)) == 2594


def dying(keep: Callable[[Notebook, int], None], *, after: bool) -> Callable[[Notebook, int], None]:
    def keep_and_die(notebook: Notebook, row: int) -> None:
        if after:
            keep(notebook, row)
        raise Killed

    return keep_and_die


@pytest.mark.parametrize("lost", [False, True])
def test_a_killed_check_counts_like_one_in_one_piece(
    lost: bool, world: World, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = upload(uploads, world, many(2600))
    uploads.choose(import_id, Choices({"address": "number"}, PAPER), now=NOW)
    go_on(uploads, import_id, clock=lambda: NOW, turn=NO_TIME)
    with monkeypatch.context() as patch:
        patch.setattr(Notebook, "keep", dying(Notebook.keep, after=True))
        with pytest.raises(Killed):
            go_on(uploads, import_id, clock=lambda: NOW)
    if lost:
        uploads.folder(run_of(import_id)).clear_notebook()

    in_one_go(uploads, import_id)

    assert run_of(import_id).state == "checked"
    assert run_of(import_id).counts == {"imported": 2594, "duplicate": 3, "invalid": 3}


def test_at_the_end_nothing_is_kept_but_the_refused_rows_and_those_for_a_week(
    world: World, uploads: Uploads
) -> None:
    import_id = checked(uploads, world, f"number\n{ANNA}\n12\n")
    uploads.start(import_id, by="Ed (#2)", now=NOW)
    in_one_go(uploads, import_id)
    folder = uploads.folder(run_of(import_id))

    assert not folder.file.exists()
    assert ANNA.encode() not in b"".join(path.read_bytes() for path in folder.path.iterdir())
    assert b"12" in folder.notebook.read_bytes()
    assert {path.stat().st_mode & 0o077 for path in (folder.path, folder.notebook)} == {0}
    tidy(uploads, NOW + KEPT)
    assert folder.path.exists()
    tidy(uploads, NOW + KEPT + timedelta(seconds=1))
    assert not folder.path.exists()
    assert run_of(import_id).state == "done"
    with pytest.raises(NotFound):
        uploads.folder(run_of(import_id))


def test_what_a_crash_left_at_the_end_is_tidied(world: World, uploads: Uploads) -> None:
    import_id = checked(uploads, world, f"number\n{ANNA}\n")
    uploads.start(import_id, by="Ed (#2)", now=NOW)
    in_one_go(uploads, import_id)
    folder = uploads.folder(run_of(import_id))
    folder.file.write_text(f"number\n{ANNA}\n")

    tidy(uploads, NOW)

    assert not folder.file.exists()


def test_an_upload_that_nobody_starts_goes_after_a_week(world: World, uploads: Uploads) -> None:
    import_id = checked(uploads, world, f"number\n{ANNA}\n")
    folder = uploads.folder(run_of(import_id))

    tidy(uploads, NOW + KEPT + timedelta(seconds=1))

    assert not folder.path.exists()
    with pytest.raises(NotFound):
        run_of(import_id)


def test_two_workers_do_not_work_on_one_import(world: World, uploads: Uploads) -> None:
    import_id = checked(uploads, world, f"number\n{ANNA}\n")
    uploads.start(import_id, by="Ed (#2)", now=NOW)

    with uploads.folder(run_of(import_id)).alone() as alone:
        more = go_on(uploads, import_id, clock=lambda: NOW)

    assert (alone, more, run_of(import_id).done_rows) == (True, False, 0)


def test_a_check_that_was_called_off_stores_nothing_more(world: World, uploads: Uploads) -> None:
    import_id = upload(uploads, world, many(2600))
    uploads.choose(import_id, Choices({"address": "number"}, PAPER), now=NOW)
    moments = called_off(lambda: uploads.change(import_id, now=NOW))

    assert go_on(uploads, import_id, clock=lambda: next(moments)) is False

    run = run_of(import_id)
    assert (run.state, run.done_rows, run.counts) == ("draft", 0, {})


def called_off(change: Callable[[], None]) -> Iterator[datetime]:
    """A clock that is looked at three times before somebody changes their mind."""
    yield from (NOW, NOW, NOW)
    change()
    while True:
        yield NOW


def test_a_broken_row_ends_an_import_with_the_reason_and_keeps_what_was_done(
    world: World, uploads: Uploads
) -> None:
    import_id = upload(uploads, world, f'{many(1000)}\n"open')
    uploads.choose(import_id, Choices({"address": "number"}, PAPER), now=NOW)
    in_one_go(uploads, import_id)

    run = run_of(import_id)
    assert (run.state, run.counts) == ("failed", {})
    assert run.problem is not None
    assert "line 1002: this is no CSV" in run.problem
    assert not uploads.folder(run).file.exists()
    assert "subscribers.import_failed" in db.session.scalars(select(AuditEntry.action)).all()


def test_a_file_that_is_on_another_machine_ends_it_with_the_reason(world: World, uploads: Uploads) -> None:
    import_id = checked(uploads, world, f"number\n{ANNA}\n")
    uploads.start(import_id, by="Ed (#2)", now=NOW)
    uploads.folder(run_of(import_id)).delete()

    in_one_go(uploads, import_id)

    assert run_of(import_id).problem == "Nothing of this file is kept on this machine any more."


def test_what_nobody_works_on_is_found_once(world: World, uploads: Uploads) -> None:
    import_id = upload(uploads, world, f"number\n{ANNA}\n")
    later = NOW + timedelta(minutes=1)
    assert take_forgotten(later) == []
    uploads.choose(import_id, Choices({"address": "number"}, PAPER), now=NOW)

    assert take_forgotten(NOW + timedelta(seconds=20)) == []
    assert take_forgotten(later) == [import_id]
    assert take_forgotten(later) == []


def test_files_that_nobody_starts_do_not_fill_the_disk(world: World, uploads: Uploads) -> None:
    for n in range(MOST_OPEN):
        upload(uploads, world, f"number\n{n}\n")

    with pytest.raises(Refused, match="20 files that nobody has started"):
        upload(uploads, world, f"number\n{BERT}\n")
    assert len(list((runtime().settings.home / "imports").iterdir())) == MOST_OPEN


def test_a_second_start_is_refused(world: World, uploads: Uploads) -> None:
    import_id = checked(uploads, world, f"number\n{ANNA}\n")
    uploads.start(import_id, by="Ed (#2)", now=NOW)

    with pytest.raises(Conflict):
        uploads.start(import_id, by="Ed (#2)", now=NOW)
    with pytest.raises(Conflict):
        uploads.discard(import_id, by="Ed (#2)", now=NOW)


def test_what_is_gone_is_left_alone(world: World, uploads: Uploads) -> None:
    assert go_on(uploads, 99, clock=lambda: NOW) is False
    assert import_turns.take_forgotten(NOW) == []
