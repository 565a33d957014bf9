"""Everything the provider knows at this moment, in memory: senders, messages, opt-outs and counts."""

import secrets
import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from datetime import datetime
from threading import RLock

from app.simulator.medium import Medium
from app.simulator.records import Message, Sender

KEPT_MESSAGES = 200_000
KEPT_PER_PHONE = 50


class State:
    """Senders, accepted messages and blocks. Safe to use from many threads.

    Messages beyond the newest `kept` are forgotten, and beyond `KEPT_PER_PHONE` for one number; all are counted.
    """

    def __init__(self, kept: int = KEPT_MESSAGES) -> None:
        self.lock = RLock()
        self._kept = kept
        self.senders: dict[str, Sender] = {}
        self.opted_out: set[tuple[str, str]] = set()
        self.handset_blocks: set[tuple[str, str]] = set()
        self.given_back: dict[str, tuple[str, ...]] = {}
        self.last_words: dict[tuple[str, str], datetime] = {}
        self.consents: dict[tuple[str, str], dict[str, str]] = {}
        self._order = 0
        self.reset()

    def reset(self) -> None:
        """Forget messages, blocks and counts, and keep the senders."""
        with self.lock:
            self._forgotten = self._order
            self._messages: dict[str, Message] = {}
            self._by_phone: dict[str, deque[Message]] = {}
            self._bodies_seen: set[int] = set()
            self.opted_out.clear()
            self.handset_blocks.clear()
            self.given_back.clear()
            self.last_words.clear()
            self.consents.clear()
            self.total = self.duplicates = 0
            self.statuses: Counter[str] = Counter()
            self.refusals: Counter[int] = Counter()

    def put_sender(self, sender: Sender) -> None:
        """Add a sender, or replace the one with the same number."""
        with self.lock:
            self.senders[sender.number] = sender

    def sender_for(self, account_sid: str, number: str, service: str) -> Sender | None:
        """Return the account's sender with this number, or else the first one of this messaging service."""
        for sender in self.all_senders():
            right = sender.number == number if number else sender.messaging_service_sid == service
            if right and sender.account_sid == account_sid:
                return sender
        return None

    def owns(self, account_sid: str, auth_token: str) -> bool:
        """Return whether any sender belongs to this account and is opened by this token."""
        found = False
        for sender in self.all_senders():
            same = secrets.compare_digest(sender.auth_token.encode(), auth_token.encode())
            found = found or (same and sender.account_sid == account_sid)
        return found

    def accept(
        self,
        sender: Sender,
        to: str,
        body: str,
        parts: int,
        now: datetime,
        *,
        callback: str,
        by_service: bool,
        file: Medium | None = None,
    ) -> Message:
        """Record an accepted message and count it."""
        body = sys.intern(body)  # a broadcast of one text to thousands keeps that text once
        sid = new_sid()
        with self.lock:
            self._order += 1
            status = "accepted" if by_service else "queued"
            message = Message(
                self._order,
                sid,
                sender,
                to,
                body,
                parts,
                now,
                callback,
                by_service=by_service,
                file=file,
                status=status,
            )
            self._messages[sid] = message
            self._by_phone.setdefault(to, deque(maxlen=KEPT_PER_PHONE)).append(message)
            self._count(message)
            if len(self._messages) > self._kept:
                del self._messages[next(iter(self._messages))]
        return message

    def advance(self, message: Message, status: str, error_code: int | None, now: datetime) -> bool:
        """Move a message to its next status; return False when it came further, or was reset."""
        with self.lock:
            before = message.status
            if message.order <= self._forgotten or not message.advance(status, error_code, now):
                return False
            self.statuses[before] -= 1
            self.statuses[status] += 1
            return True

    def refuse(self, code: int) -> None:
        """Count a request that was refused with this error code."""
        with self.lock:
            self.refusals[code] += 1

    def message(self, sid: str) -> Message | None:
        """Return the message with this SID if it is still remembered."""
        return self._messages.get(sid)

    def newest(self, to: str = "", before: int | None = None) -> Iterator[Message]:
        """Yield remembered messages, newest first: to one number, or to all; only those with `order < before`."""
        with self.lock:
            source: Iterable[Message] = self._by_phone.get(to, ()) if to else self._messages.values()
            found = [message for message in source if before is None or message.order < before]
        return reversed(found)

    @property
    def distinct(self) -> int:
        """Return how many different numbers a message was accepted for."""
        return len(self._by_phone)

    def counts(self) -> dict[str, object]:
        """Return totals: accepted, distinct recipients, duplicates, statuses, refusals by code."""
        with self.lock:
            return {
                "total": self.total,
                "distinct": self.distinct,
                "duplicates": self.duplicates,
                "by_status": {name: count for name, count in sorted(self.statuses.items()) if count},
                "refused": {str(code): count for code, count in sorted(self.refusals.items())},
            }

    def all_senders(self) -> tuple[Sender, ...]:
        """Return the senders in the order in which they were made."""
        with self.lock:
            return tuple(self.senders.values())

    def _count(self, message: Message) -> None:
        self.total += 1
        self.statuses[message.status] += 1
        fingerprint = hash((message.sender.number, message.to, message.body))
        if fingerprint in self._bodies_seen:
            self.duplicates += 1
        self._bodies_seen.add(fingerprint)


def new_sid() -> str:
    """Return a fresh message SID: `SM` and 32 hexadecimal digits."""
    return "SM" + secrets.token_hex(16)
