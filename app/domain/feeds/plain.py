"""From the HTML that feeds carry to plain words on one line: no tags, no scripts, nothing invisible.

Nothing is kept that would need a parser of HTML, and the one of Python takes time that grows with the square of what a
stranger makes up; this looks at each character once.
"""

import re
import unicodedata
from html import unescape
from typing import Final

LONGEST: Final = 20_000
"""Characters of HTML that are looked at: twenty times what a message holds."""

_UNSEEN: Final = frozenset(
    {"script", "style", "template", "noscript", "iframe", "object", "svg", "head", "title"}
)
_INLINE: Final = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "cite", "code", "em", "font", "i", "mark", "q", "s", "small", "span", "strong",
     "sub", "sup", "u", "wbr"}
)  # fmt: skip
# A comment, open to the end if need be; a tag, cut off by the end if need be; what begins with <! or <?.
_MARKUP: Final = re.compile(
    r"<!--(?:(?!-->).)*+(?:-->)?|<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9:-]*+)[^<>]*+(?:>|\Z)|<[!?/][^<>]*+(?:>|\Z)",
    re.DOTALL,
)
# Joiners belong to words and emoji; what turns the direction of all that follows has no place in our message.
_KEPT: Final = frozenset("\u200c\u200d")


def plain(html: str) -> str:
    """Return the words that a reader of this HTML would see."""
    html = html[:LONGEST]
    pieces: list[str] = []
    hidden_by, start = "", 0
    for found in _MARKUP.finditer(html):
        if not hidden_by:
            pieces += (html[start : found.start()], "" if _name(found) in _INLINE else " ")
        start = found.end()
        hidden_by = _hidden_after(found, hidden_by)
    if not hidden_by:
        pieces.append(html[start:])
    return tidy(unescape("".join(pieces)))


def tidy(text: str) -> str:
    """Return plain text on one line, without characters that cannot be seen."""
    return " ".join("".join(_seen(one) for one in text[:LONGEST]).split())


def _name(found: re.Match[str]) -> str:
    return (found["name"] or "").lower()


def _hidden_after(found: re.Match[str], hidden_by: str) -> str:
    """Return the name of the element whose content is left out from here on, or "" where people see it."""
    name = _name(found)
    if hidden_by:
        return "" if found["end"] and name == hidden_by else hidden_by
    opens = not found["end"] and not found.group().endswith("/>")
    return name if opens and name in _UNSEEN else ""


def _seen(character: str) -> str:
    if character in _KEPT:
        return character
    category = unicodedata.category(character)
    if category == "Cc":
        return " "
    return "" if category in ("Cf", "Cs", "Co", "Cn") else character
