"""The suppression list: of one address on one channel, over erasure, in files that hold no address."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain.addresses import Address
from app.domain.sealing import KeyRing
from app.services import manage_subscribers, suppression_files, suppressions
from app.services.controller import Refused
from app.services.import_rows import RowProblem
from app.services.manage_subscribers import Way
from app.services.prove_consent import prove
from app.storage.database import db, transaction
from app.storage.models import ConsentEvent, Subscriber, Suppression
from tests.services.conftest import ANNA, BERT, CARA, NOW, World


def suppress(world: World, address: str, channel: str = "sms") -> None:
    manage_subscribers.suppress(
        address, reason="court order", channel=channel, by="ops", controller=world.controller, now=NOW
    )


def kinds() -> list[str]:
    return list(db.session.scalars(select(ConsentEvent.event_type).order_by(ConsentEvent.seq)))


def test_a_suppression_is_of_one_address_on_one_channel(world: World) -> None:
    suppress(world, ANNA)
    both = [Address("sms", ANNA), Address("whatsapp", ANNA), Address("sms", BERT)]

    found = suppressions.suppressed(db.session(), world.controller.keys, both)

    assert found == {Address("sms", ANNA)}
    assert suppressions.suppressed(db.session(), world.controller.keys, []) == set()


def test_an_address_that_comes_back_after_an_erasure_is_suppressed_until_it_says_start(world: World) -> None:
    """Nobody knows the address when it is suppressed, as after an erasure; START lifts it (row 16)."""
    suppress(world, ANNA)

    world.text(ANNA, "hello")
    before = manage_subscribers.show(ANNA, controller=world.controller).overlays
    world.text(ANNA, "START NEWS", NOW + timedelta(hours=1))

    assert before == {"suppressed": NOW}
    assert manage_subscribers.show(ANNA, controller=world.controller).overlays == {}
    assert not suppression_files.check(ANNA, controller=world.controller)
    assert kinds() == ["suppression_added", "suppression_lifted", "notice_shown", "consent_given"]


def test_the_ledger_tells_of_a_suppression_of_somebody_we_know(world: World) -> None:
    world.text(ANNA, "hello")
    suppress(world, ANNA)
    suppress(world, BERT)
    manage_subscribers.unsuppress(ANNA, by="ops", controller=world.controller, now=NOW)

    assert kinds() == ["suppression_added", "suppression_lifted"]


def test_a_file_of_addresses_is_suppressed_and_tells_its_bad_rows(world: World, tmp_path: Path) -> None:
    world.text(ANNA, "NEWS", NOW - timedelta(days=1))
    suppress(world, BERT)
    path = tmp_path / "carrier.csv"
    path.write_text(f"number,reason\n{ANNA},deactivated\n{BERT},\nabc,\n{CARA},\n{CARA},{'x' * 41}\n")
    problems: list[RowProblem] = []

    def take() -> suppression_files.Taken:
        return suppression_files.take(
            path,
            reason="reassigned",
            by="ops",
            controller=world.controller,
            now=NOW,
            on_problem=problems.append,
        )

    assert take() == suppression_files.Taken(added=2, already=1, bad=2)
    assert take() == suppression_files.Taken(added=0, already=3, bad=2)
    assert [problem.line for problem in problems] == [4, 6, 4, 6]
    assert manage_subscribers.show(ANNA, controller=world.controller).overlays == {"suppressed": NOW}
    assert {(one.reason, one.count) for one in suppression_files.summary()} == {
        ("deactivated", 1), ("court order", 1), ("reassigned", 1),
    }  # fmt: skip
    assert all(ANNA not in repr(vars(row)) for row in db.session.scalars(select(Suppression)))


def test_an_export_holds_hashes_only_and_fits_no_other_key(world: World, tmp_path: Path) -> None:
    suppress(world, ANNA)
    path = tmp_path / "suppressions.csv"
    path.write_text("".join(suppression_files.export(world.controller)))
    db.session.rollback()
    with transaction() as session:
        for row in session.scalars(select(Suppression)):
            session.delete(row)
    world.text(ANNA, "hello")
    stranger = replace(world.controller, keys=KeyRing(b"k" * 32))

    def take(controller: object) -> suppression_files.Taken:
        return suppression_files.take(path, reason="", by="ops", controller=controller, now=NOW)  # type: ignore[arg-type]

    with pytest.raises(Refused, match="another MASTER_KEY"):
        take(stranger)
    first, second = take(world.controller), take(world.controller)

    assert ANNA[2:] not in path.read_text()
    assert (first.added, second.added, second.already) == (1, 0, 1)
    assert suppression_files.check("+1 202 555 0101", controller=world.controller)
    assert db.session.scalars(select(Subscriber.suppressed_at)).one() == NOW
    row = db.session.scalars(select(Suppression)).one()
    assert (row.key_version, row.reason) == (1, "court order")


def test_a_file_without_addresses_or_reasons_is_refused(world: World, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("phone\n1\n")

    with pytest.raises(Refused, match=r"neither a column hmac nor address or number\. Columns: phone"):
        suppression_files.take(path, reason="x", by="ops", controller=world.controller, now=NOW)


def test_a_revocation_by_letter_keeps_when_and_how_it_was_received(world: World) -> None:
    """Consent rules R4: by voicemail, e-mail or letter it is a revocation just as well."""
    world.text(ANNA, "NEWS", NOW - timedelta(days=9))
    received = NOW - timedelta(days=2)
    told = {"reason": "Please stop, A. Ross", "by": "ops", "controller": world.controller, "now": NOW}

    manage_subscribers.opt_out(ANNA, received_by=Way.LETTER, received_at=received, **told)
    with pytest.raises(Refused, match="in the future"):
        manage_subscribers.opt_out(ANNA, received_at=NOW + timedelta(days=1), **told)

    data = prove(ANNA, controller=world.controller, now=NOW)["entries"][-1]["personal"]["data"]
    assert (data["received_by"], data["received_at"]) == ("letter", "2026-11-20T12:00:00.000Z")
    assert data["reason"] == "Please stop, A. Ross"
