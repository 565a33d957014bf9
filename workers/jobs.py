"""Thin jobs: take ids, read the clock, call one service. A job may run twice; the database decides what is done."""

import gc
import os
import socket
from datetime import timedelta

import structlog
from flask import current_app

from app.clock import utcnow
from app.gateways.base import Transport
from app.gateways.registry import build
from app.gateways.transport import CurlTransport
from app.queue import DRAIN_SECONDS, REPLIES, lane_is_awake
from app.runtime import runtime
from app.services.gateways_of_senders import gateway_of
from app.services.inbox_store import StoreTransport
from app.services.replies_broadcast import replies_broadcast
from app.services.send_deliveries import Drained, Lane, LaneSetup
from app.storage.database import transaction
from app.storage.models import Sender
from workers.journal import journal
from workers.process import die_with_parent, fresh_connections

log = structlog.get_logger(__name__)


def drain_lane(*, sender_id: int, queue: str) -> None:
    """Work one sender's lane for a while. Called by RQ in a forked process inside the worker's app context."""
    die_with_parent()
    fresh_connections()
    # Millions of small tuples come and go, none in a ring: looking for rings among them all the time finds nothing.
    gc.freeze()
    gc.set_threshold(100_000)
    lane_is_awake(sender_id, queue)
    done = drain(sender_id, replies_only=queue == REPLIES)
    if done is not None:
        log.info("lane worked", sender_id=sender_id, queue=queue, handed_over=done.handed_over)


def drain(sender_id: int, *, replies_only: bool = False) -> Drained | None:
    """Work a lane in this process; None when the sender is gone or paused."""
    setup = setup_of(sender_id)
    # A gateway with a connection of its own is worked by its connector.
    if setup is None or (transport := _transport(setup.gateway.capabilities().connection)) is None:
        return None
    try:
        lane = Lane(
            setup,
            transport=transport,
            throttle=runtime().throttle,
            controller=runtime().controller,
            journal=journal(),
            clock=utcnow,
            worker=worker_name(),
        )
        return lane.drain(utcnow() + timedelta(seconds=DRAIN_SECONDS), replies_only=replies_only)
    finally:
        transport.close()


def _transport(connection: str) -> Transport | None:
    """Return what carries calls of gateways with this connection; None for a connector's own."""
    connections = current_app.config.get("TIDINGS_CONNECTIONS", 64)
    match connection:
        case "http":
            return CurlTransport(connections=connections)
        case "store":
            return StoreTransport(clock=utcnow, room=connections)
    return None


def setup_of(sender_id: int) -> LaneSetup | None:
    """Return what a lane needs to know of its sender; None when it is gone or paused."""
    now = utcnow()
    with transaction() as session:
        sender = session.get(Sender, sender_id)
        if sender is None or sender.paused_at is not None:
            return None
        return LaneSetup(
            sender_id=sender.id,
            replies_id=replies_broadcast(session, sender, now),
            rate=sender.rate,
            callback_url=f"{runtime().settings.public_url}/hooks/{sender.name}",
            gateway=gateway_of(sender, runtime().controller, build),
        )


def worker_name() -> str:
    """Name this process so that the clock on the same machine can tell whether it lives: host:pid."""
    return f"{socket.gethostname()}:{os.getpid()}"
