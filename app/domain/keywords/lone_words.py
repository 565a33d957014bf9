"""Hears a command that is one clause of a longer message: "Not interested. Stop.", "unsubscribe, I have moved"."""

import re
from collections.abc import Collection
from typing import Final

from app.domain.keywords.clauses import Clause, pieces_of
from app.domain.keywords.languages import Language
from app.domain.keywords.normalise import word_set
from app.domain.keywords.outcomes import Decision, Outcome
from app.domain.keywords.spelling import repair
from app.domain.keywords.tables import Words

_LONGEST_MESSAGE: Final = 60
_SHORT_MESSAGE: Final = 10
_AFTERTHOUGHT: Final = 3  # "Stop. Not interested."; more is like "Stop, wait for me!"
# People who chat say "stop, you are killing me lol" and "there, stop": such words beside it raise a doubt.
_CHAT: Final = word_set(
    "you u your ur lol haha hahaha hehe lmao omg it its there he she they him her baby babe dear love honey "
    "left right light lights bus train car red green "
    # "Stop, that is wrong": a correction
    "wrong true false mistake faux vrai erreur stimmt falsch fehler klopt fout nieprawda prawda неправда правда ошибка "
    "помилка verdad cierto falso falsa vero errore verdade errado yanlis dogru خطا صحيح 不对 不對 गलत kweli kosa"
)
_PLEASE: Final = word_set(
    "please pls plz bitte svp stp plait aub gracias grazie favor favore prosze lutfen пожалуйста прошу tafadhali"
)
_SPOKEN_OF: Final = ("message", "comm", "unsubscribe", "place", "nowant", "consent")


def stop_as_one_clause(text: str, words: Words, english: Language) -> Decision | None:
    """Judge a normalised text of several clauses; STOP_FUZZY, REVIEW or None."""
    pieces = pieces_of(text)
    said = [token for clause in pieces for token in clause.tokens]
    if len(pieces) < 2 or len(said) > _LONGEST_MESSAGE:
        return None
    for clause in pieces:
        core = [repair(token, english) for token in clause.tokens if token not in words.polite]
        polite = not _PLEASE.isdisjoint(clause.tokens)
        if len(core) == 1 and core[0] in words.also_stop and polite:
            return Decision(Outcome.STOP_FUZZY, "clause", words.also_stop[core[0]], words=core[0])
        if len(core) != 1 or not (core[0] in words.strong or (polite and core[0] in words.stop)):
            continue
        rest = [token for other in pieces if other is not clause for token in other.tokens]
        sure = (
            not _is_quoted(core[0], text)
            and _is_sure(core[0], core[0] in words.weak, clause, rest, english, last=clause is pieces[-1])
            and not any(other.asks for other in pieces)
        )
        outcome, tier = (Outcome.STOP_FUZZY, "clause") if sure else (Outcome.REVIEW, "doubt")
        return Decision(outcome, tier, words.stop[core[0]], words=core[0])
    return None


def _is_quoted(word: str, text: str) -> bool:
    """Whether the word stands in quotation marks: then it is spoken of."""
    return re.search(rf"[«»“”„‚‘\"]\s?{re.escape(word)}\s?[.!]?\s?[«»“”„‘’\"]", text) is not None


def _is_sure(
    word: str, weak: bool, clause: Clause, rest: Collection[str], english: Language, *, last: bool
) -> bool:
    if not weak and (not word.startswith(("stop", "стоп")) or not _PLEASE.isdisjoint(clause.tokens)):
        return True
    if not english.present(rest, " ".join(rest)).isdisjoint(_SPOKEN_OF):
        return True
    longest = _SHORT_MESSAGE if last else _AFTERTHOUGHT
    return not weak and len(rest) < longest and _CHAT.isdisjoint(rest)
