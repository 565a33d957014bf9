"""A site of somebody else on loopback: one page, on an origin that is not ours."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = """<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>A site</title>
<link rel="icon" href="data:,"></head><body><main><h1>The Riverside Herald</h1>
{tag}</main></body></html>"""


@contextmanager
def other_site(tag: str, language: str = "en", policy: str = "") -> Iterator[str]:
    """Serve a page with `tag` in it as long as the block does; gives its address.

    `policy` is the site's own Content-Security-Policy.
    """
    body = PAGE.format(tag=tag, language=language).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            if policy:
                self.send_header("Content-Security-Policy", policy)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
