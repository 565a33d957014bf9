"""What a message can ask for, and the evidence that is kept for reading it that way."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

MATCHER_VERSION: Final = "tolerant-4"


class Outcome(StrEnum):
    """What a message asks for. STOP_FUZZY has the effect of STOP; REVIEW asks a human and holds sends."""

    STOP = "STOP"
    STOP_FUZZY = "STOP_FUZZY"
    STOP_LIST = "STOP_LIST"
    ERASE = "ERASE"
    HELP = "HELP"
    CONFIRM = "CONFIRM"
    DECLINE = "DECLINE"
    START = "START"
    START_LIST = "START_LIST"
    PAUSE = "PAUSE"
    WRONG_NUMBER = "WRONG_NUMBER"
    REVIEW = "REVIEW"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class Decision:
    """An outcome with its evidence: which tier and rule of which matcher read the words that way.

    `days` is how long a PAUSE lasts, None when the person named no number. `words` is the part of the
    normalised message that decided; it is for people, and two decisions are equal without it.
    """

    outcome: Outcome
    tier: str = "none"
    rule: str = ""
    list_key: str | None = None
    matcher_version: str = MATCHER_VERSION
    days: int | None = None
    words: str = field(default="", compare=False)

    def explain(self) -> str:
        """One sentence on why the message was read this way."""
        return _SENTENCES.get(self.tier, _ANY_OTHER).format(
            words=self.words, rule=self.rule, days=self.days or "no number of"
        )


NOTHING: Final = Decision(Outcome.NONE)

_ANY_OTHER: Final = "“{words}” was read so by the rule {rule}."
_SENTENCES: Final = {
    "provider": "The provider told us so ({rule}).",
    "payload": "It came by a link or a button of ours ({rule}).",
    "button": "The button “{words}” of a broadcast was pressed, or named by its number ({rule}).",
    "late": "It was sent before the STOP that is in force, and came after it.",
    "none": "Nothing in it is a command, a wish to be left alone, or a complaint that we know.",
    "guard": "“{words}” says the opposite of a stop, or speaks of something else ({rule}).",
    "emoji": "It consists of stop signs.",
    "exact": "The whole message is the command “{words}” ({rule}).",
    "leet": "The whole message is the command “{words}” with signs in place of letters ({rule}).",
    "own": "The whole message is “{words}”, a word of this operator ({rule}).",
    "filler": "Without its polite words the message is the command “{words}” ({rule}).",
    "typo": "“{words}” is a misspelt command ({rule}).",
    "pause": "It asks for a pause of {days} days ({rule}).",
    "answer": "“{words}” answers our open question ({rule}).",
    "clause": "“{words}” stands alone as a sentence or clause of the message ({rule}).",
    "phrase": "“{words}” asks in free text ({rule}).",
    "capitals": "“{words}” stands in capitals within other text ({rule}).",
    "weights": "No rule decides, but together its words lean to a stop, and a human should read it: {words} ({rule}).",
    "doubt": "“{words}” may be a wish to stop, and a human should read it ({rule}).",
}
