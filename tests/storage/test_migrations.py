"""The schema goes back and forth under a newsroom that has sent: no row is lost, none points to nothing."""

from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, select, text

from app.domain.statuses import DeliveryStatus
from app.factory import init_migrations
from app.storage.database import db
from app.storage.models import Delivery
from tests.support.world import Newsroom

# The oldest one before tables that others point to are made anew.
BEFORE_CORRECTIONS = "0021"


def counts() -> dict[str, int]:
    """Return how many rows each table has."""
    tables = inspect(db.engine).get_table_names()
    return {name: db.session.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one() for name in tables}


def test_rows_survive_every_migration_from_the_corrections_on(newsroom: Newsroom) -> None:
    newsroom.join(3)
    broadcast_id = newsroom.broadcast()
    newsroom.send()
    before = counts()
    db.session.remove()

    init_migrations(newsroom.app)
    downgrade(revision=BEFORE_CORRECTIONS)
    kept = counts()  # a table that is younger went, with its rows
    db.session.remove()
    upgrade()

    assert kept["delivery"] == 3
    assert {name: before[name] for name in kept} == kept
    assert {name: count for name, count in counts().items() if name in kept} == kept
    db.session.remove()
    newsroom.join(1, first=3)
    again = newsroom.broadcast("The bridge is closed.")
    newsroom.send()
    assert newsroom.tally(again).sent == 4
    assert newsroom.tally(broadcast_id).sent == 3
    sent = select(Delivery.subscriber_id).where(Delivery.status == DeliveryStatus.SENT.value)
    assert len(db.session.scalars(sent).all()) == 7
