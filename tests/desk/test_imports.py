"""Imports at the desk: a file, its columns, the evidence, a dry run, the import, and nobody brought back who left."""

import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.clock import utcnow
from app.desk.access import allow
from app.desk.import_forms import LARGEST
from app.domain.addresses import Address
from app.queue import LANE, import_is_awake
from app.runtime import runtime
from app.services import import_turns, suppressions
from app.services.import_uploads import MOST_COLUMNS
from app.services.manage_subscribers import suppress
from app.storage.database import db
from app.storage.models import (
    AuditEntry,
    BroadcastList,
    ConsentEvent,
    ImportRun,
    OwnMessage,
    Subscriber,
    Subscription,
)
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words
from tests.support.world import number

HEADER = "Phone;Vorname;Stadt\n"
EVIDENCE: dict[str, object] = {
    "source": "Paper form 2, town fair",
    "day": "2026-03-01",
    "hour": "",
    "words": "Yes, text me the news",
    "by": "",
    "region": "US",
    "how": "join",
}
COLUMNS: dict[str, object] = {"column-0": "address", "column-1": "first_name", "column-2": ""}


def send(
    visitor: Visitor, text: str | bytes, *, name: str = "fair.csv", encoding: str = "utf-8", **more: object
) -> TestResponse:
    """Upload a file into the first list; returns the answer to the form."""
    visitor.get("/imports/new")
    content = text if isinstance(text, bytes) else text.encode()
    form = {
        "list_id": "1",
        "encoding": encoding,
        "delimiter": "",
        "file": (io.BytesIO(content), name),
        **more,
    }
    return visitor.post("/imports/new", form)


def draft(visitor: Visitor, text: str) -> str:
    """Upload a file; returns the path of its import."""
    answer = send(visitor, text)
    assert answer.status_code == 302, words(answer)
    return answer.location


def checked(house: House, visitor: Visitor, text: str, **said: object) -> str:
    """Upload a file, say what it is, and let the workers look through it."""
    path = draft(visitor, text)
    visitor.submit(f"{path}/check", {**COLUMNS, **EVIDENCE, **said})
    work(house)
    return path


def work(house: House) -> None:
    """Do what lies on the queue, as a worker does."""
    with house.inside():
        while waiting := woken():
            for import_id in waiting:
                while import_turns.go_on(runtime().uploads, import_id, clock=utcnow):
                    pass


def woken() -> list[int]:
    """Take what lies on the queue."""
    queue = Queue(LANE, connection=runtime().redis, serializer=JSONSerializer)
    ids = [job.kwargs["import_id"] for job in queue.jobs]
    queue.empty()
    for import_id in ids:
        import_is_awake(import_id)
    return ids


def states() -> dict[str, str]:
    rows = select(Subscriber.address, Subscription.state).join(
        Subscription, Subscription.subscriber_id == Subscriber.id
    )
    return {address: state for address, state in db.session.execute(rows)}


def kept_files(house: House) -> set[str]:
    with house.inside():
        return {path.name for path in (runtime().settings.home / "imports").glob("*/*")}


@pytest.mark.parametrize(
    ("language", "columns", "verdict", "button", "done"),
    [
        (
            "en",
            "What the columns are",
            "New on the list 2",
            "Import 2 people",
            "The uploaded file is deleted.",
        ),
        (
            "de",
            "Was die Spalten sind",
            "Neu auf der Liste 2",
            "2 Personen importieren",
            "Datei ist gelöscht.",
        ),
    ],
)
def test_an_editor_imports_a_file_from_its_columns_to_the_report(
    language: str,
    columns: str,
    verdict: str,
    button: str,
    done: str,
    house: House,
    visit: Callable[..., Visitor],
) -> None:
    editor = visit(Role.EDITOR, language)
    path = draft(editor, f"{HEADER}{number(1)};Jürgen;Köln\n{number(2)};=Bert;Bonn\n{number(2)};;\n12;;\n")
    page = words(editor.get(path))
    assert columns in page
    assert "Jürgen" in page

    editor.submit(f"{path}/check", {**COLUMNS, **EVIDENCE})
    work(house)
    page = words(editor.get(path))

    assert verdict in page
    assert button in page
    assert "Paper form 2, town fair" in page
    with house.inside():
        assert states() == {}

    editor.submit(f"{path}/start")
    work(house)
    page = words(editor.get(path))

    assert verdict in page
    assert done in page
    assert "fair.csv" in words(editor.get("/imports"))
    with house.inside():
        assert states() == {number(1): "active", number(2): "active"}
        assert {"first_name": "Jürgen"} in db.session.scalars(select(Subscriber.attributes)).all()
    assert kept_files(house) == {"lock", "notebook.sqlite"}


def test_people_leads_to_the_imports(editor: Visitor) -> None:
    assert 'href="/imports"' in editor.get("/people").text
    assert "Nobody has imported a file yet." in words(editor.get("/imports"))


def test_whoever_left_or_must_not_be_written_to_stays_away_in_every_spelling(
    house: House, editor: Visitor
) -> None:
    with house.inside() as newsroom:
        newsroom.now = utcnow() - timedelta(hours=1)
        newsroom.text("START", "+442079460001")
        newsroom.text("STOP", "+442079460001")
        for address in ("+447700900123", "+447700900124"):
            suppress(address, reason="tests", by="ops", controller=newsroom.controller, now=newsroom.now)
    spellings = ("0044 7700 900123", "+44 (0)7700 900124", "＋４４７７００９００１２３", "+442079460001")
    path = checked(house, editor, HEADER + "".join(f"{one};;\n" for one in spellings))
    page = words(editor.get(path))

    assert "Refused: must never be written to 2" in page
    assert "Refused: said STOP before, or the consent ended otherwise 1" in page
    assert "More than once in the file: counted once 1" in page
    assert "Nobody would be new on the list" in page
    editor.submit(f"{path}/start")
    work(house)

    with house.inside() as newsroom:
        assert states() == {"+442079460001": "stopped"}
        assert db.session.scalar(select(func.count()).select_from(Subscriber)) == 1
        assert suppressions.suppressed(db.session(), newsroom.controller.keys, [sms("+447700900123")])


def sms(value: str) -> Address:
    return Address("sms", value)


def test_the_form_for_a_file_names_what_is_missing(editor: Visitor) -> None:
    editor.get("/imports/new")

    answer = editor.post("/imports/new", {"list_id": "99", "encoding": "", "delimiter": "?"})

    assert answer.status_code == 422
    for said in (
        "Choose a list.",
        "Choose a file.",
        "Say how the file is written.",
        "Choose what stands between",
    ):
        assert said in words(answer)


def test_a_form_that_comes_back_says_that_the_file_must_be_chosen_again(
    editor: Visitor, visit: Callable[..., Visitor]
) -> None:
    answer = send(editor, HEADER, encoding="")

    assert answer.status_code == 422
    assert "Say how the file is written." in words(answer)
    assert "Choose the file “fair.csv” again" in words(answer)
    german = send(visit(Role.EDITOR, "de"), HEADER, encoding="")
    assert "Wählen Sie die Datei „fair.csv“ noch einmal" in words(german)


@pytest.mark.parametrize(
    ("content", "encoding", "said"),
    [
        (
            "Telefon\nMüller".encode("cp1252"),
            "utf-8",
            "line 2: the file is not written in utf-8. Choose another way",
        ),
        (b"PK\x03\x04rest", "utf-8", "is a workbook or another packed file"),
        (b"", "utf-8", "fair.csv is empty"),
        (b"a,b;c\n1,2;3\n", "utf-8", "Choose which under “Between the cells”"),
        (b"a;a\n1;2\n", "utf-8", "has the column “a” twice"),
        (b'a;b\n"1;2\n', "utf-8", None),
        (";".join(f"c{n}" for n in range(MOST_COLUMNS + 1)).encode(), "utf-8", "it may have 100"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_with_what_to_do_and_not_kept(
    content: bytes, encoding: str, said: str | None, house: House, editor: Visitor
) -> None:
    answer = send(editor, content, encoding=encoding)

    if said is None:  # what is broken further down is found by the check
        path = answer.location
        editor.submit(f"{path}/check", {"column-0": "address", "column-1": "", **EVIDENCE})
        work(house)
        page = words(editor.get(path))
        assert "line 2: this is no CSV" in page
        assert "Nothing was imported." in page
        return
    assert answer.status_code == 422
    assert said in words(answer)
    assert "--" not in words(answer)
    assert kept_files(house) == set()


def test_an_encoding_is_taken_as_it_was_said(editor: Visitor) -> None:
    answer = send(editor, "Phone;Name\n+12025550101;Müller\n".encode("cp1252"), encoding="cp1252")

    page = words(editor.get(answer.location))

    assert "Müller" in page
    assert "Read as Windows, Western Europe" in page


def send_bytes(visitor: Visitor, size: int) -> TestResponse:
    """Upload that many bytes, in a body of our own making: the test client leaves a large one of its own open."""
    visitor.get("/imports/new")
    parts = (
        b'--edge\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n' + visitor.token.encode(),
        b'--edge\r\nContent-Disposition: form-data; name="file"; filename="fair.csv"\r\n\r\n' + b"1" * size,
        b"--edge--\r\n",
    )
    return visitor.client.post(
        "/imports/new", data=b"\r\n".join(parts), content_type="multipart/form-data; boundary=edge"
    )


def test_a_file_that_is_too_large_is_refused_in_words(editor: Visitor) -> None:
    view = editor.client.application.view_functions["imports.upload"]
    allow(Role.EDITOR, largest=2_000_000)(view)
    try:
        fits, too_large = send_bytes(editor, 1_900_000), send_bytes(editor, 2_100_000)
    finally:
        allow(Role.EDITOR, largest=LARGEST)(view)

    assert fits.status_code == 422  # for want of a list, not of room
    assert too_large.status_code == 413
    assert "At most 2 MB can be sent at once." in words(too_large)


def test_only_who_may_import_may_send_more_than_a_form(visit: Callable[..., Visitor]) -> None:
    stranger = visit()
    stranger.get("/sign-in")

    assert send_bytes(stranger, 1_100_000).status_code == 413


def test_columns_and_evidence_that_are_missing_are_named_and_nothing_is_checked(
    house: House, editor: Visitor
) -> None:
    path = draft(editor, f"{HEADER}{number(1)};Anna;Bonn\n")
    tomorrow = (utcnow() + timedelta(days=2)).date().isoformat()

    for wrong, said in (
        ({"column-0": ""}, "Say which column holds the number."),
        ({"column-1": "address"}, "“Number or address” is said of two columns."),
        ({"column-1": "nonsense"}, "Choose what this column is."),
        ({"source": ""}, "Say where and how these people agreed"),
        ({"day": ""}, "Say on which day these people agreed"),
        ({"day": tomorrow}, "This is in the future."),
        ({"words": " "}, "Write the words to which these people agreed"),
        ({"words": "x" * 2001}, "This may have 2000 characters."),
        ({"how": "guess"}, "Choose what is to become of them."),
        ({"region": "Germany"}, "Write a country as two letters"),
    ):
        answer = editor.post(f"{path}/check", {**COLUMNS, **EVIDENCE, **wrong})
        assert answer.status_code == 422, wrong
        assert said in words(answer)
    with house.inside():
        assert woken() == []
        assert db.session.scalars(select(ImportRun.state)).all() == ["draft"]


def test_evidence_may_stand_in_the_rows(house: House, editor: Visitor) -> None:
    text = (
        "number,consent_at,consent_source,consent_text\n"
        f'{number(1)},2026-02-03,Web form,"Yes, send me the news"\n{number(2)},,Web form,Yes\n'
    )
    path = draft(editor, text)
    editor.submit(f"{path}/check", proposed_by(editor, path))
    work(house)

    page = words(editor.get(path))

    assert "New on the list 1" in page
    assert "consent_at “”: The moment of consent is empty." in page


def proposed_by(editor: Visitor, path: str) -> dict[str, object]:
    """What a browser posts when the form is sent as it came."""
    assert "consent_at" in editor.get(path).text
    fields = ("address", "consent_at", "consent_source", "consent_text")
    columns: dict[str, object] = {f"column-{place}": field for place, field in enumerate(fields)}
    return {**columns, "region": "US", "how": "join"}


def test_the_ledger_keeps_who_vouched_the_file_and_the_fingerprint_of_the_paper(
    house: House, editor: Visitor
) -> None:
    paper = (io.BytesIO(b"a scanned form"), "form.pdf")
    path = checked(house, editor, f"{HEADER}{number(1)};;\n", document=paper)
    editor.submit(f"{path}/start")
    work(house)

    with house.inside():
        run = db.session.scalars(select(ImportRun)).one()
        event = db.session.scalars(select(ConsentEvent)).one()
        actions = db.session.scalars(select(AuditEntry.action).where(AuditEntry.subject == "import 1")).all()
        assert run.choices["evidence"]["by"] == "Editor Berg"
        assert len(run.choices["evidence"]["document"]) == 64
        assert event.actor == f"operator:Editor Berg (#{house.ids[Role.EDITOR]})"
        assert event.act == "import_attested"
        assert sorted(actions) == ["import.start", "import.upload", "subscribers.import"]


def test_a_list_can_be_asked_instead_of_subscribed(house: House, editor: Visitor) -> None:
    path = checked(house, editor, f"{HEADER}{number(1)};;\n", how="ask")
    assert "Ask 1 person" in words(editor.get(path))
    editor.submit(f"{path}/start")
    work(house)

    assert "Asked by text; on the list only when they say yes 1" in words(editor.get(path))
    with house.inside():
        assert states() == {number(1): "pending"}
        assert db.session.scalar(select(func.count()).select_from(OwnMessage)) == 1


def test_what_is_pressed_twice_happens_once(house: House, editor: Visitor) -> None:
    text = f"{HEADER}{number(1)};;\n"
    path = draft(editor, text)
    assert draft(editor, text) == path
    for _ in range(2):
        editor.submit(f"{path}/check", {**COLUMNS, **EVIDENCE})
    work(house)

    for _ in range(2):
        editor.submit(f"{path}/start")
    with house.inside():
        assert woken() == [1]
        while import_turns.go_on(runtime().uploads, 1, clock=utcnow):
            pass
    editor.submit(f"{path}/start")

    with house.inside():
        assert woken() == []
        assert db.session.scalar(select(func.count()).select_from(ConsentEvent)) == 1
        assert db.session.scalar(select(func.count()).select_from(ImportRun)) == 1


def test_nothing_starts_that_was_not_checked(house: House, editor: Visitor) -> None:
    path = draft(editor, f"{HEADER}{number(1)};;\n")

    editor.submit(f"{path}/start")

    with house.inside():
        assert woken() == []
        assert db.session.scalars(select(ImportRun.state)).all() == ["draft"]


def test_what_was_said_can_be_changed_after_the_check(house: House, editor: Visitor) -> None:
    path = checked(house, editor, f"{HEADER}{number(1)};Anna;Bonn\n", words="Yess")

    page = editor.submit(f"{path}/change")

    assert "Yess" in page.text
    assert '<option value="first_name" selected>' in page.text
    editor.submit(f"{path}/check", {**COLUMNS, **EVIDENCE})
    work(house)
    assert "New on the list 1" in words(editor.get(path))


@pytest.mark.parametrize(
    ("language", "reason"), [("en", "has too few digits"), ("de", "hat zu wenige Ziffern")]
)
def test_refused_rows_come_as_a_csv_with_the_reason_in_the_cell_and_no_formula(
    language: str, reason: str, house: House, visit: Callable[..., Visitor]
) -> None:
    editor = visit(Role.EDITOR, language)
    path = checked(house, editor, "Phone;=name;town\n+1202;=1+1;+cmd|' /C calc'!A0\n")
    editor.get(path)

    answer = editor.post(f"{path}/refused.csv")

    header, row = answer.text.removeprefix("\ufeff").splitlines()
    assert answer.headers["Content-Disposition"] == 'attachment; filename="refused-import-1.csv"'
    assert header == "import_line;import_problem;Phone;'=name;town"
    assert reason in row
    assert row.endswith("+1202;'=1+1;'+cmd|' /C calc'!A0")
    with house.inside():
        assert "import.refused_rows" in db.session.scalars(select(AuditEntry.action)).all()


def test_every_reason_for_which_a_row_is_refused_has_its_german(
    house: House, visit: Callable[..., Visitor]
) -> None:
    german = visit(Role.EDITOR, "de")
    rows = ("12", "1.2E+10", "#REF!", "abc", "+999123456", "", "12025550101.00", "+4412345678901234")
    cells = "".join(f"{row};{number(1)};;\n" for row in rows)
    text = f"Phone;x;consent_at;language\n{cells}{number(1)};;soon;\n{number(2)};;2999-01-01;\n{number(3)};;;deutsch\n"
    path = draft(german, text)
    columns = {"column-0": "address", "column-1": "", "column-2": "consent_at", "column-3": "language"}
    german.submit(f"{path}/check", {**columns, **EVIDENCE})
    work(house)

    csv = german.post(f"{path}/refused.csv").text

    assert len(csv.splitlines()) == 12
    assert [
        line for line in csv.splitlines()[1:] if " the " in line or "Write" in line or " is " in line
    ] == []


def test_what_was_imported_before_a_broken_row_stays_and_is_said(house: House, editor: Visitor) -> None:
    path = checked(house, editor, f"{HEADER}{number(1)};;\n")
    editor.submit(f"{path}/start")
    with house.inside():
        run = db.session.scalars(select(ImportRun)).one()
        db.session.get_one(BroadcastList, run.list_id).archived_at = utcnow()
        db.session.commit()
    work(house)

    page = words(editor.get(path))

    assert "Broken off" in page
    assert "is archived; nobody can join it any more." in page
    assert "Nothing was imported." in page


def test_others_files_are_listed_and_not_opened(house: House, editor: Visitor, admin: Visitor) -> None:
    path = checked(house, admin, f"{HEADER}{number(1)};;\n")

    assert "fair.csv" in words(editor.get("/imports"))
    assert f'href="{path}"' not in editor.get("/imports").text
    assert editor.get(path).status_code == 403
    assert editor.get(f"{path}/live").status_code == 403
    for act in ("check", "change", "start", "discard", "refused.csv"):
        assert editor.post(f"{path}/{act}").status_code == 403
        assert admin.post(f"/imports/99/{act}").status_code == 404
    with house.inside():
        assert db.session.scalars(select(ImportRun.state)).all() == ["checked"]


def test_an_admin_sees_and_discards_what_an_editor_brought_but_does_not_start_it(
    house: House, editor: Visitor, admin: Visitor
) -> None:
    path = draft(editor, f"{HEADER}{number(1)};;\n")
    assert "has not said yet what its columns are" in words(admin.get(path))
    assert admin.post(f"{path}/refused.csv").text == "\ufeffimport_line,import_problem\n"
    editor.get(path)
    editor.submit(f"{path}/check", {**COLUMNS, **EVIDENCE})
    work(house)

    assert "Import 1 person" not in words(admin.get(path))
    assert admin.post(f"{path}/start").status_code == 403
    assert "The file is deleted. Nothing was imported." in words(admin.submit(f"{path}/discard"))
    assert editor.get(path).status_code == 404
    assert kept_files(house) == set()


def test_the_page_asks_again_while_the_workers_are_at_it(house: House, editor: Visitor) -> None:
    path = draft(editor, f"{HEADER}{number(1)};;\n")
    page = editor.submit(f"{path}/check", {**COLUMNS, **EVIDENCE})
    assert f'hx-get="{path}/live"' in page.text
    assert "Being checked" in words(page)

    work(house)

    fragment = editor.get(f"{path}/live", HX_Request="true")
    assert "data-poll" not in fragment.text
    assert "Import 1 person" in words(fragment)


def test_an_import_of_the_command_line_is_listed_too(house: House, admin: Visitor) -> None:
    with house.inside():
        now = utcnow()
        run = ImportRun(
            list_id=1, state="done", file_name="cli.csv", file_sha256="0" * 64, file_lines=2, fingerprint="1" * 64,
            choices={}, actor="ops", done_rows=1, done_line=2, counts={"imported": 1}, created_at=now,
            updated_at=now, finished_at=now,
        )  # fmt: skip
        db.session.add(run)
        db.session.commit()

    assert "of 1 rows" in words(admin.get("/imports"))
    page = words(admin.get("/imports/1"))
    assert "New on the list 1" in page
    assert "No file is kept here any more." in page
