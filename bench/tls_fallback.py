"""Python's TLS terminator, for machines without haproxy: much slower, and the report says that it was this one.

    python -m bench.tls_fallback LISTENING_FD CERTIFICATE_WITH_KEY SINK_HOST:PORT

Several may have the same listening socket; each takes its share of the connections.
"""

import asyncio
import contextlib
import socket
import ssl
import sys

_BYTES = 65536


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(_BYTES):
            target.write(data)
            await target.drain()
    target.close()


async def _serve(listener: socket.socket, context: ssl.SSLContext, host: str, port: int) -> None:
    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(host, port)
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))

    server = await asyncio.start_server(carry, sock=listener, ssl=context)
    await server.serve_forever()


def main(fd: str, certificate: str, sink: str) -> None:
    """Serve until killed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    host, _, port = sink.rpartition(":")
    asyncio.run(_serve(socket.socket(fileno=int(fd)), context, host, int(port)))


if __name__ == "__main__":
    main(*sys.argv[1:])
