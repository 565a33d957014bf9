"""What a scenario found on one database, and the table of all findings."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """`faults` say what was wrong: the product broke a promise, or the run proves nothing. Either fails the run.

    `missed` says which speed aimed at was not reached on this machine; that fails nothing.
    """

    scenario: str
    database: str
    facts: str
    faults: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """In one word, and then the reasons."""
        if self.faults:
            return f"**failed**: {'; '.join(self.faults)}"
        return f"correct; not reached: {'; '.join(self.missed)}" if self.missed else "holds"


def as_markdown(found: Sequence[Finding], notes: Sequence[str] = ()) -> str:
    """Return the table for docs/performance.md."""
    head = "| scenario | database | what was seen | verdict |\n| --- | --- | --- | --- |"
    rows = [f"| {one.scenario} | {one.database} | {one.facts} | {one.verdict} |" for one in found]
    return "\n".join([head, *rows, "", *(f"- {note}" for note in notes)]).rstrip()


def as_json(found: Sequence[Finding]) -> dict[str, object]:
    """Return one object; `failed` is true when any scenario failed."""
    lines = [
        {
            "scenario": one.scenario,
            "database": one.database,
            "facts": one.facts,
            "faults": list(one.faults),
            "missed": list(one.missed),
        }
        for one in found
    ]
    return {"failed": any(one.faults for one in found), "findings": lines}
