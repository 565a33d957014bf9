"""Styled words as the channels take them: pieces of one look, ranges of UTF-16 code units, HTML, or typed marks."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from html import escape
from itertools import pairwise
from typing import Final, NamedTuple

from app.domain.styles import MARKS, OPENS_AFTER_SPACE, TYPED, Span, Style, Styled, has_word

_MARK_OF: Final[Mapping[Style, str]] = {style: mark for mark, style in MARKS.items()}
_TAGS: Final[Mapping[Style, str]] = {Style.BOLD: "strong", Style.ITALIC: "em", Style.STRIKE: "del"}
# Asterisk operator, full-width low line, tilde operator: they look alike, and no app takes them for marks.
_LOOK_ALIKES: Final[Mapping[str, str]] = {"*": "\u2217", "_": "\uff3f", "~": "\u223c"}
_BEYOND: Final = re.compile("[\U00010000-\U0010ffff]")
_ANY_MARK: Final = re.compile(r"[*_~]")
_WHOLE: Final = re.compile(r"(?:https?://|www\.)\S+|[^\s@]+@[^\s@]+\.[^\s@]+", re.IGNORECASE)


class Run(NamedTuple):
    """Words of one look."""

    text: str
    styles: frozenset[Style] = frozenset()

    @property
    def bold(self) -> bool:
        """Tell whether they are bold."""
        return Style.BOLD in self.styles

    @property
    def italic(self) -> bool:
        """Tell whether they are in italics."""
        return Style.ITALIC in self.styles

    @property
    def struck(self) -> bool:
        """Tell whether they are struck out."""
        return Style.STRIKE in self.styles


def runs(words: Styled) -> tuple[Run, ...]:
    """Cut words wherever their look changes, to be shown one piece after the other."""
    edges = sorted({0, len(words.text), *(at for one in words.spans for at in (one.start, one.end))})
    return tuple(
        Run(
            words.text[start:end],
            frozenset(one.style for one in words.spans if one.start <= start and end <= one.end),
        )
        for start, end in pairwise(edges)
    )


def utf16(words: Styled) -> Iterator[tuple[int, int, Style]]:
    """Yield where each span begins and how long it is in UTF-16 code units, as Telegram and Signal count."""
    beyond = [found.start() for found in _BEYOND.finditer(words.text)]
    for start, end, style in words.spans:
        begins, ends = (at + sum(place < at for place in beyond) for at in (start, end))
        yield begins, ends - begins, style


def html(words: Styled) -> str:
    """Return the words as HTML: escaped, with a tag for each style and `<br>` for the end of a line."""
    return "".join(_tagged(one) for one in runs(words))


def _tagged(run: Run) -> str:
    found = escape(run.text).replace("\n", "<br>")
    for style in sorted(run.styles):
        found = f"<{_TAGS[style]}>{found}</{_TAGS[style]}>"
    return found


def as_written(words: Styled, gateway: str) -> str:
    """Return the words as they stand in a request to a gateway."""
    return typed(words, opens_after_space=gateway in OPENS_AFTER_SPACE) if gateway in TYPED else words.text


def typed(words: Styled, *, opens_after_space: bool = False) -> str:
    """Return the words with marks for apps that read these themselves, and nothing in them that styles besides.

    A character of the words that an app could take for a mark becomes one that looks like it; links stay as they are.
    Where that does not help, a span goes without its marks.

    Args:
        words: The words, and what is styled in them.
        opens_after_space: Whether a mark opens only at the start of a line, behind a space or another mark that opens.
    """
    if not words.spans and not _ANY_MARK.search(words.text):
        return words.text
    wholes = [found.span() for found in _WHOLE.finditer(words.text)]
    strays = [at for at in _marks_in(words.text) if not any(start <= at < end for start, end in wholes)]
    written = [one for one in words.spans if _is_writable(words.text, one, strays, opens_after_space)]
    text = _guarded(words.text, strays, written)
    marks: dict[int, str] = {}
    for start, end, style in written:  # the longer first: it opens before the others, and closes behind them
        marks[start] = marks.get(start, "") + _MARK_OF[style]
        marks[end] = _MARK_OF[style] + marks.get(end, "")
    places = sorted({0, len(text), *marks})
    pieces = (marks.get(start, "") + text[start:end] for start, end in pairwise(places))
    return "".join(pieces) + marks.get(len(text), "")


def _marks_in(text: str) -> list[int]:
    return [found.start() for found in _ANY_MARK.finditer(text)]


def _is_writable(text: str, span: Span, strays: Collection[int], opens_after_space: bool) -> bool:
    """Tell whether an app would read the marks of a span as we mean them: one line, and no link with such a mark."""
    inner, before = text[span.start : span.end], text[span.start - 1 : span.start]
    own = [at for at in _marks_in(inner) if inner[at] == _MARK_OF[span.style]]
    if not has_word(inner) or inner != inner.strip() or "\n" in inner:
        return False
    if opens_after_space and before and not before.isspace():
        return False
    return all(span.start + at in strays for at in own)


def _guarded(text: str, strays: Iterable[int], written: Iterable[Span]) -> str:
    """Return the text with look-alikes for what would open, or would close a span too early."""
    letters, beside = list(text), {at for one in written for at in (one.start, one.end)}
    found = Counter(text[at] for at in strays) + Counter(_MARK_OF[one.style] for one in written)
    for at in strays:
        mark, after = text[at], text[at + 1 : at + 2]
        within = any(one.start <= at < one.end and _MARK_OF[one.style] == mark for one in written)
        opens = (at in beside or not text[at - 1 : at].isalnum()) and after and not after.isspace()
        if within or (opens and found[mark] > 1):
            letters[at] = _LOOK_ALIKES[mark]
    return "".join(letters)
