"""What happens in the rooms of a bot, as events: who wrote, who invited us, who left.

The server brings everything in every room that the bot is in, its own messages too. What is malformed is of no
interest: a transaction is repeated until it is taken, and must not stand in the way of the STOP behind it.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Protocol

from app.domain.addresses import Address, BadAddress, canonical
from app.domain.messages import Event, EventKind, InboundMessage, PlatformEvent, PlatformSignal
from app.gateways.base import Call, Errand
from app.gateways.common import moment
from app.gateways.paths import at, items

LONGEST_ID: Final = 200  # what the database keeps
NOT_HERE: Final = (
    "I talk to one person at a time, in a direct chat without encryption. / "
    "Ich schreibe nur mit einer Person, in einem direkten Chat ohne Verschlüsselung."
)
_IGNORED: Final = Event(EventKind.IGNORED)
_OUT: Final = ("leave", "ban")
_ID: Final = re.compile(r"\$[!-~]{1,254}")
_ROOM: Final = re.compile(r"![!-~]{1,254}")


class RoomsCall(Protocol):
    """Makes the call that enters a room (`join`) or goes out of it (`leave`)."""

    def __call__(self, room: str, what: str, reason: str = "") -> Call:
        """Return the call."""


def read_event(found: object, bot: str, rooms_call: RoomsCall) -> Event:
    """Read one event of a transaction; `bot` is our user id."""
    if not (isinstance(found, dict) and _ID.fullmatch(at(found, "event_id"))):
        return _IGNORED
    kind, sender = at(found, "type"), at(found, "sender")
    if not _ROOM.fullmatch(at(found, "room_id")):
        return _IGNORED
    if kind == "m.room.member":
        return _membership(found, sender, bot, rooms_call)
    if sender == bot or "state_key" in found:
        return _IGNORED
    if kind == "m.room.encrypted":
        return _message(found, sender, "", media_count=1)
    return _said(found, sender) if kind == "m.room.message" else _IGNORED


def _membership(found: Mapping[str, Any], sender: str, bot: str, rooms_call: RoomsCall) -> Event:
    who, now = at(found, "state_key"), at(found, "content.membership")
    if who == bot and now == "invite":
        return _invitation(found, sender, rooms_call)
    if now not in _OUT or sender == bot:
        return _IGNORED
    if who == bot:  # whoever puts us out wants to hear nothing more
        return _signal(found, sender, PlatformSignal.LEFT)
    return _signal(found, who, PlatformSignal.LEFT, then=(rooms_call(at(found, "room_id"), "leave"),))


def _invitation(found: Mapping[str, Any], sender: str, rooms_call: RoomsCall) -> Event:
    """Into a room for two we go; out of others, where people are who never asked for us, or no STOP can be read."""
    room = at(found, "room_id")
    state = items(found, "invite_room_state") or items(found, "unsigned.invite_room_state")
    encrypted = any(at(one, "type") == "m.room.encryption" for one in state)
    if at(found, "content.is_direct") != "true" or encrypted:
        return Errand(EventKind.IGNORED, first=(rooms_call(room, "leave", NOT_HERE),))
    return _signal(found, sender, PlatformSignal.FOLLOWED, first=(rooms_call(room, "join"),))


def _signal(
    found: Mapping[str, Any],
    user: str,
    signal: PlatformSignal,
    first: tuple[Call, ...] = (),
    then: tuple[Call, ...] = (),
) -> Event:
    address = _address(user)
    if address is None:
        return _IGNORED
    evidence = {"membership": at(found, "content.membership")}
    event = PlatformEvent(_id(found), address, signal, evidence=evidence, route=at(found, "room_id"))
    return Errand(EventKind.SIGNAL, _sent_at(found), signal=event, first=first, then=then)


def _said(found: Mapping[str, Any], sender: str) -> Event:
    """A text, or a picture with its caption. A notice is what machines say: two that answer would never end."""
    content = _part(found, "content")
    relation = _part(content, "m.relates_to")
    if relation.get("rel_type") == "m.replace":
        content = _part(content, "m.new_content")
    kind, body = at(content, "msgtype"), at(content, "body")
    if kind == "m.notice":
        return _IGNORED
    if "m.in_reply_to" in relation:
        body = _without_quote(body)
    if kind in ("m.text", "m.emote"):
        return _message(found, sender, body)
    name = at(content, "filename")
    return _message(found, sender, body if name and name != body else "", media_count=1)


def _message(found: Mapping[str, Any], sender: str, text: str, media_count: int = 0) -> Event:
    address = _address(sender)
    if address is None:
        return _IGNORED
    message = InboundMessage(
        _id(found),
        address,
        _storable(text),
        media_count=media_count,
        sent_at=_sent_at(found),
        route=at(found, "room_id"),
    )
    return Event(EventKind.MESSAGE, _sent_at(found), message=message)


def _without_quote(body: str) -> str:
    """Older clients repeat what they answer to, in lines that begin with `>`: our own words, STOP among them."""
    lines = body.split("\n")
    while lines and lines[0].startswith(">"):
        lines.pop(0)
    return "\n".join(lines).strip()


def _part(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = found.get(name)
    return part if isinstance(part, dict) else {}


def _address(user: str) -> Address | None:
    try:
        return canonical("matrix", user)
    except BadAddress:  # longer than we keep, or none
        return None


def _id(found: Mapping[str, Any]) -> str:
    """In rooms of the oldest versions an id may be longer than the database keeps."""
    event_id = at(found, "event_id")
    return event_id if len(event_id) <= LONGEST_ID else hashlib.sha256(event_id.encode()).hexdigest()


def _storable(text: str) -> str:
    """Without the signs that JSON can carry and a database cannot keep."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _sent_at(found: Mapping[str, Any]) -> datetime | None:
    return moment(found.get("origin_server_ts"), 1000)
