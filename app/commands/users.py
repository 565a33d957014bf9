"""`tidings users`: who signs in at the desk."""

import sys
from collections.abc import Sequence

import click
from flask.cli import AppGroup

from app.clock import utcnow
from app.commands.output import json_option, operator, say, table
from app.services import manage_users
from app.services.controller import NotFound
from app.storage.models import User
from app.storage.models.accounts import Role

users = AppGroup("users", help="People who sign in at the desk.")

# A password on the command line would be seen by everybody who lists the processes of this machine.
_password = click.option(
    "--password-stdin", is_flag=True, help="Read the password from stdin instead of asking for it."
)


@users.command("create")
@click.argument("email")
@click.option("--name", required=True, help="As colleagues see it.")
@click.option(
    "--role", type=click.Choice([role.value for role in Role]), default=Role.EDITOR.value, show_default=True
)
@_password
@json_option
def create(email: str, name: str, role: str, password_stdin: bool, as_json: bool) -> None:
    """Add a person who signs in with EMAIL; the password is asked for.

    \b
    Example:
      tidings users create anna@example.org --name "Anna Ross" --role admin
    """
    user_id = manage_users.create_user(
        email=email,
        name=name,
        password=_read_password(password_stdin),
        role=Role(role),
        by=operator(),
        now=utcnow(),
    )
    say({"id": user_id, "email": email, "role": role}, as_json, lambda: f"{name} may sign in with {email}.")


@users.command("list")
@json_option
def list_users(as_json: bool) -> None:
    """List everybody, also those whose account is closed.

    \b
    Example:
      tidings users list
    """
    rows = manage_users.list_users()
    data = [
        {"id": row.id, "email": row.email, "name": row.name, "role": row.role, "disabled_at": row.disabled_at}
        for row in rows
    ]
    say(data, as_json, lambda: _table(rows))


@users.command("disable")
@click.argument("email")
@json_option
def disable(email: str, as_json: bool) -> None:
    """Close the account of EMAIL and sign its person out everywhere.

    \b
    Example:
      tidings users disable anna@example.org
    """
    manage_users.disable_user(_find(email).id, by=operator(), now=utcnow())
    say({"email": email, "disabled": True}, as_json, lambda: f"{email} may not sign in any more.")


@users.command("role")
@click.argument("email")
@click.argument("role", type=click.Choice([role.value for role in Role]))
@json_option
def change_role(email: str, role: str, as_json: bool) -> None:
    """Make the person with EMAIL an editor or an admin; the last admin stays one.

    \b
    Example:
      tidings users role anna@example.org admin
    """
    changed = manage_users.change_role(_find(email).id, Role(role), by=operator(), now=utcnow())
    words = f"{email} is {role} now." if changed else f"{email} is {role} already."
    say({"email": email, "role": role, "changed": changed}, as_json, lambda: words)


@users.command("password")
@click.argument("email")
@_password
@json_option
def password(email: str, password_stdin: bool, as_json: bool) -> None:
    """Give the person with EMAIL a new password and sign them out everywhere.

    \b
    Example:
      tidings users password anna@example.org
    """
    user = _find(email)
    manage_users.set_password(user.id, new=_read_password(password_stdin), by=operator(), now=utcnow())
    say({"email": email, "changed": True}, as_json, lambda: f"{email} has a new password.")


def _find(email: str) -> User:
    wanted = manage_users.normal_email(email)
    for user in manage_users.list_users():
        if user.email == wanted:
            return user
    raise NotFound(f"There is no account {wanted}. See: tidings users list")


def _read_password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, type=str))


def _table(rows: Sequence[User]) -> str:
    return table(
        ("e-mail", "name", "role", "closed"),
        [(row.email, row.name, row.role, row.disabled_at) for row in rows],
        empty="Nobody can sign in yet. Add somebody with: tidings users create --help",
    )
