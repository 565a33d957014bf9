"""Takes messages as Twilio does: checks, refuses with its codes, accepts, or misbehaves as planned.

This is the one busy path of the simulator, so it is a WSGI application of its own in front of Flask: on it a message
costs a third of the processor time that a Flask view needs.
"""

import base64
import binascii
import json
import math
import re
import time
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIApplication

from app.domain.parts import measure
from app.simulator import twilio_whatsapp
from app.simulator.magic import SLOW_SECONDS, Magic
from app.simulator.medium import Medium
from app.simulator.records import E164, WHATSAPP, Message, Sender, is_loopback
from app.simulator.shelf import CannotFetch
from app.simulator.silence import Silence, at_once, held
from app.simulator.state import State
from app.simulator.twilio_json import PREFIX, TwilioError, error_response, message_json
from app.simulator.world import World

PATH = re.compile(PREFIX + r"/([^/]+)/Messages\.json")
BODY_LIMIT = 1600
FIELD_LIMIT = 100
SENDER_FORMS = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 _&+-]{1,11}")

_NOTHING: Mapping[str, Magic] = {}
count_parts = lru_cache(maxsize=4096)(lambda body: measure(body).count)


class SendMessages:
    """WSGI application for `POST .../Messages.json`; passes every other request on to `rest`."""

    def __init__(self, world: World, rest: WSGIApplication) -> None:
        self._world, self._rest = world, rest

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = PATH.fullmatch(environ["PATH_INFO"])
        if path is None or environ["REQUEST_METHOD"] != "POST":
            return self._rest(environ, start_response)
        try:
            reply = self._create(path[1], environ)
        except TwilioError as error:
            self._world.state.refuse(error.code)
            return error_response(error)(environ, start_response)
        start_response("201 Created", [("Content-Type", "application/json")])
        return reply

    def _create(self, account_sid: str, environ: dict[str, Any]) -> Iterable[bytes]:
        """Accept a message, or raise TwilioError with the code that Twilio would give."""
        world = self._world
        plan = world.faults
        plan.wait(world.stopping)
        fate = plan.draw()
        if fate == "error":
            raise TwilioError(20503)
        if fate == "throttle":
            raise TwilioError(20429, retry_after=1)
        if fate == "drop":
            return Silence(at_once)
        authenticate(world.state, account_sid, environ.get("HTTP_AUTHORIZATION", ""))
        message, magic = self._accept(account_sid, read_form(environ))
        reply = json.dumps(message_json(message), ensure_ascii=False).encode()
        world.send_off(message, magic)
        if magic.slow:
            world.stopping.wait(SLOW_SECONDS)
        if fate == "lose_reply":
            return Silence(at_once)
        return held(world.held, world.stopping) if magic.never_answers else [reply]

    def _accept(self, account_sid: str, form: Mapping[str, str]) -> tuple[Message, Magic]:
        to, callback = form.get("To", ""), form.get("StatusCallback", "")
        file = self._file(form.get("MediaUrl", ""))
        named = "ContentSid" in form
        body = _checked_body(to, form.get("Body", ""), callback, has_file=file is not None or named)
        sender = self._sender(account_sid, form.get("From", ""), form.get("MessagingServiceSid", ""))
        if sender.number == to:
            raise TwilioError(21266, to)
        twilio_whatsapp.check_pair(sender, to)
        if named:
            body = twilio_whatsapp.approved_text(sender, form)
        magic = self._pass_or_refuse(sender, to)
        if sender.channel == "whatsapp" and not named:
            magic = self._within_the_window(sender, to, magic)
        message = self._world.state.accept(
            sender,
            to,
            body,
            count_parts(body),
            self._world.clock(),
            callback=callback,
            by_service=not form.get("From"),
            file=file,
        )
        return message, magic

    def _within_the_window(self, sender: Sender, to: str, magic: Magic) -> Magic:
        last = self._world.state.last_words.get((to.removeprefix(WHATSAPP), sender.number))
        if twilio_whatsapp.is_open(last, self._world.clock()):
            return magic
        return Magic(receipts=twilio_whatsapp.CLOSED)

    def _file(self, url: str) -> Medium | None:
        try:
            return self._world.shelf.fetch(url) if url else None
        except CannotFetch as error:
            raise TwilioError(21620, url) from error

    def _sender(self, account_sid: str, number: str, service: str) -> Sender:
        if not number and not service:
            raise TwilioError(21603)
        if number and not SENDER_FORMS.fullmatch(number.removeprefix(WHATSAPP)):
            raise TwilioError(21212, number)
        sender = self._world.state.sender_for(account_sid, number, service)
        if sender is None:
            raise TwilioError(21606, number) if number else TwilioError(21701, service)
        return sender

    def _pass_or_refuse(self, sender: Sender, to: str) -> Magic:
        world = self._world
        if not world.receipts.has_room():
            raise TwilioError(20429, retry_after=1)
        wait = world.buckets.take(sender.number, sender.rate, time.monotonic()) if sender.rate else 0.0
        if wait:
            raise TwilioError(20429, retry_after=max(1, math.ceil(wait)))
        if (to.removeprefix(WHATSAPP), sender.scope) in world.state.opted_out:
            raise TwilioError(21610, to)
        own = twilio_whatsapp.ENDINGS if sender.channel == "whatsapp" else _NOTHING
        magic = world.magic.look_up(to, own)
        if magic.code is not None:
            raise TwilioError(magic.code, to, magic.retry_after)
        return magic


def authenticate(state: State, account_sid: str, authorization: str) -> None:
    """Check HTTP Basic credentials against the account in the address, or raise TwilioError 20003."""
    scheme, _, coded = authorization.partition(" ")
    try:
        user, _, token = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise TwilioError(20003) from None
    if scheme.lower() != "basic" or user != account_sid or not state.owns(account_sid, token):
        raise TwilioError(20003)


def read_form(environ: dict[str, Any]) -> dict[str, str]:
    """Return the form fields of a request, the first of each name; another content type has none."""
    if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return {}
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=FIELD_LIMIT)
    except ValueError:
        raise TwilioError(20001, "body (send UTF-8 form fields, at most 100)") from None
    return dict(reversed(pairs))


def _checked_body(to: str, body: str, callback: str, has_file: bool = False) -> str:
    if not to:
        raise TwilioError(21604)
    if not E164.fullmatch(to.removeprefix(WHATSAPP)):
        raise TwilioError(21211, to)
    if not body and not has_file:
        raise TwilioError(21602)
    if len(body) > BODY_LIMIT:
        raise TwilioError(21617, str(len(body)))
    if callback and not is_loopback(callback):
        raise TwilioError(21609, callback)
    return body
