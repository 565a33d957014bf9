"""What is different about WhatsApp at Twilio: approved templates, the window of 24 hours, and WhatsApp's failures.

After twilio.com/docs/whatsapp and the error dictionary, codes 216xx and 63xxx. A text outside the window is taken and
then reported as failed, as are people whom WhatsApp does not deliver to.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from app.simulator.magic import Magic, Step
from app.simulator.records import WHATSAPP, Sender
from app.simulator.twilio_json import TwilioError

WINDOW: Final = timedelta(hours=24)
_VARIABLE: Final = re.compile(r"\{\{(\w+)\}\}")


def _fails(code: int) -> tuple[Step, ...]:
    return (("failed", code),)


CLOSED: Final = _fails(63016)
BLOCKS: Final = _fails(63014)
ENDINGS: Final = {
    "0202": Magic(receipts=_fails(63024)),
    "0403": Magic(receipts=BLOCKS),
    "0404": Magic(receipts=_fails(63024)),
    "0424": Magic(receipts=CLOSED),
    "0449": Magic(receipts=_fails(63049)),
    "0614": Magic(receipts=_fails(63024)),
}


def check_pair(sender: Sender, to: str) -> None:
    """Both ends are on the same channel, or Twilio refuses with 21910."""
    if (sender.channel == "whatsapp") != to.startswith(WHATSAPP):
        raise TwilioError(21910, to)


def approved_text(sender: Sender, form: Mapping[str, str]) -> str:
    """Return the words of the template that a request names; raises TwilioError 21655 or 21656."""
    sid = form["ContentSid"]
    if sid not in sender.content:
        raise TwilioError(21655, sid)
    try:
        given = json.loads(form.get("ContentVariables") or "{}")
        words = {str(name): str(value) for name, value in given.items()}
        text = _VARIABLE.sub(lambda found: words[found[1]], sender.content[sid])
    except (ValueError, KeyError, AttributeError):
        raise TwilioError(21656, sid) from None
    if any("\n" in word for word in words.values()):
        raise TwilioError(21656, sid)
    return text


def is_open(last_words: datetime | None, now: datetime) -> bool:
    """Tell whether somebody wrote within a day."""
    return last_words is not None and now - last_words < WINDOW
