"""`tidings subscribers ask`: ask somebody to confirm who told us on paper, on the telephone, at a stand."""

from pathlib import Path

import click

from app.clock import utcnow
from app.commands.output import cell, json_option, operator, say
from app.commands.subscribers import subscribers
from app.commands.subscribers_import import document_hash
from app.domain.replies import LANGUAGES
from app.runtime import runtime
from app.services.manage_subscribers import Way
from app.services.request_consent import request_consent

__all__ = ["subscribers"]


@subscribers.command("ask")
@click.argument("address")
@click.option("--list", "list_name", required=True, help="The list, by name or keyword.")
@click.option("--evidence", required=True, help="Who asked for it, how and when.")
@click.option(
    "--received-by",
    type=click.Choice([way.value for way in Way]),
    default=Way.OTHER.value,
    show_default=True,
    help="How it reached us.",
)
@click.option(
    "--document",
    type=click.Path(path_type=Path),
    help="The card or form, as a file; its SHA-256 is kept in the ledger.",
)
@click.option("--language", type=click.Choice(LANGUAGES), help="Of the question; else that of the list.")
@json_option
def ask(
    address: str,
    list_name: str,
    evidence: str,
    received_by: str,
    document: Path | None,
    language: str | None,
    as_json: bool,
) -> None:
    """Ask ADDRESS by text to confirm a sign-up; only a YES, or the link in the text, subscribes.

    The question goes out when the hours of the list and of the place open, is sent once, and is open for 72 hours.

    \b
    Example:
      tidings subscribers ask "+1 202 555 0101" --list NEWS --received-by in_person \\
        --evidence "card 17, signed at the open day on 3 March"
    """
    asked = request_consent(
        address,
        list_name=list_name,
        evidence=evidence,
        received_by=Way(received_by),
        document_sha256=document_hash(document),
        language=language,
        link=f"{runtime().settings.public_url}/confirm",
        by=operator(),
        controller=runtime().controller,
        now=utcnow(),
    )
    say(
        asked,
        as_json,
        lambda: (
            f"The question about “{asked.list_name}” goes out at {cell(asked.goes_at)} and is open until "
            f"{cell(asked.open_until)}."
        ),
    )
