"""The sink is the only witness of a benchmark: it must see what is wrong. Both sinks, the same facts."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from bench.sink import C_KIND, PYTHON_KIND, Account, Given, Sink, compiled, running_sink
from bench.tokens import fingerprint, token

ACCOUNT = Account("AC" + "1" * 32, "token-for-tests", bytes(range(16)))
ADA, BEA = "+12025550101", "+12025550102"
CHAT = "7000000000001"


@pytest.fixture(scope="module", params=[C_KIND, PYTHON_KIND])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sink]:
    directory = tmp_path_factory.mktemp("sink")
    if request.param == C_KIND and compiled(directory) is None:
        pytest.skip("no C compiler, or no epoll")
    compiler = "cc" if request.param == C_KIND else "no-such-compiler"
    with running_sink(directory, ACCOUNT, compiler=compiler) as sink:
        assert sink.kind == request.param
        yield sink


@pytest.fixture
def sink(running: Sink) -> Sink:
    running.reset()
    return running


def text_for(number: str) -> str:
    return f"The bridge is open again. {token(ACCOUNT.key, number)}"


def post(sink: Sink, number: str, text: str, basic: str = ACCOUNT.basic) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(sink.url.removeprefix("http://"), timeout=5)
    headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
    form = urlencode({"To": number, "From": "+12025550100", "Body": text})
    connection.request("POST", f"/2010-04-01/Accounts/{ACCOUNT.sid}/Messages.json", form, headers)
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


def post_bot(
    sink: Sink, text: str, *, chat: object = CHAT, bot: str = ACCOUNT.bot, method: str = "sendMessage"
) -> tuple[int, dict[str, object]]:
    connection = http.client.HTTPConnection(sink.url.removeprefix("http://"), timeout=5)
    body = json.dumps({"chat_id": chat, "text": text})
    connection.request("POST", f"/bot{bot}/{method}", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = response.status, json.loads(response.read())
    connection.close()
    return answer


def test_a_message_is_answered_as_twilio_does_and_counted(sink):
    status, body = post(sink, ADA, text_for(ADA))

    assert status == 201
    assert b'"sid": "SM' in body
    assert 600 < len(body) < 1000
    assert sink.stats().faults(1, fingerprint([token(ACCOUNT.key, ADA)])) == []


def test_a_form_in_the_address_of_a_get_is_checked_the_same_way(sink):
    connection = http.client.HTTPConnection(sink.url.removeprefix("http://"), timeout=5)
    form = urlencode({"Body": text_for(ADA), "To": ADA})
    for basic in (ACCOUNT.basic, "QUM6d3Jvbmc="):
        headers = {"Authorization": f"Basic {basic}"}
        connection.request("GET", f"/2010-04-01/Accounts/{ACCOUNT.sid}/Messages.json?{form}", headers=headers)
        connection.getresponse().read()
    connection.close()

    seen = sink.stats()
    assert (seen.unique, seen.bad_auth, seen.bad_token, seen.bad_request) == (1, 1, 0, 0)
    assert seen.sum == fingerprint([token(ACCOUNT.key, ADA)])


def test_a_second_copy_is_a_duplicate(sink):
    for number in (ADA, BEA, ADA):
        post(sink, number, text_for(number))

    seen = sink.stats()
    assert (seen.total, seen.unique, seen.duplicates, seen.lost(2)) == (3, 2, 1, 0)
    assert seen.faults(2, fingerprint(token(ACCOUNT.key, one) for one in (BEA, ADA))) == [
        "1 messages were second copies"
    ]


def test_somebody_left_out_is_lost(sink):
    post(sink, ADA, text_for(ADA))

    assert sink.stats().lost(2) == 1
    assert sink.stats().faults(2, fingerprint(token(ACCOUNT.key, one) for one in (ADA, BEA)))


def test_the_right_count_of_the_wrong_people_is_a_fault(sink):
    post(sink, ADA, text_for(ADA))

    assert sink.stats().faults(1, fingerprint([token(ACCOUNT.key, BEA)])) == [
        "the numbers reached are not those of the database"
    ]


def test_wrong_credentials_are_refused_and_counted(sink):
    status, _ = post(sink, ADA, text_for(ADA), basic="QUM6d3Jvbmc=")

    assert status == 401
    assert (sink.stats().total, sink.stats().bad_auth) == (0, 1)


def test_a_text_with_another_persons_token_is_counted(sink):
    post(sink, ADA, text_for(BEA))

    assert sink.stats().bad_token == 1


@pytest.mark.parametrize(("number", "text"), [("12025550101", text_for(ADA)), (ADA, "short"), ("", "")])
def test_a_form_that_makes_no_sense_is_refused(sink, number, text):
    status, _ = post(sink, number, text)

    assert status == 400
    assert (sink.stats().total, sink.stats().bad_request) == (0, 1)


def test_requests_in_pieces_and_several_at_once_are_all_answered(sink):
    form = urlencode({"Body": text_for(ADA), "To": ADA}).encode()
    request = (
        f"POST /2010-04-01/Accounts/{ACCOUNT.sid}/Messages.json HTTP/1.1\r\nHost: sink\r\n"
        f"authorization: Basic {ACCOUNT.basic}\r\ncontent-length: {len(form)}\r\n\r\n"
    ).encode() + form
    host, port = sink.url.removeprefix("http://").split(":")

    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(request[:70])
        connection.sendall(request[70:] + request + request)
        answers = b""
        while answers.count(b"201 CREATED") < 3:
            answers += connection.recv(65536)

    assert sink.stats().total == 3


def test_a_reset_forgets_everything(sink):
    post(sink, ADA, text_for(ADA))

    sink.reset()

    assert sink.stats().faults(0, fingerprint([])) == []


def test_an_answer_waits_for_the_delay(tmp_path: Path):
    with running_sink(tmp_path, ACCOUNT, delay_ms=60) as slow:
        slow.reset()
        post(slow, ADA, text_for(ADA))
        post(slow, BEA, text_for(BEA))

        assert slow.stats().seconds >= 0.06


def test_every_arrival_is_told_with_its_moment(sink):
    before = time.monotonic_ns()
    for number in (ADA, BEA, ADA):
        post(sink, number, text_for(number))

    told = sink.arrivals()
    assert [(one.to, one.sender) for one in told] == [(one, "+12025550100") for one in (ADA, BEA, ADA)]
    assert before < told[0].at_ns < told[1].at_ns < told[2].at_ns < time.monotonic_ns()


def test_trouble_is_a_429_a_503_or_a_cut_and_the_sink_knows_which_were_taken(sink):
    sink.trouble(busy=1000)
    assert post(sink, ADA, text_for(ADA))[0] == 429
    sink.trouble(broken=1000)
    assert post(sink, ADA, text_for(ADA))[0] == 503
    sink.trouble(cut_before=1000)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        post(sink, ADA, text_for(ADA))
    assert sink.arrivals() == []
    sink.trouble(cut_after=1000)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        post(sink, ADA, text_for(ADA))
    assert [one.to for one in sink.arrivals()] == [ADA]
    sink.reset()
    assert post(sink, ADA, text_for(ADA))[0] == 201


@pytest.mark.parametrize("chat", [CHAT, int(CHAT)])
def test_a_bots_message_is_answered_as_telegram_does_and_counted(sink, chat):
    status, said = post_bot(sink, 'Über "die" Brücke.\n' + text_for(CHAT), chat=chat)

    assert (status, said["ok"]) == (200, True)
    assert isinstance(said["result"], dict)
    assert said["result"]["chat"]["id"] == int(CHAT)
    assert said["result"]["message_id"] > 0
    assert sink.stats().faults(1, fingerprint([token(ACCOUNT.key, CHAT)])) == []
    assert [(one.to, one.sender) for one in sink.arrivals()] == [(CHAT, "123456")]


def test_a_bots_copies_strangers_and_nonsense_are_counted(sink):
    for text in (text_for(CHAT), text_for(CHAT), text_for(ADA)):
        post_bot(sink, text)

    assert post_bot(sink, text_for(CHAT), bot="123456:another")[0] == 401
    assert post_bot(sink, text_for(CHAT), chat="@somebody")[0] == 400
    assert post_bot(sink, "short")[0] == 400
    assert post_bot(sink, text_for(CHAT), method="sendPhoto")[0] == 404
    seen = sink.stats()
    assert (seen.total, seen.unique, seen.bad_token, seen.bad_auth, seen.bad_request) == (3, 1, 1, 1, 3)


def test_a_busy_bot_is_told_how_long_to_wait(sink):
    sink.trouble(busy=1000)

    status, said = post_bot(sink, text_for(CHAT))

    assert (status, said["parameters"]) == (429, {"retry_after": 1})


def test_the_table_of_numbers_is_as_large_as_the_people_say(tmp_path: Path):
    people = 60_000  # more than it holds by itself
    with running_sink(tmp_path, ACCOUNT, people=people) as large:
        host, port = large.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            for start in range(0, people, 50):
                bodies = (
                    f'{{"chat_id": {one}, "text": "{"-" * 16}"}}' for one in range(start + 1, start + 51)
                )
                connection.sendall(
                    "".join(
                        f"POST /bot{ACCOUNT.bot}/sendMessage HTTP/1.1\r\nContent-Length: {len(one)}\r\n\r\n{one}"
                        for one in bodies
                    ).encode()
                )
                answers = b""
                while answers.count(b"200 OK") < 50:
                    answers += connection.recv(65536)

        assert large.stats().unique == people


def test_a_given_answer_goes_to_every_request_which_are_counted_with_their_bytes(sink):
    sink.give(b"HTTP/1.1 202 -\r\ncontent-length: 2\r\nx-id: 7\r\n\r\nok")
    connection = http.client.HTTPConnection(sink.url.removeprefix("http://"), timeout=5)
    answers = []
    for method, target, body in (("PUT", "/a/b?c=d", b"x" * 300_000), ("GET", "/", b"")):
        connection.request(method, target, body)
        response = connection.getresponse()
        answers.append((response.status, response.headers["x-id"], response.read()))
    connection.close()

    assert answers == [(202, "7", b"ok")] * 2
    assert sink.given() == Given(requests=2, bytes=len("/a/b?c=d") + 300_000 + len("/"))
    assert sink.stats().total == 0
    sink.reset()
    assert (post(sink, ADA, text_for(ADA))[0], sink.given()) == (201, Given(0, 0))


def test_a_long_given_answer_comes_whole_to_requests_that_come_at_once(sink):
    body = b"x" * 30_000
    sink.give(b"HTTP/1.1 200 -\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))

    with socket.create_connection(sink.url.removeprefix("http://").split(":"), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n" * 5)
        answers = b""
        while answers.count(b"x") < 5 * len(body):
            answers += connection.recv(65536)

    assert (answers.count(b"HTTP/1.1 200"), answers.count(b"x")) == (5, 5 * len(body))
    assert sink.given() == Given(requests=5, bytes=5)


def test_a_given_answer_that_is_too_long_is_refused_aloud(sink):
    with pytest.raises(RuntimeError, match="413 to POST /given"):
        sink.give(b"x" * 32_769)
