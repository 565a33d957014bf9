"""Settings, read from the environment once and checked at start; the README's table is tested against this file."""

import base64
import binascii
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.domain.media.buckets import S3Access
from app.domain.pace import read_rates
from app.domain.policy.brakes import Brakes
from app.domain.retention import Periods, read_periods
from app.gateways.proxies import read_proxy

_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._/-]*)?")


class BadSettings(ValueError):
    """One or more settings are missing or wrong; the text has a line for each, with an example."""


def _text(value: str) -> str:
    return value.strip()


def _database_url(value: str) -> str:
    if not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise ValueError("must begin with postgresql:// or sqlite:///")
    return value.replace("postgresql://", "postgresql+psycopg://", 1)


def _redis_url(value: str) -> str:
    if not value.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must begin with redis://, rediss:// or unix://")
    return value


def _public_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("must be an address that providers can reach, without a query")
    return value.rstrip("/")


def _secret(value: str) -> str:
    if len(value) < 32:
        raise ValueError("must have at least 32 characters")
    return value


def _secret_or_none(value: str) -> str:
    return _secret(value) if value else ""


def _master_key(value: str) -> str:
    try:
        raw = base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("must be base64 of 32 bytes") from error
    if len(raw) != 32:
        raise ValueError(f"must be base64 of 32 bytes, not of {len(raw)}")
    return value


def _previous_keys(value: str) -> tuple[str, ...]:
    found = tuple(one.strip() for one in value.split(",") if one.strip())
    return tuple(one if one == "-" else _master_key(one) for one in found)


def _media(value: str) -> str:
    if value.startswith("s3://") and not _BUCKET.fullmatch(value):
        raise ValueError("must be a folder, or s3:// with a bucket and perhaps a folder in it")
    return value


def _region(value: str) -> str:
    if len(value) != 2 or not value.isalpha():
        raise ValueError("must be a country code of two letters")
    return value.upper()


def _new_number(value: str) -> str:
    if value not in ("active", "pending"):
        raise ValueError("must be active or pending")
    return value


def _undo(value: str) -> timedelta:
    if not value.isdecimal() or int(value) > 300:
        raise ValueError("must be a whole number of seconds from 0 to 300")
    return timedelta(seconds=int(value))


def _connections(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= number <= 512:
        raise ValueError("must be a number from 1 to 512")
    return number


def _count(value: str) -> int:
    if not value.isdecimal():
        raise ValueError("must be a whole number")
    return int(value)


def _setting(
    name: str,
    parse: Callable[[str], Any],
    example: str,
    about: str,
    default: str | None = None,
    secret: bool = False,
) -> Any:
    return field(
        repr=not secret,
        metadata={"name": name, "parse": parse, "example": example, "about": about, "default": default},
    )


@dataclass(frozen=True)
class Settings:
    """Everything the product is told from outside, in the order of the README's table."""

    database_url: str = _setting(
        "DATABASE_URL",
        _database_url,
        "postgresql://tidings@localhost/tidings",
        "PostgreSQL for service, SQLite for trial",
        secret=True,  # may hold a password
    )
    redis_url: str = _setting(
        "REDIS_URL",
        _redis_url,
        "redis://localhost:6379/0",
        "Redis 6.2+ or Valkey: wakes workers, paces senders",
        secret=True,  # may hold a password
    )
    secret_key: str = _setting(
        "SECRET_KEY", _secret, "64 random hex digits", "Signs sessions and form tokens", secret=True
    )
    master_key: str = _setting(
        "MASTER_KEY",
        _master_key,
        "base64 of 32 random bytes",
        "Seals senders' secrets and the personal part of the ledger",
        secret=True,
    )
    master_key_previous: tuple[str, ...] = _setting(
        "MASTER_KEY_PREVIOUS",
        _previous_keys,
        "the key before, then the one before that",
        "Master keys before this one, newest first, with commas; `-` for one thrown away",
        "",
        secret=True,
    )
    public_url: str = _setting(
        "PUBLIC_URL",
        _public_url,
        "https://news.example.org",
        "Address under which providers and people reach us",
    )
    home: Path = _setting(
        "TIDINGS_HOME",
        lambda v: Path(v).expanduser().absolute(),
        "/var/lib/tidings",
        "Folder for state on this machine",
        "var",
    )
    brand: str = _setting(
        "TIDINGS_BRAND", _text, "Riverside News", "Who is sending: named in every notice and reply", "Tidings"
    )
    contact: str = _setting(
        "TIDINGS_CONTACT",
        _text,
        "help@news.example.org",
        "Where people reach a human: named in HELP",
        "help@example.org",
    )
    privacy_url: str = _setting(
        "TIDINGS_PRIVACY_URL",
        _text,
        "https://news.example.org/privacy",
        "Privacy page, linked from the welcome text",
        "https://example.org/privacy",
    )
    terms_url: str = _setting(
        "TIDINGS_TERMS_URL",
        _text,
        "https://news.example.org/terms",
        "Terms of use, linked from the sign-up pages",
        "https://example.org/terms",
    )
    region: str = _setting(
        "TIDINGS_REGION", _region, "DE", "Country of numbers written without + and country code", "US"
    )
    new_number: str = _setting(
        "TIDINGS_NEW_NUMBER",
        _new_number,
        "pending",
        "When an account says that its number changed: `active`, the consent moves along, or `pending`, ask anew",
        "active",
    )
    undo: timedelta = _setting(
        "TIDINGS_UNDO_SECONDS",
        _undo,
        "60",
        "Seconds after *Send now* at the desk in which nothing leaves and it can be taken back; 0 to 300",
        "20",
    )
    big_send: int = _setting(
        "TIDINGS_BIG_SEND",
        _count,
        "50000",
        "From so many people on the number is typed on the review before it goes; 0 never asks",
        "10000",
    )
    connections: int = _setting(
        "TIDINGS_CONNECTIONS",
        _connections,
        "128",
        "Requests of a worker on their way to a provider at once, 1 to 512: messages a second × seconds an answer "
        "takes × 1.3",
        "64",
    )
    proxy: str = _setting(
        "TIDINGS_PROXY",
        read_proxy,
        "http://user:password@proxy.lan:3128",
        "Proxy for requests to providers (http, https, socks5, socks5h); empty means as `HTTPS_PROXY` says. Hosts in "
        "`NO_PROXY` are reached directly",
        "",
        secret=True,  # may hold a password
    )
    channel_rates: Mapping[str, float] = _setting(
        "TIDINGS_CHANNEL_RATES",
        read_rates,
        "sms=100, whatsapp=80",
        "Messages (SMS: parts) a second of all senders of a channel together; what is not named has no such limit",
        "",
    )
    brakes: Brakes = _setting(
        "TIDINGS_BRAKES",
        Brakes.parse,
        "failures=20, optouts=3, blocks=3",
        "Per cent of people at which a broadcast stops by itself; 0 never does",
        "",
    )
    ledger: str = _setting(
        "TIDINGS_LEDGER", _text, "riverside", "Name of the consent ledger, one per controller", "main"
    )
    heads_dir: str = _setting(
        "TIDINGS_HEADS_DIR",
        _text,
        "/mnt/safe/heads",
        "Folder for the ledger's signed heads; empty means `heads` in TIDINGS_HOME",
        "",
    )
    media: str = _setting(
        "TIDINGS_MEDIA",
        _media,
        "s3://newsroom/tidings",
        "Where pictures and other files lie: a folder, or a bucket; empty means `media` in TIDINGS_HOME",
        "",
    )
    media_s3: S3Access | None = _setting(
        "TIDINGS_MEDIA_S3",
        S3Access.parse,
        "https://s3.eu-central-1.amazonaws.com region=eu-central-1 key=AKIA… secret=…",
        "The server of that bucket, its region, and the key to it",
        "",
        secret=True,
    )
    retention: Periods = _setting(
        "TIDINGS_RETENTION",
        read_periods,
        "messages=30, proof=3653",
        "Days after which personal data goes, where the defaults do not suit; see `tidings retention report`",
        "",
    )
    metrics_token: str = _setting(
        "TIDINGS_METRICS_TOKEN",
        _secret_or_none,
        "64 random hex digits",
        "Whoever asks `/metrics` shows it as a bearer token; empty means that there is no such page",
        "",
        secret=True,
    )
    log_level: str = _setting("LOG_LEVEL", _text, "INFO", "DEBUG, INFO, WARNING or ERROR", "INFO")
    demo_phones_url: str = _setting(
        "TIDINGS_PHONES_URL",
        _text,
        "http://127.0.0.1:8001",
        "Set by the demo: where the simulator's phones are",
        "",
    )

    @property
    def media_folder(self) -> Path:
        """Where files that go with broadcasts lie, unless they are in a bucket."""
        return Path(self.media).expanduser().absolute() if self.media else self.home / "media"

    @property
    def heads_folder(self) -> Path:
        """Where signed heads are exported to."""
        return Path(self.heads_dir).expanduser().absolute() if self.heads_dir else self.home / "heads"

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> "Settings":
        """Read every setting; raises `BadSettings` naming each one that is missing or wrong, with an example."""
        env = os.environ if env is None else env
        values: dict[str, Any] = {}
        problems: list[str] = []
        for item in fields(cls):
            try:
                values[item.name] = _read(env, item.metadata)
            except ValueError as error:
                meta = item.metadata
                problems.append(f"{meta['name']} {error}. Example: {meta['name']}={meta['example']}")
        if str(values.get("media", "")).startswith("s3://") and not values.get("media_s3"):
            problems.append("TIDINGS_MEDIA_S3 is not set; TIDINGS_MEDIA names a bucket.")
        if problems:
            raise BadSettings("\n".join(problems))
        return cls(**values)


def _read(env: Mapping[str, str], meta: Mapping[str, Any]) -> Any:
    raw = env.get(meta["name"], "").strip() or meta["default"]
    if raw is None:
        raise ValueError("is not set")
    return meta["parse"](raw)


def make_master_key() -> str:
    """Return a fresh MASTER_KEY."""
    return base64.b64encode(secrets.token_bytes(32)).decode()
