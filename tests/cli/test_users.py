"""`tidings users role`: an editor becomes an admin, and the last admin stays one."""

from tests.cli.conftest import Shell


def test_a_role_is_changed_and_the_last_admin_stays_one(newsdesk: Shell) -> None:
    for email, role in (("ada@example.org", "admin"), ("bo@example.org", "editor")):
        newsdesk.ok(
            "users", "create", email, "--name", email, "--role", role, "--password-stdin",
            given="four random words more",
        )  # fmt: skip
    last = newsdesk.run("users", "role", "ada@example.org", "editor")
    assert (last.exit_code, "This is the last admin." in last.stderr) == (1, True)

    assert newsdesk.ok("users", "role", "bo@example.org", "admin") == "bo@example.org is admin now.\n"
    assert newsdesk.ok("users", "role", "bo@example.org", "admin") == "bo@example.org is admin already.\n"
    assert newsdesk.json("users", "role", "ada@example.org", "editor")["changed"] is True
    assert {row["email"]: row["role"] for row in newsdesk.json("users", "list")} == {
        "ada@example.org": "editor",
        "bo@example.org": "admin",
    }
    (first, *_) = newsdesk.json("audit", "list", "--what", "user.role_changed")
    assert first["details"] == {"before": "admin", "role": "editor"}
