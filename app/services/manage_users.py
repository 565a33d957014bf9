"""People of the desk: create them, check their password, change what they may do."""

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.services.controller import NotFound, Refused
from app.storage.database import db, transaction
from app.storage.models.accounts import AuditEntry, Role, User

MIN_PASSWORD: Final = 12
MAX_PASSWORD: Final = 256
LANGUAGES: Final = ("en", "de")

_hasher: Final = PasswordHasher()  # argon2id with the parameters of RFC 9106, low-memory profile


@cache
def _nobodys_hash() -> str:
    """A hash to check against when there is no account, so that its absence takes as long as a wrong password."""
    return _hasher.hash("no account has this password")


def create_user(*, email: str, name: str, password: str, role: Role, by: str, now: datetime) -> int:
    """Add a person to the desk and return the new id. Raises Refused naming what is wrong."""
    email, name = normal_email(email), name.strip()
    if not name or len(name) > 100:
        raise Refused("Write a name of 1 to 100 characters.")
    _check_password(password, email)
    password_hash = _hasher.hash(_normal(password))
    with transaction() as session:
        if session.scalar(select(User.id).where(User.email == email)):
            raise Refused("There is already an account with this e-mail address.")
        user = User(email=email, name=name, password_hash=password_hash, role=role, created_at=now)
        session.add(user)
        session.flush()
        _note(session, now, by, "user.created", user, role=str(role))
        return user.id


def authenticate(email: str, password: str) -> User | None:
    """Return the person whose e-mail address and password these are, else None.

    None stands for an unknown address, a wrong password and a disabled account alike, and each takes one hash.
    """
    user = db.session.scalar(select(User).where(User.email == email.strip().lower()))
    matches = _matches(user.password_hash if user else _nobodys_hash(), password)
    return user if user and matches and user.disabled_at is None else None


def change_password(user_id: int, *, old: str, new: str, by: str, now: datetime) -> int:
    """Set a new password, sign the person out everywhere else, and return the new session epoch.

    Raises Refused when `old` is not the present password or `new` is not good enough.
    """
    user = _reading(user_id)
    if not _matches(user.password_hash, old):
        raise Refused("The present password is not right.")
    return set_password(user_id, new=new, by=by, now=now)


def set_password(user_id: int, *, new: str, by: str, now: datetime) -> int:
    """Give a person a new password without asking for the old one; returns the new session epoch."""
    _check_password(new, _reading(user_id).email)
    password_hash = _hasher.hash(_normal(new))
    with transaction() as session:
        user = _writing(session, user_id)
        user.password_hash = password_hash
        user.session_epoch += 1
        _note(session, now, by, "user.password_changed", user)
        return user.session_epoch


def disable_user(user_id: int, *, by: str, now: datetime) -> None:
    """Close an account and sign its person out everywhere. Raises Refused for the last admin."""
    with transaction() as session:
        user = _writing(session, user_id)
        if user.disabled_at is not None:
            return
        if user.role == Role.ADMIN and not _other_admins(session, user_id):
            raise Refused("This is the last admin. Make somebody else admin first.")
        user.disabled_at = now
        user.session_epoch += 1
        _note(session, now, by, "user.disabled", user)


def enable_user(user_id: int, *, by: str, now: datetime) -> None:
    """Open a closed account again; its password is what it was."""
    with transaction() as session:
        user = _writing(session, user_id)
        if user.disabled_at is not None:
            user.disabled_at = None
            _note(session, now, by, "user.enabled", user)


def change_role(user_id: int, role: Role, *, by: str, now: datetime) -> bool:
    """Give somebody another role, which counts from their next page on. Returns False where it is theirs already.

    Raises NotFound, and Refused for the last admin who can sign in.
    """
    with transaction() as session:
        user = _writing(session, user_id)
        before = user.role
        if before == role:
            return False
        if before == Role.ADMIN and user.disabled_at is None and not _other_admins(session, user_id):
            raise Refused("This is the last admin. Make somebody else admin first.")
        user.role = role
        _note(session, now, by, "user.role_changed", user, before=str(before), role=str(role))
        return True


def find_user(user_id: int) -> User:
    """Return an account. Raises NotFound."""
    return _reading(user_id)


def set_language(user_id: int, language: str) -> None:
    """Remember in which language a person reads the desk. Raises Refused for one that it does not speak."""
    if language not in LANGUAGES:
        raise Refused("The desk speaks English (en) and German (de).")
    with transaction() as session:
        _writing(session, user_id).language = language


def set_shortcuts(user_id: int, *, on: bool) -> None:
    """Remember whether the desk's keys work for a person."""
    with transaction() as session:
        _writing(session, user_id).shortcuts = on


def list_users() -> Sequence[User]:
    """Every account, also the closed ones, by name."""
    return db.session.scalars(select(User).order_by(User.name, User.id)).all()


def normal_email(raw: str) -> str:
    """The one spelling under which an address is kept. Raises Refused when it cannot be an e-mail address."""
    email = raw.strip().lower()
    local, at, host = email.partition("@")
    if not (at and local and "." in host.strip(".")) or "@" in host or any(c.isspace() for c in email):
        raise Refused("Write an e-mail address such as anna@example.com.")
    if len(email) > 254:
        raise Refused("An e-mail address has at most 254 characters.")
    return email


def _check_password(password: str, email: str) -> None:
    """Length is what counts (NIST SP 800-63B 3.1.1.2): no rules on kinds of characters."""
    if len(password) < MIN_PASSWORD:
        raise Refused("A password has at least 12 characters. Four random words make a good one.")
    if len(password) > MAX_PASSWORD:
        raise Refused("A password has at most 256 characters.")
    if len(set(password)) < 5:
        raise Refused("This password repeats itself. Four random words make a good one.")
    if password.lower() in (email, email.partition("@")[0] * 2):
        raise Refused("The e-mail address is no password.")


def _matches(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, _normal(password[: MAX_PASSWORD + 1]))
    except (VerificationError, InvalidHashError):
        return False


def _normal(password: str) -> str:
    """Keyboards compose letters differently; the same password must match on all of them."""
    return unicodedata.normalize("NFKC", password)


def _reading(user_id: int) -> User:
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound("There is no such account.")
    return user


def _writing(session: Session, user_id: int) -> User:
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("There is no such account.")
    return user


def _other_admins(session: Session, user_id: int) -> bool:
    others = select(User.id).where(User.role == Role.ADMIN, User.id != user_id, User.disabled_at.is_(None))
    return session.scalar(others.limit(1)) is not None


def _note(session: Session, now: datetime, by: str, action: str, user: User, **details: str) -> None:
    session.add(AuditEntry(at=now, actor=by, action=action, subject=f"user {user.id}", details=details))
