"""Each command does its work, says it for people and for programs, and refuses with a reason and exit code 1."""

import json
from pathlib import Path

import click
import pytest

from app.commands.root import COMMANDS, root
from tests.cli.conftest import Shell

OWN = [name for name, (where, _) in COMMANDS.items() if not where.startswith("app.commands.run:")]


def _leaves(command: click.Command, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        return [(path, command)]
    return [leaf for name, sub in command.commands.items() for leaf in _leaves(sub, (*path, name))]


def _commands() -> list[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(root)
    found = []
    for name in OWN:
        command = root.get_command(context, name)
        assert command is not None
        found += _leaves(command, (name,))
    return found


def test_every_command_has_json_and_a_help_with_an_example() -> None:
    for path, command in _commands():
        names = {name for parameter in command.params for name in parameter.opts}
        assert "--json" in names, path
        assert f"tidings {' '.join(path)}" in (command.help or ""), path


def test_the_help_of_the_root_needs_no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("TIDINGS_HOME", str(tmp_path))

    assert all(name in Shell(tmp_path).ok("--help") for name in COMMANDS)


def test_missing_settings_are_each_named_and_exit_with_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "MASTER_KEY", "PUBLIC_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TIDINGS_HOME", str(tmp_path))

    result = Shell(tmp_path).run("lists", "list")

    assert result.exit_code == 1
    assert "DATABASE_URL is not set. Example: DATABASE_URL=" in result.stderr
    assert "MASTER_KEY is not set" in result.stderr


def test_settings_left_in_the_home_folder_are_used(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.write("settings.env", "# left by init\nPUBLIC_URL=https://news.example.org\n")
    monkeypatch.delenv("PUBLIC_URL")

    checks = {check["name"]: check["found"] for check in json.loads(shell.run("doctor", "--json").stdout)}

    assert checks["public address"] == "https://news.example.org"


def test_misuse_exits_with_2(shell: Shell) -> None:
    assert shell.run("lists", "frobnicate").exit_code == 2
    assert shell.run("broadcasts", "create", "--title", "x", "--list", "NEWS").exit_code == 2
    assert shell.run("consent", "verify", "--head", "7").exit_code == 2


def test_a_refusal_is_one_line_on_stderr_and_exits_with_1(newsdesk: Shell) -> None:
    result = newsdesk.run("lists", "create", "Other", "--keyword", "STOP", "--purpose", "x")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    assert "means STOP" in result.stderr


def test_no_secret_is_ever_printed(newsdesk: Shell) -> None:
    said = newsdesk.ok("senders", "list") + newsdesk.ok("senders", "list", "--json")

    assert "news-us" in said
    assert "a-token-of-tests" not in said


def test_an_account_of_senders_is_named_paced_and_listed(newsdesk: Shell) -> None:
    assert newsdesk.ok("senders", "set", "news-us", "--account", "riverside").strip() == (
        "news-us belongs to riverside"
    )
    assert newsdesk.json("senders", "account-rate", "riverside", "80") == {
        "account": "riverside",
        "rate": 80,
        "senders": ["news-us"],
    }
    assert "riverside" in newsdesk.ok("senders", "accounts")
    assert "no limit" in newsdesk.ok("senders", "account-rate", "riverside", "none")
    assert newsdesk.ok("senders", "set", "news-us", "--account", "").startswith(
        "news-us belongs to twilio:AC"
    )
    unknown = newsdesk.run("senders", "account-rate", "riverside", "80")
    assert (unknown.exit_code, "riverside" in unknown.stderr) == (1, True)
    slip = newsdesk.run("senders", "account-rate", "riverside", "fast")
    assert (slip.exit_code, "Example: 80" in slip.stderr) == (2, True)


def test_senders_are_paced_paused_resumed_and_given_new_secrets(newsdesk: Shell) -> None:
    assert newsdesk.json("senders", "rate", "news-us", "5")["rate"] == 5
    assert newsdesk.json("senders", "pause", "news-us", "--reason", "outage")["paused_reason"] == "outage"
    assert newsdesk.json("senders", "resume", "news-us")["paused_at"] is None
    assert newsdesk.json("senders", "rotate", "news-us", "--set", "auth_token=new")["name"] == "news-us"


def test_a_server_of_ones_own_is_given_a_file_and_the_audit_log_says_who_asked_for_it(
    newsdesk: Shell,
) -> None:
    settings = {"server": "https://matrix.example.org", "bot": "@city:example.org", "as_token": "a" * 32}
    pairs = [f"{name}={value}" for name, value in (settings | {"hs_token": "h" * 32}).items()]
    added = newsdesk.ok(
        *("senders", "add", "city-matrix", "--gateway", "matrix"),
        *(word for pair in pairs for word in ("--set", pair)),
    )
    assert "a" * 32 not in added

    lines = newsdesk.ok("senders", "registration", "city-matrix").splitlines()

    assert {
        'url: "http://localhost/hooks/city-matrix"',
        f'as_token: "{"a" * 32}"',
        'sender_localpart: "city"',
    } <= set(lines)
    whole = newsdesk.json("senders", "registration", "city-matrix")["registration"]
    assert whole.splitlines() == lines
    other = newsdesk.run("senders", "registration", "news-us")
    assert other.exit_code == 1
    assert "http://localhost/hooks/news-us" in other.stderr
    assert "city-matrix, news-us" in newsdesk.run("senders", "registration", "nobody").stderr


def test_an_unknown_gateway_is_refused_with_those_there_are(shell: Shell) -> None:
    result = shell.run("senders", "add", "x1", "--gateway", "pigeon")

    assert result.exit_code == 1
    assert "twilio" in result.stderr


def test_an_import_says_its_numbers_and_writes_the_rows_that_were_not_taken(newsdesk: Shell) -> None:
    people = newsdesk.write("more.csv", "number\n+12025550101\n+12025550103\nabc\n")
    errors = newsdesk.folder / "errors.csv"

    said = newsdesk.json(
        "subscribers", "import", people, "--list", "News", "--evidence-source", "Form",
        "--evidence-at", "2026-01-02", "--evidence-words", "Yes", "--rejects", str(errors),
    )  # fmt: skip

    assert (said["rows"], said["counts"]["imported"], said["counts"]["already_active"]) == (3, 1, 1)
    assert said["first_problems"][0]["line"] == 4
    header, row = errors.read_text(encoding="utf-8-sig").splitlines()
    assert header == "import_line,import_problem,number"
    assert row.startswith('4,"number “abc”: ')
    assert row.endswith(",abc")


def test_an_import_without_evidence_is_refused(newsdesk: Shell) -> None:
    people = newsdesk.write("more.csv", "number\n+12025550103\n")

    result = newsdesk.run("subscribers", "import", people, "--list", "NEWS")

    assert result.exit_code == 1
    assert "--evidence-source" in result.stderr


def test_people_are_shown_exported_and_opted_out(newsdesk: Shell) -> None:
    out = newsdesk.folder / "out.csv"

    newsdesk.ok("subscribers", "opt-out", "+12025550101", "--reason", "called")
    shown = newsdesk.json("subscribers", "show", "+1 202 555 0101")
    written = newsdesk.json("subscribers", "export", "NEWS", "--out", str(out))

    assert [row["state"] for row in shown["lists"]] == ["stopped"]
    assert written["rows"] == 2
    assert out.read_text() == newsdesk.ok("subscribers", "export", "NEWS")


def test_somebody_is_asked_once_with_the_evidence_and_not_after_a_stop(newsdesk: Shell) -> None:
    card = newsdesk.write("card.txt", "Yes, News. Ada")
    words = ("subscribers", "ask", "+1 202 555 0109", "--list", "NEWS", "--evidence", "card 17")

    asked = newsdesk.json(*words, "--received-by", "in_person", "--document", card, "--language", "de")
    again = newsdesk.run(*words)
    newsdesk.ok("subscribers", "opt-out", "+12025550101", "--reason", "called")
    left = newsdesk.run("subscribers", "ask", "+12025550101", "--list", "NEWS", "--evidence", "card 18")
    proof = newsdesk.json("consent", "show", "+12025550109")

    assert (asked["list_name"], asked["address"]) == ("News", "+12025550109")
    assert (again.exit_code, left.exit_code) == (1, 1)
    assert "was asked already" in again.output
    assert "said STOP" in left.output
    assert len(proof["entries"]) == 2


def test_an_import_is_previewed_with_mapped_columns(newsdesk: Shell) -> None:
    people = newsdesk.write("more.csv", "Telefon;Ort\n'+12025550103;Köln\n")
    words = (
        "subscribers", "import", people, "--list", "News", "--map", "address=Telefon", "--map", "city=Ort",
        "--evidence-source", "Form", "--evidence-at", "2026-01-02", "--evidence-words", "Yes",
        "--evidence-document", people, "--evidence-by", "Anna Ross",
    )  # fmt: skip

    said = newsdesk.ok(*words, "--dry-run")
    done = newsdesk.json(*words)
    misuse = newsdesk.run("subscribers", "import", people, "--list", "News", "--map", "phone=Telefon")

    assert "dry run: nothing was changed" in said
    assert "divided at semicolon. address = “Telefon”, city = “Ort”" in said
    assert "+12025550103" in said
    assert (done["counts"]["imported"], done["repaired"], done["import_id"] > 0) == (1, 1, True)
    assert misuse.exit_code == 2


def test_suppressions_are_imported_listed_checked_and_exported(newsdesk: Shell) -> None:
    file = newsdesk.write("gone.csv", "number\n+12025550101\nabc\n")
    out = newsdesk.folder / "out.csv"

    said = newsdesk.ok("suppressions", "import", file, "--reason", "reassigned")
    newsdesk.ok("suppressions", "export", "--out", str(out))

    assert said.startswith("1 suppressed, 0 were so already, 1 rows make no sense\nline 3: address “abc”")
    assert newsdesk.json("suppressions", "check", "001 202 555 0101") == {"suppressed": True}
    assert [row["count"] for row in newsdesk.json("suppressions", "list")] == [1]
    assert newsdesk.json("suppressions", "import", str(out))["done"] == {"added": 0, "already": 1, "bad": 0}


def test_somebody_is_removed_at_our_wish(newsdesk: Shell) -> None:
    newsdesk.ok("subscribers", "set", "+12025550101", "--place", "Riverside")
    assert newsdesk.json("subscribers", "show", "+12025550101")["place"] == "Riverside"
    shown = newsdesk.json("subscribers", "remove", "+12025550101", "--list", "NEWS", "--reason", "moved")

    assert [row["state"] for row in shown["lists"]] == ["stopped"]
    assert newsdesk.run("subscribers", "remove", "+12025550109", "--reason", "moved").exit_code == 1


def test_an_address_is_suppressed_and_released(newsdesk: Shell) -> None:
    newsdesk.ok("subscribers", "suppress", "+12025550101", "--reason", "reassigned")
    assert "suppressed" in newsdesk.json("subscribers", "show", "+12025550101")["overlays"]

    newsdesk.ok("subscribers", "unsuppress", "+12025550101")
    assert newsdesk.json("subscribers", "show", "+12025550101")["overlays"] == {}


def test_consent_is_shown_proved_and_verified(newsdesk: Shell) -> None:
    html, pack = newsdesk.folder / "proof.html", newsdesk.folder / "proof.json"

    assert "Consent given for the list “News”" in newsdesk.ok("consent", "show", "+12025550101")
    newsdesk.ok("consent", "prove", "+12025550101", "--out", str(html), "--lang", "de")
    newsdesk.ok("consent", "prove", "+12025550101", "--out", str(pack))
    verdict = newsdesk.json("consent", "verify")

    assert "Nachweis der Einwilligung" in html.read_text(encoding="utf-8")
    assert json.loads(pack.read_text())["ledger"]["root"] == verdict["root"]
    assert newsdesk.ok("consent", "verify", "--head", f"2:{verdict['head_hash']}").startswith(
        "Good: 2 entries"
    )


def test_a_proof_is_checked_without_database_or_settings(
    newsdesk: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack, folder = newsdesk.folder / "proof.json", newsdesk.folder / "heads"
    newsdesk.ok("consent", "prove", "+12025550101", "--out", str(pack))
    key = newsdesk.ok("consent", "heads", "public-key").strip()
    newsdesk.ok("consent", "heads", "sign")
    listed = newsdesk.json("consent", "heads", "list")
    exported = newsdesk.json("consent", "heads", "export", "--out", str(newsdesk.folder / "stick"))
    verdict = newsdesk.json("consent", "verify", "--heads", str(folder))
    for name in ("DATABASE_URL", "MASTER_KEY", "REDIS_URL"):
        monkeypatch.delenv(name)

    good = newsdesk.json("consent", "check-proof", str(pack), "--public-key", key)
    pack.write_text(pack.read_text().replace("Paper form", "Lottery"))
    bad = newsdesk.run("consent", "check-proof", str(pack))

    assert (good["bad"], good["checked"] > 5, good["key_compared"]) == ([], True, True)
    assert (bad.exit_code, "BAD  Entry" in bad.stdout, "compare the key" in bad.stdout) == (1, True, True)
    assert [len(listed), len(exported), verdict["heads"]] == [2, 2, 2]
    torn = newsdesk.write("torn.json", "{")
    assert newsdesk.run("consent", "check-proof", torn).exit_code == 1


def test_a_rewritten_ledger_exits_with_1(newsdesk: Shell) -> None:
    result = newsdesk.run("consent", "verify", "--head", f"1:{'0' * 64}")

    assert result.exit_code == 1
    assert result.stdout.startswith("BAD: entry 1 ")


def test_rebuilding_reports_what_differs(newsdesk: Shell) -> None:
    assert newsdesk.json("consent", "rebuild", "--check") == {
        "subscribers": 2,
        "subscriptions": 2,
        "differing": 0,
        "repaired": False,
    }


def test_a_broadcast_goes_from_draft_to_schedule_and_is_canceled(newsdesk: Shell) -> None:
    made = newsdesk.json(
        "broadcasts",
        "create",
        "--title",
        "Flood",
        "--text",
        "Riverside: closed. STOP to end",
        "--list",
        "NEWS",
    )
    number = str(made["id"])

    newsdesk.ok("broadcasts", "schedule", number, "--at", "2099-12-01 07:30", "--zone", "Europe/Berlin")
    listed = newsdesk.json("broadcasts", "list", "--state", "scheduled")
    canceled = newsdesk.json("broadcasts", "cancel", number)
    report = newsdesk.ok("broadcasts", "report", number, "--csv", str(newsdesk.folder / "rows.csv"))

    assert made["review"]["reachable"] == 2
    assert [row["due"] for row in listed] == ["2099-12-01T06:30:00+00:00"]
    assert canceled["state"] == "canceled"
    assert "is canceled" in report
    assert (newsdesk.folder / "rows.csv").read_text().startswith("subscriber_id,")


def test_a_broadcast_that_nobody_got_cannot_be_corrected(newsdesk: Shell) -> None:
    number = str(newsdesk.json("broadcasts", "create", "--title", "x", "--text", "y", "--list", "NEWS")["id"])

    refused = newsdesk.run("broadcasts", "correct", number, "--text", "Correction: z")

    assert refused.exit_code == 1
    assert "Nobody got this broadcast" in refused.output


def test_a_broadcast_that_is_not_sending_cannot_be_paused(newsdesk: Shell) -> None:
    number = str(newsdesk.json("broadcasts", "create", "--title", "x", "--text", "y", "--list", "NEWS")["id"])

    assert newsdesk.run("broadcasts", "pause", number).exit_code == 1
    assert newsdesk.run("broadcasts", "status", "999").exit_code == 1


def test_a_broadcast_repeats_by_a_rule_that_is_shown_paused_and_ended(newsdesk: Shell) -> None:
    newsdesk.ok("broadcasts", "create", "--title", "Morning", "--text", "Hello.", "--list", "NEWS")
    form = (
        "broadcasts",
        "repeat",
        "1",
        "--from",
        "2099-03-27 02:30",
        "--zone",
        "Europe/Berlin",
        "--times",
        "4",
    )

    dry = newsdesk.ok(*form, "--dry-run")
    rule = newsdesk.json(*form)
    skipped = newsdesk.json("rules", "skip", "1", "--at", "2099-03-29 02:30")
    back = newsdesk.json("rules", "reopen", "1", "--at", "2099-03-29 02:30")
    listed = newsdesk.ok("rules", "list")

    assert "Sun 29 Mar 2099 03:30 CEST (the clock skips this time)" in dry
    assert (rule["state"], rule["rrule"], rule["zone"]) == ("active", "FREQ=DAILY;COUNT=4", "Europe/Berlin")
    assert [one["state"] for one in skipped["next"]] == [None, None, "skipped", None]
    assert [one["state"] for one in back["next"]] == [None] * 4
    assert "FREQ=DAILY;COUNT=4" in listed
    assert newsdesk.json("rules", "pause", "1")["state"] == "paused"
    assert newsdesk.json("rules", "resume", "1")["state"] == "active"
    assert "is ended" in newsdesk.ok("rules", "end", "1")
    assert newsdesk.json("rules", "show", "1")["next"] == []


def test_a_rule_that_makes_no_sense_is_refused_in_words(newsdesk: Shell) -> None:
    newsdesk.ok("broadcasts", "create", "--title", "Morning", "--text", "Hello.", "--list", "NEWS")
    form = ("broadcasts", "repeat", "1", "--from", "2099-03-27 07:30")

    assert "not both" in newsdesk.run(*form, "--times", "2", "--until", "2099-12-31").stderr
    assert "is no time" in newsdesk.run("broadcasts", "repeat", "1", "--from", "soon").stderr
    assert "no time zone" in newsdesk.run(*form, "--zone", "Mars").stderr
    assert newsdesk.run("broadcasts", "repeat", "9", *form[3:], "--dry-run").exit_code == 1
    assert newsdesk.run("rules", "show", "9").exit_code == 1


def test_users_are_made_listed_and_given_a_new_password(shell: Shell) -> None:
    words = "correct horse battery\n"
    shell.ok(
        "users", "create", "anna@example.org", "--name", "Anna", "--role", "admin", "--password-stdin",
        given=words,
    )  # fmt: skip
    shell.ok("users", "create", "bert@example.org", "--name", "Bert", given=words * 2)
    shell.ok("users", "password", "bert@example.org", "--password-stdin", given="another long secret\n")
    shell.ok("users", "disable", "bert@example.org")

    listed = {row["email"]: row["disabled_at"] is None for row in shell.json("users", "list")}
    last_admin = shell.run("users", "disable", "anna@example.org")

    assert listed == {"anna@example.org": True, "bert@example.org": False}
    assert (last_admin.exit_code, "last admin" in last_admin.stderr) == (1, True)
    assert shell.run("users", "disable", "nobody@example.org").exit_code == 1


def test_reconciling_an_idle_installation_finds_nothing_to_do(newsdesk: Shell) -> None:
    assert set(newsdesk.json("reconcile").values()) == {0}


def test_the_doctor_names_what_does_not_run_and_what_to_do(newsdesk: Shell) -> None:
    result = newsdesk.run("doctor", "--json")

    checks = {check["name"]: check for check in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert checks["database"]["health"] == checks["redis"]["health"] == checks["senders"]["health"] == "ok"
    assert checks["clock"]["health"] == "fail"
    assert checks["clock"]["advice"] == "Start it: python -m workers clock"


def test_the_schema_is_current_and_upgrading_again_changes_nothing(shell: Shell) -> None:
    current, again = shell.json("db", "current"), shell.json("db", "upgrade")

    assert current["has"] == current["needs"] == again["before"] == again["after"]
