"""A short link, opened as phones and previews open it."""

from collections.abc import Callable

from sqlalchemy import select

from app.domain.short_links import Clicks
from app.services import short_links
from app.storage.database import db
from app.storage.models import ClickHour
from tests.desk.conftest import House, Visitor
from tests.support.world import NOON

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile Safari/604.1"
TARGET = "https://example.org/weather?now=1&then=%20x#top"


def short_link(house: House) -> str:
    with house.inside() as newsroom:
        short_links.set_clicks("City", Clicks.LINKS, public_url="https://n.example", by="ada", now=NOON)
        newsroom.join(1)
        broadcast_id = newsroom.broadcast_waiting(f"Weather: {TARGET}")
        return f"/l/{short_links.links_of(db.session(), broadcast_id)[0].code}"


def counted(house: House) -> list[tuple[int, int]]:
    with house.inside():
        return [tuple(row) for row in db.session.execute(select(ClickHour.people, ClickHour.programs))]


def test_a_short_link_leads_to_its_target_alone_and_says_nothing_of_where_one_came_from(
    house: House, visit: Callable[..., Visitor]
) -> None:
    path, visitor = short_link(house), visit()

    answer = visitor.get(f"{path}?next=https://evil.example", User_Agent=PHONE)

    assert answer.status_code == 302
    assert answer.headers["Location"] == TARGET
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    assert counted(house) == [(1, 0)]


def test_previews_and_heads_are_led_on_and_counted_apart(house: House, visit: Callable[..., Visitor]) -> None:
    path, visitor = short_link(house), visit()

    visitor.get(path, User_Agent="WhatsApp/2.23.20.0 A")
    visitor.get(path, User_Agent=PHONE, Sec_Purpose="prefetch")
    head = visitor.client.head(path, headers={"User-Agent": PHONE})

    assert head.headers["Location"] == TARGET
    assert counted(house) == [(0, 3)]


def test_letters_that_are_no_link_lead_nowhere(house: House, visit: Callable[..., Visitor]) -> None:
    for path in ("/l/abcdefgh", "/l/https:evil.example", "/l/" + "x" * 500):
        assert visit().get(path, User_Agent=PHONE).status_code == 404
