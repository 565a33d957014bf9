"""What we answer to a command, in the person's language, with everything that the law wants in it."""

from app.domain.replies.texts import (
    CONFIRM_WITHIN,
    CONFIRMATIONS,
    LANGUAGES,
    Facts,
    MissingFact,
    ReplyKind,
    day_words,
    missing_facts,
    notice_text,
    rates_apply,
    reply,
)

__all__ = [
    "CONFIRMATIONS",
    "CONFIRM_WITHIN",
    "LANGUAGES",
    "Facts",
    "MissingFact",
    "ReplyKind",
    "day_words",
    "missing_facts",
    "notice_text",
    "rates_apply",
    "reply",
]
