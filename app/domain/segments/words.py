"""The words in which segments are said, in English and in German."""

from dataclasses import dataclass
from typing import Final

from app.domain.segments.rule import Reaction, Way


@dataclass(frozen=True)
class Words:
    """A language's way of saying it. Each test has its clause and the opposite; `{x}` is what it is about."""

    people: str
    all_but: str
    either: str
    both: str
    before_last: str
    """What stands before the last "and" of three or more."""
    quoted: str
    last_day: str
    last_days: str
    ways: dict[Way, str]
    reactions: dict[Reaction, tuple[str, str]]
    """What they answered or opened: any of a broadcast, and a certain one (`{to}`)."""
    clauses: dict[str, tuple[str, str]]


WORDS: Final = {
    "en": Words(
        people="People on {x}",
        all_but="Everybody on {x} but those",
        either="or",
        both="and",
        before_last=",",
        quoted="“{x}”",
        last_day="in the last day",
        last_days="in the last {n} days",
        ways={
            Way.TEXT: "by texting the word",
            Way.FORM: "by a form on the web",
            Way.ASKED: "by saying yes to a question",
            Way.BUTTON: "by a button",
            Way.FOLLOW: "by following us on the platform",
            Way.IMPORT: "by an import",
            Way.DESK: "through the desk",
        },
        reactions={
            Reaction.ANSWERED: ("{title}", "{to} to {title}"),
            Reaction.CLICKED: ("a link of {title}", "the link {to} of {title}"),
        },
        clauses={
            "language": ("whose language is {x}", "whose language is not {x}"),
            "channel": ("who read us on {x}", "who do not read us on {x}"),
            "way": ("who joined {x}", "who did not join {x}"),
            "tag": ("who came by the link {x}", "who did not come by the link {x}"),
            "area": ("whose number is from {x}", "whose number is not from {x}"),
            "place": ("whose town is {x}", "whose town is not {x}"),
            "joined_after": ("who joined after {x}", "who did not join after {x}"),
            "joined_before": ("who joined before {x}", "who did not join before {x}"),
            "joined_within": ("who joined {x}", "who did not join {x}"),
            "received": ("who received {x}", "who did not receive {x}"),
            "failed": ("whom {x} failed to reach", "whom {x} did not fail to reach"),
            "answered": ("who answered {x}", "who did not answer {x}"),
            "clicked": ("who are known to have opened {x}", "who are not known to have opened {x}"),
            "nothing_within": ("who received nothing {x}", "who received something {x}"),
            "on_list": ("who are also on {x}", "who are not on {x}"),
        },
    ),
    "de": Words(
        people="Alle auf {x},",
        all_but="Alle auf {x} außer denen,",
        either="oder",
        both="und",
        before_last="",
        quoted="„{x}“",
        last_day="am letzten Tag",
        last_days="in den letzten {n} Tagen",
        ways={
            Way.TEXT: "mit dem Stichwort",
            Way.FORM: "über ein Webformular",
            Way.ASKED: "auf eine Frage hin",
            Way.BUTTON: "mit einem Knopf",
            Way.FOLLOW: "durch Folgen auf der Plattform",
            Way.IMPORT: "durch einen Import",
            Way.DESK: "über die Redaktion",
        },
        reactions={
            Reaction.ANSWERED: ("{title}", "{title} mit {to}"),
            Reaction.CLICKED: ("einen Link aus {title}", "den Link {to} aus {title}"),
        },
        clauses={
            "language": ("deren Sprache {x} ist", "deren Sprache nicht {x} ist"),
            "channel": ("die uns über {x} lesen", "die uns nicht über {x} lesen"),
            "way": ("die sich {x} angemeldet haben", "die sich nicht {x} angemeldet haben"),
            "tag": ("die über den Link {x} kamen", "die nicht über den Link {x} kamen"),
            "area": ("deren Nummer zum Land {x} gehört", "deren Nummer nicht zum Land {x} gehört"),
            "place": ("deren Ort {x} ist", "deren Ort nicht {x} ist"),
            "joined_after": ("die nach dem {x} dazukamen", "die nicht nach dem {x} dazukamen"),
            "joined_before": ("die vor dem {x} dazukamen", "die nicht vor dem {x} dazukamen"),
            "joined_within": ("die {x} dazukamen", "die nicht {x} dazukamen"),
            "received": ("die {x} bekommen haben", "die {x} nicht bekommen haben"),
            "failed": ("bei denen {x} fehlschlug", "bei denen {x} nicht fehlschlug"),
            "answered": ("die auf {x} geantwortet haben", "die nicht auf {x} geantwortet haben"),
            "clicked": (
                "von denen wir wissen, dass sie {x} geöffnet haben",
                "von denen wir nicht wissen, dass sie {x} geöffnet haben",
            ),
            "nothing_within": ("die {x} nichts bekommen haben", "die {x} etwas bekommen haben"),
            "on_list": ("die auch auf {x} sind", "die nicht auf {x} sind"),
        },
    ),
}
