"""The doctor: what is well, what wants attention, what does not work, and what to do about each."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.domain.sealing import KeyRing
from app.domain.short_links import Clicks
from app.services import manage_senders, sign_heads
from app.services.check_health import BACKUP_MARK, Check, Health, Surroundings, doctor, worst
from app.services.controller import Controller
from app.services.let_time_pass import let_time_pass
from app.services.short_links import set_clicks
from app.storage.database import transaction
from tests.services.conftest import ANNA, NOW, World


class FakePulse:
    """A Redis that answers with what the test gave it."""

    def __init__(self, version: tuple[int, ...] = (7, 2, 4), *, alive: bool = True, up: bool = True) -> None:
        self._version, self._alive, self._up = version, alive, up

    def version(self) -> tuple[int, ...]:
        if not self._up:
            raise OSError("Connection refused.")
        return self._version

    def heartbeat(self, process: str) -> str | None:
        return NOW.isoformat() if self._alive else None


AROUND = Surroundings("https://news.example.org", Path("/"), None)


def examine(
    world: World,
    *,
    pulse: FakePulse | None = None,
    around: Surroundings = AROUND,
    controller: Controller | None = None,
    later: timedelta = timedelta(0),
) -> dict[str, Check]:
    checks = doctor(
        pulse=pulse or FakePulse(), around=around, controller=controller or world.controller, now=NOW + later
    )
    return {check.name: check for check in checks}


def test_a_healthy_installation_has_nothing_to_do(world: World, tmp_path: Path) -> None:
    (tmp_path / BACKUP_MARK).touch()
    checks = examine(world, around=replace(AROUND, home=tmp_path))
    del checks["disk"]

    assert worst(list(checks.values())) is Health.OK
    assert all(check.advice == "" for check in checks.values())


def test_an_old_schema_fails_with_the_command_that_mends_it(world: World) -> None:
    check = examine(world, around=replace(AROUND, newest_migration="9999"))["database"]

    assert (check.health, check.advice) == (Health.FAIL, "Run: tidings db upgrade")


@pytest.mark.parametrize(
    ("pulse", "name"),
    [
        (FakePulse(up=False), "redis"),
        (FakePulse((6, 0, 16)), "redis"),
        (FakePulse(alive=False), "worker"),
        (FakePulse(alive=False), "replies"),
        (FakePulse(alive=False), "clock"),
    ],
)
def test_what_does_not_answer_fails(world: World, pulse: FakePulse, name: str) -> None:
    check = examine(world, pulse=pulse)[name]

    assert check.health is Health.FAIL
    assert check.advice


def test_an_open_address_is_a_warning_but_not_in_the_demo(world: World) -> None:
    plain = replace(AROUND, public_url="http://127.0.0.1:8000")

    assert examine(world, around=plain)["public address"].health is Health.WARN
    assert examine(world, around=replace(plain, demo=True))["public address"].health is Health.OK


def test_a_paused_sender_is_named_with_its_reason(world: World) -> None:
    manage_senders.pause("news-us", reason="wrong token", by="ops", now=NOW)

    check = examine(world)["senders"]

    assert check.health is Health.WARN
    assert "“news-us” (wrong token)" in check.found


def test_secrets_under_another_key_fail(world: World) -> None:
    check = examine(world, controller=replace(world.controller, keys=KeyRing(bytes(32))))["senders"]

    assert check.health is Health.FAIL
    assert "MASTER_KEY" in check.advice


def test_a_reply_that_nobody_sends_is_overdue(world: World) -> None:
    world.text(ANNA, "NEWS")

    assert examine(world)["due"].health is Health.OK
    late = examine(world, later=timedelta(minutes=5))["due"]
    assert late.health is Health.FAIL
    assert "a reply has been due since 2026-11-22 12:00 UTC" in late.found


def test_a_renamed_ledger_is_noticed(world: World) -> None:
    world.text(ANNA, "NEWS")

    check = examine(world, controller=replace(world.controller, ledger="other"))["ledger"]

    assert check.health is Health.WARN
    assert "“main”" in check.found


def test_a_ledger_that_nobody_signs_is_noticed_after_two_days(world: World, tmp_path: Path) -> None:
    world.text(ANNA, "NEWS")
    late = timedelta(days=3)

    assert examine(world)["signed heads"].health is Health.OK
    assert examine(world, later=late)["signed heads"].health is Health.WARN
    sign_heads.sign(tmp_path, controller=world.controller, now=NOW + late)
    assert examine(world, later=late)["signed heads"].health is Health.OK


def test_a_missing_table_fails_one_check_and_not_the_others(world: World) -> None:
    with transaction() as session:
        session.execute(text("ALTER TABLE ledger_head RENAME TO gone"))

    checks = examine(world)

    assert checks["ledger"].health is Health.FAIL
    assert checks["senders"].health is Health.OK


def test_t2_confirmations_that_came_to_nothing_alarm(world: World) -> None:
    world.text(ANNA, "NEWS")
    world.text(ANNA, "STOP", NOW)
    later = timedelta(minutes=6)
    assert examine(world)["confirmations"].health is Health.OK
    let_time_pass(controller=world.controller, now=NOW + later)

    check = examine(world, later=later)["confirmations"]

    assert check.health is Health.WARN
    assert "1 confirmations of STOP were dropped" in check.found
    assert examine(world, later=timedelta(days=8))["confirmations"].health is Health.OK


def test_short_links_that_begin_with_an_old_address_are_a_warning(world: World) -> None:
    assert examine(world)["short links"].health is Health.OK
    set_clicks("News", Clicks.LINKS, public_url="https://old.example.org", by="ops", now=NOW)

    found = examine(world)["short links"]

    assert found.health is Health.WARN
    assert found.advice == 'Run: tidings lists clicks "News" links'


def test_a_backup_is_known_by_the_file_that_it_touches(world: World, tmp_path: Path) -> None:
    around = replace(AROUND, home=tmp_path)
    unknown = examine(world, around=around)["backup"]
    (tmp_path / BACKUP_MARK).touch()
    made = datetime.fromtimestamp((tmp_path / BACKUP_MARK).stat().st_mtime, UTC) - NOW

    fresh, old = (
        examine(world, around=around, later=made + timedelta(days=days))["backup"] for days in (1, 3)
    )

    assert [one.health for one in (unknown, fresh, old)] == [Health.WARN, Health.OK, Health.WARN]
    assert unknown.found == "nobody says that there is one"
    assert old.advice.startswith("Make one now, then: touch ")
