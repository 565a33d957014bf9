"""Where browsers are reached now: keep what a sign-up brings, move it when the browser does, look it up to send."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.consent import EventType, Scope
from app.domain.push import PushRoute, digest_of
from app.services.controller import Controller, NotFound
from app.services.record_consent import NewEvent, record
from app.storage.database import db, transaction
from app.storage.models import PushRouteRow, Subscriber

_STRANGE: Final = "This browser is not known here."


def routes_of(subscriber_ids: Sequence[int]) -> Mapping[int, str]:
    """Return the routes of these subscribers, as gateways read them, at this moment; some may have none."""
    rows = db.session.scalars(select(PushRouteRow).where(PushRouteRow.subscriber_id.in_(subscriber_ids)))
    routes = {row.subscriber_id: _route(row).as_text() for row in rows}
    db.session.rollback()  # give the connection back before a stranger is called
    return routes


def address_of(session: Session, route: PushRoute) -> str:
    """Return the address of whoever has this endpoint, else the one that a newcomer with it gets."""
    row = _at(session, route.endpoint)
    return session.get_one(Subscriber, row.subscriber_id).address if row else route.name


def keep(session: Session, subscriber_id: int, route: PushRoute, now: datetime) -> None:
    """Reach a newcomer by this route, or somebody again whom it reached before.

    Raises `NotFound` when they are reached otherwise: an endpoint alone, without its secret, must not take over.
    """
    row = session.get(PushRouteRow, subscriber_id)
    if row is None:
        row = PushRouteRow(subscriber_id=subscriber_id)
        session.add(row)
    elif row.endpoint != route.endpoint or not _same(row.auth, route.auth):
        raise NotFound(_STRANGE)
    _write(row, route, now)


def _write(row: PushRouteRow, route: PushRoute, now: datetime) -> None:
    row.endpoint, row.endpoint_sha256 = route.endpoint, digest_of(route.endpoint)
    row.p256dh, row.auth, row.server_key = route.p256dh, route.auth, route.server_key
    row.changed_at = now


def holder(session: Session, endpoint: str, auth: str) -> Subscriber:
    """Return the subscriber who shows endpoint and secret: these two only the browser and we know.

    Raises `NotFound` for any other pair.
    """
    row = _at(session, endpoint)
    if row is None or not _same(row.auth, auth):
        raise NotFound(_STRANGE)
    return session.get_one(Subscriber, row.subscriber_id)


def move(endpoint: str, auth: str, new: PushRoute, *, controller: Controller, now: datetime) -> None:
    """Go on at a new endpoint, as the browser's `pushsubscriptionchange` asks for. Twice changes nothing.

    Consent stays with the subscriber, whose address stays. Raises `NotFound` unless the old pair is shown, or the new
    one by whoever has it already.
    """
    with transaction() as session:
        there = _at(session, new.endpoint)
        if there is not None:
            holder(session, new.endpoint, new.auth)
            return
        person = holder(session, endpoint, auth)
        row = session.get_one(PushRouteRow, person.id)
        _write(row, replace(new, server_key=row.server_key), now)
        here = {"address": person.address, "channel": person.channel}
        types = [EventType.ENDPOINT_CHANGED, *([EventType.ENDPOINT_REVIVED] if person.bounced_at else [])]
        record(
            session,
            [NewEvent(person, one, now, "person", scope=Scope.ALL, pii=here) for one in types],
            controller=controller,
            now=now,
        )


def _at(session: Session, endpoint: str) -> PushRouteRow | None:
    return session.scalar(select(PushRouteRow).where(PushRouteRow.endpoint_sha256 == digest_of(endpoint)))


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _route(row: PushRouteRow) -> PushRoute:
    return PushRoute(row.endpoint, row.p256dh, row.auth, row.server_key)
