"""Signs requests to an S3-compatible store (AWS Signature Version 4, one chunk).

Source: docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, whose example is a test of ours.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote, urlsplit

from app.domain.media.buckets import S3Access

_ALGORITHM = "AWS4-HMAC-SHA256"


def signed_headers(
    method: str, url: str, body: bytes, access: S3Access, now: datetime, more: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the headers with which a request may go out; `more` are others of its own, signed as well.

    `url` has no query; `now` is UTC.
    """
    parts = urlsplit(url)
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    headers = {name.lower(): value for name, value in (more or {}).items()} | {
        "host": parts.netloc,
        "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
        "x-amz-date": stamp,
    }
    names = ";".join(sorted(headers))
    asked = "\n".join(
        (
            method,
            quote(parts.path or "/"),
            "",
            *(f"{name}:{headers[name].strip()}" for name in sorted(headers)),
            "",
            names,
            headers["x-amz-content-sha256"],
        )
    )
    scope = f"{stamp[:8]}/{access.region}/s3/aws4_request"
    to_sign = "\n".join((_ALGORITHM, stamp, scope, hashlib.sha256(asked.encode()).hexdigest()))
    signature = hmac.new(_key(access, stamp[:8]), to_sign.encode(), hashlib.sha256).hexdigest()
    credential = f"Credential={access.key}/{scope}"
    headers["authorization"] = f"{_ALGORITHM} {credential}, SignedHeaders={names}, Signature={signature}"
    return headers


def _key(access: S3Access, day: str) -> bytes:
    key = f"AWS4{access.secret}".encode()
    for part in (day, access.region, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
