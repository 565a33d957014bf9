"""The page with the phones: usable by everybody, in two languages, with a script and without."""

import re
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient

from app.simulator.conversations import PERSONAS
from app.simulator.keys import Key
from app.simulator.messengers import Account
from app.simulator.texts import CHANNEL_NAMES, TEXTS, count_text, number_text
from app.simulator.world import World
from tests.simulator.support import ADA, NUMBER, Product, post_message, sender


class Elements(HTMLParser):
    """All start tags of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture
def page(client: FlaskClient) -> Elements:
    return Elements(client.get("/").text)


def test_there_are_several_phones_in_two_languages_with_a_log_each(page: Elements) -> None:
    logs = [each for each in page.of("div") if each.get("role") == "log"]

    assert len(page.of("article")) == len(PERSONAS) >= 4
    assert {persona.language for persona in PERSONAS} == {"en", "de"}
    assert {(log["aria-live"], log["tabindex"]) for log in logs} == {("polite", "0")}
    assert len({log["aria-label"] for log in logs}) == len(PERSONAS)


def test_every_field_has_a_label(page: Elements) -> None:
    labelled = {label["for"] for label in page.of("label") if "for" in label}
    typed = [field for field in page.of("input") if field.get("type") != "hidden"]

    assert len(typed) == len(PERSONAS)
    assert {field["id"] for field in typed} == labelled


def test_nothing_on_the_page_is_inline_or_from_elsewhere(page: Elements) -> None:
    assert all("style" not in attributes for _, attributes in page.found)
    assert not [name for _, attributes in page.found for name in attributes if name.startswith("on")]
    assert page.of("style") == []
    assert [script["src"] for script in page.of("script")] == ["/static/phones.js"]
    assert {link["href"].partition("?")[0] for link in page.of("link") if link["href"]} == {
        "/static/icon.svg",
        "/static/phones.css",
    }


def test_the_content_policy_is_strict(client: FlaskClient) -> None:
    policy = client.get("/").headers["Content-Security-Policy"]

    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/static/phones.js", "/static/phones.css", "/static/icon.svg"])
def test_every_file_of_the_page_is_there(client: FlaskClient, path: str) -> None:
    with client.get(path) as reply:
        assert reply.status_code == 200


@pytest.mark.parametrize(
    ("query", "accept", "banner"),
    [
        ("?lang=de", "en", "Nichts hier verlässt diesen Rechner"),
        ("?lang=en", "de", "nothing here leaves this machine"),
        ("", "de-AT,de;q=0.9,en;q=0.5", "Nichts hier verlässt diesen Rechner"),
        ("?lang=xx", "fr", "nothing here leaves this machine"),
    ],
)
def test_the_page_speaks_the_language_asked_for(
    client: FlaskClient, query: str, accept: str, banner: str
) -> None:
    text = client.get(f"/{query}", headers={"Accept-Language": accept}).text

    assert banner in text


def test_both_languages_say_the_same_things() -> None:
    assert TEXTS["en"].keys() == TEXTS["de"].keys()
    for name, text in TEXTS["en"].items():
        assert re.findall(r"\{\w+\}", text) == re.findall(r"\{\w+\}", TEXTS["de"][name])


def test_without_a_script_the_page_reloads_until_told_not_to(client: FlaskClient) -> None:
    assert 'http-equiv="refresh"' in client.get("/").text
    assert 'http-equiv="refresh"' not in client.get("/?reload=0").text


def test_a_text_typed_without_a_script_is_sent_and_the_page_shown_again(
    client: FlaskClient, world: World, product: Product, hooks: str
) -> None:
    world.state.put_sender(sender(webhook_url=hooks))

    reply = client.post("/phones/ada/text?lang=de&reload=0", data={"to": NUMBER, "body": " Guten Tag "})

    assert (reply.status_code, reply.location) == (303, "/?lang=de&reload=0#phone-ada")
    assert product.heard[0].form["Body"] == "Guten Tag"
    assert "Guten Tag" in client.get("/").text


@pytest.mark.parametrize("word", ["START", "STOP", "HELP"])
def test_a_quick_word_goes_before_what_is_typed(
    client: FlaskClient, world: World, product: Product, hooks: str, word: str
) -> None:
    world.state.put_sender(sender(webhook_url=hooks))

    reply = client.post(
        "/phones/ada/text",
        data={"to": NUMBER, "body": "half written", "quick": word},
        headers={"Accept": "application/json"},
    )

    assert reply.status_code == 204
    assert product.heard[0].form["Body"] == word


@pytest.mark.parametrize(
    ("path", "data", "status"),
    [
        ("/phones/ada/text", {"to": NUMBER, "body": "  "}, 400),
        ("/phones/ada/text", {"to": NUMBER, "body": "a" * 1601}, 400),
        ("/phones/ada/text", {"to": "+12025550199", "body": "Hi"}, 404),
        ("/phones/nobody/text", {"to": NUMBER, "body": "Hi"}, 404),
        ("/phones/ada/block", {"to": "+12025550199"}, 404),
    ],
)
def test_a_form_that_makes_no_sense_is_refused(
    client: FlaskClient, path: str, data: dict[str, str], status: int
) -> None:
    assert client.post(path, data=data).status_code == status


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_a_form_on_another_site_is_refused(client: FlaskClient, origin: str) -> None:
    reply = client.post("/phones/ada/text", data={"to": NUMBER, "body": "Hi"}, headers={"Origin": origin})

    assert reply.status_code == 403


def test_the_own_form_with_its_origin_is_taken(client: FlaskClient) -> None:
    reply = client.post("/phones/ada/block", data={"to": NUMBER}, headers={"Origin": "http://localhost"})

    assert reply.status_code == 303


def test_blocking_twice_lifts_the_block_and_the_page_says_so_in_words(client: FlaskClient) -> None:
    client.post("/phones/ada/block", data={"to": NUMBER})
    blocked = client.get("/").text
    client.post("/phones/ada/block", data={"to": NUMBER})

    assert ">Sender blocked<" in blocked
    assert "30004" in blocked
    assert ">Sender blocked<" not in client.get("/").text


def test_news_hold_only_what_came_after(client: FlaskClient) -> None:
    post_message(client, body="First")
    version = client.get("/phones/news?after=0").json["version"]
    post_message(client, body="Second " + "a" * 160)

    news = client.get(f"/phones/news?after={version}").json

    html = news["phones"]["ada"]["html"]
    assert "First" not in html
    assert "Second" in html
    assert "2 parts" in html
    assert number_text(NUMBER) in html
    assert news["phones"]["jonas"]["html"] == ""
    assert news["counts"] == {"total": "2", "distinct": "1", "duplicates": "0"}


def test_news_tell_an_open_page_when_it_is_out_of_date(client: FlaskClient, world: World) -> None:
    before = client.get("/phones/news").json["edition"]
    world.reset()
    after_reset = client.get("/phones/news").json["edition"]
    world.state.put_sender(sender(number="+12025550101"))

    assert len({before, after_reset, client.get("/phones/news").json["edition"]}) == 3


def test_what_a_message_says_cannot_become_markup(client: FlaskClient) -> None:
    post_message(client, body="<script>alert(1)</script>")

    for text in (client.get("/").text, client.get("/phones/news").json["phones"]["ada"]["html"]):
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert" in text


def test_a_page_without_sender_says_so_and_has_no_form(client: FlaskClient, world: World) -> None:
    world.state.senders.clear()

    text = client.get("/").text

    assert "No sender is connected yet" in text
    assert "<form" not in text


def test_with_several_senders_one_is_chosen(client: FlaskClient, world: World) -> None:
    world.state.put_sender(sender(number="+12025550101", name="Evening"))

    page = Elements(client.get("/").text)

    assert len(page.of("select")) == len(PERSONAS)
    assert {option["value"] for option in page.of("option")} == {NUMBER, "+12025550101"}


def test_the_desk_is_linked(client: FlaskClient) -> None:
    assert 'href="http://127.0.0.1:8000/"' in client.get("/").text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (ADA, "+1 202 555 0143"),
        ("+447700900118", "+44 7700 900118"),
        ("+493023125017", "+49 30 23125 017"),
        ("12345", "12345"),
    ],
)
def test_numbers_are_shown_in_groups(number: str, text: str) -> None:
    assert number_text(number) == text


def test_counts_have_the_language_s_thousands_mark() -> None:
    assert (count_text(10000, "en"), count_text(10000, "de")) == ("10,000", "10.000")


def test_a_button_below_a_message_is_pressed_with_a_form_and_says_its_label(
    client: FlaskClient, world: World
) -> None:
    account = Account("telegram", "@CityDeskBot", settings={"token": "t"})
    world.chats.put(account)
    world.chats.text(ADA, account, "/start")
    keys = (Key("Yes", "bt-1"), Key("Read on", "https://news.example.org/", opens=True))
    world.chats.deliver(account, ADA.removeprefix("+"), "Is it safe?", keys=keys)
    page = Elements(client.get("/").text)
    (form,) = [one for one in page.of("form") if one["action"] == "/phones/ada/press?lang=en"]
    assert [one["href"] for one in page.of("a") if one.get("dir") == "auto"] == ["https://news.example.org/"]

    pressed = client.post(form["action"], data={"to": account.address, "label": "Yes", "value": "bt-1"})

    assert pressed.status_code == 303
    assert [one.text for one in world.conversations.bubbles(ADA)][-1] == "Yes"
    assert client.post("/phones/ada/press", data={"to": account.address}).status_code == 400


def test_a_phone_says_on_which_channels_its_owner_is(world: World, client: FlaskClient) -> None:
    assert '<p class="on"></p>' in client.get("/?lang=en").text
    for channel in ("sms", "telegram", "whatsapp", "line", "telegram"):
        world.conversations.add(ADA, "in", "somebody", "Hello", channel=channel)

    assert '<p class="on">On SMS, Telegram, WhatsApp, LINE</p>' in client.get("/?lang=en").text
    phones = client.get("/phones/news?lang=de").get_json()["phones"]
    assert (phones["ada"]["on"], phones["grace"]["on"]) == ("Auf SMS, Telegram, WhatsApp, LINE", "")


def test_every_channel_has_a_name_on_the_phones(world: World) -> None:
    assert set(world.chats.channels) < set(CHANNEL_NAMES)
