"""Files of broadcasts: stored once, carried or replaced by a link, handed over in time, let go in time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.domain.buttons import Button, ButtonKind, Rich
from app.domain.media.attached import Media, Otherwise
from app.domain.media.kinds import MediaKind
from app.domain.messages import ErrorKind, SendError
from app.domain.parts import count_parts
from app.domain.short_links import Clicks
from app.domain.statuses import BroadcastState
from app.gateways.base import Call, Reply
from app.gateways.twilio import TwilioGateway
from app.gateways.uploads import Handle
from app.runtime import runtime
from app.services import fan_out, review_broadcasts, schedule_broadcasts, write_drafts
from app.services.controller import NotFound, Refused
from app.services.figures import read
from app.services.media import keep
from app.services.media.attach import (
    EVERYWHERE,
    Given,
    attach,
    attached_to,
    detach,
)
from app.services.media.files import FileGone, LocalFiles, whole
from app.services.media.forecast import forecast
from app.services.media.lane_media import LaneMedia
from app.services.media.links import GOOD_FOR, link_to, opened
from app.services.media.take_in import file_row, read_type, take_in
from app.services.rich_messages import save_rich
from app.services.send_deliveries import Lane, LaneSetup
from app.services.short_links import set_clicks
from app.services.stop_broadcasts import cancel
from app.storage.database import db, transaction
from app.storage.models import Broadcast, BroadcastTotal
from tests.support import media
from tests.support.world import FakeProvider, Newsroom, number
from workers.journal import journal

PUBLIC = "https://news.example.org"


def draft(newsroom: Newsroom, text: str = "The bridge is open.") -> int:
    return write_drafts.create_draft(
        title="Bridge", text=text, list_ids=[newsroom.list_id], by="ada", now=newsroom.now
    )


def with_file(
    newsroom: Newsroom,
    data: bytes,
    *,
    text: str = "The bridge is open.",
    otherwise: Otherwise = Otherwise.LINK,
) -> int:
    made = draft(newsroom, text)
    media_id = take_in(data, files=runtime().files, by="ada", now=newsroom.now)
    attach(
        made, EVERYWHERE, Given(media_id, "b.jpg", "An open bridge", otherwise), by="ada", now=newsroom.now
    )
    return made


def start(newsroom: Newsroom, broadcast_id: int) -> None:
    schedule_broadcasts.schedule(broadcast_id, at=None, zone="UTC", by="ada", now=newsroom.now)
    fan_out.open_due(controller=newsroom.controller, now=newsroom.now)


@dataclass
class Carrier:
    """A transport for uploads: answers are given beforehand, what was asked is remembered."""

    answers: list[Reply]
    asked: list[Call] = field(default_factory=list)
    free: int = 1
    in_flight: int = 0

    def submit(self, call: Call) -> None:
        self.asked.append(call)

    def poll(self, timeout: float) -> Sequence[tuple[Call, Reply]]:
        return [(self.asked[-1], self.answers.pop(0))]

    def close(self) -> None:
        """Nothing is open."""


class Uploading(TwilioGateway):
    """Twilio's protocol, with a step before it that only this test knows."""

    def upload_call(self, media: Media, data: bytes) -> Call:
        return Call("POST", "https://example.org/upload", data)

    def handle_of(self, reply: Reply) -> Handle | SendError:
        if reply.status == 200:
            return Handle(reply.body.decode(), timedelta(days=3))
        kind = ErrorKind.CONTENT if reply.status == 400 else ErrorKind.TEMPORARY
        return SendError(kind, str(reply.status), reply.body.decode())

    def _with_media(self, recipient, media: Media) -> str:  # type: ignore[no-untyped-def]
        return f"Body={media.handle}"


def lane(newsroom: Newsroom, gateway: TwilioGateway, uploads: Carrier, provider: FakeProvider) -> Lane:
    setup = newsroom.lane()._setup
    setup = LaneSetup(setup.sender_id, setup.replies_id, setup.rate, setup.callback_url, gateway)
    files = LaneMedia(newsroom.sender_id, gateway, runtime().media_house, lambda: uploads)
    return Lane(
        setup,
        transport=provider,
        throttle=newsroom.throttle,
        controller=newsroom.controller,
        journal=journal(),
        clock=lambda: newsroom.now,
        worker="here:1",
        media=files,
    )


def gateway(kind: type[TwilioGateway] = TwilioGateway, from_: str = "+12025550100") -> TwilioGateway:
    return kind({"account_sid": "AC" + "1" * 32, "auth_token": "t", "from": from_})


def test_the_same_content_is_stored_once_whatever_it_told_of_its_place(
    newsroom: Newsroom, tmp_path: Path
) -> None:
    files = LocalFiles(tmp_path)

    one = take_in(media.jpeg(), files=files, by="ada", now=newsroom.now)
    two = take_in(
        media.jpeg().replace(media.PLACE, b"48.8566N  2.3522E"), files=files, by="bo", now=newsroom.now
    )

    assert one == two
    row = file_row(db.session(), one)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [row.sha256]
    assert media.PLACE not in whole(files, row.sha256, row.size)


@pytest.mark.parametrize(
    ("data", "word"), [(b"", "empty"), (b"<html>", "No messenger"), (media.png()[:60], "damaged")]
)
def test_what_is_no_file_for_messengers_is_refused_in_words(
    newsroom: Newsroom, data: bytes, word: str
) -> None:
    with pytest.raises(Refused, match=word):
        take_in(data, files=runtime().files, by="ada", now=newsroom.now)


def test_a_file_larger_than_we_take_is_not_looked_at() -> None:
    with pytest.raises(Refused, match="51 MB; it may have 50"):
        read_type(bytes(50 * 1024 * 1024 + 1))


def test_a_picture_must_be_described_and_a_sent_broadcast_keeps_what_it_has(newsroom: Newsroom) -> None:
    newsroom.join(1)
    made = with_file(newsroom, media.png())
    media_id = attached_to(db.session(), made)[EVERYWHERE].media_id
    db.session.rollback()

    with pytest.raises(Refused, match="Describe the picture"):
        attach(made, EVERYWHERE, Given(media_id, "b.png", "  "), by="ada", now=newsroom.now)
    start(newsroom, made)
    with pytest.raises(Refused, match="take it back to draft"):
        detach(made, EVERYWHERE, by="ada", now=newsroom.now)


def test_a_copy_carries_the_file_too(newsroom: Newsroom) -> None:
    made = with_file(newsroom, media.png())

    copy = write_drafts.copy_broadcast(made, by="ada", now=newsroom.now)

    (one,) = attached_to(db.session(), copy).values()
    assert (one.kind, one.alt, one.name) == (MediaKind.IMAGE, "An open bridge", "b.jpg")


def test_a_link_is_good_for_its_file_until_its_moment_and_for_nothing_else(newsroom: Newsroom) -> None:
    controller, until = newsroom.controller, newsroom.now + GOOD_FOR
    link = link_to(7, "image/jpeg", until, public_url=PUBLIC, controller=controller)
    code = link.split(".")[-2]

    def tried(media_id: int = 7, code: str = code, late: timedelta = timedelta()) -> bool:
        return opened(media_id, code, controller=controller, now=newsroom.now + late) is not None

    assert link == link_to(7, "image/jpeg", until, public_url=PUBLIC, controller=controller)
    assert link.startswith(f"{PUBLIC}/m/7.")
    assert link.endswith(".jpg")
    assert tried()
    assert not tried(media_id=8)
    assert not tried(late=GOOD_FOR)
    assert not any(tried(code=one) for one in ("", "x", "=" * 22, code[:-1], code[::-1], "ü" * 22))


def test_an_mms_goes_where_there_are_any_and_elsewhere_a_link(newsroom: Newsroom) -> None:
    newsroom.join(1)
    made = with_file(newsroom, media.jpeg())
    start(newsroom, made)
    sent = FakeProvider()

    lane(newsroom, gateway(), Carrier([]), sent).drain(newsroom.now + timedelta(seconds=5))

    assert sent.arrived == [(number(0), "The bridge is open.")]
    forms = [call.body.decode() for call in sent.calls]
    assert "MediaUrl=http%3A%2F%2Flocalhost%2Fm%2F" in forms[0]


def test_the_link_of_those_who_get_no_mms_counts_in_the_review_the_schedule_and_the_report(
    newsroom: Newsroom,
) -> None:
    newsroom.join(2)
    newsroom.text("START", "+447700900123")
    sent = FakeProvider()
    lane(newsroom, gateway(), Carrier([]), FakeProvider()).drain(newsroom.now)  # the answers
    words = "The bridge over the river is open again, and so is the street behind it. " * 2
    made = with_file(newsroom, media.jpeg(), text=words)

    sheet = review_broadcasts.check(made, now=newsroom.now, public_url="http://localhost")
    start(newsroom, made)
    lane(newsroom, gateway(), Carrier([]), sent).drain(newsroom.now + timedelta(seconds=5))

    (share,) = sheet.shares
    (abroad,) = [text for to, text in sent.arrived if to == "+447700900123" and "bridge" in text]
    assert (share.reachable, share.elsewhere) == (3, 1)
    assert (count_parts(words), count_parts(abroad)) == (1, 2)
    assert (sheet.parts, sheet.most_parts, sheet.total_parts) == (1, 2, 4)
    chosen = select(Broadcast.id).where(Broadcast.id == made)
    (told,) = read.told(db.session(), chosen)
    assert told.sums.parts == 4

    fan_out.end_finished(newsroom.now)
    kept = db.session.scalar(select(BroadcastTotal.people).where(BroadcastTotal.kind == "no_files"))
    (told,) = read.told(db.session(), chosen)
    assert (kept, told.sums.parts) == (1, 4)


@pytest.mark.parametrize(
    ("otherwise", "end"),
    [
        (Otherwise.LINK, "\nAn open bridge: http://localhost/m/"),
        (Otherwise.WORDS, "\n[An open bridge]"),
        (Otherwise.NOTHING, ""),
    ],
)
def test_what_the_channel_does_not_carry_goes_as_the_editor_chose_and_is_counted_before(
    newsroom: Newsroom, otherwise: Otherwise, end: str
) -> None:
    newsroom.join(2)
    made = with_file(newsroom, media.mp4() + bytes(600_000), otherwise=otherwise)
    (share,) = forecast(made, public_url="http://localhost", now=newsroom.now)
    start(newsroom, made)
    sent = FakeProvider()

    lane(newsroom, gateway(), Carrier([]), sent).drain(newsroom.now + timedelta(seconds=5))

    assert all(text.startswith(f"The bridge is open.{end}") for _, text in sent.arrived)
    assert len(sent.arrived) == share.reachable == 2
    assert share.fit.misfit == "size"
    assert len(sent.arrived[0][1]) == pytest.approx(len("The bridge is open." + share.tail), abs=8)


def test_a_file_is_handed_over_before_the_first_message_and_once_for_all_broadcasts(
    newsroom: Newsroom,
) -> None:
    newsroom.join(3)
    uploads, sent = Carrier([Reply(200, b"their-id")]), FakeProvider()
    for text in ("One.", "Two."):
        start(newsroom, with_file(newsroom, media.jpeg(), text=text))

    lane(newsroom, gateway(Uploading), uploads, sent).drain(newsroom.now + timedelta(seconds=5))

    assert [text for _, text in sent.arrived] == ["their-id"] * 6
    assert len(uploads.asked) == 1
    assert media.PLACE not in uploads.asked[0].body


def test_an_id_that_ran_out_is_asked_for_anew(newsroom: Newsroom) -> None:
    newsroom.join(1)
    uploads, sent = Carrier([Reply(200, b"first"), Reply(200, b"second")]), FakeProvider()
    for text in ("One.", "Two."):
        start(newsroom, with_file(newsroom, media.jpeg(), text=text))
        lane(newsroom, gateway(Uploading), uploads, sent).drain(newsroom.now + timedelta(seconds=5))
        newsroom.later(days=3)

    assert [text for _, text in sent.arrived] == ["first", "second"]


def test_words_short_links_the_file_and_buttons_stand_in_one_order_and_count_as_parts(
    newsroom: Newsroom,
) -> None:
    newsroom.join(1)
    set_clicks("City", Clicks.LINKS, public_url="http://localhost", by="ada", now=newsroom.now)
    words = "See https://example.org/a/very/long/way/to/the/bridge"
    made = with_file(newsroom, media.mp4() + bytes(600_000), text=words, otherwise=Otherwise.WORDS)
    with transaction() as session:
        save_rich(session, made, {"": Rich((Button(ButtonKind.REPLY, "Yes"),))})
    sheet = review_broadcasts.check(made, now=newsroom.now, public_url="http://localhost")
    start(newsroom, made)
    sent = FakeProvider()

    lane(newsroom, gateway(), Carrier([]), sent).drain(newsroom.now + timedelta(seconds=5))

    ((_, text),) = sent.arrived
    link = text.removeprefix("See ").partition("\n")[0]
    assert text == f"See {link}\n[An open bridge]\n1 Yes"
    assert link.startswith("http://localhost/l/")
    assert (sheet.parts, sheet.shares[0].tail) == (1, "\n[An open bridge]\n1 Yes")


def test_the_report_counts_the_parts_of_what_was_sent_and_not_of_the_bare_text(newsroom: Newsroom) -> None:
    newsroom.join(1)
    made = with_file(newsroom, media.mp4() + bytes(600_000), text="a" * 155, otherwise=Otherwise.WORDS)
    start(newsroom, made)
    sent = FakeProvider()

    lane(newsroom, gateway(), Carrier([]), sent).drain(newsroom.now + timedelta(seconds=5))

    (told,) = read.told(db.session(), select(Broadcast.id).where(Broadcast.id == made))
    assert told.sums.parts == count_parts(sent.arrived[0][1]) == 2


def test_what_the_platform_refuses_pauses_its_broadcast_and_holds_up_no_other(newsroom: Newsroom) -> None:
    newsroom.join(1)
    refused = with_file(newsroom, media.jpeg())
    start(newsroom, refused)
    newsroom.broadcast("No picture here.")
    uploads, sent = Carrier([Reply(400, b"not this one")]), FakeProvider()

    lane(newsroom, gateway(Uploading), uploads, sent).drain(newsroom.now + timedelta(seconds=5))

    assert sent.arrived == [(number(0), "No picture here.")]
    db.session.rollback()
    broadcast = db.session.get_one(Broadcast, refused)
    assert broadcast.state == BroadcastState.PAUSED
    assert broadcast.state_reason == "The platform did not take the file: not this one"


def test_a_platform_that_is_out_of_order_is_tried_again_later_five_times(newsroom: Newsroom) -> None:
    newsroom.join(1)
    made = with_file(newsroom, media.jpeg())
    start(newsroom, made)
    uploads, sent = Carrier([Reply(503, b"busy")] * 9), FakeProvider()

    for _ in range(20):
        lane(newsroom, gateway(Uploading), uploads, sent).drain(newsroom.now + timedelta(seconds=5))
        newsroom.later(seconds=15)

    assert sent.arrived == []
    assert len(uploads.asked) == 5
    db.session.rollback()
    assert db.session.get_one(Broadcast, made).state == BroadcastState.PAUSED


def test_files_are_let_go_when_no_link_to_them_is_good_any_more(newsroom: Newsroom) -> None:
    files, unused = runtime().files, take_in(media.gif(), files=runtime().files, by="ada", now=newsroom.now)
    kept = with_file(newsroom, media.png())
    ended = with_file(newsroom, media.jpeg())
    media_id = attached_to(db.session(), ended)[EVERYWHERE].media_id
    row = file_row(db.session(), media_id)
    sha256 = row.sha256
    db.session.rollback()
    cancel(ended, by="ada", now=newsroom.now)

    newsroom.later(days=2)
    assert keep.let_go(files, now=newsroom.now) == 1
    with pytest.raises(NotFound):
        file_row(db.session(), unused)
    db.session.rollback()
    newsroom.later(days=30)
    assert keep.let_go(files, now=newsroom.now) == 1
    with pytest.raises(FileGone):
        files.read(sha256, 0, 1)

    assert attached_to(db.session(), ended)[EVERYWHERE].is_gone
    assert not attached_to(db.session(), kept)[EVERYWHERE].is_gone
    db.session.rollback()
    assert take_in(media.jpeg(), files=files, by="bo", now=newsroom.now) == media_id
    assert whole(files, sha256, 4)
