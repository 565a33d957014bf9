"""What a broadcast has besides its text: stored by channel, checked when it is saved, made ready when it is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.domain import button_codes
from app.domain.button_codes import Pressed
from app.domain.buttons import (
    NO_BUTTONS,
    TEXT_VARIABLE,
    BadButton,
    Button,
    ButtonKind,
    ButtonLimits,
    Rich,
    TemplateUse,
    as_text,
    check,
    check_template,
    from_json,
    limits_named,
    template_to_json,
    to_json,
)
from app.domain.keywords import Outcome, classify
from app.domain.placeholders import PlaceholderError, Template, parse, read
from app.gateways.base import Capabilities
from app.services.broadcast_rows import targets_of
from app.services.controller import Controller, Refused
from app.storage.models import BroadcastList, BroadcastRich, Sender
from app.storage.ways import lists_of, ways

EVERYWHERE: Final = ""
"""The channel of the row that holds for every channel."""
COMMANDS: Final = frozenset(
    {
        Outcome.STOP,
        Outcome.STOP_LIST,
        Outcome.ERASE,
        Outcome.HELP,
        Outcome.START,
        Outcome.START_LIST,
        Outcome.PAUSE,
    }
)
"""What the word of a button may ask for. YES and NO would answer a question that the button did not ask."""


@dataclass(frozen=True)
class Dress:
    """What goes with the text of a broadcast on one channel, for everybody alike but for a template's variables.

    `in_words` are the buttons that the channel cannot show. `codes` is short address of a link button -> name of the
    attribute with a person's own letters, which go behind it.
    """

    rich: Rich | None = None
    in_words: tuple[Button, ...] = ()
    codes: Mapping[str, str] = field(default_factory=dict)

    @property
    def own_template(self) -> bool:
        """Whether the broadcast names an approved text of its own."""
        return self.rich is not None and self.rich.template is not None

    @property
    def links(self) -> tuple[str, ...]:
        """Where its link buttons lead; without those of a template, whose addresses were approved with it."""
        shown = self.rich.buttons if self.rich and not self.own_template else ()
        return tuple(one.value for one in (*shown, *self.in_words) if one.kind is ButtonKind.LINK)

    def with_links(self, short: Mapping[str, str]) -> "Dress":
        """Return it with `short[link]` in place of each address of `links` that is in there."""
        if not any(link in short for link in self.links):
            return self
        rich = self.rich
        if rich is not None and not self.own_template:
            rich = replace(rich, buttons=_leading_to(rich.buttons, short))
        return replace(self, rich=rich, in_words=_leading_to(self.in_words, short))

    @cached_property
    def _variables(self) -> tuple[Template | None, ...]:
        """The template's variables, cut into words and placeholders; None stands for the text of the message."""
        use = self.rich.template if self.rich else None
        return tuple(None if one == TEXT_VARIABLE else read(one) for one in (use.variables if use else ()))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The placeholders in the variables."""
        return tuple(name for one in self._variables if one for name in one.names)

    @property
    def is_personal(self) -> bool:
        """Whether it differs from person to person."""
        return bool(self.names or self.codes)

    @property
    def ending(self) -> str:
        """What goes at the very end of the message, the buttons in words with a line break before them, or empty."""
        return f"\n{as_text(self.in_words)}" if self.in_words else ""

    def text(self, words: str) -> str:
        """Return the words of the message, with those that stand for buttons."""
        return words + self.ending

    def for_person(self, attributes: Mapping[str, Any]) -> Rich | None:
        """Return what goes to somebody of whom we know this."""
        rich = self.rich
        if rich is None or not self.is_personal:
            return rich
        if rich.template is not None and self.names:
            filled = tuple(
                TEXT_VARIABLE if one is None else one.render(attributes) for one in self._variables
            )
            rich = replace(rich, template=replace(rich.template, variables=filled))
        own = {link: link + attributes.get(name, "") for link, name in self.codes.items()}
        return replace(rich, buttons=_leading_to(rich.buttons, own))


def _leading_to(buttons: Sequence[Button], links: Mapping[str, str]) -> tuple[Button, ...]:
    return tuple(
        replace(one, value=links.get(one.value, one.value)) if one.kind is ButtonKind.LINK else one
        for one in buttons
    )


PLAIN: Final = Dress()


def dress_for(
    session: Session, broadcast_id: int, sender_id: int, can: Capabilities, controller: Controller
) -> Dress:
    """Return how a broadcast goes out of a sender: its buttons with our signed ids, or the same in words."""
    rich = rich_of(session, broadcast_id, can.channel)
    if rich.is_plain:
        return PLAIN
    sender = session.get_one(Sender, sender_id)
    dress = _dressed(rich, can.buttons, default_template=sender.has_template)
    if dress.rich is None:
        return dress
    return replace(
        dress, rich=replace(dress.rich, buttons=_signed(broadcast_id, dress.rich.buttons, controller))
    )


def plain_dress(rich: Rich, sender: Sender) -> Dress:
    """Return how it goes out of a sender, as far as nobody presses anything: its buttons bear no ids of ours."""
    return _dressed(rich, limits_named(sender.gateway), default_template=sender.has_template)


def _dressed(rich: Rich, limits: ButtonLimits, *, default_template: bool) -> Dress:
    """Where a channel cannot show these buttons, they stand below the text in words."""
    if _shows(rich, limits, default_template=default_template):
        return Dress(rich)
    bare = replace(rich, buttons=())
    return Dress(None if bare.is_plain else bare, rich.buttons)


def _shows(rich: Rich, limits: ButtonLimits, *, default_template: bool) -> bool:
    """A template of the broadcast's own was approved with its buttons; one for every message was so with none."""
    if rich.template is not None and limits != NO_BUTTONS:
        return True
    return not default_template and limits.carry(rich.buttons)


def _signed(broadcast_id: int, buttons: Sequence[Button], controller: Controller) -> tuple[Button, ...]:
    def tag(body: bytes) -> bytes:
        return controller.keys.tag(button_codes.LABEL, body)

    return tuple(
        replace(one, value=button_codes.write(Pressed(broadcast_id, place), tag))
        if one.kind is ButtonKind.REPLY
        else one
        for place, one in enumerate(buttons)
    )


def stored(session: Session, broadcast_id: int) -> dict[str, tuple[Rich, bool]]:
    """Return channel ("" for all) -> what is written there, and whether it has buttons of its own."""
    rows = session.scalars(select(BroadcastRich).where(BroadcastRich.broadcast_id == broadcast_id))
    return {
        row.channel: (from_json(row.content or {}, row.template), row.content is not None) for row in rows
    }


def rich_of(session: Session, broadcast_id: int, channel: str) -> Rich:
    """Return what a broadcast has on a channel: its own there, else that for every channel."""
    return among(stored(session, broadcast_id), channel)


def among(found: Mapping[str, tuple[Rich, bool]], channel: str) -> Rich:
    """Do what `rich_of` does with rows that were read."""
    everywhere, _ = found.get(EVERYWHERE, (Rich(), True))
    here, own = found.get(channel, (Rich(), False))
    return replace(here if own else everywhere, template=here.template)


def save_rich(session: Session, broadcast_id: int, given: Mapping[str, Rich]) -> None:
    """Keep these; what is plain takes its row away, channels that are not named stay. Nothing is checked here."""
    for channel, rich in given.items():
        row = session.get(BroadcastRich, (broadcast_id, channel))
        if rich.is_plain:
            if row is not None:
                session.delete(row)
            continue
        if row is None:
            row = BroadcastRich(broadcast_id=broadcast_id, channel=channel)
            session.add(row)
        inherits = channel != EVERYWHERE and not rich.buttons
        row.content, row.template = None if inherits else to_json(rich), template_to_json(rich.template)
    session.flush()


def copy_rich(session: Session, from_id: int, to_id: int) -> None:
    """Give a broadcast the buttons and templates of another."""
    rows = session.scalars(select(BroadcastRich).where(BroadcastRich.broadcast_id == from_id)).all()
    session.add_all(
        BroadcastRich(broadcast_id=to_id, channel=row.channel, content=row.content, template=row.template)
        for row in rows
    )


def put_back_rich(session: Session, broadcast_id: int, rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Give a draft exactly these buttons and templates, as an earlier version of it stored them."""
    session.execute(delete(BroadcastRich).where(BroadcastRich.broadcast_id == broadcast_id))
    session.add_all(
        BroadcastRich(broadcast_id=broadcast_id, channel=channel, **row) for channel, row in rows.items()
    )


def words_of(session: Session, lists: Sequence[BroadcastList]) -> dict[str, str]:
    """Return the words of every list that a sender of these lists carries, with the lists' ids as text."""
    senders = {sender for found in ways(session, [one.id for one in lists]).values() for sender in found}
    there = [one for sender_id in sorted(senders) for one in lists_of(session, sender_id)]
    return {one.keyword: str(one.id) for one in there}


def check_rich_of(session: Session, broadcast_id: int, given: Mapping[str, Rich]) -> None:
    """Do what `check_rich` does, for the lists that a draft goes to."""
    lists = targets_of(session, broadcast_id)
    languages = sorted({"en", *(one.language for one in lists)})
    check_rich(given, words_of(session, lists), languages)


def check_rich(given: Mapping[str, Rich], lists: Mapping[str, str], languages: Sequence[str]) -> None:
    """Raise `Refused` at the first fault. `lists` are the words of the lists that a button may stand for."""
    for rich in given.values():
        try:
            check(rich.buttons)
            if rich.template:
                check_template(rich.template)
        except BadButton as error:
            raise Refused(str(error)) from error
        for number, one in enumerate(rich.buttons, start=1):
            _check_word(number, one, lists, languages)
        _check_variables(rich.template)


def _check_word(number: int, button: Button, lists: Mapping[str, str], languages: Sequence[str]) -> None:
    if button.kind is not ButtonKind.REPLY or button.is_answer:
        return
    if classify(button.value, languages=languages, lists=lists).outcome not in COMMANDS:
        raise Refused(
            f"Button {number}: “{button.value}” is no word that people can text. Write STOP, HELP, PAUSE, START or "
            "the word of a list."
        )


def _check_variables(use: TemplateUse | None) -> None:
    for number, words in enumerate(use.variables if use else (), start=1):
        try:
            if words != TEXT_VARIABLE:
                parse(words)
        except PlaceholderError as error:
            raise Refused(f"Variable {number} of the template: {error}") from error
