"""People's rights on the command line: their data, erasure, sealed proof, retention, and the record of processing."""

from pathlib import Path
from typing import Any, Final

import click
from flask.cli import AppGroup

from app.clock import utcnow
from app.commands.output import cell, json_option, operator, say, table, to_json
from app.commands.reviews import subscribers
from app.runtime import runtime
from app.services.controller import Refused
from app.services.rights import art30, erase_subscriber, export_person, retention, sealed_proof, words
from app.services.rights.erase_subscriber import Erased
from app.storage.models import PurgeRun

__all__ = ["records", "retain", "subscribers"]

records = AppGroup("records", help="Records that a supervisory authority asks for.")
retain = AppGroup("retention", help="How long personal data is kept, and what has gone.")

_channel = click.option("--channel", default="sms", show_default=True, help="Where the address is.")
_language = click.option(
    "--lang", "language", type=click.Choice(words.LANGUAGES), default="en", help="Language of the page."
)
_SUFFIXES: Final = (".html", ".json")


@subscribers.command("data")
@click.argument("address")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="FILE.html, FILE.json, or a folder for the JSON and the pages of all languages.",
)
@_channel
@_language
@json_option
def data(address: str, out: Path, channel: str, language: str, as_json: bool) -> None:
    """Write everything that is held of one person: what they may ask for under GDPR articles 15 and 20.

    \b
    Example:
      tidings subscribers data "+1 202 555 0101" --out request-17/
    """
    controller = runtime().controller
    subscriber_id = erase_subscriber.find(address, channel=channel, controller=controller)

    def pack(spoken: str) -> dict[str, Any]:
        return export_person.export(
            subscriber_id,
            language=spoken,
            periods=runtime().settings.retention,
            by=operator(),
            controller=controller,
            now=utcnow(),
        )

    if out.suffix.lower() in _SUFFIXES:
        written = [_write_one(out, pack(language), export_person.page)]
    else:
        packs = {spoken: pack(spoken) for spoken in words.LANGUAGES}
        written = [_write_one(out / "person.json", packs[language], export_person.page)]
        written += [
            _write_one(out / f"person-{spoken}.html", made, export_person.page)
            for spoken, made in packs.items()
        ]
    say({"files": written}, as_json, lambda: "Written: " + ", ".join(written))


@subscribers.command("erase")
@click.argument("address")
@click.option(
    "--full/--keep-proof",
    "full",
    default=None,
    help="Destroy the proof of consent too, or keep it under lock. Without either: destroyed if nothing was ever sent.",
)
@click.option("--reason", default="", help="How the request reached you; sealed with the proof.")
@click.option("--dry-run", is_flag=True, help="Say what would go and change nothing.")
@_channel
@json_option
def erase(address: str, full: bool | None, reason: str, dry_run: bool, channel: str, as_json: bool) -> None:
    """Erase one person at once; it cannot be undone.

    Profile and words go, what waits is struck, the address is suppressed as a keyed hash. Entries of the ledger
    and the counts of broadcasts stay without a person behind them.

    \b
    Example:
      tidings subscribers erase "+1 202 555 0101" --reason "letter of 3 March"
    """
    controller = runtime().controller
    subscriber_id = erase_subscriber.find(address, channel=channel, controller=controller)
    if dry_run:
        found = erase_subscriber.statement(subscriber_id)
        whole = found.never_sent if full is None else full
        planned = Erased(subscriber_id, whole, found)
        say(planned, as_json, lambda: "Would do: " + _erased_in_words(planned))
        return
    done = erase_subscriber.erase(
        subscriber_id, full=full, reason=reason, by=operator(), controller=controller, now=utcnow()
    )
    say(done, as_json, lambda: _erased_in_words(done))


@subscribers.command("sealed")
@click.argument("address")
@click.option("--reason", required=True, help="Which claim it is for; goes into the audit log.")
@click.option("--out", type=click.Path(path_type=Path), help="FILE.json to write; stdout without it.")
@_channel
@click.option("--json", "as_json", is_flag=True, help="Say what was written as JSON; needs --out.")
def sealed(address: str, reason: str, out: Path | None, channel: str, as_json: bool) -> None:
    """Open the proof that was kept under lock when the person at ADDRESS was erased.

    \b
    Example:
      tidings subscribers sealed "+1 202 555 0101" --reason "claim 17, district court" --out proof.json
    """
    if out is None and as_json:
        raise click.UsageError(
            "--json needs --out: without it the proof itself, which is JSON, goes to stdout."
        )
    pack = sealed_proof.open_sealed(
        address, channel=channel, reason=reason, by=operator(), controller=runtime().controller, now=utcnow()
    )
    if out is None:
        click.echo(to_json(pack))
        return
    _write(out, to_json(pack) + "\n")
    count = sum(len(one["entries"]) for one in pack["people"])
    say({"file": str(out), "entries": count}, as_json, lambda: f"{count} entries written to {out}.")


@retain.command("report")
@_language
@json_option
def report(language: str, as_json: bool) -> None:
    """Show how long what is kept, and what the last rounds took away.

    \b
    Example:
      tidings retention report
    """
    rows = words.retention_table(language, runtime().settings.retention)
    runs = [_run_as_data(run) for run in retention.last_runs()]
    say({"periods": rows, "runs": runs}, as_json, lambda: f"{_periods(rows)}\n\n{_runs(runs)}")


@retain.command("run")
@click.option("--dry-run", is_flag=True, help="Say what would go and change nothing.")
@json_option
def run(dry_run: bool, as_json: bool) -> None:
    """Let go now what has been kept long enough. The clock does this once a day by itself.

    \b
    Example:
      tidings retention run --dry-run
    """
    periods, now = runtime().settings.retention, utcnow()
    if dry_run:
        counts = retention.would_go(periods=periods, now=now)
        say({"dry_run": True, "counts": counts}, as_json, lambda: "Would go: " + _counts(counts))
        return
    done = retention.purge(by=operator(), periods=periods, controller=runtime().controller, now=now)
    say(_run_as_data(done), as_json, lambda: "Gone: " + _counts(done.counts))


@records.command("art30")
@click.option("--out", type=click.Path(path_type=Path), help="FILE.html to print or FILE.json; else stdout.")
@_language
@json_option
def processing(out: Path | None, language: str, as_json: bool) -> None:
    """Write the record of processing activities (GDPR article 30) from lists, senders, settings and retention.

    \b
    Example:
      tidings records art30 --out art30.html --lang de
    """
    pack = art30.record_of_processing(
        language=language,
        periods=runtime().settings.retention,
        controller=runtime().controller,
        now=utcnow(),
    )
    if out is None:
        click.echo(to_json(pack))
        return
    if out.suffix.lower() not in _SUFFIXES:
        raise click.UsageError("--out must end in .html (a page to print) or .json.")
    written = _write_one(out, pack, art30.page)
    count = len(pack["activities"])
    say({"file": written, "activities": count}, as_json, lambda: f"{count} activities written to {written}.")


def _write_one(path: Path, pack: dict[str, Any], page: Any) -> str:
    _write(path, page(pack) if path.suffix.lower() == ".html" else to_json(pack) + "\n")
    return str(path)


def _write(path: Path, text: str) -> None:
    """Write a file that holds personal data: for its owner only, in a folder that is made when it is missing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error


def _erased_in_words(done: Erased) -> str:
    found = done.statement
    proof = (
        f"{found.proof} sealed proofs destroyed with their key"
        if done.full
        else f"{found.proof} sealed proofs under lock (open them for a claim: tidings subscribers sealed)"
    )
    return (
        f"person {done.subscriber_id} erased. Gone: address, profile, {found.texts} texts and our answers, "
        f"{found.waiting} waiting messages struck; {proof}.\nStays: a keyed hash of the address, so that no import "
        f"brings it back; {found.deliveries} deliveries and the entries of the ledger, without the person."
    )


def _run_as_data(done: PurgeRun) -> dict[str, Any]:
    return {
        "id": done.id,
        "by": done.by,
        "started_at": done.started_at,
        "finished_at": done.finished_at,
        "counts": dict(done.counts),
    }


def _periods(rows: list[dict[str, Any]]) -> str:
    return table(
        ("kind", "kept", "counted from", "what"),
        [(row["kind"], row["period"], row["counted_from"], row["what"]) for row in rows],
        empty="",
    )


def _runs(runs: list[dict[str, Any]]) -> str:
    return table(
        ("round", "by", "finished", "gone"),
        [(cell(one["started_at"]), one["by"], one["finished_at"], _counts(one["counts"])) for one in runs],
        empty="No round yet. The clock makes one a day.",
    )


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "nothing"
