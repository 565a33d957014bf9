"""What we answer to a command, in the person's language, with everything that the law wants in it."""

from app.domain.replies.texts import (
    LANGUAGES,
    Facts,
    MissingFact,
    ReplyKind,
    missing_facts,
    notice_text,
    rates_apply,
    reply,
)

__all__ = [
    "LANGUAGES",
    "Facts",
    "MissingFact",
    "ReplyKind",
    "missing_facts",
    "notice_text",
    "rates_apply",
    "reply",
]
