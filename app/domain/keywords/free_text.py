"""Reads free text, clause by clause: does it ask to be left alone, might it, or does it say the opposite?

A phrase of kind `ask` or `refuse` is a stop unless something speaks against it in the same clause: a `guard`
("don't stop", "bus stop") or a `subject` before it that makes it a report ("he told them to stop sending"). What
stands elsewhere in the sentence makes it a case for a human: a `narrow` wish ("not before nine", "by mail instead"),
or words `about` others, the past or what might be ("what happens if", and in a `question` "will you"), or quotation
marks. `whole` phrases count when they are the whole message; `hold` and `whole_hold` phrases never stop anything,
they hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.keywords.clauses import MAX_CHARACTERS, MAX_WORDS, Clause, clauses_of
from app.domain.keywords.frames import Frame, first_match
from app.domain.keywords.languages import Language
from app.domain.keywords.outcomes import NOTHING, Decision, Outcome
from app.domain.keywords.spelling import repair

_LONGEST_ECHO: Final = 3
_IN_A_CLAUSE: Final = ("ask", "refuse", "whole", "hold", "whole_hold", "guard", "sure")


@dataclass(frozen=True, slots=True)
class _View:
    """A clause as one language sees it."""

    clause: Clause
    language: Language
    text: str
    possible: Mapping[str, list[Frame]]


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


def about_the_whole(tokens: Sequence[str], languages: Sequence[Language]) -> Decision | None:
    """ERASE or WRONG_NUMBER, looked for in the message as a whole, its clauses joined; or None."""
    views = [_whole(tokens, language) for language in languages]
    for kind, outcome in (("erase", Outcome.ERASE), ("wrong", Outcome.WRONG_NUMBER)):
        for possible, text in views:
            if found := first_match(possible.get(kind, ()), text):
                return Decision(outcome, "phrase", found[0].rule, words=found[1].group())
    return None


def _whole(tokens: Sequence[str], language: Language) -> tuple[Mapping[str, list[Frame]], str]:
    words = [token for token in tokens if token not in language.soft][:MAX_WORDS]
    text = _join(words, language)[:MAX_CHARACTERS]
    return language.possible(language.present(words, text), ("erase", "wrong")), text


def _view(clause: Clause, language: Language) -> _View:
    words = _plain(clause.tokens, language)
    text = _join(words, language)
    return _View(clause, language, text, language.possible(language.present(words, text), _IN_A_CLAUSE))


def _plain(tokens: Sequence[str], language: Language) -> list[str]:
    """The words that carry the meaning: misspelt ones repaired, polite and angry ones left out."""
    return [repair(token, language) for token in tokens if token not in language.soft]


def _join(words: Sequence[str], language: Language) -> str:
    return (" " if language.spaced else "").join(words)


def _judge(view: _View) -> Decision | None:
    guarded = _first(view, "guard")
    for kind in ("ask", "refuse", "whole"):
        for frame in view.possible.get(kind, ()):
            found = frame.pattern.search(view.text)
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
    if kind == "whole" and not (view.clause.only and words == view.text):
        return None
    if kind != "whole" and _reported(view, kind, start):
        return doubt if _first(view, "sure") else None
    if _is_spoken_of(view):
        return doubt
    if kind != "whole" and _in_sentence(view, "narrow") and not _first(view, "sure"):
        return doubt
    return Decision(Outcome.STOP_FUZZY, "phrase", rule, words=words)


def _is_spoken_of(view: _View) -> bool:
    """Whether stopping is spoken of, not wished: quoted, asked about, said of others or of what might be."""
    clause = view.clause
    return (
        clause.quoted
        or _is_echo(clause)
        or _in_sentence(view, "about")
        or (clause.asks and _in_sentence(view, "question"))
    )


def _is_echo(clause: Clause) -> bool:
    """Whether it is a short question that the rest of the message answers: "Unsubscribe? Never!"."""
    return clause.asks and not clause.only and len(clause.sentence) <= _LONGEST_ECHO


def _in_sentence(view: _View, kind: str) -> bool:
    """Whether a phrase of one kind stands anywhere in the sentence, of which the clause is a part."""
    words = _plain(view.clause.sentence, view.language)
    return view.language.first(kind, words, _join(words, view.language)) is not None


def _reported(view: _View, kind: str, start: int) -> bool:
    """Whether the words before a phrase make it a report, a question about others, or a promise."""
    before = view.text[:start].strip()
    if not before:
        return False
    kinds = ("subject", "refuse_subject") if kind == "refuse" else ("subject",)
    return any(view.language.first(each, before.split(), before) for each in kinds)


def _without_ask(view: _View, guarded: Decision | None) -> Decision | None:
    if held := first_match(view.possible.get("hold", ()), view.text):
        return Decision(Outcome.REVIEW, "doubt", held[0].rule, words=held[1].group())
    if guarded or not view.clause.only or view.clause.asks:  # a question is no wish
        return guarded
    for frame in view.possible.get("whole_hold", ()):
        found = frame.pattern.search(view.text)
        if found and found.group() == view.text:
            return Decision(Outcome.REVIEW, "doubt", frame.rule, words=view.text)
    return None


def _first(view: _View, kind: str) -> Decision | None:
    found = first_match(view.possible.get(kind, ()), view.text)
    if found is None:
        return None
    return Decision(Outcome.NONE, "guard", found[0].rule, words=found[1].group())
