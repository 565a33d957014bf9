"""Which column of a file means what: exactly known headers, and what the operator says; nothing is guessed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.services.controller import Refused

ADDRESS: Final = "address"
ATTRIBUTES: Final = ("first_name", "last_name", "city")
EVIDENCE: Final = ("consent_at", "consent_source", "consent_text")
FIELDS: Final = (ADDRESS, *ATTRIBUTES, "language", *EVIDENCE)

# What our own export and our own list of refused rows call them.
REJECT_COLUMNS: Final = ("import_line", "import_problem")
_KNOWN: Final = {**{field: field for field in FIELDS}, "number": ADDRESS}


@dataclass(frozen=True)
class Columns:
    """`places` maps a field to its place in a row; `header` is the file's first line, `ignored` what is left out."""

    header: tuple[str, ...]
    places: Mapping[str, int]
    ignored: tuple[str, ...]

    def name(self, field: str) -> str:
        """How the file itself calls this field; the field's own name where it has no column."""
        return self.header[self.places[field]] if field in self.places else field

    def cell(self, cells: list[str], field: str) -> str:
        """The cell of a field; empty where the row or the file has none."""
        place = self.places.get(field)
        return cells[place].strip() if place is not None and place < len(cells) else ""

    @property
    def mapping(self) -> dict[str, str]:
        """Field to header, as it can be kept and given back to `read_columns`."""
        return {field: self.header[place] for field, place in self.places.items()}


def guess(header: tuple[str, ...]) -> dict[str, str]:
    """Return the field of every header that is known by its exact name (letter case aside): field to header."""
    found: dict[str, str] = {}
    for name in header:
        field = _KNOWN.get(name.lower())
        if field and field not in found:
            found[field] = name
    return found


def read_columns(
    header: tuple[str, ...],
    mapping: Mapping[str, str],
    *,
    ignore_others: bool,
    file_name: str,
    mapping_is_all: bool = False,
) -> Columns:
    """Return the meaning of each column: `mapping` (field to header) first, then the exactly known headers.

    With `mapping_is_all` the headers say nothing by themselves, and whatever is not in `mapping` is left out.

    Raises `Refused`, with the list of headers, for an unknown field or header, without an address, and for a
    column that has no meaning unless `ignore_others`.
    """
    for field, name in mapping.items():
        _check(field, name, header)
    taken = set(mapping.values())
    known = {} if mapping_is_all else guess(header)
    guessed = {field: name for field, name in known.items() if name not in taken}
    meaning = {**guessed, **mapping}
    others = tuple(
        name for name in header if name not in meaning.values() and name.lower() not in REJECT_COLUMNS
    )
    if ADDRESS not in meaning:
        raise Refused(
            f"{file_name}: no column is known to be the address. {_offer(header, ADDRESS, header[0])}"
        )
    if others and not (ignore_others or mapping_is_all):
        raise Refused(
            f"{file_name}: nobody said what {_quoted(others)} means. "
            f"{_offer(header, 'city', others[0])} Or leave out what is not named (--ignore-others)."
        )
    return Columns(header, {field: header.index(name) for field, name in meaning.items()}, others)


def _check(field: str, name: str, header: tuple[str, ...]) -> None:
    if field not in FIELDS:
        raise Refused(f"“{field}” is nothing that can be imported. Fields: {', '.join(FIELDS)}.")
    if name not in header:
        raise Refused(f"There is no column “{name}” for {field}. Columns of the file: {', '.join(header)}.")


def _offer(header: tuple[str, ...], field: str, name: str) -> str:
    return f"Columns of the file: {', '.join(header)}. Say it (--map '{field}={name}')."


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f"“{name}”" for name in names)
