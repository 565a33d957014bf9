"""A proof that stands without our software, a check that names the first bad entry, a projection rebuilt exactly."""

import hashlib
import inspect
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from sqlalchemy import func, select, text, update

from app.domain.check_proof import check
from app.domain.consent import Act, EventType
from app.domain.ledger import path_proves
from app.services import manage_subscribers
from app.services.change_list import Changes, change_list
from app.services.controller import NotFound, Refused
from app.services.proof import page, phrases
from app.services.prove_consent import prove, show
from app.services.rebuild_subscriptions import rebuild
from app.services.rights.wiping import shred
from app.services.sign_heads import sign
from app.services.verify_ledger import Kept, verify
from app.storage.database import db, transaction
from app.storage.models import (
    BroadcastList,
    ConsentEvent,
    ConsentPii,
    Delivery,
    InboundRow,
    LedgerHead,
    Notice,
    Subscriber,
    Subscription,
)
from tests.services.conftest import ANNA, BERT, CARA, NOW, World
from tests.support.tampering import tamper
from tests.support.world import Newsroom, number


@pytest.fixture
def told(world: World) -> World:
    """Anna came and went, Bert stayed, Cara was recorded by an operator."""
    world.text(ANNA, "NEWS", NOW)
    world.text(BERT, "NEWS", NOW + timedelta(minutes=1))
    world.text(ANNA, "STOP", NOW + timedelta(minutes=2))
    manage_subscribers.opt_out(CARA, reason="called", by="ops", controller=world.controller, now=NOW)
    return world


def _event_id(seq: int) -> str:
    found = db.session.scalars(select(ConsentEvent.event_id).where(ConsentEvent.seq == seq)).one()
    db.session.rollback()
    return found


def test_the_timeline_tells_what_happened_in_words(told: World) -> None:
    history = show("+1 202 555 0101", controller=told.controller)

    assert [entry.words for entry in history.entries] == [
        "The notice was shown for the list “News”.",
        "Consent given for the list “News”. By a text message that consisted of the command (rule list-word).",
        (
            "Consent withdrawn for every list. "
            "By a text message that consisted of the command (rule en.stop:stop)."
        ),
    ]
    assert [row.state for row in history.person.lists] == ["stopped"]


def test_a_stranger_has_no_proof(told: World) -> None:
    with pytest.raises(NotFound, match="ever wrote to us"):
        prove("+12025550177", controller=told.controller, now=NOW)


def test_a_proof_can_be_checked_with_a_hash_function_and_nothing_of_ours(told: World) -> None:
    pack = json.loads(json.dumps(prove(ANNA, controller=told.controller, now=NOW)))

    notices = {notice["id"]: notice for notice in pack["notices"]}
    assert len(pack["entries"]) == 3
    for item in pack["entries"]:
        entry, personal = item["entry"], item["personal"]
        body = {name: value for name, value in entry.items() if name != "entry_hash"}
        assert hashlib.sha256(b"\x00" + rfc8785.dumps(body)).hexdigest() == entry["entry_hash"]
        committed = b"\x02" + bytes.fromhex(personal["salt"]) + rfc8785.dumps(personal["data"])
        assert hashlib.sha256(committed).hexdigest() == entry["pii_commit"]
        assert path_proves(
            pack["ledger"]["root"],
            entry["entry_hash"],
            entry["seq"] - 1,
            pack["ledger"]["size"],
            item["audit_path"],
        )
        if entry["notice_id"] is not None:
            words = notices[entry["notice_id"]]["text"]
            assert hashlib.sha256(words.encode()).hexdigest() == entry["notice_sha256"]


def test_a_proof_stands_before_an_independent_checker_and_nothing_in_it_can_be_changed(
    told: World, tmp_path: Path
) -> None:
    first = sign(tmp_path, controller=told.controller, now=NOW + timedelta(minutes=10))
    told.text(ANNA, "NEWS", NOW + timedelta(hours=1))
    told.text(BERT, "STOP", NOW + timedelta(hours=1))

    pack = prove(ANNA, controller=told.controller, heads=tmp_path, now=NOW + timedelta(hours=2))
    pack = json.loads(json.dumps(pack))

    key = told.controller.keys.public_key
    assert [finding.words for finding in check(pack, key) if not finding.holds] == []
    assert [item["head"]["time"] for item in pack["earlier_heads"]] == [first.time]
    assert pack["earlier_heads"][0]["covers_until"] == 5
    assert pack["ledger"]["size"] == pack["ledger"]["head"]["tree_size"] == first.tree_size + 3
    for change in CHANGES:
        other = json.loads(json.dumps(pack))
        change(other)
        assert not all(finding.holds for finding in check(other, key)), inspect.getsource(change)
    assert not all(finding.holds for finding in check(pack, "0" * 64))
    assert not check({})[0].holds


CHANGES: tuple[Callable[[Any], object], ...] = (
    lambda pack: pack.update(format="tidings-proof-1"),
    lambda pack: pack["notices"][0].update(text="Other words"),
    lambda pack: pack["notices"].clear(),
    lambda pack: pack["entries"][0]["entry"].update(occurred_at="2020-01-01T00:00:00.000Z"),
    lambda pack: pack["entries"][1]["personal"]["data"].update(text="YES"),
    lambda pack: pack["entries"][1]["personal"].update(data=None),
    lambda pack: pack["entries"][1]["audit_path"].pop(),
    lambda pack: pack["person"].update(subject_ref="somebody else"),
    lambda pack: pack["sends"].append({"broadcast": 1, "consent_seq": 99}),
    lambda pack: pack["ledger"].update(root="0" * 64),
    lambda pack: pack["ledger"].update(head=None),
    lambda pack: pack["ledger"]["head"].update(time="2020-01-01T00:00:00.000Z"),
    lambda pack: pack["earlier_heads"][0]["head"].update(time="2020-01-01T00:00:00.000Z"),
    lambda pack: pack["earlier_heads"][0]["consistency"].pop(),
    lambda pack: pack.pop("notices"),
)


def test_an_erased_person_is_found_by_an_entry_and_the_proof_says_what_is_gone(told: World) -> None:
    event_id = _event_id(2)
    with transaction() as session:
        subject = session.scalars(select(ConsentEvent.subject_ref).where(ConsentEvent.seq == 1)).one()
        shred(session, [subject])
        person = session.scalars(select(Subscriber.id).where(Subscriber.subject_ref == subject)).one()
        for table in (Subscription, Delivery, InboundRow):
            session.execute(table.__table__.delete().where(table.subscriber_id == person))
        session.execute(Subscriber.__table__.delete().where(Subscriber.id == person))

    pack = prove(event_id, language="de", controller=told.controller, now=NOW)

    assert ANNA not in json.dumps(pack)
    assert [item["personal"] for item in pack["entries"]] == [None] * 3
    assert sum("was erased" in finding.words for finding in check(pack)) == 3
    html = page.render(pack)
    assert "eine Person, die gelöscht wurde" in html
    assert html.count("Der persönliche Teil dieses Eintrags wurde gelöscht.") == 3
    with pytest.raises(NotFound, match="no entry"):
        prove("0198a1b2-0000-7000-8000-000000000001", controller=told.controller, now=NOW)


def test_a_proof_holds_the_words_shown_and_the_words_written(told: World) -> None:
    pack = prove(ANNA, controller=told.controller, now=NOW)

    assert [message["text"] for message in pack["inbound"]] == ["NEWS", "STOP"]
    assert "Riverside News" in pack["notices"][0]["text"]
    assert pack["entries"][1]["personal"]["data"]["text"] == "NEWS"
    assert pack["controller"]["name"] == "Riverside News"


def test_a_proof_says_nothing_of_other_people(told: World) -> None:
    written = json.dumps(prove(ANNA, controller=told.controller, now=NOW))

    assert BERT not in written
    assert CARA not in written


def test_a_proof_names_the_entry_that_each_broadcast_relied_on(newsroom: Newsroom) -> None:
    newsroom.join(1)
    newsroom.broadcast()
    newsroom.send()

    pack = prove(number(0), controller=newsroom.controller, now=newsroom.now)

    granted = [
        item["entry"]["seq"] for item in pack["entries"] if item["entry"]["event_type"] == "consent_given"
    ]
    assert [(send["consent_seq"], send["status"]) for send in pack["sends"]] == [(granted[0], "sent")]


@pytest.mark.parametrize("language", phrases.LANGUAGES)
def test_the_page_of_a_proof_needs_nothing_from_outside_and_says_everything(
    told: World, language: str
) -> None:
    pack = prove(ANNA, language=language, controller=told.controller, now=NOW)

    html = page.render(pack)

    assert not re.search(r"<script|<link|<img|src=|href=|url\(|@import", html)
    assert f'<html lang="{language}">' in html
    for item in pack["entries"]:
        assert item["entry"]["entry_hash"] in html
        assert item["in_words"] in unescape(html)
    assert all(step in unescape(html) for step in pack["how_to_verify"])


def test_words_from_outside_cannot_become_markup_of_the_page(told: World) -> None:
    told.text(BERT, "<script>alert(1)</script>")

    html = page.render(prove(BERT, controller=told.controller, now=NOW))

    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_both_languages_have_the_same_phrases_for_every_event_and_act() -> None:
    english, german = (phrases.load(language) for language in phrases.LANGUAGES)

    for part in ("events", "acts", "labels", "fields", "states"):
        assert getattr(english, part).keys() == getattr(german, part).keys()
    assert english.events.keys() == {kind.value for kind in EventType}
    assert english.acts.keys() == {act.value for act in Act}
    assert len(english.how_to_verify) == len(german.how_to_verify)


def test_a_language_without_phrases_is_refused(told: World) -> None:
    with pytest.raises(Refused, match="en and de"):
        prove(ANNA, language="tlh", controller=told.controller, now=NOW)


def test_an_untouched_ledger_verifies_with_every_personal_part(told: World) -> None:
    progress: list[tuple[int, int]] = []

    verdict = verify(controller=told.controller, on_progress=lambda done, of: progress.append((done, of)))

    head = db.session.scalars(select(LedgerHead)).one()
    assert verdict.bad is None
    assert (verdict.count, verdict.head_hash, verdict.opened) == (head.seq, head.entry_hash, 7)
    assert progress == [(7, 7)]


def test_an_empty_ledger_verifies(world: World) -> None:
    verdict = verify(controller=world.controller)

    assert (verdict.bad, verdict.count) == (None, 0)


@pytest.mark.parametrize("column", ["occurred_at", "purpose", "actor", "event_type", "subject_ref"])
def test_one_changed_column_is_found_and_the_entry_is_named(told: World, column: str) -> None:
    event_id = _event_id(4)
    other_words = func.substr(getattr(ConsentEvent, column) + "x", 2)
    tamper(update(ConsentEvent).where(ConsentEvent.seq == 4).values({column: other_words}))

    bad = verify(controller=told.controller).bad

    assert bad is not None
    assert (bad.seq, bad.event_id) == (4, event_id)
    assert "content does not match" in bad.reason


def test_a_deleted_entry_is_found(told: World) -> None:
    tamper("DELETE FROM consent_pii WHERE event_id = :id", id=_event_id(3))
    tamper("DELETE FROM consent_event WHERE seq = 3")

    bad = verify(controller=told.controller).bad

    assert bad is not None
    assert bad.seq == 3
    assert "missing or out of order" in bad.reason


def test_a_cut_tail_is_found_by_the_head(told: World) -> None:
    tamper("DELETE FROM consent_pii WHERE event_id = :id", id=_event_id(7))
    tamper("DELETE FROM consent_event WHERE seq = 7")

    bad = verify(controller=told.controller).bad

    assert bad is not None
    assert bad.seq == 7
    assert "7 entries" in bad.reason


def test_an_entry_smuggled_in_behind_the_end_is_found(told: World) -> None:
    tamper(
        "UPDATE ledger_head SET seq = 5, entry_hash = (SELECT entry_hash FROM consent_event WHERE seq = 5)"
    )

    bad = verify(controller=told.controller).bad

    assert bad is not None
    assert bad.seq == 6
    assert "beyond the end" in bad.reason


def test_exchanged_evidence_is_found(told: World) -> None:
    with transaction() as session:
        anna, bert = _event_id(2), _event_id(4)
        other = session.scalars(select(ConsentPii).where(ConsentPii.event_id == bert)).one()
        change = update(ConsentPii).where(ConsentPii.event_id == anna).values(salt=other.salt)
        session.connection().execute(change)

    bad = verify(controller=told.controller).bad

    assert bad is not None
    assert (bad.seq, bad.event_id) == (2, anna)
    assert "personal part" in bad.reason


def test_changed_words_of_a_notice_are_found(told: World) -> None:
    tamper("UPDATE notice SET text = text || ' Prizes!'")

    bad = verify(controller=told.controller).bad

    assert bad is not None
    assert bad.seq == 1
    assert "not those that were shown" in bad.reason


def test_a_ledger_written_anew_does_not_fit_a_head_that_was_kept(told: World) -> None:
    head = verify(controller=told.controller)

    assert verify(controller=told.controller, kept=Kept((head.count, head.head_hash))).bad is None
    changed = verify(controller=told.controller, kept=Kept((3, head.head_hash))).bad
    longer = verify(controller=told.controller, kept=Kept((9, head.head_hash))).bad
    assert changed is not None
    assert "rewritten" in changed.reason
    assert longer is not None
    assert "entry 9 existed" in longer.reason


def test_an_erased_person_leaves_a_ledger_that_verifies(told: World) -> None:
    with transaction() as session:
        subject = session.scalars(select(ConsentEvent.subject_ref).where(ConsentEvent.seq == 1)).one()
        shred(session, [subject])

    verdict = verify(controller=told.controller)

    assert (verdict.bad, verdict.opened, verdict.erased) == (None, 4, 3)


def _subscriptions() -> list[tuple[object, ...]]:
    """Return every subscription, without the clock's own note, which is no part of the projection."""
    columns = [column for column in Subscription.__table__.columns if column.name != "check_use_at"]
    rows = db.session.execute(
        select(*columns).order_by(Subscription.list_id, Subscription.subscriber_id)
    ).all()
    db.session.rollback()
    return [tuple(row) for row in rows]


def test_rebuilding_finds_the_living_projection_exact(told: World) -> None:
    told.add_list("Sport", "SPORT")
    told.text(BERT, "SPORT", datetime(2026, 11, 22, 13, 0, 0, 123_456, tzinfo=UTC))
    told.text(BERT, "STOP NEWS", NOW + timedelta(hours=2))
    before = _subscriptions()

    result = rebuild(controller=told.controller, now=NOW)

    assert (result.differing, result.subscribers, result.subscriptions) == (0, 3, 3)
    assert _subscriptions() == before


def test_rebuilding_repairs_what_differs_and_then_nothing_more(told: World) -> None:
    right = _subscriptions()
    with transaction() as session:
        session.execute(
            text("UPDATE subscription SET state = 'active', stopped_seq = NULL WHERE state = 'stopped'")
        )
        session.execute(text("DELETE FROM subscription WHERE granted_seq = 4"))

    looked = rebuild(controller=told.controller, now=NOW, repair=False)
    first, second = rebuild(controller=told.controller, now=NOW), rebuild(controller=told.controller, now=NOW)

    assert (looked.differing, looked.repaired) == (2, False)
    assert (first.differing, second.differing) == (2, 0)
    assert _subscriptions() == right


def test_rebuilding_removes_a_subscription_that_no_entry_accounts_for(told: World) -> None:
    other = told.add_list("Sport", "SPORT")
    right = _subscriptions()
    with transaction() as session:
        row = session.scalars(select(Subscription)).first()
        assert row is not None
        session.add(Subscription(list_id=other, subscriber_id=row.subscriber_id, state="active"))

    assert rebuild(controller=told.controller, now=NOW).differing == 1
    assert _subscriptions() == right


def test_old_consents_keep_the_words_of_their_own_notice(told: World) -> None:
    wanted = replace(Changes.none_of(db.session.get_one(BroadcastList, told.list_id)), max_per_day=1)
    db.session.rollback()
    change_list(told.list_id, wanted, by="ops", controller=told.controller, now=NOW)

    pack = prove(ANNA, controller=told.controller, now=NOW)

    newest = db.session.scalars(select(Notice.version).order_by(Notice.version.desc())).first()
    assert newest == 2
    assert [notice["version"] for notice in pack["notices"]] == [1]
    assert "The day's news" in pack["notices"][0]["text"]
