"""Finds TCP ports on this machine that nobody listens on."""

import socket

_LAST = 65535


class NoFreePortError(Exception):
    """Every port that was tried is taken."""


def free_ports(count: int = 1, *, start: int = 8000, tries: int = 200) -> list[int]:
    """Return the first `count` ports from `start` up that are free on 127.0.0.1. Raises `NoFreePortError`."""
    found: list[int] = []
    for port in range(start, min(start + tries, _LAST + 1)):
        if is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise NoFreePortError(
        f"No {count} free ports on 127.0.0.1 from {start} up; {tries} were tried. Name another start."
    )


def is_free(port: int) -> bool:
    """Tell whether nobody listens on a port of 127.0.0.1, and we may."""
    with socket.socket() as client:
        client.settimeout(1)
        # macOS lets us bind beside a server that listens on all addresses, so asking it is the surer test.
        if client.connect_ex(("127.0.0.1", port)) == 0:
            return False
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as web servers do
        try:
            server.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
