"""What a demo starts with: senders on the simulator, lists, a thousand subscribers with evidence, a sign-in."""

import csv
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from app.demo.chats import ChatAccount, chat_accounts
from app.domain.ledger import iso_ms
from app.gateways.registry import gateway_class
from app.services import manage_senders
from app.services.controller import Controller
from app.services.gateways_of_senders import open_settings
from app.services.import_plan import ImportOptions
from app.services.import_subscribers import import_subscribers
from app.services.manage_lists import create_list
from app.services.manage_users import create_user
from app.services.senders_of_lists import add_sender
from app.storage.database import db, transaction
from app.storage.models import Sender, Subscriber, User
from app.storage.models.accounts import Role

SENDER = "city-desk"
NUMBER = "+12025550100"
ACCOUNT = "AC" + "0" * 31 + "1"
EMAIL = "editor@example.org"
SUBSCRIBERS = 1000
# Parts a second: the thousand are reached in four seconds, slowly enough to watch and to say STOP in between.
RATE = 250.0
# Geographic area codes; 555-0100 to 555-0199 of each is reserved for fiction and belongs to nobody.
_AREA_CODES = (205, 206, 207, 208, 209, 210, 212, 213, 214, 215)
_FIRST_NAMES = ("Ada", "Grace", "Alan", "Edith", "Tim", "Radia", "Linus", "Katherine", "Dennis", "Barbara")
_BY = "demo"
_WE = "us"
"""Who answers STOP: the simulated account's `opt_out_mode` is none."""


def seed(home: Path, *, simulator_url: str, controller: Controller, now: datetime) -> None:
    """Lay the demo data where it is missing; running it again changes only what an older demo had otherwise."""
    _password(home)
    with transaction() as session:
        sender = session.scalar(select(Sender).where(Sender.name == SENDER))
        if sender is not None:
            sender.base_url = simulator_url
            chosen = "stop_answered_by" in open_settings(sender, controller)
    if sender is None:
        _add_newsroom(home, simulator_url, controller, now)
    elif not chosen:
        _answer_stop(controller, now)
    for account in chat_accounts(auth_token(home)):
        _add_chats(account, simulator_url, controller, now)
    if (db.session.scalar(select(func.count()).select_from(Subscriber)) or 0) < SUBSCRIBERS:
        _import_people(home, controller, now)
    _add_editor(home, now)


def sign_in(home: Path) -> tuple[str, str]:
    """Return e-mail address and password of the demo's editor."""
    return EMAIL, _password(home)


def auth_token(home: Path) -> str:
    """Return the token that the simulated account signs with."""
    return _kept(home / "simulator-token", lambda: secrets.token_hex(16))


def simulator_sender(home: Path, public_url: str) -> Mapping[str, object]:
    """Return what the simulator is told about our number."""
    return {
        "number": NUMBER,
        "account_sid": ACCOUNT,
        "auth_token": auth_token(home),
        "webhook_url": f"{public_url}/hooks/{SENDER}",
        "opt_out_mode": "none",
        "name": "City desk",
    }


def simulator_accounts(home: Path, public_url: str) -> list[Mapping[str, object]]:
    """Return what the simulator is told about our accounts on messengers."""
    return [
        {
            "channel": account.channel,
            "address": account.address,
            "webhook_url": f"{public_url}/hooks/{account.sender}",
            "name": "City desk",
            "settings": account.shared(public_url),
        }
        for account in chat_accounts(auth_token(home))
    ]


def _add_chats(account: ChatAccount, simulator_url: str, controller: Controller, now: datetime) -> None:
    """A list on one messenger more."""
    with transaction() as session:
        sender = session.scalar(select(Sender).where(Sender.name == account.sender))
        if sender is not None:
            sender.base_url = simulator_url
            return
    manage_senders.add(
        name=account.sender,
        gateway=gateway_class(account.channel),
        settings=account.settings,
        base_url=simulator_url,
        by=_BY,
        controller=controller,
        now=now,
    )
    add_sender(account.list_name, account.sender, by=_BY, now=now)


def _answer_stop(controller: Controller, now: datetime) -> None:
    """Give an older demo's sender the setting that says who answers STOP; one that somebody chose stays."""
    manage_senders.rotate_secrets(
        SENDER,
        gateway=gateway_class("twilio"),
        settings={"stop_answered_by": _WE},
        by=_BY,
        controller=controller,
        now=now,
    )


def _add_newsroom(home: Path, simulator_url: str, controller: Controller, now: datetime) -> None:
    sender = manage_senders.add(
        name=SENDER,
        gateway=gateway_class("twilio"),
        settings={
            "account_sid": ACCOUNT,
            "auth_token": auth_token(home),
            "from": NUMBER,
            "stop_answered_by": _WE,
        },
        base_url=simulator_url,
        rate=RATE,
        by=_BY,
        controller=controller,
        now=now,
    )
    for language, name, keyword, purpose in (
        ("en", "City News", "CITY", "The news of your city as it breaks"),
        ("de", "Stadtnachrichten", "STADT", "Die Nachrichten aus Ihrer Stadt, wenn sie kommen"),
    ):
        create_list(
            name=name,
            keyword=keyword,
            purpose=purpose,
            language=language,
            max_per_day=20,
            # Whoever tries the demo at midnight shall see it work too.
            from_hour=0,
            until_hour=24,
            any_hour_reason="This is a demo: the phones belong to nobody.",
            zone="Europe/Berlin",
            sender_id=sender.id,
            is_default=language == "en",
            by=_BY,
            controller=controller,
            now=now,
        )


def _import_people(home: Path, controller: Controller, now: datetime) -> None:
    """Through the ordinary import, so that each of the thousand has an entry with evidence in the ledger."""
    path = home / "demo-subscribers.csv"
    consented = iso_ms(now - timedelta(days=30))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["number", "first_name", "consent_at", "consent_source", "consent_text"])
        for index in range(SUBSCRIBERS):
            number = f"+1{_AREA_CODES[index // 100]}55501{index % 100:02d}"
            name = _FIRST_NAMES[index % len(_FIRST_NAMES)]
            writer.writerow(
                [number, name, consented, "sign-up sheet at the open day", "Yes, text me the city news."]
            )
    import_subscribers(
        path,
        list_name="City News",
        options=ImportOptions(by=_BY),
        controller=controller,
        clock=lambda: now,
    )


def _add_editor(home: Path, now: datetime) -> None:
    user = db.session.scalar(select(User).where(User.email == EMAIL))
    if user is None:
        create_user(
            email=EMAIL, name="Demo editor", password=_password(home), role=Role.ADMIN, by=_BY, now=now
        )


def _password(home: Path) -> str:
    return _kept(home / "demo-password", lambda: "-".join(secrets.token_hex(3) for _ in range(3)))


def _kept(path: Path, make: Callable[[], str]) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(make(), encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()
