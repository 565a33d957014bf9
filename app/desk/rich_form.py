"""The rows of a form for buttons and approved templates: read from a post, or from what is stored."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from flask import request

from app.desk.reading import further_senders, open_lists
from app.domain.buttons import MOST, Button, ButtonKind, Rich, TemplateUse, as_text
from app.domain.policy.proactive import path_of
from app.domain.short_links import Counting
from app.services import rich_messages
from app.services.rich_messages import EVERYWHERE, among, plain_dress
from app.services.short_links import dressed_as_sent
from app.storage.database import db
from app.storage.models import Broadcast, Sender

FEWEST: Final = 3
ANSWER, LINK = "answer", "link"
WORDS: Final = ("STOP", "PAUSE", "HELP")


class Row(NamedTuple):
    """One line of the form: what a press does (`answer`, `link` or a word), the label, and where a link leads."""

    number: int
    does: str
    label: str
    link: str


class TemplateFields(NamedTuple):
    """The fields for one channel's template; `variables` has a line for each."""

    channel: str
    name: str
    language: str
    variables: str


class Shown(NamedTuple):
    """How a message looks on one channel: `keys` below it, or `tail` in words at its end.

    `links` are the addresses of its buttons that go out as short links where clicks are counted.
    """

    channel: str
    keys: tuple[Button, ...]
    tail: str
    template: str
    links: tuple[str, ...] = ()


def was_posted() -> bool:
    """Whether the request carries these rows at all."""
    return "rich" in request.form


def given(channels: Sequence[str]) -> dict[str, Rich]:
    """Return what was written, by channel; nothing when the form had no such rows."""
    if not was_posted():
        return {}
    with_templates = template_channels()
    found = {EVERYWHERE: Rich(_buttons(EVERYWHERE), preview="preview" in request.form)}
    for channel in dict.fromkeys((*channels, *with_templates)):
        template = _template(channel) if channel in with_templates else None
        found[channel] = Rich(_buttons(channel), found[EVERYWHERE].preview or not _buttons(channel), template)
    return found


def _buttons(channel: str) -> tuple[Button, ...]:
    return tuple(_button(row) for row in _posted_rows(channel) if row.label or row.link)


def _button(row: Row) -> Button:
    if row.does == LINK:
        return Button(ButtonKind.LINK, row.label, row.link)
    return Button(ButtonKind.REPLY, row.label, "" if row.does == ANSWER else row.does)


def _posted_rows(channel: str) -> list[Row]:
    def field(number: int, name: str) -> str:
        return request.form.get(f"button{channel and '_'}{channel}_{number}_{name}", "").strip()

    return [
        Row(number, field(number, "does") or ANSWER, field(number, "label"), field(number, "link"))
        for number in range(1, MOST + 1)
    ]


def _template(channel: str) -> TemplateUse | None:
    name = request.form.get(f"template_{channel}", "").strip()
    lines = request.form.get(f"template_{channel}_variables", "").splitlines()
    language = request.form.get(f"template_{channel}_language", "").strip()
    variables = tuple(line.strip() for line in lines if line.strip())
    return TemplateUse(name, language, variables) if name else None


def stored(broadcast: Broadcast | None) -> dict[str, Rich]:
    """Return what a draft has, by channel; buttons that a channel shares with all are not repeated there."""
    if broadcast is None:
        return {}
    return {channel: rich for channel, (rich, _) in rich_messages.stored(db.session(), broadcast.id).items()}


def rows(channel: str, rich: Mapping[str, Rich]) -> list[Row]:
    """Return the lines to draw: what there is and an empty one, three at least."""
    if was_posted():
        filled = [row for row in _posted_rows(channel) if row.label or row.link]
    else:
        filled = [_row(number, one) for number, one in enumerate(rich.get(channel, Rich()).buttons, start=1)]
    count = min(MOST, max(FEWEST, len(filled) + 1))
    lines = [row._replace(number=number) for number, row in enumerate(filled, start=1)]
    return lines + [Row(number, ANSWER, "", "") for number in range(len(lines) + 1, count + 1)]


def _row(number: int, button: Button) -> Row:
    if button.kind is ButtonKind.LINK:
        return Row(number, LINK, button.label, button.value)
    return Row(number, button.value or ANSWER, button.label, "")


def words() -> list[str]:
    """Return the words that a press may stand for: our commands, and the word of each list."""
    return [*WORDS, *(row.keyword for row in open_lists())]


def template_channels() -> list[str]:
    """Return the channels of our senders on which a template leads further than free text."""
    channels = db.session.scalars(db.select(Sender.channel).distinct().order_by(Sender.channel))
    return [one for one in channels if path_of(one, template=True) != path_of(one, template=False)]


def template_fields(rich: Mapping[str, Rich]) -> list[TemplateFields]:
    """Return the fields of each of these channels, with what was written."""
    found = []
    for channel in template_channels():
        use = _template(channel) if was_posted() else rich.get(channel, Rich()).template
        lines = "\n".join(use.variables) if use else ""
        found.append(TemplateFields(channel, use.name if use else "", use.language if use else "", lines))
    return found


def shown_on(
    senders: Sequence[Sender], rich: Mapping[str, Rich], counting: Counting | None = None
) -> list[Shown]:
    """Return how the buttons look on the channel of each sender; with `counting` links have short addresses."""
    pairs = {channel: (one, bool(one.buttons) or channel == EVERYWHERE) for channel, one in rich.items()}
    return [_shown(sender, among(pairs, sender.channel), counting) for sender in senders]


def _shown(sender: Sender, rich: Rich, counting: Counting | None) -> Shown:
    dress = plain_dress(rich, sender)
    tail = as_text(dressed_as_sent(dress, counting).in_words)
    name = rich.template.name if rich.template else ""
    return Shown(sender.channel, () if tail else rich.buttons, tail, name, dress.links)


def senders_for(main: Sender | None, list_ids: Sequence[int]) -> list[Sender]:
    """Return the sender of the first list and those of these lists on other channels, one for each channel."""
    further = further_senders()
    every = [*([main] if main else []), *(one for list_id in list_ids for one in further.get(list_id, ()))]
    return list({sender.channel: sender for sender in reversed(every)}.values())[::-1]
