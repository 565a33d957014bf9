"""`tidings broadcasts test`: a draft goes to testers by name."""

from app.clock import utcnow
from app.domain.addresses import Address
from app.domain.messages import InboundMessage
from app.factory import create_core
from app.runtime import runtime
from app.services import manage_senders, testers
from app.services.receive_message import receive_message
from tests.cli.conftest import Shell


def prove(user_id: int, phone: str) -> None:
    """Text a code from a phone, as a provider's webhook brings it."""
    with create_core().app_context():
        now = utcnow()
        message = InboundMessage("SM1", Address("sms", phone), testers.begin(user_id, now=now))
        sender_id = manage_senders.id_of("news-us")
        receive_message(message, sender_id=sender_id, controller=runtime().controller, now=now)


def test_a_draft_is_tried_out_on_a_tester_by_name(newsdesk: Shell) -> None:
    user = newsdesk.json(
        *("users", "create", "anna@example.org", "--name", "Anna Ross", "--password-stdin"),
        given="four random words here\n",
    )
    words = ("--title", "Flood", "--text", "The bridge is closed.", "--list", "NEWS")
    newsdesk.ok("broadcasts", "create", *words)
    nobody = newsdesk.run("broadcasts", "test", "1", "--to", "Anna Ross")
    prove(user["id"], "+12025550107")

    assert nobody.stderr == "“Anna Ross” has no proved address for tests. Testers: nobody yet.\n"
    assert newsdesk.ok("broadcasts", "test", "1") == "This draft was not tried out yet.\n"
    said = newsdesk.ok("broadcasts", "test", "1", "--to", "anna ross")
    assert said == "Anna Ross (sms +1***107): pending\n"
    (told,) = newsdesk.json("broadcasts", "test", "1")
    assert (told["test"], told["status"], told["reason"]) == (2, "pending", None)
    assert [one["id"] for one in newsdesk.json("broadcasts", "list")] == [1]
    assert newsdesk.run("broadcasts", "status", "2").exit_code == 1
