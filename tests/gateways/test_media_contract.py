"""What every gateway in the registry does with a file beside the text, as far as it says that it carries any."""

from dataclasses import replace
from urllib.parse import unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.media.attached import Media
from app.domain.media.kinds import ending_of
from app.domain.media.limits import media_of
from app.domain.messages import Batch, ErrorKind, SendError
from app.gateways.base import Call, Gateway, Reply
from app.gateways.uploads import Handle, HandleTeller, Uploader, multipart
from tests.gateways.sample import HOOK, Sample
from tests.gateways.samples import SAMPLES
from tests.gateways.test_contract import batch, bound, build, class_of

TEXT = "The bridge is open again"
HANDLE = "mxc://example.org/the-providers-own-id"
CARRYING = {name: sample for name, sample in SAMPLES.items() if class_of(sample).capabilities().media}
every_gateway = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())
every_carrier = pytest.mark.parametrize("sample", CARRYING.values(), ids=CARRYING.keys())
UPLOADERS = {name: one for name, one in CARRYING.items() if isinstance(bound(one), Uploader)}


def file(mime: str, *, handle: str = "") -> Media:
    link = f"https://news.example.org/m/7.code.{ending_of(mime)}"
    preview = "https://news.example.org/public-static/preview.png"
    return Media(7, "ab" * 32, mime, 1000, "bridge.x", "An open bridge", link, preview, 3.0, handle)


def with_file(sample: Sample, count: int, mime: str, gateway: Gateway) -> Batch:
    handle = HANDLE if isinstance(gateway, Uploader) else ""
    return replace(batch(sample, count, TEXT), media=file(mime, handle=handle))


def types_of(sample: Sample) -> list[str]:
    return [mime for rule in class_of(sample).capabilities().media for mime in rule.types]


def said(call: Call) -> str:
    """The body in clear words: JSON, a form, or forms in a form."""
    return unquote_plus(unquote_plus(call.body.decode()))


@every_gateway
def test_what_it_carries_is_what_editors_are_told(sample: Sample) -> None:
    assert class_of(sample).capabilities().media == media_of(sample.name)


@every_carrier
def test_each_type_goes_with_the_text_to_everybody_once(sample: Sample) -> None:
    gateway = bound(sample)
    limit = gateway.capabilities().max_batch
    for mime in types_of(sample):
        whole = with_file(sample, min(3, limit + 1), mime, gateway)

        calls = gateway.encode(whole)

        assert sorted(ref for call in calls for ref in call.refs) == sorted(
            one.ref for one in whole.recipients
        )
        assert calls == gateway.encode(whole) or sample.name == "webpush"  # which is encrypted anew each time
        if sample.name != "webpush":
            assert all(TEXT in said(call) for call in calls), mime
            assert all(HANDLE in said(call) or file(mime).url in said(call) for call in calls), mime


@every_carrier
def test_without_a_file_nothing_of_it_is_in_the_request(sample: Sample) -> None:
    for call in bound(sample).encode(batch(sample, 1, TEXT)):
        assert b"news.example.org/m/" not in call.body


@every_carrier
def test_a_yes_to_a_message_with_a_file_is_a_yes(sample: Sample) -> None:
    gateway = bound(sample)
    (call, *_) = gateway.encode(with_file(sample, 1, types_of(sample)[0], gateway))

    (outcome,) = gateway.decode(call, sample.accepted(1))

    assert (outcome.error, outcome.provider_id) == (None, sample.provider_id)


@every_carrier
def test_a_base_url_points_messages_with_files_elsewhere_too(sample: Sample) -> None:
    gateway = build(sample.name, sample.settings, "http://127.0.0.1:8001/")
    if gateway.capabilities().connection != "http":
        return

    for call in gateway.encode(with_file(sample, 1, types_of(sample)[0], gateway)):
        assert call.url.startswith("http://127.0.0.1:8001/")


@pytest.mark.parametrize("sample", UPLOADERS.values(), ids=UPLOADERS.keys())
def test_an_upload_has_the_bytes_whole_and_goes_where_messages_go(sample: Sample) -> None:
    gateway = build(sample.name, sample.settings, "http://127.0.0.1:8001/")
    assert isinstance(gateway, Uploader)

    for mime in types_of(sample):
        call = gateway.upload_call(file(mime), b"\x00\xffthe bytes\r\n--")

        assert b"\x00\xffthe bytes\r\n--" in call.body
        assert call.url.startswith("http://127.0.0.1:8001/")
        assert call.refs == ()
        assert mime in call.headers["Content-Type"] or mime.encode() in call.body


@pytest.mark.parametrize("sample", UPLOADERS.values(), ids=UPLOADERS.keys())
@given(status=st.integers(0, 599), body=st.binary(max_size=100) | st.just(b'{"id": 7, "content_uri": []}'))
def test_any_answer_to_an_upload_is_an_id_or_a_reason(sample: Sample, status: int, body: bytes) -> None:
    gateway = bound(sample)
    assert isinstance(gateway, Uploader)

    found = gateway.handle_of(Reply(status, body))

    assert isinstance(found, Handle | SendError)
    assert status == 200 or isinstance(found, SendError)


@pytest.mark.parametrize("sample", UPLOADERS.values(), ids=UPLOADERS.keys())
def test_an_upload_without_an_answer_is_tried_again(sample: Sample) -> None:
    gateway = bound(sample)
    assert isinstance(gateway, Uploader)

    found = gateway.handle_of(Reply(0, left=False, reason="curl_7"))

    assert isinstance(found, SendError)
    assert found.kind is ErrorKind.TEMPORARY


@given(body=st.binary(max_size=100) | st.sampled_from([b'{"result": []}', b'{"result": {"photo": [1]}}']))
def test_an_answer_tells_an_id_or_none_and_nothing_worse(body: bytes) -> None:
    gateway = bound(SAMPLES["telegram"])
    assert isinstance(gateway, HandleTeller)

    assert gateway.told_handle(Reply(200, body)) is None


def test_a_form_names_the_file_and_cannot_be_broken_by_its_name() -> None:
    named = replace(file("image/png"), name='a"\r\nX: y.jpg')

    body, kind = multipart({"type": "image/png"}, "file", named, b"bytes")

    boundary = kind.partition("boundary=")[2].encode()
    assert body.count(b"--" + boundary) == 3
    assert b'name="file"; filename="a\'  X: y.png"\r\nContent-Type: image/png\r\n\r\nbytes\r\n' in body
    assert HOOK.encode() not in body
