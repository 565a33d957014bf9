"""Every second: open what is due, bring back what is to be tried again, end what is done, wake what has work."""

import signal
import threading
from datetime import datetime, timedelta

import structlog
from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError

from app.clock import utcnow
from app.queue import enqueue_feed, enqueue_import, enqueue_look_up
from app.runtime import runtime
from app.services import (
    close_list,
    fan_out,
    hold_back,
    import_turns,
    plan_slices,
    record_reads,
    recover_slices,
)
from app.services.end_canceled import end_all_canceled
from app.services.end_tickers import end_tickers
from app.services.figures import pace
from app.services.figures.roll_up import roll_up
from app.services.fill_slots import fill_slots
from app.services.let_time_pass import let_time_pass
from app.services.look_up_unknown import senders_to_ask
from app.services.make_editions import make_editions
from app.services.read_feed import due_feeds
from app.services.rights import erase_subscriber, retention
from app.services.send_missed import send_missed
from app.services.watch_broadcasts import watch
from workers import daily
from workers.heartbeat import beat
from workers.journal import journal
from workers.memory import look_at_the_database
from workers.take_over import free_slices_of_dead, wake_lanes

TICK_SECONDS = 1.0
SLOW_EVERY = 10
# Of each round so much goes into planning segments: the lanes get work faster than they can do it.
PLANS_FOR = timedelta(seconds=0.5)
STEPS = 5

log = structlog.get_logger(__name__)


def tick(now: datetime) -> None:
    """Do one round. Several clocks may run: every step claims what it changes."""
    look_at_the_database(now)
    _open_what_is_due(now)
    free_slices_of_dead(now)
    unknown = recover_slices.recover_stopped(journal(), controller=runtime().controller, now=now)
    if unknown:
        log.warning("a worker died and of some messages nobody knows whether they left", deliveries=unknown)
    for broadcast_id in end_all_canceled(now):
        log.warning("a broadcast was stopped for good, and nobody had ended it", broadcast_id=broadcast_id)
    fan_out.give_up_replies(now)
    hold_back.group_some(runtime().controller.region)
    for watched in watch(runtime().settings.brakes, now):
        if watched.reason:
            log.error("broadcast stopped by itself", broadcast_id=watched.broadcast_id, reason=watched.reason)
        else:
            log.info("the rest follows the first wave", broadcast_id=watched.broadcast_id)
    send_missed(controller=runtime().controller, now=now)
    fan_out.bring_back(now)
    _let_time_pass(now)
    _end_tickers(now)
    close_list.go_on(controller=runtime().controller, until=now + PLANS_FOR, clock=utcnow)
    for broadcast_id in fan_out.end_finished(now):
        log.info("broadcast finished", broadcast_id=broadcast_id)
    wake_lanes(now)
    for import_id in import_turns.take_forgotten(now):
        enqueue_import(import_id)
    # Last: the lanes are awake and work at the first slices meanwhile.
    plan_slices.go_on(controller=runtime().controller, until=utcnow() + PLANS_FOR, clock=utcnow)


def _open_what_is_due(now: datetime) -> None:
    """Slots and rules make broadcasts; those whose time has come begin."""
    for filled in fill_slots(now):
        log.info(
            "slot filled",
            list_id=filled.list_id,
            story_id=filled.story_id,
            broadcast_id=filled.broadcast_id,
            problem=filled.problem,
        )
    for edition in make_editions(now):
        log.info(
            "occurrence of a rule",
            rule_id=edition.rule_id,
            at=edition.at.isoformat(),
            state=edition.state,
            broadcast_id=edition.broadcast_id,
            problem=edition.problem,
        )
    for opened in fan_out.open_due(controller=runtime().controller, now=now):
        log.info(
            "broadcast opened", broadcast_id=opened.broadcast_id, state=opened.state, audience=opened.audience
        )


def slow_round(now: datetime) -> None:
    """Erase who asked for it, let go what was kept long enough, a few batches at a time, and keep the counts few."""
    journal().tidy(now)
    import_turns.tidy(runtime().uploads, now)
    controller, periods = runtime().controller, runtime().settings.retention
    fan_out.fold_tallies(now)
    pace.sample(now)
    pace.forget(now)
    record_reads.forget(now)
    for _ in range(STEPS):
        if not roll_up(controller=controller, now=now):
            break
    for sender_id in senders_to_ask(now):
        enqueue_look_up(sender_id)
    for feed_id in due_feeds(now):
        enqueue_feed(feed_id)
    for subscriber_id in erase_subscriber.erase_requested(controller=controller, now=now):
        log.info("person erased as they asked", subscriber_id=subscriber_id)
    for _ in range(STEPS):
        if not retention.purge_step(periods=periods, controller=controller, now=now):
            return


def _end_tickers(now: datetime) -> None:
    for one in end_tickers(controller=runtime().controller, now=now):
        log.info(
            "live event closing" if one.farewell_id or one.problem else "live event ended",
            list_id=one.list_id,
            farewell_id=one.farewell_id,
            people=one.people,
            problem=one.problem or None,
        )


def _let_time_pass(now: datetime) -> None:
    passed = let_time_pass(controller=runtime().controller, now=now)
    for inbound_id in passed.late_confirmations:
        log.error("a confirmation of STOP was not sent in five minutes and is dropped", inbound_id=inbound_id)
    if passed.reviews_stopped:
        log.warning(
            "texts that nobody decided in a business day count as STOP", people=passed.reviews_stopped
        )


def run(app: Flask) -> None:
    """Tick until SIGTERM or SIGINT. A database or Redis that is away is waited for, not died of."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    daily.start(app, stop)
    rounds = 0
    while not stop.is_set():
        try:
            now = utcnow()
            tick(now)
            if rounds % SLOW_EVERY == 0:
                slow_round(now)
            rounds += 1
            beat("clock", now)
        except (OperationalError, RedisError) as error:
            log.warning("the clock could not do its round and tries again", error=str(error)[:300])
        stop.wait(TICK_SECONDS)
