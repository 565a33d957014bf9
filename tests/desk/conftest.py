"""The desk as a browser without JavaScript sees it: pages, forms with their tokens, redirects."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from html import unescape

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.services import manage_users
from app.storage.database import db, transaction
from app.storage.models.accounts import Role, User
from tests.support.world import NOON, Newsroom

PASSWORD = "four random words here"
EMAILS = {Role.ADMIN: "ada@example.com", Role.EDITOR: "ed@example.com"}

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Visitor:
    """A browser: keeps cookies, and sends with a form the token of the page it stands on."""

    client: FlaskClient
    language: str = "en"
    token: str = ""
    address: str = "127.0.0.1"

    def get(self, path: str, **headers: str) -> TestResponse:
        return self._remember(
            self.client.get(path, headers=self._headers(headers), environ_base=self._from())
        )

    def post(self, path: str, form: dict[str, object] | None = None, **headers: str) -> TestResponse:
        data = {"csrf_token": self.token, **(form or {})}
        return self._remember(
            self.client.post(path, data=data, headers=self._headers(headers), environ_base=self._from())
        )

    def submit(self, path: str, form: dict[str, object] | None = None) -> TestResponse:
        """Post a form and follow the redirect, as a browser does."""
        answer = self.post(path, form)
        assert answer.status_code == 302, words(answer)
        return self.get(answer.location)

    def sign_in(self, email: str, password: str = PASSWORD) -> TestResponse:
        self.get("/sign-in")
        answer = self.post("/sign-in", {"email": email, "password": password})
        if answer.status_code == 302:
            self.get("/account")
        return answer

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return {"Accept-Language": self.language, **named}

    def _from(self) -> dict[str, str]:
        return {"REMOTE_ADDR": self.address}

    def _remember(self, answer: TestResponse) -> TestResponse:
        if answer.mimetype == "text/html" and (found := _TOKEN.search(answer.text)):
            self.token = found.group(1)
        return answer


@dataclass
class House:
    """The desk with two accounts and a newsroom; `inside()` opens the application's context for services."""

    app: Flask
    ids: dict[Role, int] = field(default_factory=dict)

    @contextmanager
    def inside(self) -> Iterator[Newsroom]:
        with self.app.app_context():
            yield self.newsroom
            db.session.remove()

    newsroom: Newsroom = field(init=False)

    def __post_init__(self) -> None:
        with self.app.app_context():
            self.newsroom = Newsroom(self.app)
            with transaction() as session:
                for role, email in EMAILS.items():
                    user = User(
                        email=email,
                        name=f"{role.title()} Berg",
                        password_hash=_hash(),
                        role=role,
                        created_at=NOON,
                    )
                    session.add(user)
                    session.flush()
                    self.ids[role] = user.id


@cache
def _hash() -> str:
    """Hashing is slow on purpose, and a hash carries how slow: this one is checked at once at every sign-in."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


def words(answer: TestResponse) -> str:
    """What a page says, without its tags."""
    text = re.sub(r"<(script|style|title)\b.*?</\1>|<[^>]+>", " ", answer.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(text)).strip()


@pytest.fixture
def house(app: Flask) -> House:
    return House(app)


@pytest.fixture
def visit(house: House) -> Callable[..., Visitor]:
    """Make a browser; with a role, one that is signed in."""

    def make(role: Role | None = None, language: str = "en") -> Visitor:
        visitor = Visitor(house.app.test_client(), language)
        if role is not None:
            with house.inside():
                manage_users.set_language(house.ids[role], language)
            visitor.sign_in(EMAILS[role])
        return visitor

    return make


@pytest.fixture
def editor(visit: Callable[..., Visitor]) -> Visitor:
    return visit(Role.EDITOR)


@pytest.fixture
def admin(visit: Callable[..., Visitor]) -> Visitor:
    return visit(Role.ADMIN)
