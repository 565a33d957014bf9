"""An admin of the desk who asks for pages over HTTP, and how long each answer takes."""

import http.client
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

from app.clock import utcnow
from app.services.manage_users import create_user
from app.storage.models.accounts import Role
from bench.ours import Newsroom
from bench.running import RunFailed

_EMAIL = "ada@example.com"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_SECONDS = 300.0


@dataclass
class Visitor:
    """A browser that keeps one cookie and one connection."""

    connection: http.client.HTTPConnection
    cookie: str = ""

    def get(self, path: str) -> tuple[bytes, float]:
        """Return a page and the milliseconds until its last byte. Raises `RunFailed` unless it is one."""
        began = time.monotonic()
        status, body = self._ask("GET", path)
        if status != 200:
            raise RunFailed(f"The page {path} was answered with {status}.")
        return body, (time.monotonic() - began) * 1000

    def sign_in(self, password: str) -> None:
        """Sign in with the form, as people do. Raises `RunFailed`."""
        _, page = self._ask("GET", "/sign-in")
        token = _TOKEN.search(page.decode())
        form = {"csrf_token": token[1] if token else "", "email": _EMAIL, "password": password}
        if self._ask("POST", "/sign-in", urlencode(form))[0] != 302:
            raise RunFailed("The desk did not let its admin in.")

    def _ask(self, method: str, path: str, form: str | None = None) -> tuple[int, bytes]:
        headers = {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request(method, path, form, headers)
        answer = self.connection.getresponse()
        body = answer.read()
        if given := answer.getheader("Set-Cookie"):
            self.cookie = given.partition(";")[0]
        return answer.status, body


@contextmanager
def visitor(room: Newsroom, port: int) -> Iterator[Visitor]:
    """Make an admin, and yield them signed in at the web process on this port. Raises `RunFailed`."""
    password = secrets.token_urlsafe(20)
    with room.app.app_context():
        create_user(email=_EMAIL, name="Ada", password=password, role=Role.ADMIN, by="bench", now=utcnow())
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)) as connection:
        made = Visitor(connection)
        made.sign_in(password)
        yield made
