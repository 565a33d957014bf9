"""Who may read and write a bucket of an S3-compatible store, as an operator writes it in one setting."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True)
class S3Access:
    """The server's address, without the bucket; its region; and the key, of which the secret part is never shown."""

    server: str
    region: str
    key: str
    secret: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "S3Access | None":
        """Read `https://server region=… key=… secret=…`; None for nothing. Raises ValueError."""
        if not text.strip():
            return None
        server, *rest = text.split()
        given = dict(part.partition("=")[::2] for part in rest)
        missing = [name for name in ("region", "key", "secret") if not given.get(name)]
        if urlsplit(server).scheme not in ("http", "https") or not urlsplit(server).netloc:
            raise ValueError("must begin with the server's address")
        if missing:
            raise ValueError(f"lacks {missing[0]}=")
        return cls(server.rstrip("/"), given["region"], given["key"], given["secret"])
