"""What an editor should know about a text before it goes: how it is cut and billed, and what may go wrong."""

import re
from dataclasses import dataclass
from typing import Final

from app.desk.languages import gettext as _
from app.desk.languages import ngettext as _n
from app.desk.languages import number
from app.domain import placeholders
from app.domain.parts import Parts, measure, offenders, plain_quotes
from app.domain.placeholders import PlaceholderError

MANY_PARTS: Final = 3
SAMPLES: Final = {"first_name": "Alexandra", "last_name": "Sommer", "city": "Hamburg"}

# Carriers filter messages with public link shorteners, whatever they point to.
_SHORTENERS: Final = (
    "bit.ly", "buff.ly", "cutt.ly", "goo.gl", "is.gd", "ow.ly", "rb.gy", "rebrand.ly", "t.ly", "tiny.cc", "tinyurl.com",
)  # fmt: skip
_SHORT_LINK: Final = re.compile(
    r"(?<![\w.-])(?:" + "|".join(map(re.escape, _SHORTENERS)) + r")/", re.IGNORECASE
)
_STOP_WORD: Final = re.compile(r"\bSTOPP?\b", re.IGNORECASE)


@dataclass(frozen=True)
class Warn:
    """Something to look at. `kind` is `error` (blocks sending) or `warning`; `action` names a button that helps."""

    kind: str
    words: str
    action: str | None = None


@dataclass(frozen=True)
class TextCheck:
    """`shown` is the text as one person gets it; `parts` counts that very text."""

    shown: str
    parts: Parts
    warnings: tuple[Warn, ...]

    @property
    def line(self) -> str:
        """`GSM-7 · 143 of 160 · 1 part`."""
        units = _(
            "%(units)s of %(room)s",
            units=number(self.parts.units),
            room=number(self.parts.units + self.parts.left),
        )
        parts = _n("%(n)s part", "%(n)s parts", self.parts.count)
        return f"{self.parts.encoding} · {units} · {parts}"


def check_text(text: str, *, known: bool = True) -> TextCheck:
    """Look at a text as a person gets it whose name and city are known (or not: the fall-backs then)."""
    try:
        template = placeholders.parse(text)
    except PlaceholderError as error:
        fault = Warn("error", _placeholder_words(error))
        return TextCheck(text, measure(text), (fault, *_warnings(text, measure(text))))
    shown = template.render(SAMPLES if known else {})
    parts = measure(shown)
    return TextCheck(shown, parts, tuple(_warnings(text, parts)))


def _placeholder_words(error: PlaceholderError) -> str:
    return _(
        "Look at the placeholder at character %(place)s. Write it as {{first_name|friend}}: "
        "one of the names %(names)s, and words for people of whom it is not known.",
        place=number(error.position + 1),
        names=", ".join(placeholders.KNOWN),
    )


def _warnings(text: str, parts: Parts) -> list[Warn]:
    if not text:
        return []
    found = [_unicode(text, parts), _length(parts), _short_link(text), _no_way_out(text)]
    return [warning for warning in found if warning]


def _unicode(text: str, parts: Parts) -> Warn | None:
    strange = offenders(text)
    if not strange:
        return None
    signs = " ".join(f"“{sign}”" for sign in strange[:6])
    words = _("%(signs)s makes each part hold 70 characters instead of 160.", signs=signs)
    plain = plain_quotes(text)
    return Warn("warning", words, "plain" if len(offenders(plain)) < len(strange) else None)


def _length(parts: Parts) -> Warn | None:
    if parts.count <= MANY_PARTS:
        return None
    words = _("%(n)s parts: each person costs as much as that many messages.", n=number(parts.count))
    return Warn("warning", words)


def _short_link(text: str) -> Warn | None:
    if not _SHORT_LINK.search(text):
        return None
    return Warn("warning", _("Carriers filter public link shorteners. Use the full link."))


def _no_way_out(text: str) -> Warn | None:
    if _STOP_WORD.search(text):
        return None
    return Warn(
        "warning", _("The text does not say how to leave. Add a line such as: Reply STOP to leave."), "stop"
    )
