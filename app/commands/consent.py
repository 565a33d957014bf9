"""`tidings consent`: show and prove one person's consent, verify the ledger, rebuild the subscriptions."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click
from flask.cli import AppGroup

from app.clock import utcnow
from app.commands.heads import heads
from app.commands.output import json_option, progress, say, table, to_json
from app.commands.subscribers import in_words
from app.domain.check_proof import Finding
from app.domain.check_proof import check as check_pack
from app.runtime import runtime
from app.services import prove_consent
from app.services.consent_receipts import FORMATS, receipts
from app.services.controller import Refused
from app.services.proof import page, phrases
from app.services.prove_consent import History
from app.services.rebuild_subscriptions import Rebuilt
from app.services.rebuild_subscriptions import rebuild as rebuild_all
from app.services.receipts.facts import Particulars
from app.services.verify_ledger import Kept, Verdict
from app.services.verify_ledger import verify as verify_all

consent = AppGroup("consent", help="Show, prove, verify and rebuild consent.")
consent.add_command(heads)

_HEAD: Final = re.compile(r"(\d{1,18}):([0-9a-f]{64})")

_channel = click.option("--channel", default="sms", show_default=True, help="Where the address is.")
_language = click.option(
    "--lang",
    "language",
    type=click.Choice(phrases.LANGUAGES),
    default="en",
    help="Language of the sentences.",
)


@consent.command("show")
@click.argument("address")
@_channel
@_language
@json_option
def show(address: str, channel: str, language: str, as_json: bool) -> None:
    """Show what the ledger says of one person, in words.

    \b
    Example:
      tidings consent show "+1 202 555 0101"
    """
    history = prove_consent.show(address, channel=channel, language=language, controller=runtime().controller)
    say(history, as_json, lambda: _timeline(history))


@consent.command("prove")
@click.argument("address")
@click.option(
    "--out", type=click.Path(path_type=Path), help="FILE.html to print, FILE.json to check; else stdout."
)
@_channel
@_language
@json_option
def prove(address: str, out: Path | None, channel: str, language: str, as_json: bool) -> None:
    """Write the proof of one person's consent: a page for people, or JSON that others can check.

    ADDRESS may also be the id of an entry, which leads to a person who has been erased, too.

    \b
    Example:
      tidings consent prove "+1 202 555 0101" --out proof.html
    """
    if out is not None and out.suffix.lower() not in (".html", ".json"):
        raise click.UsageError("--out must end in .html (a page to print) or .json (to be checked).")
    pack = prove_consent.prove(
        address,
        channel=channel,
        language=language,
        controller=runtime().controller,
        heads=runtime().settings.heads_folder,
        now=utcnow(),
    )
    if out is None:
        click.echo(to_json(pack))
        return
    _write(out, page.render(pack) if out.suffix.lower() == ".html" else to_json(pack) + "\n")
    summary = {"file": str(out), "entries": len(pack["entries"]), "root": pack["ledger"]["root"]}
    say(summary, as_json, lambda: f"{summary['entries']} entries written to {out}. Root: {summary['root']}")


@consent.command("check-proof", with_appcontext=False)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--public-key", help="The sender's key in hex, from where it was published.")
@json_option
def check_proof(file: Path, public_key: str | None, as_json: bool) -> None:
    """Check a proof (JSON) without database or settings; exit code 1 when something does not hold.

    The same check, without Tidings: python3 app/domain/check_proof.py proof.json

    \b
    Example:
      tidings consent check-proof proof.json --public-key 5f3c...
    """
    try:
        pack = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Refused(
            f"{file} is no JSON; check the file that `consent prove --out proof.json` wrote."
        ) from error
    findings = check_pack(pack, public_key)
    bad = [finding.words for finding in findings if not finding.holds]
    said = {"file": str(file), "checked": len(findings), "bad": bad, "key_compared": public_key is not None}
    say(said, as_json, lambda: "\n".join(_findings(findings, public_key)))
    if bad:
        raise click.exceptions.Exit(1)


@consent.command("receipt")
@click.argument("address")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="27560", show_default=True, help="Which standard."
)
@click.option("--out", type=click.Path(path_type=Path), help="FILE.json; else stdout.")
@click.option("--postal-address", help="Yours, as it should stand in the receipt.")
@click.option("--storage-location", help="Where the data lies, such as: Frankfurt, DE.")
@_channel
@json_option
def receipt(
    address: str,
    form: str,
    out: Path | None,
    postal_address: str | None,
    storage_location: str | None,
    channel: str,
    as_json: bool,
) -> None:
    """Write a person's consents as ISO/IEC TS 27560 records or Kantara receipts, one for each list.

    \b
    Example:
      tidings consent receipt "+1 202 555 0101" --format kantara --out receipt.json
    """
    given = Particulars(postal_address, storage_location)
    found = receipts(address, form=form, channel=channel, given=given, controller=runtime().controller)
    if out is None:
        click.echo(to_json(found))
        return
    _write(out, to_json(found) + "\n")
    say(
        {"file": str(out), "receipts": len(found)},
        as_json,
        lambda: f"{len(found)} {'receipt' if len(found) == 1 else 'receipts'} written to {out}.",
    )


@consent.command("verify")
@click.option("--head", help="A head that was kept, as SEQ:HASH; it must still be in the ledger.")
@click.option(
    "--heads",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder with exported heads; without it, that of the settings where there is one.",
)
@click.option("--public-key", "keys", multiple=True, help="A key that signed heads before; may be repeated.")
@json_option
def verify(head: str | None, folder: Path | None, keys: tuple[str, ...], as_json: bool) -> None:
    """Check the whole ledger; exit code 1 names the first bad entry.

    Heads that were signed earlier and kept outside this machine show that nothing was rewritten or cut since.

    \b
    Example:
      tidings consent verify --heads /media/usb/heads
    """
    own = runtime().settings.heads_folder
    kept = Kept(_head(head), folder or (own if own.is_dir() else None), [key.lower() for key in keys])
    with progress("Verifying") as told:
        verdict = verify_all(controller=runtime().controller, kept=kept, on_progress=told)
    say(verdict, as_json, lambda: _verdict_in_words(verdict))
    if verdict.bad is not None or verdict.problems:
        raise click.exceptions.Exit(1)


@consent.command("rebuild")
@click.option("--check", is_flag=True, help="Repair nothing; exit code 1 when something differs.")
@json_option
def rebuild(check: bool, as_json: bool) -> None:
    """Recompute every subscription from the ledger, and repair those that differ.

    \b
    Example:
      tidings consent rebuild --check
    """
    with progress("Folding the ledger") as told:
        result = rebuild_all(
            controller=runtime().controller, now=utcnow(), repair=not check, on_progress=told
        )
    say(result, as_json, lambda: _rebuilt_in_words(result))
    if check and result.differing:
        raise click.exceptions.Exit(1)


def _timeline(history: History) -> str:
    rows = [(entry.seq, entry.at.replace("T", " ")[:19], entry.words) for entry in history.entries]
    entries = table(("entry", "when (UTC)", "what"), rows, empty="The ledger has no entry of this person.")
    return f"{in_words(history.person)}\n\n{entries}"


def _findings(findings: Sequence[Finding], public_key: str | None) -> Iterator[str]:
    for holds, words in findings:
        yield f"{'ok ' if holds else 'BAD'}  {words}"
    if public_key is None:
        yield "Now compare the key with the one that the sender published, or pass it as --public-key."


def _head(written: str | None) -> tuple[int, str] | None:
    if written is None:
        return None
    match = _HEAD.fullmatch(written.strip().lower())
    if match is None:
        raise click.UsageError("--head takes SEQ:HASH as `tidings consent verify` prints it.")
    return int(match[1]), match[2]


def _verdict_in_words(verdict: Verdict) -> str:
    return "\n".join([_found_in_words(verdict), *(f"BAD: {problem}" for problem in verdict.problems)])


def _found_in_words(verdict: Verdict) -> str:
    if verdict.bad is not None:
        event = f" ({verdict.bad.event_id})" if verdict.bad.event_id else ""
        return f"BAD: entry {verdict.bad.seq}{event} of the ledger “{verdict.ledger}”: {verdict.bad.reason}"
    erased = f", {verdict.erased} erased" if verdict.erased else ""
    newest = f", the newest of {verdict.newest_head}" if verdict.newest_head else ""
    return (
        f"Good: {verdict.count} entries of the ledger “{verdict.ledger}”, "
        f"{verdict.opened} personal parts opened{erased}. {verdict.heads} signed heads fit{newest}.\n"
        f"Head: {verdict.count}:{verdict.head_hash}\nRoot: {verdict.root}"
    )


def _rebuilt_in_words(result: Rebuilt) -> str:
    done = "were repaired" if result.repaired else "differ; run it without --check to repair them"
    return f"{result.subscribers} people, {result.subscriptions} subscriptions. " + (
        f"{result.differing} {done}." if result.differing else "Every one is what the ledger says."
    )


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error
