"""What the deeds in the audit log are called."""

from typing import Final

from app.desk.languages import gettext as _
from app.desk.languages import language
from app.desk.languages import lazy_gettext as _l
from app.domain.board import written_minute
from app.domain.segments import BadSegment, parse, sentence
from app.services.read_segments import DatabaseNames

KINDS: Final = {
    "broadcast": _l("Broadcasts"),
    "feed": _l("Feeds"),
    "hooks": _l("Webhooks"),
    "import": _l("Imports"),
    "keys": _l("Keys"),
    "list": _l("Lists"),
    "move": _l("Moves to another channel"),
    "rule": _l("What repeats"),
    "segment": _l("Segments"),
    "sender": _l("Senders"),
    "snippet": _l("Saved texts"),
    "story": _l("Stories of the day"),
    "subscriber": _l("People"),
    "subscribers": _l("Imports of people"),
    "suppressions": _l("Numbers never to write to"),
    "template": _l("Templates"),
    "tester": _l("Addresses for tests"),
    "ticker": _l("Live events"),
    "user": _l("Accounts"),
    "word": _l("Words that people can text"),
}

DEEDS: Final = {
    "broadcast.approve": _l("approved a broadcast"),
    "broadcast.ask_approval": _l("asked for approval of a broadcast"),
    "broadcast.brake": _l("stopped a broadcast by itself"),
    "broadcast.cancel": _l("stopped a broadcast for good"),
    "broadcast.correct": _l("began a correction"),
    "broadcast.create": _l("began a broadcast"),
    "broadcast.media": _l("put a file to a broadcast"),
    "broadcast.media_off": _l("took a file off a broadcast"),
    "broadcast.move": _l("moved a broadcast to another time"),
    "broadcast.pause": _l("paused a broadcast"),
    "broadcast.rehearse": _l("rehearsed a broadcast"),
    "broadcast.release": _l("let the rest follow the first wave"),
    "broadcast.resend_unknown": _l("sent again what the provider did not have"),
    "broadcast.resume": _l("let a broadcast go on"),
    "broadcast.save": _l("saved a draft"),
    "broadcast.schedule": _l("scheduled a broadcast"),
    "broadcast.segment": _l("chose a part of the lists"),
    "broadcast.start": _l("let a broadcast begin before it could be taken back"),
    "broadcast.take_back": _l("took back an earlier version"),
    "broadcast.test": _l("sent a test of a draft"),
    "broadcast.try_again": _l("tried again with whom it had failed"),
    "broadcast.unschedule": _l("took a broadcast off the schedule"),
    "feed.add": _l("added a feed"),
    "feed.ask": _l("asked a feed at once"),
    "feed.change": _l("changed a feed"),
    "feed.pause": _l("paused a feed"),
    "feed.remove": _l("removed a feed"),
    "feed.resume": _l("let a feed go on"),
    "feed.take": _l("took an item of a feed"),
    "hooks.replay": _l("read webhooks again"),
    "import.discard": _l("discarded an import"),
    "import.refused_rows": _l("took the refused rows of an import along"),
    "import.start": _l("started an import"),
    "import.upload": _l("uploaded a file"),
    "keys.rotate": _l("took a new key into use"),
    "list.add_sender": _l("put a list on one more channel"),
    "list.any_hour": _l("changed whether a list may be sent at any hour"),
    "list.approval": _l("changed whether a list asks for a second person"),
    "list.archive": _l("closed a list"),
    "list.ask_again": _l("asked people of a list again"),
    "list.change": _l("changed a list"),
    "list.clicks": _l("changed what a list counts of clicks"),
    "list.create": _l("made a list"),
    "list.notice": _l("wrote a notice"),
    "list.on_unknown": _l("changed what becomes of unknown outcomes"),
    "list.remove_sender": _l("took a list off a channel"),
    "list.slots": _l("changed the slots of the day"),
    "move.ask": _l("asked people to move to another channel"),
    "rule.create": _l("made a rule"),
    "rule.end": _l("ended a rule"),
    "rule.made": _l("a rule made a broadcast"),
    "rule.pause": _l("paused a rule"),
    "rule.refused": _l("a rule could not make a broadcast"),
    "rule.reopen": _l("took a time of a rule back"),
    "rule.resume": _l("let a rule go on"),
    "rule.skip": _l("left out a time of a rule"),
    "segment.add": _l("saved a segment"),
    "segment.change": _l("changed a segment"),
    "segment.remove": _l("removed a segment"),
    "sender.account": _l("changed the account that a sender shares"),
    "sender.account_rate": _l("changed the pace of an account"),
    "sender.add": _l("added a sender"),
    "sender.connect": _l("told the provider of a sender where our webhook is"),
    "sender.connect_refused": _l("the provider of a sender refused to be told where our webhook is"),
    "sender.deactivations": _l("ended what was agreed to at numbers given back"),
    "sender.followers": _l("took out people who were not among the followers of a sender any more"),
    "sender.forget_news": _l("forgot what the platform had told of a sender"),
    "sender.pause": _l("paused a sender"),
    "sender.pause_all": _l("paused all sending"),
    "sender.price": _l("changed the price of a sender"),
    "sender.rate": _l("changed the pace of a sender"),
    "sender.registration": _l("made the registration of a sender"),
    "sender.resume": _l("let a sender go on"),
    "sender.resume_all": _l("let all sending go on"),
    "sender.rotate": _l("replaced the secrets of a sender"),
    "snippet.add": _l("saved a text"),
    "snippet.change": _l("changed a saved text"),
    "snippet.remove": _l("removed a saved text"),
    "story.add": _l("put a story into the queue"),
    "story.approve": _l("approved a story"),
    "story.breaking": _l("asked to send a story at once"),
    "story.broke": _l("let a story go at once"),
    "story.change": _l("changed a story"),
    "story.drop": _l("dropped a story"),
    "story.hold": _l("held a story back"),
    "story.move": _l("moved a story in the queue"),
    "story.release": _l("released a story"),
    "story.sent": _l("a slot sent a story"),
    "subscriber.data": _l("handed out somebody's data"),
    "subscriber.erase": _l("erased somebody"),
    "subscriber.link": _l("linked two addresses of a person"),
    "subscriber.place": _l("changed the town of somebody"),
    "subscriber.sealed": _l("opened sealed proof"),
    "subscriber.suppress": _l("put a number on the list of those never to write to"),
    "subscriber.unlink": _l("took two addresses of a person apart"),
    "subscriber.unsuppress": _l("took a number off the list of those never to write to"),
    "subscribers.import": _l("imported people"),
    "subscribers.import_failed": _l("an import of people failed"),
    "suppressions.import": _l("imported numbers never to write to"),
    "template.keep": _l("kept a broadcast as a template"),
    "template.remove": _l("removed a template"),
    "template.rename": _l("renamed a template"),
    "tester.add": _l("proved an address for tests"),
    "tester.remove": _l("took an address for tests away"),
    "ticker.close": _l("closed a live event"),
    "ticker.end": _l("ended a live event"),
    "user.created": _l("made an account"),
    "user.disabled": _l("closed an account"),
    "user.enabled": _l("opened an account again"),
    "user.role_changed": _l("changed the role of an account"),
    "user.password_changed": _l("changed a password"),
    "word.add": _l("added a word"),
    "word.remove": _l("removed a word"),
}


def deed_words(action: str) -> str:
    """What was done; a deed of a later edition is shown by its name."""
    return str(DEEDS.get(action, action))


def detail_words(value: object, name: str = "") -> str:
    """One of the facts beside a deed; the rule of a segment is said as a sentence, `minutes` of the day as times."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name == "minutes" and isinstance(value, list):
        return ", ".join(map(written_minute, value)) or "–"
    if isinstance(value, dict):
        try:
            return sentence(parse(value), [_("these lists")], DatabaseNames(language()), language())
        except BadSegment:
            return ", ".join(f"{name} {detail_words(one)}" for name, one in value.items())
    return ", ".join(map(detail_words, value)) if isinstance(value, list) else str(value)
