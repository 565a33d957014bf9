"""A new master key: everything moves to it, nothing is lost or unprotected on the way, and old heads still count."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.domain.addresses import Address
from app.domain.sealing import KeyRing
from app.runtime import runtime
from app.services import rotate_keys, suppressions
from app.services.controller import Controller, Refused
from app.services.gateways_of_senders import open_settings
from app.services.import_plan import ImportOptions
from app.services.import_subscribers import import_subscribers
from app.services.manage_subscribers import suppress
from app.services.rights import erase_subscriber
from app.services.rights.sealed_proof import open_sealed
from app.services.sign_heads import sign
from app.services.verify_ledger import Kept, verify
from app.storage.database import db, transaction
from app.storage.models import ConsentEvent, Sender, Subject, Subscriber, Suppression
from tests.support.world import Newsroom, number

NEW, NEWER = "0a" * 32, "0b" * 32
ADA, BERT, CARA, DORA = (number(index) for index in range(4))


def with_keys(newsroom: Newsroom, present: str, *previous: str) -> Controller:
    return replace(newsroom.controller, keys=KeyRing.from_text(present, previous))


def old_key() -> str:
    return runtime().settings.master_key


@pytest.fixture
def lived_in(newsroom: Newsroom) -> Newsroom:
    """Ada is subscribed, Bert is suppressed, Cara was erased with her proof, Dora with hers under lock."""
    newsroom.join(4)
    suppress(BERT, reason="court order", by="ops", controller=newsroom.controller, now=newsroom.now)
    for address, full in ((CARA, True), (DORA, False)):
        person = db.session.scalars(select(Subscriber.id).where(Subscriber.address == address)).one()
        db.session.rollback()
        erase_subscriber.erase(
            person,
            full=full,
            reason="asked by letter",
            by="ops",
            controller=newsroom.controller,
            now=newsroom.now,
        )
    return newsroom


def rotate(newsroom: Newsroom, controller: Controller) -> rotate_keys.Rotated:
    return rotate_keys.rotate(by="ops", controller=controller, now=newsroom.now)


def are_suppressed(controller: Controller) -> list[bool]:
    everybody = [Address("sms", one) for one in (ADA, BERT, CARA, DORA)]
    found = suppressions.suppressed(db.session(), controller.keys, everybody)
    db.session.rollback()
    return [one in found for one in everybody]


def test_t13_a_suppressed_number_stays_so_before_during_and_after_a_rotation(
    lived_in: Newsroom, tmp_path: Path
) -> None:
    both = with_keys(lived_in, NEW, old_key())
    assert are_suppressed(both) == [False, True, True, True]

    done = rotate(lived_in, both)

    assert are_suppressed(both) == [False, True, True, True]
    assert (done.senders, done.data_keys, done.suppressions, done.left_hashes) == (1, 3, 1, 2)
    # Cara and Dora are gone: their hashes can never be made anew, so the old key has to stay for them.
    assert are_suppressed(with_keys(lived_in, NEW, "-")) == [False, True, False, False]
    path = tmp_path / "people.csv"
    path.write_text(
        f"number,consent_at,consent_source,consent_text\n{CARA},2026-11-01T10:00:00Z,a card,Yes\n"
    )
    import_subscribers(
        path,
        list_name="City",
        options=ImportOptions(by="ops"),
        controller=both,
        clock=lambda: lived_in.now,
    )
    assert db.session.scalar(select(func.count()).where(Subscriber.address == CARA)) == 0


def test_everybody_keeps_their_history_and_the_ledger_says_who_took_over(
    lived_in: Newsroom, tmp_path: Path
) -> None:
    head = sign(tmp_path, controller=lived_in.controller, now=lived_in.now)
    both = with_keys(lived_in, NEW, old_key())
    rotate(lived_in, both)
    entries = db.session.scalar(select(func.count()).select_from(ConsentEvent))
    alone = with_keys(lived_in, NEW, "-")

    lived_in.controller = alone
    lived_in.text("STOP", ADA)

    assert db.session.scalar(select(func.count()).select_from(Subscriber)) == 4
    assert db.session.scalar(select(func.count()).where(Subject.key_version < 2)) == 0
    told = db.session.scalars(
        select(ConsentEvent.statement).where(ConsentEvent.event_type == "key_rotated")
    ).one()
    assert told is not None
    assert alone.keys.public_key in told
    assert head.public_key in told
    with transaction() as session:
        sender = session.get_one(Sender, lived_in.sender_id)
        assert open_settings(sender, alone)["account_sid"].startswith("AC")
    trusting = Kept(folder=tmp_path, public_keys=[head.public_key])
    for controller, kept in ((alone, trusting), (both, Kept(folder=tmp_path))):
        verdict = verify(controller=controller, kept=kept)
        assert (verdict.bad, verdict.problems, verdict.heads) == (None, (), 1)
    assert entries is not None


def test_a_rotation_that_was_cut_off_goes_on_and_a_second_one_changes_nothing(
    lived_in: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotate_keys, "BATCH", 1)
    both = with_keys(lived_in, NEW, old_key())

    def cut(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate_keys.rotate(by="ops", controller=both, now=lived_in.now, progress=cut)
    db.session.rollback()
    between = {one.version: one.data_keys for one in rotate_keys.show(controller=both)}
    db.session.rollback()
    rest, again = rotate(lived_in, both), rotate(lived_in, both)

    assert between == {2: 1, 1: 2}
    assert (rest.data_keys, again.data_keys, again.suppressions, again.senders) == (2, 0, 0, 0)
    told = select(func.count()).where(ConsentEvent.event_type == "key_rotated")
    assert db.session.scalar(told) == 1


def test_somebody_new_while_both_keys_are_in_use_is_under_the_new_one_and_nobody_is_made_twice(
    lived_in: Newsroom,
) -> None:
    both = lived_in.controller = with_keys(lived_in, NEW, old_key())

    lived_in.text("CITY", number(9))
    with transaction() as session:
        ada = session.scalars(select(Subscriber).where(Subscriber.address == ADA)).one()
        ref = ada.subject_ref
    lived_in.text("HELP", ADA)

    rows = {one.version: one.data_keys for one in rotate_keys.show(controller=both)}
    assert rows == {2: 1, 1: 3}
    assert db.session.scalar(select(Subscriber.subject_ref).where(Subscriber.address == ADA)) == ref


def test_a_proof_under_lock_is_found_by_the_old_key_and_only_then(lived_in: Newsroom) -> None:
    both = with_keys(lived_in, NEW, old_key())
    rotate(lived_in, both)

    found = open_sealed(DORA, channel="sms", reason="claim 7", by="ops", controller=both, now=lived_in.now)

    assert len(found["people"]) == 1
    assert found["people"][0]["entries"]


def test_rotating_with_one_key_or_without_the_right_one_is_refused_with_what_to_do(
    lived_in: Newsroom,
) -> None:
    with pytest.raises(Refused, match="put the one that you have now first in MASTER_KEY_PREVIOUS"):
        rotate(lived_in, lived_in.controller)
    with pytest.raises(Refused, match=r"sender “city-desk” open with none of our keys"):
        rotate(lived_in, with_keys(lived_in, NEW, NEWER))
    db.session.rollback()
    assert db.session.scalar(select(func.count()).where(Subject.key_version > 1)) == 0
    assert db.session.scalar(select(func.count()).select_from(Suppression)) == 3
