"""Buttons under a message: what an editor may write, what a channel can show, and the same in plain text.

Sources of the limits: core.telegram.org/bots/api (InlineKeyboardButton, callback_data of 64 bytes), developers.line.biz
(quick reply: 13 actions, labels of 20), developers.facebook.com (WhatsApp: 3 reply buttons of 20 letters or one link;
Messenger: 13 quick replies, or 3 buttons of a template), creators.viber.com (keyboards), all read in November 2026.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

MOST: Final = 10
LONGEST_LABEL: Final = 40
LONGEST_LINK: Final = 300
LONGEST_WORD: Final = 40
MOST_VARIABLES: Final = 10
TEXT_VARIABLE: Final = "{{text}}"
"""Stands in a template's variable for the whole text of the message."""
_CONTROL: Final = re.compile(r"[{}\x00-\x1f\x7f]")
_TEMPLATE_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,512}")
# Twilio's templates have a number in place of a name, and one for each language.
_CONTENT_SID: Final = re.compile(r"HX[0-9a-fA-F]{32}")
_TEMPLATE_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:_[A-Z]{2})?")


class BadButton(ValueError):
    """A button or a template cannot be used; `problem` names the fault and `where` the field, such as `button 2`."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where.capitalize()}: {problem}.")
        self.where, self.problem = where, problem


class ButtonKind(StrEnum):
    """REPLY: a press tells us something. LINK: a press opens a page."""

    REPLY = "reply"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Button:
    """One button. `value` of a link is its address, of a reply the word that a press stands for, "" for an answer.

    On its way to a gateway the value of a reply is the signed id that comes back with the press.
    """

    kind: ButtonKind
    label: str
    value: str = ""

    @property
    def is_answer(self) -> bool:
        """Whether a press is an answer of its own, and no word that we know."""
        return self.kind is ButtonKind.REPLY and not self.value


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """A text that the platform approved, by name and language; `variables` fill it in order, none: our text does."""

    name: str
    language: str
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rich:
    """What a message has besides its text. `preview`: whether the app may show a picture of the page behind a link."""

    buttons: tuple[Button, ...] = ()
    preview: bool = True
    template: TemplateUse | None = None

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing to say beyond the text."""
        return not self.buttons and self.preview and self.template is None


@dataclass(frozen=True, slots=True)
class ButtonLimits:
    """What one message can carry on a channel: `replies`, `links`, or of both kinds `both` (0: never together).

    Labels have `label` characters at most. What does not fit goes as text.
    """

    replies: int = 0
    links: int = 0
    both: int = 0
    label: int = 20

    def carry(self, buttons: Sequence[Button]) -> bool:
        """Tell whether all of these fit under one message."""
        links = sum(one.kind is ButtonKind.LINK for one in buttons)
        replies = len(buttons) - links
        if replies and links:
            fits = len(buttons) <= self.both and replies <= self.replies and links <= self.links
        else:
            fits = replies <= self.replies and links <= self.links
        return fits and all(len(one.label) <= self.label for one in buttons)


NO_BUTTONS: Final = ButtonLimits()
_LIMITS: Final = MappingProxyType(
    {
        "telegram": ButtonLimits(8, 8, 8, 40),
        "line": ButtonLimits(10, 10, 10, 20),
        "whatsapp": ButtonLimits(3, 1, 0, 20),
        "messenger": ButtonLimits(10, 3, 3, 20),
        "viber": ButtonLimits(6, 6, 6, 40),
        # Browsers show two actions, of which STOP has one.
        "webpush": ButtonLimits(1, 1, 0, 20),
        "inapp": ButtonLimits(10, 10, 10, 40),
    }
)


def limits_named(gateway: str) -> ButtonLimits:
    """Return what editors are told of a gateway; its `capabilities()` say the same."""
    return _LIMITS.get(gateway, NO_BUTTONS)


def numbered(buttons: Sequence[Button]) -> dict[str, int]:
    """Return what people may text instead of a press -> place of the button: `1`, `2`, … for answers, and labels."""
    answers = [place for place, one in enumerate(buttons) if one.is_answer]
    numbers = {str(number): place for number, place in enumerate(answers, start=1)}
    return numbers | {buttons[place].label.casefold(): place for place in answers}


def as_text(buttons: Sequence[Button]) -> str:
    """Return the buttons in words, or "": `1 Yes, 2 No`, then `STOP: No more`, then `Read more: https://…`."""
    answers = [one.label for one in buttons if one.is_answer]
    lines = [", ".join(f"{number} {label}" for number, label in enumerate(answers, start=1))]
    lines += [_command(one) for one in buttons if one.kind is ButtonKind.REPLY and not one.is_answer]
    lines += [f"{one.label}: {one.value}" for one in buttons if one.kind is ButtonKind.LINK]
    return "\n".join(line for line in lines if line)


def _command(button: Button) -> str:
    """A command is texted as its word, never as a number: people may leave in their own words at any time."""
    word = button.value.upper()
    return word if button.label.casefold() == button.value.casefold() else f"{word}: {button.label}"


def check(buttons: Sequence[Button]) -> None:
    """Raise `BadButton` at the first one that cannot be used, whatever the channel; words are checked elsewhere."""
    if len(buttons) > MOST:
        raise BadButton("buttons", f"there are {len(buttons)}; a message has {MOST} at most")
    seen: set[str] = set()
    for number, one in enumerate(buttons, start=1):
        where = f"button {number}"
        if fault := _fault(one):
            raise BadButton(where, fault)
        if one.label.casefold() in seen:
            raise BadButton(where, f"the label “{one.label}” is there twice")
        seen.add(one.label.casefold())


def _fault(button: Button) -> str:
    label, value = button.label, button.value
    if not label or len(label) > LONGEST_LABEL:
        return f"a label has 1 to {LONGEST_LABEL} characters"
    if _CONTROL.search(label):
        return "a label is plain words on one line, without braces"
    if label.strip().isdecimal():
        return "a label that is a number reads like the number of an answer; write a word"
    if button.kind is ButtonKind.LINK:
        return (
            "" if is_link(value) else f"a link begins with https:// and has {LONGEST_LINK} characters at most"
        )
    return "the word has too many characters" if len(value) > LONGEST_WORD else ""


def is_link(text: str) -> bool:
    """Tell whether this is an address that every channel opens: https, a host, no blanks or braces."""
    if len(text) > LONGEST_LINK or re.search(r"[\s{}<>\"]", text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def check_template(use: TemplateUse) -> None:
    """Raise `BadButton` for a template whose name or language is none."""
    if not _TEMPLATE_NAME.fullmatch(use.name):
        raise BadButton("template", "its name is letters, digits and _, such as weekly_news")
    if not _CONTENT_SID.fullmatch(use.name) and not _TEMPLATE_LANGUAGE.fullmatch(use.language):
        raise BadButton("template", "its language is a code such as en or en_US")
    if len(use.variables) > MOST_VARIABLES:
        raise BadButton("template", f"it may have {MOST_VARIABLES} variables")


def to_json(rich: Rich) -> dict[str, Any]:
    """Return buttons and preview as they are stored."""
    buttons = [{"kind": one.kind.value, "label": one.label, "value": one.value} for one in rich.buttons]
    return {"buttons": buttons, "preview": rich.preview}


def template_to_json(use: TemplateUse | None) -> dict[str, Any] | None:
    """Return a template as it is stored."""
    if use is None:
        return None
    return {"name": use.name, "language": use.language, "variables": list(use.variables)}


def from_json(content: Mapping[str, Any], template: Mapping[str, Any] | None) -> Rich:
    """Read what `to_json` and `template_to_json` made."""
    buttons = tuple(
        Button(ButtonKind(one["kind"]), one["label"], one["value"]) for one in content.get("buttons", ())
    )
    use = (
        TemplateUse(template["name"], template["language"], tuple(template["variables"]))
        if template
        else None
    )
    return Rich(buttons, bool(content.get("preview", True)), use)
