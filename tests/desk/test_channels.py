"""A list on several channels at the desk: words for each, the count of each before it goes out."""

from collections.abc import Callable

from sqlalchemy import select, update

from app.commands.broadcast_words import check, review_in_words
from app.desk.unit_words import pace_words, units
from app.domain.statuses import DeliveryStatus
from app.gateways.registry import gateway_class
from app.services.figures.sheets import make, window
from app.services.manage_senders import add
from app.services.senders_of_lists import add_sender
from app.services.write_drafts import create_draft
from app.storage.database import transaction
from app.storage.models import Delivery, Subscriber
from app.storage.models.accounts import Role
from tests.desk.conftest import House, Visitor, words
from tests.gateways.samples import webpush
from tests.gateways.samples.telegram import SETTINGS
from tests.services.test_channels import Messenger, TwoChannels


def on_telegram(house: House) -> None:
    with house.inside() as newsroom:
        add(
            name="city-telegram",
            gateway=gateway_class("telegram"),
            settings=SETTINGS,
            by="tests",
            controller=newsroom.controller,
            now=newsroom.now,
        )
        add_sender("CITY", "city-telegram", by="tests", now=newsroom.now)


def test_lists_shows_the_beginning_of_a_web_push_key_and_not_all_of_it(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        add(
            name="city-push",
            gateway=gateway_class("webpush"),
            settings=webpush.SETTINGS,
            by="tests",
            controller=newsroom.controller,
            now=newsroom.now,
        )
        add_sender("CITY", "city-push", by="tests", now=newsroom.now)

    page = editor.get("/lists")

    assert f"On Web Push: {webpush.PUBLIC[:12]}…" in words(page)
    assert webpush.PUBLIC not in page.text


def test_without_further_channels_there_is_one_text(house: House, editor: Visitor) -> None:
    assert "Other words for other channels" not in words(editor.get("/broadcasts/new"))


def test_an_editor_writes_other_words_for_a_channel_and_sees_who_gets_which(
    house: House, editor: Visitor
) -> None:
    on_telegram(house)
    with house.inside() as newsroom:
        newsroom.join(2)
    assert "At most 4,096 characters" in words(editor.get("/broadcasts/new"))

    saved = editor.submit(
        "/broadcasts/new",
        {
            "title": "Bridge",
            "text": "The bridge is open.",
            "text_telegram": "The bridge is open, with a map.\r\nLook.",
            "list_ids": str(house.newsroom.list_id),
            "act": "save",
        },
    )

    assert "The bridge is open, with a map.\nLook." in saved.text
    path = saved.request.path.split("/")[2]
    review = words(editor.get(f"/broadcasts/{path}/review?choice=now&zone=UTC"))
    assert "On SMS 2 people, from city-desk" in review
    assert (
        "On Telegram 0 people, from city-telegram in words of its own: The bridge is open, with a map."
        in review
    )


def test_the_page_of_lists_names_every_sender(house: House, editor: Visitor) -> None:
    on_telegram(house)

    assert "On Telegram: @CityDeskBot" in words(editor.get("/lists"))


def test_what_has_no_parts_is_counted_in_messages(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.join(2)
        city = TwoChannels(newsroom)
        for chat in ("17", "18", "19"):
            city.write(chat, "/start", payload="city")
        newsroom.sender_id = city.telegram_id
        bulletin = newsroom.new_list("Bulletin", "BULLETIN")
        city.write("17", "BULLETIN")

    both = review(editor, house.newsroom.list_id)
    alone = review(editor, bulletin)

    assert "1 part for each person, 2 parts in all (GSM-7), 3 messages on other channels" in both
    assert "Cost 1 message Pace 25 messages a second" in alone
    assert " part" not in alone
    with house.inside(), house.app.test_request_context():
        assert (units(1, "telegram"), units(2, "twilio")) == ("1 message", "2 parts")
        assert (pace_words(2, "line"), units(3, "a gateway of old")) == ("2 requests a second", "3 messages")


def test_commands_count_them_in_messages_too(house: House) -> None:
    with house.inside() as newsroom:
        newsroom.sender_id = TwoChannels(newsroom).telegram_id
        bulletin = newsroom.new_list("Bulletin", "BULLETIN")
        ids = [
            create_draft(title="Bridge", text="Open.", list_ids=[each], by="ada", now=newsroom.now)
            for each in (bulletin, newsroom.list_id)
        ]
        on_telegram_alone, by_sms = ("\n".join(review_in_words(check(one, None))) for one in ids)

    assert "Each gets one message; it takes about" in on_telegram_alone
    assert "Each gets 1 part(s) (GSM-7); it takes about" in by_sms


def review(editor: Visitor, list_id: int) -> str:
    """How a broadcast to this list would go."""
    editor.get("/broadcasts/new")
    form = {"title": "Bridge", "text": "Open. STOP to leave.", "list_ids": list_id, "act": "save"}
    path = editor.submit("/broadcasts/new", form).request.path.split("/")[2]
    return (
        words(editor.get(f"/broadcasts/{path}/review?choice=now&zone=UTC"))
        .split("How it goes")[1]
        .split("Written by")[0]
    )


def test_a_platform_that_tells_no_delivery_does_not_pull_the_percentage_down(
    house: House, editor: Visitor
) -> None:
    with house.inside() as newsroom:
        newsroom.join(2)
        city = TwoChannels(newsroom)
        for chat in ("17", "18", "19"):
            city.write(chat, "/start", payload="city")
        sent = city.broadcast("The bridge is open.")
        newsroom.send()
        city.send(Messenger())
        with transaction() as session:
            by_sms = select(Subscriber.id).where(Subscriber.channel == "sms")
            theirs = update(Delivery).where(Delivery.broadcast_id == sent, Delivery.subscriber_id.in_(by_sms))
            session.execute(theirs.values(status=DeliveryStatus.DELIVERED.value))
            of_telegram = session.scalars(
                select(Subscriber.id).where(Subscriber.channel == "telegram")
            ).first()

    report = words(editor.get(f"/broadcasts/{sent}/report"))
    live = words(editor.get(f"/broadcasts/{sent}"))
    tab = editor.get("/broadcasts?tab=sending")
    on_telegram = words(editor.get(f"/people/{of_telegram}"))
    with house.inside() as newsroom:
        (row,) = make("broadcasts", window(7, now=newsroom.now)).as_dicts()
    one_by_one = words(editor.get(f"/broadcasts/{sent}/report?status=sent"))

    assert (row["sent_to"], row["delivered"], row["delivered_percent"]) == (5, 2, 100.0)
    assert "100 % delivered, of those whose platform tells it" in report
    assert "Delivered 2 Taken by the platform, which tells nothing more 3 Failed 0" in report
    assert "Telegram sent to 3, deliveries are not told; 3 messages" in report
    assert "SMS sent to 2, delivered 2; 2 parts" in report
    assert "Sent, no receipt yet" not in report.split("One by one")[0]
    assert "Taken by the platform, which tells nothing more 3" in live
    assert "3 taken by a platform that tells nothing more" in words(tab)
    assert "2 delivered, 3 taken by a platform that tells nothing more" in tab.text
    assert "Taken by the platform, which tells nothing more:" in on_telegram
    assert one_by_one.split("Last change")[1].count("Taken by the platform, which tells nothing more") == 3


def test_where_only_some_will_get_a_receipt_it_says_how_many_will_not(house: House, editor: Visitor) -> None:
    with house.inside() as newsroom:
        newsroom.join(2)
        city = TwoChannels(newsroom)
        city.write("17", "/start", payload="city")
        sent = city.broadcast("The bridge is open.")
        newsroom.send()
        city.send(Messenger())

    for page in (f"/broadcasts/{sent}/report", f"/broadcasts/{sent}"):
        said = words(editor.get(page))
        assert "of these 1 taken by a platform that tells nothing more" in said
        assert "Sent, no receipt yet 3" in said


def test_where_no_platform_tells_there_is_no_percentage(house: House, visit: Callable[..., Visitor]) -> None:
    with house.inside() as newsroom:
        city = TwoChannels(newsroom)
        city.write("17", "/start", payload="city")
        sent = city.broadcast("The bridge is open.")
        city.send(Messenger())

    report = words(visit(Role.EDITOR, "de").get(f"/broadcasts/{sent}/report"))

    assert "1 von einer Plattform angenommen, die nichts weiter meldet" in report
    assert "0 %" not in report.split("Einzeln")[0]
