"""What the next start of a demo puts right in one that an earlier version began."""

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import func, select

from app.demo.seed import SENDER, seed
from app.gateways.twilio import TwilioGateway
from app.services.gateways_of_senders import open_settings
from app.services.manage_senders import rotate_secrets
from app.storage.database import db
from app.storage.models import Sender
from app.storage.models.accounts import AuditEntry
from tests.support.world import Newsroom


def after_a_start(newsroom: Newsroom, home: Path) -> Mapping[str, str]:
    """Start a demo whose number is there already, and return its settings."""
    seed(home, simulator_url="http://127.0.0.1:8001", controller=newsroom.controller, now=newsroom.now)
    db.session.rollback()
    sender = db.session.scalars(select(Sender).where(Sender.name == SENDER)).one()
    return open_settings(sender, newsroom.controller)


def changes() -> int:
    found = db.session.scalar(
        select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "sender.rotate")
    )
    return found or 0


def test_an_older_demos_number_answers_stop_from_its_next_start_on(
    newsroom: Newsroom, tmp_path: Path
) -> None:
    newsroom.new_list("City News", "NEWS")
    newsroom.new_list("Stadtnachrichten", "STADT")

    assert after_a_start(newsroom, tmp_path)["stop_answered_by"] == "us"
    assert after_a_start(newsroom, tmp_path)["stop_answered_by"] == "us"
    assert changes() == 1


def test_what_somebody_chose_stays(newsroom: Newsroom, tmp_path: Path) -> None:
    newsroom.new_list("City News", "NEWS")
    newsroom.new_list("Stadtnachrichten", "STADT")
    rotate_secrets(
        SENDER,
        gateway=TwilioGateway,
        settings={"stop_answered_by": "provider"},
        by="ada",
        controller=newsroom.controller,
        now=newsroom.now,
    )

    assert after_a_start(newsroom, tmp_path)["stop_answered_by"] == "provider"
    assert changes() == 1
