"""A token for each person, which only the database and the sink know: what proves that a message was made for them."""

from collections.abc import Iterable

_MASK = 2**64 - 1


def siphash(key: bytes, text: bytes) -> int:
    """SipHash-2-4 of `text` under a key of 16 bytes, as Aumasson and Bernstein define it (2012)."""
    k0, k1 = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:16], "little")
    state = (
        k0 ^ 0x736F6D6570736575,
        k1 ^ 0x646F72616E646F6D,
        k0 ^ 0x6C7967656E657261,
        k1 ^ 0x7465646279746573,
    )
    padded = text + bytes(7 - len(text) % 8) + bytes([len(text) % 256])
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        v0, v1, v2, v3 = _rounds((*state[:3], state[3] ^ word), 2)
        state = (v0 ^ word, v1, v2, v3)
    v0, v1, v2, v3 = _rounds((state[0], state[1], state[2] ^ 0xFF, state[3]), 4)
    return v0 ^ v1 ^ v2 ^ v3


def _rounds(state: tuple[int, int, int, int], count: int) -> tuple[int, int, int, int]:
    v0, v1, v2, v3 = state
    for _ in range(count):
        v0 = (v0 + v1) & _MASK
        v1 = _left(v1, 13) ^ v0
        v0 = _left(v0, 32)
        v2 = (v2 + v3) & _MASK
        v3 = _left(v3, 16) ^ v2
        v0 = (v0 + v3) & _MASK
        v3 = _left(v3, 21) ^ v0
        v2 = (v2 + v1) & _MASK
        v1 = _left(v1, 17) ^ v2
        v2 = _left(v2, 32)
    return v0, v1, v2, v3


def _left(value: int, bits: int) -> int:
    return (value << bits | value >> (64 - bits)) & _MASK


def token(key: bytes, number: str) -> str:
    """Return the 16 hex digits that every text to `number` must end with."""
    return f"{siphash(key, number.encode()):016x}"


def fingerprint(tokens: Iterable[str]) -> str:
    """Return the sum of tokens mod 2^64 in hex: the same for a set of people in whatever order they came."""
    return f"{sum(int(one, 16) for one in tokens) & _MASK:016x}"
