"""The words that people can text: those that come with Tidings, and those that operators add and take back."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.domain.keywords import LANGUAGES, squeeze
from app.domain.keywords.own_words import CAN_BE_ADDED, OwnWord, clash
from app.domain.keywords.tables import as_written
from app.services.audit import note
from app.services.controller import NotFound, Refused
from app.storage.database import db, transaction
from app.storage.models import BroadcastList, OwnWordRow
from app.storage.shared import once


@dataclass(frozen=True)
class Meaning:
    """What one command is called in one language: the words that cannot be removed, and the operator's own."""

    meaning: str
    fixed: tuple[str, ...]
    own: tuple[OwnWordRow, ...]


def words_in(language: str) -> list[Meaning]:
    """Return the words of one language, command by command. Raises `NotFound` for a language without words."""
    _known(language)
    own = db.session.scalars(
        select(OwnWordRow).where(OwnWordRow.language == language).order_by(OwnWordRow.word)
    ).all()
    return [
        Meaning(meaning, as_written(meaning, language), tuple(row for row in own if row.meaning == meaning))
        for meaning in CAN_BE_ADDED
    ]


def own_words(session: Session) -> list[OwnWord]:
    """Return every word that operators added, for the matcher."""
    return once(session, "own words", _own_words)


def _own_words(session: Session) -> list[OwnWord]:
    rows = session.execute(select(OwnWordRow.word, OwnWordRow.meaning, OwnWordRow.language))
    return [OwnWord(*row) for row in rows]


def add(word: str, meaning: str, language: str, *, by: str, now: datetime) -> int:
    """Let `word` mean stop, start or help where `language` is in use; returns its id.

    Raises `Refused` in words when it means something already, is everyday talk, or is a list's keyword.
    """
    _known(language)
    if meaning not in CAN_BE_ADDED:
        raise Refused(f"A word can mean {', '.join(CAN_BE_ADDED)}.")
    written = " ".join(word.split())
    try:
        with transaction() as session:
            keywords = session.scalars(select(BroadcastList.keyword)).all()
            why = clash(written, meaning, language, own=own_words(session), list_words=keywords)
            if why is not None:
                raise Refused(why)
            row = OwnWordRow(
                language=language,
                meaning=meaning,
                word=written,
                squeezed=squeeze(written),
                added_by=by,
                added_at=now,
            )
            session.add(row)
            session.flush()
            note(
                session,
                by,
                "word.add",
                f"word {row.id}",
                now,
                word=written,
                meaning=meaning,
                language=language,
            )
            return row.id
    except IntegrityError as error:  # somebody else added it in this very moment
        raise Refused(f"“{written}” was added by somebody else just now.") from error


def remove(word_id: int, *, by: str, now: datetime) -> str:
    """Take back a word that an operator added; returns it. Raises `NotFound`."""
    with transaction() as session:
        row = session.get(OwnWordRow, word_id)
        if row is None:
            raise NotFound("This word is not among your own.")
        note(session, by, "word.remove", f"word {row.id}", now, word=row.word, meaning=row.meaning)
        session.delete(row)
        return row.word


def _known(language: str) -> None:
    if language not in LANGUAGES:
        raise NotFound(f"There are no words in “{language}”. Languages: {', '.join(LANGUAGES)}.")
