"""Gateways that hand a file over once and name it in every message after: what they say of how that is done.

Uploading is an errand of ours before the first message of a broadcast leaves (`app.services.media.errands`); what it
brings back, the provider's own id, is kept for the next broadcast. Some providers give the id only with the answer to a
message that carried the file as a link: they are `HandleTeller`s and need no errand.
"""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple, Protocol, runtime_checkable

from app.domain.media.attached import Media
from app.domain.media.kinds import ending_of
from app.domain.messages import SendError
from app.gateways.base import Call, Reply


class Handle(NamedTuple):
    """A provider's id for a file, and for how long it is good; None: for good."""

    value: str
    good_for: timedelta | None = None


@runtime_checkable
class Uploader(Protocol):
    """A gateway whose messages name a file that was uploaded before."""

    def upload_call(self, media: Media, data: bytes) -> Call:
        """Return the request that hands the bytes of a file over."""

    def handle_of(self, reply: Reply) -> Handle | SendError:
        """Return the id that came back, or why none did."""


@runtime_checkable
class HandleTeller(Protocol):
    """A gateway whose provider tells its id for a file with the answer to the first message that carried it."""

    def told_handle(self, reply: Reply) -> Handle | None:
        """Return the id in the answer to a message, where there is one."""


def file_name(media: Media) -> str:
    """Return the name that people see, with an ending that fits its type."""
    stem = media.name.rpartition(".")[0] or media.name or media.kind.value
    return f"{stem}.{ending_of(media.mime)}"


def multipart(fields: Mapping[str, str], field: str, media: Media, data: bytes) -> tuple[bytes, str]:
    """Return a form with a file as `multipart/form-data` (RFC 7578), and its Content-Type.

    The boundary is made from the file's hash: the same file makes the same request.
    """
    boundary = f"tidings-{hashlib.sha256(media.sha256.encode()).hexdigest()[:32]}"
    name = file_name(media).replace('"', "'").replace("\r", " ").replace("\n", " ")
    lines = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    ]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
        f"Content-Type: {media.mime}\r\n\r\n"
    )
    body = "".join(lines).encode() + head.encode() + data + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"
