"""Other words for a language: who reads which, what they cost, and that nothing forgets them."""

from collections.abc import Mapping, Sequence

import pytest
from sqlalchemy import update

from app.services import fan_out, review_broadcasts, schedule_broadcasts, write_drafts
from app.services.controller import Refused
from app.services.take_back import take_back
from app.storage.database import db, transaction
from app.storage.models import Broadcast, Subscriber
from app.storage.variants import variants_of
from tests.support.world import Newsroom

GERMAN = "Die Brücke ist offen."


def speak_german(numbers: Sequence[str]) -> None:
    with transaction() as session:
        session.execute(update(Subscriber).where(Subscriber.address.in_(numbers)).values(language="de"))


def draft(newsroom: Newsroom, text: str, variants: Mapping[str, str]) -> int:
    return write_drafts.create_draft(
        title="Bridge",
        text=text,
        list_ids=[newsroom.list_id],
        variants=variants,
        by="ada",
        now=newsroom.now,
    )


def go_out(newsroom: Newsroom, broadcast_id: int) -> dict[str, str]:
    """Send it; returns number -> what arrived there."""
    schedule_broadcasts.schedule(broadcast_id, at=None, zone="UTC", by="ada", now=newsroom.now)
    fan_out.open_due(controller=newsroom.controller, now=newsroom.now)
    newsroom.send()
    return dict(newsroom.provider.arrived)


def test_a_german_reader_gets_the_german_words_and_others_the_main_ones(newsroom: Newsroom) -> None:
    numbers = newsroom.join(3)
    speak_german(numbers[1:2])

    arrived = go_out(newsroom, draft(newsroom, "The bridge is open.", {"/de": GERMAN}))

    assert arrived == {
        numbers[0]: "The bridge is open.",
        numbers[1]: GERMAN,
        numbers[2]: "The bridge is open.",
    }


def test_words_for_a_channel_in_a_language_go_before_those_for_the_language(newsroom: Newsroom) -> None:
    numbers = newsroom.join(2)
    speak_german(numbers[:1])
    others = {"/de": GERMAN, "sms/de": "Brücke frei, {{first_name|Nachbar}}.", "telegram/de": "Nie"}

    arrived = go_out(newsroom, draft(newsroom, "The bridge is open.", others))

    assert arrived == {numbers[0]: "Brücke frei, Nachbar.", numbers[1]: "The bridge is open."}


def test_parts_and_cost_are_those_of_each_language(newsroom: Newsroom) -> None:
    speak_german(newsroom.join(3)[:2])
    long = "Die Brücke ist offen. " * 8  # 176 characters: two parts
    broadcast_id = draft(newsroom, "The bridge is open.", {"/de": long, "/fr": "Le pont est ouvert."})

    review = review_broadcasts.check(broadcast_id, now=newsroom.now)

    (share,) = review.shares
    assert [(one.language, one.reachable, one.parts) for one in share.spoken] == [
        ("", 1, 1),
        ("de", 2, 2),
        ("fr", 0, 1),
    ]
    assert (share.reachable, review.total_parts, review.most_parts) == (3, 5, 2)


def test_the_lint_reads_every_text(newsroom: Newsroom) -> None:
    newsroom.join(1)
    broadcast_id = draft(newsroom, "The bridge is open.", {"/de": "Mehr: https://bit.ly/3x"})

    found = review_broadcasts.check(broadcast_id, now=newsroom.now, brand="Riverside").findings

    assert [(one.about, one.where) for one in found if one.code == "short_link"] == [("/de", "bit.ly/3x")]
    assert [one.about for one in found if one.code == "no_brand"] == [""]


def test_a_text_that_is_too_long_in_one_language_is_named(newsroom: Newsroom) -> None:
    newsroom.join(1)
    broadcast_id = draft(newsroom, "The bridge is open.", {"/de": "ü" * 1601})

    problems = review_broadcasts.check(broadcast_id, now=newsroom.now).problems

    assert problems == ("On SMS the text in “de” has 1601 characters; it may have 1600.",)


def test_a_copy_has_them_and_an_earlier_version_takes_them_back(newsroom: Newsroom) -> None:
    newsroom.join(1)
    original = draft(newsroom, "The bridge is open.", {"/de": GERMAN, "sms/de": "Kurz"})
    copy = write_drafts.copy_broadcast(original, by="ada", now=newsroom.now)
    assert variants_of(db.session(), copy) == {"/de": GERMAN, "sms/de": "Kurz"}
    revision = db.session.get_one(Broadcast, copy).revision
    db.session.rollback()
    after = write_drafts.save_draft(
        copy,
        title="Bridge",
        text="The bridge is open.",
        list_ids=[newsroom.list_id],
        variants={"/de": "", "sms/de": "", "/fr": "Le pont est ouvert."},
        revision=revision,
        by="ada",
        now=newsroom.now,
    )
    assert variants_of(db.session(), copy) == {"/fr": "Le pont est ouvert."}
    db.session.rollback()

    take_back(copy, revision, revision=after, by="ada", now=newsroom.now)

    assert variants_of(db.session(), copy) == {"/de": GERMAN, "sms/de": "Kurz"}


def test_a_faulty_placeholder_in_another_language_is_refused(newsroom: Newsroom) -> None:
    with pytest.raises(Refused, match="Vorname"):
        draft(newsroom, "Hello.", {"/de": "Hallo {{Vorname|du}}."})
