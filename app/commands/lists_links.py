"""`tidings lists links`: the links that open a list on a phone, and their QR codes as files for print."""

from pathlib import Path

import click
from flask.cli import with_appcontext

from app.commands.drawn_links import drawn_link
from app.commands.output import json_option, say, table
from app.gateways.registry import build
from app.runtime import runtime
from app.services.links_of_lists import ListLink, links_of_list
from app.services.manage_lists import find_list
from app.services.qr_codes import Kind, write
from app.storage.database import db

_folder = click.Path(file_okay=False, path_type=Path)


@click.command("links")
@click.argument("name")
@click.option(
    "--source", default="", help="Where the link will hang, such as poster-7; kept with the consent."
)
@click.option("--svg", type=_folder, metavar="FOLDER", help="Write the QR code of each link there as SVG.")
@click.option("--png", type=_folder, metavar="FOLDER", help="Write the QR code of each link there as PNG.")
@json_option
@with_appcontext
def links(name: str, source: str, svg: Path | None, png: Path | None, as_json: bool) -> None:
    """Print the links that open the list NAME on a phone, one for each of its senders.

    With --svg or --png their QR codes are written for print; a file is named after word, channel and source. Where a
    platform alone can make a link (WeChat), it is asked for it; such a link opens as a QR code only.

    \b
    Example:
      tidings lists links NEWS --source poster-7
      tidings lists links NEWS --source poster-7 --svg codes
    """
    word = find_list(db.session(), name).keyword
    found = links_of_list(name, source, controller=runtime().controller, registry=build, draw=drawn_link)
    wanted = [(kind, folder) for kind, folder in ((Kind.SVG, svg), (Kind.PNG, png)) if folder]
    files = [
        str(write(folder, _name(word, one, source), one.link, kind))
        for kind, folder in wanted
        for one in found
    ]
    rows = [(one.channel, one.sender, one.link) for one in found]
    shown = [table(("channel", "sender", "link"), rows, empty="no link")]
    if wanted:
        folders = ", ".join(str(folder) for _, folder in wanted)
        shown.append(f"{len(files)} QR codes in {folders}:\n" + "\n".join(files) if files else "No QR code.")
    say({"links": found, "files": files} if wanted else found, as_json, lambda: "\n".join(shown))


def _name(word: str, one: ListLink, source: str) -> str:
    return "-".join(filter(None, (word, one.channel, source)))
