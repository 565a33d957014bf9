"""Learns the weights with which the matcher holds short texts, from the sentences and real messages of the tests.

`python -m bench.keyword_weights` writes `app/domain/keywords/data/weights/`; with `--check` it only prints how the
model does on sentences it has not seen (every fourth in turn). It is deterministic: no chance, no clock.
"""

import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.domain.keywords import LANGUAGES, classify
from app.domain.keywords.languages import UNSPACED
from app.domain.keywords.normalise import normalise
from app.domain.keywords.weights import BASE, QUESTION, features, threshold

ROOT = Path(__file__).parent.parent
SENTENCES = ROOT / "tests" / "data" / "keyword-sentences"
CORPUS = ROOT / "tests" / "data" / "sms-spam-collection.tsv"
TARGET = ROOT / "app" / "domain" / "keywords" / "data" / "weights"

ROUNDS = 150
STEP = 0.5
SHRINK = 0.0004  # of the examples' total, per unit of weight
HAM_COUNTS = {"en": 0.3}
HAM_COUNTS_ELSEWHERE = 0.2
SILENCE_COUNTS = 20.0  # a text of unknown words asks for nothing
SMALLEST_WEIGHT = 0.1
TALK_COUNTS = 2.0  # a wrong hold costs more than a missed one
FOLDS = 4


@dataclass(frozen=True, slots=True)
class Example:
    """A text by its features; `stops` is 1.0 for an opt-out, `counts` how many examples it stands for."""

    names: tuple[str, ...]
    stops: float
    counts: float = 1.0


def sentences(code: str) -> list[tuple[str, bool]]:
    """The development sentences of a language, and whether each is an opt-out."""
    files = [SENTENCES / folder / f"{code}.tsv" for folder in ("", "second", "third", "fourth/tuned")]
    rows = [
        line.split("\t", 1)
        for file in files
        if file.exists()
        for line in file.read_text("utf-8").splitlines()
    ]
    return [(text, label == "stop") for label, text in rows if label != "review"]


def ham() -> list[str]:
    lines = CORPUS.read_text("utf-8").splitlines()
    return [line.partition("\t")[2] for line in lines if line.startswith("ham\t")]


def examples(code: str, rows: Iterable[tuple[str, bool]], talk: Iterable[str]) -> list[Example]:
    """Only features of two sentences or more; of real messages only what the sentences know too."""
    seen = [(features(normalise(text), code), stops) for text, stops in rows]
    times = Counter(name for names, _ in seen for name in names)
    known = {name for name, count in times.items() if count > 1} | {QUESTION}
    found = [
        Example(tuple(sorted(names & known)), float(stops), 1.0 if stops else TALK_COUNTS)
        for names, stops in seen
        if names
    ]
    if code not in UNSPACED:
        counts = HAM_COUNTS.get(code, HAM_COUNTS_ELSEWHERE)
        shared = (tuple(sorted(features(normalise(text), code) & known)) for text in talk)
        found += [Example(names, 0.0, counts) for names in shared if names]
    return [*found, Example((), 0.0, SILENCE_COUNTS)]


def learn(data: Sequence[Example]) -> dict[str, float]:
    """Logistic regression with weights kept small, by steps that shrink where a weight has moved much."""
    weights: defaultdict[str, float] = defaultdict(float, {BASE: -1.0})
    moved: defaultdict[str, float] = defaultdict(lambda: 0.01)
    shrink = SHRINK * sum(each.counts for each in data)
    for _ in range(ROUNDS):
        for name, slope in _slopes(data, weights).items():
            slope += shrink * weights[name] if name != BASE else 0.0
            moved[name] += slope * slope
            weights[name] -= STEP * slope / math.sqrt(moved[name])
    return dict(weights)


def _slopes(data: Sequence[Example], weights: Mapping[str, float]) -> dict[str, float]:
    slopes: defaultdict[str, float] = defaultdict(float)
    for each in data:
        error = each.counts * (_likely(score(weights, each.names)) - each.stops)
        for name in (BASE, *each.names):
            slopes[name] += error
    return slopes


def _likely(value: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))


def score(weights: Mapping[str, float], names: Iterable[str]) -> float:
    return weights[BASE] + sum(weights.get(name, 0.0) for name in names)


def write(code: str, weights: Mapping[str, float]) -> None:
    kept = {name: f"{value:.2f}" for name, value in weights.items() if abs(value) >= SMALLEST_WEIGHT}
    order = sorted(kept, key=lambda name: (name != BASE, -float(kept[name]), name))
    TARGET.mkdir(exist_ok=True)
    (TARGET / f"{code}.tsv").write_text("".join(f"{name}\t{kept[name]}\n" for name in order), "utf-8")


def check(code: str, talk: Sequence[str]) -> str:
    """Of sentences not learnt from: the share of opt-outs that would be held, and of talk that no rule decides."""
    rows = sentences(code)
    held: Counter[bool] = Counter()
    total: Counter[bool] = Counter()
    for fold in range(FOLDS):
        weights = learn(examples(code, (row for i, row in enumerate(rows) if i % FOLDS != fold), talk))
        for text, stops in rows[fold::FOLDS]:
            if stops or classify(text, languages=(code,)).tier in ("none", "weights"):
                total[stops] += 1
                held[stops] += score(weights, features(normalise(text), code)) > threshold(code)
    return f"{code}: opt-outs {held[True]} of {total[True]}, undecided talk {held[False]} of {total[False]}"


def main(arguments: Sequence[str]) -> int:
    talk = ham()
    for code in LANGUAGES:
        if "--check" in arguments:
            print(check(code, talk))
        else:
            write(code, learn(examples(code, sentences(code), talk)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
