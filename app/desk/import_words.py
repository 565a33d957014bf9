"""Words of the desk for imports: fields, encodings, states, and what became of rows."""

from typing import Final

from app.desk.languages import lazy_gettext as _l
from app.domain.spreadsheets import unwrap
from app.services.import_columns import ADDRESS
from app.services.import_verdicts import Verdict
from app.storage.models import ImportState

LEFT_OUT: Final = ""
FIELDS: Final = {
    LEFT_OUT: _l("Leave out"),
    ADDRESS: _l("Number or address"),
    "first_name": _l("First name"),
    "last_name": _l("Last name"),
    "city": _l("Town"),
    "language": _l("Language (en, de)"),
    "consent_at": _l("When they agreed"),
    "consent_source": _l("Where and how they agreed"),
    "consent_text": _l("The words they agreed to"),
}
ENCODINGS: Final = {
    "utf-8": _l("UTF-8 (Excel: “CSV UTF-8”)"),
    "cp1252": _l("Windows, Western Europe (Excel: “CSV”)"),
    "cp1250": _l("Windows, Central Europe"),
    "cp1251": _l("Windows, Cyrillic"),
    "iso-8859-15": _l("ISO 8859-15, Western Europe"),
    "utf-16": _l("UTF-16 (Excel: “Unicode text”)"),
    "mac-roman": _l("Mac (Excel: “CSV Macintosh”)"),
}
DELIMITERS: Final = {
    "": _l("As the first line shows"),
    "comma": _l("Comma"),
    "semicolon": _l("Semicolon"),
    "tab": _l("Tab"),
}
STATES: Final = {
    ImportState.DRAFT: _l("Not checked yet"),
    ImportState.CHECKING: _l("Being checked"),
    ImportState.CHECKED: _l("Checked, not started"),
    ImportState.RUNNING: _l("Importing"),
    ImportState.DONE: _l("Finished"),
    ImportState.FAILED: _l("Broken off"),
}
# The colours of the states of a broadcast that are most alike.
PILLS: Final = {
    ImportState.CHECKING: "sending",
    ImportState.CHECKED: "scheduled",
    ImportState.RUNNING: "sending",
    ImportState.DONE: "finished",
    ImportState.FAILED: "canceled",
}
VERDICTS: Final = {
    Verdict.IMPORTED: _l("New on the list"),
    Verdict.ASKED: _l("Asked by text; on the list only when they say yes"),
    Verdict.ALREADY_ACTIVE: _l("On the list already: left as they are"),
    Verdict.DUPLICATE: _l("More than once in the file: counted once"),
    Verdict.STOPPED: _l("Refused: said STOP before, or the consent ended otherwise"),
    Verdict.SUPPRESSED: _l("Refused: must never be written to"),
    Verdict.UNREACHABLE: _l("Refused: messages came back or were blocked"),
    Verdict.NOT_ASKED: _l("Refused: asked already, or must not be asked now"),
    Verdict.INVALID: _l("Refused: something in the row is wrong"),
}


def state_words(state: str) -> str:
    """The state of an import as a reader sees it."""
    return str(STATES[ImportState(state)])


def pill(state: str) -> str:
    """The class that colours a state."""
    return PILLS.get(ImportState(state), "")


def bare(cell: str) -> str:
    """A cell without what a spreadsheet wraps it in, cut to what a preview has room for."""
    text = unwrap(cell)
    return text if len(text) <= 60 else f"{text[:59]}…"
