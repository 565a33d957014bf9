"""Words that operators add to those that come with Tidings, and why a word may not be taken.

Nothing here removes a word: STOP, START and HELP, and all that comes with Tidings, work in every list.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from app.domain.keywords.classify import classify
from app.domain.keywords.normalise import squeeze
from app.domain.keywords.outcomes import Outcome
from app.domain.keywords.tables import LANGUAGES, Words, all_words, words_for

CAN_BE_ADDED: Final = ("stop", "start", "help")
SHORTEST: Final = 3
SHORTEST_UNSPACED: Final = 2
LONGEST: Final = 40
_UNSPACED: Final = frozenset({"ja", "zh"})


@dataclass(frozen=True, slots=True)
class OwnWord:
    """A word that means `meaning` ("stop", "start" or "help") wherever `language` is in use."""

    word: str
    meaning: str
    language: str


def words_with(languages: Collection[str], own: Iterable[OwnWord]) -> Words:
    """The words of Tidings for `languages` and the operator's own; hand the result to `classify`.

    A word of Tidings keeps its meaning, whatever the operator's table says.
    """
    words = words_for(languages)
    added: dict[str, Any] = {meaning: dict(getattr(words, meaning)) for meaning in CAN_BE_ADDED}
    taken = {word for meaning in CAN_BE_ADDED for word in added[meaning]}
    for one in own:
        word = squeeze(one.word)
        if one.language in languages and word not in taken:
            added[one.meaning][word] = f"own.{one.language}.{one.meaning}:{word}"
    return replace(words, stop=added["stop"], start=added["start"], help=added["help"])


def clash(
    word: str,
    meaning: str,
    language: str,
    *,
    own: Iterable[OwnWord] = (),
    list_words: Collection[str] = (),
) -> str | None:
    """Say why `word` cannot mean `meaning` in `language`; None if it can.

    `own` are the operator's words so far, `list_words` the keywords of all lists. Raises ValueError for a meaning
    or a language that there is not.
    """
    if meaning not in CAN_BE_ADDED or language not in LANGUAGES:
        raise ValueError(f"Words can mean {', '.join(CAN_BE_ADDED)} in {', '.join(LANGUAGES)}.")
    said = squeeze(word)
    return (
        _bad_length(word, said, language)
        or _has_meaning(word, said)
        or _is_talk(word, said)
        or _is_taken(word, said, own, list_words)
    )


def _bad_length(word: str, said: str, language: str) -> str | None:
    shortest = SHORTEST_UNSPACED if language in _UNSPACED else SHORTEST
    if shortest <= len(said) <= LONGEST and not said.isdigit():
        return None
    return (
        f"“{word}” cannot be a command: it needs {shortest} to {LONGEST} letters or digits, not digits alone."
    )


def _has_meaning(word: str, said: str) -> str | None:
    """Whatever the word means anywhere, exactly or misspelt, it keeps."""
    for language in LANGUAGES:
        words = words_for((language,))
        for meaning in ("stop", "start", "help", "yes", "no", "pause"):
            if said in getattr(words, meaning):
                return (
                    f"“{word}” means {meaning.upper()} already ({getattr(words, meaning)[said]}). The words that come "
                    "with Tidings keep their meaning and cannot be removed."
                )
        read = classify(word, languages=(language,))
        if read.outcome is not Outcome.NONE:
            return f"“{word}” is read as {read.outcome.value.replace('_', ' ')} already: {read.explain()}"
    return None


def _is_talk(word: str, said: str) -> str | None:
    """Words that people send without asking for anything would make commands of talk."""
    chat = said in all_words() or any(said in words_for((language,)).polite for language in LANGUAGES)
    return f"“{word}” is a word of everyday talk. Choose one that nobody sends by chance." if chat else None


def _is_taken(word: str, said: str, own: Iterable[OwnWord], list_words: Collection[str]) -> str | None:
    if said in {squeeze(keyword) for keyword in list_words}:
        return f"“{word}” is the keyword of a list. Choose another."
    for one in own:
        if squeeze(one.word) == said:
            return f"“{word}” means {one.meaning.upper()} already, by your own words in “{one.language}”."
    return None
