"""The page of words: every language for everybody, words of one's own for admins."""

from tests.desk.conftest import Visitor, words


def test_every_language_shows_its_words(editor: Visitor) -> None:
    german, unknown = words(editor.get("/words?language=de")), words(editor.get("/words?language=xx"))

    assert "abmelden" in german
    assert "STOP: ends everything" in german
    assert "unsubscribe" in unknown


def test_an_admin_adds_a_word_and_takes_it_back(admin: Visitor) -> None:
    admin.get("/words?language=de")

    added = words(admin.submit("/words", {"word": "Kanal Ende", "meaning": "stop", "language": "de"}))
    refused = admin.post("/words", {"word": "Kanal Ende", "meaning": "help", "language": "de"})
    removed = words(admin.submit("/words/1/remove", {"language": "de"}))

    assert "People can text “Kanal Ende” now." in added
    assert "Take back" in added
    assert (refused.status_code, "by your own words" in words(refused)) == (422, True)
    assert "“Kanal Ende” means nothing any more." in removed
    assert admin.post("/words/1/remove", {"language": "de"}).status_code == 404


def test_an_editor_cannot_change_words(editor: Visitor) -> None:
    editor.get("/words")

    assert (
        editor.post("/words", {"word": "Kanal Ende", "meaning": "stop", "language": "de"}).status_code == 403
    )
    assert "Add a word of your own" not in words(editor.get("/words"))
