"""`tidings broadcasts test`: try a draft out on people at the desk."""

from typing import Any

import click
from flask.cli import with_appcontext

from app.clock import utcnow
from app.commands.output import json_option, operator, say
from app.domain.addresses import mask
from app.domain.statuses import DeliveryStatus
from app.queue import wake_broadcast
from app.runtime import runtime
from app.services import send_tests
from app.services.send_tests import Result


@click.command("test")
@click.argument("broadcast_id", metavar="ID", type=int)
@click.option(
    "--to", "names", multiple=True, metavar="NAME", help="Name or e-mail address of a tester; once for each."
)
@click.option("--unmarked", is_flag=True, help="Send the words as they are, without “[Test]” before them.")
@json_option
@with_appcontext
def send_test(broadcast_id: int, names: tuple[str, ...], unmarked: bool, as_json: bool) -> None:
    """Send the draft ID to testers at once, whatever the hours of its lists. It counts nowhere.

    Without --to, say what became of the last tests. Testers prove their address at the desk.

    \b
    Example:
      tidings broadcasts test 7 --to "Anna Ross"
    """
    if names:
        test_id = send_tests.send(
            broadcast_id,
            send_tests.named(names),
            mark="" if unmarked else send_tests.MARK,
            by=operator(),
            controller=runtime().controller,
            now=utcnow(),
        )
        wake_broadcast(test_id)
    data = [_told(one) for one in send_tests.results(broadcast_id)]
    lines = [f"{one['name']} ({one['channel']} {one['address']}): {one['said']}" for one in data]
    say(data, as_json, lambda: "\n".join(lines) or "This draft was not tried out yet.")


def _told(one: Result) -> dict[str, Any]:
    status = DeliveryStatus(one.status).name.lower()
    why = ", ".join(part for part in (one.reason, one.error_code) if part)
    if one.nothing_more:
        why = "the platform tells nothing more"
    return {
        "test": one.test_id,
        "name": one.name,
        "channel": one.channel,
        "address": mask(one.address),
        "status": status,
        "reason": one.reason,
        "error_code": one.error_code,
        "said": f"{status}: {why}" if why else status,
    }
