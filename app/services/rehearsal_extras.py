"""What goes with the text in a rehearsal: the files and buttons of a broadcast, and whom a file gets to.

Whether a file goes beside the text hangs on true numbers, ours and theirs, which stay here: only the answers cross.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.buttons import TEXT_VARIABLE
from app.domain.media.limits import media_of, rule_for
from app.domain.placeholders import read
from app.services.controller import Controller
from app.services.media.outgoing import outgoing
from app.services.rich_messages import stored
from app.storage.database import Model
from app.storage.models import Broadcast, BroadcastMedia, BroadcastRich, MediaFile, Sender, Subscriber
from app.storage.variants import variants_of, wording_of

Row = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """What a sender's stand-in plays: the gateway of that name, and whether the file goes beside the text there.

    With `beginnings` only to people whose numbers begin so.
    """

    sender_id: int
    gateway: str
    channel: str
    beside: bool = False
    beginnings: list[str] = field(default_factory=list)

    def leaves_out(self, person: Subscriber) -> bool:
        """Tell whether a person of this channel gets in place of the file what stands for it."""
        limited = self.beside and person.channel == self.channel and bool(self.beginnings)
        return limited and not person.address.startswith(tuple(self.beginnings))


def row_of(one: Model) -> Row:
    """Return a row as the stage may write it again."""
    return {column.key: getattr(one, column.key) for column in type(one).__mapper__.column_attrs}


def rows_of(session: Session, broadcast_id: int) -> list[tuple[type[Model], list[Row]]]:
    """Return what a broadcast has besides its text, without who brought it."""
    carried = session.scalars(select(BroadcastMedia).where(BroadcastMedia.broadcast_id == broadcast_id)).all()
    ids = [one.media_id for one in carried]
    files = session.scalars(select(MediaFile).where(MediaFile.id.in_(ids)))
    extras = session.scalars(select(BroadcastRich).where(BroadcastRich.broadcast_id == broadcast_id))
    return [
        (MediaFile, [{**row_of(one), "created_by": "-"} for one in files]),
        (BroadcastMedia, [row_of(one) for one in carried]),
        (BroadcastRich, [row_of(one) for one in extras]),
    ]


def names_in(session: Session, broadcast: Broadcast) -> Sequence[str]:
    """Return the placeholders in all that a broadcast says: its text, that of each channel, and its templates."""
    templates = (rich.template for rich, _ in stored(session, broadcast.id).values())
    variables = (one for use in templates if use for one in use.variables if one != TEXT_VARIABLE)
    words = (broadcast.text, *variants_of(session, broadcast.id).values(), *variables)
    return tuple(dict.fromkeys(name for one in words for name in read(one).names))


def parts_of(
    session: Session,
    broadcast: Broadcast,
    senders: Iterable[Sender],
    *,
    public_url: str,
    controller: Controller,
) -> list[Part]:
    """Return what each of these senders makes of a broadcast."""
    parts = []
    for sender in senders:
        texts = wording_of(session, broadcast, sender.channel).texts
        found = outgoing(session, broadcast, sender, texts, public_url=public_url, controller=controller)
        beside = found is not None and found.fit.misfit is None
        rule = rule_for(found.media.mime, media_of(sender.gateway)) if found and beside else None
        beginnings = list(rule.beginnings) if rule else []
        parts.append(Part(sender.id, sender.gateway, sender.channel, beside, beginnings))
    return parts


def left_out(parts: Sequence[Part], person: Subscriber) -> bool:
    """Tell whether the file does not get to somebody although their channel carries it."""
    return any(one.leaves_out(person) for one in parts)
