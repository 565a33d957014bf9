"""Pictures on Viber: by our link, which ends like a file's name, with the text below them.

Source: developers.viber.com/docs/api/rest-bot-api, "Picture message".
"""

from typing import Any

from app.domain.media.attached import Media


def content(media: Media, text: str) -> dict[str, Any]:
    """Return the part of a message that has the picture and the words."""
    return {"type": "picture", "text": text, "media": media.url}
