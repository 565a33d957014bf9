"""Reads free text, clause by clause: does it ask to be left alone, might it, or does it say the opposite?

A phrase of kind `ask` or `refuse` is a stop unless something speaks against it in the same clause: a `guard`
("don't stop", "bus stop"), a `subject` before it that makes it a report ("he told them to stop sending"), or a
`narrow` wish ("not before nine", "by mail instead"), which is held for a human. `whole` phrases count when they
are the whole message; `hold` and `whole_hold` phrases never stop anything, they hold.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.keywords.clauses import MAX_CHARACTERS, Clause, clauses_of
from app.domain.keywords.frames import first_match
from app.domain.keywords.languages import Language
from app.domain.keywords.outcomes import NOTHING, Decision, Outcome
from app.domain.keywords.spelling import repair


@dataclass(frozen=True, slots=True)
class _View:
    """A clause as one language sees it."""

    clause: Clause
    language: Language
    text: str
    present: frozenset[str]


def read_free_text(text: str, languages: Sequence[Language]) -> Decision:
    """Judge a normalised text; STOP_FUZZY, REVIEW or NONE."""
    doubt: Decision | None = None
    guard: Decision | None = None
    for clause in clauses_of(text):
        for language in languages:
            decision = _judge(_view(clause, language))
            if decision is None:
                continue
            if decision.outcome is Outcome.STOP_FUZZY:
                return decision
            if decision.outcome is Outcome.REVIEW:
                doubt = doubt or decision
            else:
                guard = guard or decision
    return doubt or guard or NOTHING


def whole_message(
    tokens: Sequence[str], languages: Sequence[Language], kind: str, outcome: Outcome
) -> Decision | None:
    """Look for the phrases of one kind in the message as a whole, its clauses joined."""
    for language in languages:
        words = [token for token in tokens if token not in language.soft]
        text = _join(words, language)[:MAX_CHARACTERS]
        if found := first_match(language.frames(kind), text, language.present(words, text)):
            frame, match = found
            return Decision(outcome, "phrase", frame.rule, words=match.group())
    return None


def _view(clause: Clause, language: Language) -> _View:
    words = _plain(clause.tokens, language)
    text = _join(words, language)
    return _View(clause, language, text, language.present(words, text))


def _plain(tokens: Sequence[str], language: Language) -> list[str]:
    """The words that carry the meaning: misspelt ones repaired, polite and angry ones left out."""
    return [repair(token, language) for token in tokens if token not in language.soft]


def _join(words: Sequence[str], language: Language) -> str:
    return (" " if language.spaced else "").join(words)


def _judge(view: _View) -> Decision | None:
    guarded = _first(view, "guard")
    for kind in ("ask", "refuse", "whole"):
        for frame in view.language.frames(kind):
            found = frame.find(view.text, view.present)
            if found is None:
                continue
            if guarded:
                return Decision(Outcome.REVIEW, "doubt", frame.rule, words=found.group())
            decision = _weigh(view, kind, frame.rule, found.start(), found.group())
            if decision is not None:
                return decision
    return _without_ask(view, guarded)


def _weigh(view: _View, kind: str, rule: str, start: int, words: str) -> Decision | None:
    doubt = Decision(Outcome.REVIEW, "doubt", rule, words=words)
    if kind == "whole":
        whole = view.clause.only and words == view.text
        return Decision(Outcome.STOP_FUZZY, "phrase", rule, words=words) if whole else None
    if _reported(view, kind, start):
        return doubt if _first(view, "sure") else None
    if _is_narrow(view) and not _first(view, "sure"):
        return doubt
    return Decision(Outcome.STOP_FUZZY, "phrase", rule, words=words)


def _is_narrow(view: _View) -> bool:
    """Whether the sentence asks for another time or way only: "not before nine", "by mail instead"."""
    words = _plain(view.clause.sentence, view.language)
    text = _join(words, view.language)
    return first_match(view.language.frames("narrow"), text, view.language.present(words, text)) is not None


def _reported(view: _View, kind: str, start: int) -> bool:
    """Whether the words before a phrase make it a report, a question about others, or a promise."""
    before = view.text[:start].strip()
    if not before:
        return False
    kinds = ("subject", "refuse_subject") if kind == "refuse" else ("subject",)
    present = view.language.present(before.split(), before)
    return any(first_match(view.language.frames(each), before, present) for each in kinds)


def _without_ask(view: _View, guarded: Decision | None) -> Decision | None:
    if held := first_match(view.language.frames("hold"), view.text, view.present):
        return Decision(Outcome.REVIEW, "doubt", held[0].rule, words=held[1].group())
    if guarded or not view.clause.only or view.clause.asks:  # a question is no wish
        return guarded
    for frame in view.language.frames("whole_hold"):
        found = frame.find(view.text, view.present)
        if found and found.group() == view.text:
            return Decision(Outcome.REVIEW, "doubt", frame.rule, words=view.text)
    return None


def _first(view: _View, kind: str) -> Decision | None:
    found = first_match(view.language.frames(kind), view.text, view.present)
    if found is None:
        return None
    return Decision(Outcome.NONE, "guard", found[0].rule, words=found[1].group())
