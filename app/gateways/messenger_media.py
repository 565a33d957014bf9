"""Files on Messenger: uploaded once, then named by an id for ninety days. A file and words are two messages there.

Both go in one batch request of the Graph API, the words only when the file was taken, so that one answer tells of both.
Source: developers.facebook.com/docs, messenger-platform/reference/attachment-upload-api and graph-api/batch-requests.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from app.domain.media.attached import Media
from app.domain.media.kinds import MediaKind
from app.domain.messages import ErrorKind, SendError
from app.gateways.base import Reply
from app.gateways.common import json_of
from app.gateways.paths import at
from app.gateways.uploads import Handle

GOOD_FOR: Final = timedelta(days=89)
_FILE: Final = "file"
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}
# The person has the file; to begin anew would give it to them twice.
HALF: Final = SendError(ErrorKind.UNKNOWN, "half", "The file was taken, and of the words nothing was heard.")

NOTHING_HEARD: Final = SendError(ErrorKind.UNKNOWN, "no_answer", "Nothing was heard of the file.")


def upload_fields(media: Media) -> dict[str, str]:
    """Return the form beside the bytes of a file that many messages shall name."""
    attachment = {"type": _type(media), "payload": {"is_reusable": True}}
    return {"message": json.dumps({"attachment": attachment})}


def handle_of(reply: Reply) -> Handle | None:
    """Return the id of a file that was taken."""
    id_ = at(json_of(reply.body), "attachment_id")
    return Handle(id_, GOOD_FOR) if reply.status == 200 and id_ else None


def batch_of(media: Media, message: Mapping[str, Any], path: str) -> tuple[bytes, dict[str, str]]:
    """Return the body and headers of a request that sends a file and then `message`, both to `path`."""
    attachment = {"type": _type(media), "payload": {"attachment_id": media.handle}}
    file = {**message, "message": {"attachment": attachment}}
    steps = [
        {"name": _FILE, "omit_response_on_success": False, **_step(file, path)},
        {"depends_on": _FILE, **_step(message, path)},
    ]
    return urlencode({"batch": json.dumps(steps), "include_headers": "false"}).encode(), dict(_FORM)


def read(reply: Reply) -> Reply | SendError:
    """Return the one answer that counts of those to a batch: a refusal of the file, or the answer to the words."""
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError):
        return reply
    if not isinstance(found, list):
        return reply  # not an answer to a batch
    file, words = [*map(_answer, found), None, None][:2]
    if file is None:
        return NOTHING_HEARD
    if file.status != 200:
        return file
    return words if words is not None and words.status == 200 else HALF


def _step(body: Mapping[str, Any], path: str) -> dict[str, str]:
    form = {name: value if isinstance(value, str) else json.dumps(value) for name, value in body.items()}
    return {"method": "POST", "relative_url": path, "body": urlencode(form)}


def _answer(one: object) -> Reply | None:
    if not isinstance(one, dict) or not isinstance(one.get("code"), int):
        return None
    return Reply(one["code"], str(one.get("body", "")).encode())


def _type(media: Media) -> str:
    return "file" if media.kind is MediaKind.DOCUMENT else media.kind.value
