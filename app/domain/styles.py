"""Styles in editors' text: `*bold*`, `_italic_` and `~struck~`, read before people's values are put in.

The rule is the one that editors know from WhatsApp. A mark counts at the edge of a word only: before an opening and
behind a closing one stands the beginning or end of the line, a space, punctuation or a picture. Both are on one line
with a word between them. Inside of links, e-mail addresses, words and placeholders, doubled (`**`), or behind a
backslash, a mark is a character like others. There are no words that hide a link: people see where one leads.

Until a text is filled in, each mark is held by a code: a Unicode noncharacter, which by The Unicode Standard 23.7 is
for internal use and never interchanged. So texts may be cut, joined and filled like others, and a value is never read.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from app.domain.placeholders import Slot, Template, read


class Style(StrEnum):
    """How words look; the order is that in which marks of one place are written."""

    BOLD = "bold"
    ITALIC = "italic"
    STRIKE = "strike"


class Span(NamedTuple):
    """`text[start:end]` is in a style; two of one text lie apart or one within the other."""

    start: int
    end: int
    style: Style


class Styled(NamedTuple):
    """Words as people read them, and how they look. Spans are in the order of their beginnings, the longer first."""

    text: str
    spans: tuple[Span, ...] = ()


MARKS: Final[Mapping[str, Style]] = MappingProxyType({"*": Style.BOLD, "_": Style.ITALIC, "~": Style.STRIKE})
ALL: Final = frozenset(Style)
NO_STYLES: Final[frozenset[Style]] = frozenset()
TYPED: Final = frozenset({"xmpp", "whatsapp", "twilio_whatsapp", "viber"})
"""Gateways whose apps read marks in the text itself."""
OPENS_AFTER_SPACE: Final = frozenset({"xmpp"})
"""Of these, those whose apps read a mark that opens only at the start of a line or behind a space."""
_GATEWAYS: Final = TYPED | {"telegram", "matrix", "signal"}

_OPENS: Final = MappingProxyType({mark: chr(0xFDD0 + 2 * place) for place, mark in enumerate(MARKS)})
_CLOSES: Final = MappingProxyType({mark: chr(0xFDD1 + 2 * place) for place, mark in enumerate(MARKS)})
_STYLE_OF: Final = {_OPENS[mark]: style for mark, style in MARKS.items()}
_MARK_OF_CODE: Final = {code: mark for codes in (_OPENS, _CLOSES) for mark, code in codes.items()}
_SLOT: Final = "\ufddf"
CODES: Final = "\ufdd0-\ufdef"
"""The codes as a part of a class of a regular expression: no link has one in it."""
_CODE: Final = re.compile(f"[{CODES}]")
_AT_AN_EDGE: Final = re.compile(r"(?<![^\W_])[*_~]|[*_~](?![^\W_])")
_MAY_MARK: Final = re.compile(r"[*_~]")

# What is passed over as a whole: an escaped mark, a link, an e-mail address; then what is looked at.
_TOKEN: Final = re.compile(
    r"(?P<escaped>\\[*_~])"
    r"|(?P<whole>(?:https?://|www\.)[^\s<>\"“”„‘’«»{}|\\^`]+|[^\W_][\w.+~*-]*@[^\W_][\w-]*(?:\.[\w-]+)+)"
    r"|(?P<mark>[*_~])|(?P<line>\n)",
    re.IGNORECASE,
)
# The sentence's own signs at the end of a link or an address, marks among them, are no part of it.
_TRAILING: Final = ".,;:!?'…)]*_~"
_PICTURE_ENDS: Final = "\ufe0f\u20e3"


def styles_named(gateway: str) -> frozenset[Style]:
    """Return which styles a gateway shows; its `capabilities()` say the same."""
    return ALL if gateway in _GATEWAYS else NO_STYLES


def read_styled(text: str) -> Template:
    """Cut a text that was checked when it was saved, as `placeholders.read` does, with codes in place of its marks."""
    return marked(read(text))


def marked(template: Template) -> Template:
    """Return the text with codes in place of its marks, and without the backslashes before the others."""
    joined = _SLOT.join(_CODE.sub("", literal) for literal in template.literals)
    if _MAY_MARK.search(joined):
        joined = _coded(joined)
    literals = tuple(joined.split(_SLOT))
    if literals == template.literals:
        return template
    slots = tuple(Slot(one.name, _CODE.sub("", one.fallback)) for one in template.slots)
    return replace(template, literals=literals, slots=slots)


def fill(template: Template, values: Mapping[str, str]) -> Styled:
    """Fill in a text that was `marked`. Values stay as they are, whatever signs they hold."""
    if template.slots:
        values = {name: _CODE.sub("", str(value)) for name, value in values.items()}
    return taken_out(template.render(values))


def without_marks(text: str, gateway: str = "") -> str:
    """Return an editor's text as its length is counted; where an app reads the marks themselves, these count."""
    return uncoded(read_styled(text).source, gateway)


def uncoded(text: str, gateway: str = "") -> str:
    """Take the codes out of a text that may have its placeholders still, or write marks for them where these go out."""
    if gateway in TYPED:
        return _CODE.sub(lambda code: _MARK_OF_CODE[code[0]], text)
    return _CODE.sub("", text)


def has_codes(template: Template) -> bool:
    """Tell whether something in a text is styled."""
    return any(_CODE.search(literal) for literal in template.literals)


def taken_out(text: str) -> Styled:
    """Take the codes out of a text that was filled in; also of a part of one, whose pairs may be torn."""
    if not _CODE.search(text):
        return Styled(text)
    pieces: list[str] = []
    opened: list[tuple[str, int]] = []
    spans: list[Span] = []
    start = length = 0
    for code in _CODE.finditer(text):
        pieces.append(text[start : code.start()])
        length, start = length + code.start() - start, code.end()
        if code[0] in _STYLE_OF:
            opened.append((code[0], length))
        elif opened and opened[-1][0] == chr(ord(code[0]) - 1):
            opening, began = opened.pop()
            spans.append(Span(began, length, _STYLE_OF[opening]))
    pieces.append(text[start:])
    return Styled("".join(pieces), tuple(sorted(spans, key=lambda one: (one.start, -one.end, one.style))))


def shown(text: str, values: Mapping[str, str] | None = None, *, styled: bool = True) -> Styled:
    """Return an editor's text as people see it, by default with the fall-backs; without `styled`, marks stay."""
    template = read(text)
    return fill(marked(template), values or {}) if styled else Styled(template.render(values or {}))


def literally(text: str) -> str:
    """Return words of somebody else for a text of ours, with a backslash before each sign that could be a mark."""
    return _AT_AN_EDGE.sub(r"\\\g<0>", text)


def shown_source(text: str, *, styled: bool) -> Styled:
    """Return an editor's text as it looks, with its placeholders as they are written."""
    return taken_out(read_styled(text).source) if styled else Styled(text)


def lone_marks(text: str) -> tuple[str, ...]:
    """Return the marks that stand at the edge of a word and style nothing, each once: an editor may have meant more."""
    joined = _SLOT.join(read(text).literals)
    found, paired = _pairs(joined)
    lone = [at for at, escaped in found.items() if not escaped and at not in paired and _touches(joined, at)]
    return tuple(dict.fromkeys(joined[at] for at in lone))


def _coded(joined: str) -> str:
    found, paired = _pairs(joined)
    pieces: list[str] = []
    start = 0
    for at, escaped in found.items():
        if escaped:
            pieces.append(joined[start:at])
            start = at + 1
        elif at in paired:
            pieces += (joined[start:at], paired[at])
            start = at + 1
    return "".join((*pieces, joined[start:]))


def _pairs(joined: str) -> tuple[dict[int, bool], dict[int, str]]:
    """Return place -> whether it is a backslash, for all signs that are looked at; and place -> code for the pairs."""
    found: dict[int, bool] = {}
    paired: dict[int, str] = {}
    opened: list[int] = []
    at = 0
    while token := _TOKEN.search(joined, at):
        at = token.end()
        if token["whole"]:
            at = token.start() + max(1, len(token["whole"].rstrip(_TRAILING)))
        elif token["line"]:
            opened.clear()
        else:
            found[token.start()] = token["escaped"] is not None
            if token["mark"]:
                _take(joined, token.start(), opened, paired)
    return found, paired


def _take(joined: str, at: int, opened: list[int], paired: dict[int, str]) -> None:
    """Let a mark close what is open, else open something; what is open within a closed pair stays a character."""
    mark = joined[at]
    before, after = joined[at - 1 : at], joined[at + 1 : at + 2]
    if mark in (before, after):
        return
    begun = next((place for place in reversed(opened) if joined[place] == mark), None)
    if begun is not None:
        if not before.isspace() and _is_edge(after) and has_word(joined[begun + 1 : at]):
            paired[begun], paired[at] = _OPENS[mark], _CLOSES[mark]
            del opened[opened.index(begun) :]
    elif _is_edge(before) and after and not after.isspace():
        opened.append(at)


def _touches(joined: str, at: int) -> bool:
    """Tell whether a mark has a word on one side and none on the other, as one that styles has."""
    before, after = joined[at - 1 : at], joined[at + 1 : at + 2]
    if joined[at] in (before, after):
        return False
    return _is_edge(before) != _is_edge(after)


def _is_edge(character: str) -> bool:
    """Tell whether a word ends here: nothing, a space, punctuation, a symbol or a picture."""
    if not character or character in _PICTURE_ENDS:
        return True
    return character != _SLOT and unicodedata.category(character)[0] not in "LNM"


def has_word(inner: str) -> bool:
    """Tell whether there is something to style: a letter, a digit, a placeholder or a picture."""
    return any(
        one == _SLOT or unicodedata.category(one)[0] in "LN" or unicodedata.category(one) == "So"
        for one in inner
    )
