"""Every page draws, in both languages, with nothing inline and without JavaScript."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from app import desk
from app.services import write_drafts
from app.storage.database import transaction
from app.storage.models import InboundRow
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words
from tests.support.world import NOON

PAGES = {
    "/broadcasts": ("Broadcasts", "Sendungen"),
    "/broadcasts?tab=drafts": ("Bridge", "Bridge"),
    "/broadcasts?tab=sending": ("handed over", "übergeben"),
    "/broadcasts?tab=sent": ("Nothing has been sent yet.", "Noch wurde nichts gesendet."),
    "/broadcasts/new": ("Save and choose when", "Speichern und Zeit wählen"),
    "/broadcasts/{draft}/edit": ("Discard this draft", "Entwurf verwerfen"),
    "/broadcasts/{draft}/when": ("When shall it go?", "Wann soll sie hinaus?"),
    "/broadcasts/{draft}/review?choice=now&zone=UTC": ("Send 3 messages now", "3 Nachrichten jetzt senden"),
    "/broadcasts/{draft}/stop": ("Discard this draft?", "Diesen Entwurf verwerfen?"),
    "/broadcasts/{draft}/versions": ("Versions of “Bridge”", "Fassungen von „Bridge“"),
    "/broadcasts/{sending}/correct": ("Correct this message", "Diese Nachricht richtigstellen"),
    "/texts": ("Save a text", "Textbaustein anlegen"),
    "/broadcasts/{sending}": ("3 of 3 handed over", "3 von 3 übergeben"),
    "/broadcasts/{sending}/live": ("Sent, no receipt yet", "Gesendet, noch ohne Bestätigung"),
    "/broadcasts/{sending}/report": ("One by one", "Einzeln"),
    "/broadcasts/{sending}/stop": ("Stop this broadcast for good?", "endgültig stoppen?"),
    "/lists": ("Promise:", "Versprechen:"),
    "/lists/new": ("Keyword", "Stichwort"),
    "/people": ("Search", "Suchen"),
    "/people?q=0100": ("1 person found", "1 Person gefunden"),
    "/people/1": ("Agreed to get messages", "Hat Nachrichten zugestimmt"),
    "/inbox": ("Is the bridge open?", "Is the bridge open?"),
    "/held": ("Nothing waits for a decision.", "Nichts wartet auf eine Entscheidung."),
    "/account": ("Change the password", "Passwort ändern"),
    "/users": ("Add somebody", "Jemanden hinzufügen"),
    "/nowhere": ("There is no such page", "Diese Seite gibt es nicht"),
}


class Markup(HTMLParser):
    """Looks for what a strict policy forbids, and for what a page must have once."""

    def __init__(self) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.outside: list[str] = []
        self.h1 = 0
        self.unlabelled: list[str] = []
        self._labels: set[str] = set()
        self._fields: list[tuple[str, str]] = []
        self._in_label = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or (tag == "script" and not given.get("src")) or "style" in given:
            self.inline.append(tag)
        self.inline += [name for name in given if name.startswith(("on", "hx-on"))]
        self.outside += [url for key in ("src", "action") if (url := given.get(key) or "").startswith("http")]
        self.h1 += tag == "h1"
        self._in_label += tag == "label"
        self._labels |= {given["for"] or ""} if "for" in given else set()
        if tag in ("input", "select", "textarea") and given.get("type") != "hidden" and not self._in_label:
            self._fields.append((tag, given.get("id") or ""))

    def handle_endtag(self, tag: str) -> None:
        self._in_label -= tag == "label"

    def close(self) -> None:
        super().close()
        self.unlabelled = [f"{tag}#{id_}" for tag, id_ in self._fields if id_ not in self._labels]


def read(html: str) -> Markup:
    markup = Markup()
    markup.feed(html)
    markup.close()
    return markup


@pytest.fixture
def furnished(house: House) -> dict[str, int]:
    """One broadcast handed over and one draft, three people, one question in the inbox."""
    with house.inside() as newsroom:
        newsroom.join(3)
        sending = newsroom.broadcast()
        newsroom.lane().drain(newsroom.now + timedelta(seconds=20))
        newsroom.text("Is the bridge open?")
        draft = write_drafts.create_draft(
            title="Bridge", text="Reply STOP to leave.", list_ids=[newsroom.list_id], by="ada", now=NOON
        )
    return {"sending": sending, "draft": draft}


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_page_draws_in_both_languages(
    language: str, furnished: dict[str, int], visit: Callable[..., Visitor]
) -> None:
    admin = visit(Role.ADMIN, language)

    for path, (english, german) in PAGES.items():
        answer = admin.get(path.format(**furnished))
        markup = read(answer.text)

        assert answer.status_code == (404 if path == "/nowhere" else 200), path
        assert {"en": english, "de": german}[language] in words(answer) + answer.text, path
        assert (markup.inline, markup.outside, markup.unlabelled) == ([], [], []), path
        if not path.endswith("/live"):
            assert f'<html lang="{language}">' in answer.text, path
            assert markup.h1 == 1, path
        assert re.findall(r"%\(\w+\)s|{{|}}", words(answer).replace("{{first_name|friend}}", "")) == [], path


def test_every_post_form_carries_a_token(furnished: dict[str, int], admin: Visitor) -> None:
    for path in PAGES:
        html = admin.get(path.format(**furnished)).text
        forms = re.findall(r'<form method="post".*?</form>', html, re.DOTALL)

        assert all('name="csrf_token"' in form for form in forms), path


def test_what_people_wrote_is_shown_and_never_run(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.text("<script>alert(1)</script>")

    page = editor.get("/inbox")

    assert "<script>alert" not in page.text
    assert "<script>alert(1)</script>" in words_of_quote(page.text)


def words_of_quote(html: str) -> str:
    found = re.search(r"<blockquote[^>]*>(.*?)</blockquote>", html, re.DOTALL)
    assert found
    return unescape(found.group(1))


def test_the_language_follows_the_browser_until_somebody_chooses(visit: Callable[..., Visitor]) -> None:
    visitor = visit(None, "de")

    before = visitor.get("/sign-in")
    visitor.post("/language", {"language": "en", "next": "/sign-in"})
    after = visitor.get("/sign-in")

    assert "An der Redaktion anmelden" in words(before)
    assert "Sign in to the desk" in words(after)


def test_an_account_remembers_its_language(editor: Visitor, visit: Callable[..., Visitor]) -> None:
    editor.post("/language", {"language": "de", "next": "/broadcasts"})

    assert "Sendungen" in words(editor.get("/broadcasts"))
    other = visit()
    other.sign_in("ed@example.com")
    assert "Sendungen" in words(other.get("/broadcasts"))


def test_static_files_may_be_kept_because_their_names_change(editor: Visitor) -> None:
    html = editor.get("/broadcasts").text
    names = re.findall(r'"(/desk-static/[^"]+\?v=[0-9a-f]{12})"', html)

    assert len(names) == 7
    for name in names:
        answer = editor.get(name)
        answer.close()
        assert answer.status_code == 200
        assert "max-age=31536000" in answer.headers["Cache-Control"]


def test_the_demo_says_so_and_leads_to_the_phones(house: House, editor: Visitor) -> None:
    runtime = house.app.extensions["tidings"]
    quiet = words(editor.get("/broadcasts"))
    runtime.settings = replace(runtime.settings, demo_phones_url="http://127.0.0.1:8001")

    page = editor.get("/broadcasts")

    assert "This is a demo" not in quiet
    assert "This is a demo: nothing leaves this machine." in words(page)
    assert 'href="http://127.0.0.1:8001"' in page.text


def test_a_text_put_aside_leaves_the_inbox(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.text("Is the bridge open?")
    with house.inside(), transaction() as session:
        inbound_id = session.query(InboundRow).filter_by(text="Is the bridge open?").one().id
    editor.get("/inbox")

    page = editor.submit(f"/inbox/{inbound_id}/read")

    assert "Nothing unread." in words(page)


def test_triggers_from_elsewhere_are_quoted() -> None:
    """htmx reads an unquoted selector only up to the first blank, and then listens to nothing."""
    templates = Path(desk.__file__).parent / "templates"
    triggers = [
        line for path in templates.glob("*.html") for line in re.findall(r"from:.*", path.read_text())
    ]

    assert triggers
    assert all(line.startswith("from:'") for line in triggers)
