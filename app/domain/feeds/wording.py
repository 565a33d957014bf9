"""Words a message from an item by an editor's template, cut at a word to the parts that it may have."""

import re
from bisect import bisect_right
from collections.abc import Callable
from typing import Final

from app.domain.feeds.items import FeedItem
from app.domain.parts import count_parts
from app.domain.placeholders import PlaceholderError, parse
from app.domain.styles import literally

TEMPLATE: Final = "{{title}}\n{{summary}}\n{{link}}"
LONGEST_TEMPLATE: Final = 500
MOST_PARTS: Final = 6
_SLOT: Final = re.compile(r"\{\{\s*(title|summary|link)\s*\}\}")
# Three points, because “…” is no character of GSM-7 and would make two parts of one.
_ELLIPSIS: Final = "..."
# A word of more characters is of a script without blanks, or none at all: it may be cut anywhere.
_LONG_WORD: Final = 25
# What an item says must not be taken for a placeholder of ours, nor for a mark of a style.
_BRACES: Final = str.maketrans("{}", "()")


class BadTemplate(ValueError):
    """A template cannot be used; the text says why."""


class TooLong(ValueError):
    """An item cannot be worded in the parts allowed, however much is cut."""


def check_template(template: str) -> None:
    """Raise `BadTemplate` for one that says nothing of the item, or has placeholders that nobody knows."""
    if not _SLOT.search(template):
        raise BadTemplate("The text needs one of {{title}}, {{summary}} and {{link}}.")
    if len(template) > LONGEST_TEMPLATE:
        raise BadTemplate(f"The text has {len(template)} characters; it may have {LONGEST_TEMPLATE}.")
    try:
        parse(_SLOT.sub("x", template))
    except PlaceholderError as error:
        raise BadTemplate(
            f"{error} Of the item there are {{{{title}}}}, {{{{summary}}}} and {{{{link}}}}."
        ) from error


def word(template: str, item: FeedItem, most_parts: int) -> str:
    """Return the message for an item, in at most `most_parts` parts.

    Too much is cut from the summary, then from the title, at a word and with an ellipsis; a link goes whole or not at
    all. Raises `TooLong` when the rest alone does not fit.
    """
    title, summary = (literally(words.translate(_BRACES)) for words in (item.title, item.summary))
    if title == summary:
        summary = ""

    def with_summary(words: str) -> str:
        return _filled(template, {"title": title, "summary": words, "link": item.link})

    def with_title(words: str) -> str:
        return _filled(template, {"title": words, "summary": "", "link": item.link})

    for fill, words in ((with_summary, summary), (with_title, title)):
        found = _longest(fill, words, most_parts)
        if found is not None:
            return found
    needed = count_parts(with_title(""))
    raise TooLong(f"The link and the words around it need {needed} parts; there may be {most_parts}.")


def _longest(fill: Callable[[str], str], words: str, most_parts: int) -> str | None:
    """Return the message with as much of `words` as fits; None when not even one of them does."""
    if count_parts(whole := fill(words)) <= most_parts:
        return whole
    ends = _ends(words)
    fitting = bisect_right(ends, False, key=lambda end: count_parts(fill(_cut(words, end))) > most_parts)
    if fitting:
        return fill(_cut(words, ends[fitting - 1]))
    bare = fill("")
    return bare if bare and count_parts(bare) <= most_parts else None


def _cut(words: str, end: int) -> str:
    return words[:end].rstrip(" ,;:-–—(\\") + _ELLIPSIS


def _ends(words: str) -> list[int]:
    """Return where a text may be cut, in ascending order."""
    found: list[int] = []
    for one in re.finditer(r"\S+", words):
        if len(one.group()) > _LONG_WORD:
            found += range(one.start() + _LONG_WORD, one.end())
        found.append(one.end())
    return found[:-1]


def _filled(template: str, values: dict[str, str]) -> str:
    """Fill a template in; a line of which nothing is left goes."""
    lines = []
    for line in template.strip().splitlines():
        filled = _SLOT.sub(lambda slot: values[slot.group(1)], line).strip()
        if filled or not _SLOT.search(line):
            lines.append(filled)
    return "\n".join(lines).strip()
