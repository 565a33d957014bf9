"""What a person may ask to see, and what a supervisory authority may."""

import hashlib
import json

import pytest
from sqlalchemy import select

from app.domain.retention import Kept, read_periods
from app.services.controller import NotFound, Refused
from app.services.rights import art30, erase_subscriber, export_person, sealed_proof, words
from app.storage.database import db
from app.storage.models import AuditEntry
from tests.services.rights.test_erasure import person_at
from tests.support.world import Newsroom, number

PERIODS = read_periods("messages=30")
ANNA = number(0)


def keys_of(node: object) -> object:
    """The shape of a tree of words."""
    return {name: keys_of(value) for name, value in node.items()} if isinstance(node, dict) else type(node)


def test_both_languages_say_the_same_things() -> None:
    assert keys_of(words.load("en")) == keys_of(words.load("de"))
    assert set(words.load("en")["retention"]) == set(Kept)
    with pytest.raises(Refused, match="not in “fr”"):
        words.load("fr")


def test_an_export_holds_everything_of_the_person_and_nothing_of_others(newsroom: Newsroom) -> None:
    newsroom.text("START", ANNA)
    newsroom.text("secret of somebody else", number(1))
    newsroom.broadcast("The bridge is open, {{first_name|friend}}.")
    newsroom.send()
    newsroom.send_replies()
    person = person_at(newsroom, ANNA)

    made = {
        language: export_person.export(
            person.id,
            language=language,
            periods=PERIODS,
            by="ada",
            controller=newsroom.controller,
            now=newsroom.now,
        )
        for language in words.LANGUAGES
    }

    pack = made["en"]
    assert json.loads(json.dumps(pack)) == pack
    assert [item["personal"]["data"]["text"] for item in pack["consent"]] == ["START"] * 2
    shown = pack["notices"][0]
    assert hashlib.sha256(shown["text"].encode()).hexdigest() == pack["consent"][1]["entry"]["notice_sha256"]
    assert [one["text"] for one in pack["messages_in"]] == ["START"]
    out = {one["kind"]: one for one in pack["messages_out"]}
    assert out["broadcast"]["text"] == "The bridge is open, friend."
    assert out["answer"]["text"] == shown["text"]
    assert {one["status"] for one in out.values()} == {"sent"}
    assert {row["kind"]: row["period"] for row in pack["kept"]}["messages"] == "30 days"
    assert {row["kind"]: row["period"] for row in made["de"]["kept"]}["proof"] == "5 Jahre"
    for language, title in (("en", "Your data"), ("de", "Ihre Daten")):
        page = export_person.page(made[language])
        assert f"<h1>{title}</h1>" in page
        assert ANNA in page
        assert "somebody else" not in page
        assert "<script" not in page
    assert "Twilio Inc." in pack["recipients"][0]["who"]
    assert [row.action for row in db.session.scalars(select(AuditEntry))].count("subscriber.data") == 2


def test_nothing_can_be_exported_of_whom_we_do_not_know(newsroom: Newsroom) -> None:
    with pytest.raises(NotFound):
        export_person.export(
            99, language="en", periods=PERIODS, by="ada", controller=newsroom.controller, now=newsroom.now
        )


def test_a_proof_under_lock_is_opened_for_a_claim_only(newsroom: Newsroom) -> None:
    newsroom.text("START", ANNA)
    person = person_at(newsroom, ANNA)
    erase_subscriber.erase(person.id, full=False, by="ops", controller=newsroom.controller, now=newsroom.now)

    def opened(address: str, reason: str) -> dict[str, object]:
        return sealed_proof.open_sealed(
            address, channel="sms", reason=reason, by="ada", controller=newsroom.controller, now=newsroom.now
        )

    with pytest.raises(Refused, match="which claim"):
        opened(ANNA, " ")
    with pytest.raises(NotFound, match="No proof"):
        opened(number(1), "claim 17")
    (found,) = opened(ANNA, "claim 17")["people"]
    texts = [item["personal"]["text"] for item in found["entries"] if item["entry"]["act"] == "keyword_exact"]
    assert texts == ["START"]
    assert found["entries"][0]["notice"].startswith("Riverside News: you asked for City.")
    asked = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "subscriber.sealed")).one()
    assert asked.details == {"reason": "claim 17"}
    assert ANNA not in asked.subject


def test_the_record_of_processing_names_each_list_its_purpose_recipients_and_periods(
    newsroom: Newsroom,
) -> None:
    newsroom.new_list("Floods", "FLOOD")

    for language, basis in (("en", "Consent, GDPR"), ("de", "Einwilligung, DSGVO")):
        record = art30.record_of_processing(
            language=language, periods=PERIODS, controller=newsroom.controller, now=newsroom.now
        )
        page = art30.page(record)

        assert len(record["activities"]) == 5
        assert {row["kind"]: row["days"] for row in record["retention"]} == {
            kind.value: days for kind, days in PERIODS.items()
        }
        for said in ("News of Floods", basis, "Twilio Inc.", "Riverside News", "AES-256-GCM"):
            assert said in page
