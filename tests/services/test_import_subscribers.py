"""Imports: evidence or nothing, never against a STOP, the same numbers dry or wet, and once is enough."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from app.services import import_runs, manage_lists, manage_subscribers
from app.services.controller import Conflict, NotFound, Refused
from app.services.import_file import open_table
from app.services.import_plan import Ears, ImportOptions, ImportReport, make_plan
from app.services.import_rejects import RejectsFile
from app.services.import_rows import Evidence, RowProblem
from app.services.import_subscribers import import_subscribers, work
from app.services.import_verdicts import Verdict
from app.services.prove_consent import prove
from app.services.rebuild_subscriptions import rebuild
from app.services.verify_ledger import verify
from app.storage.database import db, transaction
from app.storage.models import (
    BroadcastList,
    ConsentEvent,
    Delivery,
    InboundRow,
    LedgerHead,
    Subscriber,
    Subscription,
)
from tests.services.conftest import ANNA, BERT, CARA, NOW, World

PAPER = Evidence("Paper form, town fair", datetime(2026, 5, 1, tzinfo=UTC), "Yes, text me", by="Anna Ross")
HEADER = "number,first_name,consent_at,consent_source,consent_text"


class Importer:
    """Writes a file and imports it into “News”, collecting the rows that were not taken."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.path = folder / "people.csv"
        self.problems: list[RowProblem] = []

    def run(
        self,
        text: str | bytes,
        *,
        evidence: Evidence = PAPER,
        dry_run: bool = False,
        ears: Ears | None = None,
        **options: Any,
    ) -> ImportReport:
        self.path.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.problems = []
        return self.import_file(ImportOptions(by="ops", evidence=evidence, dry_run=dry_run, **options), ears)

    def import_file(self, options: ImportOptions, ears: Ears | None = None) -> ImportReport:
        return import_subscribers(
            self.path,
            list_name="news",
            options=options,
            controller=self.world.controller,
            clock=lambda: NOW,
            ears=ears or Ears(problem=self.problems.append),
        )


@pytest.fixture
def importer(world: World, tmp_path: Path) -> Importer:
    return Importer(world, tmp_path)


def states() -> dict[str, str]:
    rows = db.session.execute(
        select(Subscriber.address, Subscription.state).join(
            Subscription, Subscription.subscriber_id == Subscriber.id
        )
    )
    found = {address: state for address, state in rows}
    db.session.rollback()
    return found


def ledger_size() -> int:
    size = db.session.scalar(select(func.max(LedgerHead.seq))) or 0
    db.session.rollback()
    return size


def test_each_row_becomes_an_active_subscription_with_its_own_evidence(importer: Importer) -> None:
    report = importer.run(
        f'{HEADER}\n{ANNA},Anna,2026-03-31T14:05:00+02:00,Web form,"Yes, send me the news"\n',
        evidence=Evidence(),
    )

    pack = prove(ANNA, controller=importer.world.controller, now=NOW)
    (entry,) = pack["entries"]
    assert dict(report.counts) == {Verdict.IMPORTED: 1}
    assert entry["entry"]["act"] == "import_attested"
    assert entry["entry"]["occurred_at"] == "2026-03-31T12:05:00.000Z"
    assert entry["entry"]["actor"] == "operator:ops"
    assert entry["personal"]["data"]["consent_text"] == "Yes, send me the news"
    assert entry["personal"]["data"]["file_name"] == "people.csv"
    assert entry["personal"]["data"]["file_sha256"] == report.file.sha256
    assert entry["personal"]["data"]["file_line"] == 2
    assert db.session.scalars(select(Subscriber.attributes)).one() == {"first_name": "Anna"}


def test_a_file_without_evidence_is_refused_and_changes_nothing(importer: Importer) -> None:
    with pytest.raises(
        Refused,
        match=r"Missing: the column consent_source .*--evidence-source.*--evidence-at.*--evidence-words",
    ):
        importer.run(f"number\n{ANNA}\n", evidence=Evidence())

    assert states() == {}


def test_a_row_without_evidence_is_refused_alone(importer: Importer) -> None:
    importer.run(
        f"{HEADER}\n{ANNA},,2026-01-01,Form,Yes\n{BERT},,,Form,Yes\n{CARA},,2026-01-01,,Yes\n"
        f"+12025550104,,2026-01-01,Form,\n",
        evidence=Evidence(),
    )

    assert states() == {ANNA: "active"}
    assert [(problem.line, problem.column) for problem in importer.problems] == [
        (3, "consent_at"),
        (4, "consent_source"),
        (5, "consent_text"),
    ]


def test_running_it_again_changes_nothing(importer: Importer) -> None:
    text = f"number\n{ANNA}\n{BERT}\n"
    importer.run(text)
    size = ledger_size()

    again = importer.run(text)

    assert dict(again.counts) == {Verdict.ALREADY_ACTIVE: 2}
    assert ledger_size() == size


def test_who_stopped_is_never_brought_back_and_the_attempt_is_recorded_once(importer: Importer) -> None:
    importer.world.text(ANNA, "NEWS", NOW - timedelta(days=9))
    importer.world.text(ANNA, "STOP", NOW - timedelta(days=8))
    text = f"number\n{ANNA}\n"

    first = importer.run(text)
    importer.run(text)

    rejected = select(func.count()).where(ConsentEvent.event_type == "import_rejected")
    assert dict(first.counts) == {Verdict.STOPPED: 1}
    assert states() == {ANNA: "stopped"}
    assert db.session.scalar(rejected) == 1
    assert "said STOP" in importer.problems[0].reason


def test_a_stop_of_everything_keeps_a_person_off_a_list_never_joined(importer: Importer) -> None:
    importer.world.add_list("Sport", "SPORT")
    importer.world.text(ANNA, "SPORT", NOW - timedelta(days=9))
    importer.world.text(ANNA, "STOP", NOW - timedelta(days=8))
    importer.world.text(ANNA, "SPORT", NOW - timedelta(days=7))

    report = importer.run(f"number\n{ANNA}\n")

    assert dict(report.counts) == {Verdict.STOPPED: 1}


def test_a_stop_from_somebody_unknown_counts_against_a_later_import(importer: Importer) -> None:
    importer.world.text(ANNA, "STOP", NOW - timedelta(days=1))

    assert dict(importer.run(f"number\n{ANNA}\n").counts) == {Verdict.STOPPED: 1}


def test_a_stop_of_another_list_is_no_stop_of_this_one(importer: Importer) -> None:
    importer.world.add_list("Sport", "SPORT")
    importer.world.text(ANNA, "SPORT", NOW - timedelta(days=9))
    importer.world.text(ANNA, "STOP SPORT", NOW - timedelta(days=8))

    assert dict(importer.run(f"number\n{ANNA}\n").counts) == {Verdict.IMPORTED: 1}


def test_t13_a_suppressed_number_is_kept_out_in_every_spelling(importer: Importer) -> None:
    spellings = [
        "+44 7700 900123",
        "0044 7700 900123",
        "+44 (0)7700 900123",
        "+44-7700-900123",
        "＋４４７７００９００１２３",
        "07700 900123",
        "(07700) 900 123",
        "'+447700900123",
        '="+447700900123"',
        "\u202a+44\u00a07700\u00a0900123\u202c",
    ]
    manage_subscribers.suppress(
        "+447700900123", reason="court order", by="ops", controller=importer.world.controller, now=NOW
    )

    for written in spellings:
        cell = written.replace('"', '""')
        report = importer.run(f'number\n"{cell}"\n', region="GB")
        assert dict(report.counts) == {Verdict.SUPPRESSED: 1}, written
        assert "suppressed" in importer.problems[0].reason

    assert (states(), ledger_size()) == ({}, 0)


def test_a_number_twice_in_a_file_counts_once(importer: Importer) -> None:
    report = importer.run(f"number\n{ANNA}\n+1 (202) 555-0101\n{ANNA}\n")

    assert dict(report.counts) == {Verdict.IMPORTED: 1, Verdict.DUPLICATE: 2}
    assert report.rows == 3


def test_a_dry_run_changes_nothing_and_says_the_same_numbers(importer: Importer) -> None:
    importer.world.text(BERT, "STOP", NOW - timedelta(days=1))
    size = ledger_size()
    text = f"number\n{ANNA}\n{ANNA}\n{BERT}\nabc\n" + "".join(f"+447700900{n:03}\n" for n in range(600))

    dry = importer.run(text, dry_run=True)
    dry_problems, dry_size = importer.problems, ledger_size()
    wet = importer.run(text)

    assert (dry.counts, dry_problems) == (wet.counts, importer.problems)
    assert dry_size == size
    assert wet.counts[Verdict.IMPORTED] == 601


def test_a_bad_row_is_named_by_line_column_value_and_reason(importer: Importer) -> None:
    importer.run(f"number,language\n{ANNA},english\n12,\n{BERT},de,extra\n{ANNA},xx\n")

    assert [(problem.line, problem.column, problem.value) for problem in importer.problems] == [
        (2, "language", "english"),
        (3, "number", "12"),
        (4, "", ""),
        (5, "language", "xx"),
    ]
    assert "3 cells under 2 columns" in importer.problems[2].reason


@pytest.mark.parametrize(
    ("consent_at", "reason"), [("31.03.2026", "is no date"), ("2027-01-01", "lies in the future")]
)
def test_a_moment_of_consent_that_cannot_be_is_refused(
    importer: Importer, consent_at: str, reason: str
) -> None:
    importer.run(f"number,consent_at\n{ANNA},{consent_at}\n")

    assert reason in importer.problems[0].reason


def test_a_time_without_offset_is_read_in_the_zone_of_the_list(importer: Importer) -> None:
    importer.run(f"number,consent_at\n{ANNA},2026-07-01T12:00\n")

    assert db.session.scalars(select(ConsentEvent.occurred_at)).one() == "2026-07-01T11:00:00.000Z"


def test_a_file_in_another_encoding_is_refused_with_the_way_to_name_it(importer: Importer) -> None:
    text = f"number,first_name\n{ANNA},Zoë\n".encode("cp1252")

    with pytest.raises(Refused, match=r"line 2: the file is not written in utf-8.*--encoding cp1252"):
        importer.run(text)
    report = importer.run(text, encoding="cp1252")

    assert dict(report.counts) == {Verdict.IMPORTED: 1}
    assert db.session.scalars(select(Subscriber.attributes)).one() == {"first_name": "Zoë"}


def test_the_mark_and_semicolons_of_a_spreadsheet_are_understood(importer: Importer) -> None:
    report = importer.run(f"\ufeffNumber;City\n{ANNA};Köln\n")

    assert dict(report.counts) == {Verdict.IMPORTED: 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        (
            "phone\n1\n",
            r"no column is known to be the address\. Columns of the file: phone\..*--map 'address=phone'",
        ),
        ("number,frist_name\n1,A\n", "nobody said what “frist_name” means.*--map.*--ignore-others"),
        ("number,number\n1,1\n", "twice"),
        ('number\n"+1\n', "no CSV"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_as_a_whole(importer: Importer, text: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        importer.run(text)


def test_an_unknown_encoding_and_a_missing_file_are_told_plainly(importer: Importer) -> None:
    with pytest.raises(Refused, match="no encoding “klingon”"):
        importer.run("number\n", encoding="klingon")
    importer.path.unlink()
    with pytest.raises(NotFound, match="cannot be read"):
        import_subscribers(
            importer.path,
            list_name="news",
            options=ImportOptions(by="ops"),
            controller=importer.world.controller,
            clock=lambda: NOW,
        )


def test_nobody_can_be_imported_into_an_archived_list(importer: Importer) -> None:
    manage_lists.archive("news", by="ops", now=NOW)

    with pytest.raises(Refused, match="archived"):
        importer.run(f"number\n{ANNA}\n")


def test_progress_ends_at_the_last_line_and_the_ledger_verifies(importer: Importer) -> None:
    told: list[tuple[int, int]] = []
    importer.path.write_text("number\n" + "".join(f"+4477009{n:05}\n" for n in range(1200)))

    import_subscribers(
        importer.path,
        list_name="news",
        options=ImportOptions(by="ops", evidence=PAPER),
        controller=importer.world.controller,
        clock=lambda: NOW,
        ears=Ears(progress=lambda line, lines: told.append((line, lines))),
    )

    verdict = verify(controller=importer.world.controller)
    assert told == [(1001, 1201), (1201, 1201)]
    assert (verdict.bad, verdict.count, verdict.opened) == (None, 1200, 1200)
    assert not rebuild(controller=importer.world.controller, repair=False, now=NOW).differing


def test_the_evidence_is_not_readable_in_the_database(importer: Importer) -> None:
    importer.run(f"number\n{ANNA}\n")

    event = db.session.scalars(select(ConsentEvent)).one()
    columns = {name: str(getattr(event, name)) for name in event.__table__.columns.keys()}  # noqa: SIM118
    assert "fair" not in json.dumps(columns)
    assert ANNA not in json.dumps(columns)


def test_columns_are_mapped_by_name_and_what_is_not_named_is_asked_for(importer: Importer) -> None:
    text = f"Telefon;Vorname;Kundennummer\n{ANNA};Anna;17\n"

    with pytest.raises(Refused, match="no column is known to be the address"):
        importer.run(text)
    with pytest.raises(Refused, match="nobody said what “Vorname”, “Kundennummer” means"):
        importer.run(text, mapping={"address": "Telefon"})
    with pytest.raises(
        Refused, match=r"no column “Phone” for address\. Columns of the file: Telefon, Vorname"
    ):
        importer.run(text, mapping={"address": "Phone"})
    mapping = {"address": "Telefon", "first_name": "Vorname"}
    report = importer.run(text, mapping=mapping, ignore_others=True, dry_run=True)

    (row,) = report.first_rows
    assert (row.address.value, row.attributes, row.line) == (ANNA, {"first_name": "Anna"}, 2)
    assert (report.columns.mapping, report.columns.ignored) == (mapping, ("Kundennummer",))
    assert (report.delimiter, report.encoding) == (";", "utf-8")


def test_marks_tell_the_encoding_and_a_delimiter_in_doubt_is_asked_for(importer: Importer) -> None:
    text = f"number\tfirst_name\n{ANNA}\tZoë\n"

    utf16 = importer.run(text.encode("utf-16"), dry_run=True)
    excel = importer.run(f"sep=;\nnumber;city\n{ANNA};Köln\n", dry_run=True)
    with pytest.raises(Refused, match=r"can be divided at comma and at semicolon.*--delimiter comma"):
        importer.run("number,first_name;x\n1,2\n")
    chosen = importer.run(
        f"number;last, first\n{ANNA};Ross, Anna\n", delimiter="semicolon", ignore_others=True, dry_run=True
    )
    with pytest.raises(Refused, match=r"line 2: the file is not written in utf-8.*--encoding utf-16-le.*Zoë"):
        importer.run(text.encode("utf-16-le"))
    with pytest.raises(Refused, match=r"line 1: there are zero bytes.*--encoding utf-16-le"):
        importer.run("number\n".encode("utf-16-le"))

    assert (utf16.encoding, utf16.first_rows[0].attributes) == ("utf-16", {"first_name": "Zoë"})
    assert (excel.delimiter, excel.first_rows[0].line) == (";", 3)
    assert chosen.columns.ignored == ("last, first",)


def test_rows_not_taken_are_corrected_in_their_own_file_and_imported_again(importer: Importer) -> None:
    out = io.StringIO()
    files: list[RejectsFile] = []
    ears = Ears(
        opened=lambda table: files.append(RejectsFile(out, table.header, table.delimiter)),
        problem=lambda one: files[0].write(one),
    )
    text = f"number;first_name\n{ANNA};Anna\n1.20256E+10;=Bert\n"

    importer.run(text, ears=ears)
    header, row = csv.reader(io.StringIO(out.getvalue()), delimiter=";")
    corrected = out.getvalue().replace(";1.20256E+10;", f";{BERT};")
    again = importer.run("\ufeff" + corrected)

    assert header == ["import_line", "import_problem", "number", "first_name"]
    assert row[0] == "3"
    assert row[1].startswith("number “1.20256E+10”: A spreadsheet shortened this number")
    assert row[2:] == ["1.20256E+10", "'=Bert"]
    assert dict(again.counts) == {Verdict.IMPORTED: 1}
    assert states() == {ANNA: "active", BERT: "active"}
    assert {"first_name": "=Bert"} in db.session.scalars(select(Subscriber.attributes)).all()


def test_the_ledger_keeps_who_vouched_for_a_file_and_with_which_document(importer: Importer) -> None:
    importer.run(f"number\n{ANNA}\n", evidence=replace(PAPER, document="ab" * 32))

    (entry,) = prove(ANNA, controller=importer.world.controller, now=NOW)["entries"]
    data = entry["personal"]["data"]
    assert (data["attested_by"], data["document_sha256"]) == ("Anna Ross", "ab" * 32)
    assert data["consent_text"] == "Yes, text me"


def test_a_number_that_bounced_or_was_blocked_is_not_revived(importer: Importer) -> None:
    for address in (ANNA, BERT):
        importer.world.text(address, "hello")
    with transaction() as session:
        for address, mark in ((ANNA, "bounced_at"), (BERT, "blocked_at")):
            session.execute(update(Subscriber).where(Subscriber.address == address).values({mark: NOW}))

    report = importer.run(f"number\n{ANNA}\n{BERT}\n")

    assert dict(report.counts) == {Verdict.UNREACHABLE: 2}
    assert states() == {}
    kinds = db.session.scalars(select(ConsentEvent.event_type)).all()
    assert kinds == ["import_rejected", "import_rejected"]


def test_who_was_removed_by_us_stays_away_and_who_was_erased_leaves_no_trace(importer: Importer) -> None:
    """Row 38, and an erasure that kept the sealed proof: the pseudonym is there, the subscriber is not."""
    controller = importer.world.controller
    for address in (ANNA, BERT):
        importer.world.text(address, "NEWS", NOW - timedelta(days=9))
    manage_subscribers.remove(ANNA, reason="moved away", by="ops", controller=controller, now=NOW)
    importer.world.text(BERT, "STOP", NOW - timedelta(days=8))
    with transaction() as session:
        bert = session.scalars(select(Subscriber).where(Subscriber.address == BERT)).one()
        session.execute(delete(InboundRow).where(InboundRow.subscriber_id == bert.id))
        session.execute(delete(Delivery).where(Delivery.subscriber_id == bert.id))
        session.execute(delete(Subscription).where(Subscription.subscriber_id == bert.id))
        session.delete(bert)
    size = ledger_size()

    report = importer.run(f"number\n{ANNA}\n{BERT}\n")

    assert dict(report.counts) == {Verdict.STOPPED: 2}
    assert states() == {ANNA: "stopped"}
    assert ledger_size() == size + 1


def test_a_killed_import_goes_on_where_it_was_and_counts_like_one_in_one_piece(importer: Importer) -> None:
    """The kill comes between two batches; within one, the transaction is rolled back by the database."""
    importer.world.text(BERT, "STOP", NOW - timedelta(days=1))
    numbers = [f"+4477009{n:05}" for n in range(1500)]
    importer.path.write_text("\n".join(["number", BERT, "abc", *numbers, ANNA, numbers[3], BERT, "x"]))
    options = ImportOptions(by="ops", evidence=PAPER)
    problems: list[int] = []

    def killed(line: int, lines: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importer.import_file(options, Ears(progress=killed))
    half = ledger_size()
    report = importer.import_file(options, Ears(problem=lambda one: problems.append(one.line)))
    size = ledger_size()
    again = importer.import_file(options)

    assert report.counts == {
        Verdict.IMPORTED: 1501, Verdict.STOPPED: 1, Verdict.DUPLICATE: 2, Verdict.INVALID: 2,
    }  # fmt: skip
    assert (half, report.continued_at, problems) == (1 + 1 + 998, 1000, [2, 3, 1507])
    assert size == 1 + 1 + 1501
    assert (again.counts[Verdict.ALREADY_ACTIVE], ledger_size()) == (1501, size)
    assert again.import_id != report.import_id


def test_two_processes_cannot_work_on_one_import(importer: Importer) -> None:
    importer.path.write_text(f"number\n{ANNA}\n")
    controller = importer.world.controller
    table = open_table(importer.path)
    found = manage_lists.find_list(db.session(), "news")
    plan = make_plan(table, found, ImportOptions(by="ops", evidence=PAPER), controller, NOW)
    run = import_runs.begin(plan.wanted, actor="ops", now=NOW)
    work(plan, run, clock=lambda: NOW)

    with pytest.raises(Conflict, match="another process"):
        work(plan, run, clock=lambda: NOW)


LINK = "https://news.example.org/confirm"


def test_an_import_that_asks_subscribes_nobody_until_they_say_yes(importer: Importer) -> None:
    world = importer.world
    world.text(BERT, "STOP")
    rows = f"number,first_name\n{ANNA},Ada\n{BERT},Bert\n{CARA},Cara\n{CARA},Cara\n"

    dry = importer.run(rows, dry_run=True, ask_link=LINK)
    wet = importer.run(rows, ask_link=LINK)
    again = importer.run(rows + "\n", ask_link=LINK)

    assert (
        dict(dry.counts) == dict(wet.counts) == {Verdict.ASKED: 2, Verdict.STOPPED: 1, Verdict.DUPLICATE: 1}
    )
    assert dict(again.counts) == {Verdict.NOT_ASKED: 2, Verdict.STOPPED: 1, Verdict.DUPLICATE: 1}
    assert {problem.reason[:37] for problem in importer.problems if "asked" in problem.reason} == {
        "This person was asked already, or thr"
    }
    assert {states()[one] for one in (ANNA, CARA)} == {"pending"}
    world.text(ANNA, "YES")
    assert states()[ANNA] == "active"
    ada = db.session.scalars(select(Subscriber).where(Subscriber.address == ANNA)).one()
    assert ada.attributes == {"first_name": "Ada"}
    told = db.session.scalars(
        select(ConsentEvent.event_type)
        .where(ConsentEvent.subject_ref == ada.subject_ref)
        .order_by(ConsentEvent.seq)
    ).all()
    assert told == ["signup_recorded", "consent_requested", "consent_given"]


def test_a_list_for_which_nobody_may_be_asked_refuses_the_file_at_once(importer: Importer) -> None:
    with transaction() as session:
        session.execute(update(BroadcastList).values(name="Gratis"))

    importer.path.write_text(f"number\n{ANNA}\n")

    with pytest.raises(Refused, match="would be advertising"):
        import_subscribers(
            Path(importer.path),
            list_name="Gratis",
            options=ImportOptions(by="ops", evidence=PAPER, ask_link=LINK, dry_run=True),
            controller=importer.world.controller,
            clock=lambda: NOW,
        )
