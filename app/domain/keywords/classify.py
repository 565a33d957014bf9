"""Decides what a message asks for: the one entrance to the rules about texted words.

The order is the law's: a clear STOP first; then an erasure, which must not be lost to a vaguer stop; then the
other commands; then free text, and doubt last (docs/keywords.md). What no rule decides is weighed, and at most held.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from app.domain.keywords import commands
from app.domain.keywords.capitals import stop_in_capitals
from app.domain.keywords.free_text import about_the_whole, read_free_text
from app.domain.keywords.languages import Language, free_text
from app.domain.keywords.lone_words import stop_as_one_clause
from app.domain.keywords.normalise import MAX_CHARACTERS, Normalised, normalise
from app.domain.keywords.outcomes import NOTHING, Decision, Outcome
from app.domain.keywords.quoting import author_text
from app.domain.keywords.tables import Words, codes, words_for
from app.domain.keywords.weights import leans_to_a_stop

_NO_LISTS: Final[Mapping[str, str]] = MappingProxyType({})


def classify(
    text: str,
    *,
    languages: Collection[str] = ("en",),
    state: str = "unknown",
    lists: Mapping[str, str] = _NO_LISTS,
    words: Words | None = None,
) -> Decision:
    """Read `text` in the active `languages`; English always is active.

    `state` is the subscription's state before: YES and NO answer a question only while it is `pending`, and a NO
    in `active` or `paused` is held for a human. `lists` maps the squeezed word of each list (see `squeeze`) to the
    key of the list. `words` replaces the tables of commands, for operators with words of their own (own_words.py).
    """
    message = normalise(text)
    if not message.tokens:
        return Decision(Outcome.STOP, "emoji", "stop-sign") if message.only_stop_signs else NOTHING
    words = words or words_for(languages)
    return (
        commands.stop_everything(message, words)
        or commands.about_one_list(message, words, lists)
        or commands.other_commands(message, words, lists, state)
        or _in_free_text(text, message, words, codes(languages))
    )


def _in_free_text(text: str, message: Normalised, words: Words, active: tuple[str, ...]) -> Decision:
    knowledge = [free_text(code) for code in active]
    return (
        about_the_whole(message.tokens, knowledge)
        or commands.stop_among_polite_words(message, words)
        or commands.misspelt_stop(message, words)
        or _read(text, message, words, knowledge)
    )


def _read(text: str, message: Normalised, words: Words, knowledge: list[Language]) -> Decision:
    read = read_free_text(message.text, knowledge)
    if read.outcome is Outcome.STOP_FUZZY:
        return read
    alone = stop_as_one_clause(message.text, words, knowledge[0])
    if alone is not None and alone.outcome is Outcome.STOP_FUZZY:
        return alone
    read = stop_in_capitals(author_text(text[:MAX_CHARACTERS]), knowledge) or alone or read
    if read is not NOTHING:
        return read
    return leans_to_a_stop(message, [language.code for language in knowledge]) or NOTHING
