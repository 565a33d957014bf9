"""Trying a draft out at the desk: prove an address, tick a tester, and read what came of it, without JavaScript."""

import re
from collections.abc import Callable

from sqlalchemy import update

from app.clock import utcnow
from app.services import testers
from app.services.write_drafts import create_draft
from app.storage.database import transaction
from app.storage.models import Sender
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words
from tests.support.world import NOON, number

PHONE = number(7)


def draft(house: House) -> int:
    with house.inside() as newsroom:
        newsroom.join(1)
        return create_draft(
            title="Bridge", text="The bridge is open.", list_ids=[newsroom.list_id], by="ada", now=NOON
        )


def prove(house: House, role: Role = Role.EDITOR, phone: str = PHONE) -> int:
    with house.inside() as newsroom:
        newsroom.now = utcnow()  # the pages go by the real clock
        newsroom.text(testers.begin(house.ids[role], now=newsroom.now), phone)
        return testers.addresses(user_id=house.ids[role])[0].id


def test_an_editor_proves_a_number_with_a_code_sent_from_it(house: House, editor: Visitor) -> None:
    assert "Addresses for tests" in words(editor.get("/account"))
    assert "Nobody has an address for tests yet." in words(editor.get("/account/tests"))

    page = editor.submit("/account/tests")
    code = re.search(r"TEST-\w{8}", page.text)
    assert code is not None
    assert "SMS: +1 202 555 0100 city-desk" in words(page)
    with house.inside() as newsroom:
        newsroom.now = utcnow()
        newsroom.text(code.group(), PHONE)

    assert "Editor Berg · SMS +1***107 Tests go here." in words(editor.get("/account/tests"))
    assert "Asked for tests of drafts" in words(editor.get("/people/1"))


def test_a_draft_is_tried_out_from_its_page_and_the_result_shown_there(house: House, editor: Visitor) -> None:
    broadcast_id, tester = draft(house), prove(house)
    path = f"/broadcasts/{broadcast_id}"
    for page in (f"{path}/review?choice=now&zone=UTC", f"{path}/edit"):
        assert "Send a test" in words(editor.get(page))

    answer = editor.post(f"{path}/tests", {"testers": tester, "mark": "yes", "next": f"{path}/edit"})
    assert answer.location == f"{path}/edit#tests"
    page = editor.get(f"{path}/edit")
    assert ": Waiting" in words(page)
    assert 'hx-trigger="every 2s"' in page.text
    with house.inside() as newsroom:
        newsroom.send()
        assert newsroom.provider.arrived == [(PHONE, "[Test] The bridge is open.")]

    assert ": Sent, no receipt yet" in words(editor.get(f"{path}/tests"))
    everywhere = "".join(editor.get(one).text for one in ("/broadcasts?tab=sent", "/broadcasts?tab=sending"))
    assert "Bridge" not in everywhere
    assert editor.get(f"/broadcasts/{broadcast_id + 1}").status_code == 404


def test_what_was_unticked_is_respected_and_nobody_chosen_is_refused(house: House, editor: Visitor) -> None:
    broadcast_id, tester = draft(house), prove(house)
    path = f"/broadcasts/{broadcast_id}"
    editor.get(f"{path}/edit")

    nobody = editor.submit(f"{path}/tests")
    editor.post(f"{path}/tests", {"testers": tester})

    assert "Choose at least one tester." in words(nobody)
    with house.inside() as newsroom:
        newsroom.send()
        assert [body for _, body in newsroom.provider.arrived] == ["The bridge is open."]


def test_an_editor_sends_so_many_tests_an_hour(house: House, editor: Visitor) -> None:
    path = f"/broadcasts/{draft(house)}"
    editor.get(f"{path}/edit")

    answers = [editor.post(f"{path}/tests").status_code for _ in range(21)]

    assert answers == [302] * 20 + [429]


def test_admins_see_and_remove_every_tester_editors_only_their_own(
    house: House, visit: Callable[..., Visitor]
) -> None:
    tester, of_admin = prove(house), prove(house, Role.ADMIN, number(8))
    editor, admin = visit(Role.EDITOR), visit(Role.ADMIN, "de")

    assert "Admin Berg" not in words(editor.get("/account/tests"))
    assert editor.post(f"/account/tests/{of_admin}/remove").status_code == 404
    assert "Editor Berg" in words(admin.get("/account/tests"))
    assert "keine Tests mehr" in words(admin.submit(f"/account/tests/{tester}/remove"))
    assert "Editor Berg" not in words(admin.get("/account/tests"))


def test_a_test_on_a_platform_that_tells_nothing_more_says_so(house: House, editor: Visitor) -> None:
    broadcast_id, tester = draft(house), prove(house)
    editor.get(f"/broadcasts/{broadcast_id}/edit")
    editor.post(f"/broadcasts/{broadcast_id}/tests", {"testers": tester})
    with house.inside() as newsroom:
        newsroom.send()
        with transaction() as session:
            session.execute(update(Sender).values(gateway="telegram"))

    page = editor.get(f"/broadcasts/{broadcast_id}/tests")

    assert "Taken by the platform, which tells nothing more" in words(page)
    assert "hx-trigger" not in page.text
