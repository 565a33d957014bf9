"""Where gateways call us: `/hooks/<sender name>` takes everything that a sender's provider posts, there or below it.

A door of its own in front of Flask: receipts come thousands at a time, and a route with its request object, its
session and its one transaction for each costs six times as much (docs/adr/0011).
"""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final, NamedTuple
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import structlog
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from app.clock import utcnow
from app.domain.messages import Event, HookReply, HookRequest, InboundMessage
from app.gateways.base import BadSignature, Call, Errand, Gateway, Malformed, Transport
from app.gateways.errands import Errands, short_transport
from app.group_commit import GroupCommit
from app.queue import REPLIES, enqueue_lane
from app.runtime import runtime
from app.services.apply_event import apply_event
from app.services.gateways_of_senders import Registry, gateway_of
from app.services.kept_hooks import Hook, Took, is_kept, keep, people_of, what_of
from app.services.receive_message import Received
from app.services.receive_messages import Said, can_share, receive_messages
from app.services.record_receipts import SenderReceipt, record_receipts
from app.storage.database import db, transaction
from app.storage.models import Sender
from app.storage.posts import insert_posts

PREFIX = "/hooks/"
SENDER_SECONDS = 1.0
"""How long a sender's settings are used without asking the database again."""

WORDS_AT_ONCE: Final = 100
"""So many texts at most share a transaction: on SQLite a lane that sends waits for it."""

COMPANY: Final = 0.004
"""Seconds for which words wait for others in a crowd: to begin a transaction costs them about that."""

EARLY: Final = timedelta(seconds=20)
"""How long a report may name a message that we do not know: the lane writes ids a moment after they came. What is older
is of a message that went out past us, such as a colleague's by hand, and would come again for days."""

log = structlog.get_logger(__name__)


class _NotYet(Exception):
    """A receipt names a provider's id that no delivery has, or not yet."""


@dataclass
class _Word:
    """A text on its way into the database, and what came of it."""

    said: Said
    received: Received | None = None


class _Known(NamedTuple):
    """A sender as the database had it a moment ago."""

    sender_id: int
    gateway: Gateway
    until: float


class HookDoor:
    """WSGI: answers what lies under `/hooks/`, and passes everything else on to `inner`.

    `registry` builds gateways, so that this module knows none by name. `open_transport` carries their errands.
    """

    def __init__(
        self,
        app: Flask,
        inner: WSGIApplication,
        registry: Registry,
        open_transport: Callable[[], Transport] = short_transport,
    ) -> None:
        self._app, self._inner, self._registry = app, inner, registry
        self._open_transport = open_transport
        self._known: dict[str, _Known] = {}
        self._receipts = GroupCommit(_record)
        self._posts = GroupCommit(_put_away)
        self._words = GroupCommit(_take_in, limit=WORDS_AT_ONCE, company=COMPANY)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if not path.startswith(PREFIX):
            return self._inner(environ, start_response)
        with self._app.app_context():
            reply = self._take(path.removeprefix(PREFIX), environ)
        body = reply.body.encode()
        headers = [("Content-Type", reply.content_type), ("Content-Length", str(len(body)))]
        start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", headers)
        return [body]

    def _take(self, where: str, environ: WSGIEnvironment) -> HookReply:
        name, _, path = where.partition("/")
        sender = self._sender(name)
        if sender is None:
            return _answer(404, f"There is no sender {name!r} here.")
        if not sender.gateway.takes(environ["REQUEST_METHOD"], path):
            return _answer(404 if path else 405, "Providers post here; nothing can be read.")
        length = environ.get("CONTENT_LENGTH") or "0"
        longest = sender.gateway.capabilities().max_hook
        if not length.isdigit() or int(length) > longest:
            return _answer(413, f"A webhook has at most {longest} bytes, and says how many.")
        hook = _hook_request(where, path, environ, environ["wsgi.input"].read(int(length)))
        try:
            return self._handle(sender, hook)
        except BadSignature as error:
            log.warning("webhook with a bad signature", sender_id=sender.sender_id)
            return _answer(403, str(error))
        except Malformed as error:
            log.warning("malformed webhook", sender_id=sender.sender_id, error=str(error))
            return _answer(400, str(error))
        except _NotYet:
            return _answer(503, "No message has this id yet. Please send the receipt again.")
        except Exception:
            # What went wrong may carry people's words; the provider hears only that it should try again.
            log.exception("a webhook could not be taken", sender_id=sender.sender_id)
            return _answer(500, "Not taken. Please try again.")

    def _sender(self, name: str) -> _Known | None:
        known = self._known.get(name)
        if known is not None and time.monotonic() < known.until:
            return known
        sender = db.session.scalar(select(Sender).where(Sender.name == name))
        if sender is None:
            self._known.pop(name, None)
            return None
        gateway = gateway_of(sender, runtime().controller, self._registry)
        known = self._known[name] = _Known(sender.id, gateway, time.monotonic() + SENDER_SECONDS)
        db.session.rollback()  # give the reading connection back before we write
        return known

    def _handle(self, sender: _Known, hook: HookRequest) -> HookReply:
        if hook.method == "GET" and (answer := sender.gateway.handshake(hook)) is not None:
            return answer
        sender.gateway.verify(hook)
        now = utcnow()
        try:
            events = sender.gateway.parse(hook)
            said = _only_text(events)
            if said is not None and self._hear(Said(sender.sender_id, said, hook)):
                return sender.gateway.acknowledge(hook)
            with closing(Errands(self._open_transport)) as errands:
                # Reports last: one that must come again holds up no word of a person in the same post.
                for event in sorted(events, key=lambda one: one.receipt is not None):
                    self._apply(event, sender.sender_id, errands, now)
        except (_NotYet, OperationalError):
            raise  # it comes again by itself
        except Malformed as error:
            self._keep(sender.sender_id, hook, Took.MALFORMED, now, reason=str(error))
            raise
        except Exception as error:
            self._keep(sender.sender_id, hook, Took.FAULT, now, reason=type(error).__name__)
            raise
        if is_kept(events):
            self._keep(sender.sender_id, hook, what_of(events), now, events)
        return sender.gateway.acknowledge(hook)

    def _hear(self, said: Said) -> bool:
        """Take in a text with others that come at this moment; False for one that had come before."""
        word = _Word(said)
        self._words.add(word)
        return word.received is not None and not word.received.duplicate

    def _keep(
        self,
        sender_id: int,
        hook: HookRequest,
        what: Took,
        now: datetime,
        events: Sequence[Event] = (),
        reason: str = "",
    ) -> None:
        """Put the post away, with others that come at this moment. What it said is in force already."""
        try:
            people = people_of(hook, sender_id, events)
            keys = runtime().controller.keys
            self._posts.add(
                keep(hook, sender_id=sender_id, what=what, people=people, reason=reason, keys=keys, now=now)
            )
        except SQLAlchemyError as error:
            log.warning("a webhook could not be kept", sender_id=sender_id, error=type(error).__name__)

    def _apply(self, event: Event, sender_id: int, errands: Errands, now: datetime) -> None:
        if event.receipt is not None:
            try:
                self._receipts.add(SenderReceipt(sender_id, event.receipt))
            except _NotYet:
                if event.at is None or now - event.at < EARLY:
                    raise
            return
        if isinstance(event, Errand) and not _made(errands, event.first, sender_id):
            return
        received = apply_event(event, sender_id=sender_id, controller=runtime().controller, now=now)
        if received is not None and received.reply_waits:
            enqueue_lane(sender_id, REPLIES)
        if isinstance(event, Errand) and received is not None and not received.duplicate:
            _made(errands, event.then, sender_id)


def _made(errands: Errands, calls: Sequence[Call], sender_id: int) -> bool:
    ended_by = errands.make(calls)
    if ended_by is not None:
        log.warning("an errand failed", sender_id=sender_id, status=ended_by.status, reason=ended_by.reason)
    return ended_by is None


def _record(receipts: Sequence[SenderReceipt]) -> None:
    if record_receipts(receipts, controller=runtime().controller, now=utcnow()):
        raise _NotYet


def _take_in(words: Sequence[_Word]) -> None:
    controller, now = runtime().controller, utcnow()
    found = receive_messages([word.said for word in words], controller=controller, now=now)
    for word, received in zip(words, found, strict=True):
        word.received = received
    for sender_id in {word.said.sender_id for word, one in zip(words, found, strict=True) if one.reply_waits}:
        enqueue_lane(sender_id, REPLIES)


def _only_text(events: Sequence[Event]) -> InboundMessage | None:
    """Return the text of a post that brought nothing else; most do."""
    if len(events) != 1 or isinstance(events[0], Errand):
        return None
    said = events[0].message
    return said if said is not None and can_share(said) else None


def _put_away(posts: Sequence[Hook]) -> None:
    with transaction() as session:
        insert_posts(session, posts)


def _hook_request(where: str, path: str, environ: WSGIEnvironment, body: bytes) -> HookRequest:
    """Return the webhook as it arrived; its address is built from PUBLIC_URL, never from the Host header."""
    query = environ.get("QUERY_STRING", "")
    headers = {
        key[5:].replace("_", "-").lower(): value for key, value in environ.items() if key.startswith("HTTP_")
    }
    return HookRequest(
        method=environ["REQUEST_METHOD"],
        public_url=f"{runtime().settings.public_url}{PREFIX}{where}{'?' if query else ''}{query}",
        headers=headers | {"content-type": environ.get("CONTENT_TYPE", "")},
        body=body,
        query=dict(parse_qsl(query, keep_blank_values=True)),
        path=path,
    )


def _answer(status: int, text: str) -> HookReply:
    return HookReply(status, body=text + "\n")
