"""A site on this machine that serves feeds: what each path answers can be changed, and what was asked is remembered."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Page:
    """What a path answers; with an `etag` that the asker knows, 304."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""


class FeedSite(ThreadingHTTPServer):
    """Serves `pages`; `asked` has the path and the headers of each request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def url(self, path: str = "/feed.xml") -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def show(self, *titles: str, etag: str = "") -> None:
        """Serve a feed of RSS whose items, newest first, have these titles, and their titles as ids."""
        items = "".join(
            f"<item><guid isPermaLink='false'>{title}</guid><title>{title}</title><link>/{title}</link></item>"
            for title in titles
        )
        body = f"<rss version='2.0'><channel><title>City news</title>{items}</channel></rss>"
        self.pages["/feed.xml"] = Page(body.encode(), etag=etag)


class _Answers(BaseHTTPRequestHandler):
    server: FeedSite

    def do_GET(self) -> None:
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        page = self.server.pages.get(self.path, Page(status=404))
        known = page.etag and self.headers.get("If-None-Match") == page.etag
        self.send_response(304 if known else page.status)
        for name, value in {**page.headers, **({"ETag": page.etag} if page.etag else {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"" if known else page.body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def feed_site() -> Iterator[FeedSite]:
    """Run a site as long as the block lasts."""
    with FeedSite() as site:
        threading.Thread(target=site.serve_forever, args=(0.01,), daemon=True).start()
        yield site
        site.shutdown()
