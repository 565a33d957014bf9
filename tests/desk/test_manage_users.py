"""Accounts: what makes a good one, and what ends one."""

import pytest
from sqlalchemy import select

from app.services import manage_users
from app.services.controller import NotFound, Refused
from app.storage.database import db
from app.storage.models.accounts import AuditEntry, Role, User
from tests.desk.conftest import EMAILS, PASSWORD, House
from tests.support.world import NOON


def add(email: str = "new@example.com", password: str = PASSWORD, name: str = "New") -> int:
    return manage_users.create_user(
        email=email, name=name, password=password, role=Role.EDITOR, by="tests", now=NOON
    )


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"email": "no address"}, "Write an e-mail address"),
        ({"email": "a@b@example.com"}, "Write an e-mail address"),
        ({"email": f"{'a' * 250}@example.com"}, "at most 254"),
        ({"email": "ADA@example.com"}, "already an account"),
        ({"password": "too short"}, "at least 12"),
        ({"password": "x" * 257}, "at most 256"),
        ({"password": "abababababab"}, "repeats itself"),
        ({"email": "somebody@example.com", "password": "somebody@example.com"}, "is no password"),
        ({"name": " "}, "1 to 100"),
    ],
)
def test_a_bad_account_is_refused_with_the_reason(wrong: dict[str, str], reason: str, house: House) -> None:
    with house.inside(), pytest.raises(Refused, match=reason):
        add(**wrong)


def test_an_address_is_the_same_in_any_case(house: House) -> None:
    with house.inside():
        user = manage_users.authenticate(" ADA@Example.com ", PASSWORD)

    assert user is not None
    assert user.id == house.ids[Role.ADMIN]


def test_a_password_matches_however_the_keyboard_composes_it(house: House) -> None:
    with house.inside():
        add(password="über zwölf Zeichen")

        assert manage_users.authenticate("new@example.com", "u\u0308ber zwo\u0308lf Zeichen") is not None


def test_the_password_is_kept_as_an_argon2id_hash_only(house: House) -> None:
    with house.inside():
        stored = db.session.scalars(select(User.password_hash)).all()

    assert all(one.startswith("$argon2id$") and PASSWORD not in one for one in stored)


def test_the_last_admin_cannot_be_closed(house: House) -> None:
    with house.inside(), pytest.raises(Refused, match="last admin"):
        manage_users.disable_user(house.ids[Role.ADMIN], by="tests", now=NOON)


def test_closing_an_account_twice_changes_nothing(house: House) -> None:
    with house.inside():
        for _ in range(2):
            manage_users.disable_user(house.ids[Role.EDITOR], by="tests", now=NOON)
        closed = db.session.get_one(User, house.ids[Role.EDITOR])
        notes = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "user.disabled")).all()

    assert closed.session_epoch == 2
    assert len(notes) == 1


def test_an_account_opened_again_has_its_old_password(house: House) -> None:
    with house.inside():
        manage_users.disable_user(house.ids[Role.EDITOR], by="tests", now=NOON)
        manage_users.enable_user(house.ids[Role.EDITOR], by="tests", now=NOON)

        assert manage_users.authenticate(EMAILS[Role.EDITOR], PASSWORD) is not None


def test_a_password_changes_only_with_the_present_one(house: House) -> None:
    with house.inside():
        editor = house.ids[Role.EDITOR]
        with pytest.raises(Refused, match="not right"):
            manage_users.change_password(editor, old="wrong", new="another four words", by="tests", now=NOON)

        assert manage_users.authenticate(EMAILS[Role.EDITOR], PASSWORD) is not None


def test_what_does_not_exist_is_named_as_such(house: House) -> None:
    with house.inside(), pytest.raises(NotFound):
        manage_users.disable_user(4711, by="tests", now=NOON)


def test_the_desk_speaks_only_its_languages(house: House) -> None:
    with house.inside(), pytest.raises(Refused, match="English"):
        manage_users.set_language(house.ids[Role.EDITOR], "xx")


def test_the_audit_says_who_made_an_account(house: House) -> None:
    with house.inside():
        user_id = add()
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.subject == f"user {user_id}")).one()

    assert (entry.actor, entry.action, entry.details) == ("tests", "user.created", {"role": "editor"})
