"""A picture goes with a broadcast: the phone shows the very bytes, and the platform is given them once."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.domain.buttons import Button, ButtonKind, Rich, TemplateUse
from app.domain.in_place import InPlace
from app.domain.media.cleaning import cleaned
from app.services import fan_out
from app.services.correct_broadcasts import draft_correction
from app.services.media.attach import EVERYWHERE, Given, attach
from app.services.media.take_in import take_in
from app.services.review_broadcasts import check
from app.services.schedule_broadcasts import schedule
from app.services.write_drafts import create_draft
from app.simulator.server import Server
from app.simulator.world import World
from app.storage.database import db
from app.storage.models import Broadcast
from tests.gateways.samples import SAMPLES
from tests.simulator.support import eventually, post_message
from tests.support import media
from tests.support.chat_city import ADA, GRACE, ChatCity
from tests.support.world import Newsroom

YES = Button(ButtonKind.REPLY, "Yes")


@dataclass(frozen=True)
class Carrier:
    """A messenger that carries pictures: how often it fetches our link, and is given the bytes, for two messages."""

    channel: str
    address: str
    fetched: int
    uploaded: int

    @property
    def settings(self) -> Mapping[str, str]:
        return SAMPLES[self.channel].settings


CARRIERS = (
    Carrier("telegram", "@CityDeskBot", fetched=1, uploaded=0),
    Carrier("whatsapp", SAMPLES["whatsapp"].sender, fetched=0, uploaded=1),
    Carrier("messenger", SAMPLES["messenger"].sender, fetched=0, uploaded=1),
    Carrier("matrix", SAMPLES["matrix"].sender, fetched=0, uploaded=1),
    Carrier("line", SAMPLES["line"].sender, fetched=2, uploaded=0),
    Carrier("viber", SAMPLES["viber"].sender, fetched=2, uploaded=0),
)


def send_picture(city: ChatCity, text: str, data: bytes, **rich: Rich) -> None:
    newsroom = city.newsroom
    newsroom.later(minutes=5)
    draft = create_draft(
        title="Bridge", text=text, list_ids=[newsroom.list_id], rich=rich, by="ada", now=newsroom.now
    )
    media_id = take_in(data, files=city.files, by="ada", now=newsroom.now)
    attach(draft, EVERYWHERE, Given(media_id, "bridge.jpg", "An open bridge"), by="ada", now=newsroom.now)
    schedule(draft, at=None, zone="UTC", by="ada", now=newsroom.now)
    fan_out.open_due(controller=newsroom.controller, now=newsroom.now)
    city.drain()
    city.tell_later()
    fan_out.end_finished(newsroom.now)


def test_an_approved_text_with_room_for_a_picture_brings_it_to_whoever_wrote_long_ago(
    newsroom: Newsroom,
) -> None:
    settings = {**SAMPLES["whatsapp"].settings, "template": "newsletter:en_US", "template_header": "image"}
    city = ChatCity(newsroom, "whatsapp", SAMPLES["whatsapp"].sender, settings)
    city.says(GRACE, "START")
    newsroom.later(days=3)

    send_picture(city, "The bridge is open.", media.png())

    (bubble,) = [one for one in city.world.conversations.bubbles(GRACE) if one.file]
    assert (bubble.text, bubble.file_kind) == ("The bridge is open.", "image")


@pytest.mark.parametrize("carrier", CARRIERS, ids=[one.channel for one in CARRIERS])
def test_the_phone_shows_the_very_bytes_and_the_platform_is_given_them_once(
    newsroom: Newsroom, carrier: Carrier
) -> None:
    city = ChatCity(newsroom, carrier.channel, carrier.address, dict(carrier.settings))
    city.says(ADA, "START")
    picture = media.jpeg()
    shown = hashlib.sha256(cleaned(picture, "image/jpeg")).hexdigest()

    send_picture(city, "The bridge is open.", picture)
    send_picture(city, "The bridge is still open.", picture)

    bubbles = [one for one in city.world.conversations.bubbles(ADA) if one.kind == "in" and one.file]
    assert [(one.file, one.file_kind) for one in bubbles] == [(shown, "image")] * 2
    texts = " ".join(city.shown(ADA))
    assert "The bridge is open." in texts
    assert "The bridge is still open." in texts
    assert (city.world.shelf.fetched, city.world.shelf.uploaded) == (carrier.fetched, carrier.uploaded)


def test_below_a_picture_the_words_are_corrected_and_have_the_room_of_a_caption(newsroom: Newsroom) -> None:
    city = ChatCity(newsroom, "telegram", "@CityDeskBot", dict(SAMPLES["telegram"].settings))
    city.says(ADA, "START")
    send_picture(city, "The bridge is open.", media.jpeg())
    wrong = db.session.scalars(select(Broadcast.id).where(Broadcast.text == "The bridge is open.")).one()
    db.session.rollback()
    short, long = (
        draft_correction(wrong, title="R", text=text, by="ada", now=newsroom.now, act=InPlace.EDIT)
        for text in ("It is closed.", "x" * 1025)
    )

    refused = check(long, now=newsroom.now).problems
    schedule(short, at=None, zone="UTC", by="ada", now=newsroom.now)
    fan_out.open_due(controller=newsroom.controller, now=newsroom.now)
    city.drain()

    (bubble,) = [one for one in city.world.conversations.bubbles(ADA) if one.file]
    assert (bubble.text, bubble.mark, bubble.file_kind) == ("It is closed.", "edited", "image")
    assert refused == ("On Telegram the text has 1025 characters; it may have 1024.",)


@pytest.mark.parametrize("channel", ["telegram", "line", "viber", "messenger", "whatsapp"])
def test_a_picture_and_buttons_come_together(newsroom: Newsroom, channel: str) -> None:
    (carrier,) = [one for one in CARRIERS if one.channel == channel]
    city = ChatCity(newsroom, channel, carrier.address, dict(carrier.settings))
    city.says(ADA, "START")

    send_picture(city, "Is it open?", media.jpeg(), **{channel: Rich((YES,))})

    bubbles = [one for one in city.world.conversations.bubbles(ADA) if one.file or one.keys]
    assert [(one.file_kind, one.text) for one in bubbles] == [("image", "Is it open?")]
    assert [one.label for one in bubbles[0].keys] == ["Yes"]


@pytest.mark.parametrize("room", ["image", ""])
def test_a_template_of_the_broadcast_has_room_for_a_file_where_those_of_the_sender_have(
    newsroom: Newsroom, room: str
) -> None:
    settings = {**SAMPLES["whatsapp"].settings, "template_header": room, "templates": "poll:en"}
    own = {name: value for name, value in settings.items() if name != "templates"}
    city = ChatCity(newsroom, "whatsapp", SAMPLES["whatsapp"].sender, own)
    city.world.chats.put(replace(city.account, settings=settings))
    city.says(GRACE, "START")
    newsroom.later(days=3)

    send_picture(city, "Is it open?", media.png(), whatsapp=Rich((YES,), template=TemplateUse("poll", "en")))

    newest = city.world.conversations.bubbles(GRACE)[-1]
    assert (newest.file_kind, [one.label for one in newest.keys]) == (room, ["Button 1"])
    assert ("/m/" in newest.text) == (not room)


def test_an_mms_is_fetched_over_http_and_its_picture_is_on_the_page(
    world: World, client: FlaskClient
) -> None:
    picture = cleaned(media.png(), "image/png")
    product = Server("127.0.0.1", 0, _gives(picture, "image/png"))
    product.start()
    try:
        answer = post_message(client, MediaUrl=f"http://127.0.0.1:{product.port}/m/1.code.png")
        missing = post_message(client, MediaUrl=f"http://127.0.0.1:{product.port}/gone")
        elsewhere = post_message(client, MediaUrl="http://203.0.113.5/m/1.code.png")
    finally:
        product.stop()

    assert (answer.status_code, answer.json["num_media"]) == (201, "1")
    assert [one.json["code"] for one in (missing, elsewhere)] == [21620, 21620]
    eventually(lambda: world.conversations.bubbles(ADA))
    (bubble,) = world.conversations.bubbles(ADA)
    assert bubble.file == hashlib.sha256(picture).hexdigest()
    page = client.get("/").text
    assert f'src="/phones/files/{bubble.file}"' in page
    shown = client.get(f"/phones/files/{bubble.file}")
    assert (shown.data, shown.mimetype) == (picture, "image/png")
    assert client.get("/phones/files/unknown").status_code == 404


def _gives(data: bytes, mime: str) -> WSGIApplication:
    """A product that has one file, behind every address but /gone."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        there = environ["PATH_INFO"] != "/gone"
        start_response(
            "200 OK" if there else "404 Not Found", [("Content-Type", mime if there else "text/plain")]
        )
        return [data if there else b"none"]

    return answer
