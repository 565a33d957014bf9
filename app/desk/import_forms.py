"""The two forms of an import, from what was posted to what a service takes, or to a sentence for each fault."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import request
from werkzeug.datastructures import FileStorage

from app.clock import utcnow
from app.desk.access import me
from app.desk.forms import Errors
from app.desk.import_words import DELIMITERS, ENCODINGS, FIELDS, LEFT_OUT
from app.desk.languages import gettext as _
from app.desk.reading import open_lists
from app.services.import_columns import ADDRESS
from app.services.import_rows import MAX_EVIDENCE, Evidence, read_moment
from app.services.import_uploads import Choices
from app.storage.models.accounts import Role

LARGEST: Final = 100_000_000
"""Bytes of a file: more than a million people with the evidence of each."""
_NAME_MAX: Final = 120
_UPLOAD: Final = ("list_id", "encoding", "delimiter")
_EVIDENCE: Final = ("source", "day", "hour", "words", "by", "region", "how")


@dataclass(frozen=True)
class Uploaded:
    """The first form as it was posted."""

    values: dict[str, str]
    file: FileStorage | None
    errors: Errors

    @property
    def name(self) -> str:
        """What the file is called, without the folders that some browsers send."""
        sent = (self.file and self.file.filename) or ""
        return PurePath(sent.replace("\\", "/")).name[-200:]


def read_upload() -> Uploaded:
    """Read the form that brings a file."""
    values = {name: request.form.get(name, "") for name in _UPLOAD}
    file = request.files.get("file")
    errors: Errors = {}
    if values["list_id"] not in {str(row.id) for row in open_lists()}:
        errors["list_id"] = _("Choose a list.")
    if file is None or not file.filename:
        errors["file"] = _("Choose a file.")
    if values["encoding"] not in ENCODINGS:
        errors["encoding"] = _(
            "Say how the file is written. If nobody knows, try UTF-8: the next page shows it."
        )
    if values["delimiter"] not in DELIMITERS:
        errors["delimiter"] = _("Choose what stands between the cells.")
    return Uploaded(values, file, errors)


@dataclass(frozen=True)
class Said:
    """The second form as it was posted; `choices` are whole when there are no `errors`."""

    values: dict[str, str]
    choices: Choices
    errors: Errors


def read_choices(header: tuple[str, ...], zone: str) -> Said:
    """Read what the columns mean and who vouches; moments are on the clocks of `zone`, the list's."""
    values = {name: request.form.get(name, "").strip() for name in _EVIDENCE}
    meanings = {f"column-{n}": request.form.get(f"column-{n}", LEFT_OUT) for n in range(len(header))}
    mapping, errors = _mapping(header, meanings)
    at = read_moment(f"{values['day']}T{values['hour'] or '00:00'}", ZoneInfo(zone))
    errors |= _check_evidence(values, mapping, at)
    evidence = Evidence(values["source"], at, values["words"], values["by"] or me().name, _document())
    choices = Choices(mapping, evidence, values["region"].upper(), values["how"] == "ask")
    return Said(values | meanings, choices, errors)


def proposed(header: tuple[str, ...], choices: Mapping[str, Any], zone: str, region: str) -> dict[str, str]:
    """Return what the second form shows at first, or again: what was said of this file so far."""
    fields = {name: field for field, name in choices["mapping"].items()}
    given = Evidence.from_data(choices["evidence"])
    at = given.at.astimezone(ZoneInfo(zone)) if given.at else None
    return {
        **{f"column-{n}": fields.get(name, LEFT_OUT) for n, name in enumerate(header)},
        "source": given.source,
        "day": f"{at:%Y-%m-%d}" if at else "",
        "hour": f"{at:%H:%M}" if at else "",
        "words": given.text,
        "by": given.by or me().name,
        "region": choices["region"] or region,
        "how": "ask" if choices.get("ask") else "join",
    }


def _mapping(header: tuple[str, ...], meanings: dict[str, str]) -> tuple[dict[str, str], Errors]:
    mapping: dict[str, str] = {}
    errors: Errors = {}
    for (place, field), name in zip(meanings.items(), header, strict=True):
        if field not in FIELDS:
            errors[place] = _("Choose what this column is.")
        elif field in mapping:
            errors[place] = _(
                "“%(field)s” is said of two columns. Leave out one of them.", field=str(FIELDS[field])
            )
        elif field != LEFT_OUT:
            mapping[field] = name
    if ADDRESS not in mapping and not errors:
        errors["column-0"] = _("Say which column holds the number.")
    return mapping, errors


def _check_evidence(values: dict[str, str], mapping: dict[str, str], at: datetime | None) -> Errors:
    errors: Errors = {}
    if not values["source"] and "consent_source" not in mapping:
        errors["source"] = _("Say where and how these people agreed, or which column says it.")
    if at is None and (values["day"] or values["hour"] or "consent_at" not in mapping):
        errors["day"] = _("Say on which day these people agreed, or which column says it.")
    elif at is not None and at > utcnow():
        errors["day"] = _("This is in the future. Choose when they agreed.")
    if not values["words"] and "consent_text" not in mapping:
        errors["words"] = _("Write the words to which these people agreed, or say which column holds them.")
    for name, most in (("source", MAX_EVIDENCE), ("words", MAX_EVIDENCE), ("by", _NAME_MAX)):
        if len(values[name]) > most:
            errors[name] = _("This may have %(n)s characters.", n=most)
    if values["how"] not in ("join", "ask"):
        errors["how"] = _("Choose what is to become of them.")
    if not (len(values["region"]) == 2 and values["region"].isascii() and values["region"].isalpha()):
        errors["region"] = _("Write a country as two letters, such as DE or US.")
    return errors


def _document() -> str:
    """The SHA-256 of the paper or form that shows the consent; the file itself is not kept."""
    file = request.files.get("document")
    if file is None or not file.filename:
        return ""
    return hashlib.file_digest(file.stream, "sha256").hexdigest()  # type: ignore[arg-type]


def may_see(actor: str) -> bool:
    """Whether this person may see what is in an uploaded file: whoever brought it, and admins."""
    return actor == me().actor or me().may(Role.ADMIN)
