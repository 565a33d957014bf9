"""Try a draft out on testers, and the addresses at which people at the desk get such tests."""

from typing import Any, Final

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.desk.access import allow, me, room
from app.desk.account import safe_target
from app.desk.errors import not_found_as_404
from app.desk.languages import gettext as _
from app.desk.reading import broadcast_or_404, targets
from app.desk.refusals import translated
from app.desk.security import limiter
from app.domain.statuses import BroadcastState
from app.queue import wake_broadcast
from app.runtime import runtime
from app.services import send_tests, testers
from app.services.controller import Refused
from app.storage.models.accounts import Role

PER_EDITOR: Final = "20 per hour"
_POLL: Final = 2

test_sends = room("test_sends", __name__)


@test_sends.get("/broadcasts/<int:broadcast_id>/tests")
@allow(Role.EDITOR)
def live(broadcast_id: int) -> ResponseReturnValue:
    """What became of the last tests, which renews itself until everything is known."""
    return render_template("tests_live.html", tests=tests_of(broadcast_id))


@test_sends.post("/broadcasts/<int:broadcast_id>/tests")
@limiter.limit(PER_EDITOR, key_func=lambda: f"tests:{me().id}")
@allow(Role.EDITOR)
def send(broadcast_id: int) -> ResponseReturnValue:
    """Send the draft as it was saved last to the testers that were ticked."""
    broadcast_or_404(broadcast_id)
    chosen = [int(one) for one in request.form.getlist("testers") if one.isdecimal() and len(one) < 19]
    mark = _("[Test]") if request.form.get("mark") else ""
    try:
        test_id = send_tests.send(
            broadcast_id, chosen, mark=mark, by=me().actor, controller=runtime().controller, now=utcnow()
        )
    except Refused as error:
        flash(translated(error), "error")
    else:
        wake_broadcast(test_id)
    back = safe_target(request.form.get("next")) or url_for("compose.edit", broadcast_id=broadcast_id)
    return redirect(f"{back}#tests")


@test_sends.get("/account/tests")
@allow(Role.EDITOR)
def addresses() -> ResponseReturnValue:
    """The own addresses for tests; an admin sees those of everybody."""
    everybody = me().may(Role.ADMIN)
    return render_template(
        "testers.html",
        rows=testers.addresses(user_id=None if everybody else me().id),
        senders=testers.writable_senders(),
        now=utcnow(),
    )


@test_sends.post("/account/tests")
@limiter.limit("30 per hour", key_func=lambda: f"testers:{me().id}")
@allow(Role.EDITOR)
def begin() -> ResponseReturnValue:
    """Make a code that is to be texted from the address."""
    try:
        testers.begin(me().id, now=utcnow())
    except Refused as error:
        flash(translated(error), "error")
    return redirect(url_for("test_sends.addresses"))


@test_sends.post("/account/tests/<int:tester_id>/remove")
@allow(Role.EDITOR)
@not_found_as_404
def remove(tester_id: int) -> ResponseReturnValue:
    """Let no more tests go to an address: one's own, or, for an admin, anybody's."""
    of_user = None if me().may(Role.ADMIN) else me().id
    testers.remove(tester_id, of_user=of_user, by=me().actor, now=utcnow())
    flash(_("No more tests go to this address."))
    return redirect(url_for("test_sends.addresses"))


def tests_of(broadcast_id: int) -> dict[str, Any]:
    """What the block about tests shows of a draft; pages that include it need to know nothing else."""
    broadcast, now = broadcast_or_404(broadcast_id), utcnow()
    lists, found = targets(broadcast_id), send_tests.results(broadcast_id)
    return {
        "broadcast": broadcast,
        "choices": send_tests.choices(broadcast_id),
        "mine": me().id,
        "rows": found,
        "poll": _POLL if send_tests.unsettled(found, now) else None,
        "zone": lists[0].zone if lists else broadcast.zone,
        "now": now,
        "may": broadcast.state in (BroadcastState.DRAFT, BroadcastState.SCHEDULED),
    }
