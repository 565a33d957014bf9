"""Brings a message into the one spelling in which words are compared, whatever script or keyboard wrote it.

The steps, in order: the author's own lines, apostrophes, NFKC, stop signs, invisible characters, look-alike
letters, case, accents, tokens. Accents fall only where a reader would overlook them (Latin, Greek, Arabic):
in Devanagari, kana and Cyrillic й the mark makes another letter.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from app.domain.keywords.quoting import author_text

MAX_CHARACTERS: Final = 2_000
STOP_SIGNS: Final = frozenset("🛑⛔🚫🔕")

_APOSTROPHES: Final = str.maketrans(dict.fromkeys("´`′", "'"))
_ASCII_TOKEN: Final = re.compile("[a-z0-9]+")
_ONE_I: Final = str.maketrans(dict.fromkeys("İIı", "i"))
_FOLDED: Final = str.maketrans("ёłøأإآىة", "еloاااي" + "ه", "\u0640")
_GREEK_OR_CYRILLIC: Final = re.compile("[\u0370-\u052f\u1c80-\u1fff\u2de0-\u2dff\ua640-\ua69f]")
_WORD: Final = re.compile(r"\S+")
_MIXED_UP: Final = str.maketrans(
    "АВЕКМНОРСТУХІЈЅаеорсухіјѕ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοντ",
    "ABEKMHOPCTYXIJSaeopcyxijs" + "ABEZHIKMNOPTYXovt",
)


@dataclass(frozen=True, slots=True)
class Normalised:
    """A message ready for comparison.

    `text` still has its punctuation, `tokens` are its words, `squeezed` the words joined; `only_stop_signs`
    says that it consists of stop-sign emoji.
    """

    text: str
    tokens: tuple[str, ...]
    only_stop_signs: bool = False

    @property
    def squeezed(self) -> str:
        return "".join(self.tokens)


def normalise(raw: str) -> Normalised:
    """Normalise at most 2,000 characters of `raw`; the rest is cut, so that no message takes long."""
    own = author_text(raw[:MAX_CHARACTERS])
    if own.isascii():
        text = own.translate(_APOSTROPHES).lower()
        return Normalised(text, tuple(_ASCII_TOKEN.findall(text.replace("'", ""))))
    composed = unicodedata.normalize("NFKC", own.translate(_APOSTROPHES))[:MAX_CHARACTERS]
    text = _without_marks(_one_case(_one_script(_visible(composed))))
    return Normalised(text, tokens(text), _only_stop_signs(composed))


def squeeze(raw: str) -> str:
    """The words of `raw`, normalised and joined: how keywords and list words are stored and looked up."""
    return normalise(raw).squeezed


def word_set(words: str) -> frozenset[str]:
    """The words of a line: a readable way to write a set of many."""
    return frozenset(words.split())


def fold(raw: str) -> str:
    """Case and accents of `raw` as in a normalised message, its punctuation left alone: for phrases in data."""
    return _without_marks(_one_case(unicodedata.normalize("NFKC", raw)))


def tokens(text: str) -> tuple[str, ...]:
    """Maximal runs of letters, marks and digits. (`\\w` would split Devanagari at its vowel signs.)"""
    return tuple(text.translate(_IN_WORDS).split())


class _Table(dict[int, str]):
    """What `str.translate` makes of each sign, filled in as signs are met."""

    def __init__(self, make: Callable[[str], str]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, code: int) -> str:
        self[code] = made = self._make(chr(code))
        return made


def _in_words(ch: str) -> str:
    """An apostrophe is nothing, what stands in no word a blank."""
    return "" if ch in "'\u2018\u2019\u02bc" else ch if _category(ch)[0] in "LMN" else " "


def _shown(ch: str) -> str:
    """Drop what cannot be seen (zero-width characters, emoji variants); any blank or control is a space."""
    if _category(ch) == "Cf" or "\ufe00" <= ch <= "\ufe0f":
        return ""
    return "\n" if ch == "\n" else " " if _category(ch)[0] == "Z" or _category(ch) == "Cc" else ch


_IN_WORDS: Final = _Table(_in_words)
_SHOWN: Final = _Table(_shown)


def _visible(text: str) -> str:
    return text.translate(_SHOWN)


def _one_script(text: str) -> str:
    """Map Cyrillic and Greek look-alikes to Latin, only inside words that mix them with Latin letters."""
    if not _GREEK_OR_CYRILLIC.search(text):
        return text
    return _WORD.sub(lambda match: _latin_if_mixed(match.group()), text)


def _latin_if_mixed(word: str) -> str:
    scripts = {_script(ch) for ch in word if ch.isalpha()}
    return word.translate(_MIXED_UP) if "LATIN" in scripts and scripts & {"CYRILLIC", "GREEK"} else word


def _one_case(text: str) -> str:
    """Turkish dotted and dotless i become one letter first: the casefold of İ is two code points."""
    return text.translate(_ONE_I).casefold()


def _without_marks(text: str) -> str:
    kept: list[str] = []
    base = ""
    for ch in unicodedata.normalize("NFD", text):
        if _category(ch) != "Mn":
            base = ch
        elif _script(base) in {"LATIN", "GREEK", "ARABIC"}:
            continue
        kept.append(ch)
    return unicodedata.normalize("NFC", "".join(kept)).translate(_FOLDED)


def _only_stop_signs(text: str) -> bool:
    if STOP_SIGNS.isdisjoint(text):
        return False
    rest = [ch for ch in text if _shown(ch).strip() and _category(ch)[0] != "P"]
    return bool(rest) and STOP_SIGNS.issuperset(rest)


@lru_cache(maxsize=4096)
def _category(ch: str) -> str:
    return unicodedata.category(ch)


@lru_cache(maxsize=4096)
def _script(ch: str) -> str:
    """The first word of the character's Unicode name, which for letters is their script."""
    return unicodedata.name(ch, "").partition(" ")[0] if ch else ""
