"""Keeps access tokens of providers in Redis, sealed, for all processes: who asks for the next one, and when."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, cast

import redis
from redis.exceptions import LockError

from app.domain.sealing import CannotOpen, KeyRing
from app.gateways.base import Token
from app.gateways.tokens import Kept
from app.throttle import KEY_PREFIX

EARLY_SECONDS: Final = 300.0
"""The next token is asked for so long before the present one ends; WeChat lets both count for these five minutes."""
REST_SECONDS: Final = 30.0
"""And not again within this, for a provider may answer with the token that we have."""
LOCK_SECONDS: Final = 30.0
"""A process that died while it asked keeps the others waiting no longer than this."""
_LABEL: Final = "access-token"


class RedisKeeper:
    """The token of one account at a provider. Nothing here is a record: an empty Redis only means to ask again.

    Redis counts the time: two keys run out, `token` with the token, `fresh` when the next one is due.
    """

    def __init__(self, client: redis.Redis, keys: KeyRing, account: str) -> None:
        self._client, self._keys = client, keys
        # One hash tag for each account, so that its keys live on one node of a cluster.
        name = f"{KEY_PREFIX}:{{token:{hashlib.sha256(account.encode()).hexdigest()[:32]}}}"
        self._token, self._fresh, self._lock = f"{name}:token", f"{name}:fresh", f"{name}:lock"

    def token(self) -> Kept | None:
        """Return the token there is; None when there is none, it ran out, or another MASTER_KEY sealed it."""
        sealed, fresh = cast("list[bytes | None]", self._client.mget(self._token, self._fresh))
        if sealed is None:
            return None
        try:
            return Kept(self._keys.open(sealed, _LABEL).decode(), fresh is not None)
        except CannotOpen:
            return None

    @contextmanager
    def lock(self) -> Iterator[bool]:
        """Enter with True for one process at a time, never waiting; it frees itself after half a minute."""
        lock = self._client.lock(self._lock, timeout=LOCK_SECONDS, blocking=False)
        if not lock.acquire():
            yield False
            return
        try:
            yield True
        finally:
            # It may have taken us longer than the lock lives; then another process may have it.
            with suppress(LockError):
                lock.release()

    def keep(self, token: Token) -> None:
        """Keep a token until it runs out."""
        fresh = max(token.seconds - EARLY_SECONDS, REST_SECONDS)
        pipe = self._client.pipeline()
        pipe.set(self._token, self._keys.seal(token.value.encode(), _LABEL), px=int(token.seconds * 1000))
        pipe.set(self._fresh, b"1", px=int(min(fresh, token.seconds) * 1000))
        pipe.execute()

    def rest(self) -> None:
        """Let nobody ask for the next one for half a minute."""
        self._client.set(self._fresh, b"1", px=int(REST_SECONDS * 1000))
