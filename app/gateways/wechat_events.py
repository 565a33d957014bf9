"""What WeChat posts, read: one message or event in XML, with the moment in whole seconds."""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from xml.etree.ElementTree import Element

from app.domain.addresses import Address
from app.domain.messages import (
    BatchResult,
    ErrorKind,
    Event,
    EventKind,
    InboundMessage,
    PlatformEvent,
    PlatformSignal,
    SendError,
)
from app.gateways.common import moment

CHANNEL: Final = "wechat"
SCENE: Final = "qrscene_"
"""Stands before the scene of a QR code when who scanned it did not follow us before."""

_SENT: Final = "send success"
_IGNORED: Final = Event(EventKind.IGNORED)


def event_of(found: Element) -> Event:
    """Return what one post tells; what makes no sense is of no interest."""
    kind, who = _at(found, "MsgType"), _at(found, "FromUserName")
    if not who or not kind:
        return _IGNORED
    if kind != "event":
        return _message(found, who, kind)
    read = _READERS.get(_at(found, "Event").casefold())
    return read(found, who) if read else _IGNORED


def _message(found: Element, who: str, kind: str) -> Event:
    text = _at(found, "Content") if kind == "text" else ""
    id_ = f"message:{_at(found, 'MsgId')}" if _at(found, "MsgId") else _event_id(found, who)
    return _said(
        found, InboundMessage(id_, Address(CHANNEL, who), text, media_count=0 if kind == "text" else 1)
    )


def _follow(found: Element, who: str) -> Event:
    """Who came by a QR code of ours brings its scene, and that is as clear as a typed word."""
    key = _at(found, "EventKey")
    return _pressed(found, who) if key.startswith(SCENE) else _signal(found, who, PlatformSignal.FOLLOWED)


def _leave(found: Element, who: str) -> Event:
    return _signal(found, who, PlatformSignal.LEFT)


def _pressed(found: Element, who: str) -> Event:
    payload = _at(found, "EventKey").removeprefix(SCENE)
    return _said(found, InboundMessage(_event_id(found, who), Address(CHANNEL, who), "", payload=payload))


def _finished(found: Element, who: str) -> Event:
    """How a mass send ended, in totals. `err(10001)` and its like: WeChat's own check refused the words."""
    id_, status = _at(found, "MsgID"), _at(found, "Status")
    people, reached = _number(found, "TotalCount"), _number(found, "SentCount")
    if not id_ or people is None or reached is None:
        return _IGNORED
    refused = status.startswith("err(")
    error = None
    if status.replace("sendsuccess", _SENT) != _SENT:
        kind = ErrorKind.CONTENT if refused else ErrorKind.TEMPORARY
        error = SendError(kind, status[:20], "WeChat did not send it to anybody.")
    return Event(EventKind.BATCH_RESULT, _sent_at(found), result=BatchResult(id_, people, reached, error))


_READERS: Final[dict[str, Callable[[Element, str], Event]]] = {
    "subscribe": _follow,
    "unsubscribe": _leave,
    "scan": _pressed,
    "click": _pressed,
    "masssendjobfinish": _finished,
}


def _said(found: Element, message: InboundMessage) -> Event:
    at = _sent_at(found)
    told = InboundMessage(
        message.external_id,
        message.address,
        message.text,
        media_count=message.media_count,
        payload=message.payload,
        sent_at=at,
    )
    return Event(EventKind.MESSAGE, at, message=told)


def _signal(found: Element, who: str, signal: PlatformSignal) -> Event:
    evidence = {"event": _at(found, "Event"), "create_time": _at(found, "CreateTime")}
    told = PlatformEvent(_event_id(found, who), Address(CHANNEL, who), signal, evidence=evidence)
    return Event(EventKind.SIGNAL, _sent_at(found), signal=told)


def _event_id(found: Element, who: str) -> str:
    """Events have no number: WeChat says to tell them apart by who and when."""
    return f"event:{who}:{_at(found, 'CreateTime')}:{_at(found, 'Event').casefold()}"


def _sent_at(found: Element) -> datetime | None:
    return moment(_at(found, "CreateTime"))


def _number(found: Element, name: str) -> int | None:
    text = _at(found, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _at(found: Element, name: str) -> str:
    return (found.findtext(name) or "").strip() if name != "Content" else found.findtext(name) or ""
