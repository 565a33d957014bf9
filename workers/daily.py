"""Beside the clock, whatever time that takes: each day the log of sends is closed and the head of the ledger signed;
files that no broadcast needs any more are let go, and providers asked which numbers were given back and who follows."""

import threading

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app.clock import utcnow
from app.runtime import runtime
from app.services.controller import Refused
from app.services.media import keep
from app.services.sign_heads import sign_heads
from workers.allowances import read_allowances
from workers.consents import share_consents
from workers.followers import read_followers
from workers.given_back import read_given_back

LOOK_EVERY_SECONDS = 60.0
FIRST_AFTER_SECONDS = 10.0
"""What starts together with the clock, as the demo's provider does, must be able to answer."""

log = structlog.get_logger(__name__)


def start(app: Flask, stop: threading.Event) -> threading.Thread:
    """Look once a minute, in a thread of its own, until `stop`: millions of rows must not hold up a broadcast."""
    thread = threading.Thread(target=_run, args=(app, stop), name="daily", daemon=True)
    thread.start()
    return thread


def sign_if_due() -> None:
    """Sign today's head unless somebody did; what hinders it is told in the log, and tried again."""
    folder = runtime().settings.heads_folder
    try:
        head = sign_heads(folder, controller=runtime().controller, now=utcnow())
    except (Refused, OSError, SQLAlchemyError) as error:
        log.warning("the head of the ledger could not be signed", folder=str(folder), error=str(error)[:300])
        return
    if head is not None:
        log.info("head of the ledger signed", tree_size=head.tree_size, root=head.root)


def let_files_go() -> None:
    """Delete some files that are needed no more; what hinders it is told in the log, and tried again."""
    try:
        gone = keep.let_go(runtime().files, now=utcnow())
    except (OSError, SQLAlchemyError) as error:
        log.warning("files that are needed no more could not be deleted", error=str(error)[:300])
        return
    if gone:
        log.info("files let go that no broadcast needs any more", files=gone)


def speak_with_providers() -> None:
    """Ask what may be sent and who left, tell of consents; what breaks off is tried anew."""
    for errand in (read_allowances, read_given_back, share_consents, read_followers):
        try:
            errand(utcnow)
        except SQLAlchemyError as error:
            log.warning("an errand at a provider broke off", errand=errand.__name__, error=str(error)[:300])


def _run(app: Flask, stop: threading.Event) -> None:
    stop.wait(FIRST_AFTER_SECONDS)
    while not stop.is_set():
        with app.app_context():
            sign_if_due()
            let_files_go()
            speak_with_providers()
        stop.wait(LOOK_EVERY_SECONDS)
