"""Stopped for good while lanes are at work: nobody stays in between, and whoever died halfway is made up for."""

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.domain.statuses import BroadcastState
from app.services.end_canceled import end_all_canceled
from app.services.stop_broadcasts import cancel
from app.storage.claim import claim_rows
from app.storage.database import db, transaction
from app.storage.deliveries import finish_slice, lease_slice
from app.storage.models import Broadcast, Slice
from tests.support.waiting import until_somebody_waits
from tests.support.world import Newsroom

LEASE = timedelta(seconds=30)


def states() -> list[str]:
    db.session.rollback()
    return list(db.session.scalars(select(Slice.state)))


def test_who_was_being_claimed_is_skipped_too(app: Flask, newsroom: Newsroom) -> None:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite lets one writer in at a time")
    newsroom.join(5)
    broadcast_id = newsroom.broadcast()
    errors: list[Exception] = []

    def stop() -> None:
        try:
            with app.app_context():
                cancel(broadcast_id, by="ada", now=newsroom.now)
        except Exception as error:
            errors.append(error)

    stopping = threading.Thread(target=stop)
    with transaction() as session:
        found = lease_slice(session, newsroom.sender_id, "here:1", newsroom.now, LEASE)
        assert found is not None
        _, part, broadcast = found
        claim_rows(session, broadcast, part, newsroom.now)
        stopping.start()
        until_somebody_waits(session)
    stopping.join()

    assert errors == []
    tally = newsroom.tally(broadcast_id)
    assert (tally.skipped, tally.pending) == (5, 0)


def test_a_lane_that_comes_back_late_opens_no_slice_of_what_was_stopped(newsroom: Newsroom) -> None:
    newsroom.join(3)
    broadcast_id = newsroom.broadcast()
    with transaction() as session:
        found = lease_slice(session, newsroom.sender_id, "here:1", newsroom.now, LEASE)
        assert found is not None
        lease = found[0]
    cancel(broadcast_id, by="ada", now=newsroom.now)

    with transaction() as session:
        assert finish_slice(session, lease, "open")

    assert states() == ["done"]
    assert newsroom.tally(broadcast_id).pending == 0


def test_the_clock_ends_what_somebody_stopped_and_did_not_end(newsroom: Newsroom) -> None:
    newsroom.join(3)
    broadcast_id = newsroom.broadcast()
    with transaction() as session:  # what is committed when the process dies right after it
        session.execute(
            update(Broadcast).where(Broadcast.id == broadcast_id).values(state=BroadcastState.CANCELED.value)
        )

    assert broadcast_id in end_all_canceled(newsroom.now)
    assert end_all_canceled(newsroom.now) == []

    assert newsroom.tally(broadcast_id).skipped == 3
    assert states() == ["done"]
