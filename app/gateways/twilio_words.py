"""The words that Twilio answers by itself on a number or a Messaging Service that nobody configured otherwise.

Source: help.twilio.com, "Twilio support for opt-out keywords", and the tutorial of Advanced Opt-Out, November 2026.
Only a text that is one of them as a whole counts, in any case: "STOP PLEASE" is left to us.
"""

from collections.abc import Mapping
from typing import Final

from app.domain.messages import ProviderSignal
from app.gateways.base import BadSetting, SettingSpec

SETTING: Final = "stop_answered_by"
PROVIDER: Final = "provider"
US: Final = "us"
RULE: Final = "Twilio's default words"

SPEC: Final = SettingSpec(
    SETTING,
    secret=False,
    example=US,
    required=False,
    help="Who answers STOP and HELP: provider (Twilio's default opt-out handling, also when left out), or us, where "
    "that handling is switched off for the Messaging Service.",
)
# START, YES and UNSTOP are not here: Twilio speaks only to those whom it had blocked, and names no list. What somebody
# agrees to, we have to tell them; by then its block is lifted.
_WORDS: Final = {
    **dict.fromkeys(
        ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"), ProviderSignal.STOP
    ),
    **dict.fromkeys(("help", "info"), ProviderSignal.HELP),
}


def check(settings: Mapping[str, str]) -> None:
    """Raise `BadSetting` unless the setting is left out, `provider` or `us`."""
    if settings.get(SETTING, PROVIDER) not in (PROVIDER, US):
        raise BadSetting(
            f"{SETTING} is {PROVIDER} or {US}, and {PROVIDER} when it is left out. Example: --set {SETTING}={US}"
        )


def signal_of(text: str) -> ProviderSignal:
    """Return what Twilio does about a text by itself."""
    return _WORDS.get(text.strip().lower(), ProviderSignal.NONE)
