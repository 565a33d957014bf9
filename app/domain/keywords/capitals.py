"""Hears a STOP that somebody shouts within other text: "I already told you STOP", but not "STOP WAR"."""

import re
from collections.abc import Sequence
from typing import Final

from app.domain.keywords.languages import Language
from app.domain.keywords.normalise import fold, tokens, word_set
from app.domain.keywords.outcomes import Decision, Outcome

_SHOUTED: Final = re.compile(r"(?<!\w)(?:STOPP?|UNSUBSCRIBE|СТОП|ARR[EÊ]T)(?!\w)")
_CLAUSE_MARK: Final = re.compile(r"[.!?,;:()\n]")
_CAPITALS: Final = re.compile(r"[^\W\d_a-z]{2,}")
# "Reply STOP", "on the sign it says STOP": the word is spoken of. English, then the other languages.
_REPORTED: Final = word_set(
    "sign says said text reply send sent word if when the a to with or and mean means by typed type an "
    "steht heißt sagt mit auf bei wort schreibe schreib schreiben schicke schick geschickt sende per oder und "
    "einfaches das ein dit mot répondre réponds répond envoyer envoyez envoie envoyé écrire avec ou et dice palabra "
    "envío envié mando mandé con escribo pongo y o scrive parola invio inviare scrivo scritto e diz palavra envio "
    "enviar escrevo com staat stuur stuurde sturen gestuurd typ met bij woord het jest słowo wysłać wyślę wysłałem "
    "wysłałam piszę napisać znak pomyłkę lub i пишу слово отправить отправил отправила написать знак или "
    "відправити слово надіслати надіслав написати і або yazan kelimesi kelime كلمة اكتب ارسل लिखो लिखें शब्द neno tuma"
)
_OBJECTS: Final = frozenset({"IT", "THIS", "NOW"})
_GOES_ON: Final = word_set("the a an my your his her our their being it's using trying")


def stop_in_capitals(text: str, languages: Sequence[Language]) -> Decision | None:
    """Judge the author's own text, its case kept; STOP_FUZZY, REVIEW or None. English is the first of `languages`."""
    if not any(ch.islower() for ch in text):
        return None
    english = languages[0]
    doubt = None
    for found in _SHOUTED.finditer(text):
        before, after = _around(text, found)
        if _is_slogan(before, after) or _is_guarded(before, found.group(), after, english):
            continue
        if before and (
            before[-1].lower() in _REPORTED or _is_asked(text, found) or _is_about(before, languages)
        ):
            doubt = Decision(Outcome.REVIEW, "doubt", "capitals", words=found.group())
        elif _ends_clause(before, after) or (
            not text[: found.start()].strip() and after[0].lower() not in _GOES_ON
        ):
            return Decision(Outcome.STOP_FUZZY, "capitals", "capitals", words=found.group())
    return doubt


def _is_asked(text: str, found: re.Match[str]) -> bool:
    return text[found.end() :].lstrip("\"'»“”).")[:1] in ("?", "؟", "？")


def _is_about(before: list[str], languages: Sequence[Language]) -> bool:
    words = tokens(fold(" ".join(before)))
    return any(language.first("about", words, " ".join(words)) for language in languages if language.spaced)


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
