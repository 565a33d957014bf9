"""Tables as CSV files: what the page shows, for whom it shows it, and nothing that a spreadsheet would calculate."""

import csv
import io

import pytest

from app.services.write_drafts import create_draft
from tests.desk.conftest import House, Visitor
from tests.support.world import number

NAMES = ("broadcasts", "lists", "imports", "events", "feeds", "people", "notices")
ADMINS = ("retention", "retention-rounds")


def table(visitor: Visitor, path: str) -> list[dict[str, str]]:
    answer = visitor.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "text/csv"), path
    assert answer.text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(answer.text[1:])))


def test_every_page_with_a_table_leads_to_its_file(house: House, admin: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.join(2)
        newsroom.broadcast()
        newsroom.send()
        list_id = newsroom.list_id
    pages = {
        "/broadcasts?tab=sent": "/tables/broadcasts.csv?tab=sent",
        "/lists": "/tables/lists.csv",
        "/people?q=5550100": "/tables/people.csv?q=5550100",
        f"/lists/{list_id}/notice?language=en": f"/tables/notices.csv?list={list_id}&amp;language=en",
        "/retention": "/tables/retention.csv",
    }

    for page, file in pages.items():
        assert f'href="{file}"' in admin.get(page).text, page
        assert table(admin, file.replace("&amp;", "&")), file


def test_the_broadcasts_have_their_counts_and_no_title_is_calculated(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.join(3)
        newsroom.broadcast()
        newsroom.send()
        create_draft(title="=1+1", text="x", list_ids=[newsroom.list_id], by="ada", now=newsroom.now)

    everything = table(editor, "/tables/broadcasts.csv")
    sent = table(editor, "/tables/broadcasts.csv?tab=sent")

    assert {row["title"] for row in everything} == {"Bridge", "'=1+1"}
    assert [(row["title"], row["lists"], row["audience"], row["sent"], row["waiting"]) for row in sent] == [
        ("Bridge", "City", "3", "3", "0")
    ]


def test_numbers_are_masked_for_editors_and_whole_for_admins(
    house: House, editor: Visitor, admin: Visitor
) -> None:
    with house.inside() as newsroom:
        newsroom.join(1)

    (masked,) = table(editor, "/tables/people.csv?q=0100")
    (whole,) = table(admin, "/tables/people.csv?q=0100")

    assert whole["address"] == number(0)
    assert masked["address"] != number(0)
    assert masked["address"].endswith("00")
    assert masked["lists"] == "City: active"


@pytest.mark.parametrize("name", ADMINS)
def test_what_only_admins_see_is_no_file_for_editors(editor: Visitor, admin: Visitor, name: str) -> None:
    assert editor.get(f"/tables/{name}.csv").status_code == 403
    assert admin.get(f"/tables/{name}.csv").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["people.csv?q=1", "notices.csv?list=99999999999999999999", "notices.csv?list=9", "feeds.csv?list=-1"],
)
def test_nonsense_is_not_found(editor: Visitor, path: str) -> None:
    assert editor.get(f"/tables/{path}").status_code == 404
