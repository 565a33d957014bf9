"""Finds the message that is a command as a whole: exact, in signs for letters, among polite words, misspelt.

STOP is matched more generously than START: digits and signs in place of letters, polite words and slips of the
hand count for STOP alone. Nobody is subscribed by a guess.
"""

import re
from collections.abc import Mapping
from typing import Final

from app.domain.keywords.normalise import STOP_SIGNS, Normalised, tokens, word_set
from app.domain.keywords.outcomes import NOTHING, Decision, Outcome
from app.domain.keywords.spelling import misspelt
from app.domain.keywords.tables import Words, all_words

_LEET_SIGNS: Final = frozenset("0135$@!|")
_LEET: Final = str.maketrans("0135$@!|", "oiessaii")
_LEET_BANG_IS_BLANK: Final = str.maketrans("0135$@!|", "oiessa i")
_PAUSE_DAYS: Final = re.compile("[0-9]{1,3}")
_MOST_STOP_WORDS: Final = 8


def stop_everything(message: Normalised, words: Words) -> Decision | None:
    """A STOP of all lists: exact, or with digits and signs in place of letters."""
    if message.only_stop_signs:
        return Decision(Outcome.STOP, "emoji", "stop-sign")
    if rule := words.stop.get(message.squeezed):
        return Decision(Outcome.STOP, "exact", rule, words=message.squeezed)
    if len(message.tokens) > 1 and message.tokens[0] in words.stop:
        rest = "".join(message.tokens[1:])
        if rest in all_words():
            rule = f"{words.stop[message.tokens[0]]}+all:{rest}"
            return Decision(Outcome.STOP, "exact", rule, words=" ".join(message.tokens))
    return _stop_in_leet(message.text, words)


def about_one_list(message: Normalised, words: Words, lists: Mapping[str, str]) -> Decision | None:
    """STOP or START followed by the word of a list."""
    if len(message.tokens) < 2 or (key := lists.get("".join(message.tokens[1:]))) is None:
        return None
    first, said = message.tokens[0], " ".join(message.tokens)
    if first in words.stop:
        return Decision(Outcome.STOP_LIST, "exact", f"{words.stop[first]}+list", key, words=said)
    if first in words.start:
        return Decision(Outcome.START_LIST, "exact", f"{words.start[first]}+list", key, words=said)
    return None


def other_commands(
    message: Normalised, words: Words, lists: Mapping[str, str], state: str
) -> Decision | None:
    """HELP, an answer to the open question, START, a list's own word, PAUSE; whole messages only."""
    said = message.squeezed
    if rule := words.help.get(said):
        return Decision(Outcome.HELP, "exact", rule, words=said)
    if answer := _answer(said, words, state):
        return answer
    if rule := words.start.get(said):
        return Decision(Outcome.START, "exact", rule, words=said)
    if (key := lists.get(said)) is not None:
        return Decision(Outcome.START_LIST, "exact", "list-word", key, words=said)
    return _pause(message, words)


def _answer(said: str, words: Words, state: str) -> Decision | None:
    """YES and NO mean something while we wait for an answer; a NO to a running list is read by a human."""
    if (rule := words.yes.get(said)) and state == "pending":
        return Decision(Outcome.CONFIRM, "answer", rule, words=said)
    if (rule := words.no.get(said)) is None:
        return None
    if state == "pending":
        return Decision(Outcome.DECLINE, "answer", rule, words=said)
    # Nothing is left to hold for somebody who gets nothing.
    return Decision(Outcome.REVIEW, "doubt", rule, words=said) if state in ("active", "paused") else NOTHING


def _pause(message: Normalised, words: Words) -> Decision | None:
    if not message.tokens or (rule := words.pause.get(message.tokens[0])) is None or len(message.tokens) > 3:
        return None
    number = message.tokens[1] if len(message.tokens) > 1 else ""
    if number and not _PAUSE_DAYS.fullmatch(number):
        return None
    unit = message.tokens[2] if len(message.tokens) > 2 else ""
    if unit and unit not in _DAYS:
        return None
    days = int(number) if number and int(number) else None
    return Decision(Outcome.PAUSE, "pause", rule, days=days, words=" ".join(message.tokens))


_LONG_WORD: Final = 7
_DAYS: Final = word_set(
    "d day days tag tage jours jour dias dia giorni giorno dagen dag dni gun дней дня день днів дні siku दिन"
)


def stop_among_polite_words(message: Normalised, words: Words) -> Decision | None:
    """ "STOP PLEASE", "stop stop stop", "STOP 12345", "stop 🛑 thanks": nothing else is said."""
    core = [token for token in message.tokens if token not in words.polite]
    squeezed = "".join(core)
    polite = len(core) < len(message.tokens) or bool(STOP_SIGNS.intersection(message.text))
    if rule := words.also_stop.get(message.squeezed) or words.also_stop.get(squeezed):
        return Decision(Outcome.STOP_FUZZY, "filler", rule, words=squeezed)
    if polite and (rule := words.stop.get(squeezed)):
        return Decision(Outcome.STOP_FUZZY, "filler", rule, words=squeezed)
    if not core or len(core) > _MOST_STOP_WORDS:
        return None
    strong = [token for token in core if token in words.stop and token not in words.weak]
    rest = set(core).difference(words.stop, all_words())
    if strong and core[0] in words.stop and all(token.isdigit() for token in rest):
        return Decision(Outcome.STOP_FUZZY, "filler", words.stop[strong[0]], words=" ".join(core))
    return None


def misspelt_stop(message: Normalised, words: Words) -> Decision | None:
    """One word, polite words aside, that is a slip of the hand from a STOP word."""
    core = [token for token in message.tokens if token not in words.polite]
    if len(core) != 1:
        return None
    if any(core[0] in other for other in (words.start, words.help, words.yes, words.no, words.pause)):
        return None
    # Of what nobody announced only the long words are repaired: a slip away from them lies nothing else.
    long = {word for word in words.also_stop if len(word) >= _LONG_WORD}
    meant = misspelt(core[0], words.strong | words.weak) or misspelt(core[0], long)
    if meant is None:
        return None
    rule = words.stop.get(meant) or words.also_stop.get(meant, f"en.stop:{meant}")
    return Decision(Outcome.STOP_FUZZY, "typo", rule, words=core[0])


def _stop_in_leet(text: str, words: Words) -> Decision | None:
    if _LEET_SIGNS.isdisjoint(text):
        return None
    for alphabet in (_LEET, _LEET_BANG_IS_BLANK):
        read = "".join(tokens(text.translate(alphabet)))
        if rule := words.stop.get(read):
            return Decision(Outcome.STOP, "leet", rule, words=read)
    return None
