"""Say to a push service who sends: a token signed with the sender's own key (VAPID, RFC 8292)."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from app.domain import base64url
from app.gateways.push_encryption import CURVE, point_of

# A push service refuses a token that ends in more than 24 hours (RFC 8292, section 2); clocks differ.
VALID_FOR: Final = timedelta(hours=12)
RENEW_BEFORE: Final = timedelta(hours=1)
# Origins come from strangers: what is remembered has an end.
MOST_ORIGINS: Final = 256
_KEY_BYTES: Final = 32
_HEADER: Final = base64url.encode(json.dumps({"typ": "JWT", "alg": "ES256"}, separators=(",", ":")).encode())


def new_private_key() -> str:
    """Return a fresh private key: base64url of the 32 bytes of its number, as other Web Push software writes it."""
    number = ec.generate_private_key(CURVE).private_numbers().private_value
    return base64url.encode(number.to_bytes(_KEY_BYTES, "big"))


def read_private_key(text: str) -> ec.EllipticCurvePrivateKey:
    """Read such a key; raises ValueError for anything else."""
    raw = base64url.decode(text)
    if len(raw) != _KEY_BYTES:
        raise ValueError(f"a private key has {_KEY_BYTES} bytes, not {len(raw)}")
    return ec.derive_private_key(int.from_bytes(raw, "big"), CURVE)


class Vapid:
    """The sender's key, with a signed header for each push service: signing once an hour is out of the way."""

    def __init__(self, private_key: str, subject: str, clock: Callable[[], datetime]) -> None:
        self._key, self._subject, self._clock = read_private_key(private_key), subject, clock
        self.public_key = base64url.encode(point_of(self._key.public_key()))
        self._headers: dict[str, tuple[datetime, str]] = {}

    def header(self, origin: str) -> str:
        """Return the `Authorization` for a push service, such as `https://fcm.googleapis.com`."""
        now = self._clock()
        until, header = self._headers.get(origin, (now, ""))
        if until - RENEW_BEFORE <= now:
            if len(self._headers) >= MOST_ORIGINS:
                self._headers.clear()
            until = now + VALID_FOR
            header = f"vapid t={self._token(origin, until)}, k={self.public_key}"
            self._headers[origin] = (until, header)
        return header

    def _token(self, origin: str, until: datetime) -> str:
        claims = {"aud": origin, "exp": int(until.timestamp()), "sub": self._subject}
        signed = f"{_HEADER}.{base64url.encode(json.dumps(claims, separators=(',', ':')).encode())}"
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(SHA256())))
        return f"{signed}.{base64url.encode(r.to_bytes(_KEY_BYTES, 'big') + s.to_bytes(_KEY_BYTES, 'big'))}"
