"""Where gateways call us: `/hooks/<sender name>` takes everything that a sender's provider posts."""

import structlog
from flask import Blueprint, Response, request
from sqlalchemy import select

from app.clock import utcnow
from app.domain.messages import Event, EventKind, HookRequest
from app.gateways.base import BadSignature, Gateway, Malformed
from app.queue import REPLIES, enqueue_lane
from app.runtime import runtime
from app.services.apply_signal import apply_signal
from app.services.gateways_of_senders import Registry, gateway_of
from app.services.receive_message import receive_message
from app.services.record_receipts import record_receipt
from app.storage.database import db
from app.storage.models import Sender

MAX_BODY = 64 * 1024

log = structlog.get_logger(__name__)


def make_blueprint(registry: Registry) -> Blueprint:
    """Return the blueprint; `registry` builds gateways, so that this module knows none by name."""
    hooks = Blueprint("webhooks", __name__, url_prefix="/hooks")

    @hooks.post("/<name>")
    def take(name: str) -> Response:
        sender = db.session.scalar(select(Sender).where(Sender.name == name))
        if sender is None:
            return _answer(404, f"There is no sender {name!r} here.")
        gateway = gateway_of(sender, runtime().controller, registry)
        sender_id = sender.id
        db.session.rollback()  # give the reading connection back before we write
        return _handle(gateway, sender_id, _hook_request(name))

    return hooks


def _hook_request(name: str) -> HookRequest:
    query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
    request.max_content_length = MAX_BODY
    return HookRequest(
        method=request.method,
        public_url=f"{runtime().settings.public_url}/hooks/{name}{query}",
        headers={key.lower(): value for key, value in request.headers.items()},
        body=request.get_data(cache=False),
        query=request.args.to_dict(),
    )


def _handle(gateway: Gateway, sender_id: int, hook: HookRequest) -> Response:
    try:
        gateway.verify(hook)
        events = gateway.parse(hook)
    except BadSignature as error:
        log.warning("webhook with a bad signature", sender_id=sender_id)
        return _answer(403, str(error))
    except Malformed as error:
        log.warning("malformed webhook", sender_id=sender_id, error=str(error))
        return _answer(400, str(error))
    for event in events:
        _apply(event, sender_id)
    reply = gateway.acknowledge(hook)
    return Response(reply.body, reply.status, content_type=reply.content_type)


def _apply(event: Event, sender_id: int) -> None:
    controller, now = runtime().controller, utcnow()
    if event.kind is EventKind.MESSAGE and event.message is not None:
        received = receive_message(event.message, sender_id=sender_id, controller=controller, now=now)
        if received.reply_waits:
            enqueue_lane(sender_id, REPLIES)
    elif event.kind is EventKind.SIGNAL and event.signal is not None:
        received = apply_signal(event.signal, sender_id=sender_id, controller=controller, now=now)
        if received.reply_waits:
            enqueue_lane(sender_id, REPLIES)
    elif event.kind is EventKind.RECEIPT and event.receipt is not None:
        record_receipt(event.receipt, sender_id=sender_id, controller=controller, now=now)


def _answer(status: int, text: str) -> Response:
    return Response(text + "\n", status, content_type="text/plain; charset=utf-8")
