"""The states of a broadcast and of a delivery, and the moves allowed between them."""

from enum import IntEnum, StrEnum


class BroadcastState(StrEnum):
    """Where a broadcast is on its way; `REPLIES` marks the standing broadcast that carries a sender's answers.

    `TEMPLATE` marks what drafts are written from: it goes nowhere itself, and no list of broadcasts shows it.
    """

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLIES = "replies"
    TEMPLATE = "template"


NOT_EDITORS: frozenset[BroadcastState] = frozenset({BroadcastState.REPLIES, BroadcastState.TEMPLATE})
"""What is no broadcast of the editors, though it is stored as one."""


_MOVES: dict[BroadcastState, frozenset[BroadcastState]] = {
    BroadcastState.DRAFT: frozenset({BroadcastState.SCHEDULED, BroadcastState.CANCELED}),
    BroadcastState.SCHEDULED: frozenset(
        {BroadcastState.DRAFT, BroadcastState.SENDING, BroadcastState.CANCELED, BroadcastState.EXPIRED}
    ),
    BroadcastState.SENDING: frozenset(
        {BroadcastState.PAUSED, BroadcastState.FINISHED, BroadcastState.CANCELED}
    ),
    BroadcastState.PAUSED: frozenset({BroadcastState.SENDING, BroadcastState.CANCELED}),
    # Only to try again what came to nothing.
    BroadcastState.FINISHED: frozenset({BroadcastState.SENDING}),
}


class MoveRefused(ValueError):
    """The broadcast cannot go from its present state to the one asked for."""


def check_move(now_in: BroadcastState, to: BroadcastState) -> None:
    """Raise `MoveRefused` with the allowed moves in words unless `now_in` may become `to`."""
    allowed = _MOVES.get(now_in, frozenset())
    if to not in allowed:
        can = ", ".join(sorted(allowed)) or "nothing any more"
        raise MoveRefused(
            f"This broadcast is {now_in}; it cannot become {to}. From here it can become: {can}."
        )


class DeliveryStatus(IntEnum):
    """Stored as a small number to keep delivery rows slim; the names are the words people see.

    PENDING: claimed, or waiting for `due_at`. Who of a leased slice is on the wire, its worker's journal says.
    HANDING_OVER: a reply that may be on the wire. After a crash this becomes UNKNOWN, never PENDING again.
    """

    PENDING = 0
    HANDING_OVER = 1
    SENT = 2
    DELIVERED = 3
    FAILED = 4
    UNKNOWN = 5
    SKIPPED = 6


# What a receipt may overwrite. A late or repeated receipt changes nothing; "delivered" beats every earlier
# guess, "failed" beats all but "delivered" (gateways.md section 10, rule 5). PENDING and SKIPPED are in it because the
# lane writes what it handed over a moment later, and a receipt may be faster.
_NOT_KNOWN = (
    DeliveryStatus.PENDING,
    DeliveryStatus.HANDING_OVER,
    DeliveryStatus.UNKNOWN,
    DeliveryStatus.SKIPPED,
)
RECEIPT_OVERWRITES: dict[DeliveryStatus, tuple[DeliveryStatus, ...]] = {
    DeliveryStatus.SENT: _NOT_KNOWN,
    DeliveryStatus.FAILED: (*_NOT_KNOWN, DeliveryStatus.SENT),
    DeliveryStatus.DELIVERED: (*_NOT_KNOWN, DeliveryStatus.SENT, DeliveryStatus.FAILED),
}


class OnUnknown(StrEnum):
    """What a list wants of a message of which the provider, asked afterwards, knows nothing."""

    HOLD = "hold"
    RESEND = "resend"


# Why a delivery stays UNKNOWN: the worker died over it, or the provider never answered and knows of no such message.
WORKER_DIED = "worker_died"
NOT_AT_PROVIDER = "not_at_provider"


class SkipReason(StrEnum):
    """Why the gate refused a delivery, for good."""

    STOPPED = "stopped"
    OTHER_PURPOSE = "other_purpose"
    PAUSED_BY_PERSON = "paused_by_person"
    BLOCKED = "blocked"
    BOUNCED = "bounced"
    SUPPRESSED = "suppressed"
    ERASED = "erased"
    HELD_FOR_REVIEW = "held_for_review"
    EXPIRED = "expired"
    CANCELED = "canceled"
    LATE_REPLY = "late_reply"
    QUIET_HOURS = "quiet_hours"
    FREQUENCY_CAP = "frequency_cap"
    NO_PROACTIVE_PATH = "no_proactive_path"
    REGION_CLOSED = "region_closed"
    QUOTA = "platform_quota"
    OTHER_CHANNEL = "other_channel"
    TAKEN_OFF = "taken_off"
    RAN_OUT = "ran_out"
    SMALL_LIST = "small_list"
    NOT_DELETABLE = "not_deletable"
