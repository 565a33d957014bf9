"""Through which proxy requests leave, where the network wants one; chosen once for the process."""

import os
from typing import Final
from urllib.parse import urlsplit

SCHEMES: Final = ("http", "https", "socks5", "socks5h")
_OURSELVES: Final = "localhost,127.0.0.1,::1"
_chosen = ""


def read_proxy(text: str) -> str:
    """Return the address of a proxy, or empty for none; raises ValueError. It may hold a password."""
    parts = urlsplit(text)
    if text and (parts.scheme not in SCHEMES or not parts.hostname or parts.path.strip("/") or parts.query):
        raise ValueError(f"must be {', '.join(SCHEMES)}, ://, and the host and port of a proxy")
    return text


def use_proxy(address: str) -> None:
    """Let requests of this process go through the proxy from now on; empty: as HTTPS_PROXY and NO_PROXY say."""
    global _chosen
    _chosen = address


def chosen() -> tuple[str, str]:
    """Return the proxy, and the hosts and networks that are reached without it; both empty when none was chosen."""
    if not _chosen:
        return "", ""
    spared = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    return _chosen, f"{_OURSELVES},{spared}".rstrip(",")
