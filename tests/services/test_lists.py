"""Lists: the word that joins one, the promise that is shown, the notices that never change."""

import hashlib
from dataclasses import replace

import pytest
from sqlalchemy import select

from app.services import manage_lists
from app.services.change_list import Changes, change_list
from app.services.close_list import close_list
from app.services.controller import Conflict, NotFound, Refused
from app.storage.database import db
from app.storage.models import AuditEntry, BroadcastList, ConsentEvent, Notice
from tests.services.conftest import NOW, World


def _change(world: World, **changes: object) -> int:
    row = db.session.get_one(BroadcastList, world.list_id)
    wanted = replace(Changes.none_of(row), **changes)  # type: ignore[arg-type]
    db.session.rollback()
    return change_list(world.list_id, wanted, by="ops", controller=world.controller, now=NOW)


def _create(world: World, **changes: object) -> int:
    values: dict[str, object] = {
        "name": "Sport",
        "keyword": "SPORT",
        "purpose": "Results",
        "language": "en",
        "max_per_day": 2,
        "from_hour": 8,
        "until_hour": 20,
        "zone": "Europe/Berlin",
        "sender_id": world.sender_id,
        "is_default": False,
    }
    return manage_lists.create_list(**(values | changes), by="ops", controller=world.controller, now=NOW)


def test_a_new_list_has_its_first_notice_in_english_and_german(world: World) -> None:
    notices = db.session.scalars(select(Notice).order_by(Notice.language)).all()

    assert [(row.language, row.version) for row in notices] == [("de", 1), ("en", 1)]
    assert all("Riverside News" in row.text and "STOP" in row.text for row in notices)
    assert all(row.sha256 == hashlib.sha256(row.text.encode()).hexdigest() for row in notices)


def test_a_changed_promise_makes_a_new_version_and_leaves_the_old_words(world: World) -> None:
    before = {row.id: row.text for row in db.session.scalars(select(Notice))}
    db.session.rollback()

    written = _change(world, max_per_day=5)

    after = db.session.scalars(select(Notice)).all()
    assert written == 2
    assert {row.id: row.text for row in after if row.version == 1} == before
    assert all("5" in row.text for row in after if row.version == 2)


def test_a_change_that_changes_nothing_writes_no_notice(world: World) -> None:
    assert _change(world) == 0


def test_the_keyword_is_kept_in_the_spelling_in_which_words_are_compared(world: World) -> None:
    _create(world, keyword=" Früh-Nachrichten ")

    assert "fruhnachrichten" in {row.keyword for row in manage_lists.list_lists()}


@pytest.mark.parametrize(
    ("keyword", "meaning"),
    [("Stop", "STOP"), ("unsubscribe", "STOP"), ("BAJA", "STOP"), ("join", "START"), ("Hilfe", "HELP")],
)
def test_a_word_that_means_a_command_in_any_language_is_refused(
    world: World, keyword: str, meaning: str
) -> None:
    with pytest.raises(Refused, match=f"means {meaning}"):
        _create(world, keyword=keyword)


def test_a_word_for_all_lists_is_refused(world: World) -> None:
    with pytest.raises(Refused, match="STOP ALL"):
        _create(world, keyword="all")


def test_a_keyword_of_another_list_is_refused_by_naming_that_list(world: World) -> None:
    with pytest.raises(Conflict, match="belongs to the list “News”"):
        _create(world, keyword="n-e-w-s")


def test_a_name_in_use_is_refused_in_any_letter_case(world: World) -> None:
    with pytest.raises(Conflict, match="“News” already"):
        _create(world, name="NEWS")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"keyword": "x"}, "2 to 40"),
        ({"name": " "}, "needs a name"),
        ({"purpose": ""}, "what people get"),
        ({"language": "xx"}, "no language"),
        ({"max_per_day": 0}, "no promise"),
        ({"from_hour": 21, "until_hour": 7}, "no time of day"),
        ({"zone": "Mars/Olympus"}, "no time zone"),
        ({"zone": "../etc/passwd"}, "no time zone"),
        ({"sender_id": 99}, "no sender number 99"),
    ],
)
def test_what_a_list_cannot_be_is_refused_with_the_reason(
    world: World, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        _create(world, **changes)


def test_the_first_list_is_the_default_and_a_new_default_takes_over(world: World) -> None:
    _create(world)
    before = {row.name: row.is_default for row in manage_lists.list_lists()}
    db.session.rollback()
    _create(world, name="Culture", keyword="CULTURE", is_default=True)

    after = {row.name: row.is_default for row in manage_lists.list_lists()}
    assert before == {"News": True, "Sport": False}
    assert after == {"News": False, "Sport": False, "Culture": True}


def test_an_archived_list_is_shown_on_request_only_and_stays_found(world: World) -> None:
    manage_lists.archive("news", by="ops", now=NOW)
    again = manage_lists.archive("News", by="ops", now=NOW.replace(hour=20))

    assert again.archived_at == NOW
    assert manage_lists.list_lists() == []
    assert [row.name for row in manage_lists.list_lists(archived=True)] == ["News"]


def test_active_subscribers_are_counted(world: World) -> None:
    world.text("+12025550101", "NEWS")
    world.text("+12025550102", "NEWS")
    world.text("+12025550102", "STOP")

    assert [row.active for row in manage_lists.list_lists()] == [1]


def test_an_unknown_list_is_answered_with_those_there_are(world: World) -> None:
    with pytest.raises(NotFound, match="Lists: “News”"):
        manage_lists.find_list(db.session(), "Weather")


def test_a_list_is_found_by_name_or_keyword(world: World) -> None:
    found = {manage_lists.find_list(db.session(), name).id for name in ("News", "NEWS", " news ")}

    assert found == {db.session.scalars(select(BroadcastList.id)).one()}


def test_an_old_list_can_be_freed_from_quiet_hours_for_a_reason_and_bound_again(world: World) -> None:
    freed = manage_lists.set_any_hour("news", "  Flood warnings ", by="ops", now=NOW)
    bound = manage_lists.set_any_hour("news", "", by="ops", now=NOW)

    assert (freed.any_hour_reason, bound.any_hour_reason) == ("Flood warnings", None)
    noted = select(AuditEntry.details).where(AuditEntry.action == "list.any_hour").order_by(AuditEntry.id)
    assert db.session.scalars(noted).all() == [{"reason": "Flood warnings"}, {"reason": None}]


def test_closing_a_list_ends_every_consent_to_it_in_the_ledger_once(world: World) -> None:
    world.text("+12025550101", "NEWS")
    world.text("+12025550102", "NEWS")
    world.text("+12025550102", "STOP")

    ended = [
        close_list("news", by="ops", controller=world.controller, now=NOW.replace(hour=20)) for _ in range(2)
    ]

    assert ended == [1, 0]
    last = db.session.scalars(select(ConsentEvent).order_by(ConsentEvent.seq.desc())).first()
    assert last is not None
    assert (last.event_type, last.actor, last.matched_rule) == (
        "consent_revoked",
        "operator:ops",
        "list closed",
    )
    assert [row.active for row in manage_lists.list_lists(archived=True)] == [0]
