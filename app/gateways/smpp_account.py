"""What an operator says of an account at an SMS centre, and how the centre's own ways are named."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from app.gateways.base import BadSetting, SettingSpec
from app.gateways.smpp_receipts import ID_FORMS
from app.gateways.smpp_text import ALPHABETS

SETTINGS: Final = (
    SettingSpec("from", secret=False, example="+12025550100"),
    SettingSpec("host", secret=False, example="smpp.example.net"),
    SettingSpec("port", secret=False, example="2775", required=False),
    SettingSpec("tls", secret=False, example="yes", required=False),
    SettingSpec("system_id", secret=False, example="riverside"),
    SettingSpec("password", secret=True, example="the password of that system_id"),
    SettingSpec("system_type", secret=False, example="what the centre asks for", required=False),
    SettingSpec("window", secret=False, example="10", required=False),
    SettingSpec("alphabet", secret=False, example="gsm", required=False),
    SettingSpec("long", secret=False, example="parts", required=False),
    SettingSpec("ids", secret=False, example="hex-decimal", required=False),
)
WINDOWS: Final = range(1, 201)
PARTS, PAYLOAD = "parts", "payload"
"""How a long text goes: as a unit for each part, or as one unit that the centre cuts."""

_DEFAULT_WINDOW: Final = 10
_WORDS: Final = {"alphabet": ALPHABETS, "long": (PARTS, PAYLOAD), "ids": tuple(ID_FORMS)}


@dataclass(frozen=True)
class Account:
    """Where and how we sign in. `tls`: None for a plain connection; `window`: messages that may wait for an answer."""

    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    system_type: str
    tls: str | None
    window: int

    def context(self) -> ssl.SSLContext | None:
        """Return what TLS trusts: the machine's authorities, or those of a file."""
        if self.tls is None:
            return None
        return ssl.create_default_context(cafile=None if self.tls == "yes" else self.tls)


def account_of(settings: Mapping[str, str]) -> Account:
    """Return the account that checked settings describe."""
    tls = settings.get("tls") or "no"
    return Account(
        settings["host"],
        int(settings.get("port") or 2775),
        settings["system_id"],
        settings["password"],
        settings.get("system_type", ""),
        None if tls == "no" else tls,
        int(settings.get("window") or _DEFAULT_WINDOW),
    )


def check(settings: Mapping[str, str]) -> None:
    """Raise `BadSetting` for what cannot be."""
    port, window = settings.get("port") or "2775", settings.get("window") or str(_DEFAULT_WINDOW)
    if not port.isdecimal():
        raise BadSetting("port is a number, such as 2775.")
    if not window.isdecimal() or int(window) not in WINDOWS:
        raise BadSetting(f"window is a number from {WINDOWS[0]} to {WINDOWS[-1]}.")
    for name, known in _WORDS.items():
        if settings.get(name) and settings[name] not in known:
            raise BadSetting(f"{name} is one of {', '.join(known)}.")
    tls = settings.get("tls") or "no"
    if tls not in ("yes", "no") and not Path(tls).is_file():
        raise BadSetting("tls is yes, no, or a file with certificates to trust, such as /etc/ssl/smsc.pem.")
