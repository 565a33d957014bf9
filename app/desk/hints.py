"""What an editor can do about a reason why people did not get a broadcast: one sentence for each."""

from typing import Final

from app.desk.languages import lazy_gettext as _l
from app.domain.messages import ErrorKind
from app.domain.statuses import NOT_AT_PROVIDER, WORKER_DIED, SkipReason

_THEIR_CHOICE: Final = _l("Nothing to do: it is their choice.")
_NOT_REPEATED: Final = _l(
    "It is not sent again, so that nobody gets it twice. Ask the provider's support if there are many."
)
_THEY_WRITE_FIRST: Final = _l(
    "They get the next one once they write to us. An approved template, chosen where you write, reaches them before."
)

HINTS: Final[dict[str, str]] = {
    SkipReason.STOPPED: _THEIR_CHOICE,
    SkipReason.OTHER_PURPOSE: _l("Ask them anew: the sign-up page and the list's word show the new purpose."),
    SkipReason.PAUSED_BY_PERSON: _l("Nothing to do: it goes on when their pause ends."),
    SkipReason.BLOCKED: _THEIR_CHOICE,
    SkipReason.BOUNCED: _l("Nothing to do: the number counts again when they write to us."),
    SkipReason.SUPPRESSED: _l("Nothing to do: an operator put the number on this list, with a reason."),
    SkipReason.HELD_FOR_REVIEW: _l("Look into the inbox: a text of theirs waits for a decision."),
    SkipReason.EXPIRED: _l(
        "It grew old before its turn came. Next time begin earlier, or let it be of use for longer (“When”)."
    ),
    SkipReason.QUIET_HOURS: _l(
        "Begin earlier in the day, or let it be of use until the next morning (“When”)."
    ),
    SkipReason.FREQUENCY_CAP: _l("The list promised no more for one day. Begin later, or send fewer."),
    SkipReason.NO_PROACTIVE_PATH: _THEY_WRITE_FIRST,
    SkipReason.REGION_CLOSED: _l("Offer these people another channel of the list."),
    SkipReason.QUOTA: _l(
        "Wait for the platform's next day or month, or ask an operator for a larger allowance."
    ),
    SkipReason.RAN_OUT: _l("Ask them anew: their consent was not used for long."),
    SkipReason.SMALL_LIST: _l("Offer these people another channel: this one is for small lists."),
    ErrorKind.INVALID: _l("Check the numbers where they came from, such as the file that was imported."),
    ErrorKind.GONE: _l("Nothing to do: they can join again with a new number or device."),
    ErrorKind.WINDOW_CLOSED: _THEY_WRITE_FIRST,
    ErrorKind.PREFERENCE_CAP: _l(
        "Try again tomorrow, and send fewer: the platform guards people against too many."
    ),
    ErrorKind.PAIR_LIMITED: _l("Try again in some minutes."),
    ErrorKind.OPTED_OUT: _THEIR_CHOICE,
    ErrorKind.RATE_LIMITED: _l("Try again; if it comes back, ask an operator to lower the sender's pace."),
    ErrorKind.QUOTA: _l(
        "Ask an operator to look at the balance or the limit of the account at the provider."
    ),
    ErrorKind.CONTENT: _l(
        "Read the text again: shortened links, capitals and words of advertisements are refused."
    ),
    ErrorKind.UNCHANGEABLE: _l("Send a correction as a new message to these people."),
    ErrorKind.CONFIG: _l("Ask an operator to test the sender; then try again."),
    ErrorKind.AUTH: _l("Ask an operator to renew the sender's access; then try again."),
    ErrorKind.TEMPORARY: _l("Try again in some minutes."),
    ErrorKind.UNKNOWN: _NOT_REPEATED,
    WORKER_DIED: _NOT_REPEATED,
    NOT_AT_PROVIDER: _l("Try again: the provider says that it never had these messages."),
}


def hint(reason: str) -> str:
    """What to do about a reason; "" where nothing can be said."""
    return str(HINTS.get(reason, ""))
