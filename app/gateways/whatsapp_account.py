"""What Meta tells about a WhatsApp account of ours: templates, limits, quality, restrictions, bans.

Source: developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference, the pages of the fields
below, read in November 2026.
"""

from collections.abc import Mapping
from typing import Any, Final

from app.domain.platform_news import News, PlatformNews
from app.gateways.paths import at, items

LONGEST: Final = 200
_TEMPLATES: Final = {
    "PAUSED": News.TEMPLATE_LOST,
    "REJECTED": News.TEMPLATE_LOST,
    "DISABLED": News.TEMPLATE_LOST,
    "LOCKED": News.TEMPLATE_LOST,
    "ARCHIVED": News.TEMPLATE_LOST,
    "PENDING_DELETION": News.TEMPLATE_LOST,
    "DELETED": News.TEMPLATE_LOST,
    "APPROVED": News.TEMPLATE_BACK,
    "REINSTATED": News.TEMPLATE_BACK,
    "UNLOCKED": News.TEMPLATE_BACK,
    "UNARCHIVED": News.TEMPLATE_BACK,
}
_NUMBERS: Final = {
    "DOWNGRADE": News.LIMITED,
    "FLAGGED": News.QUALITY,
    "UPGRADE": News.WELL,
    "UNFLAGGED": News.WELL,
    "THROUGHPUT_UPGRADE": News.WELL,
}
_SCORES: Final = {"RED": News.QUALITY, "YELLOW": News.QUALITY, "GREEN": News.WELL}
# Those that keep us from writing to people; others only from adding numbers and the like.
_SILENCED: Final = ("RESTRICTED_BIZ_INITIATED_MESSAGING", "RESTRICTED_CUSTOMER_INITIATED_MESSAGING")
_NOTHING: Final = ("", "NONE")


def news_of(field: str, value: Mapping[str, Any], usual: str, number: str, node: str) -> PlatformNews | None:
    """Read one change of the account; None for what is nothing to us.

    `usual` is the template that the sender's settings name, `number` (E.164) and `node` are the sender's own: an
    account has other numbers, too.
    """
    if field == "message_template_status_update":
        return _template(value, usual)
    if field == "message_template_quality_update":
        return _template_score(value)
    if field == "phone_number_quality_update":
        return _number(value, number)
    if field == "account_update":
        return _account(value)
    return _alert(value, node) if field == "account_alerts" else None


def _name(value: Mapping[str, Any]) -> str:
    name, language = at(value, "message_template_name"), at(value, "message_template_language")
    return f"{name}:{language}" if name and language else ""


def _words(*found: str) -> str:
    """Join what the platform says, without its empty words."""
    return ", ".join(one for one in found if one not in _NOTHING)[:LONGEST]


def _template(value: Mapping[str, Any], usual: str) -> PlatformNews | None:
    name, event = _name(value), at(value, "event")
    why = _words(
        event, at(value, "reason"), at(value, "other_info.title"), at(value, "other_info.description")
    )
    if name and event == "FLAGGED":
        return PlatformNews(
            News.QUALITY, f"quality:{name}", _words(name, why, at(value, "disable_info.disable_date"))
        )
    if not name or event not in _TEMPLATES:
        return None
    return PlatformNews(_TEMPLATES[event], name, why, usual=name == usual)


def _template_score(value: Mapping[str, Any]) -> PlatformNews | None:
    name, score = _name(value), at(value, "new_quality_score")
    if not name or score not in _SCORES:
        return None
    return PlatformNews(_SCORES[score], f"quality:{name}", _words(name, score))


def _number(value: Mapping[str, Any], number: str) -> PlatformNews | None:
    shown = "".join(one for one in at(value, "display_phone_number") if one.isdigit())
    event = at(value, "event")
    if shown not in ("", number.removeprefix("+")) or event not in _NUMBERS:
        return None
    limit = at(value, "max_daily_conversations_per_business") or at(value, "current_limit")
    return PlatformNews(_NUMBERS[event], "number", _words(event, limit))


def _account(value: Mapping[str, Any]) -> PlatformNews | None:
    event, ban = at(value, "event"), at(value, "ban_info.waba_ban_state")
    if ban == "REINSTATE":
        return PlatformNews(News.WELL, "account", ban)
    if ban == "SCHEDULE_FOR_DISABLE":
        return PlatformNews(News.QUALITY, "account", _words(event, ban, at(value, "ban_info.waba_ban_date")))
    if event == "DISABLED_UPDATE" or ban:
        return PlatformNews(News.CLOSED, "account", _words(event, ban, at(value, "ban_info.waba_ban_date")))
    if event == "ACCOUNT_DELETED":
        return PlatformNews(News.CLOSED, "account", event)
    if event == "ACCOUNT_RESTRICTION":
        return _restriction(value)
    if event == "ACCOUNT_VIOLATION":
        return PlatformNews(
            News.QUALITY, "violation", _words(event, at(value, "violation_info.violation_type"))
        )
    return None


def _restriction(value: Mapping[str, Any]) -> PlatformNews:
    found = items(value, "restriction_info")
    types = [at(one, "restriction_type") for one in found]
    until = next((at(one, "expiration") for one in found if at(one, "expiration")), "")
    silenced = any(one in _SILENCED for one in types)
    why = _words(*types, f"until {until}" if until else "") or "ACCOUNT_RESTRICTION"
    return PlatformNews(News.CLOSED if silenced else News.LIMITED, "restriction", why)


def _alert(value: Mapping[str, Any], node: str) -> PlatformNews | None:
    kind, severity = at(value, "alert_info.alert_type"), at(value, "alert_info.alert_severity")
    foreign = at(value, "entity_type") == "PHONE_NUMBER" and at(value, "entity_id") not in ("", node)
    if not kind or foreign:
        return None
    ended = severity == "INFORMATIONAL" or at(value, "alert_info.alert_status") == "NONE"
    said = _words(kind, at(value, "alert_info.alert_description"))
    return PlatformNews(News.WELL if ended else News.QUALITY, f"alert:{kind}"[:LONGEST], said)
