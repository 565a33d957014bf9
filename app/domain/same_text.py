"""Whether two texts would read the same to the people who get them."""

import re
import unicodedata

_NOT_A_WORD = re.compile(r"[\W_]+")


def squeezed(text: str) -> str:
    """Return the words of `text` alone: letters and digits, without case, width, punctuation or line breaks."""
    return _NOT_A_WORD.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()
