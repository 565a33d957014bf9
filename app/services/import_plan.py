"""What an import is to do: the file as understood, the list, and who vouches; and what is told of it afterwards."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.services.controller import Controller, Refused
from app.services.import_columns import Columns, read_columns
from app.services.import_file import FileFacts, Table
from app.services.import_rows import Evidence, ReadRow, RowProblem, RowReader
from app.services.import_runs import Wanted
from app.services.import_verdicts import Verdict
from app.services.questions import check_list
from app.storage.database import db
from app.storage.models import BroadcastList, Sender


@dataclass(frozen=True)
class ImportOptions:
    """How to read the file, and who vouches for it. `evidence` fills what a row does not say itself.

    `mapping` is field to header; with `mapping_is_all` every other column is left out, whatever its name. None for
    encoding, delimiter or region: what the file or the controller says. With `ask_link`, the address that the code of
    a question is put behind, nobody is subscribed: each is asked first.
    """

    by: str
    evidence: Evidence = field(default_factory=Evidence)
    mapping: Mapping[str, str] = field(default_factory=dict)
    ignore_others: bool = False
    mapping_is_all: bool = False
    encoding: str | None = None
    delimiter: str | None = None
    region: str | None = None
    dry_run: bool = False
    ask_link: str = ""

    def as_choices(self) -> dict[str, Any]:
        """Return what decides the meaning of every row, as JSON can keep it."""
        return {
            "evidence": self.evidence.as_data(),
            "mapping": dict(self.mapping),
            "ignore_others": self.ignore_others,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "region": self.region,
            **({"mapping_is_all": True} if self.mapping_is_all else {}),
            **({"ask": True} if self.ask_link else {}),
        }

    @classmethod
    def from_choices(cls, by: str, choices: Mapping[str, Any], ask_link: str) -> "ImportOptions":
        """Return what `as_choices` kept; `ask_link` for an import that asks."""
        return cls(
            by=by,
            evidence=Evidence.from_data(choices["evidence"]),
            mapping=choices["mapping"],
            ignore_others=choices["ignore_others"],
            mapping_is_all=choices.get("mapping_is_all", False),
            encoding=choices["encoding"],
            delimiter=choices["delimiter"],
            region=choices["region"],
            ask_link=ask_link if choices.get("ask") else "",
        )


@dataclass(frozen=True)
class ImportReport:
    """The numbers of an import; the counts add up to `rows`.

    `first_rows` are the first ones as they were understood, `continued_at` is where an earlier attempt broke
    off, and `repaired` counts addresses whose spreadsheet wrapping (`="..."`, apostrophe) was taken off. One that is
    not `finished` has more rows to come.
    """

    import_id: int | None
    file: FileFacts
    encoding: str
    delimiter: str
    columns: Columns
    counts: Counter[Verdict]
    first_rows: tuple[ReadRow, ...]
    repaired: int
    continued_at: int
    finished: bool = True

    @property
    def rows(self) -> int:
        return self.counts.total()

    @property
    def dry_run(self) -> bool:
        """Whether nothing was changed."""
        return self.import_id is None


@dataclass(frozen=True)
class Plan:
    """A file that is understood: what every batch of one import needs to know."""

    list_id: int
    table: Table
    reader: RowReader
    options: ImportOptions
    controller: Controller

    @property
    def wanted(self) -> Wanted:
        """What the record of this import is found by."""
        return Wanted(self.list_id, self.table.facts, self.options.as_choices())

    @property
    def cta_ref(self) -> str:
        """Names the file in every entry that came from it."""
        return f"import:{self.table.facts.sha256[:16]}"


@dataclass(frozen=True)
class Ears:
    """Who is told: the file once it is understood, each row that was not taken, how many lines are done."""

    opened: Callable[[Table], None] = lambda table: None
    problem: Callable[[RowProblem], None] = lambda problem: None
    progress: Callable[[int, int], None] = lambda line, lines: None


def make_plan(
    table: Table, found: BroadcastList, options: ImportOptions, controller: Controller, now: datetime
) -> Plan:
    """Return the file as understood with these options. Raises `Refused`."""
    if found.archived_at is not None:
        raise Refused(f"The list “{found.name}” is archived; nobody can join it any more.")
    if options.ask_link:
        check_list(found, db.session.get_one(Sender, found.sender_id))
    columns = read_columns(
        table.header,
        options.mapping,
        ignore_others=options.ignore_others,
        mapping_is_all=options.mapping_is_all,
        file_name=table.facts.name,
    )
    _check_evidence(columns, options.evidence, table.facts.name)
    channel = db.session.get_one(Sender, found.sender_id).channel
    region, zone = options.region or controller.region, ZoneInfo(found.zone)
    reader = RowReader(columns, channel, region.upper(), zone, found.language, options.evidence, now)
    plan = Plan(found.id, table, reader, options, controller)
    db.session.rollback()  # the caller shall see what the batches write, not the view from before
    return plan


def _check_evidence(columns: Columns, given: Evidence, name: str) -> None:
    lacking = [
        f"the column {column} (or {option} for the whole file)"
        for column, option, there in (
            ("consent_source", "--evidence-source", given.source),
            ("consent_at", "--evidence-at", given.at),
            ("consent_text", "--evidence-words", given.text),
        )
        if column not in columns.places and not there
    ]
    if lacking:
        raise Refused(f"{name} does not say that these people consented. Missing: {', '.join(lacking)}.")
