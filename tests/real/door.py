"""The product's own door for webhooks, listening on a port of this machine for servers that call us."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from flask import Flask

from app.gateways.registry import build
from app.webhooks import HookDoor


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def open_door(app: Flask, port: int) -> Iterator[str]:
    """Serve `/hooks/` on 127.0.0.1:`port`; gives its address."""
    door = HookDoor(app, app.wsgi_app, build)
    server = make_server("127.0.0.1", port, door, _Server, _Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
