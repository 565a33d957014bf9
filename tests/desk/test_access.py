"""Who gets in, and what stays shut."""

import re
from collections.abc import Callable

import pytest
from flask import Flask

from app.desk import ROOMS
from app.desk.access import access_of, room
from app.desk.account import safe_target
from app.services import manage_users
from app.storage.models.accounts import Role
from tests.desk.conftest import EMAILS, PASSWORD, House, Visitor, words
from tests.support.world import NOON

PUBLIC = {"account.sign_in", "account.check_sign_in", "account.sign_out", "account.language"}
ADMINS_ONLY = {
    "tables.retention_periods",
    "tables.retention_rounds",
    "answers.download",
    "approvals.change",
    "audit.as_csv",
    "audit.index",
    "board.slots",
    "clicks.change",
    "feeds.add",
    "feeds.change",
    "feeds.remove",
    "health_page.pause",
    "health_page.resume",
    "health_page.show",
    "list_change.ask_close",
    "list_change.change",
    "list_change.close",
    "list_change.save",
    "lists.new",
    "lists.create",
    "notices.ask_people_again",
    "notices.measure",
    "notices.write",
    "rights.ask_erase",
    "rights.data",
    "rights.erase",
    "rights.kept",
    "rights.record_of_processing",
    "rights.requests",
    "texted_words.add",
    "texted_words.remove",
    "users.index",
    "users.create",
    "users.switch",
    "users.set_password",
    "users.ask_role",
    "users.change_role",
    "progress.report_csv",
    "tickers.new",
    "tickers.create",
}
Visit = Callable[..., Visitor]


def desk_endpoints(app: Flask) -> dict[str, str | None]:
    names = {blueprint.name for blueprint in ROOMS}
    return {
        rule.endpoint: access_of(app.view_functions[rule.endpoint])
        for rule in app.url_map.iter_rules()
        if rule.endpoint.partition(".")[0] in names
    }


def test_every_view_of_the_desk_says_who_may_use_it(app: Flask) -> None:
    access = desk_endpoints(app)

    assert len(access) > 30
    assert [endpoint for endpoint, mark in access.items() if mark is None] == []
    assert {endpoint for endpoint, mark in access.items() if mark == "public"} == PUBLIC
    assert {endpoint for endpoint, mark in access.items() if mark == Role.ADMIN} == ADMINS_ONLY


def test_a_view_that_says_nothing_is_refused_even_to_admins(house: House) -> None:
    forgotten = room("forgotten", __name__)
    forgotten.add_url_rule("/forgotten", "show", lambda: "secret")
    house.app.register_blueprint(forgotten)
    visitor = Visitor(house.app.test_client())
    visitor.sign_in(EMAILS[Role.ADMIN])

    answer = visitor.get("/forgotten")

    assert answer.status_code == 403
    assert "secret" not in answer.text


def test_whoever_is_not_signed_in_is_asked_to_and_led_back(visit: Visit) -> None:
    visitor = visit()

    asked = visitor.get("/people?q=0100")
    visitor.get(asked.location)
    answer = visitor.post(asked.location, {"email": EMAILS[Role.EDITOR], "password": PASSWORD})

    assert asked.status_code == 302
    assert answer.location == "/people?q=0100"


def test_a_fragment_asked_for_after_the_session_ended_moves_the_whole_page(visit: Visit) -> None:
    answer = visit().get("/broadcasts/1/live", HX_Request="true")

    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/sign-in")


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "evil", ""])
def test_signing_in_never_leads_to_another_site(target: str) -> None:
    assert safe_target(target) is None


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(visit: Visit) -> None:
    known = visit().sign_in(EMAILS[Role.EDITOR], "not the password")
    unknown = visit().sign_in("ned@example.com", "not the password")

    assert (known.status_code, unknown.status_code) == (422, 422)
    assert words(known) == words(unknown)
    assert "do not belong together" in words(known)


def test_an_unknown_address_costs_a_hash_as_a_known_one_does(house: House) -> None:
    asked = manage_users._nobodys_hash.cache_info

    before = asked()
    with house.inside():
        nobody = manage_users.authenticate("ned@example.com", PASSWORD)

    assert nobody is None
    assert asked().hits + asked().misses == before.hits + before.misses + 1
    assert manage_users._nobodys_hash().startswith("$argon2id$")


def test_five_wrong_tries_at_one_account_close_it_for_a_while_from_every_address(visit: Visit) -> None:
    for last in range(5):
        visitor = visit()
        visitor.address = f"192.0.2.{last}"
        visitor.sign_in(EMAILS[Role.EDITOR], "not the password")

    answer = visit().sign_in(EMAILS[Role.EDITOR])

    assert answer.status_code == 429
    assert "Too many tries" in words(answer)
    assert int(answer.headers["Retry-After"]) > 0
    assert visit().sign_in(EMAILS[Role.ADMIN]).status_code == 302


def test_signing_in_rightly_does_not_use_up_tries(visit: Visit) -> None:
    codes = {visit().sign_in(EMAILS[Role.EDITOR]).status_code for _ in range(7)}

    assert codes == {302}


@pytest.mark.parametrize("path", ["/lists/new", "/users", "/broadcasts/1/report.csv"])
def test_editors_do_not_open_what_is_for_admins(path: str, house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.join(1)
        newsroom.broadcast_waiting()

    answer = editor.get(path)

    assert answer.status_code == 403
    assert "Your role does not allow this" in words(answer)


def test_a_form_without_its_token_changes_nothing(house: House, editor: Visitor) -> None:
    editor.token = "made up"

    answer = editor.post("/broadcasts/new", {"title": "Forged", "act": "save"})

    assert answer.status_code == 400
    assert "This form is too old" in words(answer)
    assert "Forged" not in editor.get("/broadcasts?tab=drafts").text


def test_what_providers_post_needs_no_token_of_ours(visit: Visit) -> None:
    answer = visit().client.post("/hooks/city-desk", data={"Body": "STOP"})

    assert answer.status_code == 403  # for want of a signature
    assert "form is too old" not in answer.text


def test_a_new_password_ends_every_other_session(visit: Visit) -> None:
    here, there = visit(Role.EDITOR), visit(Role.EDITOR)

    page = here.submit("/account", {"old": PASSWORD, "new": "another four words now"})

    assert "Other browsers are signed out" in words(page)
    assert here.get("/broadcasts").status_code == 200
    assert there.get("/broadcasts").status_code == 302


def test_a_closed_account_is_out_at_once(house: House, editor: Visitor) -> None:
    with house.inside():
        manage_users.disable_user(house.ids[Role.EDITOR], by="tests", now=NOON)

    assert editor.get("/broadcasts").status_code == 302
    assert editor.sign_in(EMAILS[Role.EDITOR]).status_code == 422


def test_signing_out_ends_the_session(editor: Visitor) -> None:
    editor.post("/sign-out")

    assert editor.get("/broadcasts").status_code == 302


def test_the_session_cookie_cannot_be_read_by_scripts_or_sent_by_other_sites(visit: Visit) -> None:
    cookie = visit().get("/sign-in").headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_pages_with_data_are_not_kept_by_the_browser(editor: Visitor) -> None:
    assert editor.get("/people").headers["Cache-Control"] == "no-store"


def test_the_policy_allows_nothing_from_elsewhere_and_no_frames(editor: Visitor) -> None:
    headers = editor.get("/broadcasts").headers

    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_an_error_page_names_the_request(visit: Visit) -> None:
    answer = visit().get("/nowhere", X_Request_Id="request-4711")

    assert answer.status_code == 404
    assert "request-4711" in words(answer)
    assert answer.headers["X-Request-Id"] == "request-4711"


def test_a_made_up_request_number_is_not_repeated(visit: Visit) -> None:
    answer = visit().get("/nowhere", X_Request_Id="<script>")

    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["X-Request-Id"])


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/broadcasts/99999999999999999999", 404),
        ("/people/99999999999999999999", 404),
        ("/people?q=0100%00", 400),
        ("/broadcasts?tab=drafts&page=99999999999999999999", 200),
        ("/broadcasts?tab=drafts&page=-1", 200),
        ("/broadcasts?tab=made-up", 200),
    ],
)
def test_made_up_addresses_get_an_answer_and_no_fault(path: str, code: int, editor: Visitor) -> None:
    assert editor.get(path).status_code == code


def test_a_sign_in_with_characters_that_no_table_holds_is_refused(visit: Visit) -> None:
    assert visit().sign_in("ada@example.com\x00").status_code == 400


def test_the_language_chosen_on_the_sign_in_page_goes_along_to_the_desk(house: House, visit: Visit) -> None:
    visitor = visit()
    visitor.get("/sign-in")
    visitor.post("/language", {"language": "de", "next": "/sign-in"})

    visitor.sign_in(EMAILS[Role.EDITOR])

    assert "Konto" in words(visitor.get("/account"))
    later = visit()
    later.sign_in(EMAILS[Role.EDITOR])
    assert "Konto" in words(later.get("/account"))


def test_a_browser_in_another_language_does_not_change_the_language_of_an_account(visit: Visit) -> None:
    visitor = visit()
    visitor.language = "de"

    visitor.sign_in(EMAILS[Role.EDITOR])

    assert "Konto" not in words(visitor.get("/account"))
