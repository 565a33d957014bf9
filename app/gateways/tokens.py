"""Puts access tokens into calls as they leave, for gateways whose requests carry one (`TokenUser`).

A keeper holds the token for all processes (`app.token_keeper`, in Redis). Nobody asks the provider but who holds the
keeper's lock; the others go on with the token there is, or wait for the new one. A call that the provider refused for
its token did nothing, so it is made once more with another token; a second refusal is the answer.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final, NamedTuple, Protocol

from app.gateways.base import Call, Gateway, Reply, Token, TokenUser, Transport

TOTAL_SECONDS: Final = 16.0
"""How long a call waits for its token: somewhat more than the transport gives one request, less than a lease lasts."""
_LOOK_AGAIN: Final = 0.1
NO_TOKEN: Final = Reply(0, left=False, reason="no_token")
"""Nothing of the message left us."""


class Kept(NamedTuple):
    """A token as the keeper has it; `fresh`: nobody need ask for the next one yet."""

    value: str
    fresh: bool


class Keeper(Protocol):
    """One account's token, shared by all processes."""

    def token(self) -> Kept | None:
        """Return the token there is, or None when there is none or it ran out."""

    def lock(self) -> AbstractContextManager[bool]:
        """Enter with True for one process at a time; False: another is asking. Never waits."""

    def keep(self, token: Token) -> None:
        """Keep a token until it runs out."""

    def rest(self) -> None:
        """Let nobody ask for the next one for a while."""


def with_tokens(gateway: Gateway, transport: Transport, keeper_of: Callable[[str], Keeper]) -> Transport:
    """Return the transport for a gateway: as it is, or one that adds the token of the gateway's account."""
    if not isinstance(gateway, TokenUser):
        return transport
    return TokenTransport(gateway, transport, keeper_of(gateway.token_key))


class _Way(NamedTuple):
    """A call on the wire: as it left, as it was given to us, its token, and whether it left before with another."""

    carrying: Call
    call: Call
    token: str
    again: bool


class TokenTransport:
    """A transport whose calls carry a token; it comes from `keeper`, or over `inner` from the provider."""

    def __init__(
        self,
        gateway: TokenUser,
        inner: Transport,
        keeper: Keeper,
        *,
        ticks: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gateway, self._inner, self._keeper = gateway, inner, keeper
        self._ticks, self._wait = ticks, wait
        self._ways: dict[
            int, _Way
        ] = {}  # by the identity of the call that left; transports give the same one back
        self._arrived: deque[tuple[Call, Reply]] = deque()  # while we waited for a token
        self._ended: list[tuple[Call, Reply]] = []

    @property
    def free(self) -> int:
        """How many more calls may be in flight."""
        return self._inner.free

    @property
    def in_flight(self) -> int:
        """How many calls wait for an answer."""
        return len(self._ways) + len(self._ended)

    def submit(self, call: Call) -> None:
        """Begin a call with the token there is; where none can be had, that is the call's answer."""
        self._begin(call, refused=None)

    def poll(self, timeout: float) -> Sequence[tuple[Call, Reply]]:
        """Move bytes for at most `timeout` seconds and return the calls that ended."""
        self._arrived += self._inner.poll(0.0 if self._ended or self._arrived else timeout)
        while self._arrived:
            self._take(*self._arrived.popleft())
        done, self._ended = self._ended, []
        return done

    def close(self) -> None:
        """Drop every connection."""
        self._inner.close()

    def _begin(self, call: Call, refused: str | None) -> None:
        token = self._token(refused)
        if isinstance(token, Reply):
            self._ended.append((call, token))
            return
        carrying = self._gateway.with_token(call, token)
        self._ways[id(carrying)] = _Way(carrying, call, token, refused is not None)
        self._inner.submit(carrying)

    def _take(self, carrying: Call, reply: Reply) -> None:
        way = self._ways.pop(id(carrying))
        if self._gateway.refuses_token(reply) and not way.again:
            self._begin(way.call, refused=way.token)
        else:
            self._ended.append((way.call, reply))

    def _token(self, refused: str | None) -> str | Reply:
        """Return a token other than `refused`, or the reply that says why there is none."""
        until = self._ticks() + TOTAL_SECONDS
        while True:
            kept = self._kept(refused)
            if kept is not None and kept.fresh:
                return kept.value
            with self._keeper.lock() as ours:
                if ours:
                    return self._renewed(refused)
            if kept is not None:
                return kept.value  # another process asks for the next one, and this one is still good
            if self._ticks() >= until:
                return NO_TOKEN
            self._wait(_LOOK_AGAIN)

    def _kept(self, refused: str | None) -> Kept | None:
        kept = self._keeper.token()
        return None if kept is None or kept.value == refused else kept

    def _renewed(self, refused: str | None) -> str | Reply:
        """Ask the provider, unless somebody did so between our look and the lock."""
        kept = self._kept(refused)
        if kept is not None and kept.fresh:
            return kept.value
        # A plain question could bring the very token that was just refused.
        answer = self._gateway.token_of(self._ask(self._gateway.token_call(anew=refused is not None)))
        if isinstance(answer, Token):
            self._keeper.keep(answer)
            return answer.value
        if kept is None:
            return answer
        self._keeper.rest()  # we asked early: there is time until it runs out
        return kept.value

    def _ask(self, question: Call) -> Reply:
        """Carry the question over the same connections; what else ends meanwhile waits for `poll`."""
        until = self._ticks() + TOTAL_SECONDS
        asked = False
        while self._ticks() < until:
            if not asked and self._inner.free:
                self._inner.submit(question)
                asked = True
            ended = self._inner.poll(_LOOK_AGAIN)
            self._arrived += [one for one in ended if one[0] is not question]
            for call, reply in ended:
                if call is question:
                    return reply
        return NO_TOKEN
