"""`tidings broadcasts create`, `correct`, `show`: write a draft with its buttons, and read what a broadcast says."""

from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from app.clock import utcnow
from app.commands.broadcast_words import broadcast_of, check, head_of, review_in_words
from app.commands.buttons import button_option, said_of_buttons
from app.commands.output import json_option, operator, say
from app.commands.templates import draft_from
from app.domain.buttons import Button, Rich
from app.domain.channels import CHANNELS, channel_named
from app.domain.in_place import InPlace
from app.domain.wording import BadScope, scope, scope_written
from app.services import correct_broadcasts, manage_segments, write_drafts
from app.services.broadcast_rows import targets_of
from app.services.controller import Refused
from app.services.manage_lists import find_list
from app.services.media.attach import attached_to
from app.services.rich_messages import EVERYWHERE, stored
from app.storage.database import db
from app.storage.variants import variants_of


@click.command("create")
@click.option("--title", help="For your team; it is not sent. Needed without --template.")
@click.option("--text", help="What people get; {{first_name|friend}} is filled in for each.")
@click.option("--text-file", type=click.Path(path_type=Path), help="Read the text from a file in UTF-8.")
@click.option("--list", "list_names", multiple=True, help="Name or keyword; once for each list.")
@click.option(
    "--text-for",
    "others",
    multiple=True,
    metavar="FOR=TEXT",
    help="Other words for a channel (telegram=...), a language (de=...) or both (telegram/de=...); "
    "FOR=@FILE reads them from a file.",
)
@button_option
@click.option(
    "--segment", type=int, metavar="ID", help="Only those whom a saved segment of the list chooses."
)
@click.option(
    "--all-but", type=int, metavar="ID", help="Everybody on the lists but those whom a saved segment chooses."
)
@click.option(
    "--template", help="Begin with all that the template of this name says, instead of --text and --list."
)
@click.option(
    "--fill",
    "fills",
    multiple=True,
    metavar="GAP=WORDS",
    help="With --template: words for a gap, [[GAP]]; once for each.",
)
@json_option
@with_appcontext
def create(
    title: str | None,
    text: str | None,
    text_file: Path | None,
    list_names: tuple[str, ...],
    others: tuple[str, ...],
    buttons: tuple[Button, ...],
    segment: int | None,
    all_but: int | None,
    template: str | None,
    fills: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write a draft, and say whom it would reach.

    \b
    Example:
      tidings broadcasts create --title "Flood" --text "Riverside: the bridge is closed." --list NEWS
      tidings broadcasts create --title "Vote" --text "Shall we build it?" --list NEWS \\
        --button Yes --button No --button "The plan=https://news.example.org/plan" --button "No more=STOP"
      tidings broadcasts create --template Outage --fill place=Riverside --fill "until=6 pm"
    """
    if segment is not None and all_but is not None:
        raise click.UsageError("Give either --segment or --all-but.")
    chosen = segment if all_but is None else all_but
    if chosen is not None:
        manage_segments.segment(chosen)
    if template is not None:
        if text or text_file or list_names or others or buttons:
            raise click.UsageError(
                "--template brings text, lists and buttons along; beside it go --title, --fill, --segment, --all-but."
            )
        broadcast_id = draft_from(template, title, fills)
    else:
        broadcast_id = _written(title, _text(text, text_file), list_names, others, buttons, fills)
    if chosen is not None:
        but = all_but is not None
        manage_segments.choose_saved(broadcast_id, chosen, by=operator(), now=utcnow(), but=but)
    review = check(broadcast_id, None)
    lines = [
        f"Broadcast {broadcast_id} is a draft.",
        *review_in_words(review),
        f"Next: tidings broadcasts schedule {broadcast_id}",
    ]
    say({"id": broadcast_id, "review": review}, as_json, lambda: "\n".join(lines))


def _written(
    title: str | None,
    words: str,
    list_names: tuple[str, ...],
    others: tuple[str, ...],
    buttons: tuple[Button, ...],
    fills: tuple[str, ...],
) -> int:
    if not title or not list_names:
        raise click.UsageError("Give --title and --list, or --template.")
    if fills:
        raise click.UsageError("--fill goes with --template.")
    list_ids = [find_list(db.session(), name).id for name in list_names]
    db.session.rollback()
    return write_drafts.create_draft(
        title=title,
        text=words,
        list_ids=list_ids,
        variants=_variants(others),
        rich={EVERYWHERE: Rich(buttons)},
        by=operator(),
        now=utcnow(),
    )


@click.command("correct")
@click.argument("broadcast_id", metavar="ID", type=int)
@click.option("--title", help='For your team; "Correction" and the title of the wrong one without it.')
@click.option("--text", help="What people get who got the wrong one.")
@click.option("--text-file", type=click.Path(path_type=Path), help="Read the text from a file in UTF-8.")
@click.option(
    "--in-place",
    "act",
    type=click.Choice([one.value for one in InPlace]),
    help="Where the platform lets us, change the message on the phones, or delete it; others get the text.",
)
@json_option
@with_appcontext
def correct(
    broadcast_id: int,
    title: str | None,
    text: str | None,
    text_file: Path | None,
    act: str | None,
    as_json: bool,
) -> None:
    """Write a draft that corrects the broadcast ID, for exactly those who got it or may have got it.

    Whoever has said STOP since gets nothing. The limit of a day does not hold it back, quiet hours do.
    With --in-place delete the text may be left out: then nobody gets a message who cannot lose the wrong one.

    \b
    Example:
      tidings broadcasts correct 7 --text "Correction: the bridge is closed until Monday."
      tidings broadcasts correct 7 --in-place edit --text "The bridge is closed until Monday."
    """
    way = InPlace(act) if act else None
    wordless = way is InPlace.DELETE and text is None and text_file is None
    words = "" if wordless else _text(text, text_file)
    head = title or f"Correction: {broadcast_of(broadcast_id).title}"[:120]
    db.session.rollback()
    draft_id = correct_broadcasts.draft_correction(
        broadcast_id, title=head, text=words, by=operator(), now=utcnow(), act=way
    )
    review = check(draft_id, None)
    lines = [
        f"Broadcast {draft_id} is a draft that corrects broadcast {broadcast_id}.",
        *_in_place(draft_id),
        *review_in_words(review),
        f"Next: tidings broadcasts schedule {draft_id}",
    ]
    say({"id": draft_id, "review": review}, as_json, lambda: "\n".join(lines))


@click.command("show")
@click.argument("broadcast_id", metavar="ID", type=int)
@json_option
@with_appcontext
def show(broadcast_id: int, as_json: bool) -> None:
    """Show what the broadcast ID says: its texts, buttons, approved templates and files, by channel.

    \b
    Example:
      tidings broadcasts show 7
    """
    data = _content(broadcast_id)
    say(data, as_json, lambda: "\n".join(_content_in_words(data)))


def _in_place(draft_id: int) -> list[str]:
    """Say on how many phones the wrong message is changed."""
    way = correct_broadcasts.way_of_draft(broadcast_of(draft_id), utcnow())
    db.session.rollback()
    if way is None:
        return []
    done = "is changed where it stands" if way.act is InPlace.EDIT else "is taken away"
    where = ", ".join(f"{channel_named(name).name}: {people}" for name, people in way.channels.items())
    return [f"The wrong message {done} on {where or 'nobody’s phone'}; others: {way.others}."]


def _text(text: str | None, path: Path | None) -> str:
    if (text is None) == (path is None):
        raise click.UsageError("Give either --text or --text-file.")
    if path is None:
        return text or ""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path} cannot be read as UTF-8: {error}.") from error


def _variants(pairs: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        written, equals, words = pair.partition("=")
        try:
            key = scope_written(written).key if equals else ""
        except BadScope:
            key = ""
        if not key:
            raise click.UsageError(
                f"--text-for {pair} is not FOR=TEXT; FOR is a channel ({', '.join(CHANNELS)}), a language of two "
                "letters such as de, or both: telegram/de."
            )
        found[key] = _text(None, Path(words[1:])) if words.startswith("@") else words
    return found


def _content(broadcast_id: int) -> dict[str, Any]:
    """Return what a broadcast says; what is by channel has "" for those without their own."""
    row, session = broadcast_of(broadcast_id), db.session()
    rich = {channel: one for channel, (one, _) in stored(session, broadcast_id).items()}
    data = head_of(row) | {
        "text": row.text,
        "text_for": variants_of(session, broadcast_id),
        "lists": [one.name for one in targets_of(session, broadcast_id)],
        "buttons": {channel: one.buttons for channel, one in rich.items() if one.buttons},
        "preview": rich.get(EVERYWHERE, Rich()).preview,
        "templates": {channel: one.template for channel, one in rich.items() if one.template},
        "files": attached_to(session, broadcast_id),
    }
    session.rollback()
    return data


def _content_in_words(data: dict[str, Any]) -> list[str]:
    lines = [f"Broadcast {data['id']} “{data['title']}” is {data['state']}, to {', '.join(data['lists'])}."]
    lines += [data["text"]]
    lines += [f"Text{_whose(key)}: {words}" for key, words in data["text_for"].items()]
    for channel, buttons in data["buttons"].items():
        lines += [f"Button{_where(channel)}: {one}" for one in said_of_buttons(buttons)]
    lines += [
        f"Approved template{_where(channel)}: {use.name} ({use.language})"
        for channel, use in data["templates"].items()
    ]
    lines += [f"File{_where(channel)}: {one.name} ({one.mime})" for channel, one in data["files"].items()]
    return lines


def _whose(key: str) -> str:
    one = scope(key)
    return f"{_where(one.channel)}{f' in {one.language}' if one.language else ''}"


def _where(channel: str) -> str:
    return f" on {channel_named(channel).name}" if channel else ""
