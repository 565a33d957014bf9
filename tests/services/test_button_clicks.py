"""Link buttons of a list that counts clicks: short on the phone and in words, counted, and named in the report."""

import pytest

from app.domain.buttons import Button, ButtonKind, Rich, TemplateUse
from app.domain.short_links import Clicks
from app.services import record_clicks, review_broadcasts, short_links, write_drafts
from app.services.rich_messages import Dress
from app.storage.database import db
from tests.services.test_buttons import ADA, Keyboards
from tests.services.test_channels import Messenger, TwoChannels
from tests.services.test_short_links import BASE, LONG, open_it, say_so
from tests.support.world import Newsroom, number

PLAN, MAP = (
    Button(ButtonKind.LINK, "See the plan", LONG),
    Button(ButtonKind.LINK, "Map", "https://e.org/map."),
)
BUTTONS = Rich((Button(ButtonKind.REPLY, "Yes"), PLAN, MAP))


class OnBoth:
    """One person by SMS, one on Telegram, and a broadcast with link buttons to both."""

    def __init__(self, newsroom: Newsroom, clicks: Clicks) -> None:
        city, self.newsroom, self.keys = TwoChannels(newsroom), newsroom, Keyboards()
        if clicks is Clicks.PEOPLE:
            say_so(newsroom)
        newsroom.join(1)
        city.write(ADA, "START")
        city.send(Messenger())
        short_links.set_clicks("City", clicks, public_url=BASE, by="ada", now=newsroom.now)
        self.id = newsroom.broadcast("The bridge is open.", rich={"": BUTTONS})
        newsroom.send()
        city.send(self.keys)

    @property
    def words(self) -> dict[str, str]:
        """What stands behind the labels in the SMS."""
        (text,) = [text for to, text in self.newsroom.provider.arrived if to == number(0)]
        pairs = (line.partition(": ") for line in text.splitlines()[2:])
        return {label: link for label, _, link in pairs}


def test_the_links_of_buttons_are_short_ones_on_the_phone_and_in_words_and_counted_together(
    newsroom: Newsroom,
) -> None:
    sent = OnBoth(newsroom, Clicks.LINKS)

    keys = sent.keys.keys[-1]
    assert keys["See the plan"] == sent.words["See the plan"] == keys["See the plan"][: len(BASE) + 11]
    assert keys["Map"] == sent.words["Map"] != keys["See the plan"]
    assert keys["Yes"].startswith("bt-")
    assert open_it(newsroom, keys["See the plan"]) == open_it(newsroom, sent.words["See the plan"]) == LONG
    assert open_it(newsroom, keys["Map"]) == MAP.value
    found = {row.url: people for row, people, _ in record_clicks.clicks_of(sent.id)}
    assert found == {LONG: 2, MAP.value: 1}
    assert record_clicks.labels_of(sent.id) == {LONG: ["See the plan"], MAP.value: ["Map"]}


def test_letters_of_a_person_who_agreed_stand_behind_the_links_of_buttons_too(newsroom: Newsroom) -> None:
    sent = OnBoth(newsroom, Clicks.PEOPLE)

    on_phone, in_words = sent.keys.keys[-1]["See the plan"], sent.words["See the plan"]
    assert len(on_phone) == len(in_words) == len(BASE) + len("/l/") + 8 + 16
    assert on_phone[:-16] == in_words[:-16]
    assert on_phone != in_words
    assert open_it(newsroom, on_phone) == LONG


def test_the_review_counts_buttons_in_words_with_their_short_links(newsroom: Newsroom) -> None:
    newsroom.join(1)
    draft = write_drafts.create_draft(
        title="x",
        text="x" * 80,
        list_ids=[newsroom.list_id],
        rich={"": Rich((PLAN,))},
        by="ada",
        now=newsroom.now,
    )
    before = review_broadcasts.check(draft, now=newsroom.now)
    short_links.set_clicks("City", Clicks.LINKS, public_url=BASE, by="ada", now=newsroom.now)
    after = review_broadcasts.check(draft, now=newsroom.now)

    assert (before.parts, after.parts) == (2, 1)
    assert after.shares[0].tail == f"\nSee the plan: {BASE}/l/xxxxxxxx"
    db.session.rollback()


@pytest.mark.parametrize("in_words", [(), (MAP,)])
def test_the_buttons_of_an_approved_template_keep_their_addresses(in_words: tuple[Button, ...]) -> None:
    dress = Dress(Rich((PLAN,), template=TemplateUse("weekly", "en")), in_words)

    short = dress.with_links({LONG: "https://n.example.org/l/a", MAP.value: "https://n.example.org/l/b"})

    assert short.rich == dress.rich
    assert dress.links == tuple(one.value for one in in_words)
    assert [one.value for one in short.in_words] == ["https://n.example.org/l/b"] * len(in_words)


def test_only_whose_letters_are_known_has_them_behind_a_link() -> None:
    dress = Dress(Rich((PLAN,)), codes={LONG: "click code a"})

    with_letters, without = dress.for_person({"click code a": "abc"}), dress.for_person({})

    assert dress.is_personal
    assert with_letters == Rich((Button(ButtonKind.LINK, "See the plan", f"{LONG}abc"),))
    assert without == dress.rich
