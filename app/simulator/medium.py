"""A file that came with a message."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Medium:
    """One file; `sha256` is that of its bytes, in hex."""

    sha256: str
    mime: str
    data: bytes

    @property
    def kind(self) -> str:
        """image, audio, video, or application for a document."""
        return self.mime.partition("/")[0]
