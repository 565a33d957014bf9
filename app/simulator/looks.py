"""Styled words on a phone, read from what each messenger's wire protocol says of them, or from the marks in a text."""

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any, Final

from app.domain.placeholders import Template
from app.domain.styled import Run, runs
from app.domain.styles import TYPED, Span, Style, Styled, fill, marked
from app.simulator.records import Bubble

Looks = tuple[Span, ...]
_OF_TELEGRAM: Final = {"bold": Style.BOLD, "italic": Style.ITALIC, "strikethrough": Style.STRIKE}
_OF_SIGNAL: Final = {"BOLD": Style.BOLD, "ITALIC": Style.ITALIC, "STRIKETHROUGH": Style.STRIKE}
_TAGS: Final = {
    "strong": Style.BOLD,
    "b": Style.BOLD,
    "em": Style.ITALIC,
    "i": Style.ITALIC,
    "del": Style.STRIKE,
}


def of_telegram(body: Mapping[str, Any]) -> Looks:
    """Read the entities of a text or of a caption."""
    name, text = ("caption", body.get("caption")) if "caption" in body else ("text", body.get("text"))
    found = body.get("caption_entities" if name == "caption" else "entities") or ()
    return tuple(
        _span(str(text), one["offset"], one["length"], _OF_TELEGRAM[one["type"]])
        for one in found
        if one["type"] in _OF_TELEGRAM
    )


def of_signal(params: Mapping[str, Any]) -> Looks:
    """Read `textStyle`, each `start:length:STYLE`."""
    found = [one.split(":") for one in params.get("textStyle", ())]
    return tuple(
        _span(params["message"], int(at), int(length), _OF_SIGNAL[look]) for at, length, look in found
    )


def of_matrix(content: Mapping[str, Any]) -> Looks:
    """Read the HTML of a message, as long as it says the same as the text."""
    reader = _Html()
    reader.feed(str(content.get("formatted_body", "")))
    return tuple(reader.spans) if reader.text == content.get("body") else ()


def shown(bubble: Bubble) -> tuple[Run, ...]:
    """Cut a message into runs of one look; apps whose messages bring marks read these themselves."""
    if bubble.kind == "in" and bubble.channel in TYPED:
        return runs(fill(marked(Template((bubble.text,), ())), {}))
    return runs(Styled(bubble.text, bubble.looks))


def _span(text: str, at: int, length: int, style: Style) -> Span:
    raw = text.encode("utf-16-le")
    start, end = (len(raw[: 2 * place].decode("utf-16-le")) for place in (at, at + length))
    return Span(start, end, style)


class _Html(HTMLParser):
    """The words of simple HTML, and how they look."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.spans: list[Span] = []
        self._opened: list[tuple[Style, int]] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "br":
            self.text += "\n"
        elif tag in _TAGS:
            self._opened.append((_TAGS[tag], len(self.text)))

    def handle_endtag(self, tag: str) -> None:
        if tag in _TAGS and self._opened:
            style, began = self._opened.pop()
            self.spans.append(Span(began, len(self.text), style))

    def handle_data(self, data: str) -> None:
        self.text += data
