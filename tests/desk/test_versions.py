"""Every save of a draft is kept, its changes are shown in words, and each can be taken back."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete

from app.domain.buttons import Button, ButtonKind, Rich, TemplateUse
from app.domain.media.attached import Otherwise
from app.runtime import runtime
from app.services import write_drafts
from app.services.controller import Conflict, Refused
from app.services.media import keep
from app.services.media.attach import EVERYWHERE, Given, attach, attached_to, detach
from app.services.media.take_in import take_in
from app.services.rich_messages import stored
from app.services.stop_broadcasts import cancel
from app.services.take_back import take_back
from app.storage import versions
from app.storage.database import db, transaction
from app.storage.models import Broadcast, BroadcastList, BroadcastVersion, MediaFile
from tests.desk.conftest import House, Visitor, words
from tests.support import media
from tests.support.world import NOON, Newsroom


def draft(newsroom: Newsroom, text: str = "The bridge is open.") -> int:
    return write_drafts.create_draft(
        title="Bridge",
        text=text,
        list_ids=[newsroom.list_id],
        variants={"telegram": "Open!"},
        by="Ada Berg (#1)",
        now=NOON,
    )


def save(newsroom: Newsroom, broadcast_id: int, text: str, revision: int) -> int:
    return write_drafts.save_draft(
        broadcast_id,
        title="Bridge",
        text=text,
        list_ids=[newsroom.list_id],
        revision=revision,
        by="Ed Berg (#2)",
        now=NOON,
    )


def kept(broadcast_id: int) -> list[tuple[int, str, str]]:
    db.session.rollback()
    rows = versions.versions(db.session(), broadcast_id)
    return [(one.revision, one.text, one.saved_by) for one in rows]


def test_the_page_tells_the_changes_in_words_and_by_sign(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        one = draft(newsroom)
        save(newsroom, one, "The bridge is <closed>.", 1)

    page = editor.get(f"/broadcasts/{one}/versions")

    assert "Version 2 (this is what it says now) Ed Berg" in words(page)
    assert '<del><span class="sr">[removed: </span>open' in page.text
    assert '<ins><span class="sr">[added: </span>&lt;closed&gt;' in page.text


def test_a_version_taken_back_is_a_new_one(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        one = draft(newsroom)
        save(newsroom, one, "The bridge is closed.", 1)
    editor.get(f"/broadcasts/{one}/versions")

    answer = editor.submit(f"/broadcasts/{one}/versions/1", {"revision": 2})
    again = editor.submit(f"/broadcasts/{one}/versions/2", {"revision": 2})
    gone = editor.post(f"/broadcasts/{one}/versions/77", {"revision": 3})

    assert "The draft says again what version 1 said." in words(answer)
    assert "Somebody else saved this draft in the meantime." in words(again)
    assert gone.status_code == 404
    with house.inside():
        assert [(number, text) for number, text, _ in kept(one)] == [
            (3, "The bridge is open."),
            (2, "The bridge is closed."),
            (1, "The bridge is open."),
        ]


def test_other_words_come_back_with_their_version_and_later_ones_go(newsroom: Newsroom) -> None:
    one = draft(newsroom)
    write_drafts.save_draft(
        one,
        title="Bridge",
        text="The bridge is open.",
        list_ids=[newsroom.list_id],
        variants={"telegram": "", "whatsapp": "New."},
        revision=1,
        by="ed",
        now=NOON,
    )

    take_back(one, 1, revision=2, by="ed", now=NOON)

    db.session.rollback()
    assert versions.versions(db.session(), one)[0].variants == {"telegram": "Open!"}


def test_a_save_that_changes_nothing_is_no_version(newsroom: Newsroom) -> None:
    one = draft(newsroom)

    save(newsroom, one, "The bridge is open.", 1)

    assert kept(one) == [(1, "The bridge is open.", "Ada Berg (#1)")]


def test_what_a_draft_of_an_older_edition_said_is_kept_at_its_next_save(newsroom: Newsroom) -> None:
    one = draft(newsroom)
    with transaction() as session:
        session.execute(delete(BroadcastVersion))

    save(newsroom, one, "Closed.", 1)

    assert [(number, text) for number, text, _ in kept(one)] == [(2, "Closed."), (1, "The bridge is open.")]


def test_the_oldest_goes_for_the_fifty_first(newsroom: Newsroom) -> None:
    one = draft(newsroom)
    with transaction() as session:
        broadcast = session.get_one(Broadcast, one)
        for number in range(2, 53):
            broadcast.revision, broadcast.text = number, f"Text {number}"
            versions.keep(session, broadcast, "ada", NOON)

    numbers = [number for number, _, _ in kept(one)]
    assert (len(numbers), numbers[0], numbers[-1]) == (50, 52, 3)


def test_two_who_take_back_at_once_do_not_undo_each_other(newsroom: Newsroom) -> None:
    one = draft(newsroom)
    save(newsroom, one, "Closed.", 1)
    take_back(one, 1, revision=2, by="ed", now=NOON)

    with pytest.raises(Conflict):
        take_back(one, 1, revision=2, by="ada", now=NOON)


YES, NO = Button(ButtonKind.REPLY, "Yes"), Button(ButtonKind.REPLY, "No")
MAP = Button(ButtonKind.LINK, "Map", "https://news.example.org/map")


def picture(newsroom: Newsroom, *, grey: int = 90) -> int:
    return take_in(media.png(grey=grey), files=runtime().files, by="ada", now=newsroom.now)


def save_extras(
    newsroom: Newsroom,
    broadcast_id: int,
    revision: int,
    *buttons: Button,
    file: Given | None = None,
    template: TemplateUse | None = None,
) -> int:
    rich: Mapping[str, Rich] = {"": Rich(buttons), "whatsapp": Rich(template=template)}
    return write_drafts.save_draft(
        broadcast_id,
        title="Bridge",
        text="The bridge is open.",
        list_ids=[newsroom.list_id],
        rich=rich,
        files={EVERYWHERE: file},
        revision=revision,
        by="ed",
        now=newsroom.now,
    )


def extras(broadcast_id: int) -> tuple[list[str], list[str], str]:
    """The labels of a draft's buttons, the names of its files, and the name of its template on WhatsApp."""
    db.session.rollback()
    rich = {channel: one for channel, (one, _) in stored(db.session(), broadcast_id).items()}
    template = rich.get("whatsapp", Rich()).template
    files = [one.name for one in attached_to(db.session(), broadcast_id).values()]
    db.session.rollback()
    return [one.label for one in rich.get("", Rich()).buttons], files, template.name if template else ""


def test_buttons_templates_and_files_come_back_with_their_version(newsroom: Newsroom) -> None:
    one = draft(newsroom)
    file = Given(picture(newsroom), "bridge.png", "An open bridge")
    save_extras(newsroom, one, 1, YES, MAP, file=file, template=TemplateUse("news", "en"))
    save_extras(newsroom, one, 2, NO)

    take_back(one, 2, revision=3, by="ed", now=NOON)
    with_all = extras(one)
    take_back(one, 1, revision=4, by="ed", now=NOON)

    assert with_all == (["Yes", "Map"], ["bridge.png"], "news")
    assert extras(one) == ([], [], "")


def test_the_page_tells_what_came_and_went_beside_the_text(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        one = draft(newsroom)
        file = Given(picture(newsroom), "bridge.png", "An open bridge")
        save_extras(newsroom, one, 1, YES, MAP, file=file, template=TemplateUse("news", "en"))
        other = Given(picture(newsroom, grey=20), "river.png", "The river", Otherwise.WORDS)
        word = Button(ButtonKind.REPLY, "Map", "STOP")
        save_extras(newsroom, one, 2, word, YES, file=other, template=TemplateUse("flood", "en", ("a",)))
        save_extras(newsroom, one, 3, NO)

    page = words(editor.get(f"/broadcasts/{one}/versions"))

    for said in (
        "The button “Yes” was added: an answer.",
        "The button “Map” was added: a link to https://news.example.org/map.",
        "A file was added: bridge.png.",
        "On WhatsApp: An approved template was added: news (en).",
        "The button “Map” was changed: now the word STOP.",
        "The order of the buttons was changed: Map, Yes.",
        "Another file took the place of bridge.png: river.png.",
        "The file’s description was changed: “The river”.",
        "people now get: its description, below the text.",
        "On WhatsApp: The approved template was changed: now flood (en): a.",
        "The button “Yes” was removed.",
        "The file river.png was removed.",
        "On WhatsApp: The approved template was removed.",
    ):
        assert said in page, said


def test_a_file_stays_while_a_version_that_may_be_taken_back_needs_it(newsroom: Newsroom) -> None:
    one = draft(newsroom)
    media_id = picture(newsroom)
    attach(one, EVERYWHERE, Given(media_id, "b.png", "An open bridge"), by="ada", now=NOON)
    detach(one, EVERYWHERE, by="ada", now=NOON)
    later = NOON + timedelta(days=90)

    assert keep.let_go(runtime().files, now=later) == 0
    take_back(one, 2, revision=3, by="ed", now=later)
    assert extras(one)[1] == ["b.png"]

    cancel(one, by="ada", now=later)
    assert keep.let_go(runtime().files, now=later + keep.KEPT) == 1
    assert db.session.get_one(MediaFile, media_id).removed_at is not None


def test_words_buttons_and_a_file_that_are_saved_together_are_one_version_or_none(newsroom: Newsroom) -> None:
    one = draft(newsroom)
    nameless = Given(picture(newsroom), "b.png", "")

    with pytest.raises(Refused, match="Describe the picture"):
        save_extras(newsroom, one, 1, YES, file=nameless)
    refused = extras(one)
    save_extras(newsroom, one, 1, YES, file=replace(nameless, alt="An open bridge"))

    assert refused == ([], [], "")
    assert [number for number, _, _ in kept(one)] == [2, 1]


def test_a_copy_begins_with_all_that_was_copied(newsroom: Newsroom) -> None:
    one = draft(newsroom)
    save_extras(newsroom, one, 1, YES)
    copy = write_drafts.copy_broadcast(one, by="ed", now=NOON)
    save_extras(newsroom, copy, 1)

    take_back(copy, 1, revision=2, by="ed", now=NOON)

    assert extras(copy)[0] == ["Yes"]


def test_a_version_of_an_older_edition_leaves_buttons_and_files_as_they_are(
    house: House, editor: Visitor
) -> None:
    with house.inside() as newsroom:
        one = draft(newsroom)
        save_extras(newsroom, one, 1, YES)
        with transaction() as session:
            session.get_one(BroadcastVersion, (one, 1)).rich = None

        take_back(one, 1, revision=2, by="ed", now=NOON)

        assert extras(one)[0] == ["Yes"]
    assert "Buttons and files were not kept with this version" in words(
        editor.get(f"/broadcasts/{one}/versions")
    )


def test_a_button_whose_list_is_closed_does_not_come_back(newsroom: Newsroom) -> None:
    other = newsroom.new_list("Flood", "FLOOD")
    one = draft(newsroom)
    save_extras(newsroom, one, 1, Button(ButtonKind.REPLY, "Floods", "FLOOD"))
    save_extras(newsroom, one, 2)
    with transaction() as session:
        session.get_one(BroadcastList, other).archived_at = NOON

    with pytest.raises(Refused, match="no word that people can text"):
        take_back(one, 2, revision=3, by="ed", now=NOON)
