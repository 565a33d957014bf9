"""Words of the desk for states, statuses, reasons and codes: people never read the names used in code."""

from typing import Final

from app.desk.languages import gettext as _
from app.desk.languages import lazy_gettext as _l
from app.desk.languages import number
from app.domain.consent import EventType
from app.domain.messages import ErrorKind
from app.domain.statuses import NOT_AT_PROVIDER, WORKER_DIED, BroadcastState, DeliveryStatus, SkipReason
from app.services import feed_items
from app.services.reports import Tally
from app.services.tickers import Stage
from app.storage.models.accounts import Role

TABS: Final[dict[str, tuple[BroadcastState, ...]]] = {
    "drafts": (BroadcastState.DRAFT,),
    "waiting": (BroadcastState.SCHEDULED,),
    "sending": (BroadcastState.SENDING, BroadcastState.PAUSED),
    "sent": (BroadcastState.FINISHED, BroadcastState.CANCELED, BroadcastState.EXPIRED),
}

TAB_WORDS: Final = {
    "drafts": _l("Drafts"),
    "waiting": _l("Waiting"),
    "sending": _l("Sending"),
    "sent": _l("Sent"),
}

STATES: Final = {
    BroadcastState.DRAFT: _l("Draft"),
    BroadcastState.SCHEDULED: _l("Waiting for its time"),
    BroadcastState.SENDING: _l("Sending"),
    BroadcastState.PAUSED: _l("Paused"),
    BroadcastState.FINISHED: _l("Finished"),
    BroadcastState.CANCELED: _l("Stopped for good"),
    BroadcastState.EXPIRED: _l("Not sent: its time had passed"),
    BroadcastState.TEMPLATE: _l("Template"),
}

STAGES: Final = {
    Stage.BEFORE: _l("Not begun"),
    Stage.ON: _l("On"),
    Stage.CLOSING: _l("Ending"),
    Stage.ENDED: _l("Over"),
}

STATUSES: Final = {
    DeliveryStatus.PENDING: _l("Waiting"),
    DeliveryStatus.HANDING_OVER: _l("Being handed over"),
    DeliveryStatus.SENT: _l("Sent, no receipt yet"),
    DeliveryStatus.DELIVERED: _l("Delivered"),
    DeliveryStatus.FAILED: _l("Failed"),
    DeliveryStatus.UNKNOWN: _l("Unknown"),
    DeliveryStatus.SKIPPED: _l("Skipped"),
}

_REASONS: Final[dict[str, str]] = {
    SkipReason.STOPPED: _l("said STOP"),
    SkipReason.OTHER_PURPOSE: _l("agreed to what the list was for before, not to what it is for now"),
    SkipReason.PAUSED_BY_PERSON: _l("asked for a pause"),
    SkipReason.BLOCKED: _l("blocked our number"),
    SkipReason.BOUNCED: _l("number no longer reachable"),
    SkipReason.SUPPRESSED: _l("on the list of numbers never to write to"),
    SkipReason.ERASED: _l("data erased"),
    SkipReason.HELD_FOR_REVIEW: _l("consent waits for review"),
    SkipReason.EXPIRED: _l("message was no longer fresh"),
    SkipReason.CANCELED: _l("broadcast was stopped"),
    SkipReason.LATE_REPLY: _l("reply would have come too late"),
    SkipReason.QUIET_HOURS: _l("quiet hours where they are, and no longer fresh after them"),
    SkipReason.FREQUENCY_CAP: _l("has had the messages of the day"),
    SkipReason.NO_PROACTIVE_PATH: _l(
        "has not written to us lately, and the platform lets us write to nobody else"
    ),
    SkipReason.REGION_CLOSED: _l("the platform delivers no newsletters to numbers of this country"),
    SkipReason.QUOTA: _l("the platform lets through no more broadcasts for now"),
    SkipReason.OTHER_CHANNEL: _l("gets it on another channel of theirs"),
    SkipReason.TAKEN_OFF: _l("taken off the list by the team"),
    SkipReason.RAN_OUT: _l("the consent ran out"),
    SkipReason.SMALL_LIST: _l("beyond the number of people that the channel is for"),
    SkipReason.NOT_DELETABLE: _l(
        "the message cannot be taken off their phone, and there are no words for them"
    ),
    ErrorKind.INVALID: _l("not a number that can be reached"),
    ErrorKind.GONE: _l("the account or device is no more"),
    ErrorKind.WINDOW_CLOSED: _l("the platform lets us write only to those who wrote to us lately"),
    ErrorKind.PREFERENCE_CAP: _l("the platform had let through enough messages to this person"),
    ErrorKind.PAIR_LIMITED: _l("too many messages to this person at once"),
    ErrorKind.OPTED_OUT: _l("said STOP to the provider"),
    ErrorKind.RATE_LIMITED: _l("faster than the provider allows"),
    ErrorKind.QUOTA: _l("our allowance at the provider is used up"),
    ErrorKind.CONTENT: _l("the provider refused the text"),
    ErrorKind.UNCHANGEABLE: _l("the message on the phone can be changed no more: too old, or gone"),
    ErrorKind.CONFIG: _l("our sender is not set up rightly"),
    ErrorKind.AUTH: _l("the provider refused our access"),
    ErrorKind.TEMPORARY: _l("the provider was out of order, also after several tries"),
    ErrorKind.UNKNOWN: _l("the provider never answered"),
    WORKER_DIED: _l("we were interrupted while handing it over"),
    NOT_AT_PROVIDER: _l("the provider never answered, and knows of no such message"),
}

_WAITS: Final = {
    SkipReason.QUIET_HOURS: _l("quiet hours where they are"),
    SkipReason.FREQUENCY_CAP: _l("has had the messages of the day"),
}

# Codes as SMS gateways report them (Twilio's numbers), each with what it means to an editor.
_CODES: Final = {
    "cannot_write": _l("no message for this platform can be made of the text"),
    "21211": _l("not a valid phone number"),
    "21408": _l("our account may not send to this country"),
    "21610": _l("the person said STOP to the provider"),
    "21612": _l("no route from our number to this one"),
    "21614": _l("not a mobile number"),
    "21617": _l("the text is too long for the provider"),
    "30003": _l("phone off or out of reach"),
    "30004": _l("the person or the carrier blocks our number"),
    "30005": _l("number unknown to the carrier"),
    "30006": _l("landline, or a carrier that takes no SMS"),
    "30007": _l("the carrier filtered it as spam"),
    "30008": _l("the carrier gave no reason"),
    "30022": _l("more messages than the carrier allows for our number"),
    "30034": _l("our number is not registered with US carriers"),
    "timeout": _l("the provider did not answer in time"),
}

EVENTS: Final = {
    EventType.NOTICE_SHOWN: _l("Was shown what the list is and how to leave"),
    EventType.CONSENT_GIVEN: _l("Agreed to get messages"),
    EventType.CONSENT_WITHDRAWN: _l("Left: no more messages"),
    EventType.CONSENT_REVOKED: _l("Consent ended by us"),
    EventType.SIGNUP_RECORDED: _l("A sign-up was recorded"),
    EventType.CONSENT_REQUESTED: _l("Was asked to confirm"),
    EventType.REQUEST_EXPIRED: _l("Did not confirm in time"),
    EventType.CONSENT_REFUSED: _l("Declined"),
    EventType.CONSENT_INVALIDATED: _l("Number belongs to somebody else"),
    EventType.CONSENT_EXPIRED: _l("Consent ran out, as it was not used for long"),
    EventType.PAUSED: _l("Asked for a pause"),
    EventType.RESUMED: _l("Pause ended"),
    EventType.REVIEW_OPENED: _l("Held until somebody decides what the text meant"),
    EventType.REVIEW_DECIDED: _l("Decided what the text meant"),
    EventType.CONTACT_OPENED: _l("Opened the contact"),
    EventType.ENDPOINT_CHANGED: _l("Moved to another number"),
    EventType.ERASURE_REQUESTED: _l("Asked to be erased"),
    EventType.ERASED: _l("Data erased"),
    EventType.SUPPRESSION_ADDED: _l("Must not be written to any more"),
    EventType.SUPPRESSION_LIFTED: _l("May be written to again"),
    EventType.STOP_REPEATED: _l("Said STOP again"),
    EventType.ENDPOINT_BOUNCED: _l("Number reported as unreachable"),
    EventType.ENDPOINT_REVIVED: _l("Number is reachable again"),
    EventType.UNBLOCKED: _l("Unblocked"),
    EventType.IMPORT_REJECTED: _l("Import refused for this person"),
    EventType.ERASURE_REQUESTED: _l("Asked for erasure"),
    EventType.ERASED: _l("Was erased"),
}

ACTS: Final = {
    "keyword_exact": _l("by texting a keyword"),
    "keyword_fuzzy": _l("by a text that we read so"),
    "button": _l("by pressing a button"),
    "doi_reply": _l("by answering our question"),
    "doi_link": _l("by the link in our question"),
    "web_checkbox": _l("by the form on the sign-up page"),
    "agent_recorded": _l("told to somebody of ours"),
    "platform_preference": _l("by a switch of the platform"),
    "follow_event": _l("by following us"),
    "import_attested": _l("by an import with evidence"),
    "provider_signal": _l("by a signal of the provider"),
    "operator": _l("by an operator"),
}

SUBSCRIPTIONS: Final = {
    "active": _l("subscribed"),
    "stopped": _l("left"),
    "unknown": _l("never agreed"),
    "pending": _l("has been asked"),
    "paused": _l("paused"),
    "stale": _l("consent ran out"),
}

OVERLAYS: Final = {
    "blocked": _l("Blocked our number: nothing can be sent"),
    "bounced": _l("Number not reachable: nothing can be sent"),
    "suppressed": _l("Must never be written to: nothing can be sent"),
    "erased": _l("Erased: nothing leads to this person any more"),
    "review_hold": _l("A text waits for your decision: nothing is sent until then"),
}

ROLES: Final = {Role.EDITOR: _l("Editor"), Role.ADMIN: _l("Admin")}


def state_words(state: str) -> str:
    """The state of a broadcast as a reader sees it."""
    return str(STATES[BroadcastState(state)])


def status_words(status: int | str, nothing_more: bool = False) -> str:
    """The status of a delivery, by its number or its name, as a reader sees it.

    `nothing_more`: its platform took it and will tell of no delivery.
    """
    if nothing_more:
        return _("Taken by the platform, which tells nothing more")
    known = DeliveryStatus[status.upper()] if isinstance(status, str) else DeliveryStatus(status)
    return str(STATUSES[known])


def tally_words(tally: Tally) -> str:
    """Where the messages of a broadcast stand, in one line; what there is none of is left out, but for deliveries."""
    said = [_("%(n)s delivered", n=number(tally.delivered))]
    for text, count in (
        (_l("%(n)s sent"), tally.sent),
        (_l("%(n)s waiting"), tally.pending + tally.handing_over),
        (_l("%(n)s left out"), tally.skipped),
        (_l("%(n)s failed"), tally.failed),
        (_l("%(n)s unknown"), tally.unknown),
    ):
        if count:
            said.append(str(text) % {"n": number(count)})
    return ", ".join(said)


def reason_words(reason: str) -> str:
    """Why somebody was left out; a reason of a later edition is shown by its name."""
    return str(_REASONS.get(reason, reason.replace("_", " ")))


def waiting_words(reason: str) -> str:
    """Why somebody gets it later."""
    return str(_WAITS[SkipReason(reason)])


def code_words(code: str) -> str:
    """What a gateway's code means, with the code, for that is what a provider's support asks for."""
    known = _CODES.get(code)
    if known is None:
        return _("reported by the provider as %(code)s", code=code)
    return f"{known} ({code})" if code.isdigit() else str(known)


def actor_words(actor: str) -> str:
    """Who did it: `Anna (#3)` is shown as `Anna`."""
    if actor == feed_items.SYSTEM:
        return _("a feed")
    return actor.partition(" (#")[0]


def erased_by(actor: str) -> str:
    """Who erased somebody or let data go: the clock, the person by a text, or somebody by name."""
    kind, _colon, name = actor.partition(":")
    if kind == "system":
        return (
            _("the clock, because a period was over")
            if name in ("", "retention")
            else _("the clock, as the person asked")
        )
    return actor_words(name or kind)
