"""LINE where it differs from the others: shared requests, retry keys, and yes for people who blocked us."""

import json
from dataclasses import replace

import pytest

from app.domain.addresses import Address
from app.domain.messages import Batch, DeliveryRef, ErrorKind, Event, EventKind, PlatformSignal, Recipient
from app.gateways.base import Gateway, Proof, Reply
from app.gateways.registry import build
from tests.gateways.sample import HOOK
from tests.gateways.samples.line import ADA, GRACE, JEAN, SAMPLE, event, failure, posted, signed, text


def gateway() -> Gateway:
    return build("line", SAMPLE.settings, None)


def to(number: int, user: str, words: str) -> Recipient:
    return Recipient(DeliveryRef(12, number), Address("line", user), words)


def test_people_of_the_same_text_share_a_multicast_and_one_person_gets_a_push() -> None:
    people = (to(1, ADA, "hello"), to(2, GRACE, "for Grace"), to(3, JEAN, "hello"))

    many, one = gateway().encode(Batch(people, HOOK))

    assert many.url.endswith("/v2/bot/message/multicast")
    assert json.loads(many.body) == {"to": [ADA, JEAN], "messages": [{"type": "text", "text": "hello"}]}
    assert many.headers["Authorization"] == "Bearer a-channel-token"
    assert one.url.endswith("/v2/bot/message/push")
    assert json.loads(one.body)["to"] == GRACE


def test_a_retry_key_is_a_uuid_of_the_people_the_text_and_the_installation() -> None:
    def keys(*people: Recipient, callback: str = HOOK) -> list[str]:
        return [call.headers["X-Line-Retry-Key"] for call in gateway().encode(Batch(people, callback))]

    both = keys(to(1, ADA, "hello"), to(2, GRACE, "hello"))

    assert both == keys(to(1, ADA, "hello"), to(2, GRACE, "hello"))
    others = [
        keys(to(1, ADA, "hello")),
        keys(to(1, ADA, "hello"), to(3, GRACE, "hello")),
        keys(to(1, ADA, "hello, again"), to(2, GRACE, "hello, again")),
        keys(to(1, ADA, "hello"), to(2, GRACE, "hello"), callback="https://other.example.org/hooks/line"),
    ]
    assert len({key for found in [both, *others] for key in found}) == 5
    assert all(len(key) == 36 for key in both)


def test_an_id_that_is_not_spelt_like_lines_goes_alone_and_fails_nobody_else() -> None:
    people = (to(1, ADA, "hello"), to(2, "everybody", "hello"), to(3, JEAN, "hello"))

    calls = gateway().encode(Batch(people, HOOK))

    assert [len(call.refs) for call in calls] == [2, 1]
    (odd,) = gateway().decode(calls[1], SAMPLE.failures[0][0])
    assert odd.error is not None
    assert odd.error.kind is ErrorKind.INVALID


def test_the_monthly_429_is_a_quota_and_the_other_one_a_wait() -> None:
    """Comparable software treats both alike and tries again in vain until the month is over."""
    (call,) = gateway().encode(Batch((to(1, ADA, "hello"),), HOOK))

    kinds = [
        gateway().decode(call, Reply(429, json.dumps({"message": words}).encode()))[0].error
        for words in ("You have reached your monthly limit.", "The API rate limit has been exceeded.")
    ]

    assert [found and found.kind for found in kinds] == [ErrorKind.QUOTA, ErrorKind.RATE_LIMITED]


def test_an_accepted_send_proves_no_more_than_that_it_was_queued() -> None:
    assert gateway().capabilities().proof is Proof.QUEUED
    assert not gateway().capabilities().receipts


def test_the_empty_post_that_checks_the_address_is_taken() -> None:
    """Signature vector of docs: computed by line-bot-sdk over this body with the secret `linesecret`."""
    check = signed(b'{"destination":"U00000000000000000000000000000000","events":[]}')

    gateway().verify(check)

    assert check.headers["x-line-signature"] == "bNgMKfXfqX5vPu1YhbIWrEiGh/owYgPsdwHiDwZkYF8="
    assert gateway().parse(check) == []
    assert gateway().acknowledge(check).status == 200


def test_a_redelivered_event_keeps_its_id() -> None:
    first, again = (gateway().parse(posted(text(1, "STOP", redelivery=flag))) for flag in (False, True))

    assert first == again


def test_follow_and_unfollow_are_heard() -> None:
    """Comparable software skips both, and goes on sending to people who blocked it."""
    events = gateway().parse(SAMPLE.several) if SAMPLE.several else []

    heard = [(found.signal.signal, found.signal.address.value) for found in events if found.signal]
    assert heard == [(PlatformSignal.FOLLOWED, ADA), (PlatformSignal.LEFT, GRACE)]


@pytest.mark.parametrize(
    ("found", "payload", "media"),
    [
        (event("postback", 6, postback={"data": "stop-weekly"}), "stop-weekly", 0),
        (event("message", 7, message={"id": "m2", "type": "sticker"}), "", 1),
    ],
    ids=["button", "sticker"],
)
def test_buttons_carry_their_payload_and_stickers_no_text(
    found: dict[str, object], payload: str, media: int
) -> None:
    (heard,) = gateway().parse(posted(found))

    assert heard.message is not None
    assert (heard.message.text, heard.message.payload, heard.message.media_count) == ("", payload, media)


def test_what_is_said_in_a_group_is_none_of_ours() -> None:
    said = text(8, "STOP")

    (heard,) = gateway().parse(posted({**said, "source": {"type": "group", "groupId": "C1", "userId": ADA}}))

    assert replace(heard, at=None) == Event(EventKind.IGNORED)


def answering(token: str, words: str = "You are on the list.") -> Batch:
    return Batch((Recipient(DeliveryRef(12, 1, 7), Address("line", ADA), words, reply_token=token),), HOOK)


def test_an_answer_with_a_token_is_a_reply_of_its_own_and_has_no_retry_key() -> None:
    asked = answering("r1", "hello").recipients[0]

    reply, many = gateway().encode(Batch((to(2, GRACE, "hello"), asked, to(3, JEAN, "hello")), HOOK))

    assert (reply.url, reply.refs) == ("https://api.line.me/v2/bot/message/reply", (asked.ref,))
    assert json.loads(reply.body) == {"replyToken": "r1", "messages": [{"type": "text", "text": "hello"}]}
    assert "X-Line-Retry-Key" not in reply.headers
    assert json.loads(many.body)["to"] == [GRACE, JEAN]


@pytest.mark.parametrize(
    ("answer", "kind", "other_way"),
    [
        (failure(400, "Invalid reply token"), ErrorKind.TEMPORARY, True),
        (failure(400, "The request body has 1 error(s)", "replyToken"), ErrorKind.TEMPORARY, True),
        (failure(400, "The request body has 1 error(s)", "messages[0].text"), ErrorKind.CONTENT, False),
        (failure(429, "The API rate limit has been exceeded."), ErrorKind.RATE_LIMITED, False),
        (failure(401, "Authentication failed"), ErrorKind.AUTH, False),
        (failure(500, "Internal server error"), ErrorKind.UNKNOWN, False),
        (failure(503, "Service unavailable"), ErrorKind.UNKNOWN, False),
        (Reply(0, left=True, reason="timeout"), ErrorKind.UNKNOWN, False),
        (Reply(0, left=False, reason="no_connection"), ErrorKind.TEMPORARY, False),
    ],
)
def test_only_a_reply_that_was_surely_refused_may_be_followed_by_a_push(
    answer: Reply, kind: ErrorKind, other_way: bool
) -> None:
    (call,) = gateway().encode(answering("r1"))

    (outcome,) = gateway().decode(call, answer)

    assert outcome.error is not None
    assert (outcome.error.kind, outcome.error.other_way) == (kind, other_way)


def test_a_push_that_line_could_not_take_is_safe_to_repeat_for_it_has_a_key() -> None:
    (call,) = gateway().encode(Batch((to(1, ADA, "hello"),), HOOK))

    (outcome,) = gateway().decode(call, failure(500, "Internal server error"))

    assert outcome.error is not None
    assert outcome.error.kind is ErrorKind.TEMPORARY


def test_what_may_be_answered_brings_its_token_and_shows_it_nowhere() -> None:
    said = event("message", 1, message={"id": "m1", "type": "text", "text": "STOP"}, replyToken="secret-1")
    pressed = event("postback", 2, postback={"data": "stop"}, replyToken="secret-2")
    follows = event("follow", 3, follow={"isUnblocked": False}, replyToken="secret-3")
    endless = event("message", 4, message={"id": "m4", "type": "text", "text": "HELP"}, replyToken="x" * 301)

    found = gateway().parse(posted(said, pressed, follows, event("unfollow", 5), endless))

    tokens = [(one.message or one.signal).reply_token for one in found if one.message or one.signal]
    assert tokens == ["secret-1", "secret-2", "secret-3", "", ""]
    assert "secret" not in repr(found)
