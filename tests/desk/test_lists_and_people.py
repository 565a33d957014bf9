"""Lists and their promise; people and what they agreed to."""

import re
from collections.abc import Callable
from html import unescape

import pytest

from app.services import find_people, person_timeline
from app.services.controller import NotFound, Refused
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words
from tests.support.world import number


def new_list(house: House, **changes: object) -> dict[str, object]:
    form = {
        "name": "Floods",
        "keyword": "FLOOD",
        "purpose": "Warnings when the river rises",
        "language": "en",
        "max_per_day": "5",
        "from_hour": "7",
        "until_hour": "21",
        "zone": "Europe/Berlin",
        "sender_id": str(house.newsroom.sender_id),
    }
    return {**form, **changes}


def test_a_new_list_is_shown_with_its_promise(house: House, admin: Visitor) -> None:
    admin.get("/lists/new")

    page = words(admin.submit("/lists/new", new_list(house)))

    assert "People can subscribe to “Floods” now." in page
    assert "at most 5 messages a day, between 7 and 21 h (Europe/Berlin)" in page
    assert "Join: FLOOD to +1 202 555 0100" in page


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"name": ""}, "A name has 1 to 100 characters."),
        ({"keyword": "two words"}, "A keyword is one word"),
        ({"keyword": "STOP"}, "means STOP to people"),
        ({"keyword": "CITY"}, "belongs to the list “City”"),
        ({"max_per_day": "many"}, "Promise between 1 and 50"),
        ({"from_hour": "21", "until_hour": "7"}, "The last hour must be after the first."),
        ({"from_hour": "x"}, "Write a whole number."),
        ({"zone": "Mars/Olympus"}, "Choose a time zone."),
    ],
)
def test_a_bad_list_is_refused_in_words_and_keeps_what_was_typed(
    wrong: dict[str, object], reason: str, house: House, admin: Visitor
) -> None:
    admin.get("/lists/new")

    answer = admin.post("/lists/new", new_list(house, **wrong))

    assert answer.status_code == 422
    assert reason in words(answer)
    assert "Warnings when the river rises" in answer.text


def test_a_refusal_is_said_in_german_too(house: House, admin: Visitor) -> None:
    admin.get("/lists/new")
    admin.post("/language", {"language": "de", "next": "/lists/new"})

    answer = admin.post("/lists/new", new_list(house, keyword="CITY"))

    assert "gehört zur Liste „City“" in words(answer)


@pytest.mark.parametrize("query", ["+1 201 555 0101", "(201) 555-0101", "0101", "5550101", "201 5550101"])
def test_people_are_found_by_full_number_and_by_last_digits(query: str, house: House) -> None:
    with house.inside() as newsroom:
        newsroom.join(3)
        found = find_people.search(query, region="US")

    assert [row.address for row in found] == ["+12015550101"]
    assert found[0].lists == {"City": "active"}


@pytest.mark.parametrize("query", ["1", "abc", "%", "555"])
def test_too_few_digits_find_nobody(query: str, house: House) -> None:
    with house.inside(), pytest.raises(Refused, match="four digits"):
        find_people.search(query, region="US")


def test_editors_find_people_without_seeing_their_numbers(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.join(1)

    page = editor.get("/people?q=0100")

    assert "+1***100" in page.text
    assert number(0) not in page.text


def test_the_timeline_tells_consent_texts_and_messages_newest_first(house: House) -> None:
    with house.inside() as newsroom:
        newsroom.text("START", number(5))
        newsroom.later(minutes=1)
        newsroom.broadcast()
        newsroom.send()
        newsroom.later(minutes=1)
        newsroom.text("STOP", number(5))
        person = find_people.search(number(5), region="US")[0]
        entries = person_timeline.timeline(person.subscriber_id, controller=newsroom.controller)

    assert [entry.at for entry in entries] == sorted((entry.at for entry in entries), reverse=True)
    consent = [entry.details["event_type"] for entry in entries if entry.kind == "consent"]
    assert consent[0] == "consent_withdrawn"
    assert "consent_given" in consent
    assert [entry.words for entry in entries if entry.kind == "inbound"] == ["STOP", "START"]
    delivery = next(entry for entry in entries if entry.kind == "delivery")
    assert delivery.details["consent_seq"] is not None
    assert person.lists == {"City": "stopped"}


def test_of_one_moment_the_timeline_has_each_text_before_what_it_did(house: House) -> None:
    with house.inside() as newsroom:
        for said in ("START", "STOP", "UNSTOP"):
            newsroom.text(said, number(5))
        person = find_people.search(number(5), region="US")[0]
        entries = person_timeline.timeline(person.subscriber_id, controller=newsroom.controller)

    told = [one.words if one.kind == "inbound" else str(one.details["event_type"]) for one in entries[::-1]]
    join = ["notice_shown", "consent_given"]
    assert told == ["START", *join, "STOP", "consent_withdrawn", "UNSTOP", *join]


def test_a_person_page_shows_the_words_that_were_agreed_to(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.text("START", number(5))
        person = find_people.search(number(5), region="US")[0]

    page = words(editor.get(f"/people/{person.subscriber_id}"))

    assert "Agreed to get messages · City · by texting a keyword" in page
    assert "Words shown, version 1:" in page
    assert "News of City" in page
    assert "Texted us: START" in page


def test_a_person_who_does_not_exist_is_not_found(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom, pytest.raises(NotFound):
        person_timeline.timeline(4711, controller=newsroom.controller)

    assert editor.get("/people/4711").status_code == 404


def test_admins_add_people_to_the_desk(house: House, admin: Visitor) -> None:
    form = {"name": "Bo", "email": "bo@example.com", "password": "four random words more", "role": "editor"}
    admin.get("/users")

    page = words(admin.submit("/users", form))

    assert "Bo can sign in now." in page
    assert "bo@example.com · Editor" in page


def test_a_weak_password_is_refused_and_not_shown_again(house: House, admin: Visitor) -> None:
    admin.get("/users")

    answer = admin.post(
        "/users", {"name": "Bo", "email": "bo@example.com", "password": "short-one", "role": "editor"}
    )

    assert answer.status_code == 422
    assert "at least 12 characters" in words(answer)
    assert "short-one" not in answer.text


def test_closing_the_last_admin_is_refused_at_the_desk(house: House, admin: Visitor) -> None:
    admin.get("/users")

    page = admin.submit(f"/users/{house.ids[Role.ADMIN]}/disable")

    assert "This is the last admin." in words(page)


def test_a_role_is_changed_told_to_the_person_and_kept_in_the_audit_log(
    house: House, admin: Visitor, visit: Callable[..., Visitor]
) -> None:
    editor_id = house.ids[Role.EDITOR]
    editor = visit(Role.EDITOR)
    assert editor.get("/users").status_code == 403
    assert "Editor" in words(admin.get(f"/users/{editor_id}/role"))

    page = words(admin.submit(f"/users/{editor_id}/role", {"role": "admin"}))

    assert "has another role now: Admin." in page
    told = words(editor.get("/users"))
    assert "Your role has changed: you are an admin now" in told
    assert "Your role has changed" not in words(editor.get("/users"))
    assert "changed the role of an account" in words(admin.get("/audit"))
    admin.get(f"/users/{editor_id}/role")
    assert admin.post(f"/users/{editor_id}/role", {"role": "king"}).status_code == 422
    assert admin.get("/users/4711/role").status_code == 404


def test_the_last_admin_stays_one(house: House, admin: Visitor) -> None:
    path = f"/users/{house.ids[Role.ADMIN]}/role"
    assert "This is your own account" in words(admin.get(path))

    refused = admin.post(path, {"role": "editor"})

    assert refused.status_code == 422
    assert "This is the last admin." in words(refused)
    assert admin.get("/users").status_code == 200


def test_the_town_of_a_person_is_changed_on_a_page_of_its_own(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.join(1)
        subscriber_id = find_people.search("0100", region="US")[0].subscriber_id
    path = f"/people/{subscriber_id}"
    assert "Town not known · Change Town" in words(editor.get(path))
    editor.get(f"{path}/place")

    page = editor.submit(f"{path}/place", {"place": "Riverside"})

    assert "Town Riverside" in words(page)
    editor.get(f"{path}/place")
    long = editor.post(f"{path}/place", {"place": "x" * 101})
    assert long.status_code == 422
    assert "A town has at most 100 characters, on one line." in words(long)
    assert editor.get("/people/99999/place").status_code == 404


def test_people_are_filtered_and_numbers_stay_masked_for_editors(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.join(27)
        newsroom.text("STOP", number(3))

    stopped = editor.get("/people?status=stopped")
    first = editor.get(f"/people?list={house.newsroom.list_id}&channel=sms")
    nobody = editor.get("/people?place=Rome&before=99999999999999999999")

    assert "1 person found" in words(stopped)
    assert "City: left" in words(stopped)
    assert "Nothing can be sent" in words(stopped)
    assert number(3) not in stopped.text
    assert "25 people on this page, the newest first" in words(first)
    assert "Older people" in words(first)
    older = re.search(r'href="(/people\?before=[^"]+)"', first.text)
    assert older is not None
    rest = editor.get(unescape(older[1]))
    assert "2 people" in words(rest)
    assert "Older people" not in words(rest)
    assert "Nobody is like that." in words(nobody)
    assert editor.get("/people?status=x&list=x&channel=x").status_code == 200


def test_the_page_of_somebody_who_left_says_why_nothing_can_be_sent(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.join(1)
        newsroom.text("STOP", number(0))
        subscriber_id = find_people.search("0100", region="US")[0].subscriber_id

    page = words(editor.get(f"/people/{subscriber_id}"))

    assert "Why nothing can be sent City : left" in page
    assert "Only the person can come back, by texting START" in page


def test_a_default_list_shows_its_own_word_beside_start(house: House, editor: Visitor) -> None:
    page = words(editor.get("/lists"))

    assert "Join: CITY or START to" in page
