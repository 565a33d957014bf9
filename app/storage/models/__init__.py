"""The tables, by room: people, consent, broadcasts, rules, feeds, deliveries, accounts, imports, browsers, webhooks."""

from app.storage.models.accounts import AuditEntry, User
from app.storage.models.board import SlotRun, SlotTime, StoryRow
from app.storage.models.broadcasts import (
    Broadcast,
    BroadcastTarget,
    BroadcastVariant,
    BroadcastVersion,
    Slice,
    Snippet,
)
from app.storage.models.consent import (
    ConsentEvent,
    ConsentPii,
    LedgerHead,
    Notice,
    Subject,
    Suppression,
    TreeHead,
)
from app.storage.models.deliveries import Delivery, DeliveryTally, InboundRow
from app.storage.models.feeds import FeedItemRow, FeedRow
from app.storage.models.imports import ImportRefusal, ImportRun, ImportState
from app.storage.models.inbox import InboxMessage
from app.storage.models.own_messages import OwnMessage
from app.storage.models.own_words import OwnWordRow
from app.storage.models.people import (
    BroadcastList,
    ListSender,
    QuietGroup,
    Sender,
    Subscriber,
    Subscription,
)
from app.storage.models.persons import AddressAlias, ChannelMove, LinkedAddress
from app.storage.models.push import PushRouteRow
from app.storage.models.rich import BroadcastAnswer, BroadcastRich
from app.storage.models.rights import PurgeRun, RestrictedSubject
from app.storage.models.rules import RepeatRule, RepeatRun
from app.storage.models.webhooks import Webhook, WebhookPerson

__all__ = [
    "AddressAlias",
    "AuditEntry",
    "Broadcast",
    "BroadcastAnswer",
    "BroadcastList",
    "BroadcastRich",
    "BroadcastTarget",
    "BroadcastVariant",
    "BroadcastVersion",
    "ChannelMove",
    "ConsentEvent",
    "ConsentPii",
    "Delivery",
    "DeliveryTally",
    "FeedItemRow",
    "FeedRow",
    "ImportRefusal",
    "ImportRun",
    "ImportState",
    "InboundRow",
    "InboxMessage",
    "LedgerHead",
    "LinkedAddress",
    "ListSender",
    "Notice",
    "OwnMessage",
    "OwnWordRow",
    "PurgeRun",
    "PushRouteRow",
    "QuietGroup",
    "RepeatRule",
    "RepeatRun",
    "RestrictedSubject",
    "Sender",
    "Slice",
    "SlotRun",
    "SlotTime",
    "Snippet",
    "StoryRow",
    "Subject",
    "Subscriber",
    "Subscription",
    "Suppression",
    "TreeHead",
    "User",
    "Webhook",
    "WebhookPerson",
]
