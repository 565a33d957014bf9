"""Structured logs, one JSON object a line when nobody watches; phone numbers are masked before anything is written."""

import logging
import re
import sys
from typing import Any

import structlog

from app.domain.addresses import mask

_NUMBER = re.compile(r"\+\d{7,15}")


def mask_numbers(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Mask every phone number in every value that is text."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _NUMBER.sub(lambda found: mask(found.group()), value)
    return event


def configure_logging(level: str) -> None:
    """Set up structlog for this process; `level` is a name such as INFO."""
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=False)
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask_numbers,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
