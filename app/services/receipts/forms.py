"""The two forms of a receipt: a record after ISO/IEC TS 27560:2023, a receipt after Kantara v1.1."""

from datetime import datetime
from typing import Any, Final

from app.domain.consent import EventType
from app.domain.consent_status import Step
from app.domain.ledger import iso_ms
from app.services.controller import Controller
from app.services.receipts.facts import RETENTION, RIGHTS, ListHistory, Particulars
from app.storage.models import Notice

_CONTROLLER_ID: Final = "controller"
_WITHDRAWAL: Final = "Text STOP to the number that the messages come from"


def iso27560(history: ListHistory, controller: Controller, given: Particulars) -> dict[str, Any]:
    """Return one record with every step that the consent went through."""
    return {
        "schema_version": "ISO/IEC TS 27560:2023",
        "record_id": history.decisive.event_id,
        "receipt_id": history.decisive.event_id,
        "pii_principal_id": history.subscriber.subject_ref,
        "pii_processing": [_processing(history, controller, given)],
        "parties": [_party(controller, given)],
        "events": [_event(step, history) for step in history.steps],
    }


def kantara(history: ListHistory, controller: Controller, given: Particulars) -> dict[str, Any] | None:
    """Return the receipt of the newest consent; None when there never was one."""
    grant = history.grant
    if grant is None:
        return None
    return {
        "version": "KI-CR-v1.1.0",
        "jurisdiction": grant.jurisdiction or controller.region,
        "consentTimestamp": int(datetime.fromisoformat(grant.occurred_at).timestamp()),
        "collectionMethod": grant.act or "unknown",
        "consentReceiptID": grant.event_id,
        "publicKey": controller.keys.public_key,
        "language": history.language,
        "piiPrincipalId": history.subscriber.subject_ref,
        "piiControllers": [
            {
                "piiController": grant.controller_name or controller.brand,
                "onBehalf": False,
                "contact": controller.contact,
                "address": given.postal_address or _see(controller),
                "email": controller.contact if "@" in controller.contact else "",
                "phone": "" if "@" in controller.contact else controller.contact,
                "piiControllerUrl": controller.privacy_url,
            }
        ],
        "policyUrl": _policy_url(history.notice, controller),
        "services": [{"service": history.list_name, "purposes": [_purpose(history)]}],
        "sensitive": False,
        "spiCat": [],
    }


def _purpose(history: ListHistory) -> dict[str, Any]:
    names = ", ".join(history.recipients)
    disclosed = {"thirdPartyDisclosure": bool(names)} | ({"thirdPartyName": names} if names else {})
    return {
        "purpose": history.purpose,
        "purposeCategory": ["Messages that the person asked for"],
        "consentType": "EXPLICIT",
        "piiCategory": ["Contact"],
        "primaryPurpose": True,
        "termination": f"{_WITHDRAWAL}. Kept {RETENTION}.",
        **disclosed,
    }


def _processing(history: ListHistory, controller: Controller, given: Particulars) -> dict[str, Any]:
    notice, event = history.notice, history.decisive
    return {
        "privacy_notice": {
            "url": _policy_url(notice, controller),
            "text": notice.text if notice else None,
            "sha256": notice.sha256 if notice else None,
            "version": notice.version if notice else None,
        },
        "language": history.language,
        "purpose": history.purpose,
        "purpose_type": "dpv:DirectMarketing",
        "lawful_basis": "dpv:Consent",
        "pii_information": [
            {
                "pii_type": f"address on {history.subscriber.channel}",
                "pii_optional": False,
                "sensitive_pii_category": False,
                "special_pii_category": False,
            },
            {"pii_type": "words of the messages received", "pii_optional": False},
        ],
        "pii_controllers": [_CONTROLLER_ID],
        "collection_method": event.act or "unknown",
        "processing_method": "sending messages and keeping proof of consent",
        "storage_locations": [given.storage_location or _see(controller)],
        "retention_period": RETENTION,
        "service": history.list_name,
        "jurisdiction": event.jurisdiction or controller.region,
        "recipient_third_parties": history.recipients,
        "withdrawal_method": _WITHDRAWAL,
        "privacy_rights": list(RIGHTS),
    }


def _party(controller: Controller, given: Particulars) -> dict[str, Any]:
    return {
        "party_id": _CONTROLLER_ID,
        "party_address": given.postal_address or _see(controller),
        "party_url": controller.privacy_url,
        "party_name": controller.brand,
        "party_role": "PII controller",
        "party_contact": controller.contact,
        "party_type": "dpv:DataController",
    }


def _event(step: Step, history: ListHistory) -> dict[str, Any]:
    event = history.events[step.seq]
    kind = event.event_type
    if kind == EventType.CONSENT_GIVEN:
        kind = "dpv:InformedConsent" if event.notice_id is not None else "dpv:ExpressedConsent"
    return {
        "event_time": iso_ms(step.at),
        "validity_duration": f"until {event.stale_at}" if event.stale_at else "until withdrawn",
        "entity_id": history.subscriber.subject_ref if event.actor == "person" else event.actor,
        "event_type": kind,
        "event_state": f"dpv:{step.state}",
    }


def _policy_url(notice: Notice | None, controller: Controller) -> str:
    """Return the page that these words led to: it has to tell the policy in force at the consent (Kantara v1.1)."""
    return (notice.policy_url if notice else None) or controller.privacy_url


def _see(controller: Controller) -> str:
    return f"see {controller.privacy_url}"
