"""Throws texts that atheris invents at the matcher: every text has a known outcome, soon, and nothing is raised.

Run it by hand for as long as you like: `python -m tests.fuzz.fuzz_keywords -max_total_time=600`. It starts from the
sentences of `tests/data/keyword-sentences/`; any option of libFuzzer may be given, `-runs=0` reads only those.
"""

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import atheris  # pip install 'tidings[fuzz]'

with atheris.instrument_imports(include=["app.domain.keywords"]):
    from app.domain.keywords import LANGUAGES, Outcome, classify

SENTENCES = Path(__file__).parent.parent / "data" / "keyword-sentences"
STATES = ("unknown", "pending", "active", "paused", "stopped")
# Traced code is many times slower, and the first text in a language compiles its phrases.
SECONDS = 3.0
LONGEST = 8_000  # bytes; the matcher reads 2,000 characters


class TooSlow(Exception):
    """A text was read in more than the generous time that is allowed."""


def read(data: bytes) -> None:
    """Classify one text, its two first bytes being languages and state, and check what comes out.

    Raises `TooSlow`, AssertionError for an outcome or an explanation that is none, or what the matcher raised.
    """
    chosen = (*data[:2], 0, 0)
    languages = (LANGUAGES[chosen[0] % len(LANGUAGES)], LANGUAGES[chosen[0] // 16 % len(LANGUAGES)])
    text = data[2:].decode("utf-8", errors="replace")
    started = time.process_time()
    decision = classify(text, languages=languages, state=STATES[chosen[1] % len(STATES)])
    if (took := time.process_time() - started) > SECONDS:
        raise TooSlow(f"{took:.1f} s for {text!r} in {languages}")
    assert decision.outcome in Outcome
    assert decision.explain()


def seeds() -> Iterator[bytes]:
    """The sentences of all sets, each in its own language."""
    for path in sorted(SENTENCES.rglob("*.tsv")):
        for line in path.read_text("utf-8").splitlines():
            text = line.partition("\t")[2]
            yield bytes((LANGUAGES.index(path.stem), 2)) + text.encode()


def main(arguments: Sequence[str]) -> None:
    """Run libFuzzer on a folder of seeds; does not return: libFuzzer ends the process, with 0 when all went well."""
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(seeds()):
            (Path(folder) / str(number)).write_bytes(seed)
        atheris.Setup([arguments[0], f"-max_len={LONGEST}", *arguments[1:], folder], read)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
