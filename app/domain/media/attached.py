"""A file that goes with the text of a broadcast, as gateways and pages need it."""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.media.kinds import MediaKind, kind_of


class Otherwise(StrEnum):
    """What goes to people whose channel does not carry the file: a link to it, its description in words, nothing."""

    LINK = "link"
    WORDS = "words"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Media:
    """One file for everybody in a batch. `id` is ours; `sha256` (hex) is that of its bytes, `size` counts them.

    `url` is a signed link that is good for weeks; `preview` one to a small picture that stands for it. `handle` is the
    provider's own id for it, from an earlier upload, or empty. `alt` describes it in words, `instead` is what goes at
    the end of the text to a person who cannot get the file. `seconds` is how long it plays, where that is known.
    """

    id: int
    sha256: str
    mime: str
    size: int
    name: str
    alt: str
    url: str
    preview: str = ""
    seconds: float | None = None
    handle: str = ""
    instead: str = ""

    @property
    def kind(self) -> MediaKind:
        """What people see or hear."""
        return kind_of(self.mime)


def instead_of(otherwise: Otherwise, alt: str, url: str) -> str:
    """Return what stands at the end of a text in place of a file; with a line break before it, or empty."""
    words = {
        Otherwise.LINK: f"{alt}: {url}" if alt else url,
        Otherwise.WORDS: f"[{alt}]" if alt else "",
        Otherwise.NOTHING: "",
    }[otherwise]
    return f"\n{words}" if words else ""
