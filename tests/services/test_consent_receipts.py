"""Receipts in two published forms fit their schemas, and say of each list what the ledger says."""

import json
from dataclasses import replace
from datetime import timedelta
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from app.services import manage_subscribers
from app.services.consent_receipts import FORMATS, receipts
from app.services.controller import NotFound, Refused
from app.services.receipts.facts import Particulars
from tests.services.conftest import ANNA, BERT, CARA, NOW, World

HOUR = timedelta(hours=1)


def validator(form: str) -> Draft202012Validator:
    name = {"27560": "iso27560", "kantara": "kantara"}[form]
    schema = json.loads(files("app.services.receipts").joinpath(f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


def faults(form: str, documents: Any) -> list[str]:
    return [error.message for error in validator(form).iter_errors(documents)]


def test_a_receipt_names_the_privacy_page_of_the_day_of_consent_and_not_todays(world: World) -> None:
    world.text(ANNA, "NEWS", NOW)
    then, today = world.controller.privacy_url, "https://example.org/privacy/2027"
    moved = replace(world.controller, privacy_url=today)

    (record,) = receipts(ANNA, form="27560", given=Particulars(), controller=moved)
    (receipt,) = receipts(ANNA, form="kantara", given=Particulars(), controller=moved)

    assert record["pii_processing"][0]["privacy_notice"]["url"] == receipt["policyUrl"] == then
    assert receipt["piiControllers"][0]["piiControllerUrl"] == today


def test_t30_both_forms_fit_their_schemas_and_state_what_became_of_the_consent(world: World) -> None:
    world.add_list("Sport", "SPORT")
    world.text(ANNA, "NEWS", NOW)
    world.text(ANNA, "SPORT", NOW + HOUR)
    world.text(ANNA, "STOP NEWS", NOW + 2 * HOUR)
    world.text(ANNA, "NEWS", NOW + 3 * HOUR)
    world.text(ANNA, "STOP SPORT", NOW + 4 * HOUR)
    manage_subscribers.opt_out(CARA, reason="called", by="ops", controller=world.controller, now=NOW)

    given = Particulars("1 River Street, Riverside", "Frankfurt, DE")
    records = receipts(ANNA, form="27560", given=given, controller=world.controller)
    kantara = receipts(ANNA, form="kantara", given=Particulars(), controller=world.controller)

    assert faults("27560", records) == []
    assert faults("kantara", kantara) == []
    states = {
        record["pii_processing"][0]["service"]: [event["event_state"] for event in record["events"]]
        for record in records
    }
    assert states == {
        "News": ["dpv:ConsentGiven", "dpv:ConsentWithdrawn", "dpv:RenewedConsentGiven"],
        "Sport": ["dpv:ConsentGiven", "dpv:ConsentWithdrawn"],
    }
    news, renewed = records[0], kantara[0]
    assert "Riverside News" in news["pii_processing"][0]["privacy_notice"]["text"]
    assert news["parties"][0]["party_address"] == "1 River Street, Riverside"
    assert news["record_id"] == renewed["consentReceiptID"]
    assert renewed["consentTimestamp"] == int((NOW + 3 * HOUR).timestamp())
    assert renewed["services"][0]["purposes"][0]["thirdPartyName"] == "twilio"
    assert ANNA not in json.dumps([records, kantara])


@pytest.mark.parametrize("form", FORMATS)
def test_the_schemas_refuse_what_lacks_a_field_or_has_one_too_many(world: World, form: str) -> None:
    world.text(BERT, "NEWS")
    (document,) = receipts(BERT, form=form, given=Particulars(), controller=world.controller)

    assert all(
        faults(form, [{k: v for k, v in document.items() if k != gone}])
        for gone in document.keys() - {"publicKey"}
    )
    assert faults(form, [document | {"extra": 1}])


def test_who_never_consented_has_no_receipt(world: World) -> None:
    world.text(ANNA, "HELP")

    with pytest.raises(Refused, match="never consented"):
        receipts(ANNA, form="kantara", given=Particulars(), controller=world.controller)
    with pytest.raises(NotFound):
        receipts(CARA, form="27560", given=Particulars(), controller=world.controller)
