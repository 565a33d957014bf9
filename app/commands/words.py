"""`tidings words`: what people can text in a language, and words of one's own."""

import click
from flask.cli import AppGroup

from app.clock import utcnow
from app.commands.output import json_option, operator, say, table
from app.domain.keywords import LANGUAGES
from app.domain.keywords.own_words import CAN_BE_ADDED
from app.services import manage_words
from app.services.controller import NotFound

words = AppGroup("words", help="What people can text, and words of your own.")
_language = click.option("--lang", "language", type=click.Choice(LANGUAGES), default="en", show_default=True)


@words.command("list")
@_language
@json_option
def list_words(language: str, as_json: bool) -> None:
    """List the commands of a language with the words that come with Tidings and your own.

    \b
    Example:
      tidings words list --lang de
    """
    rows = [
        {"meaning": row.meaning, "words": row.fixed, "own": [one.word for one in row.own]}
        for row in manage_words.words_in(language)
    ]
    cells = [(row["meaning"], " ".join(row["words"]), " ".join(row["own"])) for row in rows]
    say(rows, as_json, lambda: table(("means", "words", "your own"), cells, empty="No words."))


@words.command("add")
@click.argument("word")
@click.option("--means", "meaning", type=click.Choice(CAN_BE_ADDED), required=True)
@_language
@json_option
def add(word: str, meaning: str, language: str, as_json: bool) -> None:
    """Let WORD mean something wherever that language is in use. What means something already is refused.

    \b
    Example:
      tidings words add "tschüss newsletter" --means stop --lang de
    """
    manage_words.add(word, meaning, language, by=operator(), now=utcnow())
    said = {"word": word, "meaning": meaning, "language": language}
    say(said, as_json, lambda: f"“{word}” means {meaning.upper()} now.")


@words.command("remove")
@click.argument("word")
@_language
@json_option
def remove(word: str, language: str, as_json: bool) -> None:
    """Take back a WORD of your own. Those that come with Tidings cannot be removed.

    \b
    Example:
      tidings words remove "tschüss newsletter" --lang de
    """
    own = [one for row in manage_words.words_in(language) for one in row.own if one.word == word]
    if not own:
        raise NotFound(f"“{word}” is none of your own words in “{language}”. See: tidings words list")
    manage_words.remove(own[0].id, by=operator(), now=utcnow())
    say({"removed": word}, as_json, lambda: f"“{word}” means nothing any more.")
