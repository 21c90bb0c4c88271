#!/usr/bin/env python3
"""Check an audit bundle of a Huiyin evidence log, without Huiyin. 脱离系统,独立核验审计包。

    python3 -I verify.py BUNDLE [--state board.json] [--policy FILE] [--rules FILE] [--receipt FILE ...]
                         [--disclosures FILE ...] [--tsa-ca FILE] [--json] [--accept] [--cosign KEYFILE]

One file, Python 3.9 or newer, the standard library, nothing else: keep your own copy and its SHA-256. It shares no
line with the product that wrote the bundle.

What it does, in this order: reads the zip (6), checks who signed the heads (2 to 4), recomputes the old head from the
tiles at the old right edge and then every leaf and the new head in one pass (5), and on the way reads every leaf (7),
its place (8), its times (9), what the log says of itself (10), counts (11), receipts (12), disclosures (13) and the
published process law (14). The board's state (15) is kept only when the verdict allows it.

Exit codes: 0 PASS · 1 FAIL · 2 the bundle, or another file named, cannot be read.

On Python 3.9 and 3.10, or without time zones, the rulebooks' texts (TOML) cannot be read: lengths of clocks and posts
are not checked then. The report's first lines and its verdict say so; the exit code is that of all the rest.

Formats: RFC 9162 section 2.1 (Merkle tree), RFC 8032 (Ed25519), RFC 8785 (canonical JSON), RFC 9901 (salted digests),
C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-tiles, tlog-policy, tlog-proof.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import functools
import gc
import hashlib
import itertools
import json
import os
import re
import shutil
import sys
import time
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

# ======================================================================================================================
# 1. Findings
# ======================================================================================================================


class Finding(NamedTuple):
    """One thing that the board has to know.

    `code` is stable; `zh` and `en` are one sentence each. `index` (leaf), `case` (stream) and `version` say where.
    `note` marks what is to be known but breaks no rule (an extension, a lawful erasure, lateness that is on record):
    any other finding makes the verdict FAIL.
    """

    code: str
    zh: str
    en: str
    index: int | None = None  # type: ignore[assignment]  # a leaf's, not the method of tuples
    case: str | None = None
    version: int | None = None
    note: bool = False


PROOF = frozenset(
    {
        "chain_broken", "genesis_missing", "genesis_wrong", "head_from_future", "leaf_malformed", "leaf_not_canonical",
        "leaf_not_json", "log_key_unproven", "log_signature_missing", "months_missing", "needs_genesis",
        "old_root_mismatch", "other_origin", "overlap_differs", "policy_changed",
        "position_order", "quorum_missing", "receipt_other_view", "rolled_back", "root_mismatch", "signature_bad",
        "split_view", "version_gap",
    }
)  # fmt: skip
"""Findings about the log itself: with one of these nothing is saved or cosigned, whatever the board decides."""

MOST_PER_CODE = 100
"""So many findings of one code are listed; the others are counted."""


class Findings:
    """The findings of one run, in the order in which they were made."""

    def __init__(self) -> None:
        self.listed: list[Finding] = []
        self.counts: dict[str, int] = {}
        self.failed = False
        self.broken = False

    def add(self, finding: Finding) -> None:
        """Keep a finding; of one code the first hundred, and the count."""
        seen = self.counts[finding.code] = self.counts.get(finding.code, 0) + 1
        if seen <= MOST_PER_CODE:
            self.listed.append(finding)
        self.failed = self.failed or not finding.note
        self.broken = self.broken or finding.code in PROOF

    def fail(
        self,
        code: str,
        zh: str,
        en: str,
        index: int | None = None,
        case: str | None = None,
        version: int | None = None,
    ) -> None:
        """Something breaks a rule."""
        self.add(Finding(code, zh, en, index, case, version))

    def note(
        self,
        code: str,
        zh: str,
        en: str,
        index: int | None = None,
        case: str | None = None,
        version: int | None = None,
    ) -> None:
        """Something is to be known."""
        self.add(Finding(code, zh, en, index, case, version, note=True))


class Unreadable(Exception):
    """A file cannot be read at all: no verdict. Exit code 2."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(f"{code}: {en}")
        self.code, self.zh, self.en = code, zh, en


LIMITS = (
    (
        "never_recorded",
        "从未录入系统的接触,任何日志都显示不出来:只能靠居民回执、暗访来件与受理计数相互印证。",
        "A contact that nobody ever recorded shows in no log: only receipts, mystery filings and counters tell of it.",
    ),
    (
        "false_content",
        "日志证明何时、何人作此记载,不证明所记属实:须抽样开卷,与纸质和当事人核对。",
        "The log proves when and that a thing was claimed, not that it is true: open sampled cases and ask.",
    ),
    (
        "dropped_unsealed",
        "入库而未封存即被抹去的记录,日志中不留痕:持有承诺回执者可以举证。",
        "An event dropped before it was sealed leaves no trace in a log: whoever holds its promise can prove it.",
    ),
    (
        "log_abandoned",
        "日志停更不会自己说明:逾承诺时限没有新首部、没有新审计包,本身即为发现,须由本机构自己记期催告。",
        "A log that stops does not say so: no new head and no bundle in the promised time is itself the finding.",
    ),
    (
        "signatures_broken",
        "若日后签名算法被攻破(如量子计算机),旧史仍由 SHA-256 与本机构留存、公报刊载的根值约束:以后者为准。",
        "Should signatures be broken one day (quantum computers), SHA-256 still binds old leaves to a root kept or printed.",
    ),
)
"""What no log can show; every report says so."""


# ======================================================================================================================
# 2. Ed25519 (RFC 8032)
# ======================================================================================================================

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_SQRT_M1 = pow(2, (_P - 1) // 4, _P)

_Point = tuple[int, int, int, int]  # extended coordinates (X, Y, Z, T), RFC 8032 section 5.1.4


def _add(a: _Point, b: _Point) -> _Point:
    """The sum of two points: the complete formulas of RFC 8032 section 5.1.4."""
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    low = (y1 - x1) * (y2 - x2) % _P
    high = (y1 + x1) * (y2 + x2) % _P
    product = 2 * t1 * t2 * _D % _P
    double = 2 * z1 * z2 % _P
    e, f, g, h = high - low, double - product, double + product, high + low
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


_NEUTRAL: _Point = (0, 1, 1, 0)


def _decoded(encoded: bytes) -> _Point | None:
    """The point of 32 bytes, None for bytes that encode none (RFC 8032 section 5.1.3)."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _SQRT_M1 % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


def _encoded(point: _Point) -> bytes:
    """The 32 bytes of a point (RFC 8032 section 5.1.2)."""
    x, y, z, _ = point
    inverse = pow(z, _P - 2, _P)
    x, y = x * inverse % _P, y * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


_Table = list[list[_Point]]


def _table(point: _Point) -> _Table:
    """For each of the 64 digits (base 16) of a scalar the 16 multiples that it may stand for."""
    rows = []
    for _ in range(64):
        row = [_NEUTRAL]
        for _ in range(15):
            row.append(_add(row[-1], point))
        rows.append(row)
        point = _add(row[-1], point)
    return rows


def _times(scalar: int, table: _Table) -> _Point:
    """The multiple of the table's point by a scalar below 2**256."""
    total = _NEUTRAL
    for row in table:
        if scalar & 15:
            total = _add(total, row[scalar & 15])
        scalar >>= 4
    return total


@functools.lru_cache(maxsize=1)
def _base() -> _Table:
    point = _decoded((4 * pow(5, _P - 2, _P) % _P).to_bytes(32, "little"))
    assert point is not None
    return _table(point)


@functools.lru_cache(maxsize=64)
def _minus(public: bytes) -> _Table | None:
    """The table of minus the public key's point; a log's few keys sign many heads."""
    point = _decoded(public)
    if point is None:
        return None
    x, y, z, t = point
    return _table((-x % _P, y, z, -t % _P))


def _wide(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def ed25519_verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature is that of the public key over the message (RFC 8032 section 5.1.7, not cofactored)."""
    if len(public) != 32 or len(signature) != 64:
        return False
    nonce, scalar = signature[:32], int.from_bytes(signature[32:], "little")
    table = _minus(public)
    if table is None or scalar >= _ORDER:
        return False
    challenge = _wide(nonce, public, message) % _ORDER
    return _encoded(_add(_times(scalar, _base()), _times(challenge, table))) == nonce


def ed25519_sign(seed: bytes, message: bytes) -> bytes:
    """The signature of the key made from a seed of 32 bytes (RFC 8032 section 5.1.6).

    Not hardened against timing: for a key used by hand, on a machine of one's own.
    """
    secret = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(secret[:32], "little") & (2**254 - 8) | 2**254
    public = _encoded(_times(scalar, _base()))
    nonce = _wide(secret[32:], message) % _ORDER
    point = _encoded(_times(nonce, _base()))
    challenge = _wide(point, public, message) % _ORDER
    return point + ((nonce + challenge * scalar) % _ORDER).to_bytes(32, "little")


def ed25519_public(seed: bytes) -> bytes:
    """The public key made from a seed (RFC 8032 section 5.1.5)."""
    secret = hashlib.sha512(seed).digest()
    return _encoded(_times(int.from_bytes(secret[:32], "little") & (2**254 - 8) | 2**254, _base()))


def ml_dsa_44_verify(public: bytes, message: bytes, signature: bytes) -> bool | None:
    """The same for ML-DSA-44 (FIPS 204); None where this Python has no library that knows it."""
    try:
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey
    except ImportError:
        return None
    try:
        MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)
    except UnsupportedAlgorithm:
        return None
    except (InvalidSignature, ValueError):
        return False
    return True


# ======================================================================================================================
# 3. Signed notes, checkpoints, cosignatures (C2SP)
# ======================================================================================================================

ED25519, COSIGNATURE, ML_DSA = 0x01, 0x04, 0x06
_PUBLIC_BYTES = {ED25519: 32, COSIGNATURE: 32, ML_DSA: 1312}
MOST_SIGNATURES = 100
LOG_STREAM = "5e91a2d4-0f3c-5f5e-9b1a-6c1f3a7d2e06"  # the log's events about itself
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - every moment in this file is UTC


class BadNote(Exception):
    """A note, key or policy that is not what its format says; the text says why, in English."""


def _base64(text: str) -> bytes:
    """Standard base64 (RFC 4648 section 4) in its one form. Raises BadNote."""
    try:
        found = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise BadNote("not base64") from None
    if base64.b64encode(found).decode("ascii") != text:
        raise BadNote("base64 in a second spelling")
    return found


def _decimal(text: str, most: int = 2**63 - 1) -> int:
    """A decimal number without leading zeros. Raises BadNote."""
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", text) or int(text) > most:
        raise BadNote("not a number in its one form")
    return int(text)


class Key(NamedTuple):
    """A verifier key (C2SP signed-note, "Verifier keys")."""

    name: str
    id: bytes
    algorithm: int
    public: bytes


def key_id(name: str, algorithm: int, public: bytes) -> bytes:
    """The first four bytes of SHA-256(name || 0x0A || type || public key)."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:4]


def read_key(vkey: str) -> Key:
    """The key that `name+hash+base64` spells. Raises BadNote."""
    parts = vkey.split("+", 2)
    if len(parts) != 3 or not parts[0] or any(c.isspace() for c in parts[0]):
        raise BadNote("a key is written name+hash+base64")
    name, told, material = parts[0], parts[1], _base64(parts[2])
    if not material or material[0] not in _PUBLIC_BYTES or len(material) - 1 != _PUBLIC_BYTES[material[0]]:
        raise BadNote("a key of a kind that is not known here")
    key = Key(name, key_id(name, material[0], material[1:]), material[0], material[1:])
    if key.id.hex() != told:
        raise BadNote("the key's hash does not fit the key")
    return key


class Signature(NamedTuple):
    """One signature line: the key's name and id, and what follows the id."""

    name: str
    id: bytes
    blob: bytes


class Note(NamedTuple):
    """A signed note: its text, with the last newline, and its signatures."""

    text: str
    signatures: list[Signature]


def read_note(data: str) -> Note:
    """The note of these characters (C2SP signed-note, "Format"). Raises BadNote."""
    if any(ord(c) < 0x20 and c != "\n" for c in data):
        raise BadNote("a control character")
    head, gap, tail = data.rpartition("\n\n")
    lines = tail.split("\n")
    if not gap or lines.pop() != "" or not lines:
        raise BadNote("no signature lines after an empty line")
    if len(lines) > MOST_SIGNATURES:
        raise BadNote("too many signatures")
    return Note(head + "\n", [_signature(line) for line in lines])


def _signature(line: str) -> Signature:
    found = re.fullmatch(r"— ([^ +]+) ([A-Za-z0-9+/=]+)", line)
    if found is None or any(c.isspace() for c in found[1]):
        raise BadNote("a signature line that is none")
    blob = _base64(found[2])
    if len(blob) < 5:
        raise BadNote("a signature that is too short")
    return Signature(found[1], blob[:4], blob[4:])


class Head(NamedTuple):
    """A checkpoint (C2SP tlog-checkpoint): origin, number of leaves, root, and the note that says so."""

    origin: str
    size: int
    root: bytes
    note: Note


def read_head(data: str) -> Head:
    """The checkpoint of these characters. Raises BadNote."""
    note = read_note(data)
    lines = note.text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise BadNote("a checkpoint has origin, size and root")
    root = _base64(lines[2])
    if len(root) != 32:
        raise BadNote("a root has 32 bytes")
    return Head(lines[0], _decimal(lines[1]), root, note)


def check_signature(key: Key, head: Head, blob: bytes) -> datetime | bool | None:
    """Whether `blob` is the key's signature of the head; for a cosignature, when it was made (UTC).

    False for a wrong signature, None for a kind that cannot be checked here. C2SP signed-note "Ed25519 signatures"
    (0x01), tlog-cosignature "Ed25519 signed message" (0x04) and "ML-DSA-44 signed message" (0x06).
    """
    if key.algorithm == ED25519:
        return ed25519_verify(key.public, head.note.text.encode(), blob)
    stamp, signature = int.from_bytes(blob[:8], "big"), blob[8:]
    try:
        made = EPOCH + timedelta(seconds=stamp)
    except OverflowError:
        return False
    if key.algorithm == COSIGNATURE:
        message = b"cosignature/v1\ntime %d\n" % stamp + head.note.text.encode()
        return made if ed25519_verify(key.public, message, signature) else False
    good = ml_dsa_44_verify(key.public, _subtree_message(key.name, stamp, head), signature)
    return made if good else good


def _subtree_message(name: str, stamp: int, head: Head) -> bytes:
    """C2SP tlog-cosignature, struct cosigned_message, for the whole tree of a head."""
    cosigner, origin = name.encode(), head.origin.encode()
    if len(cosigner) > 255 or len(origin) > 255:
        return b""
    ends = stamp.to_bytes(8, "big") + bytes([len(origin)]) + origin + bytes(8) + head.size.to_bytes(8, "big")
    return b"subtree/v1\n\0" + bytes([len(cosigner)]) + cosigner + ends + head.root


# ======================================================================================================================
# 4. The policy: whose signatures count (C2SP tlog-policy)
# ======================================================================================================================


class Policy:
    """Log keys, witnesses by their name in the file, groups, and the quorum."""

    def __init__(self, text: str) -> None:
        """Read a policy file. Raises BadNote."""
        self.text = text
        self.logs: list[Key] = []
        self.witnesses: dict[str, Key] = {}
        self.groups: dict[str, tuple[int, list[str]]] = {}
        self.quorum: str | None = None
        self._members: set[str] = set()
        if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text):
            raise BadNote("a control character")
        for line in text.split("\n"):
            words = [word for word in re.split(r"[ \t]+", line) if word]
            if words and not words[0].startswith("#"):
                self._line(words)
        if self.quorum is None:
            raise BadNote("a policy has one quorum line")

    def _line(self, words: list[str]) -> None:
        kind, count = words[0], len(words)
        if kind == "log" and count in (2, 3):
            self._log(read_key(words[1]))
        elif kind == "witness" and count in (3, 4):
            self._witness(words[1], read_key(words[2]))
        elif kind == "group" and count >= 4:
            self._group(words[1], words[2], words[3:])
        elif kind == "quorum" and count == 2 and self.quorum is None:
            if words[1] != "none" and words[1] not in self.witnesses and words[1] not in self.groups:
                raise BadNote("the quorum names nobody defined before")
            self.quorum = words[1]
        else:
            raise BadNote("a line that is no policy line")

    def _log(self, key: Key) -> None:
        if key.algorithm == COSIGNATURE or any(key.public == one.public for one in self.logs):
            raise BadNote("a log key of the wrong kind, or twice")
        self.logs.append(key)

    def _witness(self, name: str, key: Key) -> None:
        if key.algorithm == ED25519 or any(key.public == one.public for one in self.witnesses.values()):
            raise BadNote("a witness key of the wrong kind, or twice")
        self._fresh(name)
        self.witnesses[name] = key

    def _group(self, name: str, least: str, members: list[str]) -> None:
        known = set(self.witnesses) | set(self.groups)
        if not set(members) <= known or len(set(members)) < len(members) or self._members & set(members):
            raise BadNote("a group of unknown members, or one member twice")
        count = {"any": 1, "all": len(members)}.get(least)
        count = _decimal(least) if count is None else count
        if not 1 <= count <= len(members):
            raise BadNote("a group asks for more members than it has, or none")
        self._fresh(name)
        self._members |= set(members)
        self.groups[name] = (count, members)

    def _fresh(self, name: str) -> None:
        if name == "none" or name in self.witnesses or name in self.groups:
            raise BadNote("a name twice")

    def satisfied(self, names: set[str], by: str | None = None) -> bool:
        """Whether these witnesses make the quorum (or the group `by`)."""
        by = by or self.quorum
        if by == "none" or by in names:
            return True
        least, members = self.groups.get(by or "", (1, []))
        return sum(self.satisfied(names, member) for member in members) >= least

    def meaning(self) -> Any:
        """What the file says, without comments, URLs and order: two policies that mean the same are equal."""
        return sorted(self.logs), self.witnesses, self.groups, self.quorum


class Signed(NamedTuple):
    """What the signatures of a head are worth.

    `log`: a log key of the policy signed it. `bad`: names whose known key did not sign this. `at`: when each witness
    cosigned. `quorum`: when the quorum was full, None if it is not. `unchecked`: kinds not known to this Python.
    """

    log: bool
    bad: list[str]
    at: dict[str, datetime]
    quorum: datetime | None
    full: bool
    unchecked: list[str]


def check_head(head: Head, policy: Policy) -> Signed:
    """Judge every signature of a head; unknown keys are ignored, a known key's wrong one is named (signed-note)."""
    at: dict[str, datetime] = {}
    log, bad, unchecked = False, [], []
    names = {(key.name, key.id): name for name, key in policy.witnesses.items()}
    logs = {(key.name, key.id): key for key in policy.logs if key.name == head.origin}
    for one in head.note.signatures:
        name = names.get((one.name, one.id))
        key = policy.witnesses[name] if name is not None else logs.get((one.name, one.id))
        good = check_signature(key, head, one.blob) if key is not None else None
        if key is not None and good is None:
            unchecked.append(one.name)
        elif good is False:
            bad.append(one.name)
        elif name is None:
            log = log or good is not None
        elif isinstance(good, datetime):
            at[name] = min(good, at.get(name, good))
    full = policy.satisfied(set(at))
    return Signed(log, bad, at, _quorum_at(at, policy) if full else None, full, unchecked)


def _quorum_at(at: dict[str, datetime], policy: Policy) -> datetime | None:
    """When the quorum was full: the earliest moment by which enough witnesses had cosigned; None if it needs none."""
    names: set[str] = set()
    for name in sorted(at, key=lambda one: at[one]):
        names.add(name)
        if policy.satisfied(names):
            return at[name]
    return None


# ======================================================================================================================
# 5. The Merkle tree (RFC 9162 section 2.1, C2SP tlog-tiles)
# ======================================================================================================================

EMPTY_ROOT = hashlib.sha256(b"").digest()
TILE = 256


def leaf_hash(entry: bytes) -> bytes:
    """RFC 9162 section 2.1.1: SHA-256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 9162 section 2.1.1: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def _pairs(hashes: list[bytes]) -> list[bytes]:
    sha256 = hashlib.sha256
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(hashes[::2], hashes[1::2])]


class Frontier:
    """The right edge of a tree: for each level of tiles the hashes (fewer than 256) of its last, partial tile.

    That is all it takes to compute the root, and to append.
    """

    def __init__(self, size: int, levels: list[list[bytes]]) -> None:
        self.size = size
        self.levels = levels

    def append(self, hashes: list[bytes]) -> None:
        """Append leaf hashes, no more than the last tile of level 0 has room for."""
        self.size += len(hashes)
        level = 0
        while hashes:
            if level == len(self.levels):
                self.levels.append([])
            row = self.levels[level]
            row += hashes
            if len(row) < TILE:
                return
            for _ in range(8):
                row = _pairs(row)
            self.levels[level], hashes, level = [], row, level + 1

    def root(self) -> bytes:
        """RFC 9162 section 2.1.1: the root of all leaves so far."""
        right: bytes | None = None
        for row in self.levels:
            for _ in range(8):
                if (
                    len(row) & 1
                ):  # a complete subtree without a right neighbour: what stands right of it is `right`
                    right = row[-1] if right is None else node_hash(row[-1], right)
                row = _pairs(row)
        return EMPTY_ROOT if right is None else right


def root_from_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """RFC 9162 section 2.1.3.2: the root that an inclusion proof leads to; None for a path of the wrong length."""
    if not 0 <= index < size:
        return None
    inner, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            return None
        if inner & 1 or inner == last:
            found = node_hash(step, found)
            while not inner & 1 and inner:
                inner, last = inner >> 1, last >> 1
        else:
            found = node_hash(found, step)
        inner, last = inner >> 1, last >> 1
    return found if last == 0 else None


def tile_path(level: int | str, index: int, width: int) -> str:
    """C2SP tlog-tiles: `tile/<L>/<N>[.p/<W>]` below `log/`; the level `entries` names entry bundles."""
    digits = f"{index:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    folded = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return f"log/tile/{level}/{folded}" + (f".p/{width}" if width < TILE else "")


# ======================================================================================================================
# 6. The bundle: a zip that is never unpacked
# ======================================================================================================================

MOST_TEXT = 64 * 1024 * 1024
MOST_NOTE = 1024 * 1024
MOST_BUNDLE = TILE * (2 + 65535)
MOST_MEMBERS = 1_000_000
_KNOWN = re.compile(
    r"policy|checkpoint\.old|(?:schema|rules|census)\.json|README\.txt|verify\.(?:py|html)"
    r"|log/checkpoint|log/tile/(?:entries|[0-9]{1,2})/(?:x[0-9]{3}/)*[0-9]{3}(?:\.p/[0-9]{1,3})?"
    r"|heads/[0-9]{1,19}|texts/[0-9a-f]{64}|tsr/[0-9A-Za-z._-]{1,64}|proofs/[0-9]{1,19}\.tlog-proof"
)
_ZIP_ERRORS = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, OSError, NotImplementedError)
_ZIP_ERRORS += (RuntimeError, ValueError, OverflowError, MemoryError)  # type: ignore[assignment]


class Bundle:
    """The zip. Only known names are opened, each with a limit to its size; nothing is written to disk."""

    def __init__(self, path: Path) -> None:
        """Open it. Raises Unreadable."""
        try:
            self._zip = zipfile.ZipFile(path)
        except FileNotFoundError:
            raise Unreadable(
                "no_bundle", f"找不到审计包 {path}。", f"There is no bundle at {path}."
            ) from None
        except _ZIP_ERRORS:
            raise self._broken() from None
        self._members: dict[str, zipfile.ZipInfo] = {}
        self.strange: list[str] = []
        try:
            members = self._zip.infolist()
            if len(members) > MOST_MEMBERS:
                raise self._broken()
            for member in members:
                self._enter(member)
        except Unreadable:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()

    def _enter(self, member: zipfile.ZipInfo) -> None:
        name = member.filename
        if name in self._members:
            raise Unreadable("member_twice", "审计包内有同名文件。", "The bundle holds one name twice.")
        if (
            name.startswith("/")
            or "\\" in name
            or ":" in name
            or ".." in name.split("/")
            or not name.isprintable()
        ):
            raise Unreadable(
                "path_trick", "审计包内有越界路径。", "The bundle holds a path that leads out of it."
            )
        self._members[name] = member
        if not name.endswith("/") and not _KNOWN.fullmatch(name):
            self.strange.append(name[:80])

    @staticmethod
    def _broken() -> Unreadable:
        return Unreadable(
            "unreadable_zip",
            "审计包残缺或不是 zip,请重新拷贝。",
            "The bundle is no whole zip file; have it copied again.",
        )

    def has(self, name: str) -> bool:
        """Whether there is such a member."""
        return name in self._members

    def texts(self) -> list[str]:
        """The digests of the texts that came along."""
        return [name[6:] for name in self._members if re.fullmatch(r"texts/[0-9a-f]{64}", name)]

    def stamps(self) -> list[str]:
        """The RFC 3161 time stamps that came along."""
        return sorted(name for name in self._members if name.startswith("tsr/") and name not in self.strange)

    def proofs(self) -> list[str]:
        """The proofs of single leaves that came along, to be handed on."""
        return sorted(
            name for name in self._members if name.startswith("proofs/") and name not in self.strange
        )

    def head_sizes(self) -> list[int]:
        """The sizes of the heads that came along, smallest first."""
        return sorted(
            int(name[6:]) for name in self._members if re.fullmatch(r"heads/(0|[1-9][0-9]{0,18})", name)
        )

    def data(self, name: str, most: int = MOST_TEXT) -> bytes:
        """A member's bytes, at most `most`. Raises Unreadable."""
        member = self._members.get(name)
        if member is None:
            raise Unreadable("member_missing", f"审计包缺少 {name}。", f"The bundle lacks {name}.")
        if member.file_size > most:
            raise self._too_large(name)
        try:
            with self._zip.open(member) as stream:
                found = stream.read(most + 1)
        except _ZIP_ERRORS:
            raise self._broken() from None
        if len(found) > most:
            raise self._too_large(name)
        return found

    @staticmethod
    def _too_large(name: str) -> Unreadable:
        return Unreadable(
            "member_too_large",
            f"审计包内 {name} 超出限度。",
            f"The bundle's {name} is larger than it may be.",
        )

    def text(self, name: str, most: int = MOST_NOTE) -> str:
        """A member as UTF-8. Raises Unreadable."""
        try:
            return self.data(name, most).decode("utf-8")
        except UnicodeDecodeError:
            raise Unreadable("member_malformed", f"{name} 不是 UTF-8。", f"{name} is not UTF-8.") from None

    def head(self, name: str) -> Head:
        """A member as a checkpoint. Raises Unreadable."""
        try:
            return read_head(self.text(name))
        except BadNote as error:
            raise Unreadable(
                "head_malformed", f"{name} 不是合式的日志首部。", f"{name} is no checkpoint: {error}."
            ) from None

    def json(self, name: str) -> dict[str, Any]:
        """A member as a JSON object. Raises Unreadable."""
        return json_object(self.text(name, MOST_TEXT), name)

    def tile(self, level: int, index: int, width: int) -> list[bytes]:
        """The hashes of a tile. Raises Unreadable."""
        name = tile_path(level, index, width)
        found = self.data(name, TILE * 32)
        if len(found) != width * 32:
            raise Unreadable("member_malformed", f"{name} 长度不符。", f"{name} is not {width} hashes long.")
        return [found[at : at + 32] for at in range(0, len(found), 32)]

    def entries(self, index: int, width: int) -> list[bytes]:
        """The leaves of an entry bundle (C2SP tlog-tiles, "Log entries"); an empty one was withheld."""
        name = tile_path("entries", index, width)
        found, at, end = self.data(name, MOST_BUNDLE), 0, 0
        entries, last = [], len(found) - 1
        while at < last:
            end = at + 2 + (found[at] << 8 | found[at + 1])
            entries.append(found[at + 2 : end])
            at = end
        if end != len(found) or len(entries) != width:
            raise Unreadable(
                "member_malformed", f"{name} 的条目不完整。", f"{name} does not hold {width} whole entries."
            )
        return entries

    def frontier(self, size: int) -> Frontier:
        """The right edge of the tree of `size` leaves, from its partial tiles."""
        levels = []
        for level in range(8):
            width = size >> 8 * level & 255
            levels.append(self.tile(level, size >> 8 * (level + 1), width) if width else [])
        return Frontier(size, levels)


def json_object(text: str, what: str) -> dict[str, Any]:
    """A JSON object. Raises Unreadable."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Unreadable("member_malformed", f"{what} 不是合式的 JSON。", f"{what} is no JSON object.")
    return found


# ======================================================================================================================
# 7. Leaves (RFC 8785, restricted: ASCII keys, no floats, integers below 2**53)
# ======================================================================================================================

_NONE = type(None)
_ENVELOPE: dict[str, type] = {
    "_position": int,
    "_prev": str,
    "_sd": list,
    "authority": str,
    "backfill": bool,
    "basis": dict,
    "capacity": str,
    "causation": str,
    "command": str,
    "correlation": str,
    "nonce": str,
    "occurred_at": str,
    "person": str,
    "post": str,
    "pub": dict,
    "recorded_at": str,
    "rule": str,
    "stream": str,
    "type": str,
    "version": int,
}
_NULLABLE = frozenset({"_prev", "authority", "causation", "post"})
_KEYS = tuple(_ENVELOPE)  # sorted, as a canonical leaf holds them
_SHAPES = frozenset(
    itertools.product(*([kind, _NONE] if name in _NULLABLE else [kind] for name, kind in _ENVELOPE.items()))
)
_DIGEST = re.compile(r"[A-Za-z0-9_-]{43}")


class BadLeaf(Exception):
    """A leaf that is not what the sealer writes: the finding's code and its two sentences."""


def _small(digits: str) -> int:
    if len(digits) < 16:
        return int(digits)
    if len(digits) > 17 or not -(2**53) < int(digits) < 2**53:
        raise ValueError("an integer beyond 2**53")
    return int(digits)


def _never(text: str) -> NoReturn:
    raise ValueError(f"{text[:20]} has no place in a leaf")


_READER = json.JSONDecoder(parse_float=_never, parse_int=_small, parse_constant=_never)
_FIRST = _READER.raw_decode  # the value with which a text begins, and where it ends
_WRITER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False)


def _spelled(value: object) -> str:
    """The one canonical spelling of a JSON value."""
    return _WRITER.encode(value)


_TEXT = '"([^"]*)"'
_SPELLINGS: dict[type, str] = {
    bool: "(true|false)",
    dict: r"(\{.*\})",
    int: "(0|[1-9][0-9]{0,14})",
    list: r'\[((?:"[A-Za-z0-9_-]{43}"(?:,"[A-Za-z0-9_-]{43}")*)?)\]',
    str: _TEXT,
}
_FLAT = {"basis": r"(\{[^{}]*\})"}


def _plain_pattern() -> str:
    """A leaf without escapes in its one spelling, but for what stands within `basis` and `pub`: integers of 15 digits."""
    parts = []
    for name, kind in _ENVELOPE.items():
        spelling = _FLAT.get(name, _SPELLINGS[kind])
        parts.append(f'"{name}":' + (f"(?:null|{spelling})" if name in _NULLABLE else spelling))
    return r"\{" + ",".join(parts) + r"\}"


_PLAIN = re.compile(_plain_pattern()).fullmatch
_ESCAPED = bytes.maketrans(bytes(range(0x20)) + b"\\", b" " * 33)  # no string holds these but by an escape
_AT_ONCE = 16  # leaves that are read together: more would no longer lie in the processor's nearest memory


@functools.lru_cache(maxsize=4096)
def _basis(text: str) -> dict[str, Any]:
    """What a canonical text of a basis says; the same few come again and again. Raises ValueError for another text."""
    basis, end = _FIRST(text)
    if end != len(text) or _spelled(basis) != text or not _ascii_keys(basis):
        raise ValueError("another spelling, or a key that is not of ASCII")
    return basis


def read_leaves(entries: list[bytes]) -> Iterator[dict[str, Any] | BadLeaf | None]:
    """What these entries hold, one after the other: a leaf, what is wrong with it, or None for an empty entry.

    It is what `read_leaf` finds, faster.
    """
    few = (entries[at : at + _AT_ONCE] for at in range(0, len(entries), _AT_ONCE))
    return itertools.chain.from_iterable(map(_read_some, few))


def _read_some(entries: list[bytes]) -> list[dict[str, Any] | BadLeaf | None]:
    """The same of a few.

    An envelope that fits the one pattern is in its one spelling. The public fields of all are spelled again at once:
    each is a whole object, and in a text the beginning of an object fixes its end, so that the joined texts are only
    the same if each one is.
    """
    leaves: list[dict[str, Any] | BadLeaf | None] = []
    texts, pubs = [], []
    for entry in entries:
        try:
            leaf, text = _plain(entry)
        except (ValueError, RecursionError):
            leaves.append(_read_slowly(entry))
            continue
        leaves.append(leaf)
        texts.append(text)
        pubs.append(leaf["pub"])
    try:
        same = _spelled(pubs) == f"[{','.join(texts)}]"
    except RecursionError:
        same = False
    return leaves if same else [_read_slowly(entry) for entry in entries]


def _plain(entry: bytes) -> tuple[dict[str, Any], str]:
    """A leaf whose envelope is plainly canonical and well formed, and its public fields as they are written.

    Raises ValueError for any other.
    """
    match = _PLAIN(entry.decode("utf-8")) if entry.translate(_ESCAPED) == entry else None
    if match is None:
        raise ValueError("not plain")
    (
        position, prev, digests, authority, backfill, basis, capacity, causation, command, correlation, nonce, occurred,
        person, post, pub, recorded, rule, stream, kind, version,
    ) = match.groups()  # fmt: skip
    fields, end = _FIRST(pub)
    if end != len(pub) or not (pub.isascii() or _ascii_keys(fields)):
        raise ValueError("more than an object, or a key that is not of ASCII")
    if version == "0" or (prev is None) != (version == "1"):
        raise ValueError("not well formed")
    leaf = {
        "_position": int(position), "_prev": prev, "_sd": digests[1:-1].split('","') if digests else [],
        "authority": authority, "backfill": backfill == "true", "basis": _basis(basis), "capacity": capacity,
        "causation": causation, "command": command, "correlation": correlation, "nonce": nonce,
        "occurred_at": occurred, "person": person, "post": post, "pub": fields, "recorded_at": recorded,
        "rule": rule, "stream": stream, "type": kind, "version": int(version),
    }  # fmt: skip
    return leaf, pub


def _read_slowly(entry: bytes) -> dict[str, Any] | BadLeaf | None:
    try:
        return read_leaf(entry) if entry else None
    except BadLeaf as bad:
        return bad


def read_leaf(entry: bytes) -> dict[str, Any]:
    """The JSON of a leaf, which must be canonical; the hash was taken of the bytes as they stand. Raises BadLeaf."""
    try:
        text = entry.decode("utf-8")
        leaf, end = _FIRST(text)
        same = end == len(text) and _spelled(leaf) == text
    except (ValueError, RecursionError):
        raise BadLeaf("leaf_not_json", "不是合式的 JSON。", "is no JSON of the kind permitted.") from None
    if not same or not (entry.isascii() or _ascii_keys(leaf)):
        raise BadLeaf(
            "leaf_not_canonical",
            "不是规范 JSON(重复键、空白、次序或写法)。",
            "is not canonical JSON: a key twice, white space, another order or spelling.",
        )
    if type(leaf) is not dict or not _well_formed(leaf):
        raise BadLeaf("leaf_malformed", "信封不合公布的格式。", "has not the envelope that is published.")
    return leaf


def _ascii_keys(value: object) -> bool:
    if isinstance(value, dict):
        return all(key.isascii() and _ascii_keys(inner) for key, inner in value.items())
    return all(_ascii_keys(inner) for inner in value) if isinstance(value, list) else True


def _well_formed(leaf: dict[str, Any]) -> bool:
    return tuple(leaf) == _KEYS and _well_shaped(leaf)


def _well_shaped(leaf: dict[str, Any]) -> bool:
    """Whether the values under the envelope's keys are what they have to be."""
    if tuple(map(type, leaf.values())) not in _SHAPES:
        return False
    if leaf["version"] < 1 or leaf["_position"] < 0 or (leaf["_prev"] is None) != (leaf["version"] == 1):
        return False
    digests = leaf["_sd"]
    return not digests or all(type(one) is str and _DIGEST.fullmatch(one) for one in digests)


def moment(text: object) -> datetime:
    """A stored moment, `2026-11-23T01:02:03.123456Z` or without the fraction; UTC. Raises ValueError."""
    if not isinstance(text, str) or len(text) not in (20, 27) or text[-1] != "Z" or text[10] != "T":
        raise ValueError("no moment")
    return datetime.fromisoformat(text[:-1])


def written(at: datetime) -> str:
    """A moment as the leaves write it."""
    return at.isoformat() + "Z"


class Schema:
    """schema.json: the types of events that may occur, and the public fields of each."""

    def __init__(self, schema: dict[str, Any], found: Findings) -> None:
        self._found = found
        self._types: dict[str, tuple[set[str], set[str]]] = {}
        self._good: dict[str, tuple[str, ...]] = {}  # by type, the fields of its last good leaf
        types = schema.get("types")
        for name, one in (types if isinstance(types, dict) else {}).items():
            one = one if isinstance(one, dict) else {}
            self._types[name] = (set(one.get("required", ())), set(one.get("properties", ())))

    def take(self, index: int, leaf: dict[str, Any]) -> None:
        """Look at a leaf's type and public fields."""
        fields = tuple(leaf["pub"])
        if self._good.get(leaf["type"]) == fields:
            return
        known = self._types.get(leaf["type"])
        if known is None:
            self._say(
                "event_unknown", "事件类型未公布。", "This type of event is not in the schema.", index, leaf
            )
        elif not known[0] <= leaf["pub"].keys() <= known[1]:
            self._say(
                "event_malformed",
                "公开字段与公布的格式不符。",
                "Its public fields are not as published.",
                index,
                leaf,
            )
        else:
            self._good[leaf["type"]] = fields

    def _say(self, code: str, zh: str, en: str, index: int, leaf: dict[str, Any]) -> None:
        self._found.fail(
            code, f"{zh}({leaf['type'][:60]})", f"{en} ({leaf['type'][:60]})", index, leaf["stream"]
        )


# ======================================================================================================================
# 8. Places: the store's order, each stream's versions, the chain from leaf to leaf
# ======================================================================================================================


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _b64url(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).rstrip(b"=").translate(_URL_SAFE).decode("ascii")


def _names(hashes: list[bytes]) -> list[str]:
    """The same of many hashes of 32 bytes; with a zero byte more each fills 44 characters, of which 43 are its name."""
    text = binascii.b2a_base64(b"".join([hashed + b"\0" for hashed in hashes]), newline=False)
    joined = text.translate(_URL_SAFE).decode("ascii")
    return [joined[at : at + 43] for at in range(0, len(joined), 44)]


class Places:
    """Where every stream stands: its newest version and the hash of its newest leaf."""

    def __init__(self, found: Findings, since_genesis: bool, state: dict[str, Any] | None) -> None:
        self._found = found
        self.whole = since_genesis or state is not None
        self.position = state["position"] if state else -1
        self.streams: dict[str, tuple[int, str]] = {}
        self.withheld = state["withheld"] if state else 0
        self._strangers: list[str] = []
        for stream, (version, last) in (state["streams"] if state else {}).items():
            self.streams[stream] = (version, last)

    def take(self, index: int, leaf: dict[str, Any], name: str) -> None:
        """The next leaf's place; `name` is its hash as the leaf after it in its stream names it."""
        stream, version, position = leaf["stream"], leaf["version"], leaf["_position"]
        if position <= self.position:
            self._found.fail(
                "position_order",
                "入库次序号没有递增。",
                "The store's position does not rise.",
                index,
                stream,
                version,
            )
        else:
            self.position = position
        last = self.streams.get(stream)
        if last is None:
            if version != 1:
                self._stranger(index, stream, version)
        elif version != last[0] + 1:
            self._found.fail(
                "version_gap",
                f"案卷版本从 {last[0]} 跳到 {version}:有缺漏或重复。",
                f"The stream goes from version {last[0]} to {version}: something is missing or there twice.",
                index,
                stream,
                version,
            )
        elif leaf["_prev"] != last[1]:
            self._found.fail(
                "chain_broken",
                "与本案卷上一叶子的哈希不相接。",
                "It does not name the hash of its stream's previous leaf.",
                index,
                stream,
                version,
            )
        self.streams[stream] = (version, name)

    def _stranger(self, index: int, stream: str, version: int) -> None:
        """A stream that continues from leaves which nobody here has seen."""
        if self.whole and not self.withheld:
            self._found.fail(
                "version_gap",
                f"案卷从版本 {version} 开始,其前各叶缺失。",
                f"The stream begins with version {version}: what comes before is missing.",
                index,
                stream,
                version,
            )
        self._strangers.append(stream)

    def finish(self) -> None:
        """Say which streams could not be followed."""
        many = len(self._strangers)
        if self._strangers and not self.whole:
            self._found.fail(
                "needs_genesis",
                f"{many} 个案卷始于上期,而没有监督机构的状态文件:请索取自创世以来的审计包。",
                f"{many} cases go on from before, and there is no state of yours: ask for a bundle since genesis.",
            )
        elif self._strangers and self.withheld:
            for stream in self._strangers:
                zh = "案卷的前部只见哈希,链条无从核对:请问明何以此前不示。"
                en = "The earlier leaves of this stream were withheld, its chain could not be followed: ask why."
                self._found.note("came_into_view", zh, en, None, stream)

    def state(self) -> dict[str, Any]:
        """What the next bundle is held against."""
        streams = {stream: list(place) for stream, place in self.streams.items()}
        return {"position": self.position, "streams": streams, "withheld": self.withheld}


# ======================================================================================================================
# 9. Times: what was claimed, what was recorded, and what the boards' clocks say
# ======================================================================================================================

CLOCK_TOLERANCE = timedelta(seconds=1)  # the store refuses what lies further behind its newest event
AHEAD_TOLERANCE = timedelta(seconds=60)
BOARD_TOLERANCE = timedelta(minutes=5)  # between the office's clock and the boards'
LONG_LAG = timedelta(hours=24)


class Late(NamedTuple):
    """Leaves that one head covered too late: the first of them, how many, the newest one's recording."""

    first: int
    leaves: int
    newest: datetime


class Times:
    """Both times of every leaf, between the heads that the boards cosigned.

    A leaf was recorded before the first cosigned head that holds it, and not longer before it than promised.
    """

    def __init__(
        self,
        found: Findings,
        heads: list[tuple[int, datetime]],
        before: datetime | None,
        state: dict[str, Any] | None,
        grace: Callable[[dict[str, Any]], datetime | None],
    ) -> None:
        """`heads`: (size, when the quorum was full), rising; `before`: the same of the head that the leaves follow.

        `grace`: until when an event might be recorded without a mark, None where its rulebook is not known.
        """
        self._found = found
        self._grace = grace
        self._heads = heads
        self._at = self._until = 0
        self._low, self._high = datetime.max, datetime.min  # noqa: DTZ901 - UTC as everywhere here
        self._before = before
        self._late: dict[int, Late] = {}
        self._early = 0
        self.delay = timedelta(hours=state["delay_hours"] if state else 24)
        self.opened = moment(state["opened_at"]) if state and state["opened_at"] else None
        self.newest = moment(state["recorded_at"]) if state and state["recorded_at"] else None
        self.judged_from = datetime.min  # noqa: DTZ901 - UTC as everywhere here

    def take(self, index: int, leaf: dict[str, Any]) -> None:
        """The next leaf's times. Raises ValueError where one is no moment."""
        recorded = moment(leaf["recorded_at"])
        if leaf["occurred_at"] != leaf["recorded_at"]:
            self._claimed(index, recorded, moment(leaf["occurred_at"]), leaf)
        if index == 0:
            self.opened = recorded
            return
        newest = self.newest
        if newest is None or recorded >= newest:
            self.newest = newest = recorded
        elif recorded < newest - CLOCK_TOLERANCE:
            zh = "记录时间早于先入库者一秒以上:时钟倒走或改写过。"
            en = "Recorded more than a second before an earlier one: a clock went back, or somebody wrote it."
            self._found.fail("clock_backwards", zh, en, index, leaf["stream"], leaf["version"])
        if index < self._until and self._low <= recorded <= self._high:
            return
        if self.opened is not None and newest < self.opened:  # until the first event of the log's own time
            self._early += 1
        else:
            self._between(recorded, (index, leaf["stream"], leaf["version"]))

    def _claimed(self, index: int, recorded: datetime, occurred: datetime, leaf: dict[str, Any]) -> None:
        """What lies between happening and recording, where that is not nothing."""
        if occurred == recorded:
            return
        where = (index, leaf["stream"], leaf["version"])
        if occurred > recorded + AHEAD_TOLERANCE:
            zh, en = "所称发生时间晚于记录时间。", "It claims to have happened after it was recorded."
            self._found.fail("occurred_after_recorded", zh, en, *where)
            return
        lag = recorded - occurred
        hours, limit = lag.total_seconds() / 3600, self._grace(leaf)
        if leaf["backfill"]:
            zh = f"发生 {hours:.1f} 小时后补记,已标明补录。"
            en = f"Recorded {hours:.1f} hours after it happened, and marked as late."
            self._found.note("recorded_late", zh, en, *where)
        elif limit is not None and recorded > limit:
            zh = f"发生 {hours:.1f} 小时后才记录,超出规则所许,却未标明补录。"
            en = f"Recorded {hours:.1f} hours after it happened, later than the rulebook allows without a mark."
            self._found.fail("late_unmarked", zh, en, *where)
        elif limit is None and lag > LONG_LAG:
            zh = f"发生 {hours:.1f} 小时后才记录,未标明补录;没有规则文本,无从判断。"
            en = f"Recorded {hours:.1f} hours after it happened, unmarked; without a rulebook it cannot be judged."
            self._found.note("late_unjudged", zh, en, *where)

    def promise(self, delay: timedelta) -> None:
        """From now on a leaf may wait so long for a cosigned head."""
        self.delay, self._until = delay, 0

    def _go_on(self, index: int) -> None:
        """To the heads around this leaf; and the moments of recording of which there is nothing to say between them."""
        while self._at < len(self._heads) and self._heads[self._at][0] <= index:
            self._before = self._heads[self._at][1]
            self._at += 1
        self._until, after = self._heads[self._at] if self._at < len(self._heads) else (sys.maxsize, None)
        try:
            begins = [one - self.delay for one in (self._before, after) if one is not None]
            self._low = max([*begins, self.opened or datetime.min])  # noqa: DTZ901
            self._high = after + BOARD_TOLERANCE if after is not None else datetime.max  # noqa: DTZ901
        except OverflowError:
            self._low, self._high = datetime.max, datetime.min  # noqa: DTZ901

    def _between(self, recorded: datetime, where: tuple[int, str, int]) -> None:
        if where[0] >= self._until:
            self._go_on(where[0])
        if self._before is not None and recorded < self._before - self.delay:
            zh = f"列在 {written(self._before)} 共签的首部之后,所称记录时间却早得超出承诺时限:倒签。"
            en = f"It stands behind the head cosigned at {written(self._before)}, yet claims to be far older: backdated."
            self._found.fail("backdated", zh, en, *where)
            return
        if self._at == len(self._heads):
            return
        after = self._heads[self._at][1]
        if recorded > after + BOARD_TOLERANCE:
            zh = f"所称记录时间晚于 {written(after)} 已含此叶的共签首部。"
            en = f"Recorded, it says, after the head of {written(after)} that holds it already."
            self._found.fail("recorded_after_head", zh, en, *where)
        elif after - recorded > self.delay:
            late = self._late.get(self._at, Late(where[0], 0, recorded))
            self._late[self._at] = Late(late.first, late.leaves + 1, max(late.newest, recorded))

    def finish(self) -> None:
        """Say which heads came later than promised, and what could not be judged."""
        hours = int(self.delay.total_seconds() // 3600)
        for at, late in self._late.items():
            size, cosigned = self._heads[at]
            before_policy = late.newest < self.judged_from
            self._found.add(
                Finding(
                    "cosigned_before_policy" if before_policy else "cosigned_late",
                    f"{late.leaves} 片叶子逾 {hours} 小时才由 {written(cosigned)} 的首部(规模 {size})取得法定共签。",
                    f"{late.leaves} leaves waited more than {hours} hours for the head of {size}, cosigned {written(cosigned)}.",
                    late.first,
                    note=before_policy,
                )
            )
        if self._early:
            self._found.note(
                "before_log",
                f"{self._early} 片叶子记录于日志开启之前:其时间只凭系统自述。",
                f"{self._early} leaves were recorded before the log was opened: their times stand on the office's word.",
            )
        if not self._heads:
            self._found.note(
                "no_cosign_times",
                "没有任何共签时间:记录时间只凭系统自述。",
                "No head bears the time of a quorum: the times stand on the office's word alone.",
            )


# ======================================================================================================================
# 10. What the log says of itself: its opening, policies, keys, silent boards, rulebooks, erasures
# ======================================================================================================================


UNJUDGED, NEVER = "", "never"
"""Of a lock: nobody knows from here until when it holds; it has no end."""
ERASED_WITHIN = timedelta(days=30)
"""So long after a term has ended an erasure may wait before it is a finding."""


class Log:
    """The events about the log and about the rules, each in words for the report."""

    def __init__(
        self, found: Findings, origin: str, texts: dict[str, bool], state: dict[str, Any] | None
    ) -> None:
        """`texts`: the digests of the texts that came along, and whether each text fits its digest."""
        self._found = found
        self._origin = origin
        self._texts = texts
        self.log_key: str | None = state["log_key"] if state else None
        self.receipt_key: str | None = state["receipt_key"] if state else None
        self.adopted: str | None = state["adopted"] if state else None
        self.delay_hours: int | None = state["delay_hours"] if state else None
        self.rules: str | None = state["rules_published"] if state else None
        self.opened = state is not None
        self.census = False
        self.adopted_at: datetime | None = None
        self.erased: set[tuple[str, str]] = set()
        self.locks: dict[str, dict[str | None, str]] = defaultdict(dict)
        for stream, subject, *until in state["locked"] if state else ():  # older states do not say until when
            self.locks[stream][subject] = until[0] if until else UNJUDGED
        # of every lock that named an end, lifted ones too, the last end until these data are erased
        self.terms: dict[str, dict[str | None, str]] = defaultdict(dict)
        for stream, subject, *until in (*state["locked"], *state.get("terms", ())) if state else ():
            if until and until[0] != UNJUDGED:
                self.terms[stream][subject] = until[0]
        self.vouched: list[tuple[int, Head]] = []
        self.handlers: dict[str, Callable[[int, dict[str, Any]], None]] = {
            "log_opened.v1": self._opened,
            "policy_adopted.v1": self._adopted,
            "log_key_changed.v1": self._key_changed,
            "rules_published.v1": self._rules_published,
            "witness_silent.v1": self._silent,
            "rulebook_released.v1": self._released,
            "map_released.v1": self._map,
            "subscription_made.v1": self._channel,
            "subscription_secret_changed.v1": self._channel_changed,
            "subscription_paused.v1": self._channel_changed,
            "subscription_resumed.v1": self._channel_changed,
            "subscription_ended.v1": self._channel_ended,
            "notice_entered.v1": self._notice,
            "data_erased.v1": self._erasure,
            "data_locked.v1": self._lock,
            "data_unlocked.v1": self._unlock,
            "claim_set_aside.v1": self._aside,
            "matter_reopened.v1": self._goes_on,
            "merge_reversed.v1": self._goes_on,
        }

    def take(self, index: int, leaf: dict[str, Any]) -> None:
        """The next leaf. Raises KeyError, TypeError or ValueError for public fields that are not as published."""
        handler = self.handlers.get(leaf["type"])
        if handler is not None:
            handler(index, leaf)
        elif index == 0:
            self._found.fail(
                "genesis_missing",
                "第 0 叶不是日志的开启。",
                "Leaf 0 does not open the log.",
                index,
                leaf["stream"],
            )

    def _opened(self, index: int, leaf: dict[str, Any]) -> None:
        pub = leaf["pub"]
        if index != 0 or pub["origin"] != self._origin:
            zh, en = (
                "日志的开启与首部所称的日志不符。",
                "The log's opening is not that of the log that the head names.",
            )
            self._found.fail("genesis_wrong", zh, en, index, leaf["stream"])
            return
        self.census = pub.get("census") is True
        self.log_key, self.receipt_key, self.delay_hours = (
            pub["log_key"],
            pub["receipt_key"],
            int(pub["delay_hours"]),
        )
        self.opened, self.rules = True, pub.get("rules")

    def _rules_published(self, index: int, leaf: dict[str, Any]) -> None:
        if leaf["stream"] != LOG_STREAM or leaf["pub"]["digest"] == self.rules:
            return
        self.rules = leaf["pub"]["digest"]
        release = leaf["basis"]["code"]
        zh = f"发布 {release} 公布了另一流程规则(摘要 {self.rules})。"
        en = f"The release {release} published another process law (digest {self.rules})."
        self._found.note("rules_published", zh, en, index)

    def _adopted(self, index: int, leaf: dict[str, Any]) -> None:
        pub = leaf["pub"]
        self.adopted, self.delay_hours = pub["digest"], int(pub["delay_hours"])
        self.adopted_at = moment(leaf["recorded_at"])
        zh = f"采用共签规则:{pub['n']} 家中须 {pub['k']} 家,{pub['delay_hours']} 小时内。"
        en = f"A policy was adopted: {pub['k']} of {pub['n']} boards, within {pub['delay_hours']} hours."
        self._found.note("policy_adopted", zh, en, index)
        self._text(pub["digest"], index)

    def _key_changed(self, index: int, leaf: dict[str, Any]) -> None:
        pub = leaf["pub"]
        try:
            old, new, head = read_key(pub["old"]), read_key(pub["new"]), read_head(pub["head"])
            signed = [
                any((one.name, one.id) == (key.name, key.id) and check_signature(key, head, one.blob)
                    for one in head.note.signatures)
                for key in (old, new)
            ]  # fmt: skip
        except BadNote:
            self.unproven(index)
            return
        other = self.log_key is not None and pub["old"] != self.log_key
        if not all(signed) or other or head.origin != self._origin or head.size > index:
            self.unproven(index)
            return
        self.log_key = pub["new"]
        self.vouched.append((index, head))
        zh, en = (
            "日志密钥已更换,新旧两钥均签署。",
            "The log's key was changed; the old and the new key both signed.",
        )
        self._found.note("log_key_changed", zh, en, index)

    def unproven(self, index: int) -> None:
        """A change of key that the old key and the new one did not vouch for on one head of this very log."""
        zh = "更换日志密钥,却没有新旧两钥对本日志此前同一首部的签名。"
        en = "The log's key changed without both keys on one earlier head of this log."
        self._found.fail("log_key_unproven", zh, en, index)

    def _silent(self, index: int, leaf: dict[str, Any]) -> None:
        pub = leaf["pub"]
        zh = f"监督机构 {pub['witness']} 自 {pub['since']} 起未共签,已记入日志。"
        en = f"The board {pub['witness']} has left heads without its cosignature since {pub['since']}; it is on record."
        self._found.note("witness_silent", zh, en, index)

    def _aside(self, index: int, leaf: dict[str, Any]) -> None:
        pub = leaf["pub"]
        zh = (
            f"监督机构 {pub['witness']} 称已共签 {int(pub['claimed'])} 叶,未出示首部;办公室依据 {leaf['authority']} 搁置此说,"
            f"当时日志有 {int(pub['size'])} 叶。请问该机构。"
        )
        en = (
            f"The board {pub['witness']} said that it had cosigned {int(pub['claimed'])} leaves, and showed no head; the office"
            f" set that aside on {leaf['authority']} when the log had {int(pub['size'])}. Ask that board."
        )
        self._found.note("claim_set_aside", zh, en, index)

    def _released(self, index: int, leaf: dict[str, Any]) -> None:
        self._put_in_force(index, leaf, "规则", "Rulebook", ("rulebook_released", "rulebook_backdated"))
        self._text(leaf["pub"]["digest"], index)

    def _map(self, index: int, leaf: dict[str, Any]) -> None:
        self._put_in_force(index, leaf, "网格图", "Map", ("map_released", "map_backdated"))

    def _put_in_force(
        self, index: int, leaf: dict[str, Any], zh_what: str, en_what: str, codes: tuple[str, str]
    ) -> None:
        """Something named is in force from a moment on: the finding that says so, and that for a moment already past."""
        name, since = leaf["pub"]["name"], leaf["pub"]["in_force_from"]
        zh = f"{zh_what} {name} 发布,自 {since} 起施行,依据 {leaf['authority']}。"
        en = f"{en_what} {name} was released, in force from {since}, on {leaf['authority']}."
        self._found.note(codes[0], zh, en, index)
        if moment(since) < moment(leaf["recorded_at"]) - CLOCK_TOLERANCE:
            zh = f"{zh_what} {name} 追溯施行。"
            en = f"{en_what} {name} was put in force for time already past."
            self._found.fail(codes[1], zh, en, index)

    def _channel(self, index: int, leaf: dict[str, Any]) -> None:
        """A system outside is told of events from now on: a board is to see each way out of the house."""
        pub = leaf["pub"]
        name, to, of, ground, kinds = (
            pub[field] for field in ("subscription", "receiver", "body", "ground", "types")
        )
        if not isinstance(kinds, list):
            raise TypeError("the kinds are no list")
        zh = (
            f"对外订阅 {name} 建立：单位 {of} 的事项消息（{'、'.join(kinds)}）发往 {to}，依据 {leaf['authority']}；"
            + ("个人信息不外送。" if ground is None else f"个人信息依据 {ground} 一并外送。")
        )
        en = (
            f"Subscription {name} was made: {to} is told of matters of {of} ({', '.join(kinds)}), on {leaf['authority']}; "
            + ("no personal data leave." if ground is None else f"personal data leave on {ground}.")
        )
        self._found.note("subscription_made", zh, en, index)

    def _channel_changed(self, index: int, leaf: dict[str, Any]) -> None:
        name = leaf["pub"]["subscription"]
        zh, en = {
            "subscription_secret_changed.v1": ("更换密钥", "has a new secret"),
            "subscription_paused.v1": ("暂停", "was paused"),
            "subscription_resumed.v1": ("恢复", "was resumed"),
        }[leaf["type"]]
        self._found.note(
            "subscription_changed", f"对外订阅 {name} {zh}。", f"Subscription {name} {en}.", index
        )

    def _channel_ended(self, index: int, leaf: dict[str, Any]) -> None:
        name, why = leaf["pub"]["subscription"], leaf["pub"]["why"]
        zh, en = f"对外订阅 {name} 终止：{why}。", f"Subscription {name} has ended: {why}."
        self._found.note("subscription_ended", zh, en, index)

    def _notice(self, index: int, leaf: dict[str, Any]) -> None:
        name = leaf["pub"]["notice"]
        self._found.note(
            "notice_entered", f"放假通知 {name} 录入。", f"The holiday notice {name} was entered.", index
        )

    def _erasure(self, index: int, leaf: dict[str, Any]) -> None:
        pub, place = leaf["pub"], (index, leaf["stream"], leaf["version"])
        digests, ground, authority = pub["digests"], pub["ground"], pub["authority"]
        self.erased.update((leaf["stream"], digest) for digest in digests)
        self._in_term(leaf, *place)
        if not ground or not authority:
            zh, en = (
                "删除个人信息,却无理由或无批准依据。",
                "Personal data were erased without a ground or an authority.",
            )
            self._found.fail("erased_without_ground", zh, en, *place)
            return
        zh = f"依据 {authority} 删除密封值 {len(digests)} 项,理由 {ground}。"
        en = f"{len(digests)} sealed values were erased on {authority}, ground: {ground}."
        self._found.note("data_erased", zh, en, *place)

    def _lock(self, index: int, leaf: dict[str, Any]) -> None:
        pub, place = leaf["pub"], (index, leaf["stream"], leaf["version"])
        until = pub.get("until")
        if until is not None:
            moment(until)
        named = until or (NEVER if pub.get("retention") else UNJUDGED)
        self.locks[leaf["stream"]][pub["subject"]] = named
        if named != UNJUDGED:
            self._promise(named, pub["subject"], *place)
        zh = f"保管期内封存,不予删除,理由 {pub['ground']},依据 {pub['authority']}。"
        en = f"Data were locked while a term of keeping runs, ground: {pub['ground']}, on {pub['authority']}."
        self._found.note("data_locked", zh, en, *place)

    def _promise(self, until: str, who: str | None, *place: Any) -> None:
        """A term that was named once is never cut short: not by another lock, nor by lifting one."""
        terms = self.terms[place[1]]
        before = terms.get(who)
        if before is None or until == NEVER or (before != NEVER and moment(before) <= moment(until)):
            terms[who] = until
            return
        zh = "再次封存的期限早于此前封存的期限:保管期被缩短。"
        en = "Data were locked again until an earlier end than before: their term of keeping was cut short."
        self._found.fail("lock_shortened", zh, en, *place)

    def _binding(self, stream: str, who: str | None) -> list[str]:
        """The ends of the terms that bind these data: of a person, also the whole case's; of it, everybody's."""
        return [until for one, until in self.terms[stream].items() if who is None or one in (None, who)]

    def _unlock(self, index: int, leaf: dict[str, Any]) -> None:
        pub, place = leaf["pub"], (index, leaf["stream"], leaf["version"])
        self.locks[leaf["stream"]].pop(pub["subject"], None)
        zh = f"解除封存,到期不再删除,理由 {pub['ground']},依据 {pub['authority']}。"
        en = f"A lock was lifted, so that nothing is erased at its end, ground: {pub['ground']}, on {pub['authority']}."
        self._found.note("data_unlocked", zh, en, *place)

    def _goes_on(self, index: int, leaf: dict[str, Any]) -> None:
        """The matter goes on: its terms are counted anew when it has ended again."""
        locks = self.locks.get(leaf["stream"], {})
        locks.update((who, UNJUDGED) for who, until in locks.items() if until != NEVER)

    def _in_term(self, leaf: dict[str, Any], *place: Any) -> None:
        """Erased while a term on these very data ran, though its lock was lifted: none does any more."""
        stream, subject = leaf["stream"], leaf["pub"]["subject"]
        held = self._binding(stream, subject)
        for kept in (self.locks[stream], self.terms[stream]):
            for who in [*kept] if subject is None else [subject]:
                kept.pop(who, None)
        at = moment(leaf["recorded_at"]) + CLOCK_TOLERANCE
        if any(until == NEVER or moment(until) > at for until in held):
            zh = "封存期限未满即删除个人信息。"
            en = "Personal data were erased before the term of keeping that their lock named had ended."
            self._found.fail("erased_in_term", zh, en, *place)

    def overdue(self, newest: datetime | None) -> None:
        """What was to be erased at the end of its term and still is not, long after every term that binds it."""
        for stream, locks in self.locks.items():
            for who, until in locks.items():
                ends = {until, *self._binding(stream, who)}
                if until == UNJUDGED or NEVER in ends or newest is None:
                    continue
                due = max(map(moment, ends))
                if newest > due + ERASED_WITHIN:
                    zh = f"封存期限于 {written(due)} 届满,至今未删除。"
                    en = f"The term of locked data ended on {written(due)}, and they were not erased since."
                    self._found.fail("erasure_overdue", zh, en, None, stream)

    def _text(self, digest: str, index: int) -> None:
        """The text that an event names by its digest must have come along."""
        if digest not in self._texts:
            zh, en = (
                f"缺少摘要为 {digest[:16]}… 的文本。",
                f"The text of digest {digest[:16]}… did not come along.",
            )
            self._found.fail("text_missing", zh, en, index)
        elif not self._texts[digest]:
            zh, en = (
                f"所附文本与摘要 {digest[:16]}… 不符。",
                f"The text that came along is not that of {digest[:16]}…",
            )
            self._found.fail("text_differs", zh, en, index)

    def finish(self, policy: Policy, sent: str, law: str) -> None:
        """Hold the policy sent, the digest of the law sent, and the key that signs, against what the log says."""
        if law != self.rules and (self.rules is not None or self.opened):
            zh = f"rules.json 不是日志中最近公布的流程规则(摘要 {self.rules or '无'})。"
            en = f"rules.json is not the process law that the log published last (digest {self.rules or 'none'})."
            self._found.fail("rules_differ", zh, en)
        if self.adopted is not None and hashlib.sha256(sent.encode()).hexdigest() != self.adopted:
            zh, en = (
                "随包的共签规则不是日志中最近采用的那一份。",
                "The policy sent is not the one that the log adopted last.",
            )
            self._found.fail("policy_not_adopted", zh, en)
        keys = [f"{key.name}+{key.id.hex()}+{_key_material(key)}" for key in policy.logs]
        if self.log_key is not None and self.log_key not in keys:
            zh, en = (
                "日志所称的签名密钥不在共签规则之内。",
                "The key that the log says it signs with is not in the policy.",
            )
            self._found.fail("log_key_other", zh, en)


def _key_material(key: Key) -> str:
    return base64.b64encode(bytes([key.algorithm]) + key.public).decode("ascii")


# ======================================================================================================================
# 11. Counts: the census and the intake counters, taken from the store and not from the log
# ======================================================================================================================


class Census:
    """Events per type and per stream, requests per day (UTC) and channel, held against census.json."""

    def __init__(self, found: Findings) -> None:
        self._found = found
        self.types: dict[str, int] = defaultdict(int)
        self.streams: dict[str, int] = defaultdict(int)
        self.intake: dict[str, int] = {}
        self.months: dict[str, int] = defaultdict(int)
        self.imported: dict[str, int] = defaultdict(int)

    def take(self, index: int, leaf: dict[str, Any]) -> None:
        """Count a leaf."""
        kind = leaf["type"]
        self.types[kind] += 1
        self.streams[leaf["stream"]] += 1
        if index:
            self.months[leaf["recorded_at"][:7]] += 1
        if kind == "matter_registered.v1":
            key = f"{leaf['recorded_at'][:10]} {leaf['pub']['source']}"
            self.intake[key] = self.intake.get(key, 0) + 1
        elif kind == "matter_backfilled.v1":
            self.imported[leaf["recorded_at"][:7]] += 1

    def finish(self, told: dict[str, Any], withheld: int) -> None:
        """Compare with what the office counted."""
        if told.get("withheld", 0) != withheld:
            zh = f"只见哈希的叶子有 {withheld} 片,清点表称 {told.get('withheld')} 片。"
            en = f"{withheld} leaves are hashes only; the census says {told.get('withheld')}."
            self._found.fail("census_withheld", zh, en)
        self._compare("census_types", "事件类型", "type", self.types, told.get("events"), 0)
        self._compare("census_cases", "案卷", "stream", self.streams, told.get("streams"), 0)
        self._compare("intake_counter", "受理计数", "intake of", self.intake, told.get("intake"), withheld)

    def _compare(self, code: str, zh: str, en: str, seen: dict[str, int], told: object, spare: int) -> None:
        """Every count the same; with leaves withheld (`spare`) the office's may be higher by so many."""
        counts = told if isinstance(told, dict) else {}
        for name in sorted(seen.keys() | counts.keys()):
            here, there = seen.get(name, 0), counts.get(name, 0)
            if type(there) is not int or not here <= there <= here + spare:
                self._found.fail(
                    code,
                    f"{zh} {name[:60]}:日志中 {here},清点表称 {there}。",
                    f"{en} {name[:60]}: {here} in the log, {there} in the census.",
                    case=name if code == "census_cases" else None,
                )


_MONTH = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")


def _month_after(month: str, step: int = 1) -> str:
    """The month so many later, earlier where the number is negative."""
    n = int(month[:4]) * 12 + int(month[5:]) - 1 + step
    return f"{n // 12:04d}-{n % 12 + 1:02d}"


class Counted(NamedTuple):
    """What was recorded in a month: events, those of them that opened a case, requests registered by channel."""

    events: int
    cases: int
    channels: dict[str, int]

    def over(self, seen: Counted) -> Counted:
        """How much more this is than what was seen."""
        names = self.channels.keys() | seen.channels.keys()
        channels = {name: self.channels.get(name, 0) - seen.channels.get(name, 0) for name in names}
        return Counted(self.events - seen.events, self.cases - seen.cases, channels)

    def words(self) -> tuple[str, str]:
        """In Chinese and in English."""
        by = ", ".join(f"{name} {n}" for name, n in sorted(self.channels.items())) or "0"
        return (
            f"事件 {self.events}、立案 {self.cases}、登记 {by}",
            f"{self.events} events, {self.cases} cases opened, registered {by}",
        )


class Months:
    """What was recorded in each month (UTC), held against the censuses that stand in the log (`census_taken.v1`).

    A leaf counts for the month of its own `recorded_at`, whenever it was sealed; leaf 0 for none. A census comes more
    than a second after its month, when the store lets nothing of that month in any more: the leaves before it are all
    that there are. Which month a withheld leaf is of is not known: the office's number may be higher by as many as were
    withheld until then, each used once.

    A log whose opening says `census` is bound from its first event on. Any other may have begun before there was a
    census: it is bound from the first one that is seen in it, and a board's state from before remembers none. From then
    on months follow one another, and one is missing when leaves are later than it, than the opening and than the census
    before by the delay that the log promises. Of months up to `floor` a part was never seen: there the census may say
    more, not less.
    """

    def __init__(self, found: Findings, whole: bool, state: dict[str, Any] | None) -> None:
        """`whole`: the bundle begins with the log; `state`: the board's, perhaps without a part for this."""
        kept = state.get("census") if state else None
        self._found = found
        self._floor: str | None = "" if whole else None
        self._first: str | None = None
        self._last: str | None = None
        self._at: str | None = None
        self._bound, self._slack, self.until = False, 0, ""
        self._turns: list[str] = []
        self._kept: dict[str, Counted] = {}
        if state and kept is None and state["recorded_at"]:
            self._floor = state["recorded_at"][:7]
        if kept is not None:
            self._floor, self._first, self._last, self._at = (
                kept[one] for one in ("floor", "first", "last", "at")
            )
            self._bound, self._slack, self.until = kept["bound"], kept["slack"], kept["until"]
            self._turns = list(kept["turns"])
            self._kept = {name: Counted(*one) for name, one in kept["months"].items()}

    def turn(self, recorded: str) -> None:
        """The first leaf, and each that lies two seconds or more in a later month than those before it."""
        month = recorded[:7]
        if self._floor is None:  # what came before may be recorded up to a second later
            self._floor = written(moment(recorded) + CLOCK_TOLERANCE)[:7]
        if self._floor == "" and self._first is None:
            self._first = month
        if self.until:
            self._turns.append(recorded)
        self.until = f"{_month_after(month)}-01T00:00:02"

    def take(self, index: int, leaf: dict[str, Any], count: Census, withheld: int) -> None:
        """A census, held against the leaves before it, of which so many were withheld. Raises as `Log.take`."""
        pub, at = leaf["pub"], leaf["recorded_at"]
        month, channels = pub["month"], {one["channel"]: one["registered"] for one in pub["registrations"]}
        if not _MONTH.fullmatch(month):
            raise ValueError("no month")
        told, seen = Counted(pub["events"], pub["cases"], channels), self._seen(month, count)
        over, (zh, en) = told.over(seen), told.words()
        self._found.note("census_taken", f"{month} 月度清点:{zh}。", f"Census of {month}: {en}.", index)
        awaited = self._awaited()
        if awaited is not None and month > awaited:
            self._missing(awaited, _month_after(month, -1), index)
        again = self._last is not None and month <= self._last
        if again or at <= f"{_month_after(month)}-01T00:00:01.000000Z":
            zh, en = (
                f"{month} 月度清点重复,或当月未完。",
                f"The census of {month} was taken again, or too early.",
            )
            self._found.fail("census_month_differs", zh, en, index)
        elif not self._fits(month, over, withheld):
            (zh, en), (zh_seen, en_seen) = told.words(), seen.words()
            zh = f"{month} 月度清点称 {zh};日志中 {zh_seen},只见哈希者至多 {self._slack + withheld}。"
            en = f"The census of {month} says {en}; the log shows {en_seen}, at most {self._slack + withheld} withheld."
            self._found.fail("census_month_differs", zh, en, index)
        if not again:
            self._bound, self._last, self._at = True, month, at

    def _awaited(self) -> str | None:
        """The month whose census comes next; None where nobody here knows with which the log began."""
        return self._first if self._last is None else _month_after(self._last)

    def _seen(self, month: str, count: Census) -> Counted:
        events, cases, before = self._kept.get(month, Counted(0, 0, {}))
        channels = dict(before)
        for key, n in count.intake.items():
            if key.startswith(month):
                channels[key[11:]] = channels.get(key[11:], 0) + n
                cases += n
        return Counted(events + count.months.get(month, 0), cases + count.imported.get(month, 0), channels)

    def _fits(self, month: str, over: Counted, withheld: int) -> bool:
        if min(over.events, over.cases, *over.channels.values()) < 0:
            return False
        if self._floor is None or month <= self._floor:
            return True
        fits = sum(over.channels.values()) <= over.cases <= over.events <= self._slack + withheld
        self._slack -= over.events if fits else 0
        return fits

    def _missing(self, first: str, last: str, index: int | None = None) -> None:
        zh = f"{first} 至 {last} 的月度清点缺失。"
        en = f"The censuses of {first} to {last} are missing."
        self._found.fail("census_month_missing", zh, en, index)

    def finish(
        self, promised: bool, opened: datetime | None, newest: datetime | None, delay: timedelta
    ) -> None:
        """Say which months should have had a census by now; `promised`: the opening says that all will have one."""
        self._bound = self._bound or promised
        awaited, since = self._awaited(), [moment(self._at)] if self._at else []
        since += [opened] if opened else []
        if not self._bound or awaited is None or newest is None or any(at + delay >= newest for at in since):
            return
        over = max((turn[:7] for turn in self._turns if moment(turn) + delay < newest), default="")
        if awaited < over:
            self._missing(awaited, _month_after(over, -1))

    def state(self, count: Census, withheld: int) -> dict[str, Any]:
        """What the next bundle's censuses are held against: the months that have none yet."""
        awaited, last = self._awaited() or "", self._last or ""
        months = {
            name: self._seen(name, count) for name in self._kept.keys() | count.months.keys() if name > last
        }
        return {
            "floor": self._floor, "first": self._first, "last": self._last, "at": self._at, "bound": self._bound,
            "slack": self._slack + withheld, "until": self.until, "months": {name: list(one) for name, one in months.items()},
            "turns": [turn for turn in self._turns if turn[:7] > awaited],
        }  # fmt: skip


def _good_census(kept: object) -> bool:
    """Whether this is what `Months.state` gives."""
    if not isinstance(kept, dict):
        return False
    named = [kept["first"], kept["last"], *([] if kept["floor"] == "" else [kept["floor"]])]
    good = all(one is None or _MONTH.fullmatch(one) for one in named)
    good = (
        good
        and type(kept.get("bound")) is bool
        and type(kept.get("slack")) is int
        and type(kept.get("until")) is str
    )
    for at in (*kept["turns"], *([] if kept["at"] is None else [kept["at"]])):
        moment(at)
    return good and all(
        _MONTH.fullmatch(name) and len(one) == 3 and type(one[0]) is type(one[1]) is int
        and all(type(n) is int for n in one[2].values())
        for name, one in kept["months"].items()
    )  # fmt: skip


# ======================================================================================================================
# 12. Receipts: what residents were promised
# ======================================================================================================================


class Promise(NamedTuple):
    """A signed promise: this leaf, recorded then, will stand under a cosigned head within so many hours."""

    file: str
    head: Note
    origin: str
    leaf: bytes
    recorded: datetime
    delay: timedelta


class Proof(NamedTuple):
    """A .tlog-proof (C2SP tlog-proof): leaf index, path and the head it leads to."""

    file: str
    index: int  # type: ignore[assignment]  # a leaf's, not the method of tuples
    path: list[bytes]
    head: Head


def read_receipt(file: str, text: str) -> Promise | Proof:
    """The receipt of these characters. Raises BadNote."""
    if text.startswith("c2sp.org/tlog-proof@v1\n"):
        return _read_proof(file, text)
    note = read_note(text)
    lines = note.text[:-1].split("\n")
    if len(lines) != 6 or lines[0] != "huiyin-receipt/v1":
        raise BadNote("neither a promise nor a .tlog-proof")
    leaf = _base64(lines[3])
    if len(leaf) != 32:
        raise BadNote("a leaf hash has 32 bytes")
    try:
        recorded, delay = moment(lines[4]), timedelta(hours=_decimal(lines[5], 24 * 366))
    except ValueError:
        raise BadNote("a time that is none") from None
    return Promise(file, note, lines[1], leaf, recorded, delay)


def _read_proof(file: str, text: str) -> Proof:
    before, gap, head = text.partition("\n\n")
    lines = before.split("\n")[1:]
    if lines and lines[0].startswith("extra "):
        lines = lines[1:]
    if not gap or not lines or not lines[0].startswith("index "):
        raise BadNote("a .tlog-proof has an index, a path and a head")
    path = [_base64(line) for line in lines[1:]]
    if len(path) > 63 or any(len(step) != 32 for step in path):
        raise BadNote("a path is at most 63 hashes of 32 bytes")
    return Proof(file, _decimal(lines[0][6:]), path, read_head(head))


class Receipts:
    """The receipts given, looked for while the leaves go by."""

    def __init__(self, found: Findings, receipts: list[Promise | Proof]) -> None:
        self._found = found
        self.promises = [one for one in receipts if isinstance(one, Promise)]
        self.proofs = [one for one in receipts if isinstance(one, Proof)]
        self._wanted = {one.leaf for one in self.promises}
        self._indices = {one.index for one in self.proofs}
        self._met: dict[bytes, int] = {}
        self._leaves: dict[int, bytes] = {}

    def take(self, index: int, hashed: bytes) -> None:
        """The next leaf's hash."""
        if hashed in self._wanted:
            self._met[hashed] = index
        if index in self._indices:
            self._leaves[index] = hashed

    def finish(self, key: str | None, origin: str, begun: datetime | None, now: datetime | None) -> None:
        """Judge the promises: leaves recorded after `begun` must be here once their delay is over at `now`."""
        for one in self.promises:
            if one.origin != origin or not _signed_by(key, one.head):
                zh, en = (
                    "回执不是本日志的回执密钥所签。",
                    "The receipt is not signed by this log's receipt key.",
                )
                self._found.fail("receipt_bad", f"{one.file}:{zh}", f"{one.file}: {en}")
            elif one.leaf in self._met:
                zh, en = "承诺已兑现,在日志之中。", "The promise was kept: its leaf stands in the log."
                self._found.note("promise_kept", f"{one.file}:{zh}", f"{one.file}: {en}", self._met[one.leaf])
            elif begun is not None and one.recorded <= begun:
                zh, en = (
                    "记录早于本包,须看以前的包。",
                    "Recorded before this bundle begins: look into an earlier one.",
                )
                self._found.note("promise_elsewhere", f"{one.file}:{zh}", f"{one.file}: {en}")
            elif now is not None and one.recorded + one.delay > now:
                zh, en = "承诺时限未到。", "The promised time is not over yet."
                self._found.note("promise_pending", f"{one.file}:{zh}", f"{one.file}: {en}")
            else:
                zh = "时限已过,承诺的叶子不在日志中:违诺。回执可作证据。"
                en = "The promised time is over and its leaf is not in the log: broken. The receipt is evidence."
                self._found.fail("promise_broken", f"{one.file}:{zh}", f"{one.file}: {en}")

    def finish_proofs(self, policy: Policy, start: int, end: int) -> None:
        """Judge the proofs of inclusion."""
        for one in self.proofs:
            signed = check_head(one.head, policy)
            if not signed.log or signed.bad or not signed.full:
                zh, en = "证明中的首部签名不足。", "The head in the proof lacks signatures."
                self._found.fail("receipt_bad", f"{one.file}:{zh}", f"{one.file}: {en}")
            elif not start <= one.index < end:
                zh, en = "所证叶子不在本包范围。", "The leaf that it proves lies outside this bundle."
                self._found.note("proof_elsewhere", f"{one.file}:{zh}", f"{one.file}: {en}", one.index)
            elif root_from_path(self._leaves[one.index], one.index, one.head.size, one.path) != one.head.root:
                zh, en = (
                    "证明与日志中的叶子不符。",
                    "The proof does not prove the leaf that stands in the log.",
                )
                self._found.fail("receipt_bad", f"{one.file}:{zh}", f"{one.file}: {en}", one.index)
            else:
                zh, en = "证明成立。", "The proof holds."
                self._found.note("proof_holds", f"{one.file}:{zh}", f"{one.file}: {en}", one.index)


def _signed_by(vkey: str | None, note: Note) -> bool:
    if vkey is None:
        return False
    try:
        key = read_key(vkey)
    except BadNote:
        return False
    mine = [one.blob for one in note.signatures if (one.name, one.id) == (key.name, key.id)]
    return bool(mine) and all(ed25519_verify(key.public, note.text.encode(), blob) for blob in mine)


# ======================================================================================================================
# 13. Disclosures: sealed values that the office opened for the board (RFC 9901 section 4.2)
# ======================================================================================================================


class Disclosures:
    """The disclosures given: each must stand, by its digest, in a leaf; of an opened case none may be missing.

    A case is opened by one of its values, or by a file that says that it opens it.
    """

    def __init__(self, found: Findings, files: tuple[Opened, ...]) -> None:
        self._found = found
        self._wanted = {
            _b64url(hashlib.sha256(one.encode("ascii", "replace")).digest())
            for file in files
            for one in file.disclosures
        }
        self._met: set[str] = set()
        self._opened: set[str] = {file.case for file in files if file.case}
        self._closed = {digest: subject for file in files for digest, subject in file.closed}
        self._all: dict[str, list[tuple[str, int]]] = {}

    def take(self, index: int, leaf: dict[str, Any]) -> None:
        """Look for the digests of a leaf."""
        if not self._wanted and not self._opened:
            return
        stream = leaf["stream"]
        for digest in leaf["_sd"]:
            self._all.setdefault(stream, []).append((digest, index))
            if digest in self._wanted:
                self._met.add(digest)
                self._opened.add(stream)

    def finish(
        self, erased: set[tuple[str, str]], locked: set[tuple[str, str | None]], since_genesis: bool
    ) -> None:
        """Name what is not in the log, and what of an opened case was neither disclosed nor lawfully kept back.

        `erased`: streams with the digests that an event of theirs erased; what another case says erases nothing here.
        `locked`: streams with whose data an event of theirs locked, None the whole case's. Leaves do not say whose a
        value is: the office does, value by value, in the file, and the report repeats it.
        """
        for digest in sorted(self._wanted - self._met):
            zh, en = (
                f"披露值(摘要 {digest})不在日志之中。",
                f"The disclosure of digest {digest} stands in no leaf.",
            )
            if since_genesis:
                self._found.fail("disclosure_unknown", zh, en)
            else:
                self._found.note(
                    "disclosure_elsewhere", f"{zh}须看以前的包。", f"{en} Look into an earlier bundle."
                )
        for stream in sorted(self._opened):
            for digest, index in self._all.get(stream, ()):
                if digest not in self._met and (stream, digest) not in erased:
                    self._missing(digest, index, stream, locked)

    def _missing(self, digest: str, index: int, stream: str, locked: set[tuple[str, str | None]]) -> None:
        subject = self._closed.get(digest)
        if (stream, None) in locked:
            zh, en = (
                f"摘要 {digest} 未披露:全案封存。",
                f"Digest {digest} was not disclosed: the whole case is locked.",
            )
            self._found.note("disclosure_locked", zh, en, index, stream)
            return
        if subject is not None and (stream, subject) in locked:
            zh = f"摘要 {digest} 未披露:经办单位称属 {subject},其信息已封存。"
            en = f"Digest {digest} was not disclosed: the office says that it is of {subject}, whose data are locked."
            self._found.note("disclosure_locked", zh, en, index, stream)
            return
        zh = f"摘要 {digest} 既未披露,也无删除记录:证据缺失。"
        en = f"Digest {digest} was neither disclosed nor erased on record: evidence is missing."
        self._found.fail("disclosure_missing", zh, en, index, stream)


class Opened(NamedTuple):
    """A file of disclosures: the strings, the case that it says it opens, and of whom the values are that it keeps back."""

    disclosures: tuple[str, ...]
    case: str | None = None
    closed: tuple[tuple[str, str], ...] = ()


def read_disclosures(text: str) -> Opened:
    """A file of disclosures: one a line, or JSON with `disclosures`, `case` and `closed`. Raises Unreadable."""
    if not text.lstrip().startswith("{"):
        return Opened(tuple(line.strip() for line in text.splitlines() if line.strip()))
    told = json_object(text, "disclosures")
    listed, case, closed = told.get("disclosures"), told.get("case"), told.get("closed", [])
    strings = isinstance(listed, list) and all(isinstance(one, str) for one in listed)
    try:
        shut = tuple((one["digest"], one["subject"]) for one in closed)
        strings = strings and all(isinstance(part, str) for one in shut for part in one)
    except (LookupError, TypeError):
        strings = False
    if not isinstance(listed, list) or not strings or not isinstance(case, (str, _NONE)):
        raise Unreadable(
            "disclosures_malformed", "披露文件不合格式。", "The file of disclosures is not as published."
        )
    return Opened(tuple(listed), case, shut)


# ======================================================================================================================
# 14. The law again: the published process law (rules.json), run over the leaves
# ======================================================================================================================

# ==== the law again ====
#
# rules.json (format huiyin-rules/v1, specified in adapters/bundle/rules.py) says in words what each stored event may do
# and does; here those words are run over the leaves. Moments are compared as text without their `Z`: that order is the
# order of time. What is kept of a case is JSON as it stands, so that a board can put it aside until the next bundle.

_DUE, _STOPPED, _CANCELLED, _N, _OF, _BOOK, _SINCE, _PAUSED, _EXTENSIONS, _PROVISIONAL, _MISSED, _STARTED = (
    range(12)
)
"""The places of a clock's fields; a clock is a list."""

_NO_SPAN = ("~", "")  # behind every moment
_LAW_STATE = "huiyin-law/v1"
_BROKEN = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError)
_ELAPSED = {"s": 1, "min": 60, "h": 3600}
_DAY_MICROSECONDS = 86_400_000_000


def _at(text: str) -> datetime:
    """A moment as stored, without its Z: naive, in UTC."""
    return datetime.fromisoformat(text)


def _moment(stored: Any) -> str:
    """A stored moment as it is compared; TypeError for anything but text."""
    if not isinstance(stored, str):
        raise TypeError("a moment is text")
    return stored[:-1]


def _seconds_between(early: str, late: str) -> float:
    return (_at(late) - _at(early)).total_seconds()


def _span_words(seconds: float) -> tuple[str, str]:
    """A span of time in words, Chinese and English: its two largest units."""
    whole = max(1, round(seconds))
    days, rest = divmod(whole, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, left = divmod(rest, 60)
    parts = [(days, "天", "d"), (hours, "小时", "h"), (minutes, "分", "min"), (left, "秒", "s")]
    shown = [part for part in parts if part[0]][:2]
    return "".join(f"{n}{zh}" for n, zh, _ in shown), " ".join(f"{n} {en}" for n, _, en in shown)


def _holds(wanted: dict[str, Any], pub: dict[str, Any]) -> bool:
    """Whether `pub` holds these values; `*` stands for any but null."""
    for key, value in wanted.items():
        given = pub.get(key)
        if given is None if value == "*" else given != value:
            return False
    return True


def _covering(versions: list[list[Any]], at: str) -> list[Any] | None:
    """The version in force: its last two places are from when (included) and until when (excluded, None: open)."""
    for version in reversed(versions):
        if version[-2] <= at and (version[-1] is None or at < version[-1]):
            return version
    return None


def _ended(versions: list[list[Any]], at: str) -> list[list[Any]]:
    """The versions without anything from `at` on."""
    kept = [version for version in versions if version[-2] < at]
    return [[*version[:-1], at] if version[-1] is None or at < version[-1] else version for version in kept]


def _cut(moment: str | None) -> str | None:
    return None if moment is None else moment[:-1]


_Party = tuple[
    Callable[[], bool], bool
]  # whether the actor is one, and whether it is the one who acts for oneself
_Whom = tuple[str, list[_Party], list[Callable[[], None]], "str | None"]  # posts, parties, needs, power
_Way = tuple[str, "_May | None", "_May | None", "_Whom | None"]
"""How an act makes an event: the act, what it may, what it may when another case tells of it, and who may do it."""


class _May:
    """In which states an act may make an event."""

    __slots__ = ("emergency", "follows", "leg", "matter", "order", "through")

    def __init__(self, given: dict[str, Any]) -> None:
        def states(name: str) -> frozenset[str] | None:
            return None if given.get(name) is None else frozenset(given[name])

        self.matter, self.order, self.emergency = states("matter"), states("order"), states("order_emergency")
        leg = given.get("leg")
        self.through = bool(leg and leg["through_dispute"])
        kinds = ("plain", "checks_in", "emergency")
        self.leg = {kind: frozenset(leg[kind]) for kind in kinds} if leg else None
        self.follows: str | None = given.get("follows")


class _Spec:
    """One entry of `events`, ready to run."""

    __slots__ = (
        "acts", "apart", "does", "machine", "moves", "name", "only", "opening", "opens", "owner", "per_leg", "starts",
        "told", "told_if", "told_needs", "ways",
    )  # fmt: skip

    def __init__(self, name: str, given: dict[str, Any], law: Law) -> None:
        self.name, self.machine, self.opens = name, given["machine"], given["opens"]
        self.owner = {"leg": "leg", "order": "order", "matter": None}.get(self.machine, "owner")
        self.ways: dict[str, _Way] = {}  # by the leaf's `rule`, as they are met
        self.acts = {act: _May(may) for act, may in given["acts"].items()}
        self.only = next(iter(self.acts)) if len(self.acts) == 1 else None
        self.told = {act: _May(may) for act, may in given["told"].items()}
        self.told_if = given["told_if"]
        self.told_needs = [getattr(law, "_need_" + need) for need in given["told_needs"]]
        does = tuple((getattr(law, "_do_" + one["do"]), one, one.get("if")) for one in given["does"])
        self.opening, self.does = (does[:1], does[1:]) if self.opens else ((), does)
        self.moves = any(one["do"] == "set_due" for one in given["does"])
        self.starts = tuple(_Start(one, law) for one in given["starts"])
        self.per_leg = tuple(_Start(one, law) for one in given["starts_per_leg"])
        self.apart = tuple(
            ([(role, getattr(law, "_role_" + role)) for role in one["roles"]], one["code"], one.get("if"))
            for one in given["apart"]
        )


class _Start:
    """One clock that an event starts."""

    __slots__ = ("carried", "due", "how", "kind", "only", "stage")

    def __init__(self, given: dict[str, Any], law: Law) -> None:
        only = given.get("only")
        self.stage, self.carried, self.how = given["stage"], given.get("carried"), given.get("due", "length")
        self.only = None if only is None else getattr(law, "_only_" + only)
        self.kind, self.due = getattr(law, "_for_" + given["for"]), getattr(law, "_due_" + self.how)


class _WorkDays:
    """Working time on the wall clock by hours and notices, as domain/calendar/__init__.py specifies it."""

    def __init__(self, hours: dict[str, Any], notices: list[tuple[list[str], list[str]]]) -> None:
        week = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        self.week = [self._spans(hours.get(day, ())) for day in week]
        self.makeup = self._spans(hours.get("makeup", ())) or next(spans for spans in self.week if spans)
        self.named: dict[int, bool] = {}
        for off, makeup in notices:
            for days, works in ((off, False), (makeup, True)):
                self.named.update({day: works for text in days for day in self._days(text)})
        self._nth: dict[tuple[int, int], int] = {}

    @staticmethod
    def _spans(texts: Any) -> list[tuple[int, int]]:
        """In microseconds since midnight; spans that touch are one."""
        joined: list[tuple[int, int]] = []
        for text in texts:
            opens, closes = (
                (int(part[:2]) * 60 + int(part[3:])) * 60_000_000 for part in text.partition("-")[::2]
            )
            if joined and joined[-1][1] == opens:
                opens = joined.pop()[0]
            joined.append((opens, closes))
        return joined

    @staticmethod
    def _days(text: Any) -> range:
        first, _, last = str(text).partition("..")
        begin = datetime.fromisoformat(first).toordinal()
        return range(begin, datetime.fromisoformat(last or first).toordinal() + 1)

    def spans(self, day: int) -> list[tuple[int, int]]:
        named = self.named.get(day)
        if named is None:
            return self.week[(day - 1) % 7]
        return self.makeup if named else []

    def opening(self, day: int, time: int) -> tuple[int, int]:
        for opens, closes in self.spans(day):
            if time < closes:
                return day, max(opens, time)
        day = self.nth(day + 1, 0)
        return day, self.spans(day)[0][0]

    def nth(self, day: int, amount: int) -> int:
        """The working day so many after the first one on or after `day`."""
        found = self._nth.get((day, amount))
        if found is None:
            found, left = day, amount
            while True:
                if self.spans(found):
                    if not left:
                        break
                    left -= 1
                found += 1
            self._nth[day, amount] = found
        return found

    def later(self, day: int, time: int, amount: int) -> tuple[int, int]:
        """The same wall time so many working days later, or the next opening where that is closed."""
        day, time = self.opening(day, time)
        return self.opening(self.nth(day, amount), time) if amount else (day, time)

    def worked(self, day: int, time: int, length: int) -> tuple[int, int]:
        """The first wall time by which so much working time has passed."""
        if length <= 0:
            return day, time
        while True:
            for opens, closes in self.spans(day):
                begin = max(opens, time)
                if begin < closes:
                    if length <= closes - begin:
                        return day, begin + length
                    length -= closes - begin
            day, time = day + 1, 0


class _NoZones(Exception):
    """This computer has no time zones."""


class _Book:
    """What is asked of one rulebook's text."""

    def __init__(self, text: str) -> None:
        import zoneinfo
        from datetime import timezone

        import tomllib  # Python 3.11 and newer

        book = self._toml = tomllib.loads(text)
        try:
            self.zone, self.utc = zoneinfo.ZoneInfo(book["zone"]), timezone.utc
        except zoneinfo.ZoneInfoNotFoundError:
            if zoneinfo.available_timezones():
                raise
            raise _NoZones from None
        self.clocks: dict[str, dict[str, dict[str, Any]]] = {}
        for entry in book.get("clock", ()):
            of = entry["of"]
            for one in [of] if isinstance(of, str) else of:
                self.clocks.setdefault(entry["stage"], {})[one] = {**entry, "held": one}
        self._posts: dict[tuple[str, str], frozenset[str]] = {}
        self._rules: dict[tuple[str, str], dict[str, Any] | None] = {}
        self._days: dict[tuple[str, ...], _WorkDays] = {}

    @staticmethod
    def _specific(of: str) -> list[str]:
        parts = of.split(".") if of != "*" else []
        return [".".join(parts[:n]) for n in range(len(parts), 0, -1)] + ["*"]

    def clock(self, stage: str, of: str) -> dict[str, Any] | None:
        """The clock of a stage for a kind: the most specific entry counts."""
        key = (stage, of)
        try:
            return self._rules[key]
        except KeyError:
            pass
        kinds = self.clocks.get(stage, {})
        found = next((kinds[name] for name in self._specific(of) if name in kinds), None)
        if found is not None:
            number = found["length"].rstrip("abcdefghijklmnopqrstuvwxyz")
            amount, unit = int(number), found["length"][len(number) :]
            span = timedelta(seconds=amount * _ELAPSED[unit]) if unit in _ELAPSED else None
            found = {**found, "amount": amount, "unit": unit, "span": span}
        self._rules[key] = found
        return found

    def posts(self, act: str, of: str) -> frozenset[str]:
        """The posts that may perform an act."""
        found = self._posts.get((act, of))
        if found is None:
            kinds = self._toml.get("posts", {}).get(act, {})
            kinds = kinds if isinstance(kinds, dict) else {"*": kinds}
            named = next((kinds[name] for name in self._specific(of) if name in kinds), ())
            found = self._posts[act, of] = frozenset(named)
        return found

    def backfill_after(self) -> str:
        """How long after it happened an act may be recorded without the mark `backfill`."""
        return str(self._toml["limits"]["backfill_after"]["length"])

    def grace(self) -> str:
        """How long after an emergency act by word of mouth it may be written down."""
        return str(self._toml["limits"]["emergency_grace"]["length"])

    def due(self, start: str, length: str, notices: dict[str, Any], named: tuple[str, ...]) -> str:
        """When this length has passed; `named` are the notices that count, in order."""
        number = length.rstrip("abcdefghijklmnopqrstuvwxyz")
        return self.after(start, int(number), length[len(number) :], notices, named)

    def after(
        self, start: str, amount: int, unit: str, notices: dict[str, Any], named: tuple[str, ...]
    ) -> str:
        """The same for a length in two parts."""
        seconds = _ELAPSED.get(unit)
        if seconds is not None or (not amount and unit == "d"):
            return (_at(start) + timedelta(seconds=amount * (seconds or 0))).isoformat()
        local = _at(start).replace(tzinfo=self.utc).astimezone(self.zone)
        if unit == "d":
            wall = local.replace(tzinfo=None, fold=0) + timedelta(days=amount)
        else:
            wall = self._worked(local, amount, unit, notices, named)
        moment = wall.replace(tzinfo=self.zone).astimezone(self.utc)
        if unit != "d" and moment < local:  # an hour that comes twice: its second pass
            moment = wall.replace(tzinfo=self.zone, fold=1).astimezone(self.utc)
        return moment.replace(tzinfo=None).isoformat()

    def _worked(
        self,
        local: datetime,
        amount: int,
        unit: str,
        notices: dict[str, Any],
        named: tuple[str, ...],
    ) -> datetime:
        days = self._days.get(named)
        if days is None:
            own = [(one.get("off", []), one.get("makeup", [])) for one in self._toml.get("holiday", ())]
            entered = [(notices[name][0], notices[name][1]) for name in named]
            days = self._days[named] = _WorkDays(self._toml["hours"], own + entered)
        day = local.toordinal()
        time = ((local.hour * 60 + local.minute) * 60 + local.second) * 1_000_000 + local.microsecond
        if unit == "wd":
            day, time = days.later(day, time, amount)
        else:
            day, time = days.worked(day, time, amount * {"wmin": 60, "wh": 3600}[unit] * 1_000_000)
        return datetime.fromordinal(day) + timedelta(microseconds=time)


class Law:
    """The published process law (rules.json), run again over the leaves.

    `rules` is the parsed rules.json; `state` what `state()` returned after the bundle before, None since genesis.
    """

    # more than a plain object holds at hand: without this every look-up in it takes longer
    __slots__ = (
        "_act", "_acts", "_below", "_bodies", "_body", "_books", "_calendars", "_case", "_cases", "_centres",
        "_clock_person", "_ended", "_first", "_fits", "_found", "_hidden", "_in_force", "_index", "_kinds", "_last",
        "_late", "_law", "_leaf", "_leg", "_live_legs", "_misses", "_moment", "_named", "_notices", "_occ",
        "_order", "_others", "_panels", "_person", "_posts", "_powers", "_pub", "_rec", "_releases", "_resident",
        "_return_rulers", "_seats", "_specs", "_standing", "_still", "_stood_on", "_streams", "_supervisors",
        "_told_unseen", "_unknown", "_unseen", "_versions", "_word", "rules", "unread",
    )  # fmt: skip

    def __init__(self, rules: dict[str, Any], state: dict[str, Any] | None) -> None:
        self.rules = rules
        self._found: list[Finding] = []
        self._late: list[
            tuple[str, int, str, list[Any]]
        ] = []  # stream, version of the act that came late, clock
        self._unknown: set[str] = set()
        self._unseen: set[str] = set()
        self.unread: set[str] = set()
        self._books: dict[str, _Book | None] = {}
        self._calendars: dict[str, tuple[str, ...] | None] = {}
        self._forget()
        self._moment: datetime | None = None
        self._first: dict[str, Any] = {"command": ""}
        self._order: dict[str, Any] | None = None
        self._leg: dict[str, Any] | None = None
        self._last: int | None = None
        self._hidden = False
        self._told_unseen = 0
        self._standing = {
            "body_entered.v1": self._body_entered, "body_closed.v1": self._body_closed,
            "post_filled.v1": self._post_filled, "post_vacated.v1": self._post_vacated,
            "power_entered.v1": self._power_entered, "power_withdrawn.v1": self._power_withdrawn,
            "power_suspended.v1": self._power_suspended, "rulebook_released.v1": self._released,
            "rulebook_withdrawn.v1": self._withdrawn, "notice_entered.v1": self._notice_entered,
        }  # fmt: skip
        self._read_rules(rules)
        self._read_state(state)

    def _forget(self) -> None:
        """What is remembered of register and releases, so as not to look it up for each event."""
        self._in_force: tuple[Any, str, str] = (
            None,
            "",
            "",
        )  # a basis that was found good, from when and until when
        self._stood_on: Any = None
        self._law: _Book | None = None
        self._named: tuple[str, ...] = ()
        self._seats: dict[tuple[str, str, str], tuple[str, str]] = {}
        self._fits: dict[tuple[str, str, str, str], bool] = {}

    def _read_rules(self, rules: dict[str, Any]) -> None:
        self._specs = {name: _Spec(name, given, self) for name, given in rules["events"].items()}
        self._acts = {
            act: (given["posts"], [(getattr(self, "_by_" + one), one == "oneself") for one in given["parties"]],
                  [getattr(self, "_need_" + need) for need in given["needs"]], given["power"])
            for act, given in rules["acts"].items()
        }  # fmt: skip
        states, bodies = rules["states"], rules["bodies"]
        self._ended, self._live_legs = frozenset(states["ended"]), frozenset(states["live_leg"])
        self._resident, self._clock_person = bodies["resident"], rules["clock_person"]
        self._centres, self._below = frozenset(bodies["centres"]), frozenset(bodies["below_community"])
        self._panels, self._supervisors = frozenset(bodies["panels"]), frozenset(bodies["supervisors"])
        self._return_rulers = frozenset(bodies["rule_on_returns"])
        self._still, self._misses = frozenset(rules["standing_still"]), frozenset(rules["misses"])
        self._kinds, self._streams = rules["order_kinds"], rules["streams"]

    def _read_state(self, state: dict[str, Any] | None) -> None:
        held = state or {}
        self._cases: dict[str, dict[str, Any]] = held.get("cases", {})
        self._bodies: dict[str, list[list[Any]]] = held.get("bodies", {})
        self._posts: dict[str, list[list[Any]]] = held.get("posts", {})
        self._powers: dict[str, list[list[Any]]] = held.get("powers", {})
        self._releases: list[list[Any]] = held.get("releases", [])
        self._notices: dict[str, list[Any]] = held.get("notices", {})
        self._versions: dict[str, int] = held.get("versions", {"register": 0, "releases": 0})
        self._others: set[str] = set(held.get("others", ()))

    # -- what the board calls

    def take(self, index: int, leaf: dict[str, Any]) -> None:
        """The next leaf, in log order; its envelope has been checked, its `pub` has not."""
        self._index, self._leaf = index, leaf
        if leaf["command"] != self._first["command"]:  # the first event of an act, the one of its own case
            self._hidden = self._last != index - 1
            self._first = leaf
        self._last = index
        spec = self._specs.get(leaf["type"])
        try:
            if spec is not None:
                self._judge(leaf, spec)
            else:
                self._stand(leaf)
        except _BROKEN:
            self._find("malformed", "叶子的公开字段残缺或不合格式，无法按流程规则判断。",
                       "The leaf's public fields are broken; the process law cannot be run over it.")  # fmt: skip

    def finish(self, now: str) -> list[Finding]:
        """What broke the law, as of `now` (RFC 3339, UTC, `Z`: when the new head was cosigned). Never raises."""
        moment = now[:-1]
        missed = self._moments(moment)  # first: a book that is read here may have something to say too
        self._index, self._leaf = -1, {}
        unjudged = self._not_judged()
        return [*self._found, *missed, *self._merges(), *unjudged]

    def standing_streams(self) -> tuple[str, ...]:
        """The streams of the register and the releases."""
        return tuple(self._streams.values())

    def unmarked_until(self, leaf: dict[str, Any]) -> datetime | None:
        """Until when the leaf's rulebook lets it be recorded without the mark `backfill`; None where that is not known."""
        basis = leaf["basis"]
        book, named = self._book(basis["rulebook"]), self._named_notices(basis["calendar"])
        if book is None or named is None:
            return None
        return _at(book.due(leaf["occurred_at"][:-1], book.backfill_after(), self._notices, named))

    def state(self) -> dict[str, Any]:
        """What the next bundle needs to know, as JSON."""
        cases = {stream: self._kept(case) for stream, case in self._cases.items()}
        return {
            "format": _LAW_STATE, "rules": self.rules.get("digest"), "cases": cases, "bodies": self._bodies,
            "posts": self._posts, "powers": self._powers, "releases": self._releases, "notices": self._notices,
            "versions": self._versions, "others": sorted(self._others),
        }  # fmt: skip

    @staticmethod
    def _kept(case: dict[str, Any]) -> dict[str, Any]:
        """An open case whole; of an ended one what a later word on it needs; of an archived one its status."""
        if case["status"] == "archived":
            return {"status": "archived"}
        if case["status"] not in ("closed", "refused", "withdrawn") or "legs" not in case:
            return case
        return {**case, "past": [], "extensions": {}}

    # -- findings

    def _find(self, code: str, zh: str, en: str, note: bool = False) -> None:
        leaf = self._leaf
        index = self._index if leaf else None
        self._found.append(Finding(code, zh, en, index, leaf.get("stream"), leaf.get("version"), note))

    def _illegal(self, zh: str, en: str) -> None:
        self._find("illegal_transition", f"违反流程：{zh}", f"Not allowed by the process law: {en}")

    # -- what stands beside the cases: register, rulebooks, notices

    def _stand(self, leaf: dict[str, Any]) -> None:
        """The register and the releases are streams of their own; what is missing of one is not judged any more."""
        stream = leaf["stream"]
        name = next((name for name, one in self._streams.items() if one == stream), None)
        if name is None:
            self._beside(leaf)
            return
        follows = self._versions[name] + 1 == leaf["version"]
        self._versions[name] = leaf["version"] if follows and self._versions[name] >= 0 else -(10**9)
        self._forget()
        fold = self._standing.get(leaf["type"])
        if fold is not None:
            fold(leaf["pub"])

    def _beside(self, leaf: dict[str, Any]) -> None:
        """An event of no case, in a stream of its own. Put into a case it would hide what comes after it."""
        stream = leaf["stream"]
        case = self._cases.get(stream)
        if case is None:
            self._others.add(stream)
            return
        self._illegal(
            f"案卷中夹有不属于案件的事件 {leaf['type']}。", f"{leaf['type']} has no place in a case."
        )
        if "legs" in case and leaf["version"] == case["version"] + 1:
            case["version"] += 1

    def _body_entered(self, pub: dict[str, Any]) -> None:
        begins = pub["valid_from"][:-1]
        history = _ended(self._bodies.get(pub["body"], []), begins)
        self._bodies[pub["body"]] = [*history, [pub["kind"], pub["parent"], begins, _cut(pub["valid_until"])]]

    def _body_closed(self, pub: dict[str, Any]) -> None:
        self._bodies[pub["body"]] = _ended(self._bodies.get(pub["body"], []), pub["until"][:-1])

    def _post_filled(self, pub: dict[str, Any]) -> None:
        seat = f"{pub['person']} {pub['body']} {pub['post']}"
        self._posts.setdefault(seat, []).append([pub["valid_from"][:-1], _cut(pub["valid_until"])])

    def _post_vacated(self, pub: dict[str, Any]) -> None:
        seat = f"{pub['person']} {pub['body']} {pub['post']}"
        self._posts[seat] = _ended(self._posts.get(seat, []), pub["until"][:-1])

    def _power_entered(self, pub: dict[str, Any]) -> None:
        begins = pub["valid_from"][:-1]
        history = _ended(self._powers.get(pub["item"], []), begins)
        version = [pub["kind"], pub["holder"], pub["over"], begins, _cut(pub["valid_until"])]
        self._powers[pub["item"]] = [*history, version]

    def _power_withdrawn(self, pub: dict[str, Any]) -> None:
        self._powers[pub["item"]] = _ended(self._powers.get(pub["item"], []), pub["until"][:-1])

    def _power_suspended(self, pub: dict[str, Any]) -> None:
        begins, ends = pub["begins"][:-1], pub["ends"][:-1]
        history = self._powers.get(pub["item"], [])
        after = [
            [*one[:-2], max(one[-2], ends), one[-1]] for one in history if one[-1] is None or ends < one[-1]
        ]
        self._powers[pub["item"]] = [*_ended(history, begins), *after]

    def _released(self, pub: dict[str, Any]) -> None:
        release = [pub["name"], pub["digest"], pub["use"], _moment(pub["in_force_from"])]
        if not all(isinstance(part, str) for part in release):
            raise TypeError("a release is named in words")
        self._books.pop(pub["name"], None)
        self._releases.append(release)

    def _withdrawn(self, pub: dict[str, Any]) -> None:
        self._releases = [one for one in self._releases if one[0] != pub["name"]]

    def _notice_entered(self, pub: dict[str, Any]) -> None:
        self._notices[pub["notice"]] = [pub["off"], pub["makeup"]]
        self._calendars = {name: days for name, days in self._calendars.items() if days is not None}

    # -- one event of a case

    def _judge(self, leaf: dict[str, Any], spec: _Spec) -> None:
        pub = self._pub = leaf["pub"]
        self._rec, self._occ = leaf["recorded_at"][:-1], leaf["occurred_at"][:-1]
        self._person, self._body = leaf["person"], leaf["capacity"]
        way = spec.ways.get(leaf["rule"]) or self._way(spec, leaf["rule"])
        self._act, may, told, whom = way
        version, case = leaf["version"], self._cases.get(leaf["stream"])
        if case is None or spec.opens or version != case.get("version", -1) + 1:
            case = self._case_of(leaf, spec)
            if case is None:
                return
        case["version"] = version
        self._case, self._order, self._leg = case, None, None
        if told is not None:
            may, told = (told, told) if self._told(spec, self._act) else (may, None)
        if spec.machine != "matter" and not self._subject(spec, case, pub):
            self._illegal(
                f"{spec.name} 所指的单或接单单位不存在。",
                f"{spec.name} is about an order or leg that is not there.",
            )
            return
        if may is None:
            self._illegal(
                f"操作 {self._act} 不产生 {spec.name}。", f"the act {self._act} does not make {spec.name}."
            )
        else:
            self._allowed(case, may, spec, whom, told is not None)
        if "recused" in case:
            self._not_recused(case)
        self._take_effect(spec, pub)
        case["command"] = leaf["command"]

    def _way(self, spec: _Spec, rule: str) -> _Way:
        act = rule.partition(":")[0]
        way = spec.ways[rule] = (act, spec.acts.get(act), spec.told.get(act), self._acts.get(act))
        return way

    def _take_effect(self, spec: _Spec, pub: dict[str, Any]) -> None:
        for do, step, _ in spec.opening:  # its clocks go by what it is
            do(step)
        if spec.starts or spec.per_leg or ("clocks" in pub and pub["clocks"] and not spec.moves):
            self._clocks_started(spec)
        for do, step, when in spec.does:
            if when is None or _holds(when, pub):
                do(step)

    def _case_of(self, leaf: dict[str, Any], spec: _Spec) -> dict[str, Any] | None:
        """The case that the event belongs to; none where it cannot be judged."""
        case = self._cases.get(leaf["stream"])
        if case is None:
            case = self._begun(leaf, spec)
        elif spec.opens:
            self._illegal("案件已存在，不能再次登记。", "the case exists already and begins a second time.")
            return None
        if case is None:
            return None
        if "legs" not in case:
            self._of_an_archived(case)
            return None
        if leaf["version"] != case["version"] + 1:  # withheld, or lost: then what was in between is not known
            del self._cases[leaf["stream"]]
            self._unknown.add(leaf["stream"])
            return None
        return case

    def _told(self, spec: _Spec, act: str) -> bool:
        """Whether another case's act put it here: one act's events follow each other, those of its own case first.

        It is the same act then, by the same person on the same basis, who was judged where it was performed.
        """
        leaf = self._leaf
        if not _holds(spec.told_if, self._pub):
            return False
        first = self._first
        elsewhere = leaf["stream"] != first["stream"] and (act, self._person, leaf["basis"]) == (
            first["rule"].partition(":")[0],
            first["person"],
            first["basis"],
        )
        if act in spec.acts and not spec.told_if:
            return elsewhere
        if self._hidden:
            self._told_unseen += not elsewhere
        elif not elsewhere:
            self._illegal(f"{spec.name} 称由另一案的操作 {act} 引起，其前却没有同一人、同一依据的该操作。",
                          f"{spec.name} claims another case's act {act}; none such by this person stands before it.")  # fmt: skip
        return True

    def _begun(self, leaf: dict[str, Any], spec: _Spec) -> dict[str, Any] | None:
        """A new case, or none: of one whose beginning was not seen nothing is judged."""
        if not spec.opens:
            if leaf["version"] == 1 or leaf["stream"] in self._others:
                self._illegal(f"案件不能以 {spec.name} 开始。", f"a case does not begin with {spec.name}.")
            self._unknown.add(leaf["stream"])
            return None
        if leaf["version"] != 1:
            self._illegal(
                "登记之前案卷已有事件。", "a case begins with its registration, and with nothing before it."
            )
        case: dict[str, Any] = {
            "status": "registered", "orders": {}, "legs": {}, "clocks": {}, "past": [], "extensions": {},
            "handlers": {}, "releasers": {}, "requesters": {}, "bodies": {}, "children": {}, "absorbed": {},
            "command": "", "confidential": False, "backfilled": False, "version": leaf["version"] - 1,
        }  # fmt: skip
        self._cases[leaf["stream"]] = case
        return case

    def _of_an_archived(self, case: dict[str, Any]) -> None:
        """What was archived is known by its status alone."""
        may = self._specs[self._leaf["type"]].acts.get(self._act)
        if may is not None and may.matter is not None and case["status"] not in may.matter:
            self._wrong_state(case["status"])

    def _subject(self, spec: _Spec, case: dict[str, Any], pub: dict[str, Any]) -> bool:
        """Find the order and the leg that the event is about."""
        machine = spec.machine
        if machine == "order":
            self._order = case["orders"].get(pub["order"])
            if spec.only == "answer_call":
                self._leg = case["legs"].get(pub["leg"])
            return self._order is not None or "draft_order" in spec.acts
        owner = pub["leg"] if machine == "leg" else pub["owner"]
        leg = self._leg = case["legs"].get(owner)
        if leg is not None:
            self._order = case["orders"][leg["order"]]
            return True
        if machine == "leg" and spec.only == "add_leg":
            self._order = case["orders"].get(pub["order"])
            return self._order is not None
        return machine != "leg" and (not owner or machine == "clock")

    def _allowed(self, case: dict[str, Any], may: _May, spec: _Spec, whom: _Whom | None, told: bool) -> None:
        status = case["status"]
        if may.matter is not None and status not in may.matter:
            self._wrong_state(status)
        elif case["backfilled"] and not told and self._act not in self._still and not spec.opens:
            self._illegal(
                "历史补录事项尚未接管。", "imported history that nobody has taken over stands still."
            )
        elif (may.order is not None and not self._of_the_order(may.order, may.emergency)) or (
            may.leg is not None and not self._of_the_leg(may.leg, may.through)
        ):
            self._illegal(
                f"单或接单单位的状态不允许 {self._act}。",
                f"the state of the order or of the leg does not allow {self._act}.",
            )
        if may.follows or "ends" in case:
            self._together(case, may)
        if told:
            for need in spec.told_needs:
                need()
        elif not may.follows:
            if whom is not None:
                self._by_whom(spec, whom)
            basis, (good, begins, until) = self._leaf["basis"], self._in_force
            if not (begins <= self._occ < until and (basis is good or basis == good)):
                self._on_which_basis(basis)

    def _wrong_state(self, status: str) -> None:
        if status in self._ended:
            self._find("closed_case", f"案件已是“{status}”，不能再{self._act}。",
                       f"The case is {status}; {self._act} is not allowed any more.")  # fmt: skip
        else:
            self._illegal(f"“{status}”状态下不能 {self._act}。", f"{self._act} in the state {status}.")

    def _of_the_order(self, states: frozenset[str], emergency: frozenset[str] | None) -> bool:
        order = self._order
        if order is None or not states:
            return order is None and not states
        return order["status"] in (emergency if emergency and order["whistle"] == "emergency" else states)

    def _of_the_leg(self, states: dict[str, frozenset[str]], through: bool) -> bool:
        leg, order = self._leg, self._order
        if leg is None or order is None:
            return True
        checks_in = self._kinds[order["kind"]]["checks_in"]
        allowed = states[
            "plain" if not checks_in else "emergency" if order["whistle"] == "emergency" else "checks_in"
        ]
        status = leg["status"]
        if status == "disputed" and through and "disputed" in allowed:
            return leg["under"] != "disputed" and leg["under"] in allowed
        return status in allowed

    def _together(self, case: dict[str, Any], may: _May) -> None:
        """Events of one act stand together: what follows follows at once, what goes before is followed."""
        command, ends = self._leaf["command"], case.pop("ends", None)
        apart = (ends is not None and ends != command) or (
            may.follows == "after" and case["command"] != command
        )
        if apart:
            self._illegal(
                "本应与另一事件同时发生的事件单独出现。",
                "an event stands alone that belongs to another of its act.",
            )
        if may.follows == "before":
            case["ends"] = command

    # -- by whom

    def _by_whom(self, spec: _Spec, whom: _Whom) -> None:
        self._word, parties, needs, power = whom
        for need in needs:
            need()
        if parties:
            self._by_one_of(parties)
        if power is not None:
            self._with_power(power)
        for roles, code, when in spec.apart:
            if when is None or _holds(when, self._pub):
                for role, persons in roles:
                    if self._person in persons():
                        self._not_apart(role, code)
                        break

    def _by_one_of(self, parties: list[_Party]) -> None:
        for is_party, oneself in parties:
            if is_party():
                if oneself:
                    self._word = ""  # in any post: no rulebook needs to name it
                if self._body != self._resident and self._person != self._clock_person:
                    self._in_post()
                return
        self._find("wrong_capacity", f"{self._body} 无权作出 {self._act}。",
                   f"{self._body} may not perform {self._act} here.")  # fmt: skip

    def _in_post(self) -> None:
        """The person held the post then and when it was written down, and the rulebook lets that post do it."""
        leaf = self._leaf
        post, rulebook = leaf["post"], leaf["basis"]["rulebook"]
        begins, ends = self._seats.get((self._person, self._body, post), _NO_SPAN)
        if not (begins <= self._occ and begins <= self._rec < ends) and not self._held(post):
            self._find("post_not_held", f"当事人当时并不担任 {self._body} 的 {post}。",
                       f"The person did not hold the post {post} of {self._body} at that time.")  # fmt: skip
            return
        of = self._held_by()
        fits = self._fits.get((rulebook, self._word, of, post))
        if fits is None:
            book = self._book(rulebook)
            fits = book is None or not self._word or post in book.posts(self._word, of)
            self._fits[rulebook, self._word, of, post] = fits
        if not fits:
            self._find("post_not_named", f"规则未授权 {post} 作出 {self._act}。",
                       f"The rulebook does not let {post} perform {self._act}.")  # fmt: skip

    def _held(self, post: str) -> bool:
        """Looked up in the register, if that is known; a span that covers both moments is remembered."""
        if self._versions["register"] <= 0:
            return True
        terms = self._posts.get(f"{self._person} {self._body} {post}", [])
        if not (self._then(terms, self._occ) and self._then(terms, self._rec)):
            return False
        term = _covering(terms, self._rec)
        if term is not None and self._occ <= self._rec:
            self._seats[self._person, self._body, post] = (term[0], term[1] or "9999")
        return True

    def _then(self, versions: list[list[Any]], at: str) -> bool:
        """Whether it was in force, or had been until so recently that the decision could not have known."""
        if _covering(versions, at) is not None:
            return True
        slack = timedelta(seconds=self.rules["tolerance_seconds"])
        return _covering(versions, (_at(at) - slack).isoformat()) is not None

    def _held_by(self) -> str:
        """Under which kind the rulebook holds an act."""
        if self._act == "draft_order":
            return self._full_kind(self._pub)
        if self._act == "decide_matter_extension":
            return "matter"
        return "*" if self._order is None else str(self._order["of"])

    @staticmethod
    def _full_kind(order: dict[str, Any]) -> str:
        return f"{order['kind']}.{order['whistle']}" if order["whistle"] else order["kind"]

    def _with_power(self, whose: str) -> None:
        order = self._order
        if order is None or self._versions["register"] <= 0 or not self._kinds[order["kind"]]["power"]:
            return
        kind, holder = (
            self._kinds[order["kind"]]["power"],
            self._body if whose == "actor" else order["issuer"],
        )
        versions = self._powers.get(self._leaf["authority"] or "", [])
        over = [self._pub["body"]] if "body" in self._pub else [one["body"] for one in order["drafted"]]
        for at in (self._occ, self._rec):
            item = _covering(versions, at)
            if item is None or item[:2] != [kind, holder] or (item[2] and not set(over) <= set(item[2])):
                self._find("power_not_in_force", f"所引权力事项当时不属于 {holder} 或不适用。",
                           f"The power item that was cited was not {holder}'s then, or does not reach so far.")  # fmt: skip
                return

    def _not_apart(self, role: str, code: str) -> None:
        texts = {
            "same_person": ("同一人既经手又审查同一事项", "One person had a hand in it and judges it"),
            "callback_not_independent": ("回访人参与过办理", "Who calls back had a part in the matter"),
            "closing_not_independent": ("结案人参与过办理", "Who closes it had a part in the matter"),
        }
        zh, en = texts[code]
        self._find(code, f"{zh}：{self._act}（{role}）。", f"{en}: {self._act} ({role}).")

    def _not_recused(self, case: dict[str, Any]) -> None:
        if self._person in case.get("recused", ()) and self._by_officer():
            self._find("recused_person", f"已回避的人仍作出 {self._act}。",
                       f"A person who was recused from the case performs {self._act}.")  # fmt: skip

    # -- parties

    def _kind(self, body: str) -> str | None:
        held = _covering(self._bodies.get(body, []), self._occ)
        return None if held is None else held[0]

    def _kind_in(self, kinds: Any) -> bool:
        """Whether the acting body is of one of these kinds; where the register is not known, it is not judged."""
        return self._versions["register"] <= 0 or self._kind(self._body) in kinds

    def _within(self, body: str | None, above: str) -> bool:
        for _ in range(16):
            if body is None or body == above:
                return body is not None
            held = _covering(self._bodies.get(body, []), self._occ)
            body = None if held is None else held[1]
        return False

    def _accused(self) -> bool:
        subject = self._case.get("subject")
        if subject is None or self._body == subject:
            return subject is not None
        return self._kind(subject) != "district" and self._within(self._body, subject)

    def _by_clock(self) -> bool:
        return bool(self._person == self._clock_person)

    def _by_officer(self) -> bool:
        return self._body != self._resident and self._person != self._clock_person

    def _by_oneself(self) -> bool:
        return self._by_officer() and self._person == self._pub["person"]

    def _by_requester(self) -> bool:
        return self._body == self._resident and self._person in self._case["requesters"]

    def _by_requester_named(self) -> bool:
        named = self._pub.get("requesters") or (self._pub.get("requester"),)
        return self._body == self._resident and self._person in named

    def _by_office(self) -> bool:
        case = self._case
        if self._body == self._resident or self._person == self._clock_person:
            return False
        if case["confidential"]:
            return self._kind_in(("discipline_inspection",))
        if "subject" in case and self._accused():
            return False
        if self._body in case["bodies"] or self._kind_in(self._centres):
            return True
        return bool(
            case.get("host") and self._kind_in(self._below) and self._within(self._body, case["host"])
        )

    def _by_office_above(self) -> bool:
        return self._by_office() and not (
            self._versions["register"] > 0 and self._kind(self._body) in {"community", *self._below}
        )

    def _by_office_over_asker(self) -> bool:
        asked = self._case["extensions"].get("/finish")
        return self._by_office() and not (asked and self._within(self._body, asked["body"]))

    def _by_supervisor(self) -> bool:
        case = self._case
        return (
            self._by_officer()
            and self._kind_in(self._supervisors)
            and not case["confidential"]
            and not self._accused()
        )

    def _by_caller(self) -> bool:
        return self._pub.get("how") != "counter" and (self._by_office() or self._by_supervisor())

    def _by_at_counter(self) -> bool:
        return self._pub.get("how") == "counter" and self._by_requester() and not self._case["orders"]

    def _by_archive(self) -> bool:
        return self._by_officer() and self._kind_in(("archive",)) and not self._accused()

    def _by_host(self) -> bool:
        return self._body in (self._pub["host"], self._pub["subdistrict"]) or self._kind_in(self._centres)

    def _by_lead(self) -> bool:
        legs = self._case["legs"].values()
        return any(
            leg["body"] == self._body and leg["role"] == "lead" and leg["status"] == "discharged"
            for leg in legs
        )

    def _parts(self) -> set[str]:
        case = self._case
        found = {*case["bodies"], *(leg["body"] for leg in case["legs"].values())}
        for order in case["orders"].values():
            found |= {order["issuer"], *order["joint"]}
        return found

    def _by_part(self) -> bool:
        return self._body in self._parts()

    def _by_no_part(self) -> bool:
        gains = self._body in self._parts() or self._accused() or self._within(self._body, self._pub["by"])
        return self._by_officer() and not gains

    def _by_community(self) -> bool:
        return self._body in self._case["bodies"] and self._body != self._case.get("subdistrict")

    def _by_issuer(self) -> bool:
        order, leg = self._order, self._leg
        return (
            order is not None and self._body == order["issuer"] and (leg is None or leg["body"] != self._body)
        )

    def _by_issuers(self) -> bool:
        order = self._order
        return order is not None and (self._body == order["issuer"] or self._body in order["joint"])

    def _by_issuers_unless_ruled(self) -> bool:
        return self._order is not None and not self._order["ruled"] and self._by_issuers()

    def _by_panel_if_ruled(self) -> bool:
        return self._order is not None and self._order["ruled"] and self._kind_in(self._panels)

    def _over(self) -> bool:
        return self._leg is None or not self._within(self._body, self._leg["body"])

    def _by_issuers_over(self) -> bool:
        return self._by_issuers() and self._over()

    def _by_supervisor_over(self) -> bool:
        return self._kind_in(self._supervisors) and self._over()

    def _by_receiver(self) -> bool:
        return self._leg is not None and self._body == self._leg["body"]

    def _by_panel(self) -> bool:
        return self._kind_in(self._panels) and not self._by_receiver()

    def _by_centre(self) -> bool:
        return self._kind_in(self._return_rulers) and not self._by_receiver()

    def _by_supervises(self) -> bool:
        if self._by_receiver() or not self._kind_in(self._supervisors) or self._by_issuer():
            return False
        self._word = "supervise"
        return self._by_officer()

    def _by_drafts(self) -> bool:
        pub, kind = self._pub, self._kinds.get(self._pub["kind"])
        leads = sum(one["role"] == "lead" for one in pub["receivers"])
        own = any(one["body"] == self._body for one in pub["receivers"])
        return bool(
            kind and pub["issuer"] == self._body and self._kind_in(kind["issuers"]) and leads == 1 and not own
        )

    def _by_rates(self) -> bool:
        return not self._by_receiver() and (self._by_issuers() or self._by_community())

    # -- persons

    def _role_handlers(self) -> Any:
        return self._case["handlers"]

    def _role_releasers(self) -> Any:
        return self._case["releasers"]

    def _role_proposer(self) -> Any:
        return self._case.get("proposer", ())

    def _role_submitter(self) -> Any:
        return self._case.get("submitter", ())

    def _role_issuers(self) -> Any:
        return () if self._order is None else self._order["issuers"]

    def _role_issuers_if_ruled(self) -> Any:
        return self._role_issuers() if self._order is not None and self._order["ruled"] else ()

    def _role_drafter(self) -> Any:
        return () if self._order is None else self._order["drafter"]

    def _role_signed(self) -> Any:
        return () if self._order is None else self._order["signed"].values()

    def _role_performers(self) -> Any:
        return () if self._leg is None else self._leg["performers"]

    def _role_signers_of_leg(self) -> Any:
        return () if self._leg is None else self._leg["signed"].values()

    def _role_performers_of_order(self) -> Any:
        legs = self._case["legs"].values()
        return {one for leg in legs if leg["order"] == self._pub["order"] for one in leg["performers"]}

    def _role_issuers_of_all(self) -> Any:
        return {one for order in self._case["orders"].values() for one in order["issuers"]}

    def _role_withdrawing(self) -> Any:
        asked = self._case.get("withdrawing", {})
        one = self._pub.get("requester")
        return asked.values() if one is None else (asked.get(one),)

    def _role_excluding(self) -> Any:
        return (self._case.get("excluding", {}).get(self._pub["by"]),)

    def _role_asker(self) -> Any:
        asked = self._case["extensions"].get(f"{self._pub['owner']}/{self._pub['stage']}")
        return () if asked is None else (asked["by"],)

    def _role_doers(self) -> Any:
        return self._role_performers() if self._pub["owner"] else self._case["handlers"]

    # -- needs

    def _need_nothing_mandatory_open(self) -> None:
        case = self._case
        legs = any(leg["mandatory"] and leg["status"] in self._live_legs for leg in case["legs"].values())
        if legs or any(is_open and mandatory for is_open, mandatory in case["children"].values()):
            self._find("completed_with_open", "必办的接单单位或子项尚未结束，事项已办结或结案。",
                       "The matter was completed or closed while a mandatory leg or child was open.")  # fmt: skip

    def _need_no_leg_live(self) -> None:
        if any(leg["status"] in self._live_legs for leg in self._case["legs"].values()):
            self._find("completed_with_open", "尚有接单单位未撤哨，事项已归档或并案。",
                       "The matter was archived or merged while a body was still summoned.")  # fmt: skip

    def _need_met_if_urgent(self) -> None:
        if self._case.get("urgent") and not self._case.get("met"):
            self._find("no_on_site_response", "紧急事项没有到场处置记录即办结。",
                       "An urgent matter was completed with nobody on record as having been there.")  # fmt: skip

    def _need_everybody_answered(self) -> None:
        if any(not one[0] and not one[1] for one in self._case["requesters"].values()):
            self._find("requester_unanswered", "尚有诉求人未回访即结案。",
                       "The matter was closed with a requester who had no callback.")  # fmt: skip

    def _need_ended_or_withdrawn(self) -> None:
        about = self._case["requesters"].get(self._pub["subject"])
        if self._case["status"] not in self._ended and not (about and about[1]):
            self._find("erased_too_early", "事项尚未结束即删除或封存资料。",
                       "Data were erased or locked while the matter went on.")  # fmt: skip

    # -- on which basis

    def _on_which_basis(self, basis: dict[str, Any]) -> None:
        name = basis["rulebook"]
        self._stands_on(name != "none" and "releases", basis["register"] > 0 and "register")
        if self._versions["releases"] > 0:
            self._was_in_force(name)
        if self._versions["register"] > 0 and basis["register"] > self._versions["register"]:
            self._find("basis_ahead", "所依据的名册版本当时尚不存在。",
                       "It stands on a version of the register that did not exist yet.")  # fmt: skip
        if self._versions["releases"] > 0 and self._named_notices(basis["calendar"]) is None:
            self._find("calendar_not_in_force", "所依据的放假通知当时尚未录入。",
                       "It stands on a holiday notice that had not been entered.")  # fmt: skip

    def _stands_on(self, *streams: str | bool) -> None:
        """What a case stands on and this bundle, or the ones before, did not show whole."""
        self._unseen.update(one for one in streams if isinstance(one, str) and self._versions[one] <= 0)

    def _was_in_force(self, name: str) -> None:
        if self._act == "backfill_matter":
            good = any(one[0] == name and one[2] == "backfill" for one in self._releases)
        else:
            cases = sorted((one[3], one[0]) for one in self._releases if one[2] == "cases")
            slack = timedelta(seconds=self.rules["tolerance_seconds"])
            near = (_at(self._occ) - slack).isoformat()
            good = False
            for n, (begins, one) in enumerate(cases):
                until = cases[n + 1][0] if n + 1 < len(cases) else "9999"
                if one == name and begins <= self._occ and near < until:
                    good = True
                    basis = self._leaf["basis"]
                    known = basis["register"] <= self._versions["register"]
                    if known and self._named_notices(basis["calendar"]) is not None:
                        self._in_force = (basis, begins, until)
        if not good:
            self._find("rulebook_not_in_force", f"所依据的规则 {name} 当时并未生效。",
                       f"It was decided under the rulebook {name}, which was not in force then.")  # fmt: skip

    def _named_notices(self, calendar: str) -> tuple[str, ...] | None:
        if calendar not in self._calendars:
            named = () if calendar == "weekdays" else tuple(calendar.split("+"))
            self._calendars[calendar] = named if all(one in self._notices for one in named) else None
        return self._calendars[calendar]

    def _book(self, name: str) -> _Book | None:
        """The text of a released rulebook, if it is there and is the one that was released."""
        if name not in self._books:
            self._books[name] = self._read(name)
        return self._books[name]

    def _read(self, name: str) -> _Book | None:
        digest = next((one[1] for one in self._releases if one[0] == name), None)
        text = self.rules.get("rulebooks", {}).get(digest) if digest is not None else None
        if text is None:
            return None
        if hashlib.sha256(text.encode("utf-8")).hexdigest() != digest:
            self._find("rulebook_text_forged", f"规则 {name} 的文本与发布时的摘要不符。",
                       f"The text of the rulebook {name} is not the one that was released.")  # fmt: skip
            return None
        try:
            return _Book(text)
        except (ImportError, _NoZones):
            self.unread.add(name)
        except _BROKEN:
            self._find("rulebook_malformed", f"规则 {name} 的文本与摘要相符，却不是合式的规则：时限与岗位无从检查。",
                       f"The text of the rulebook {name} is the one released, and is no rulebook: clocks and posts"
                       " cannot be checked.")  # fmt: skip
        return None

    # -- clocks: those that an event starts

    def _clocks_started(self, spec: _Spec) -> None:
        """Every clock of the rulebook starts, no other one does, and each has the rulebook's length."""
        pub, basis = self._pub, self._leaf["basis"]
        if basis is not self._stood_on:
            self._stand_on(basis)
        if self._law is None:
            return
        self._moment, given = None, {}
        for one in pub.get("clocks", ()):
            given[one["stage"]] = one
        owner = str(pub.get("merged", "") if spec.owner is None else pub[spec.owner])
        for start in spec.starts:
            self._one_start(start, given.pop(start.stage, None), owner)
        if spec.per_leg:
            of_legs = {one["leg"]: one["clocks"] for one in self._pub["legs"]}
            for leg in self._order["drafted"] if self._order else ():
                clocks = {one["stage"]: one for one in of_legs.get(leg["leg"], ())}
                for start in spec.per_leg:
                    self._one_start(start, clocks.pop(start.stage, None), leg["leg"])
                given.update(clocks)
        for stage in given:
            self._wrong_clock(stage, "不应启动", "is not started by this event")

    def _stand_on(self, basis: dict[str, Any]) -> None:
        book, named = self._book(basis["rulebook"]), self._named_notices(basis["calendar"])
        self._law, self._named = (book, named) if book is not None and named is not None else (None, ())
        self._stood_on = basis

    def _wrong_clock(self, stage: str, zh: str, en: str) -> None:
        self._find("clock_wrong", f"时限 {stage} {zh}。", f"The clock {stage} {en}.")

    def _one_start(self, start: _Start, clock: dict[str, Any] | None, owner: str) -> None:
        stage = start.stage
        carried = clock is not None and clock.get("carried") is not None
        if start.only is not None and not start.only(f"{owner}/{stage}", clock):
            if clock is not None:
                self._wrong_clock(stage, "不应启动", "is not started here")
            return
        if clock is not None and carried:
            if start.carried:
                self._carried(stage, clock, self._case["clocks"].get(f"{owner}/{stage}"), start.how)
            else:
                self._wrong_clock(stage, "不应沿用旧时限", "does not go on from an earlier one here")
            return
        kind = start.kind()
        rule = None if kind is None or self._law is None else self._law.clock(stage, kind)
        wanted = start.due(rule, clock, stage)
        if clock is None:
            if wanted is not None:
                self._find("clock_missing", f"规则要求的时限 {stage} 没有启动。",
                           f"The rulebook holds a clock {stage} for this, and it was not started.")  # fmt: skip
        elif wanted is None:
            self._wrong_clock(stage, "规则中没有", "is none that the rulebook holds")
        elif wanted != clock["due"][:-1]:
            self._wrong_clock(stage, f"到期应为 {wanted}Z", f"falls due at {wanted}Z by the rulebook")

    def _length(self, rule: dict[str, Any], start: str) -> str:
        """When this length has passed; of exact time at once."""
        span: timedelta | None = rule["span"]
        if span is None or start is not self._rec:
            return self._book_now().after(start, rule["amount"], rule["unit"], self._notices, self._named)
        if self._moment is None:
            self._moment = _at(start)
        return (self._moment + span).isoformat()

    def _book_now(self) -> _Book:
        if self._law is None:
            raise ValueError("no rulebook")
        return self._law

    # under which name the rulebook holds a clock

    def _for_order(self) -> str | None:
        return None if self._order is None else str(self._order["of"])

    def _for_free(self) -> str | None:
        return None

    def _for_any(self) -> str | None:
        return "*"

    def _for_graded(self) -> str | None:
        return self._pub.get("demand") or "report"

    def _for_grade(self) -> str | None:
        return f"{self._for_graded()}.urgent" if self._pub["urgent"] else self._for_graded()

    def _for_demand(self) -> str | None:
        return self._case.get("demand") or "*"

    def _for_first(self) -> str | None:
        demand = self._case.get("demand")
        return f"{demand or 'help'}.urgent" if self._case.get("emergency") else demand or "*"

    def _for_again(self) -> str | None:
        return f"{self._for_demand()}.urgent" if self._case.get("urgent") else self._for_demand()

    # due moments of fresh clocks: what it must be, None where none may run

    def _due_length(self, rule: dict[str, Any] | None, clock: Any, stage: str) -> str | None:
        if rule is None:
            return None
        if clock is not None and clock["of"] != rule["held"]:
            self._wrong_clock(stage, f"应按“{rule['held']}”计", f"is held as {rule['held']} by the rulebook")
        return self._length(rule, self._rec)

    def _due_joint(self, rule: dict[str, Any] | None, clock: Any, stage: str) -> str | None:
        joint = self._order["summoned_at"] if self._order else None
        if joint is not None and joint > self._rec:
            return str(joint)
        return self._due_length(rule, clock, stage)

    def _due_review_by(self, rule: Any, clock: Any, stage: str) -> str | None:
        return str(self._pub["review_by"][:-1])

    def _due_given(self, rule: Any, clock: Any, stage: str) -> str | None:
        """Set by hand, ahead."""
        if clock is None or clock["due"][:-1] <= self._rec:
            return None
        return str(clock["due"][:-1])

    def _due_before_own(self, rule: Any, clock: Any, stage: str) -> str | None:
        own = self._case["clocks"].get(f"{self._pub['owner']}/{self._pub['stage']}")
        if own is None:
            return None
        held = self._book_now().clock(stage, own[_OF])
        due = None if held is None else self._length(held, self._rec)
        return due if due is not None and due < own[_DUE] else str(own[_DUE])

    def _due_paused(self, rule: Any, clock: Any, stage: str) -> str | None:
        """A finish clock that goes on is carried; a fresh one would be a new due moment."""
        return None

    _due_regraded = _due_paused

    # clocks that go on from an earlier one

    def _carried(self, stage: str, clock: dict[str, Any], before: Any, due: str) -> None:
        """The same beginning, the same pauses, and no due moment but the one that follows from them."""
        if due in ("length", "joint"):
            before = self._of_the_gone(stage)
        elif due == "given":
            before = self._of_the_merged(stage)
            if before is None:
                return
        if before is None:
            self._wrong_clock(stage, "沿用的时限不存在", "goes on from one that is not there")
            return
        carried = clock["carried"]
        wanted = {
            "paused": self._after_pause,
            "regraded": self._after_regrade,
        }.get(due, lambda one, old: old[_DUE])(clock, before)
        if carried["since"][:-1] != before[_SINCE] or (wanted is not None and wanted != clock["due"][:-1]):
            self._wrong_clock(
                stage,
                "沿用时改变了起算或到期时间",
                "goes on with another beginning or due moment than it had",
            )

    def _of_the_gone(self, stage: str) -> list[Any] | None:
        """The clock of the body's leg that was let go before it was summoned again."""
        legs = self._case["legs"]
        body, order = self._pub["body"], self._pub["order"]
        gone = [
            name
            for name, leg in legs.items()
            if leg["order"] == order and leg["body"] == body and leg["status"] == "excused"
        ]
        clock: list[Any] | None = self._case["clocks"].get(f"{gone[-1]}/{stage}") if gone else None
        return clock if clock is not None and clock[_CANCELLED] else None

    def _of_the_merged(self, stage: str) -> list[Any] | None:
        """The clock of the matter that was merged, as it stood; of a deferred one it was given back anew."""
        merged = self._cases.get(self._pub["merged"])
        if merged is None or merged.get("before") == "deferred":
            return None
        clock: list[Any] | None = merged["clocks"].get(f"/{stage}")
        return clock

    def _after_pause(self, clock: dict[str, Any], before: list[Any]) -> str | None:
        rule = self._law_of(before, clock["stage"])
        if rule is None or rule["unit"] not in _ELAPSED:
            return None
        if before[_EXTENSIONS]:
            left = _seconds_left(before)
            return (_at(self._rec) + left).isoformat()
        return self._paused_natural(rule, before[_SINCE], [*before[_PAUSED], [before[_STOPPED], self._rec]])

    def _after_regrade(self, clock: dict[str, Any], before: list[Any]) -> str | None:
        rule = self._book_now().clock(clock["stage"], clock["of"])
        if rule is None or (rule["unit"] not in _ELAPSED and before[_PAUSED]):
            return None
        if rule["unit"] in _ELAPSED:
            due = self._paused_natural(rule, before[_SINCE], before[_PAUSED])
        else:
            due = self._length(rule, before[_SINCE])
        return max(due, self._rec)

    def _law_of(self, clock: list[Any], stage: str) -> dict[str, Any] | None:
        book = self._book(clock[_BOOK])
        return None if book is None else book.clock(stage, clock[_OF])

    @staticmethod
    def _paused_natural(rule: dict[str, Any], since: str, pauses: list[list[str]]) -> str:
        end = _at(since) + timedelta(seconds=rule["amount"] * _ELAPSED[rule["unit"]])
        for begin, until in pauses:
            if _at(begin) < end:
                end += _at(until) - _at(begin)
        return end.isoformat()

    # when a clock is started at all

    def _only_emergency(self, key: str, clock: Any) -> bool:
        return bool(self._case.get("emergency"))

    def _only_complete(self, key: str, clock: Any) -> bool:
        return bool(self._pub["complete"])

    def _only_first_urgent(self, key: str, clock: Any) -> bool:
        return bool(self._pub["urgent"]) and key not in self._case["clocks"]

    def _only_first_urgent_regraded(self, key: str, clock: Any) -> bool:
        return self._changed() and self._only_first_urgent(key, clock)

    def _changed(self) -> bool:
        case, pub = self._case, self._pub
        return pub.get("demand") != case.get("demand") or pub["urgent"] != bool(case.get("urgent"))

    def _only_regraded(self, key: str, clock: Any) -> bool:
        before = self._case["clocks"].get(key)
        return self._changed() and before is not None and before[_DUE] > self._rec and clock is not None

    def _only_carried(self, key: str, clock: Any) -> bool:
        return clock is not None and clock.get("carried") is not None

    def _only_asked_again(self, key: str, clock: Any) -> bool:
        """Because of a late child the old clock goes on: no restart moves a due time (law 7)."""
        return bool(self._pub["ground"] != "late_child")

    def _only_checks_in(self, key: str, clock: Any) -> bool:
        return self._order is not None and bool(self._kinds[self._order["kind"]]["checks_in"])

    def _only_call(self, key: str, clock: Any) -> bool:
        return self._order is not None and self._order["kind"] == "call"

    def _only_emergency_whistle(self, key: str, clock: Any) -> bool:
        return self._order is not None and self._order["whistle"] == "emergency"

    def _only_not_disputed(self, key: str, clock: Any) -> bool:
        return self._leg is not None and self._leg["status"] != "disputed"

    def _only_reported_stays(self, key: str, clock: Any) -> bool:
        return self._leg is not None and self._leg["under"] == "reported" and self._pub["outcome"] == "stays"

    def _only_unsupervised(self, key: str, clock: Any) -> bool:
        before = self._case["clocks"].get(key)
        return self._leg is not None and (before is None or before[_STOPPED] is not None)

    # -- what an event does: state

    def _do_open(self, step: dict[str, Any]) -> None:
        case, pub = self._case, self._pub
        for name in ("demand", "host", "subdistrict", "subject", "parent", "emergency", "confidential"):
            if pub.get(name):
                case[name] = pub[name]
        bodies = (*pub.get("communities", ()), pub.get("host"), pub.get("subdistrict"))
        case["bodies"] = {body: 1 for body in bodies if body}
        case["requesters"] = {one: [False, False] for one in pub["requesters"]}
        if "status" in pub:
            case["status"], case["backfilled"] = pub["status"], True

    def _do_take_over(self, step: dict[str, Any]) -> None:
        case, pub = self._case, self._pub
        case["backfilled"], case["host"], case["subdistrict"] = False, pub["host"], pub["subdistrict"]
        case["bodies"] = {pub["host"]: 1, pub["subdistrict"]: 1}

    def _do_join(self, step: dict[str, Any]) -> None:
        self._case["requesters"][self._pub["requester"]] = [False, False]
        if self._pub.get("community"):
            self._case["bodies"][self._pub["community"]] = 1

    def _do_recuse(self, step: dict[str, Any]) -> None:
        self._case.setdefault("recused", {})[self._pub["person"]] = 1

    def _do_grade(self, step: dict[str, Any]) -> None:
        self._case["demand"], self._case["urgent"] = self._pub.get("demand"), self._pub["urgent"]

    def _do_confide(self, step: dict[str, Any]) -> None:
        self._case["confidential"] = True

    def _do_go(self, step: dict[str, Any]) -> None:
        self._case["status"] = step["to"]

    def _do_order(self, step: dict[str, Any]) -> None:
        if self._order is not None:
            if step["to"] == "settled" and self._live_legs_of(self._pub["order"]):
                self._illegal(
                    "尚有接单单位未结束，单已了结。", "an order was settled while a body was still summoned."
                )
            self._order["status"] = step["to"]

    def _live_legs_of(self, order: str) -> list[str]:
        legs = self._case["legs"].items()
        return [name for name, leg in legs if leg["order"] == order and leg["status"] in self._live_legs]

    def _do_leg(self, step: dict[str, Any]) -> None:
        if self._leg is not None:
            self._leg["status"] = step["to"]

    def _do_move(self, step: dict[str, Any]) -> None:
        """A disputed leg keeps acting underneath its dispute."""
        if self._leg is not None:
            self._leg["under" if self._leg["status"] == "disputed" else "status"] = step["to"]

    def _do_beneath(self, step: dict[str, Any]) -> None:
        if self._leg is not None:
            self._leg["under"], self._leg["status"] = self._leg["status"], step["to"]

    def _do_surface(self, step: dict[str, Any]) -> None:
        if self._leg is not None:
            self._leg["status"] = self._leg["under"]

    def _do_end_leg(self, step: dict[str, Any]) -> None:
        if self._leg is not None:
            self._leg["status"] = step["to"]
            self._cancel(self._pub["leg"], None)

    def _do_end_legs(self, step: dict[str, Any]) -> None:
        for name in self._live_legs_of(self._pub["order"]):
            leg = self._case["legs"][name]
            if leg["met"] or leg["status"] in ("working", "reported"):
                self._illegal(
                    "有人已报到，单被撤销。", "an order was cancelled after somebody had checked in."
                )
            leg["status"] = "cancelled"
            self._cancel(name, None)

    def _do_work(self, step: dict[str, Any]) -> None:
        """Only the receiver's words are work."""
        if self._pub.get("by", "receiver") == "receiver":
            self._do_move(step)
            self._join_role("performers")
            self._join_role("handlers")
            self._do_met(step)

    def _do_draft(self, step: dict[str, Any]) -> None:
        pub = self._pub
        if pub["order"] in self._case["orders"]:
            self._illegal("同一编号的单重复拟定。", "an order was drafted twice.")
        self._order = self._case["orders"][pub["order"]] = {
            "kind": pub["kind"], "whistle": pub["whistle"], "issuer": pub["issuer"], "status": "drafted",
            "of": self._full_kind(pub), "joint": pub["joint_blowers"], "summoned_at": _cut(pub["summoned_at"]),
            "ruled": False, "lead": "",
            "drafted": [
                {name: one[name] for name in ("leg", "body", "role", "mandatory")} for one in pub["receivers"]
            ],
            "issuers": {}, "drafter": {}, "signed": {},
        }  # fmt: skip

    def _do_issue(self, step: dict[str, Any]) -> None:
        if self._order is None:
            return
        for one in self._order["drafted"]:
            self._new_leg(one)
        for given in self._pub["legs"]:
            self._start(given["leg"], given["clocks"])

    def _new_leg(self, given: dict[str, Any]) -> None:
        self._case["legs"][given["leg"]] = {
            "order": self._pub["order"], "body": given["body"], "role": given["role"], "status": "issued",
            "mandatory": given["mandatory"], "under": "issued", "met": False, "issued_at": self._rec,
            "summoned_at": self._occ, "spoken": None, "performers": {}, "signed": {}, "raters": {},
        }  # fmt: skip
        if given["role"] == "lead" and self._order is not None:
            self._order["lead"] = given["leg"]

    def _do_add_leg(self, step: dict[str, Any]) -> None:
        self._new_leg(self._pub)

    def _do_lead(self, step: dict[str, Any]) -> None:
        if self._order is not None:
            for name, leg in self._case["legs"].items():
                if leg["order"] == self._pub["order"]:
                    leg["role"] = "lead" if name == self._pub["leg"] else "assist"
            self._order["lead"] = self._pub["leg"]
            self._order["ruled"] = self._order["ruled"] or self._pub["ground"] == "adjudication"

    def _do_ruled(self, step: dict[str, Any]) -> None:
        if self._order is not None and self._order["lead"] == self._pub["leg"]:
            self._order["ruled"] = True

    def _do_there(self, step: dict[str, Any]) -> None:
        """Checked in; by word of mouth only in an emergency, soon after, and never before the summons."""
        leg, order, pub = self._leg, self._order, self._pub
        if leg is None or order is None:
            return
        leg["met"] = True
        if pub["proof"] != "word_of_mouth":
            return
        arrived = leg["spoken"] = pub["arrived_at"][:-1]
        book = self._book(self._leaf["basis"]["rulebook"])
        named = self._named_notices(self._leaf["basis"]["calendar"])
        latest = (
            book.due(arrived, book.grace(), self._notices, named) if book and named is not None else "9999"
        )
        if order["whistle"] != "emergency" or arrived < leg["summoned_at"] or self._rec > latest:
            self._find("word_of_mouth", "口头报到不合规定（非应急、早于吹哨或补记过迟）。",
                       "A check-in by word of mouth: no emergency, before its summons, or written down too late.")  # fmt: skip

    def _do_take_call(self, step: dict[str, Any]) -> None:
        leg, pub = self._leg, self._pub
        if leg is None:
            return
        if pub["how"] == "returned":
            self._do_end_leg({"to": "returned"})
        elif leg["status"] in ("issued", "acknowledged"):
            self._stop(pub["leg"], ("acknowledge",))
            leg["status"] = "working"

    def _do_answered(self, step: dict[str, Any]) -> None:
        requesters, pub = self._case["requesters"], self._pub
        if pub["requester"] in requesters:
            requesters[pub["requester"]][0] = True
        waits = any(not one[0] and not one[1] for one in requesters.values())
        if waits and pub["complete"] and pub["how"] != "not_sampled":
            self._find("requester_unanswered", "尚有诉求人未回访即记为回访完毕。",
                       "The callbacks were called complete while a requester had none.")  # fmt: skip

    def _do_unanswered(self, step: dict[str, Any]) -> None:
        for one in self._case["requesters"].values():
            one[0] = False

    def _do_withdraw(self, step: dict[str, Any]) -> None:
        case, one = self._case, self._pub.get("requester")
        for name in [one] if one else [*case.get("withdrawing", {})]:
            if name in case["requesters"]:
                case["requesters"][name][1] = True

    def _do_merge(self, step: dict[str, Any]) -> None:
        case = self._case
        case["before"], case["master"], case["merged_at"] = case["status"], self._pub["master"], self._rec
        case["owed"] = self._index

    def _do_unmerge(self, step: dict[str, Any]) -> None:
        case = self._case
        case["status"] = case.get("before", case["status"])
        for clock in case["clocks"].values():
            if clock[_CANCELLED] and clock[_STOPPED] == case.get("merged_at"):
                clock[_STOPPED], clock[_CANCELLED] = None, False

    def _do_absorb(self, step: dict[str, Any]) -> None:
        pub, merged = self._pub, self._cases.get(self._pub["merged"])
        if merged is not None and "legs" in merged:
            owed = {name for name, one in merged["requesters"].items() if not one[1]}
            if merged["status"] != "merged" or not owed <= set(pub["requesters"]):
                self._find("requester_lost", "并案时丢失诉求人，或被并案件并未并案。",
                           "A merge lost a requester, or the matter that was taken in is not merged.")  # fmt: skip
            merged.pop("owed", None)
        self._case["absorbed"][pub["merged"]] = pub["requesters"]
        for one in pub["requesters"]:
            self._case["requesters"][one] = [False, False]

    def _do_release(self, step: dict[str, Any]) -> None:
        for one in self._case["absorbed"].pop(self._pub["merged"], ()):
            self._case["requesters"].pop(one, None)

    def _do_child(self, step: dict[str, Any]) -> None:
        name, children = self._pub["child"], self._case["children"]
        mandatory = self._pub.get("mandatory", children.get(name, (False, False))[1])
        children[name] = [step["open"], mandatory]
        child = self._cases.get(name)
        if child is not None and not step["open"] and child["status"] not in self._ended:
            self._find("child_not_ended", "子项尚未结束，母案却记为已结束。",
                       "The parent says that a child has ended, and it has not.")  # fmt: skip

    # -- what an event does: persons

    def _do_person(self, step: dict[str, Any]) -> None:
        role = step["role"]
        if not step.get("only"):
            self._join_role(role)
            return
        scope = self._order if role == "drafter" else self._case
        if scope is not None:
            scope[role] = {self._person: 1}

    def _join_role(self, role: str) -> None:
        scope = self._leg if role == "performers" else self._order if role == "issuers" else self._case
        if scope is not None:
            scope[role][self._person] = 1

    def _do_note_by(self, step: dict[str, Any]) -> None:
        scope = {"order": self._order, "leg": self._leg}.get(step.get("of", ""), self._case)
        if scope is not None:
            scope.setdefault(step["role"], {})[self._pub[step["key"]]] = self._person

    def _do_forget_by(self, step: dict[str, Any]) -> None:
        self._case.get(step["role"], {}).pop(self._pub[step["key"]], None)

    def _do_unsign(self, step: dict[str, Any]) -> None:
        if self._leg is not None:
            self._leg["signed"] = {}

    # -- what an event does: clocks

    def _owners(self, of: str) -> tuple[str, ...]:
        if of == "matter":
            return ("",)
        if of == "absorbed":
            return tuple(self._case["absorbed"])
        return (self._pub[of],)

    def _do_start(self, step: dict[str, Any]) -> None:
        self._start(self._owners(step["of"])[0], self._pub["clocks"])

    def _start(self, owner: str, clocks: list[dict[str, Any]]) -> None:
        """A clock that is there already becomes a past one; its lateness stays (law 6)."""
        case, rec = self._case, self._rec
        for given in clocks:
            key = f"{owner}/{given['stage']}"
            before = case["clocks"].get(key)
            if before is not None:
                if before[_STOPPED] is None:
                    self._halt(key, before, rec)
                if before[_STOPPED] > before[_DUE]:
                    case["past"].append([key, before])
            carried = given.get("carried")
            clock = case["clocks"][key] = [
                _moment(given["due"]), None, False, before[_N] + 1 if before else 1, given["of"],
                self._leaf["basis"]["rulebook"], rec, [], 0, given["provisional"], None, rec,
            ]  # fmt: skip
            if carried is not None:
                clock[_BOOK], clock[_SINCE] = carried["rulebook"], _moment(carried["since"])
                clock[_PAUSED] = [[_moment(begin), _moment(until)] for begin, until in carried["paused"]]
                clock[_EXTENSIONS] = carried["extensions"]

    def _halt(self, key: str, clock: list[Any], at: str) -> None:
        clock[_STOPPED] = at
        if at > clock[_DUE]:
            self._late.append((self._leaf["stream"], self._leaf["version"], key, clock))

    def _do_stop(self, step: dict[str, Any]) -> None:
        for owner in self._owners(step["of"]):
            self._stop(owner, step["stages"])

    def _stop(self, owner: str, stages: Any) -> None:
        clocks = self._case["clocks"]
        for stage in stages:
            key = f"{owner}/{stage}"
            clock = clocks.get(key)
            if clock is not None and clock[_STOPPED] is None:
                self._halt(key, clock, self._rec)

    def _do_met(self, step: dict[str, Any]) -> None:
        self._case["met"] = True
        self._stop("", ("onsite",))

    def _do_cancel(self, step: dict[str, Any]) -> None:
        self._cancel(self._owners(step["of"])[0], step.get("stage"))

    def _cancel(self, owner: str, stage: str | None) -> None:
        """Nothing is owed any more; lateness so far stays."""
        wanted = f"{owner}/{stage or ''}"
        for key, clock in self._case["clocks"].items():
            if clock[_STOPPED] is None and (key == wanted if stage else key.startswith(wanted)):
                self._halt(key, clock, self._rec)
                clock[_CANCELLED] = True

    def _do_cancel_all(self, step: dict[str, Any]) -> None:
        for key, clock in self._case["clocks"].items():
            if clock[_STOPPED] is None:
                self._halt(key, clock, self._rec)
                clock[_CANCELLED] = True

    def _do_revive(self, step: dict[str, Any]) -> None:
        for owner in self._owners(step["of"]):
            clock = self._case["clocks"].get(f"{owner}/{step['stage']}")
            if clock is not None:
                clock[_STOPPED], clock[_CANCELLED] = None, False

    def _do_set_due(self, step: dict[str, Any]) -> None:
        notice, pub = step["by"] == "notice", self._pub
        given = [pub] if notice else pub["clocks"]
        owner = pub["owner"] if notice else pub["leg"]
        for one in given:
            clock, due = self._case["clocks"].get(f"{owner}/{one['stage']}"), _moment(one["due"])
            if clock is None:
                continue
            if notice:
                moves = clock[_PROVISIONAL] and clock[_STOPPED] is None and clock[_DUE] > self._rec <= due
            else:
                moves = self._joint_time_moves(clock, due)
            if not moves:
                self._find("clock_moved", f"时限 {one['stage']} 被违规改动。",
                           f"The clock {one['stage']} was moved where the law lets it stand.")  # fmt: skip
            else:
                clock[_DUE], clock[_PROVISIONAL] = due, one["provisional"]

    def _joint_time_moves(self, clock: list[Any], due: str) -> bool:
        """Only a time that the blower set, only while nobody is late, and never back."""
        leg, joint = self._leg, self._order["summoned_at"] if self._order else None
        set_by_hand = leg is not None and joint is not None and leg["issued_at"] < joint
        return bool(set_by_hand and self._rec < clock[_DUE] and self._rec < due)

    def _do_ask_extension(self, step: dict[str, Any]) -> None:
        pub = self._pub
        key = f"{pub['owner']}/{pub['stage']}"
        clock = self._case["clocks"].get(key)
        if clock is None or clock[_STOPPED] is not None or self._rec >= clock[_DUE]:
            self._late_extension()
        self._case["extensions"][key] = {
            "by": self._person, "body": self._body, "until": pub["until"][:-1],
        }  # fmt: skip

    def _late_extension(self) -> None:
        self._find("late_extension", "到期之后才申请或批准延期，不予计算。",
                   "An extension was asked for or granted when the moment had passed; it does not count.")  # fmt: skip

    def _do_extend(self, step: dict[str, Any]) -> None:
        """Granted before the due moment it moves it; whatever the event claims, later it moves nothing (law 6)."""
        pub = self._pub
        key = f"{pub['owner']}/{pub['stage']}"
        asked, clock = self._case["extensions"].pop(key, None), self._case["clocks"].get(key)
        if asked is None:
            self._illegal("没有申请就批准了延期。", "an extension was decided that nobody had asked for.")
        if clock is None or not (pub["granted"] and pub["in_time"]) or pub["due"] is None:
            return
        due = _moment(pub["due"])
        if self._rec >= clock[_DUE]:
            self._late_extension()
            return
        if (asked is not None and due != asked["until"]) or self._too_far(clock, pub["stage"], due):
            self._find("extension_too_far", "延期超出申请或规则所允许的期限、次数。",
                       "An extension reaches further, or comes more often, than asked for or allowed.")  # fmt: skip
        clock[_DUE], clock[_PROVISIONAL] = due, False
        clock[_EXTENSIONS] += 1

    def _too_far(self, clock: list[Any], stage: str, due: str) -> bool:
        rule = self._law_of(clock, stage)
        if rule is None:
            return False
        by = rule.get("extend_by")
        number = (by or "").rstrip("abcdefghijklmnopqrstuvwxyz")
        unit = (by or "")[len(number) :]
        if clock[_EXTENSIONS] >= rule.get("extensions", 0) or due <= clock[_DUE]:
            return True
        reach = timedelta(seconds=int(number or 0) * _ELAPSED.get(unit, 0))
        return unit in _ELAPSED and _at(due) > _at(clock[_DUE]) + reach

    def _do_forget_extension(self, step: dict[str, Any]) -> None:
        """A wish for more time that was never decided falls; that it was not decided in time stays."""
        if self._case["extensions"].pop("/finish", None) is not None:
            self._stop("", ("decide_extension",))

    def _do_spoken(self, step: dict[str, Any]) -> None:
        """The other side confirms a check-in by word of mouth: it counts as of then."""
        leg, pub = self._leg, self._pub
        at = _moment(pub["at"])
        if leg is None or leg["spoken"] != at:
            self._find("word_of_mouth", "所确认的口头报到时间与记录不符。",
                       "A check-in by word of mouth was confirmed that is not on record.")  # fmt: skip
            return
        clock = self._case["clocks"].get(f"{pub['leg']}/{pub['stage']}")
        if clock is not None:
            clock[_STOPPED] = at
        if pub["stage"] == "check_in":
            leg["spoken"] = None

    def _do_item(self, step: dict[str, Any]) -> None:
        """A step of the agenda; a missed moment is recorded only of a clock that missed it."""
        if self._leaf["type"] not in self._misses:
            return
        owner, stage, n = self._pub["item"].split("/")[:3]
        clock, due = self._numbered(f"{owner}/{stage}", int(n)), self._pub["due"][:-1]
        if clock is None or clock[_DUE] != due or (clock[_STOPPED] or self._rec) < due or self._rec < due:
            self._find("false_miss", f"所记超期 {stage} 与时限不符。",
                       f"A missed moment of {stage} is on record, and the clock missed none.")  # fmt: skip
        else:
            clock[_MISSED] = due

    def _numbered(self, key: str, n: int) -> list[Any] | None:
        clock: list[Any] | None = self._case["clocks"].get(key)
        if clock is not None and clock[_N] == n:
            return clock
        return next((one for name, one in self._case["past"] if name == key and one[_N] == n), None)

    # -- at the end

    def _moments(self, now: str) -> list[Finding]:
        """The due moments that were missed: those of acts that came late in this bundle, and those still owed."""
        found: list[Finding] = []
        for stream, version, key, clock in self._late:
            judged = stream in self._cases
            if judged and clock[_STOPPED] is not None and clock[_STOPPED] > clock[_DUE]:
                found += self._missed(stream, key, clock, now, version)
        for stream, case in self._cases.items():
            for key, clock in case.get("clocks", {}).items():
                if clock[_STOPPED] is None and clock[_DUE] < now:
                    found += self._missed(stream, key, clock, now, None)
        return found

    def _missed(
        self, stream: str, key: str, clock: list[Any], now: str, version: int | None
    ) -> list[Finding]:
        owner, _, stage = key.partition("/")
        case = self._cases[stream]
        body = case["legs"][owner]["body"] if owner in case.get("legs", {}) else ""
        try:
            by_zh, by_en = _span_words(_seconds_between(clock[_DUE], clock[_STOPPED] or now))
        except _BROKEN:
            zh, en = (
                f"时限 {stage} 的到期时间无法读取。",
                f"The due moment of the clock {stage} cannot be read.",
            )
            return [Finding("malformed", zh, en, None, stream)]
        who = f"{body} " if body else ""
        zh, en = f"{who}{stage} 应于 {clock[_DUE]}Z 前完成，", f"{who}{stage} was due at {clock[_DUE]}Z, "
        zh += f"迟 {by_zh}。" if clock[_STOPPED] else f"至今未完成，已迟 {by_zh}。"
        en += f"late by {by_en}." if clock[_STOPPED] else f"still owed, late by {by_en} so far."
        found = [Finding("due_missed", zh, en, None, stream, version, True)]
        silent = clock[_MISSED] != clock[_DUE] and not case["backfilled"]
        if silent and _seconds_between(clock[_DUE], now) > self.rules["record_within_seconds"]:
            zh, en = (
                f"{who}{stage} 于 {clock[_DUE]}Z 到期，账上没有任何超期记录。",
                (f"{who}{stage} fell due at {clock[_DUE]}Z, and nothing on record says that it was missed."),
            )
            found.append(Finding("due_silent", zh, en, None, stream, version))
        return found

    def _merges(self) -> list[Finding]:
        zh, en = "案件已并案，主案却没有接收记录。", "A matter was merged, and its master never took it in."
        return [
            Finding("requester_lost", zh, en, case["owed"], stream)
            for stream, case in self._cases.items()
            if "owed" in case
        ]

    def _not_judged(self) -> list[Finding]:
        """What could not be run over: said, never passed over in silence."""
        found = []
        if self._unknown:
            n = len(self._unknown)
            found.append(Finding(
                "case_unknown", f"{n} 个案件的开头不在本包和已存状态中，未按流程规则检查。",
                f"{n} cases began before this bundle and the state that was kept; the law was not run over them.",
                note=True,
            ))  # fmt: skip
        if self._unseen:
            names = ", ".join(sorted(self._unseen))
            found.append(Finding(
                "standing_unseen", f"案件所依据的 {names} 未完整出示：任职、权限、时限无从检查。",
                f"Cases stand on the {names}, of which not all was shown: posts, powers and clocks were not checked.",
            ))  # fmt: skip
        if self._told_unseen:
            n = self._told_unseen
            found.append(Finding(
                "told_unseen", f"{n} 个事件由未出示的另一案的操作引起，其人与依据未核。",
                f"{n} events were caused by acts of cases that were not shown: person and basis were not checked.",
                note=True,
            ))  # fmt: skip
        texts, books = self.rules.get("rulebooks", {}), [one for one in self._releases if one[2] == "cases"]
        missing = sorted(one[0] for one in books if one[1] not in texts)
        if missing:
            found.append(Finding(
                "rulebook_missing", f"rules.json 缺少规则文本，时限长度与岗位未检查：{', '.join(missing)}。",
                f"rules.json lacks the text of {', '.join(missing)}: lengths of clocks and posts were not checked.",
            ))  # fmt: skip
        for one in books:
            if one[1] in texts:
                self._book(one[0])  # one that no leaf stood on, too
        if self.unread:
            names = ", ".join(sorted(self.unread))
            found.append(Finding(
                "rulebook_unread", f"本机读不了规则文本（须 Python 3.11 以上，并有时区数据）：时限长度与岗位未检查：{names}。",
                f"This Python cannot read the text of {names} (it takes 3.11, and time zones): lengths of clocks and"
                " posts were not checked.",
                note=True,
            ))  # fmt: skip
        return found


def _seconds_left(clock: list[Any]) -> timedelta:
    """What was left of a clock when it stopped."""
    return _at(clock[_DUE]) - _at(clock[_STOPPED])


# ==== end of the law ====


# ======================================================================================================================
# 15. The board's own state: what it has seen, so that a month's bundle is enough
# ======================================================================================================================

STATE_FORMAT = "huiyin-board/v1"
_STATE: dict[str, tuple[type, ...]] = {
    "format": (str,), "origin": (str,), "size": (int,), "root": (str,), "checkpoint": (str,), "policy": (str,),
    "policy_sha256": (str,), "policy_pinned": (bool,), "rules_sha256": (str,), "rules_pinned": (bool,),
    "rules_published": (str, _NONE), "schema_sha256": (str,),
    "log_key": (str, _NONE), "receipt_key": (str, _NONE), "adopted": (str, _NONE), "delay_hours": (int,),
    "opened_at": (str, _NONE), "recorded_at": (str, _NONE), "position": (int,), "streams": (dict,), "withheld": (int,),
    "law": (dict,), "locked": (list,), "accepted": (list,),
}  # fmt: skip


def _rows(locks: dict[str, dict[str | None, str]]) -> list[list[str | None]]:
    """Locks, or their terms, as the state holds them: the stream, whose data (None: the whole case's), until when."""
    return sorted(
        ([stream, who, until] for stream, one in locks.items() for who, until in one.items()), key=repr
    )


def load_state(path: Path | None) -> tuple[dict[str, Any] | None, bytes | None]:
    """The board's state and its bytes, None before the first bundle. Raises Unreadable."""
    if path is None or not path.exists():
        return None, None
    data = read_file(path, "state")
    state = json_object(data.decode("utf-8", "replace"), str(path.name))
    try:
        good = state.get("format") == STATE_FORMAT and all(
            type(state.get(name)) in kinds for name, kinds in _STATE.items()
        )
        good = good and all(
            type(place[0]) is int and type(place[1]) is str and len(place) == 2
            for place in state["streams"].values()
        )
        good = good and all(
            type(one[0]) is str and type(one[1]) in (str, _NONE) and len(one) in (2, 3)
            for one in state["locked"]
        )
        good = good and (
            "census" not in state or _good_census(state["census"])
        )  # older ones have no such part
        for until in (one[2] for one in state["locked"] if good and len(one) == 3):
            good = until in (UNJUDGED, NEVER) or bool(moment(until))
        good = good and type(state.get("terms", [])) is list  # older ones have no such part
        for stream, who, until in state.get("terms", ()) if good else ():
            good = good and type(stream) is str and type(who) in (str, _NONE)
            good = good and (until == NEVER or bool(moment(until)))
        for name in ("opened_at", "recorded_at"):
            if good and state[name] is not None:
                moment(state[name])
    except (ValueError, TypeError, LookupError, AttributeError):
        good = False
    if not good:
        raise Unreadable(
            "state_malformed",
            "状态文件不是本程序所写。",
            "The state file is not one that this program wrote.",
        )
    return state, data


def save_state(path: Path, state: dict[str, Any], before: bytes | None) -> None:
    """Put the new state in place at once and for good, before anything is cosigned (C2SP tlog-witness).

    Raises Unreadable if another run has changed the file meanwhile (`before` is what this one read), or it cannot be
    written.
    """
    import tempfile  # here and below: what few runs need is not loaded by all

    data = json.dumps(state, ensure_ascii=False, sort_keys=True).encode("utf-8")
    try:
        if (path.read_bytes() if path.exists() else None) != before:
            raise Unreadable(
                "state_moved", "状态文件刚被另一次核验改动。", "Another run has changed the state file."
            )
        handle, name = tempfile.mkstemp(dir=str(path.parent), prefix=path.name + ".")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)  # noqa: PTH105 - the one that replaces on every system
        except BaseException:
            Path(name).unlink()
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise Unreadable(
            "state_unwritable", f"状态文件写不进:{error}。", f"The state cannot be saved: {error}."
        ) from None


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read_file(path: Path, what: str, most: int = 1024 * 1024 * 1024) -> bytes:
    """A file of the board's own. Raises Unreadable."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise Unreadable(
            f"no_{what}", f"读不了 {path}:{error.strerror}。", f"{path}: {error.strerror}."
        ) from None
    if len(data) > most:
        raise Unreadable(f"{what}_malformed", f"{path} 过大。", f"{path} is too large.")
    return data


def read_text(path: Path, what: str) -> str:
    """The same as UTF-8."""
    try:
        return read_file(path, what, MOST_TEXT).decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable(f"{what}_malformed", f"{path} 不是 UTF-8。", f"{path} is not UTF-8.") from None


# ======================================================================================================================
# 16. The audit: everything above, once over the bundle
# ======================================================================================================================


class Stop(NamedTuple):
    """A root that the tree must have at some size, and what to say if it has another."""

    size: int
    root: bytes
    code: str
    zh: str
    en: str


class Options(NamedTuple):
    """What the board was asked to check with."""

    policy: str | None = None
    rules: dict[str, Any] | None = None
    receipts: tuple[Promise | Proof, ...] = ()
    disclosures: tuple[Opened, ...] = ()
    authority: Path | None = None


class Audit:
    """One run over one bundle. `found` is complete after `run`."""

    def __init__(self, bundle: Bundle, state: dict[str, Any] | None, options: Options) -> None:
        """Read what frames the leaves. Raises Unreadable."""
        handed_on = tuple(_parsed_receipt(name, bundle.text(name)) for name in bundle.proofs())
        options = options._replace(receipts=options.receipts + handed_on)
        self.bundle, self.kept, self.options = bundle, state, options
        self.found = Findings()
        self.new = bundle.head("log/checkpoint")
        self.old = bundle.head("checkpoint.old") if bundle.has("checkpoint.old") else None
        self.start = self.old.size if self.old else 0
        self.policy_text = bundle.text("policy")
        self.rules = bundle.json("rules.json")
        self.schema = bundle.json("schema.json")
        self.census = bundle.json("census.json")
        self.frontier = bundle.frontier(self.start)
        self.policy = self._policy()
        self.prior = self._prior()
        self.signed = check_head(self.new, self.policy)
        self.stops: list[Stop] = []
        self.law_sent = _law_digest(self.rules)
        self.digests = {"rules": self.law_sent, "schema": _digest_of(self.schema)}
        self.leaves = 0
        self.withheld = 0

    # -- before the leaves --------------------------------------------------------------------------------------------

    def _policy(self) -> Policy:
        """The policy to judge by: the board's own file, else the one that it has pinned, else the one sent."""
        sent = self._parsed(self.policy_text, "policy")
        if self.options.policy is not None:
            own = self._parsed(self.options.policy, "--policy")
            if own.meaning() != sent.meaning():
                zh, en = (
                    "随包的共签规则与本机构的不同;以本机构的为准。",
                    "The policy sent is not your own; yours was used.",
                )
                self.found.note("policy_differs", zh, en)
            return own
        if self.kept is not None:
            own = self._parsed(self.kept["policy"], "the state's policy")
            if own.meaning() != sent.meaning():
                zh = "随包的共签规则与上次不同:核准后以 --policy 给出本机构采用的一份。"
                en = "The policy sent is not the one used before: resolve on it, then give your own by --policy."
                self.found.fail("policy_changed", zh, en)
            elif not self.kept["policy_pinned"]:
                self._unpinned()
            return own
        self._unpinned()
        return sent

    def _unpinned(self) -> None:
        zh = "未给出本机构自己的共签规则,用的是随包所附:请以决议采用,并以 --policy 给出。"
        en = "No policy of your own was given, the one sent was used: adopt one and give it by --policy."
        self.found.note("policy_unpinned", zh, en)

    @staticmethod
    def _parsed(text: str, what: str) -> Policy:
        try:
            return Policy(text)
        except BadNote as error:
            zh, en = f"共签规则({what})不合式。", f"The policy ({what}) is malformed: {error}."
            raise Unreadable("policy_malformed", zh, en) from None

    def _prior(self) -> dict[str, Any] | None:
        """The state, where this bundle goes on from it; None for one since genesis, which is judged from the start."""
        kept, fail = self.kept, self.found.fail
        if kept is None:
            return None
        if kept["origin"] != self.new.origin:
            fail(
                "other_origin",
                "这是另一日志的审计包。",
                f"Your state is of {kept['origin']}, not of {self.new.origin}.",
            )
            return None
        if self.new.size < kept["size"]:
            zh = f"日志比上次所见({kept['size']})还短:被截断或恢复了旧备份。"
            en = f"The log is shorter than the {kept['size']} leaves seen before: cut, or an old backup was restored."
            fail("rolled_back", zh, en)
            return None
        if self.start > kept["size"]:
            zh = f"本包从 {self.start} 开始,上次止于 {kept['size']}:中间有缺,请补要。"
            en = f"The bundle begins at {self.start}, your state ends at {kept['size']}: ask for what lies between."
            fail("months_missing", zh, en)
            return None
        return kept if self.start else None

    def _signatures(self) -> None:
        for name, head in (("checkpoint.old", self.old), ("log/checkpoint", self.new)):
            if head is None:
                continue
            if head.origin != self.new.origin:
                self.found.fail("other_origin", f"{name} 属另一日志。", f"{name} is another log's.")
            known = self.kept is not None and (head.size, _b64(head.root)) == (
                self.kept["size"],
                self.kept["root"],
            )
            if (
                not known
            ):  # what the board saw and kept needs no signature again: the keys may have changed since
                self._judge(name, self.signed if head is self.new else check_head(head, self.policy))

    def _judge(self, name: str, signed: Signed) -> None:
        fail = self.found.fail
        for one in signed.bad:
            fail(
                "signature_bad",
                f"{name} 上 {one} 的签名是错的。",
                f"The signature of {one} on {name} is wrong.",
            )
        for one in signed.unchecked:
            zh, en = (
                f"{one} 的签名种类本机无法核验。",
                f"This computer cannot check the kind of signature of {one}.",
            )
            self.found.note("signature_unchecked", zh, en)
        if not signed.log:
            zh, en = (
                f"{name} 没有共签规则所列日志密钥的签名。",
                f"No log key of the policy has signed {name}.",
            )
            fail("log_signature_missing", zh, en)
        if not signed.full:
            names = "、".join(sorted(signed.at)) or "无"
            zh = f"{name} 的共签不足法定数(已签:{names})。"
            en = f"{name} lacks a quorum of cosignatures (has: {', '.join(sorted(signed.at)) or 'none'})."
            fail("quorum_missing", zh, en)

    def _between(self) -> list[tuple[int, datetime]]:
        """The heads that came along with a quorum, and the new one: (size, time); their roots become stops."""
        timed: list[tuple[int, datetime]] = []
        for size in self.bundle.head_sizes():
            head = self.bundle.head(f"heads/{size}")
            if head.size != size or head.origin != self.new.origin:
                zh, en = f"heads/{size} 名实不符。", f"heads/{size} is another head than it is called."
                self.found.fail("other_origin", zh, en)
                continue
            signed = check_head(head, self.policy)
            for one in signed.bad:
                zh, en = (
                    f"heads/{size} 上 {one} 的签名是错的。",
                    f"The signature of {one} on heads/{size} is wrong.",
                )
                self.found.fail("signature_bad", zh, en)
            zh, en = (
                f"规模 {size} 的首部与叶子不符。",
                f"The head of size {size} is not the root of these leaves.",
            )
            if signed.log and not signed.bad and self.start < size < self.new.size:
                self.stops.append(Stop(size, head.root, "root_mismatch", zh, en))
                if signed.quorum is not None:
                    timed.append((size, signed.quorum))
        if self.signed.quorum is not None:
            timed.append((self.new.size, self.signed.quorum))
        return timed

    def _stops(self) -> None:
        """Every root that the tree must have on the way."""
        zh = "重算的根与新首部不符:叶子被增删改或换序。"
        en = "The leaves do not make the new head: some were added, cut, changed or reordered."
        self.stops.append(Stop(self.new.size, self.new.root, "root_mismatch", zh, en))
        kept = self.kept
        if (
            kept is not None
            and kept["origin"] == self.new.origin
            and self.start <= kept["size"] <= self.new.size
        ):
            zh = "日志与本机构上次所见分叉:旧首部在状态文件,新首部在包内,两者即证据。"
            en = "The log forked from what you saw: the head in your state and the one sent are the evidence."
            self.stops.append(Stop(kept["size"], _unb64(kept["root"]), "split_view", zh, en))
        for receipt in self.options.receipts:
            if isinstance(receipt, Proof) and self.start <= receipt.head.size <= self.new.size:
                zh = f"{receipt.file}:回执所据首部与本日志分叉。"
                en = f"{receipt.file}: the head in the receipt is not of this log's history."
                self.stops.append(Stop(receipt.head.size, receipt.head.root, "receipt_other_view", zh, en))
        self.stops.sort(key=lambda stop: stop.size)

    # -- the one pass -------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Check everything. Raises Unreadable where a part of the bundle cannot be read."""
        self._signatures()
        heads = self._between()
        self._stops()
        self._pinned_files()
        prior, whole = self.prior, self.start == 0
        before = self._old_time()
        self.places = Places(self.found, whole, prior)
        self.times = Times(self.found, heads, before, prior, self._grace)
        self.log = Log(self.found, self.new.origin, self._texts(), prior)
        self.count = Census(self.found)
        self.months = Months(self.found, whole, prior)
        self.log.handlers["census_taken.v1"] = self._census
        self.receipts = Receipts(self.found, list(self.options.receipts))
        self.disclosed = Disclosures(self.found, self.options.disclosures)
        self.law = self._law(prior["law"] if prior else None)
        self._begun = self.times.newest or before
        self._schema = Schema(self.schema, self.found)
        self._first = prior["size"] if prior else self.start
        self._pass()
        self._finish()

    def _law(self, state: dict[str, Any] | None) -> Law:
        try:
            return Law(self.rules, state)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            zh, en = (
                "rules.json(或状态中的流程部分)不合格式。",
                "rules.json, or the state's part of it, is malformed.",
            )
            raise Unreadable("rules_malformed", zh, en) from None

    def _grace(self, leaf: dict[str, Any]) -> datetime | None:
        """Until when a leaf may be recorded without a mark: the law that knows is made after the times."""
        return self.law.unmarked_until(leaf)

    def _old_time(self) -> datetime | None:
        return check_head(self.old, self.policy).quorum if self.old else None

    def _pass(self) -> None:
        if self.frontier.root() != (self.old.root if self.old else EMPTY_ROOT):
            zh, en = (
                "旧首部的右缘瓦片与旧根不符。",
                "The tiles at the old right edge do not make the old root.",
            )
            self.found.fail("old_root_mismatch", zh, en)
        pending = iter(self.stops)
        stop = self._passed(next(pending, None), pending)
        for tile in range(self.start // TILE, -(-self.new.size // TILE)):
            hashes = self._tile(tile)
            while hashes:
                room = len(hashes) if stop is None else min(len(hashes), stop.size - self.frontier.size)
                self.frontier.append(hashes[:room])
                hashes = hashes[room:]
                stop = self._passed(stop, pending)

    def _passed(self, stop: Stop | None, pending: Iterator[Stop]) -> Stop | None:
        """Judge the stops at the present size; gives the next one."""
        while stop is not None and stop.size <= self.frontier.size:
            if self.frontier.root() != stop.root and (
                stop.code not in self.found.counts or stop.code != "root_mismatch"
            ):
                self.found.fail(stop.code, stop.zh, stop.en, self.frontier.size - 1)
            stop = next(pending, None)
        return stop

    def _entries(self, tile: int) -> tuple[list[bytes], list[bytes]]:
        """One entry bundle and the hashes of its leaves; a withheld leaf's stands in the tile of hashes."""
        width = min(TILE, self.new.size - tile * TILE)
        entries = self.bundle.entries(tile, width)
        sha256 = hashlib.sha256
        hashes = [sha256(b"\x00" + entry).digest() for entry in entries]
        if not all(entries):
            public = self.bundle.tile(0, tile, width)
            hashes = [
                hashed if entry else public[at] for at, (entry, hashed) in enumerate(zip(entries, hashes))
            ]
        return entries, hashes

    def _root_at(self, size: int) -> bytes:
        """The root of this log's first leaves, so many, which reach at least to the bundle's start. A second pass."""
        edge = self.bundle.frontier(self.start)
        for tile in range(self.start // TILE, -(-size // TILE)):
            edge.append(self._entries(tile)[1][edge.size - tile * TILE : size - tile * TILE])
        return edge.root()

    def _tile(self, tile: int) -> list[bytes]:
        """Judge the leaves of one entry bundle, and give the hashes of those not in the tree yet."""
        first = tile * TILE
        entries, hashes = self._entries(tile)
        seen = max(0, self.start - first)
        if hashes[:seen] != self.frontier.levels[0][:seen]:
            zh, en = (
                "重叠部分的叶子与旧首部不符。",
                "Leaves from before the old head are not those of the old head.",
            )
            self.found.fail("overlap_differs", zh, en, first)
        begin = max(seen, self._first - first)
        fresh = entries[begin:]
        self.leaves += len(fresh)
        if self.options.receipts:
            for at, hashed in enumerate(hashes[begin:], begin):
                self.receipts.take(first + at, hashed)
        self._judge_all(first + begin, read_leaves(fresh), _names(hashes[begin:]))
        return hashes[seen:]

    def _judge_all(
        self, first: int, leaves: Iterator[dict[str, Any] | BadLeaf | None], names: list[str]
    ) -> None:
        """Judge leaves one after the other; `names` spell their hashes."""
        times, places, schema = self.times.take, self.places.take, self._schema.take
        count, law, disclosed = self.count.take, self.law.take, bool(self.options.disclosures)
        handlers, months = self.log.handlers, self.months
        for index, (leaf, name) in enumerate(zip(leaves, names), first):
            if leaf is None or isinstance(leaf, BadLeaf):
                self._no_leaf(index, leaf)
                continue
            try:
                times(index, leaf)
                places(index, leaf, name)
                schema(index, leaf)
                if leaf["recorded_at"] >= months.until and index:
                    months.turn(leaf["recorded_at"])
                if leaf["type"] in handlers or not index:
                    self.log.take(index, leaf)
                    self._policy_moved()
                count(index, leaf)
                if disclosed:
                    self.disclosed.take(index, leaf)
                law(index, leaf)
            except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
                zh, en = (
                    f"内容不合格式({type(error).__name__})。",
                    f"Its content is malformed ({type(error).__name__}).",
                )
                self.found.fail("event_malformed", zh, en, index, leaf["stream"], leaf["version"])

    def _no_leaf(self, index: int, bad: BadLeaf | None) -> None:
        """One that cannot be read, or of which only the hash is here. The opening is for every board to see."""
        if bad is not None:
            code, zh, en = bad.args
            self.found.fail(code, f"第 {index} 叶{zh}", f"Leaf {index} {en}", index)
            return
        self.withheld += 1
        if index == 0:
            zh, en = "第 0 叶(日志的开启)未出示。", "Leaf 0, which opens the log, was kept back."
            self.found.fail("genesis_missing", zh, en, index)

    def _census(self, index: int, leaf: dict[str, Any]) -> None:
        if leaf["stream"] == LOG_STREAM:
            self.months.take(index, leaf, self.count, self.withheld)

    def _policy_moved(self) -> None:
        if self.log.delay_hours is not None:
            self.times.promise(timedelta(hours=self.log.delay_hours))
        if self.log.adopted_at is not None:
            self.times.judged_from = self.log.adopted_at

    # -- after the leaves ---------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        now = self.signed.quorum or self.times.newest
        self.places.withheld += self.withheld
        self.places.finish()
        self.times.finish()
        if self.places.whole:
            self._tails()
        self._vouched()
        self.log.finish(self.policy, self.policy_text, self.law_sent)
        self._compare_counts()
        self.months.finish(self.log.census, self.times.opened, self.times.newest, self.times.delay)
        self.receipts.finish(self.log.receipt_key, self.new.origin, self._begun if self.start else None, now)
        self.receipts.finish_proofs(self.policy, self._first, self.new.size)
        self.log.overdue(self.times.newest)
        locked = {(stream, who) for stream, locks in self.log.locks.items() for who in locks}
        self.disclosed.finish(self.log.erased, locked, self.start == 0)
        for finding in self.law.finish(written(now or EPOCH)):
            self.found.add(finding)
        self._remaining(now)

    def _tails(self) -> None:
        """The log's own stream, the register and the releases are every board's to read, up to their last leaf."""
        told = self.census.get("heads")
        told = told if isinstance(told, dict) else {}
        for stream in (LOG_STREAM, *self.law.standing_streams()):
            version, last = self.places.streams.get(stream, (0, ""))
            said = told.get(stream)
            if said != [version, last]:
                there = said[0] if isinstance(said, list) and said else None
                zh = f"人人可读的流 {stream} 止于版本 {version},清点表称 {there} 或另一叶子:末段被扣留。"
                en = f"The stream {stream}, every board's to read, ends at version {version} here; the census names"
                en += f" version {there}, or another leaf: its end was kept back."
                self.found.fail("tail_withheld", zh, en, None, stream, version)

    def _vouched(self) -> None:
        """The heads on which the log changed its key are of this very tree."""
        for index, head in self.log.vouched:
            if head.size < self.start:
                zh = "更换密钥所据首部早于本包,其根未核。"
                en = "The head on which the key was changed is older than this bundle: its root was not computed."
                self.found.note("log_key_head_unseen", zh, en, index)
            elif self._root_at(head.size) != head.root:
                self.log.unproven(index)

    def _compare_counts(self) -> None:
        """The census counts what the bundle adds; a state that is ahead of the bundle's start has seen a part."""
        if self._first == self.start:
            self.count.finish(self.census, self.withheld)
        else:
            zh, en = (
                "本包与已核验部分重叠,清点表未比对。",
                "The bundle overlaps what was checked: its census was not compared.",
            )
            self.found.note("census_skipped", zh, en)

    def _remaining(self, now: datetime | None) -> None:
        note = self.found.note
        if self.withheld:
            zh, en = (
                f"{self.withheld} 片叶子只见哈希,内容未核。",
                f"{self.withheld} leaves are hashes only: not read.",
            )
            note("withheld", zh, en)
        for name in sorted(set(self.policy.witnesses) - set(self.signed.at)):
            note(
                "witness_missing",
                f"新首部无 {name} 的共签。",
                f"The new head bears no cosignature of {name}.",
            )
        self._time_stamps()
        for name in self.bundle.strange:
            note(
                "member_unknown",
                f"包内有不认识的文件 {name},未打开。",
                f"A file of unknown name was not opened: {name}.",
            )
        here = EPOCH + timedelta(seconds=int(time.time()))
        if now is not None and now > here + timedelta(days=1):
            zh, en = (
                "新首部的时间在将来(或本机时钟不准)。",
                "The new head lies in the future, or this clock is wrong.",
            )
            self.found.fail("head_from_future", zh, en)

    def _time_stamps(self) -> None:
        """The time stamps of heads (RFC 3161): checked by the program `openssl`, under the board's own certificate."""
        stamps, authority = self.bundle.stamps(), self.options.authority
        program = shutil.which("openssl") if authority is not None else None
        if authority is not None and not stamps:
            zh, en = "包内没有时间戳。", "The bundle holds no time stamp."
            self.found.note("time_stamp_missing", zh, en)
        elif stamps and (authority is None or program is None):
            zh = f"时间戳 {', '.join(stamps)} 未核:须有 openssl,并以 --tsa-ca 给出时间戳机构的根证书。"
            en = f"The time stamps {', '.join(stamps)} were not checked: that takes openssl, and the authority's root"
            en += " certificate by --tsa-ca."
            self.found.note("time_stamp_unchecked", zh, en)
        elif authority is not None and program is not None:
            for name in stamps:
                self._time_stamp(program, authority, name)

    def _time_stamp(self, program: str, authority: Path, name: str) -> None:
        head = self._stamped(name)
        if head is None:
            zh, en = (
                f"{name} 所盖的首部不在包内。",
                f"The head that {name} should stamp is not in the bundle.",
            )
            self.found.fail("time_stamp_stray", zh, en)
            return
        at = time_stamped(program, authority, head, self.bundle.data(name, MOST_NOTE))
        if at is None:
            zh, en = (
                f"{name} 不是所给机构对该首部的时间戳。",
                f"{name} is no time stamp of that head by the authority given.",
            )
            self.found.fail("time_stamp_bad", zh, en)
        else:
            zh, en = (
                f"时间戳 {name} 成立:该首部至迟在 {at} 已存在。",
                f"The time stamp {name} holds: its head was there at {at}.",
            )
            self.found.note("time_stamp_holds", zh, en)

    def _stamped(self, name: str) -> bytes | None:
        """The head that a time stamp is called after, as it came along."""
        size = re.fullmatch(r"tsr/(0|[1-9][0-9]{0,18})[.]tsr", name)
        heads = {f"{self.old.size}": "checkpoint.old"} if self.old else {}
        heads[f"{self.new.size}"] = "log/checkpoint"
        head = heads.get(size[1], f"heads/{size[1]}") if size else ""
        return self.bundle.data(head, MOST_NOTE) if self.bundle.has(head) else None

    def _texts(self) -> dict[str, bool]:
        return {
            name: hashlib.sha256(self.bundle.data(f"texts/{name}")).hexdigest() == name
            for name in self.bundle.texts()
        }

    def _pinned_files(self) -> None:
        """The schema and the process law are those of last time; the rulebooks beside the law stand in leaves.

        Another law may let pass what this one does not: the board resolves on it (`--rules`, or `--accept`), as on
        another policy. Its own counts.
        """
        kept = self.kept
        if self.options.rules is not None:
            self._own_rules(self.options.rules)
        elif kept is not None and kept["rules_sha256"] != self.law_sent:
            zh = "rules.json 与上次不同:核准后以 --rules 给出本机构采用的一份。"
            en = "rules.json is not the one of last time: resolve on it, then give your own by --rules."
            self.found.fail("rules_changed", zh, en)
        elif kept is None or not kept["rules_pinned"]:
            zh = "未给出本机构自己的流程规则,用的是随包所附:请核对摘要(见报告开头),以 --rules 给出。"
            en = "No process law of your own was given, the one sent was used: look at it, and give yours by --rules."
            self.found.note("rules_unpinned", zh, en)
        if kept is not None and kept["schema_sha256"] != self.digests["schema"]:
            zh, en = "schema.json 与上次不同:请核对。", "schema.json is not the one of last time: look at it."
            self.found.note("schema_changed", zh, en)

    def _own_rules(self, own: dict[str, Any]) -> None:
        """The board's own law is run, with the rulebooks that came along."""
        self.digests["rules"] = _law_digest(own)
        if self.digests["rules"] != self.law_sent:
            zh = "随包的流程规则与本机构的不同;以本机构的为准。"
            en = "The process law sent is not your own; yours was run."
            self.found.fail("rules_not_own", zh, en)
            self.rules = {**own, "rulebooks": self.rules.get("rulebooks", {})}

    def state(self, accepted: list[dict[str, Any]]) -> dict[str, Any]:
        """The board's state after this bundle."""
        newest, opened = self.times.newest, self.times.opened
        return {
            "format": STATE_FORMAT,
            "origin": self.new.origin,
            "size": self.new.size,
            "root": _b64(self.new.root),
            "checkpoint": self.bundle.text("log/checkpoint"),
            "policy": self.policy.text,
            "policy_sha256": hashlib.sha256(self.policy.text.encode()).hexdigest(),
            "policy_pinned": self.options.policy is not None
            or bool(self.kept and self.kept["policy_pinned"]),
            "rules_sha256": self.digests["rules"],
            "rules_pinned": self.options.rules is not None or bool(self.kept and self.kept["rules_pinned"]),
            "rules_published": self.log.rules,
            "schema_sha256": self.digests["schema"],
            "log_key": self.log.log_key,
            "receipt_key": self.log.receipt_key,
            "adopted": self.log.adopted,
            "delay_hours": self.log.delay_hours if self.log.delay_hours is not None else 24,
            "opened_at": written(opened) if opened else None,
            "recorded_at": written(newest) if newest else None,
            "law": self.law.state(),
            "locked": _rows(self.log.locks),
            "terms": _rows(self.log.terms),
            "accepted": accepted,
            "census": self.months.state(self.count, self.withheld),
            **self.places.state(),
        }


def time_stamped(program: str, authority: Path, data: bytes, token: bytes) -> str | None:
    """When the authority stamped these bytes, in OpenSSL's words; None where the token is not its stamp of them.

    RFC 3161 section 2.4.2. Raises Unreadable where the program cannot be run.
    """
    import subprocess
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        head, reply = Path(folder, "head"), Path(folder, "tsr")
        head.write_bytes(data)
        reply.write_bytes(token)
        asked = ("ts", "-verify", "-data", str(head), "-in", str(reply), "-CAfile", str(authority))
        try:
            if subprocess.run((program, *asked), capture_output=True, timeout=60, check=False).returncode:
                return None
            shown = ("ts", "-reply", "-in", str(reply), "-text")
            told = subprocess.run((program, *shown), capture_output=True, timeout=60, check=False).stdout
        except (OSError, subprocess.SubprocessError) as error:
            zh, en = "openssl 无法运行。", f"The program openssl cannot be run: {error}."
            raise Unreadable("openssl_failed", zh, en) from None
    found = re.search(rb"^Time stamp: ([\x20-\x7e]+)$", told, re.MULTILINE)
    return found[1].decode("ascii") if found else None


def _digest_of(part: dict[str, Any]) -> str:
    return hashlib.sha256(_spelled(part).encode("utf-8", "replace")).hexdigest()


def _law_digest(rules: dict[str, Any]) -> str:
    """The digest of a process law; the rulebooks beside it, and what it says of its digest, do not count."""
    return _digest_of({name: part for name, part in rules.items() if name not in ("rulebooks", "digest")})


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unb64(text: str) -> bytes:
    try:
        return _base64(text)
    except BadNote:
        return b""


# ======================================================================================================================
# 17. Cosigning by hand (C2SP tlog-cosignature)
# ======================================================================================================================


class Cosigner(NamedTuple):
    """A board's private key: `PRIVATE+KEY+name+hash+base64(0x04 || seed)`."""

    key: Key
    seed: bytes


def read_cosigner(text: str) -> Cosigner:
    """The key of a file. Raises Unreadable."""
    found = re.fullmatch(r"PRIVATE\+KEY\+([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)", text.strip())
    try:
        if found is None:
            raise BadNote("no private key")
        material = _base64(found[3])
        if len(material) != 33 or material[0] != COSIGNATURE:
            raise BadNote("not an Ed25519 cosigning key")
        public = ed25519_public(material[1:])
        key = Key(found[1], key_id(found[1], COSIGNATURE, public), COSIGNATURE, public)
        if key.id.hex() != found[2]:
            raise BadNote("the key's hash does not fit the key")
    except BadNote as error:
        raise Unreadable(
            "key_malformed", "共签密钥文件不合式。", f"The cosigning key is malformed: {error}."
        ) from None
    return Cosigner(key, material[1:])


def cosignature(cosigner: Cosigner, head: Head, now: int) -> str:
    """The signature line of a board for a head, without line end."""
    message = b"cosignature/v1\ntime %d\n" % now + head.note.text.encode()
    blob = cosigner.key.id + now.to_bytes(8, "big") + ed25519_sign(cosigner.seed, message)
    return f"— {cosigner.key.name} {_b64(blob)}"


# ======================================================================================================================
# 18. The report and the command line
# ======================================================================================================================

PASS, FAIL, UNREADABLE = 0, 1, 2


def main(arguments: list[str]) -> int:
    """Run; the exit code."""
    for stream in (sys.stdout, sys.stderr):  # Chinese on a console that was set up for something else
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    asked = _arguments(arguments)
    gc.disable()  # millions of small objects without a cycle among them, in a process that ends soon
    try:
        report = check(asked)
    except Unreadable as error:
        report = {
            "result": "unreadable",
            "code": error.code,
            "zh": error.zh,
            "en": error.en,
            "exit": UNREADABLE,
        }
    if asked.json:
        print(json.dumps(report, ensure_ascii=False, indent=1))
    else:
        print("\n".join(_lines(report)))
    return int(report["exit"])


def _arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="verify.py",
        description="核验审计包 Check an audit bundle. 0 PASS 通过 · 1 FAIL 不通过 · 2 unreadable 读不了",
    )
    parser.add_argument("bundle", type=Path, help="审计包 the bundle, a zip")
    parser.add_argument("--state", type=Path, help="本机构的状态文件 the board's state; made at first use")
    parser.add_argument("--policy", type=Path, help="本机构采用的共签规则 the board's own policy")
    parser.add_argument("--rules", type=Path, help="本机构采用的流程规则 the board's own rules.json")
    parser.add_argument(
        "--receipt", type=Path, action="append", default=[], help="回执 a promise or .tlog-proof"
    )
    parser.add_argument(
        "--disclosures", type=Path, action="append", default=[], help="披露 sealed values opened for you"
    )
    parser.add_argument(
        "--tsa-ca", type=Path, metavar="FILE", help="时间戳机构的根证书 the time stamp authority's root (PEM)"
    )
    parser.add_argument("--json", action="store_true", help="机器可读 one JSON object")
    parser.add_argument(
        "--accept", action="store_true", help="已议决:保留发现、推进状态 go on in spite of FAIL, on record"
    )
    parser.add_argument(
        "--cosign", type=Path, metavar="KEYFILE", help="通过后共签 cosign the head after PASS"
    )
    return parser.parse_args(arguments)


def check(asked: argparse.Namespace) -> dict[str, Any]:
    """Audit a bundle as asked; the report. Raises Unreadable."""
    if asked.cosign and not asked.state:
        zh, en = (
            "共签须有 --state:没有状态者可能为分叉背书。",
            "Cosigning needs --state: without it you might sign a fork.",
        )
        raise Unreadable("cosign_without_state", zh, en)
    cosigner = read_cosigner(read_text(asked.cosign, "key")) if asked.cosign else None
    state, before = load_state(asked.state)
    options = Options(
        policy=read_text(asked.policy, "policy") if asked.policy else None,
        rules=json_object(read_text(asked.rules, "rules"), "--rules") if asked.rules else None,
        receipts=tuple(_receipt(path) for path in asked.receipt),
        disclosures=tuple(read_disclosures(read_text(path, "disclosures")) for path in asked.disclosures),
        authority=asked.tsa_ca,
    )
    if asked.tsa_ca is not None:
        read_file(asked.tsa_ca, "tsa_ca")
    bundle = Bundle(asked.bundle)
    try:
        return _settled(Audit(bundle, state, options), asked, before, cosigner)
    finally:
        bundle.close()


def _settled(
    audit: Audit, asked: argparse.Namespace, before: bytes | None, cosigner: Cosigner | None
) -> dict[str, Any]:
    """Run the audit; save the state and cosign where the verdict allows it. The report."""
    audit.run()
    report = _report(audit)
    if asked.state is None or (audit.found.failed and not (asked.accept and not audit.found.broken)):
        return report
    accepted = list(audit.kept["accepted"]) if audit.kept else []
    if audit.found.failed:
        accepted.append({"size": audit.new.size, "findings": audit.found.counts})
    save_state(asked.state, audit.state(accepted), before)
    report["state_saved"] = True
    if cosigner is not None:
        report["cosignature"] = cosignature(cosigner, audit.new, int(time.time()))
    return report


def _receipt(path: Path) -> Promise | Proof:
    return _parsed_receipt(path.name, read_text(path, "receipt"))


def _parsed_receipt(name: str, text: str) -> Promise | Proof:
    """A receipt, or a proof that came along. Raises Unreadable."""
    try:
        return read_receipt(name, text)
    except BadNote as error:
        zh, en = f"{name} 不是合式的回执。", f"{name} is no receipt: {error}."
        raise Unreadable("receipt_malformed", zh, en) from None


def _report(audit: Audit) -> dict[str, Any]:
    found, old, new = audit.found, audit.old, audit.new
    cosigned = {name: written(at) for name, at in sorted(audit.signed.at.items())}
    return {
        "result": "fail" if found.failed else "pass",
        "exit": FAIL if found.failed else PASS,
        "origin": new.origin,
        "old": {"size": old.size, "root": _b64(old.root)} if old else {"size": 0, "root": _b64(EMPTY_ROOT)},
        "new": {"size": new.size, "root": _b64(new.root), "cosigned_by": cosigned},
        "leaves": audit.leaves,
        "withheld": audit.withheld,
        "events": audit.count.types,
        "findings": [{**finding._asdict(), "proof": finding.code in PROOF} for finding in found.listed],
        "counts": found.counts,
        "digests": audit.digests,
        "rulebooks_unread": sorted(audit.law.unread),
        "limits": [{"code": code, "zh": zh, "en": en} for code, zh, en in LIMITS],
        "state_saved": False,
        "cosignature": None,
    }


_UNREAD = (
    "!! 时限与岗位未核:本机读不了规则文本。请换 Python 3.11 以上(并有时区数据)再核。",
    "!! CLOCKS AND POSTS WERE NOT CHECKED: run this on Python 3.11 or newer, with time zones, to read the rulebooks.",
    "",
)


def _lines(report: dict[str, Any]) -> list[str]:
    """The report in words, Chinese first."""
    if report["result"] == "unreadable":
        return [f"读不了 UNREADABLE · {report['code']}", f"  {report['zh']}", f"  {report['en']}"]
    unread = report["rulebooks_unread"]
    lines = [
        *(_UNREAD if unread else ()),
        f"日志 log      {report['origin']}",
        f"旧首部 old    {report['old']['size']:>12}  {report['old']['root']}",
        f"新首部 new    {report['new']['size']:>12}  {report['new']['root']}",
        f"叶子 leaves   {report['leaves']:>12}  只见哈希 hashes only {report['withheld']}",
    ]
    lines += [f"{name}.json".ljust(16) + digest for name, digest in report["digests"].items()]
    lines += [f"共签 cosigned {name}  {at}" for name, at in report["new"]["cosigned_by"].items()]
    for finding in report["findings"]:
        lines += _finding_lines(finding)
    more = {code: n - MOST_PER_CODE for code, n in report["counts"].items() if n > MOST_PER_CODE}
    lines += [f"另有 {n} 项未列 and {n} more of {code}" for code, n in more.items()]
    lines += ["", "任何日志都显示不出的 What no log can show:"]
    lines += [f"  {one['zh']}\n  {one['en']}" for one in report["limits"]]
    verdict = "通过 PASS" if report["result"] == "pass" else "不通过 FAIL"
    verdict += " (时限与岗位未核 CLOCKS AND POSTS NOT CHECKED)" if unread else ""
    saved = "状态已保存 state saved" if report["state_saved"] else "状态未保存 state not saved"
    lines += ["", f"{verdict} · {saved}"]
    return lines + ([report["cosignature"]] if report["cosignature"] else [])


def _finding_lines(finding: dict[str, Any]) -> list[str]:
    mark = "注 note" if finding["note"] else "错 FAIL"
    where = [
        f"{word} {finding[name]}"
        for name, word in (("index", "叶 leaf"), ("case", "案卷 case"), ("version", "版本 version"))
        if finding[name] is not None
    ]
    return [
        "",
        f"[{mark}] {finding['code']}  {' · '.join(where)}".rstrip(),
        f"  {finding['zh']}",
        f"  {finding['en']}",
    ]


if __name__ == "__main__":
    code = main(sys.argv[1:])
    gc.freeze()  # the computer takes the memory back at once: no need to let go of each of those objects
    sys.exit(code)
