"""The other ends of Web Push, made of Python: a browser that decrypts, and a push service that asks for what RFCs ask.

Written after RFC 8188, 8291 and 8292 from the receiver's side, with none of the product's own code.
"""

import base64
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

DAY = 24 * 60 * 60


def text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw(letters: str) -> bytes:
    return base64.urlsafe_b64decode(letters + "=" * (-len(letters) % 4))


def _derive(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)


class Browser:
    """A browser with a subscription at `endpoint`; reads what was encrypted for it, and nothing else."""

    def __init__(
        self, endpoint: str, private: ec.EllipticCurvePrivateKey | None = None, auth: bytes | None = None
    ) -> None:
        self.endpoint, self.auth = endpoint, auth or os.urandom(16)
        self._key = private or ec.generate_private_key(ec.SECP256R1())
        self.point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def subscription(self) -> dict[str, Any]:
        """What `PushSubscription.toJSON()` says."""
        keys = {"p256dh": text(self.point), "auth": text(self.auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    def decrypt(self, body: bytes) -> bytes:
        """Return the plaintext of a body of one record; fails loudly when it is for somebody else."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        theirs, sealed = body[21 : 21 + length], body[21 + length :]
        assert len(sealed) <= size, "more than the one record that a push may have"
        shared = self._key.exchange(
            ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
        )
        secret = _derive(self.auth, shared, b"WebPush: info\0" + self.point + theirs, 32)
        key = _derive(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _derive(salt, secret, b"Content-Encoding: nonce\0", 12)
        padded = AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\0")
        assert padded.endswith(b"\x02"), "the last record ends with the delimiter 2"
        return padded[:-1]

    def read(self, body: bytes) -> tuple[dict[str, str], str]:
        """Return the line for the script and the text of a message of ours."""
        line, _, words = self.decrypt(body).partition(b"\n")
        return json.loads(line), words.decode()


def claims(authorization: str, public_key: str) -> dict[str, Any]:
    """Return the claims of a VAPID header whose signature is good and whose key is `public_key`."""
    scheme, _, rest = authorization.partition(" ")
    fields = dict(part.strip().split("=", 1) for part in rest.split(","))
    assert (scheme, fields["k"]) == ("vapid", public_key)
    signed, _, signature = fields["t"].rpartition(".")
    number = raw(signature)
    assert len(number) == 64, "ES256 signatures are two numbers of 32 bytes"
    halves = (int.from_bytes(number[:32], "big"), int.from_bytes(number[32:], "big"))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw(public_key))
    key.verify(encode_dss_signature(*halves), signed.encode(), ec.ECDSA(SHA256()))
    head, _, body = signed.partition(".")
    assert json.loads(raw(head)) == {"typ": "JWT", "alg": "ES256"}
    found: dict[str, Any] = json.loads(raw(body))
    return found


@dataclass
class Pushed:
    """A request as it came to the push service."""

    path: str
    headers: dict[str, str]
    body: bytes


Behave = Callable[[Pushed], tuple[int, dict[str, str]]]


def take(pushed: Pushed) -> tuple[int, dict[str, str]]:
    """Answer as a service that takes everything it must take, and nothing else."""
    if len(pushed.body) > 4096:
        return 413, {}
    good = pushed.headers.get("content-encoding") == "aes128gcm" and pushed.headers.get("ttl", "").isdigit()
    return (201, {"Location": f"https://push.example.net/m/{len(pushed.body)}"}) if good else (400, {})


@dataclass
class PushService:
    """A push service on loopback: `behave` answers, `received` is what came."""

    url: str
    behave: Behave = take
    received: list[Pushed] = field(default_factory=list)

    def to(self, browser: Browser) -> list[Pushed]:
        """Return what came for one browser."""
        return [one for one in self.received if one.path == urlsplit(browser.endpoint).path]


@contextmanager
def push_service() -> Iterator[PushService]:
    """Run a push service as long as the block does."""
    service = PushService("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            pushed = Pushed(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            service.received.append(pushed)
            status, headers = service.behave(pushed)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield service
        finally:
            server.shutdown()
