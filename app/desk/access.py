"""Who is at the desk and what they may open: every view says so itself, and what says nothing is refused."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar, cast

from flask import Blueprint, Flask, Response, abort, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user

from app.desk import role_notice
from app.desk.security import csrf
from app.storage.database import db
from app.storage.models.accounts import Role, User

_MARK: Final = "__desk_access__"
_LARGEST: Final = "__desk_largest_body__"
_PUBLIC: Final = "public"
LARGEST_ID: Final = 2**63 - 1

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])

login_manager: Final = LoginManager()


@dataclass(frozen=True)
class Person:
    """Somebody signed in, as the pages know them. The attributes and `get_id` are what Flask-Login asks for."""

    id: int
    name: str
    email: str
    role: Role
    language: str
    epoch: int
    shortcuts: bool
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        """What the session keeps: raising the account's epoch makes every older session worthless."""
        return f"{self.id}.{self.epoch}"

    def may(self, role: Role) -> bool:
        """An admin may do all that an editor may."""
        return self.role is Role.ADMIN or self.role is role

    @property
    def actor(self) -> str:
        """How ledgers and rows name this person; names alone are not unique."""
        return f"{self.name} (#{self.id})"


def person_of(user: User) -> Person:
    """The signed-in view of an account."""
    return Person(
        user.id, user.name, user.email, Role(user.role), user.language, user.session_epoch, user.shortcuts
    )


def me() -> Person:
    """The person of this request; only for views that are not public."""
    return cast(Person, current_user._get_current_object())


def allow(role: Role, *, largest: int | None = None) -> Callable[[View], View]:
    """Mark a view as open to `role` and whoever stands above it.

    A view that takes files says the `largest` body in bytes; it counts only for those who may use the view.
    """

    def mark(view: View) -> View:
        setattr(view, _MARK, role)
        setattr(view, _LARGEST, largest)
        return view

    return mark


def public(view: View) -> View:
    """Mark a view as open to everybody, signed in or not."""
    setattr(view, _MARK, _PUBLIC)
    return view


def access_of(view: Callable[..., object]) -> str | None:
    """`public`, a role, or None for a view that says nothing and is refused."""
    return cast("str | None", getattr(view, _MARK, None))


def room(name: str, import_name: str) -> Blueprint:
    """A blueprint whose views are refused unless they are marked and the mark fits the person."""
    blueprint = Blueprint(name, import_name)
    blueprint.before_request(_guard)
    return blueprint


def init_access(app: Flask) -> None:
    """Recognise people by their session."""
    login_manager.init_app(app)
    login_manager.user_loader(_load)
    login_manager.unauthorized_handler(_ask_to_sign_in)


def _guard() -> ResponseReturnValue | None:
    access = access_of(current_app.view_functions[request.endpoint or ""])
    if access is None:
        abort(403)
    _make_room_for_a_file(access)
    _refuse_what_no_table_can_hold()
    csrf.protect()
    if access == _PUBLIC:
        return None
    if not current_user.is_authenticated:
        return _ask_to_sign_in()
    g.private = True
    role_notice.tell(me().role)
    if not me().may(Role(access)):
        abort(403)
    return None


def _make_room_for_a_file(access: str) -> None:
    """Before anything reads the form: strangers shall not fill our disk."""
    largest = getattr(current_app.view_functions[request.endpoint or ""], _LARGEST, None)
    if largest and current_user.is_authenticated and me().may(Role(access)):
        request.max_content_length = largest


def _refuse_what_no_table_can_hold() -> None:
    """Made-up ids beyond 64 bits and NUL characters end here, not as a fault of the database."""
    if any(isinstance(value, int) and value > LARGEST_ID for value in (request.view_args or {}).values()):
        abort(404)
    if any("\x00" in value for value in request.values.values()):
        abort(400)


def _load(session_id: str) -> Person | None:
    number, _, epoch = session_id.partition(".")
    if not (number.isdecimal() and epoch.isdecimal()):
        return None
    user = db.session.get(User, int(number))
    if user is None or user.disabled_at is not None or user.session_epoch != int(epoch):
        return None
    return person_of(user)


def _ask_to_sign_in() -> ResponseReturnValue:
    """Send people to the sign-in page, and from there back to where they were (pages only, not forms)."""
    target = request.full_path.rstrip("?") if request.method == "GET" else None
    if request.headers.get("HX-Request"):
        # A fragment must not be filled with the sign-in page: the whole page goes there.
        return Response(status=204, headers={"HX-Redirect": url_for("account.sign_in")})
    return redirect(url_for("account.sign_in", next=target))
