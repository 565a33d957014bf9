"""Carries SMPP units over TCP or TLS: whole ones in, whole ones out."""

import select
import socket
import ssl
import time
from typing import Final

from app.gateways.connection import StreamBroken
from app.gateways.smpp_account import Account
from app.gateways.smpp_pdu import BadPdu, Command, Pdu, Status, next_pdu

_CONNECT_SECONDS: Final = 5.0
_WRITE_SECONDS: Final = 10.0
_READ_BYTES: Final = 65536
_NOT_NOW: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Wire:
    """A connection to a centre. Every trouble with it is a `StreamBroken`."""

    def __init__(self, account: Account) -> None:
        self._buffer = bytearray()
        self._socket = _connect(account)

    def write(self, pdu: Pdu) -> None:
        """Write a unit, waiting for a centre that reads slowly, but not for ever."""
        data = memoryview(pdu.encode())
        deadline = time.monotonic() + _WRITE_SECONDS
        while data:
            try:
                data = data[self._socket.send(data) :]
            except _NOT_NOW:
                if time.monotonic() > deadline:
                    raise StreamBroken("The centre does not read what we write.") from None
                select.select([], [self._socket], [], 0.5)
            except OSError as error:
                raise StreamBroken(f"The connection broke while writing: {error}.") from error

    def read(self, timeout: float) -> list[Pdu]:
        """Return the units that are there within `timeout` seconds, for the first of which it waits."""
        if not self._pending():
            ready, _, _ = select.select([self._socket], [], [], timeout)
            if not ready:
                return []
        try:
            data = self._socket.recv(_READ_BYTES)
        except _NOT_NOW:
            return []
        except OSError as error:
            raise StreamBroken(f"The connection broke while reading: {error}.") from error
        if not data:
            raise StreamBroken("The centre closed the connection.")
        self._buffer += data
        return self._whole()

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _pending(self) -> bool:
        """Tell whether TLS has opened more than we read: the socket itself looks empty then."""
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def _whole(self) -> list[Pdu]:
        found, at = [], 0
        view = bytes(self._buffer)
        try:
            while True:
                pdu, length = next_pdu(view, at)
                if pdu is None:
                    break
                found.append(pdu)
                at += length
        except BadPdu as error:
            # Nobody can tell where the next unit begins.
            self.write(Pdu(Command.GENERIC_NACK, Status.INVALID_LENGTH))
            raise StreamBroken(f"The centre sent what is no SMPP: {error}.") from error
        del self._buffer[:at]
        return found


def _connect(account: Account) -> socket.socket:
    try:
        context = account.context()
        found = socket.create_connection((account.host, account.port), _CONNECT_SECONDS)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context is not None:
            found = context.wrap_socket(found, server_hostname=account.host)
    except OSError as error:  # ssl.SSLError is one
        raise StreamBroken(f"No SMS centre answers at {account.host}:{account.port}: {error}.") from error
    found.setblocking(False)
    return found
