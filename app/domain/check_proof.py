"""Check a proof of consent with nothing of Tidings: `python3 check_proof.py proof.json [--public-key HEX]`.

This file stands alone. It needs Python 3.11 and, for the signatures, the package `cryptography`; hand it over together
with the proof. What it recomputes is described in the proof itself, under `how_to_verify`.
"""

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "tidings-proof-2"


class Finding(NamedTuple):
    """One thing that was checked: whether it holds, and in words what."""

    holds: bool
    words: str


def check(pack: Mapping[str, Any], public_key: str | None = None) -> list[Finding]:
    """Recompute every hash, path and signature of a proof. `public_key` is the sender's, from elsewhere, in hex.

    What is missing or of the wrong kind is a finding that does not hold; nothing is raised.
    """
    try:
        if pack["format"] != FORMAT:
            return [Finding(False, f"This is not a proof of the format {FORMAT}.")]
        return [
            *_notices(pack),
            *_entries(pack),
            *_sends(pack),
            *_head(pack, public_key),
            *_earlier_heads(pack, public_key),
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return [
            Finding(False, f"The proof is not complete or not well-formed: {type(error).__name__} {error}.")
        ]


def _notices(pack: Mapping[str, Any]) -> Iterator[Finding]:
    for notice in pack["notices"]:
        fits = hashlib.sha256(notice["text"].encode()).hexdigest() == notice["sha256"]
        yield Finding(fits, f"The words of notice {notice['id']} have the hash that is stated.")


def _entries(pack: Mapping[str, Any]) -> Iterator[Finding]:
    shown = {notice["id"]: notice["sha256"] for notice in pack["notices"]}
    subject, size, root = pack["person"]["subject_ref"], pack["ledger"]["size"], pack["ledger"]["root"]
    for item in pack["entries"]:
        entry, name = item["entry"], f"Entry {item['entry']['seq']}"
        body = {key: value for key, value in entry.items() if key != "entry_hash"}
        yield Finding(_leaf(body) == entry["entry_hash"], f"{name} is what its hash says.")
        yield Finding(entry["subject_ref"] == subject, f"{name} is of the person this proof is about.")
        lies = _path_leads(root, entry["entry_hash"], entry["seq"] - 1, size, item["audit_path"])
        yield Finding(lies, f"{name} is number {entry['seq']} of the {size} entries under the root.")
        if entry["notice_id"] is not None:
            fits = shown.get(entry["notice_id"]) == entry["notice_sha256"]
            yield Finding(fits, f"{name} names the words that this proof shows.")
        yield from _evidence(item, name)


def _evidence(item: Mapping[str, Any], name: str) -> Iterator[Finding]:
    committed, personal = item["entry"]["pii_commit"], item["personal"]
    if personal is None:
        if committed is not None:
            yield Finding(
                True, f"{name} had evidence that was erased; its commitment can no longer be opened."
            )
        return
    if personal["data"] is None:
        yield Finding(False, f"{name} has evidence that could not be opened when the proof was made.")
        return
    salted = b"\x02" + bytes.fromhex(personal["salt"]) + _canonical(personal["data"])
    yield Finding(hashlib.sha256(salted).hexdigest() == committed, f"{name} was committed to this evidence.")


def _sends(pack: Mapping[str, Any]) -> Iterator[Finding]:
    grants = {
        item["entry"]["seq"] for item in pack["entries"] if item["entry"]["event_type"] == "consent_given"
    }
    for send in pack["sends"]:
        yield Finding(
            send["consent_seq"] in grants,
            f"Broadcast {send['broadcast']} relied on entry {send['consent_seq']}, a consent of this proof.",
        )


def _head(pack: Mapping[str, Any], public_key: str | None) -> Iterator[Finding]:
    ledger, head = pack["ledger"], pack["ledger"]["head"]
    if head is None:
        yield Finding(False, "The root is not signed: compare it with one that somebody kept.")
        return
    same = (head["ledger"], head["tree_size"], head["root"]) == (
        ledger["name"],
        ledger["size"],
        ledger["root"],
    )
    yield Finding(same, f"The signed head is that of the {ledger['size']} entries of this ledger.")
    yield _signature(head, public_key)


def _earlier_heads(pack: Mapping[str, Any], public_key: str | None) -> Iterator[Finding]:
    size, root = pack["ledger"]["size"], pack["ledger"]["root"]
    for earlier in pack["earlier_heads"]:
        head, proof = earlier["head"], earlier["consistency"]
        yield _signature(head, public_key)
        yield Finding(
            head["ledger"] == pack["ledger"]["name"]
            and _is_beginning(head["tree_size"], head["root"], size, root, proof),
            f"What was signed at {head['time']}, {head['tree_size']} entries, is the beginning of the ledger now.",
        )


def _signature(head: Mapping[str, Any], public_key: str | None) -> Finding:
    said = {name: head[name] for name in ("format", "ledger", "root", "time", "tree_size")}
    if public_key is not None and head["public_key"] != public_key.strip().lower():
        return Finding(False, f"The head of {head['time']} was signed with another key than the one given.")
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(head["public_key"]))
    try:
        key.verify(bytes.fromhex(head["signature"]), b"\x03" + _canonical(said))
    except InvalidSignature:
        return Finding(False, f"The head of {head['time']} does not fit its signature.")
    return Finding(True, f"The head of {head['time']} was signed with the key {head['public_key']}.")


def _canonical(record: Any) -> bytes:
    """Write canonical JSON (RFC 8785) of records that hold text and whole numbers, as all of Tidings' do."""
    return json.dumps(
        record, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    ).encode()


def _leaf(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(b"\x00" + _canonical(body)).hexdigest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _path_leads(root: str, leaf: str, index: int, size: int, path: Sequence[str]) -> bool:
    """RFC 9162, section 2.1.3.2."""
    node, last = bytes.fromhex(leaf), size - 1
    if not 0 <= index <= last:
        return False
    for step in map(bytes.fromhex, path):
        if last == 0:
            return False
        if index & 1 or index == last:
            node = _node(step, node)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = _node(node, step)
        index, last = index >> 1, last >> 1
    return last == 0 and node.hex() == root


def _is_beginning(old: int, old_root: str, new: int, new_root: str, proof: Sequence[str]) -> bool:
    """RFC 9162, section 2.1.4.2."""
    if old == new:
        return old_root == new_root and not proof
    path = [bytes.fromhex(step) for step in proof]
    if not 0 < old < new or not path:
        return False
    if old & (old - 1) == 0:
        path.insert(0, bytes.fromhex(old_root))
    first, last = old - 1, new - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    earlier = later = path[0]
    for step in path[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            earlier, later = _node(step, earlier), _node(step, later)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            later = _node(later, step)
        first, last = first >> 1, last >> 1
    return last == 0 and (earlier.hex(), later.hex()) == (old_root, new_root)


def main(arguments: Sequence[str]) -> int:
    """Check a file; returns 0 when all holds, 1 when something does not, 2 when it was called in a wrong way."""
    if len(arguments) not in (1, 3) or (len(arguments) == 3 and arguments[1] != "--public-key"):
        sys.stderr.write("Usage: check_proof.py proof.json [--public-key HEX]\n")
        return 2
    pack = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    findings = check(pack, arguments[2] if len(arguments) == 3 else None)
    sys.stdout.writelines(f"{'ok ' if holds else 'BAD'}  {words}\n" for holds, words in findings)
    return 0 if all(finding.holds for finding in findings) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
