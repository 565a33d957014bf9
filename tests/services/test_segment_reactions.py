"""A broadcast to those who answered another one, or opened its link; and what a rule cannot ask for."""

import pytest

from app.domain.buttons import Button, ButtonKind, Rich
from app.domain.segments import Clause, Had, Outcome, Reacted, Reaction, Segment
from app.domain.short_links import Clicks
from app.services import (
    fan_out,
    manage_segments,
    reactions,
    read_segments,
    schedule_broadcasts,
    short_links,
    write_drafts,
)
from app.services.controller import NotFound, Refused
from app.services.rights import erase_subscriber
from app.storage.database import db
from app.storage.models import Subscriber
from tests.services.test_short_links import BASE, LONG, TEXT, open_it, say_so
from tests.support.world import FakeProvider, Newsroom, number

YES, NO = Button(ButtonKind.REPLY, "Yes"), Button(ButtonKind.REPLY, "No")
POLL = Rich((YES, NO, Button(ButtonKind.LINK, "More", "https://example.org/more")))


def answered(broadcast_id: int, to: str = "", *, negated: bool = False) -> Clause:
    return Clause(Reacted(Reaction.ANSWERED, broadcast_id, to), negated)


def clicked(broadcast_id: int, to: str = "", *, negated: bool = False) -> Clause:
    return Clause(Reacted(Reaction.CLICKED, broadcast_id, to), negated)


def poll(newsroom: Newsroom) -> int:
    """Ask three people, of whom one says yes and one says no."""
    newsroom.join(3)
    broadcast_id = newsroom.broadcast("Is the bridge safe?", rich={"": POLL})
    newsroom.send()
    newsroom.text("1", number(0))
    newsroom.text("No", number(1))
    newsroom.provider = FakeProvider()
    return broadcast_id


def link_of(newsroom: Newsroom, index: int) -> str:
    """The link that somebody got last."""
    return [body for to, body in newsroom.provider.arrived if to == number(index)][-1].rpartition(" ")[2]


def news_with_a_link(newsroom: Newsroom) -> int:
    """Send it to three people, of whom the first joined before the notice said that clicks are kept; all open it."""
    newsroom.join(1)
    say_so(newsroom)
    short_links.set_clicks("City", Clicks.PEOPLE, public_url=BASE, by="ada", now=newsroom.now)
    newsroom.join(2, first=1)
    broadcast_id = newsroom.broadcast(TEXT)
    newsroom.send()
    for index in (0, 1):
        open_it(newsroom, link_of(newsroom, index))
    return broadcast_id


def count(newsroom: Newsroom, *clauses: Clause) -> int:
    return read_segments.count(Segment(clauses), [newsroom.list_id], newsroom.now).people


def test_who_answered_gets_the_follow_up_and_nobody_else(newsroom: Newsroom) -> None:
    first = poll(newsroom)
    draft = write_drafts.create_draft(
        title="Thanks", text="Thank you.", list_ids=[newsroom.list_id], by="ada", now=newsroom.now
    )
    manage_segments.choose_rule(draft, Segment((answered(first, "Yes"),)), by="ada", now=newsroom.now)
    schedule_broadcasts.schedule(draft, at=None, zone="UTC", by="ada", now=newsroom.now)
    newsroom.text("2", number(2))  # another answer, and before the rule is asked
    fan_out.open_due(controller=newsroom.controller, now=newsroom.now)
    newsroom.send()

    assert newsroom.provider.copies == {number(0): 1}


def test_any_answer_one_answer_and_none_part_those_who_got_it(newsroom: Newsroom) -> None:
    first = poll(newsroom)
    newsroom.join(1, first=3)  # too late for the question
    got_it = Clause(Had(Outcome.RECEIVED, first))

    assert count(newsroom, answered(first)) == 2
    assert count(newsroom, answered(first, "No")) == 1
    assert count(newsroom, got_it, answered(first, negated=True)) == 1
    assert count(newsroom, answered(first, negated=True)) == 2

    newsroom.text("1", number(1))  # changes their mind
    assert count(newsroom, answered(first, "No")) == 0
    assert count(newsroom, answered(first, "Yes")) == 2


def test_an_erased_persons_answer_chooses_nobody(newsroom: Newsroom) -> None:
    first = poll(newsroom)
    person = db.session.query(Subscriber.id).filter_by(address=number(0)).scalar()
    who = {"by": "ada", "controller": newsroom.controller, "now": newsroom.now}
    erase_subscriber.erase(person, full=True, reason="asked", **who)

    assert count(newsroom, answered(first, "Yes")) == 0
    assert count(newsroom, answered(first)) == 1


def test_a_click_chooses_only_who_agreed_that_it_is_kept(newsroom: Newsroom) -> None:
    first = news_with_a_link(newsroom)

    assert count(newsroom, clicked(first)) == 1
    assert count(newsroom, clicked(first, LONG)) == 1
    assert count(newsroom, clicked(first, "https://example.org/other")) == 0
    assert count(newsroom, clicked(first, negated=True)) == 2
    assert dict(reactions.known_links()) == {first: [LONG]}


def test_what_is_offered_are_the_buttons_and_links_of_which_something_is_known(newsroom: Newsroom) -> None:
    first = poll(newsroom)
    short_links.set_clicks("City", Clicks.LINKS, public_url=BASE, by="ada", now=newsroom.now)
    newsroom.broadcast(TEXT)
    newsroom.broadcast_waiting("Not yet", rich={"": POLL})

    assert dict(reactions.known_answers()) == {first: ["Yes", "No"]}
    assert dict(reactions.known_links()) == {}


def test_a_rule_about_what_nobody_can_have_done_is_refused(newsroom: Newsroom) -> None:
    first = poll(newsroom)
    short_links.set_clicks("City", Clicks.LINKS, public_url=BASE, by="ada", now=newsroom.now)
    counted = newsroom.broadcast(TEXT)

    def add(clause: Clause) -> None:
        manage_segments.add(newsroom.list_id, "x", Segment((clause,)), by="ada", now=newsroom.now)

    with pytest.raises(NotFound, match="no broadcast 77"):
        add(answered(77))
    with pytest.raises(Refused, match=r"“Bridge” has no button “Maybe”\. Its buttons: Yes, No\."):
        add(answered(first, "Maybe"))
    with pytest.raises(Refused, match="“Bridge” has no buttons"):
        add(answered(counted))
    with pytest.raises(Refused, match="Nobody knows who opened a link of “Bridge”"):
        add(clicked(counted))
    with pytest.raises(Refused, match="Nobody knows"):
        add(clicked(first))


def test_a_link_that_is_not_in_the_broadcast_is_refused(newsroom: Newsroom) -> None:
    first = news_with_a_link(newsroom)
    other = Segment((clicked(first, "https://example.org/other"),))
    with pytest.raises(Refused, match=r"“Bridge” has no link https://example\.org/other\. Its links"):
        manage_segments.add(newsroom.list_id, "x", other, by="ada", now=newsroom.now)

    # Counting is switched off, but what was kept until now is still known.
    short_links.set_clicks("City", Clicks.OFF, public_url=BASE, by="ada", now=newsroom.now)
    these = Segment((clicked(first, LONG),))
    assert manage_segments.add(newsroom.list_id, "x", these, by="ada", now=newsroom.now)
