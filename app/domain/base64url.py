"""Bytes as letters of addresses: base64url without padding (RFC 4648, section 5), which Web Push writes everywhere."""

import base64
import binascii


def encode(raw: bytes) -> str:
    """Return the letters of `raw`, without `=`."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Read them, with or without padding; raises ValueError for any other letter."""
    bare = text.rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(f"this is no base64url: {error}") from error
