"""Hears a STOP that somebody shouts within other text: "I already told you STOP", but not "STOP WAR"."""

import re
from typing import Final

from app.domain.keywords.languages import Language
from app.domain.keywords.normalise import tokens, word_set
from app.domain.keywords.outcomes import Decision, Outcome

_SHOUTED: Final = re.compile(r"(?<!\w)(?:STOPP?|UNSUBSCRIBE|СТОП|ARR[EÊ]T)(?!\w)")
_CLAUSE_MARK: Final = re.compile(r"[.!?,;:()\n]")
_CAPITALS: Final = re.compile(r"[^\W\d_a-z]{2,}")
_REPORTED: Final = word_set("sign says said text reply send word if when the a to")
_OBJECTS: Final = frozenset({"IT", "THIS", "NOW"})
_GOES_ON: Final = word_set("the a an my your his her our their being it's using trying")


def stop_in_capitals(text: str, english: Language) -> Decision | None:
    """Judge the author's own text, its case kept; STOP_FUZZY, REVIEW or None."""
    if not any(ch.islower() for ch in text):
        return None
    doubt = None
    for found in _SHOUTED.finditer(text):
        before, after = _around(text, found)
        if _is_slogan(before, after) or _is_guarded(before, found.group(), after, english):
            continue
        if before and before[-1].lower() in _REPORTED:
            doubt = Decision(Outcome.REVIEW, "doubt", "capitals", words=found.group())
        elif _ends_clause(before, after) or (
            not text[: found.start()].strip() and after[0].lower() not in _GOES_ON
        ):
            return Decision(Outcome.STOP_FUZZY, "capitals", "capitals", words=found.group())
    return doubt


def _around(text: str, found: re.Match[str]) -> tuple[list[str], list[str]]:
    """The words of the same clause before and after the shouted one."""
    before = _CLAUSE_MARK.split(text[: found.start()])[-1].split()
    after = _CLAUSE_MARK.split(text[found.end() :], maxsplit=1)[0].split()
    return before, after


def _ends_clause(before: list[str], after: list[str]) -> bool:
    return not after or (not before and after[0].upper() in _OBJECTS)


def _is_slogan(before: list[str], after: list[str]) -> bool:
    """ "STOP WAR", but not "STOP IT"."""
    neighbours = {*before[-1:], *after[:1]} - _OBJECTS
    return any(_CAPITALS.fullmatch(word) for word in neighbours)


def _is_guarded(before: list[str], shouted: str, after: list[str], english: Language) -> bool:
    words = tokens(" ".join((*before[-4:], shouted, *after[:4])).lower())
    clause = " ".join(words)
    return english.first("guard", words, clause) is not None
