"""The files of one sender's broadcasts, for its lane: handed over before the first message, then named."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from app.domain.media.attached import Media
from app.domain.messages import ErrorKind, SendError
from app.domain.statuses import BroadcastState
from app.gateways.base import Call, Gateway, Reply, Transport
from app.gateways.uploads import Handle, HandleTeller, Uploader
from app.services.broadcast_rows import broadcast_for_change, move
from app.services.controller import Controller
from app.services.media import handles
from app.services.media.files import FileGone, Files, whole
from app.services.media.outgoing import Outgoing, outgoing
from app.storage.database import db, transaction
from app.storage.models import Broadcast, BroadcastMedia, Sender, Slice
from app.storage.variants import wording_of

MOST_TRIES: Final = 5
WAIT: Final = timedelta(seconds=10)
"""How long after a failure a file is tried again, the first time; longer with each."""
_BY: Final = "system"
# What will be the same however often we ask.
_FINAL: Final = frozenset({ErrorKind.CONTENT, ErrorKind.AUTH, ErrorKind.CONFIG, ErrorKind.INVALID})


@dataclass(frozen=True)
class MediaHouse:
    """What lanes need for files: where the bytes are, under which address people reach us, who we are."""

    files: Files
    public_url: str
    controller: Controller


class LaneMedia:
    """`open_transport` carries an upload; its calls may take long, and so it is none of the lane's own."""

    def __init__(
        self, sender_id: int, gateway: Gateway, house: MediaHouse, open_transport: Callable[[], Transport]
    ) -> None:
        self._sender_id, self._gateway, self._house = sender_id, gateway, house
        self._open = open_transport
        self._uploader = gateway if isinstance(gateway, Uploader) else None
        self._teller = gateway if isinstance(gateway, HandleTeller) else None

    def of(
        self, session: Session, broadcast: Broadcast, texts: Sequence[str], now: datetime
    ) -> tuple[str, Media | None]:
        """Return what goes at the end of each of a broadcast's texts here, and the file that goes beside them."""
        sender = session.get_one(Sender, self._sender_id)
        found = self._outgoing(session, broadcast, sender, texts)
        if found is None or found.fit.misfit is not None:
            return (found.tail, None) if found else ("", None)
        handle = handles.handle_for(session, self._sender_id, found.media.id, now)
        return "", replace(found.media, handle=handle)

    def is_ready(self, media: Media | None) -> bool:
        """Tell whether messages may leave with this file."""
        return media is None or self._uploader is None or bool(media.handle)

    def missing(self, now: datetime, *, may_upload: bool) -> list[int]:
        """Return the broadcasts that cannot go on here yet, for the provider does not have their file.

        With `may_upload` it is handed over first, which may take long. What will never work, or did not five times,
        pauses the broadcast and says why.
        """
        waiting = [] if self._uploader is None else self._waiting(now)
        return [one for one, media in waiting if not (may_upload and self._upload(one, media, now))]

    def _waiting(self, now: datetime) -> list[tuple[int, Media]]:
        session = db.session()
        sender = session.get_one(Sender, self._sender_id)
        found = []
        for broadcast in session.scalars(_being_sent(sender)).all():
            texts = wording_of(session, broadcast, sender.channel).texts
            _, media = self.of(session, broadcast, texts, now)
            if media is not None and not media.handle:
                found.append((broadcast.id, media))
        session.rollback()
        return found

    def _upload(self, broadcast_id: int, media: Media, now: datetime) -> bool:
        """Hand a file over, unless it failed a moment ago; False when the provider does not have it now."""
        if self._has_it(media, now):
            return True
        if self._uploader is None or not self._may_try(media, now):
            return False
        answer = self._hand_over(self._uploader, media)
        with transaction() as session:
            if isinstance(answer, Handle):
                until = None if answer.good_for is None else now + answer.good_for
                handles.keep_handle(session, self._sender_id, media.id, answer.value, until)
                return True
            problem = answer.detail or answer.code or answer.kind.value
            tries = handles.note_failure(session, self._sender_id, media.id, problem, now)
        if answer.kind in _FINAL or tries >= MOST_TRIES:
            _pause(broadcast_id, problem, now)
        return False

    def told(self, media: Media, reply: Reply, now: datetime) -> Media:
        """Keep the provider's id where an answer has it; returns the file with it."""
        if self._teller is None or media.handle or (handle := self._teller.told_handle(reply)) is None:
            return media
        with transaction() as session:
            until = None if handle.good_for is None else now + handle.good_for
            handles.keep_handle(session, self._sender_id, media.id, handle.value, until)
        return replace(media, handle=handle.value)

    def _outgoing(
        self, session: Session, broadcast: Broadcast, sender: Sender, texts: Sequence[str]
    ) -> Outgoing | None:
        house = self._house
        return outgoing(
            session, broadcast, sender, texts, public_url=house.public_url, controller=house.controller
        )

    def _has_it(self, media: Media, now: datetime) -> bool:
        """Tell whether the provider got it a moment ago, for another broadcast."""
        handle = handles.handle_for(db.session(), self._sender_id, media.id, now)
        db.session.rollback()
        return bool(handle)

    def _may_try(self, media: Media, now: datetime) -> bool:
        last = handles.last_try(db.session(), self._sender_id, media.id)
        tried_at, tries = (last.tried_at, last.tries) if last else (None, 0)
        db.session.rollback()
        return tried_at is None or now >= tried_at + WAIT * tries

    def _hand_over(self, uploader: Uploader, media: Media) -> Handle | SendError:
        try:
            data = whole(self._house.files, media.sha256, media.size)
        except (FileGone, OSError) as error:
            return SendError(
                ErrorKind.TEMPORARY, "no_file", f"The file cannot be read: {type(error).__name__}"
            )
        transport = self._open()
        try:
            return uploader.handle_of(_answer(transport, uploader.upload_call(media, data)))
        finally:
            transport.close()


def _answer(transport: Transport, call: Call) -> Reply:
    transport.submit(call)
    while True:
        for _, reply in transport.poll(0.1):
            return reply


def _being_sent(sender: Sender) -> Select[Broadcast]:
    """Broadcasts with a file and with people of this sender who wait."""
    return select(Broadcast).where(
        Broadcast.state == BroadcastState.SENDING.value,
        exists().where(
            Slice.broadcast_id == Broadcast.id, Slice.sender_id == sender.id, Slice.state == "open"
        ),
        Broadcast.id.in_(select(BroadcastMedia.broadcast_id)),
    )


def _pause(broadcast_id: int, problem: str, now: datetime) -> None:
    with transaction() as session:
        broadcast = broadcast_for_change(session, broadcast_id, or_test=True)
        if broadcast.state == BroadcastState.SENDING.value:
            reason = f"The platform did not take the file: {problem}"[:300]
            move(broadcast, BroadcastState.PAUSED, _BY, now, reason)
