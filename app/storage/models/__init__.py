"""The tables, by room: people, consent, broadcasts, deliveries, media, clicks, figures, accounts, and so on."""

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
from app.storage.models.clicks import ClickHour, PersonClick, ShortLink
from app.storage.models.comments import DraftComment
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
from app.storage.models.figures import (
    BroadcastHour,
    BroadcastMinute,
    BroadcastTotal,
    DeliveryRead,
    FigureMark,
    ListDay,
    ReadTally,
    WordDay,
)
from app.storage.models.imports import ImportRefusal, ImportRun, ImportState
from app.storage.models.inbox import InboxMessage
from app.storage.models.media import BroadcastMedia, MediaFile, MediaUpload, VersionMedia
from app.storage.models.own_messages import OwnMessage
from app.storage.models.own_words import OwnWordRow
from app.storage.models.people import (
    AccountRate,
    BroadcastList,
    Headcount,
    ListSender,
    QuietGroup,
    Sender,
    SenderAllowance,
    Subscriber,
    Subscription,
)
from app.storage.models.persons import AddressAlias, ChannelMove, LinkedAddress
from app.storage.models.platform import FollowerReading, SenderNews
from app.storage.models.push import PushRouteRow
from app.storage.models.rehearsals import Rehearsal
from app.storage.models.rich import BroadcastAnswer, BroadcastRich
from app.storage.models.rights import PurgeRun, RestrictedSubject
from app.storage.models.rules import RepeatRule, RepeatRun
from app.storage.models.segments import SavedSegment, SlicePeople
from app.storage.models.testers import Tester
from app.storage.models.tickers import Ticker, TickerMessage
from app.storage.models.webhooks import Webhook, WebhookPerson

__all__ = [
    "AccountRate",
    "AddressAlias",
    "AuditEntry",
    "Broadcast",
    "BroadcastAnswer",
    "BroadcastHour",
    "BroadcastList",
    "BroadcastMedia",
    "BroadcastMinute",
    "BroadcastRich",
    "BroadcastTarget",
    "BroadcastTotal",
    "BroadcastVariant",
    "BroadcastVersion",
    "ChannelMove",
    "ClickHour",
    "ConsentEvent",
    "ConsentPii",
    "Delivery",
    "DeliveryRead",
    "DeliveryTally",
    "DraftComment",
    "FeedItemRow",
    "FeedRow",
    "FigureMark",
    "FollowerReading",
    "Headcount",
    "ImportRefusal",
    "ImportRun",
    "ImportState",
    "InboundRow",
    "InboxMessage",
    "LedgerHead",
    "LinkedAddress",
    "ListDay",
    "ListSender",
    "MediaFile",
    "MediaUpload",
    "Notice",
    "OwnMessage",
    "OwnWordRow",
    "PersonClick",
    "PurgeRun",
    "PushRouteRow",
    "QuietGroup",
    "ReadTally",
    "Rehearsal",
    "RepeatRule",
    "RepeatRun",
    "RestrictedSubject",
    "SavedSegment",
    "Sender",
    "SenderAllowance",
    "SenderNews",
    "ShortLink",
    "Slice",
    "SlicePeople",
    "SlotRun",
    "SlotTime",
    "Snippet",
    "StoryRow",
    "Subject",
    "Subscriber",
    "Subscription",
    "Suppression",
    "Tester",
    "Ticker",
    "TickerMessage",
    "TreeHead",
    "User",
    "VersionMedia",
    "Webhook",
    "WebhookPerson",
    "WordDay",
]
