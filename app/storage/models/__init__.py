"""The tables, by room: people, consent, broadcasts, deliveries, accounts."""

from app.storage.models.accounts import AuditEntry, User
from app.storage.models.broadcasts import Broadcast, BroadcastTarget, Slice
from app.storage.models.consent import ConsentEvent, ConsentPii, LedgerHead, Notice, Subject, Suppression
from app.storage.models.deliveries import Delivery, InboundRow
from app.storage.models.people import BroadcastList, QuietGroup, Sender, Subscriber, Subscription

__all__ = [
    "AuditEntry",
    "Broadcast",
    "BroadcastList",
    "BroadcastTarget",
    "ConsentEvent",
    "ConsentPii",
    "Delivery",
    "InboundRow",
    "LedgerHead",
    "Notice",
    "QuietGroup",
    "Sender",
    "Slice",
    "Subject",
    "Subscriber",
    "Subscription",
    "Suppression",
    "User",
]
