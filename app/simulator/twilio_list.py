"""Twilio's list of messages: filters and paging as its SDK asks for them."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from urllib.parse import urlencode

from app.simulator.records import Message
from app.simulator.state import State
from app.simulator.twilio_json import TwilioError, message_json

PAGE_SIZE, LARGEST_PAGE = 50, 1000
FILTERS = ("To", "From", "DateSent", "DateSent<", "DateSent>")


def page_of_messages(
    state: State, account_sid: str, asked: Mapping[str, str], path: str
) -> dict[str, object]:
    """Return one page, newest first, in Twilio's form.

    `asked` may hold To, From, DateSent (a day, UTC), `DateSent>` and `DateSent<` (from and until, inclusive), PageSize
    up to 1000, Page, and PageToken from `next_page_uri`. Messages that arrive meanwhile do not shift later pages.
    Raises TwilioError 20001 for a value that cannot be read.
    """
    size = min(_number(asked, "PageSize", PAGE_SIZE, 1), LARGEST_PAGE)
    page = _number(asked, "Page", 0, 0)
    found = list(islice(_matches(state, account_sid, asked), size + 1))
    more, found = len(found) > size, found[:size]
    base = [(name, asked[name]) for name in FILTERS if asked.get(name)] + [("PageSize", str(size))]
    token = [("PageToken", f"PA{found[-1].sid}")] if more else []
    return {
        "end": page * size + max(0, len(found) - 1),
        "first_page_uri": _uri(path, [*base, ("Page", "0")]),
        "messages": [message_json(message) for message in found],
        "next_page_uri": _uri(path, [*base, ("Page", str(page + 1)), *token]) if more else None,
        "page": page,
        "page_size": size,
        "previous_page_uri": None,
        "start": page * size,
        "uri": _uri(path, [*base, ("Page", str(page))]),
    }


def _matches(state: State, account_sid: str, asked: Mapping[str, str]) -> Iterator[Message]:
    fits = _date_filter(asked)
    number = asked.get("From", "")
    for message in state.newest(asked.get("To", ""), _before(state, asked)):
        if message.sender.account_sid != account_sid or number not in {"", message.sender.number}:
            continue
        if fits(message.sent or message.created):
            yield message


def _before(state: State, asked: Mapping[str, str]) -> int | None:
    token = asked.get("PageToken", "")
    if not token:
        return None
    last = state.message(token.removeprefix("PA"))
    if last is None:
        raise TwilioError(20001, "PageToken (that message is no longer remembered; list from the first page)")
    return last.order


def _date_filter(asked: Mapping[str, str]) -> Callable[[datetime], bool]:
    exact, since, until = (_range(asked, name) for name in ("DateSent", "DateSent>", "DateSent<"))

    def fits(moment: datetime) -> bool:
        return (
            (exact is None or exact[0] <= moment <= exact[1])
            and (since is None or moment >= since[0])
            and (until is None or moment <= until[1])
        )

    return fits


def _range(asked: Mapping[str, str], name: str) -> tuple[datetime, datetime] | None:
    """Return first and last instant that a date, or a date and time in UTC, stands for."""
    text = asked.get(name, "")
    if not text:
        return None
    try:
        if len(text) == len("2026-11-22"):
            start = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
            return start, start + timedelta(days=1, microseconds=-1)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise TwilioError(20001, f"{name}={text} (write 2026-11-22 or 2026-11-22T21:19:02Z)") from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return moment, moment + timedelta(microseconds=999_999)


def _number(asked: Mapping[str, str], name: str, default: int, least: int) -> int:
    text = asked.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10) or int(text) < least:
        raise TwilioError(20001, f"{name}={text} (write a whole number, at least {least})")
    return int(text)


def _uri(path: str, query: list[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(query)}"
