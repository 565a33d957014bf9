"""Thousands of STOP, START and HELP at once: what counts for each number is the last word it was answered."""

import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from bench import verdicts
from bench.finding import Finding
from bench.ground import Ground, ground
from bench.ours import NUMBER
from bench.running import RunFailed
from bench.size import Size
from bench.web import CONNECTIONS, SHIPPED, ask, connected, signed_post, text_from, web

# People, words in all.
_PLANS = {Size.SMOKE: (150, 450), Size.NORMAL: (2_000, 10_000), Size.FULL: (4_000, 40_000)}
_WORDS = ("STOP", "START", "HELP")


def run(database: str, size: Size, seed: int) -> Finding:
    """Post the words, then send a broadcast: it must reach exactly those whose last word was no STOP."""
    people, count = _PLANS[size]
    with ground(database, people=people) as field:
        phones = [number for number, _ in field.room.people]
        said = words_of(phones, count, seed)
        log = field.directory / "web.log"
        with web(SHIPPED, field.room.env, field.account.auth_token, field.guard, log) as door:
            seconds = _burst(field, door, said)
        broadcast_id = field.schedule()
        field.start("worker", "clock")
        field.until_settled(broadcast_id, 120)
        stay = {phone for phone in phones if stays(said[phone])}
        faults = verdicts.reached_once(field.sink.arrivals(), stay)
    facts = f"{count:,} words of {people:,} people, {count / seconds:,.0f} a second; {len(stay):,} stay"
    return Finding("keyword burst", database, facts, tuple(faults))


def words_of(phones: Sequence[str], count: int, seed: int) -> Mapping[str, list[str]]:
    """Give `count` words to phones at random, in an order for each."""
    chance = random.Random(seed)
    said: dict[str, list[str]] = {phone: [] for phone in phones}
    for _ in range(count):
        said[chance.choice(phones)].append(chance.choice(_WORDS))
    return said


def stays(words: Sequence[str]) -> bool:
    """Tell whether a subscriber who said these words is one still. HELP changes nothing."""
    return next((word != "STOP" for word in reversed(words) if word != "HELP"), True)


def _burst(field: Ground, door: tuple[int, int, str], said: Mapping[str, list[str]]) -> float:
    """Post everything; the words of one phone over one connection, in their order. Returns the seconds it took."""
    port, _, url = door
    lines: list[list[bytes]] = [[] for _ in range(CONNECTIONS)]
    for at, (phone, words) in enumerate(said.items()):
        forms = [text_from(phone, word, to=NUMBER, account=field.account.sid) for word in words]
        lines[at % CONNECTIONS] += [signed_post(url, form, field.account.auth_token) for form in forms]
    began = time.monotonic()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(lambda posts: _post(port, posts), lines))
    return time.monotonic() - began


def _post(port: int, posts: Sequence[bytes]) -> None:
    with connected(port) as line:
        for one in posts:
            answer = ask(line, one)
            if b" 200 " not in answer[:20]:
                raise RunFailed(f"A word was answered with {answer[:200]!r}")
