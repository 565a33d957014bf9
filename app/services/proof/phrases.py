"""The words in which a proof speaks, one data file per language beside this module."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from app.services.controller import Refused

LANGUAGES: Final = ("en", "de")


@dataclass(frozen=True)
class Phrases:
    """One language: sentences for event types and acts, labels of the page, and how to check a proof."""

    language: str
    events: Mapping[str, str]
    acts: Mapping[str, str]
    labels: Mapping[str, str]
    fields: Mapping[str, str]
    states: Mapping[str, str]
    how_to_verify: tuple[str, ...]

    def in_words(self, entry: Mapping[str, Any], list_names: Mapping[int, str]) -> str:
        """Return what a ledger entry says, such as "Consent given for the list “News”. By the word START."

        An event type or act without a sentence of its own is named as it stands in the ledger.
        """
        about = self._about(entry, list_names)
        sentence = self.events.get(entry["event_type"], entry["event_type"] + " {about}").format(about=about)
        act = entry["act"]
        if act is None:
            return f"{sentence}."
        how = self.acts.get(act, act).format(rule=entry["matched_rule"] or "", actor=entry["actor"])
        return f"{sentence}. {how}."

    def _about(self, entry: Mapping[str, Any], list_names: Mapping[int, str]) -> str:
        list_id = entry["list_id"]
        if list_id is None:
            return self.labels["every_list"]
        return self.labels["one_list"].format(name=list_names.get(list_id, str(list_id)))


@cache
def load(language: str) -> Phrases:
    """Return the phrases of a language; raises `Refused` naming those there are."""
    if language not in LANGUAGES:
        raise Refused(f"Proofs are written in {' and '.join(LANGUAGES)}, not in “{language}”.")
    raw = tomllib.loads(files(__package__).joinpath(f"{language}.toml").read_text(encoding="utf-8"))
    return Phrases(
        language,
        raw["events"],
        raw["acts"],
        raw["labels"],
        raw["fields"],
        raw["states"],
        tuple(raw["how_to_verify"]["steps"]),
    )
