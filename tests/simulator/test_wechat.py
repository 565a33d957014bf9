"""WeChat in the simulator: the whole story of some followers, over its real protocol both ways, plain and encrypted."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain.consent import SubscriptionState
from app.domain.messages import EventKind, PlatformSignal
from app.domain.statuses import DeliveryStatus
from app.gateways.followers import NotOffered
from app.gateways.tokens import TokenTransport
from app.services.reconcile_followers import Reading, reconcile
from app.simulator.application import create_app
from app.simulator.messengers import Account
from app.simulator.wire import Answer
from app.simulator.world import World
from app.storage.database import db
from app.storage.models import Delivery, Subscriber, Subscription
from tests.gateways.samples.wechat import SETTINGS
from tests.gateways.samples.wechat_subscription import AES_KEY
from tests.support.wechat import WeChatCity
from tests.support.world import Newsroom

ADA, GRACE, JONAS = "+12025550143", "+447700900118", "+493023125017"


@pytest.fixture(params=[{}, {"aes_key": AES_KEY}], ids=["plain", "encrypted"])
def city(newsroom: Newsroom, request: pytest.FixtureRequest) -> WeChatCity:
    return WeChatCity(newsroom, "wechat", {**SETTINGS, **request.param})


def state_of(city: WeChatCity, phone: str) -> str | None:
    db.session.rollback()
    openid = city.world.wechat.id_of(phone)
    return db.session.scalar(select(Subscription.state).join(Subscriber).where(Subscriber.address == openid))


def statuses(broadcast_id: int) -> list[int]:
    db.session.rollback()
    return sorted(db.session.scalars(select(Delivery.status).where(Delivery.broadcast_id == broadcast_id)))


def test_the_whole_story_of_followers(city: WeChatCity) -> None:
    newsroom = city.newsroom
    city.follow(ADA, scene="city_poster7")  # a code with a scene says which list
    city.follow(GRACE)
    assert city.shown(GRACE)  # to follow is no consent: she is told what there is
    assert state_of(city, GRACE) is None
    city.text(GRACE, "CITY")
    city.text(JONAS, "CITY")
    assert [state_of(city, one) for one in (ADA, GRACE, JONAS)] == [SubscriptionState.ACTIVE] * 3

    first = city.broadcast("Bridge")
    assert [city.shown(one)[-1] for one in (ADA, GRACE, JONAS)] == ["The bridge is open."] * 3
    assert city.wire.paths.count("message/mass/send") == 1
    assert statuses(first) == [DeliveryStatus.SENT] * 3
    city.tell_later()
    assert statuses(first) == [DeliveryStatus.DELIVERED] * 3

    newsroom.later(hours=3)
    city.text(GRACE, "STOP")
    city.leave(JONAS)
    assert [state_of(city, one) for one in (ADA, GRACE, JONAS)] == ["active", "stopped", "stopped"]
    city.text(ADA, "HELP")
    before = len(city.shown(JONAS))
    city.leave(JONAS, gone=False)  # follows again, and is asked what they want
    assert len(city.shown(JONAS)) == before + 1
    assert state_of(city, JONAS) == SubscriptionState.STOPPED
    newsroom.later(minutes=1)
    city.text(JONAS, "CITY")
    assert state_of(city, JONAS) == SubscriptionState.ACTIVE

    second = city.broadcast("Road", "The road is open.")
    assert [city.shown(one)[-1] == "The road is open." for one in (ADA, GRACE, JONAS)] == [True, False, True]
    assert statuses(second) == [DeliveryStatus.SENT] * 2
    signals = [one.signal.signal for one in city.heard if one.signal]
    assert signals.count(PlatformSignal.FOLLOWED) == 3
    assert signals.count(PlatformSignal.LEFT) == 1
    assert [city.shown(one).count("The bridge is open.") for one in (ADA, GRACE, JONAS)] == [1, 1, 1]


def test_the_whole_story_of_a_subscription_account(newsroom: Newsroom) -> None:
    city = WeChatCity(newsroom, "wechat_subscription", {**SETTINGS, "aes_key": AES_KEY})
    for phone in (ADA, GRACE):
        city.follow(phone)
        city.text(phone, "CITY")
    assert [state_of(city, one) for one in (ADA, GRACE)] == ["active", "active"]
    first = city.broadcast("Bridge")
    city.tell_later()
    assert statuses(first) == [DeliveryStatus.DELIVERED] * 2
    assert [city.shown(one)[-1] for one in (ADA, GRACE)] == ["The bridge is open."] * 2

    newsroom.later(hours=1)
    city.text(GRACE, "STOP")
    city.leave(ADA)
    assert [state_of(city, one) for one in (ADA, GRACE)] == ["stopped", "stopped"]

    newsroom.later(days=1)  # one broadcast a day
    city.leave(ADA, gone=False)
    assert state_of(city, ADA) == "stopped"  # to follow again is no consent
    for phone in (ADA, GRACE):
        city.text(phone, "CITY")
    city.broadcast("Road", "The road is open.")
    assert [city.shown(one)[-1] for one in (ADA, GRACE)] == ["The road is open."] * 2


def test_whoever_left_and_scans_a_code_again_is_back_on_the_list(city: WeChatCity) -> None:
    city.follow(ADA, scene="city_poster7")
    city.leave(ADA)
    assert state_of(city, ADA) == SubscriptionState.STOPPED

    city.newsroom.later(hours=1)
    city.world.chats.blocks.clear()
    city.follow(ADA, scene="city_poster7")
    city.follow(GRACE, scene="city_poster7")
    city.broadcast("Bridge")

    assert city.shown(ADA)[-1] == "The bridge is open."


def test_a_token_that_ended_is_renewed_and_the_message_goes_once(city: WeChatCity) -> None:
    city.follow(ADA, scene="city")
    city.text(GRACE, "CITY")
    assert city.wire.paths.count("stable_token") == 1

    city.newsroom.later(hours=3)
    city.broadcast("Bridge")

    assert city.wire.paths.count("stable_token") == 2
    assert [city.shown(one).count("The bridge is open.") for one in (ADA, GRACE)] == [1, 1]


def test_where_one_of_many_did_not_get_it_nobody_knows_who(city: WeChatCity) -> None:
    for phone in (ADA, GRACE, JONAS):
        city.text(phone, "CITY")
    city.world.chats.blocks.add((JONAS, city.account.address))  # gone, and the event was lost

    broadcast_id = city.broadcast("Bridge")
    city.tell_later()

    assert city.heard[-1].kind is EventKind.BATCH_RESULT
    assert statuses(broadcast_id) == [DeliveryStatus.SENT] * 3


def test_a_follower_alone_gets_it_while_their_window_is_open_and_fails_after_it(city: WeChatCity) -> None:
    city.text(ADA, "CITY")

    soon = city.broadcast("Bridge")
    city.newsroom.later(hours=49)
    late = city.broadcast("Road")

    assert statuses(soon) == [DeliveryStatus.SENT]
    assert statuses(late) == [DeliveryStatus.FAILED]
    row = db.session.scalars(select(Delivery).where(Delivery.broadcast_id == late)).one()
    assert (row.reason, row.error_code) == ("window_closed", "45015")


def test_a_wrong_secret_closes_the_sender_and_nothing_leaves(city: WeChatCity) -> None:
    settings = {**city.account.settings, "app_secret": "rotated"}
    city.world.chats.put(
        type(city.account)("wechat", city.account.address, city.account.webhook_url, "", settings)
    )

    city.text(ADA, "CITY")

    assert set(city.wire.paths) == {"stable_token"}
    assert city.shown(ADA) == []


def test_the_simulated_wechat_refuses_what_the_real_one_refuses(city: WeChatCity) -> None:
    client = create_app(city.world, later=lambda job: None).test_client()

    def ask(path: str, body: object, token: str = "") -> dict[str, object]:
        answer = client.post(f"/cgi-bin/{path}?access_token={token}", json=body)
        assert answer.status_code == 200
        return answer.get_json()

    who = {"grant_type": "client_credential", "appid": SETTINGS["app_id"], "secret": SETTINGS["app_secret"]}
    token = str(ask("stable_token", who)["access_token"])
    assert ask("stable_token", who)["access_token"] == token
    other = str(ask("stable_token", {**who, "force_refresh": True})["access_token"])
    hello = {"msgtype": "text", "text": {"content": "Hello"}}
    mass = {**hello, "touser": ["o1", "o2"], "clientmsgid": "c1"}

    def code(path: str, body: object, token: str = other) -> object:
        return ask(path, body, token)["errcode"]

    assert code("message/mass/send", mass, token) == 40001  # the forced one retired it
    assert code("message/mass/send", mass, "") == 41001
    assert code("message/mass/send", {**mass, "touser": ["o1"]}) == 40130
    assert code("message/mass/send", {**mass, "touser": ["o"] * 10_001}) == 40032
    first, again = (ask("message/mass/send", mass, other) for _ in range(2))
    assert (first["errcode"], again["errcode"], first["msg_id"]) == (0, 45065, again["msg_id"])
    assert code("message/mass/send", {**mass, "clientmsgid": "c2"}) == 45011
    assert code("message/custom/send", {**hello, "touser": "nobody"}) == 40003
    assert code("message/custom/send", {"msgtype": "text", "text": {}, "touser": "o"}) == 44004
    assert code("stable_token", {**who, "secret": "wrong"}) == 40125
    assert code("stable_token", {**who, "appid": "wrong"}) == 40013
    assert ask("qrcode/create", {"action_info": {"scene": {"scene_str": "x"}}}, other)["url"]
    city.newsroom.now += timedelta(hours=3)
    assert code("message/mass/send", mass) == 42001


def test_five_answers_follow_a_persons_words_and_three_a_follow(city: WeChatCity) -> None:
    windows, openid = city.world.wechat.windows, city.world.wechat.id_of(ADA)
    address = city.account.address

    city.world.wechat.opened(city.account, ADA, "", known=False)
    assert [windows.take(address, openid) for _ in range(4)] == [0, 0, 0, 45047]
    city.world.wechat.said(city.account, ADA, "Hello")
    assert [windows.take(address, openid) for _ in range(6)] == [0, 0, 0, 0, 0, 45047]
    city.newsroom.later(hours=49)
    assert windows.take(address, openid) == 45015


def test_the_phone_shows_it_in_the_channels_look(city: WeChatCity) -> None:
    city.follow(ADA, scene="city")
    city.text(ADA, "HELP")

    page = create_app(city.world).test_client().get("/").get_data(as_text=True)

    assert 'class="bubble in wechat"' in page
    assert 'class="bubble out wechat"' in page
    assert '<span class="channel">WeChat</span>' in page


def test_the_control_api_lets_somebody_follow_and_scan() -> None:
    world, posted = World(), []

    def hear(url: str, body: bytes, headers: dict[str, str], method: str = "POST") -> Answer:
        posted.append(body)
        return Answer(200, b"success")

    world.wire.send = hear  # type: ignore[method-assign]
    world.chats.put(Account("wechat", "gh_1", "http://127.0.0.1:9/hooks/x", settings=SETTINGS))
    client = create_app(world).test_client()

    scan = {"from": ADA, "to": "gh_1", "scene": "city_poster7"}
    answers = [client.post("/control/follow", json=scan) for _ in range(2)]
    nobody = client.post("/control/follow", json={"from": ADA, "to": "gh_2"})

    assert [one.get_json() for one in answers] == [{"webhook_status": 200}] * 2
    assert b"<Event>subscribe</Event><EventKey>qrscene_city_poster7</EventKey>" in posted[0]
    assert b"<Event>SCAN</Event><EventKey>city_poster7</EventKey>" in posted[1]
    assert (nobody.status_code, "to: must be" in nobody.get_json()["error"]) == (400, True)


def test_whoever_left_unheard_is_taken_out_by_the_list_of_followers(city: WeChatCity) -> None:
    newsroom = city.newsroom
    for phone in (ADA, GRACE):
        city.text(phone, "CITY")
    newsroom.later(hours=2)  # the token has ended by then, so that the first question is asked twice
    city.world.chats.blocks.add((GRACE, city.account.address))
    gateway = city.gateway()

    def read() -> Reading:
        return reconcile(
            city.sender_id,
            gateway,
            TokenTransport(gateway, city.wire, city.keeper, wait=lambda _: None),  # type: ignore[arg-type]
            by="system",
            controller=newsroom.controller,
            now=newsroom.now,
        )

    assert (read().left, read().left) == (1, 0)
    assert [state_of(city, one) for one in (ADA, GRACE)] == ["active", "stopped"]
    assert city.wire.paths.count("user/get") == 5  # behind the last follower comes an empty page
    city.world.chats.put(replace(city.account, settings={**city.account.settings, "verified": "no"}))
    with pytest.raises(NotOffered):
        read()
