"""Other words in a language at the desk: a field for each, the check before sending, what was written afterwards."""

from sqlalchemy import update

from app.gateways.registry import gateway_class
from app.services.manage_senders import add
from app.services.senders_of_lists import add_sender
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, Subscriber
from app.storage.variants import variants_of
from tests.desk.conftest import House, Visitor, words
from tests.desk.test_channels import on_telegram
from tests.gateways.samples.whatsapp import SETTINGS as WHATSAPP


def german_readers(house: House, count: int, of: int) -> None:
    with house.inside() as newsroom:
        numbers = newsroom.join(of)
        with transaction() as session:
            theirs = Subscriber.address.in_(numbers[:count])
            session.execute(update(Subscriber).where(theirs).values(language="de"))


def draft(house: House, **more: str) -> dict[str, object]:
    return {
        "title": "Bridge",
        "text": "The bridge is open.",
        "list_ids": str(house.newsroom.list_id),
        "act": "save",
        **more,
    }


def test_there_is_a_field_for_each_language_but_that_of_the_list(house: House, editor: Visitor) -> None:
    on_telegram(house)

    page = editor.get("/broadcasts/new").text

    assert "Other words in Deutsch" in page
    assert 'name="words_de"' in page
    assert 'name="words_de_telegram"' in page
    assert "words_en" not in page


def test_an_editor_writes_in_two_languages_and_sees_who_gets_which(house: House, editor: Visitor) -> None:
    german_readers(house, 2, of=3)

    saved = editor.submit("/broadcasts/new", draft(house, words_de="Die Brücke ist offen.\r\nGute Fahrt!"))

    assert "Die Brücke ist offen.\nGute Fahrt!</textarea>" in saved.text
    broadcast_id = saved.request.path.split("/")[2]
    review = words(editor.get(f"/broadcasts/{broadcast_id}/review?choice=now&zone=UTC"))
    assert "On SMS in Deutsch 2 people, 1 part each Die Brücke ist offen. Gute Fahrt!" in review
    assert "On SMS in other languages 1 person, 1 part each" in review


def test_an_emptied_field_takes_the_words_away(house: House, editor: Visitor) -> None:
    saved = editor.submit("/broadcasts/new", draft(house, words_de="Offen.", words_fr_telegram="Ouvert."))
    path = saved.request.path

    editor.submit(path, draft(house, words_de=" ", revision="1"))

    with house.inside():
        assert variants_of(db.session(), int(path.split("/")[2])) == {"telegram/fr": "Ouvert."}
    page = editor.get(path.replace("edit", "versions"))
    assert "Deutsch" in words(page)
    assert "Telegram, Français" in words(page)


def test_what_was_written_is_there_again_when_the_draft_cannot_be_saved(
    house: House, editor: Visitor
) -> None:
    editor.get("/broadcasts/new")

    refused = editor.post("/broadcasts/new", draft(house, title="", words_de="Die Brücke ist offen."))

    assert refused.status_code == 422
    assert "Die Brücke ist offen.</textarea>" in refused.text


def test_the_page_of_a_broadcast_that_went_out_has_every_text(house: House, editor: Visitor) -> None:
    german_readers(house, 1, of=1)
    saved = editor.submit("/broadcasts/new", draft(house, words_de="Die Brücke ist offen."))
    broadcast_id = saved.request.path.split("/")[2]

    editor.get(f"/broadcasts/{broadcast_id}/review?choice=now&zone=UTC")
    editor.submit(f"/broadcasts/{broadcast_id}/review", {"choice": "now", "zone": "UTC"})

    page = words(editor.get(f"/broadcasts/{broadcast_id}"))
    assert "In other words: Deutsch Die Brücke ist offen." in page


def test_the_fields_follow_the_lists_that_are_ticked(house: House, editor: Visitor) -> None:
    on_telegram(house)
    with house.inside() as newsroom:
        german = newsroom.new_list("Stadtnachrichten", "STADT")
        german_again = newsroom.new_list("Verkehr", "VERKEHR")
        with transaction() as session:
            session.execute(
                update(BroadcastList)
                .where(BroadcastList.id.in_((german, german_again)))
                .values(language="de")
            )
        add(
            name="city-whatsapp",
            gateway=gateway_class("whatsapp"),
            settings=WHATSAPP,
            by="tests",
            controller=newsroom.controller,
            now=newsroom.now,
        )
        add_sender("VERKEHR", "city-whatsapp", by="tests", now=newsroom.now)
    editor.get("/broadcasts/new")

    def ticked(list_id: int, **more: str) -> str:
        return words(editor.post("/broadcasts/fields", {"list_ids": list_id, "rich": "1", **more}))

    english = ticked(house.newsroom.list_id)
    assert "Other words in Deutsch" in english
    assert "Text on Telegram in Deutsch" in english
    assert "Other words in English" not in english
    assert "Approved template on WhatsApp" not in english
    assert "Other words in Deutsch" not in ticked(german)
    assert "Other words in English" in ticked(german)
    assert "Text on Telegram in" not in ticked(german)
    assert "Approved template on WhatsApp" in ticked(german_again)
    kept = ticked(german, words_de="Offen.", words_en_telegram="Open.", template_whatsapp="weekly")
    assert "Other words in Deutsch" in kept
    assert "Text on Telegram in English" in kept
    assert "Approved template on WhatsApp" in kept


def test_the_page_asks_for_these_fields_when_another_list_is_ticked(editor: Visitor) -> None:
    page = editor.get("/broadcasts/new").text

    assert 'hx-post="/broadcasts/fields"' in page
    assert "change from:'#list_ids'" in page
    assert page.count('id="by-lists"') == 1
