"""Several lists over one sender: what each link writes or carries joins its own list, and no other."""

from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
from sqlalchemy import select

from app.domain.messages import HookRequest
from app.gateways.base import Gateway
from app.gateways.registry import build, gateway_class
from app.gateways.xmpp import NUMBER, STANZA
from app.services.links_of_lists import links_of_list
from app.services.manage_lists import list_lists
from app.services.manage_senders import add
from app.services.receive_message import receive_message
from app.services.senders_of_lists import add_sender
from app.storage.database import db
from app.storage.models import Subscriber, Subscription
from tests.gateways.samples import SAMPLES
from tests.support.world import Newsroom

LISTS = {"CITY": "City", "SPORT": "Sport", "SNOW": "Snow"}


class Component:
    """One XMPP component, over which all three lists go."""

    def __init__(self, newsroom: Newsroom) -> None:
        self.newsroom = newsroom
        settings = dict(SAMPLES["xmpp"].settings)
        self.gateway: Gateway = build("xmpp", settings, None)
        self.sender_id = add(
            name="city-xmpp",
            gateway=gateway_class("xmpp"),
            settings=settings,
            by="tests",
            controller=newsroom.controller,
            now=newsroom.now,
        ).id
        newsroom.new_list("Sport", "SPORT")
        newsroom.new_list("Snow", "SNOW")
        for keyword in LISTS:
            add_sender(keyword, "city-xmpp", by="tests", now=newsroom.now)

    def link(self, keyword: str, source: str = "") -> str:
        room = self.newsroom
        links = links_of_list(keyword, source, controller=room.controller, registry=build)
        return next(one.link for one in links if one.channel == "xmpp")

    def stanza(self, person: str, xml: str, id_: str) -> None:
        """Bring what a person's client sent, as the component's connection does."""
        request = HookRequest(STANZA, "", {NUMBER: id_}, xml.format(person=person).encode())
        for event in self.gateway.parse(request):
            assert event.message is not None
            room = self.newsroom
            receive_message(event.message, sender_id=self.sender_id, controller=room.controller, now=room.now)

    def follow(self, link: str, person: str, id_: str) -> None:
        """Send the text that the link writes, as a client does once its user presses Send."""
        words = unquote(urlsplit(link.replace(";", "&", 1)).query.partition("body=")[2])
        self.stanza(person, f"<message from='{{person}}' type='chat'><body>{words}</body></message>", id_)


@pytest.fixture
def component(newsroom: Newsroom) -> Component:
    return Component(newsroom)


def joined(person: str) -> set[int]:
    rows = db.session.scalars(
        select(Subscription.list_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(Subscriber.address == person, Subscription.state == "active")
    )
    found = set(rows)
    db.session.rollback()
    return found


def ids() -> dict[str, int]:
    return {row.keyword.upper(): row.id for row in list_lists()}


@pytest.mark.parametrize("source", ["", "poster-7"])
def test_each_link_over_one_component_joins_its_own_list(component: Component, source: str) -> None:
    links = {keyword: component.link(keyword, source) for keyword in LISTS}

    assert len(set(links.values())) == len(LISTS)
    for number, (keyword, link) in enumerate(links.items()):
        person = f"ada{number}@example.org"
        component.follow(link, person, f"n{number}")
        assert joined(person) == {ids()[keyword]}


def test_two_links_one_after_another_join_two_lists(component: Component) -> None:
    for number, keyword in enumerate(("SPORT", "SNOW")):
        component.follow(component.link(keyword), "ada@example.org", f"n{number}")

    assert joined("ada@example.org") == {ids()["SPORT"], ids()["SNOW"]}


def test_a_bare_presence_joins_the_senders_default_list_alone(component: Component) -> None:
    component.stanza("ada@example.org", "<presence from='{person}' type='subscribe'/>", "n1")

    assert joined("ada@example.org") == {ids()["CITY"]}


@pytest.mark.parametrize("keyword", ["CITY", "SPORT"])
def test_the_words_of_a_link_survive_its_spelling(component: Component, keyword: str) -> None:
    """Clients read `?message;body=` as XEP-0147 says: what stands there is percent-encoded UTF-8."""
    link = component.link(keyword, "poster-7")
    body = parse_qs(link.partition("?message;")[2])["body"]

    assert link.endswith(quote(body[0]))
