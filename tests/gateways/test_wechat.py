"""WeChat where it differs from the others: mass sends and single answers, errors inside HTTP 200, XML, encryption."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.domain.addresses import Address
from app.domain.messages import (
    Batch,
    BatchResult,
    DeliveryRef,
    ErrorKind,
    Event,
    EventKind,
    Recipient,
    SendError,
)
from app.domain.quotas import QUOTAS
from app.gateways.base import BadSignature, Call, Malformed, Reply, Token
from app.gateways.wechat import WeChatGateway, WeChatSubscriptionGateway
from app.gateways.wechat_crypt import CannotDecrypt, decrypt, encrypt, key_of, signature
from tests.gateways.sample import HOOK, get
from tests.gateways.samples.wechat import (
    ADA,
    GRACE,
    JEAN,
    SAMPLE,
    SETTINGS,
    event,
    refusal,
    signed,
    text,
    xml,
)
from tests.gateways.samples.wechat_subscription import AES_KEY, APP_ID, sealed
from tests.gateways.samples.wechat_subscription import SETTINGS as SAFE

KNOWN_XML = b"<xml><Content>STOP</Content></xml>"


def gateway() -> WeChatGateway:
    return WeChatGateway(SETTINGS)


def to(number: int, user: str, words: str = "hello", inbound: int = 0) -> Recipient:
    return Recipient(DeliveryRef(12, number, inbound), Address("wechat", user), words)


def calls(*people: Recipient, callback: str = HOOK) -> list[Call]:
    return list(gateway().encode(Batch(people, callback)))


def read(body: bytes) -> Event:
    (found,) = gateway().parse(signed(body))
    return found


def test_followers_of_one_text_share_a_mass_send() -> None:
    (call,) = calls(to(1, ADA, "你好"), to(2, GRACE, "你好"))
    body = json.loads(call.body)

    assert call.url == "https://api.weixin.qq.com/cgi-bin/message/mass/send"
    assert (body["touser"], body["msgtype"], body["text"]) == ([ADA, GRACE], "text", {"content": "你好"})
    assert len(body["clientmsgid"]) == 64
    assert "你好".encode() in call.body  # escaped letters would be shown as they are escaped


def test_answers_and_a_follower_alone_get_customer_service_messages() -> None:
    alone, *answers = calls(to(1, ADA), to(2, GRACE, "yes", inbound=7), to(3, JEAN, "yes", inbound=-8))

    assert [call.url.rpartition("/cgi-bin/")[2] for call in (alone, *answers)] == ["message/custom/send"] * 3
    assert json.loads(alone.body) == {"touser": ADA, "msgtype": "text", "text": {"content": "hello"}}
    (outcome,) = gateway().decode(answers[0], Reply(200, b'{"errcode": 0, "errmsg": "ok"}'))
    assert (outcome.error, outcome.provider_id) == (None, "12.2.7")


def test_an_id_that_is_no_openid_fails_nobody_else() -> None:
    together, alone = calls(to(1, ADA), to(2, "oAda"), to(3, GRACE))

    assert json.loads(together.body)["touser"] == [ADA, GRACE]
    assert json.loads(alone.body)["touser"] == "oAda"


def test_ten_thousand_and_one_followers_make_two_mass_sends_and_nobody_is_left_over_alone() -> None:
    people = [to(number, f"o{number:027}") for number in range(10_001)]

    assert [len(call.refs) for call in calls(*people)] == [9_999, 2]


def test_a_mass_send_without_its_number_is_unknown() -> None:
    (call,) = calls(to(1, ADA), to(2, GRACE))

    errors = [one.error for one in gateway().decode(call, Reply(200, b'{"errcode": 0}'))]

    assert [error.kind if error else None for error in errors] == [ErrorKind.UNKNOWN] * 2


def test_the_accounts_differ_in_their_quota_only() -> None:
    service, subscription = WeChatGateway.capabilities(), WeChatSubscriptionGateway.capabilities()

    assert replace(service, quota=None) == replace(subscription, quota=None)
    assert (service.quota, subscription.quota) == (QUOTAS["wechat"], QUOTAS["wechat_subscription"])


def test_a_signature_is_the_known_one() -> None:
    known = "b7ccf7902d95d993cb7aa7f15706c956fd7538fd"

    assert signature("wtoken", "1795374000", "n0nce") == known
    question = get({"signature": known, "timestamp": "1795374000", "nonce": "n0nce", "echostr": "42"})
    reply = gateway().handshake(question)
    assert reply is not None
    assert reply.body == "42"
    with pytest.raises(BadSignature):
        gateway().handshake(replace(question, query={**question.query, "nonce": "other"}))


def test_what_is_encrypted_comes_back_and_another_key_account_or_letter_is_refused() -> None:
    key = key_of(AES_KEY)
    inside = encrypt(key, APP_ID, KNOWN_XML, salt=b"0123456789abcdef")

    assert decrypt(key, APP_ID, inside) == KNOWN_XML
    assert encrypt(key, APP_ID, KNOWN_XML) != encrypt(key, APP_ID, KNOWN_XML)
    for wrong in (
        (key, "wxanother", inside),
        (key_of(AES_KEY[::-1]), APP_ID, inside),
        (key, APP_ID, inside[:-4]),
        (key, APP_ID, "no base64!"),
        (key, APP_ID, ""),
    ):
        with pytest.raises(CannotDecrypt):
            decrypt(*wrong)


def test_what_another_program_encrypted_is_read() -> None:
    # By `openssl enc -aes-256-cbc -nopad` with the key and IV of this EncodingAESKey.
    inside = (
        "Q3stYC6hdFzMh9T8HCvyDLfGTM4uxQFjejZkoSjq5MtTr0/vTbFZ4eh8MrMOcwzO"
        "+3d5SLytBqVwgWREV/sSd95rJQTkEZi2CSYFpEMowGQScyaQjoUireEV38y2svrq"
    )

    assert decrypt(key_of(AES_KEY), "wxappid000000000", inside) == KNOWN_XML
    assert encrypt(key_of(AES_KEY), "wxappid000000000", KNOWN_XML, salt=b"0123456789abcdef") == inside


def test_in_the_safe_mode_the_signature_covers_the_message_and_plain_ones_are_refused() -> None:
    safe = WeChatGateway(SAFE)

    safe.verify(sealed(text("STOP")))
    (found,) = safe.parse(sealed(text("STOP")))

    assert found.message is not None
    assert found.message.text == "STOP"
    moved = replace(sealed(text("STOP")), query={**sealed(text("STOP")).query, "nonce": "other"})
    for forged in (signed(text("STOP")), moved, sealed(text("STOP"), token="another")):
        with pytest.raises(BadSignature):
            safe.verify(forged)


def test_entities_are_not_expanded() -> None:
    bomb = b'<!DOCTYPE xml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><xml><Content>&b;</Content></xml>'
    file = b'<!DOCTYPE xml [<!ENTITY f SYSTEM "file:///etc/passwd">]><xml><Content>&f;</Content></xml>'

    for body in (bomb, file):
        with pytest.raises(Malformed):
            read(body)


def test_a_message_is_known_by_its_number_and_an_event_by_who_when_and_what() -> None:
    message, follow = read(text("JOIN weekly", number=23)).message, read(event("subscribe")).signal
    scan = read(event("SCAN", EventKey="weekly_poster7")).message

    assert message is not None
    assert (message.external_id, message.sent_at) == ("message:23", datetime.fromtimestamp(1795370000, UTC))
    assert follow is not None
    assert follow.external_id == f"event:{ADA}:1795370000:subscribe"
    assert scan is not None
    assert (scan.external_id, scan.payload) == (f"event:{ADA}:1795370000:scan", "weekly_poster7")


@pytest.mark.parametrize(
    ("body", "payload", "text", "media"),
    [
        (event("subscribe", EventKey="qrscene_weekly_poster7"), "weekly_poster7", "", 0),
        (event("SCAN", EventKey="weekly"), "weekly", "", 0),
        (event("CLICK", EventKey="stop"), "stop", "", 0),
        (text(" two\nlines "), "", " two\nlines ", 0),
        (xml("image", PicUrl="https://example.org/1.png", MediaId="m", MsgId="9"), "", "", 1),
        (xml("voice", MediaId="m", Format="amr", MsgId="10"), "", "", 1),
    ],
)
def test_what_people_do_is_a_message(body: bytes, payload: str, text: str, media: int) -> None:
    found = read(body).message

    assert found is not None
    assert (found.payload, found.text, found.media_count) == (payload, text, media)


@pytest.mark.parametrize(
    "body", [event("VIEW"), event("TEMPLATESENDJOBFINISH"), b"<xml/>", event("subscribe", "")]
)
def test_what_tells_nothing_of_a_person_is_ignored(body: bytes) -> None:
    assert read(body).kind is EventKind.IGNORED


@pytest.mark.parametrize(
    ("status", "reached", "error"),
    [
        ("send success", "8790", None),
        ("sendsuccess", "8790", None),
        ("send fail", "0", ErrorKind.TEMPORARY),
        ("err(10001)", "0", ErrorKind.CONTENT),
    ],
)
def test_the_end_of_a_mass_send_tells_totals(status: str, reached: str, error: ErrorKind | None) -> None:
    counts = {"TotalCount": "9000", "FilterCount": "8800", "SentCount": reached, "ErrorCount": "10"}
    found = read(event("MASSSENDJOBFINISH", "oSystem", MsgID="91", Status=status, **counts))

    assert found.kind is EventKind.BATCH_RESULT
    told = None if error is None else SendError(error, status, "WeChat did not send it to anybody.")
    assert found.result == BatchResult("91", 9000, int(reached), told)


def test_a_token_is_asked_for_and_put_into_the_address() -> None:
    call = gateway().token_call(anew=False)

    assert call.url == "https://api.weixin.qq.com/cgi-bin/stable_token"
    assert json.loads(call.body) == {
        "grant_type": "client_credential",
        "appid": "wxappid000000000",
        "secret": "an-app-secret",
        "force_refresh": False,
    }
    assert "an-app-secret" not in repr(call)
    assert gateway().token_of(Reply(200, b'{"access_token": "a/b", "expires_in": 7200}')) == Token(
        "a/b", 7200
    )
    (message,) = calls(to(1, ADA))
    assert gateway().with_token(message, "a/b&c").url.endswith("/custom/send?access_token=a/b%26c")


def test_tokens_that_ran_out_or_do_not_count_are_refused_tokens_and_other_errors_are_not() -> None:
    refused = [
        code for code in (0, 40001, 40014, 42001, 45015, 40003, -1) if gateway().refuses_token(refusal(code))
    ]

    assert refused == [40001, 40014, 42001]


def test_a_lasting_qr_code_brings_its_scene() -> None:
    call = gateway().drawn_link_call("weekly_poster7")

    assert json.loads(call.body) == {
        "action_name": "QR_LIMIT_STR_SCENE",
        "action_info": {"scene": {"scene_str": "weekly_poster7"}},
    }
    drawn = Reply(200, b'{"ticket": "t1", "url": "http://weixin.qq.com/q/kZgfwMTm72WWPkovabbI"}')
    assert gateway().drawn_link_of(drawn) == "http://weixin.qq.com/q/kZgfwMTm72WWPkovabbI"
    assert gateway().drawn_link_of(refusal(48001)) is None
    assert gateway().link("weekly_poster7") is None


def test_the_word_success_keeps_wechat_from_telling_the_person_that_we_are_out_of_order() -> None:
    assert gateway().acknowledge(SAMPLE.stop).body == "success"
