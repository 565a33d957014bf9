"""How the databases find a few rows among millions: by an index made for them, also before they ever counted them."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, text

from app.services import ask_again
from app.services.list_standing import standing
from app.services.rights.requests import done_lately
from app.storage.database import db
from app.storage.models import BroadcastList
from app.storage.replies import dropped_confirmations
from tests.support.world import Newsroom


@pytest.mark.parametrize(
    "where",
    [
        "broadcast_id = 1 AND subscriber_id = 7 AND inbound_id = 0",
        "broadcast_id = 1 AND inbound_id = 0 AND subscriber_id IN (7, 8, 9) AND status = 0",
    ],
    ids=["one outcome", "a window at the gate"],
)
def test_a_delivery_is_found_by_its_own_key_before_the_first_analyze(newsroom: Newsroom, where: str) -> None:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite keeps no such statistics")
    newsroom.join(30)
    newsroom.broadcast()
    newsroom.send()

    plan = db.session.scalars(text(f"EXPLAIN UPDATE delivery SET attempts = 1 WHERE {where}")).all()

    shown = "\n".join(plan)
    assert "Index" in shown
    assert "ix_delivery_slice" not in shown, shown


def plans_of(act: Callable[[], object], table: str) -> list[str]:
    """How SQLite finds the rows of a table in every statement of `act`."""
    seen: list[tuple[str, Any]] = []

    def listen(_conn: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        seen.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", listen)
    act()
    event.remove(db.engine, "before_cursor_execute", listen)
    found = []
    for statement, parameters in seen:
        if f" {table}" in statement:
            rows = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found += [detail for *_, detail in rows if f" {table}" in detail]
    return found


def test_sqlite_reads_no_whole_table_for_the_few_rows_that_pages_ask_for(newsroom: Newsroom) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL decides by its statistics")
    controller = newsroom.controller

    erasures = plans_of(lambda: done_lately(controller.ledger), "consent_event")
    assert erasures == ["SCAN consent_event USING INDEX ix_consent_event_erasure"]
    others = plans_of(lambda: ask_again.to_ask(newsroom.list_id, controller=controller), "consent_event")
    assert others
    assert all("ix_consent_event_controller_name (controller_name" in one for one in others)
    late = plans_of(lambda: dropped_confirmations(db.session(), newsroom.now), "delivery")
    assert late
    assert all(one.startswith("SEARCH delivery USING") for one in late)


def test_who_is_not_on_a_list_is_counted_by_an_index_of_its_own(newsroom: Newsroom) -> None:
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL decides by its statistics")
    newsroom.join(2)
    row = db.session.get_one(BroadcastList, newsroom.list_id)

    found = plans_of(lambda: standing(row), "subscription")

    assert any("ix_subscription_not_active" in plan for plan in found), found
    assert standing(row).people == {"active": 2}
