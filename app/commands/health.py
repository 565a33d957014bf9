"""`tidings doctor` and `tidings reconcile`: see how the installation is, and bring back what a crash left behind."""

from datetime import datetime
from typing import Final

import click
from flask.cli import with_appcontext

from app.clock import utcnow
from app.commands.database import newest_revision
from app.commands.output import json_option, say
from app.pulse import RedisPulse
from app.queue import LANE, REPLIES, enqueue_lane
from app.runtime import runtime
from app.services import fan_out
from app.services.check_health import Surroundings, worst
from app.services.check_health import doctor as run_checks
from app.services.checks import Check, Health
from app.services.end_canceled import end_all_canceled
from app.services.look_up_unknown import senders_to_ask
from app.services.recover_slices import recover_stopped
from app.services.send_missed import send_missed
from workers.jobs import ask_provider
from workers.journal import journal
from workers.machine import dead_here

_MARKS: Final = {Health.OK: "ok  ", Health.WARN: "WARN", Health.FAIL: "FAIL"}


@click.command("doctor")
@json_option
@with_appcontext
def doctor(as_json: bool) -> None:
    """Check database, Redis, processes, senders, disk and what is due; exit code 1 when something fails.

    \b
    Example:
      tidings doctor
    """
    settings = runtime().settings
    around = Surroundings(
        settings.public_url, settings.home, newest_revision(), demo=bool(settings.demo_phones_url)
    )
    checks = run_checks(
        pulse=RedisPulse(runtime().redis), around=around, controller=runtime().controller, now=utcnow()
    )
    say(checks, as_json, lambda: "\n".join(map(_in_words, checks)))
    if worst(checks) is Health.FAIL:
        raise click.exceptions.Exit(1)


@click.command("reconcile")
@json_option
@with_appcontext
def reconcile(as_json: bool) -> None:
    """Do now what the clock does each second: take work from dead workers, end what is done, wake the lanes.

    Safe at any moment, also beside a running clock. Of messages that left without an answer the provider is asked
    what became of them, where it can be; what it does not have is sent again only for lists that want it
    (`tidings lists on-unknown`), and all others stay `unknown`: nothing is sent on a guess.

    \b
    Example:
      tidings reconcile
    """
    done = _reconcile(utcnow())
    say(
        done,
        as_json,
        lambda: "\n".join(f"{count:>8}  {what.replace('_', ' ')}" for what, count in done.items()),
    )


def _reconcile(now: datetime) -> dict[str, int]:
    """Do it all, and count what was found as well as what was done, each under words of its own."""
    done = {
        "slices_taken_from_dead_workers": fan_out.take_from_dead(dead_here(fan_out.leaseholders()), now),
        "slices_whose_lease_ran_out": fan_out.leases_run_out(now),
        "left_unknown_by_dead_workers": recover_stopped(journal(), controller=runtime().controller, now=now),
        "stopped_broadcasts_ended": len(list(end_all_canceled(now))),
        "replies_given_up": fan_out.give_up_replies(now),
        "sent_what_they_missed": send_missed(controller=runtime().controller, now=now),
        "brought_back": fan_out.bring_back(now),
        "finished": len(fan_out.end_finished(now)),
        "rows_of_counters_added_up": fan_out.fold_tallies(now),
    }
    asked = [ask_provider(sender_id) for sender_id in senders_to_ask(now)]
    done |= {
        "senders_asked_about_unknown_messages": len(asked),
        "found_at_the_provider": sum(one.found for one in asked),
        "not_at_the_provider": sum(one.absent for one in asked),
        "of_these_sent_again": sum(one.sent_again for one in asked),
        "nobody_can_tell": sum(one.untold for one in asked),
    }
    replies, slices = fan_out.lanes_with_work(now)
    woken = [enqueue_lane(sender_id, REPLIES) for sender_id in replies]
    woken += [enqueue_lane(sender_id, LANE) for sender_id in slices]
    return done | {
        "senders_with_replies_waiting": len(replies),
        "senders_with_slices_waiting": len(slices),
        "lanes_with_work": len(woken),
        "lanes_woken": sum(woken),
        "lanes_awake_already": len(woken) - sum(woken),
    }


def _in_words(check: Check) -> str:
    advice = f"\n      -> {check.advice}" if check.advice else ""
    return f"{_MARKS[check.health]}  {check.name}: {check.found}{advice}"
