"""Addresses of subscribers: one canonical spelling per channel, and a masked one for logs and pages."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, ValidationResult

# Viber tells its bots ids, never numbers.
PHONE_CHANNELS: Final = frozenset({"sms", "whatsapp", "signal"})
JID_CHANNELS: Final = frozenset({"xmpp"})
MATRIX_CHANNELS: Final = frozenset({"matrix"})
# One account may show several addresses here: its number, and an id that stands for it.
ALIASED_CHANNELS: Final = frozenset({"whatsapp", "signal"})

_EXAMPLE: Final = "Write it with its country code, for example +1 202 555 0123 or +44 7700 900123."
# Business-scoped user ids of Meta: who has a username on WhatsApp may write to us without any number (since 2026).
# The parent form US.ENT.… cannot be written to.
_BUSINESS_SCOPED: Final = re.compile(r"[A-Z]{2}\.[A-Za-z0-9]{1,128}")
# The id of an account at Signal (ACI): most people show no number there, and some accounts have none.
_ACCOUNT_ID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# A user id of Matrix: old accounts have capitals and any other sign; a server may be an IPv6 address and have a port.
_MATRIX_USER: Final = re.compile(r"@[!-9;-~]+:[A-Za-z0-9.\[\]:-]+")
_LONGEST: Final = 120  # what the database keeps
_WRITTEN_LIKE_A_NUMBER: Final = re.compile(r"\+?[\d\s().,/\u2010-\u2015\u2212\u00b7-]+")
_TRUNK_ZERO: Final = re.compile(r"\(\s*0\s*\)")
# In Italy, San Marino and the Vatican the zero belongs to the number itself.
_ZERO_IS_PART_OF_NUMBER: Final = ("+39", "+378", "+379")
_INVISIBLE: Final = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u2060\ufeff"))
_TOLL_FREE: Final = frozenset({"800", "833", "844", "855", "866", "877", "888"})
_LENGTH_PROBLEMS: Final = {
    ValidationResult.TOO_SHORT: "has too few digits",
    ValidationResult.TOO_LONG: "has too many digits",
    ValidationResult.INVALID_LENGTH: "has a number of digits that its country does not use",
    ValidationResult.INVALID_COUNTRY_CODE: "starts with a country code that does not exist",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "lacks its area code",
}


class BadAddress(ValueError):
    """This text is no address on this channel; the message says why and shows an example."""


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """One place where messages can be received: `value` is canonical for its `channel` (E.164 for phones)."""

    channel: str
    value: str

    def __repr__(self) -> str:
        """Masked, because a repr ends up in log lines and tracebacks."""
        return f"Address({self.channel!r}, {mask(self.value)!r})"


def parse_phone(raw: str, region: str | None = None, channel: str = "sms") -> Address:
    """Read a phone number in any usual spelling and return it in E.164.

    `region` (two letters, such as 'DE') is the country to assume for a number without country code.
    Numbers need to be possible, not assigned: the ranges reserved for fiction and tests must pass.
    Raises BadAddress.
    """
    text = _tidy(raw)
    if not text:
        raise BadAddress(f"The phone number is empty. {_EXAMPLE}")
    if not _WRITTEN_LIKE_A_NUMBER.fullmatch(text):
        raise BadAddress(f"“{_shorten(raw)}” is not written like a phone number. {_EXAMPLE}")
    number = _parse(_without_trunk_zero(text), raw, region)
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != ValidationResult.IS_POSSIBLE:
        problem = _LENGTH_PROBLEMS.get(reason, "is not possible")
        raise BadAddress(f"The phone number “{_shorten(raw)}” {problem}. {_EXAMPLE}")
    return Address(channel, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def canonical(channel: str, raw: str, region: str | None = None) -> Address:
    """The one spelling of an address on its channel. Raises BadAddress.

    Phones become E.164, XMPP addresses bare lower-case JIDs; the server of a Matrix user is written in small letters;
    the ids of other platforms stay as they are. A person on WhatsApp is a phone or a business-scoped id such as
    US.90071992547, one on Signal a phone or the account's id (a UUID).
    """
    if channel == "whatsapp" and _BUSINESS_SCOPED.fullmatch(raw.strip()):
        return Address(channel, raw.strip())
    if channel == "signal" and _ACCOUNT_ID.fullmatch(raw.strip()):
        return Address(channel, raw.strip().lower())
    if channel in PHONE_CHANNELS:
        return parse_phone(raw, region, channel)
    if channel in JID_CHANNELS:
        return Address(channel, _bare_jid(raw))
    if channel in MATRIX_CHANNELS:
        return Address(channel, _matrix_user(raw))
    value = raw.strip()
    if not value or any(ch.isspace() for ch in value):
        raise BadAddress(f"“{_shorten(raw)}” is no id on {channel}: an id is not empty and has no blanks.")
    return Address(channel, value)


def is_phone(value: str) -> bool:
    """Tell whether a canonical address is a phone number, and not an id that a platform made."""
    return value.startswith("+")


def spaced(value: str) -> str:
    """Return a phone number in groups, as people read it (ITU-T E.123); what is none stays as it is."""
    if not (is_phone(value) and value[1:].isdigit()):
        return value
    try:
        number = phonenumbers.parse(value)
    except NumberParseException:
        return value
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL).replace("-", " ")


def region_of(value: str) -> str | None:
    """Return the country of a phone number in E.164 as two letters; None for a short code and where no country is."""
    found = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(_country_code(value) or 0), ("001",))[0]
    return found if value.startswith("+") and found != "001" else None


def is_toll_free(value: str) -> bool:
    """Tell whether a number is toll-free in the North American plan, where the network itself acts on STOP."""
    if not value.startswith("+1"):
        return False
    number = phonenumbers.parse(value)
    # Not `number_type`: the numbers reserved for fiction have none.
    return str(number.national_number)[:3] in _TOLL_FREE


def mask(value: str) -> str:
    """Hide an address for logs and for people without the right to see it.

    A phone keeps its country code and last three digits (+1***123), a JID or Matrix user the first letter and host, an
    id of WhatsApp its country (US.***547).
    """
    if _MATRIX_USER.fullmatch(value):
        return f"{value[:2]}***:{value.partition(':')[2]}"
    if value.startswith("+") and value[1:].isdigit() and len(value) > 7:
        return f"+{_country_code(value)}***{value[-3:]}"
    if _BUSINESS_SCOPED.fullmatch(value):
        return f"{value[:3]}***{value[-3:] if len(value) > 10 else ''}"
    local, at, host = value.partition("@")
    if at:
        return f"{local[:1]}***@{host}"
    return f"***{value[-3:]}" if len(value) > 7 else "***"


def _tidy(raw: str) -> str:
    text = unicodedata.normalize("NFKC", raw).translate(_INVISIBLE).strip()
    return f"+{text[2:]}" if text.startswith("00") else text


def _without_trunk_zero(text: str) -> str:
    if text.startswith("+") and not text.startswith(_ZERO_IS_PART_OF_NUMBER):
        return _TRUNK_ZERO.sub("", text, count=1)
    return text


def _parse(text: str, raw: str, region: str | None) -> phonenumbers.PhoneNumber:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException as error:
        if error.error_type != NumberParseException.INVALID_COUNTRY_CODE:
            problem = "has too few or too many digits"
        elif text.startswith("+"):
            problem = "starts with a country code that does not exist"
        else:
            problem = "has no country code"
        raise BadAddress(f"The phone number “{_shorten(raw)}” {problem}. {_EXAMPLE}") from None


def _bare_jid(raw: str) -> str:
    jid = raw.strip().partition("/")[0].lower()
    local, at, host = jid.partition("@")
    if not (local and at and host) or "@" in host or any(ch.isspace() for ch in jid):
        raise BadAddress(f"“{_shorten(raw)}” is no XMPP address. Write it as anna@example.com.")
    return jid


def _matrix_user(raw: str) -> str:
    user = raw.strip()
    if not _MATRIX_USER.fullmatch(user) or len(user) > _LONGEST:
        problem = "is no Matrix user" if len(user) <= _LONGEST else f"has more than {_LONGEST} characters"
        raise BadAddress(f"“{_shorten(raw)}” {problem}. Write it as @anna:example.org.")
    name, _, server = user.partition(":")
    return f"{name}:{server.lower()}"


def _country_code(e164: str) -> str:
    known = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    return next((e164[1:end] for end in (2, 3, 4) if int(e164[1:end]) in known), "")


def _shorten(raw: str) -> str:
    return raw if len(raw) <= 40 else f"{raw[:39]}…"
