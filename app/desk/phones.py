"""How a broadcast looks on a phone of each channel that its lists use: what Compose and the review draw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import select

from app.desk import media_form, rich_form
from app.desk.languages import gettext as _
from app.desk.languages import number
from app.desk.media_form import FileField
from app.desk.reading import other_words, sender_of, targets
from app.desk.rich_form import Shown
from app.desk.text_check import TextCheck, check_text
from app.domain.buttons import Rich
from app.domain.channels import IN_BROWSERS, Channel, channel_named
from app.domain.media.attached import Otherwise, instead_of
from app.domain.media.limits import fit, media_of_sender
from app.domain.replies import Facts, ReplyKind, reply
from app.domain.short_links import Counting
from app.domain.styled import Run, runs
from app.domain.styles import shown_source, styles_named
from app.runtime import runtime
from app.services.media.take_in import file_row
from app.services.short_links import counting_of
from app.storage.database import db
from app.storage.models import Broadcast, BroadcastList, Sender

_EXAMPLE_PATH: Final = "/m/1000000.abcdefghijklmnopqrstuv.jpg"
"""As long as a true link to a file is."""


@dataclass(frozen=True)
class Written:
    """What a draft says: `variants` and `rich` by channel, `files` for all channels first, then for some of them."""

    text: str
    variants: Mapping[str, str]
    rich: Mapping[str, Rich]
    files: Sequence[FileField]
    styled: bool = True

    def text_on(self, channel: str) -> str:
        """Return the words for a channel: its own, or those for all."""
        own = self.variants.get(channel, "")
        return own if own.strip() else self.text

    def file_on(self, channel: str) -> FileField | None:
        """Return the file for a channel: its own, or that for all."""
        shown = {one.channel: one for one in self.files if one.is_shown()}
        return shown.get(channel) or shown.get("")


@dataclass(frozen=True)
class Phone:
    """One phone. `bubbles` are the parts of an SMS, elsewhere the one message; `file` stands before them.

    Each bubble is cut into runs of one look. `tail` is the part of the text that stands for a file or buttons which are
    not shown. `line` says how long it is, and `too_long` that the channel carries less. `leaves` answers a STOP; empty
    where people press a button.
    """

    channel: str
    address: str
    bubbles: tuple[tuple[Run, ...], ...]
    file: FileField | None
    look: Shown | None
    tail: str
    check: TextCheck
    line: str
    too_long: bool
    leaves: str

    @property
    def faults(self) -> list[str]:
        """What is wrong with the words themselves."""
        return [one.words for one in self.check.warnings if one.kind == "error"]


def phones_of(written: Written, list_ids: Sequence[int], *, known: bool = True) -> list[Phone]:
    """Return a phone for each channel of these lists, that of the first list first; one without a sender for none."""
    senders = rich_form.senders_for(sender_of(list_ids), list_ids)
    counting = counting_of(db.session(), list_ids)
    looks = rich_form.shown_on(senders, written.rich, counting)
    leaves = _answer_to_stop(list_ids)
    if not senders:
        return [_phone(written, None, None, None, known, leaves)]
    return [
        _phone(written, sender, look, counting, known, leaves)
        for sender, look in zip(senders, looks, strict=True)
    ]


def phones_of_draft(broadcast: Broadcast) -> list[Phone]:
    """Return the phones of a broadcast as it is stored."""
    variants, rich = other_words(broadcast.id), rich_form.stored(broadcast)
    list_ids = [one.id for one in targets(broadcast.id)]
    channels = [one.channel for one in rich_form.senders_for(sender_of(list_ids), list_ids)]
    files = media_form.stored(broadcast.id, channels)
    written = Written(broadcast.text, variants, rich, files, broadcast.styled)
    return phones_of(written, list_ids)


def runs_of(broadcast: Broadcast) -> tuple[Run, ...]:
    """Return the main text of a broadcast in runs of one look, with its placeholders as they are written."""
    return runs(shown_source(broadcast.text, styled=broadcast.styled))


def links_of(phones: Sequence[Phone]) -> list[str]:
    """Return where the link buttons lead, on whichever channel, each once."""
    return list(dict.fromkeys(link for one in phones if one.look for link in one.look.links))


def drawn(phones: Sequence[Phone], asked: Mapping[str, str]) -> dict[str, Any]:
    """Return what the template draws; `asked` is a form that may say which phone and whether in large text."""
    channels = [one.channel for one in phones]
    chosen = asked.get("phone", "")
    return {
        "phones": phones,
        "chosen_phone": chosen if chosen in channels else channels[0],
        "large": "large" in asked,
    }


def _phone(
    written: Written,
    sender: Sender | None,
    look: Shown | None,
    counting: Counting | None,
    known: bool,
    leaves: str,
) -> Phone:
    name = sender.channel if sender else "sms"
    channel, text, file = channel_named(name), written.text_on(name), written.file_on(name)
    in_words = f"\n{look.tail}" if look and look.tail else ""
    gateway = sender.gateway if sender else ""
    checked = partial(
        check_text, known=known, findings=(), counting=counting, gateway=gateway, styled=written.styled
    )
    bare = checked(text, tail=in_words).shown
    carried = file is None or sender is None or _carries(sender, channel, file, bare, look)
    tail = ("" if carried or file is None else _instead(file)) + in_words
    check = checked(text, tail=tail)
    length, is_sms = channel.length(check.shown), channel.unit == "sms"
    return Phone(
        channel=name,
        address=sender.address if sender else runtime().settings.brand,
        bubbles=tuple((Run(one),) for one in check.parts.chunks) if is_sms else _bubble(check, gateway),
        file=file if carried else None,
        look=look,
        tail=tail,
        check=check,
        line=check.line if is_sms else _line(channel, length),
        too_long=length > channel.longest,
        leaves="" if name in IN_BROWSERS else leaves,
    )


def _bubble(check: TextCheck, gateway: str) -> tuple[tuple[Run, ...], ...]:
    """The one message, styled where the channel shows styles; none where there are no words."""
    if not check.shown.strip():
        return ()
    return (runs(check.words) if styles_named(gateway) else (Run(check.shown),),)


def _line(channel: Channel, length: int) -> str:
    used, most = number(length), number(channel.longest)
    if channel.unit == "bytes":
        return _("%(n)s of %(most)s bytes", n=used, most=most)
    return _("%(n)s of %(most)s characters", n=used, most=most)


def _carries(sender: Sender, channel: Channel, file: FileField, text: str, look: Shown | None) -> bool:
    """Tell whether the file goes beside the text, as it will be decided when it goes out."""
    row = file_row(db.session(), file.media_id)
    in_template = sender.has_template or bool(look and look.template)
    rules = media_of_sender(
        sender.gateway, sender.address, template=sender.template_file if in_template else None
    )
    return fit(row.mime, row.size, channel.length(text), rules).misfit is None


def _instead(file: FileField) -> str:
    return instead_of(Otherwise(file.otherwise), file.alt, f"{runtime().settings.public_url}{_EXAMPLE_PATH}")


def _answer_to_stop(list_ids: Sequence[int]) -> str:
    """What we answer, in the language of the first list."""
    language = db.session.scalar(
        select(BroadcastList.language)
        .where(BroadcastList.id.in_(list_ids))
        .order_by(BroadcastList.id)
        .limit(1)
    )
    return reply(ReplyKind.STOPPED, language or "en", Facts(brand=runtime().controller.brand))
