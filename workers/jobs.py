"""Thin jobs: take ids, read the clock, call one service. A job may run twice; the database decides what is done."""

import gc
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import structlog

from app.clock import utcnow
from app.gateways.base import Gateway, Transport
from app.gateways.feed_fetch import Fetcher
from app.gateways.registry import build
from app.gateways.tokens import with_tokens
from app.gateways.transport import CurlTransport
from app.queue import (
    DRAIN_SECONDS,
    REPLIES,
    enqueue_import,
    enqueue_lane,
    feed_is_awake,
    import_is_awake,
    lane_is_awake,
    others_wait,
)
from app.runtime import runtime
from app.services import import_turns, sender_limits
from app.services import read_feed as feeds
from app.services.gateways_of_senders import gateway_of
from app.services.inbox_store import StoreTransport
from app.services.look_up_unknown import LookedUp, look_up
from app.services.media.lane_media import LaneMedia
from app.services.read_feed import Reading
from app.services.replies_broadcast import replies_broadcast
from app.services.send_deliveries import Drained, Lane, LaneSetup
from app.storage.database import transaction
from app.storage.models import Sender
from app.supervisor.parents import die_with_parent
from workers.journal import journal
from workers.machine import worker_name
from workers.process import fresh_connections

LOOK_UPS_AT_ONCE = 4
UPLOAD_MS = 60_000
_ROOT = Path(__file__).parents[1]

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


def look_up_unknown(*, sender_id: int) -> None:
    """Ask a provider about messages without an answer. Called by RQ as `drain_lane` is."""
    die_with_parent()
    fresh_connections()
    done = ask_provider(sender_id)
    log.info(
        "asked about messages without an answer",
        sender_id=sender_id,
        found=done.found,
        absent=done.absent,
        sent_again=done.sent_again,
        untold=done.untold,
    )


def ask_provider(sender_id: int) -> LookedUp:
    """Do one round of questions in this process; nothing when the sender is gone or paused."""
    setup = setup_of(sender_id)
    if setup is None:
        return LookedUp()
    transport = CurlTransport(connections=LOOK_UPS_AT_ONCE)
    try:
        return look_up(
            sender_id,
            setup.gateway,
            transport,
            controller=runtime().controller,
            public_url=runtime().settings.public_url,
            now=utcnow(),
        )
    finally:
        transport.close()


def drain(sender_id: int, *, replies_only: bool = False) -> Drained | None:
    """Work a lane in this process; None when the sender is gone or paused."""
    setup = setup_of(sender_id)
    if setup is None or (transport := _transport(setup.gateway)) is None:
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
            meter=runtime().meter,
            others_wait=lambda: others_wait(sender_id),
            media=LaneMedia(
                sender_id, setup.gateway, runtime().media_house, lambda: _for_uploads(setup.gateway)
            ),
        )
        done = lane.drain(utcnow() + timedelta(seconds=DRAIN_SECONDS), replies_only=replies_only)
    finally:
        transport.close()
    if done.gave_way:
        enqueue_lane(sender_id)  # behind those who had no worker
    return done


def work_import(*, import_id: int) -> None:
    """Take one turn at an import, and ask for the next one where there is more to do."""
    die_with_parent()
    fresh_connections()
    import_is_awake(import_id)
    if import_turns.go_on(runtime().uploads, import_id, clock=utcnow):
        enqueue_import(import_id)


def read_feed(*, feed_id: int) -> None:
    """Read a feed that is due. Called by RQ as `drain_lane` is."""
    die_with_parent()
    fresh_connections()
    feed_is_awake(feed_id)
    done = ask_feed(feed_id)
    if done is not None:
        log.info("feed read", feed_id=feed_id, new=done.new, used=done.used, problem=done.problem)


def start_rehearsal(*, rehearsal_id: int) -> None:
    """Start a rehearsal in a process of its own: it may take a minute, and no lane shall wait for it."""
    quiet = subprocess.DEVNULL
    subprocess.Popen(  # noqa: S603  (our own program, a number of ours)
        [sys.executable, "-m", "app.rehearsal", str(rehearsal_id)],
        cwd=_ROOT,
        stdin=quiet,
        stdout=quiet,
        stderr=quiet,
        start_new_session=True,
    )


def ask_feed(feed_id: int) -> Reading | None:
    """Read a feed in this process; None when it is not due."""
    return feeds.read_feed(feed_id, Fetcher(runtime().settings.public_url), now=utcnow())


def _transport(gateway: Gateway) -> Transport | None:
    """Return what carries a gateway's calls; None for one with a connection of its own, which its connector works."""
    connections = runtime().settings.connections
    match gateway.capabilities().connection:
        case "http":
            wire = CurlTransport(connections=connections)
            return with_tokens(gateway, wire, runtime().token_keeper)
        case "store":
            return StoreTransport(clock=utcnow, room=connections)
    return None


def _for_uploads(gateway: Gateway) -> Transport:
    """Return what carries one file to a provider; it may take a minute."""
    return with_tokens(
        gateway, CurlTransport(connections=1, total_timeout_ms=UPLOAD_MS), runtime().token_keeper
    )


def setup_of(sender_id: int) -> LaneSetup | None:
    """Return what a lane needs to know of its sender; None when it is gone or paused."""
    now = utcnow()
    with transaction() as session:
        sender = session.get(Sender, sender_id)
        if sender is None or sender.paused_at is not None:
            return None
        if sender.rests_until is not None and sender.rests_until > now:
            # Redis may have been emptied since the provider asked for this wait.
            runtime().throttle.pause(sender_id, (sender.rests_until - now).total_seconds())
        gateway = gateway_of(sender, runtime().controller, build)
        return LaneSetup(
            sender_id=sender.id,
            replies_id=replies_broadcast(session, sender, now),
            rate=sender.rate,
            callback_url=f"{runtime().settings.public_url}/hooks/{sender.name}",
            gateway=gateway,
            shared=sender_limits.shared_by(session, sender, gateway, runtime().settings.channel_rates),
            rests_until=sender.rests_until,
        )
