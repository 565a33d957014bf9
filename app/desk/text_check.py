"""What an editor should know about a text before it goes: how it is cut and billed, and what may go wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from app.desk.language_form import scope_name
from app.desk.languages import gettext as _
from app.desk.languages import inside_quotes, number
from app.desk.languages import lazy_gettext as _l
from app.desk.languages import ngettext as _n
from app.domain import placeholders
from app.domain.parts import Parts, measure, offenders, plain_quotes
from app.domain.placeholders import PlaceholderError
from app.domain.policy.content import Finding, lint
from app.domain.short_links import Counting, links_in, with_short
from app.domain.styled import as_written
from app.domain.styles import Styled, fill, lone_marks, marked, without_marks
from app.runtime import runtime

MANY_PARTS: Final = 3
_QUOTES: Final = "“”„‟‘’‚‛«»‹›"
SAMPLES: Final = {"first_name": "Alexandra", "last_name": "Sommer", "city": "Hamburg"}

# What the lint finds, in the reader's words; %(where)s is the place in the text.
_LINT: Final = {
    "gap": _l("Fill in %(where)s: people would read the brackets."),
    "short_link": _l("Carriers filter public link shorteners. Use the full link."),
    "numeric_opt_out": _l("“%(where)s”: a number is no way to leave. Write: Reply STOP to leave."),
    "only_way": _l("“%(where)s”: people may leave in any way they like. Do not call STOP the only one."),
    "stop_glued": _l("“%(where)s”: carriers dislike this spelling. Write: Reply STOP to leave."),
    "stop_each_time": _l(
        "Some people are in %(where)s, where each message says STOP. Add: Reply STOP to leave."
    ),
    "no_stop": _l("The text does not say how to leave. Add a line such as: Reply STOP to leave."),
    "stop_due": _l("It is time to remind people of STOP: every fifth message, and every 30 days."),
    "no_brand": _l("The text does not say who is writing. Begin with your name."),
}
_TOPIC: Final = _l("“%(where)s”: carriers let this topic through only to people whose age you asked for.")
_CAN_ADD_STOP: Final = frozenset({"no_stop", "stop_due", "stop_each_time"})


@dataclass(frozen=True)
class Warn:
    """Something to look at. `kind` is `error` (blocks sending) or `warning`; `action` names a button that helps."""

    kind: str
    words: str
    action: str | None = None


_NOTHING: Final = Styled("")


@dataclass(frozen=True)
class TextCheck:
    """`shown` is the text as one person gets it; `parts` counts that very text. `words` are how it looks to them.

    `links` are where the short links in it and on buttons will lead, where clicks are counted.
    """

    shown: str
    parts: Parts
    warnings: tuple[Warn, ...]
    links: tuple[str, ...] = ()
    words: Styled = _NOTHING

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


def check_text(
    text: str,
    *,
    known: bool = True,
    findings: Sequence[Finding] | None = None,
    counting: Counting | None = None,
    tail: str = "",
    button_links: Sequence[str] = (),
    gateway: str = "",
    styled: bool = True,
) -> TextCheck:
    """Look at a text as a person gets it whose name and city are known (or not: the fall-backs then).

    `findings` are those of a lint that knows more than the text; without them the text is looked at alone. With
    `counting` its links are shown, and counted, as the short ones that will go out. `tail` ends a text that says
    something: buttons in words. `button_links` are where link buttons lead. Of a text that is `styled` no mark is
    left, but on a `gateway` whose apps read marks in the text.
    """
    try:
        template = placeholders.parse(text)
    except PlaceholderError as error:
        fault = Warn("error", _placeholder_words(error))
        bare = Styled(text)
        return TextCheck(text, measure(text), (fault, *_warnings(text, measure(text), findings)), words=bare)
    template = marked(template) if styled else template
    links = links_in(template) if counting else ()
    if counting:
        template = with_short(template, dict.fromkeys(links, counting.longest))
    words = fill(template, SAMPLES if known else {})
    tail = tail if text.strip() else ""
    words, shown = words._replace(text=words.text + tail), as_written(words, gateway) + tail
    parts = measure(shown)
    every = tuple(dict.fromkeys((*links, *button_links))) if counting else ()
    read = without_marks(text) if styled else text
    warnings = [*_warnings(read, parts, findings), *(_lone(text) if styled else ())]
    return TextCheck(shown, parts, tuple(warnings), every, words)


def _placeholder_words(error: PlaceholderError) -> str:
    return _(
        "Look at the placeholder at character %(place)s. Write it as {{first_name|friend}}: "
        "one of the names %(names)s, and words for people of whom it is not known.",
        place=number(error.position + 1),
        names=", ".join(placeholders.KNOWN),
    )


def _warnings(text: str, parts: Parts, findings: Sequence[Finding] | None) -> list[Warn]:
    if not text:
        return []
    if findings is None:
        findings = lint(text, brand=runtime().controller.brand)
    found = [_unicode(text, parts), _length(parts), *map(words_of, findings)]
    return [warning for warning in found if warning]


def _lone(text: str) -> list[Warn]:
    """A mark that styles nothing may be meant so, as before a footnote."""
    words = _l(
        "A lone “%(mark)s” stays as it is. To style words, put one right before and one right behind them, "
        "as in %(mark)sthese words%(mark)s."
    )
    return [Warn("warning", str(words) % {"mark": mark}) for mark in lone_marks(text)]


def _unicode(text: str, parts: Parts) -> Warn | None:
    strange = offenders(text)
    if not strange:
        return None
    # A quote between quotes cannot be read: it stands alone.
    signs = " ".join(sign if sign in _QUOTES else f"“{sign}”" for sign in strange[:6])
    words = _("%(signs)s makes each part hold 70 characters instead of 160.", signs=signs)
    plain = plain_quotes(text)
    return Warn("warning", words, "plain" if len(offenders(plain)) < len(strange) else None)


def _length(parts: Parts) -> Warn | None:
    if parts.count <= MANY_PARTS:
        return None
    words = _("%(n)s parts: each person costs as much as that many messages.", n=number(parts.count))
    return Warn("warning", words)


def words_of(finding: Finding) -> Warn:
    """A finding of the lint in the reader's language."""
    words = str(_LINT.get(finding.code, _TOPIC)) % {"where": inside_quotes(finding.where)}
    if finding.about:  # no button changes other words than the main ones
        return Warn(finding.severity.value, f"{scope_name(finding.about)}: {words}")
    return Warn(finding.severity.value, words, "stop" if finding.code in _CAN_ADD_STOP else None)
