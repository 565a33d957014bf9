"""How a broadcast divides among the channels of its lists: how many people, in which words, from which sender."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import ceil

from sqlalchemy import Subquery
from sqlalchemy.orm import Session

from app.domain.buttons import Rich
from app.domain.channels import channel_named
from app.domain.media.attached import instead_of
from app.domain.media.limits import FITS, Fit, media_of, rule_for
from app.domain.parts import measure
from app.domain.placeholders import read
from app.domain.quotas import QUOTAS
from app.domain.short_links import Counting
from app.domain.small_lists import MOST_PEOPLE
from app.domain.wording import Scope, Wording, scope, wording
from app.services.ask_gate import ask_gate
from app.services.controller import Refused
from app.services.media.attach import Attached, attached_to, on_channel
from app.services.media.outgoing import fit_of_all
from app.services.rich_messages import among, plain_dress, stored
from app.services.short_links import as_sent, counting_of, dressed_as_sent
from app.storage import audience, segments
from app.storage.audience import Answers
from app.storage.models import Broadcast, BroadcastList, Sender
from app.storage.variants import put_variant, variants_of
from app.storage.ways import only_channel, templates_of, ways, ways_to

MAX_VARIANT = 10_000
# As long as true ones are, where nobody says which they are.
EXAMPLE_URL = "https://news.example.org"
EXAMPLE_PATH = "/m/1000000.abcdefghijklmnopqrstuv.jpg"


@dataclass(frozen=True)
class Spoken:
    """What the people of one language get of a `Share`, in words of their own; fields as there.

    Where nobody of the language is reachable now, they are there all the same: somebody may be when it goes out.
    """

    language: str
    reachable: int
    text: str
    sent: str
    parts: int
    elsewhere: int = 0
    elsewhere_parts: int = 0


@dataclass(frozen=True)
class Share:
    """The part of a broadcast that one sender carries. `parts` of an SMS, else 1; `own_words`: a variant of its own.

    `sent` is `text` as its length counts: without marks of styles, and with its short links where clicks are counted.
    `media` is the file that goes with it, `fit` whether it goes beside the text. `tail` stands at the end of the text:
    what stands for a file that does not, and the buttons where they cannot be shown (`in_words`). `elsewhere` of the
    people live where the file does not get, and what stands for it makes their texts `elsewhere_parts` long.
    `price` is what a part costs, in millionths of `currency`; None where nobody has said.
    `together` people share one request. `languages` have words of their own: `reachable` and `elsewhere` count their
    people too, `text` and `parts` are those of the others. `seconds` is what the sender needs at its `rate`; `paused`
    says why it sends nothing now, or is empty.
    """

    channel: str
    sender_id: int
    sender: str
    rate: float
    paused: str
    reachable: int
    text: str
    own_words: bool
    parts: int
    together: int = 1
    gateway: str = ""
    media: Attached | None = None
    fit: Fit = FITS
    tail: str = ""
    sent: str = ""
    in_words: bool = False
    elsewhere: int = 0
    elsewhere_parts: int = 0
    price: int | None = None
    currency: str = ""
    languages: tuple[Spoken, ...] = ()

    @property
    def base(self) -> Spoken:
        """What the people get whose language has no words of its own."""
        return Spoken(
            "",
            self.reachable - sum(one.reachable for one in self.languages),
            self.text,
            self.sent,
            self.parts,
            self.elsewhere - sum(one.elsewhere for one in self.languages),
            self.elsewhere_parts,
        )

    @property
    def spoken(self) -> tuple[Spoken, ...]:
        """Each text with its people, the base first."""
        return (self.base, *self.languages)

    @property
    def total_parts(self) -> int:
        """What it costs in the provider's unit."""
        return sum(
            one.parts * (one.reachable - one.elsewhere) + one.elsewhere_parts * one.elsewhere
            for one in self.spoken
        )

    @property
    def mean_parts(self) -> int:
        """The parts of one person's text where the file gets to, on average and rounded; what reports count with."""
        return _mean([(one.parts, one.reachable - one.elsewhere) for one in self.spoken], self.parts)

    @property
    def mean_parts_elsewhere(self) -> int:
        """The same where the file does not get to; 0 where it gets to all."""
        return _mean([(one.elsewhere_parts, one.elsewhere) for one in self.spoken], self.elsewhere_parts)

    @property
    def cost(self) -> Mapping[str, int]:
        """What it costs in millionths, by currency; {} where no price is known."""
        return (
            {self.currency: self.total_parts * self.price} if self.price is not None and self.currency else {}
        )

    @property
    def most_parts(self) -> int:
        """The parts of whoever gets the longest text."""
        return max(max(one.parts, one.elsewhere_parts) for one in self.spoken)

    @property
    def seconds(self) -> float:
        """How long the sender needs."""
        return ceil(self.total_parts / self.together) / self.rate


def _mean(counted: Sequence[tuple[int, int]], otherwise: int) -> int:
    people = sum(n for _, n in counted)
    return round(sum(parts * n for parts, n in counted) / people) if people else otherwise


def shares_of(
    session: Session,
    broadcast: Broadcast,
    lists: Sequence[BroadcastList],
    at: datetime,
    public_url: str = EXAMPLE_URL,
    answers: Answers | None = None,
) -> list[Share]:
    """Return a share for each channel of the lists, that of the first list's first sender first.

    Links to files are as long as those below `public_url`. `answers` are the gate's at `at`, where they are known.
    """
    list_ids = [one.id for one in lists]
    if not list_ids:
        return []
    found, only = ways(session, list_ids, broadcast.corrects_id), only_channel(session, broadcast.id)
    found = {channel: senders for channel, senders in found.items() if only in (None, channel)}
    main = session.get_one(Sender, lists[0].sender_id).channel
    senders = {
        channel: session.get_one(Sender, min(found[channel]))
        for channel in sorted(found, key=lambda name: (name != main, name))
    }
    counts = (answers or ask_gate(session, broadcast, list_ids, at)).by_channel()
    contents = _Contents(
        broadcast.text,
        variants_of(session, broadcast.id),
        counting_of(session, list_ids),
        attached_to(session, broadcast.id),
        stored(session, broadcast.id),
        public_url,
        broadcast.styled,
    )
    people = _people(session, broadcast, list_ids, at)
    return [
        _share(session, contents, sender, counts.get(channel, 0), people)
        for channel, sender in senders.items()
    ]


def _people(session: Session, broadcast: Broadcast, list_ids: Sequence[int], at: datetime) -> Subquery:
    there = ways_to(session, list_ids, broadcast.corrects_id, templates_of(session, broadcast.id))
    chosen = segments.chosen_of(session, broadcast, at)
    return audience.reachable(list_ids, at, there, broadcast.corrects_id, chosen)


@dataclass(frozen=True)
class _Contents:
    """What a broadcast says, before anybody asks on which channel."""

    text: str
    variants: Mapping[str, str]
    counting: Counting | None
    files: Mapping[str, Attached]
    extras: Mapping[str, tuple[Rich, bool]]
    public_url: str
    styled: bool


def _share(session: Session, contents: _Contents, sender: Sender, reachable: int, people: Subquery) -> Share:
    channel = sender.channel
    words = wording(contents.text, contents.variants, channel, styled=contents.styled)
    sent_as = partial(as_sent, counting=contents.counting, styled=contents.styled, gateway=sender.gateway)
    text, sent = words.base, sent_as(words.base)
    dress = dressed_as_sent(plain_dress(among(contents.extras, channel), sender), contents.counting)
    media = on_channel(contents.files, channel)
    texts = [dress.text(sent_as(one)) for one in words.texts]
    fits = fit_of_all(media, sender, texts, own_template=dress.own_template) if media else FITS
    instead = instead_of(media.otherwise, media.alt, f"{contents.public_url}{EXAMPLE_PATH}") if media else ""
    tail = (instead if fits.misfit else "") + dress.ending
    elsewhere = _elsewhere(session, sender, media, people) if media and not fits.misfit else 0
    by_language = _Languages(words, people, tail, instead if media and not fits.misfit else "", media)
    return Share(
        channel,
        sender.id,
        sender.name,
        sender.rate,
        "" if sender.paused_at is None else sender.paused_reason or "by an operator",
        reachable,
        text,
        text != contents.text,
        _parts(channel, longest(sent) + tail),
        quota.people if (quota := QUOTAS.get(sender.gateway)) else 1,
        sender.gateway,
        media,
        fits,
        tail,
        sent,
        bool(dress.in_words),
        elsewhere,
        _parts(channel, longest(sent) + tail + instead) if elsewhere else 0,
        sender.price_micros,
        sender.currency or "",
        by_language.shares(session, sender, contents.counting),
    )


@dataclass(frozen=True)
class _Languages:
    """The words for languages on one channel; `instead` is what those get whom the file `media` does not get to."""

    words: Wording
    people: Subquery
    tail: str
    instead: str
    media: Attached | None

    def shares(self, session: Session, sender: Sender, counting: Counting | None) -> tuple[Spoken, ...]:
        """Count the people of each language and measure its words; asks nothing where there is none."""
        if not self.words.by_language:
            return ()
        counts = audience.by_language(session, self.people, sender.channel)
        return tuple(
            self._spoken(session, sender, counting, language, counts.get(language, 0))
            for language in self.words.by_language
        )

    def _spoken(
        self, session: Session, sender: Sender, counting: Counting | None, language: str, people: int
    ) -> Spoken:
        text, channel = self.words.to(language), sender.channel
        sent = as_sent(text, counting, styled=self.words.styled, gateway=sender.gateway)
        theirs = audience.speaking(self.people, language)
        elsewhere = _elsewhere(session, sender, self.media, theirs) if self.media and self.instead else 0
        return Spoken(
            language,
            people,
            text,
            sent,
            _parts(channel, longest(sent) + self.tail),
            elsewhere,
            _parts(channel, longest(sent) + self.tail + self.instead) if elsewhere else 0,
        )


def _parts(channel: str, text: str) -> int:
    return measure(text).count if channel == "sms" else 1


def _elsewhere(session: Session, sender: Sender, media: Attached, people: Subquery) -> int:
    """Count the people of a sender whose countries have no messages with files."""
    rule = rule_for(media.mime, media_of(sender.gateway))
    if rule is None or not rule.to_countries:
        return 0
    return audience.beyond(session, people, sender.channel, rule.beginnings)


def problems_of(
    session: Session, broadcast: Broadcast, lists: Sequence[BroadcastList], shares: Sequence[Share]
) -> list[str]:
    """Say what forbids sending: two senders on one channel, one that is paused, too many people or words for one."""
    found = []
    for name, senders in ways(session, [one.id for one in lists], broadcast.corrects_id).items():
        if len(senders) > 1:
            found.append(
                "These lists belong to different senders; write one broadcast for each sender."
                if name == "sms"
                else f"On {channel_named(name).name} these lists belong to different senders; write one for each."
            )
    for share in shares:
        channel = channel_named(share.channel)
        if share.paused:
            found.append(f"The sender {share.sender} is paused: {share.paused}.")
        most = MOST_PEOPLE.get(share.gateway)
        if most is not None and share.reachable > most:
            found.append(
                f"{channel.name} is for small lists: a broadcast may go to {most} people there, and this one would go "
                f"to {share.reachable}. Choose fewer lists, or a part of them."
            )
        found += _too_long(share)
    return found


def _too_long(share: Share) -> list[str]:
    channel = channel_named(share.channel)
    found = []
    for one in share.spoken:
        length = channel.length(longest(one.sent or one.text) + share.tail)
        if length > channel.longest:
            found.append(
                f"On {channel.name} the text in “{one.language}” has {length} characters; "
                f"it may have {channel.longest}."
                if one.language
                else f"On {channel.name} the text has {length} characters; it may have {channel.longest}."
            )
    return found


def save_variants(session: Session, broadcast_id: int, variants: Mapping[str, str]) -> None:
    """Keep these other words by `Scope.key`; an empty text takes those away that are there, the others stay."""
    for key, text in variants.items():
        if len(text) > MAX_VARIANT:
            raise _much_too_long(scope(key), len(text))
        put_variant(session, broadcast_id, key, text)


def _much_too_long(one: Scope, length: int) -> Refused:
    name = channel_named(one.channel).name
    if not one.language:
        return Refused(f"The text for {name} has {length} characters; it may have {MAX_VARIANT}.")
    if not one.channel:
        return Refused(f"The text in “{one.language}” has {length} characters; it may have {MAX_VARIANT}.")
    return Refused(
        f"The text for {name} in “{one.language}” has {length} characters; it may have {MAX_VARIANT}."
    )


def longest(text: str) -> str:
    """The text with its fall-backs: what we can know of the length before the people's own words are in it."""
    return read(text).render({})
