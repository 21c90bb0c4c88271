"""Audit bundles made by hand, good and forged: its own tree, tiles and notes, sharing no line with the product."""

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ORIGIN = "huiyin.local/450305"
BEGIN = datetime(2025, 11, 1, tzinfo=UTC)
GENESIS_STREAM = "5e91a2d4-0f3c-5f5e-9b1a-6c1f3a7d2e05"
LOG_STREAM = "5e91a2d4-0f3c-5f5e-9b1a-6c1f3a7d2e06"
Json = dict[str, Any]


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\0" + entry).digest()


def root(hashes: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, by its recursive definition."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return hashlib.sha256(b"\1" + root(hashes[:k]) + root(hashes[k:])).digest()


def path(index: int, hashes: list[bytes]) -> list[bytes]:
    """RFC 9162 section 2.1.3.1, by its recursive definition."""
    if len(hashes) == 1:
        return []
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    if index < k:
        return [*path(index, hashes[:k]), root(hashes[k:])]
    return [*path(index - k, hashes[k:]), root(hashes[:k])]


class Signer:
    """An Ed25519 key with its name, for one kind of signature (1: note, 4: cosignature)."""

    def __init__(self, name: str, kind: int) -> None:
        self.name, self.kind = name, kind
        self.seed = hashlib.sha256(f"{name}/{kind}".encode()).digest()
        self._key = Ed25519PrivateKey.from_private_bytes(self.seed)
        public = bytes([kind]) + self._key.public_key().public_bytes_raw()
        self.id = hashlib.sha256(name.encode() + b"\n" + public).digest()[:4]
        self.vkey = f"{name}+{self.id.hex()}+{b64(public)}"

    @property
    def private(self) -> str:
        return f"PRIVATE+KEY+{self.name}+{self.id.hex()}+{b64(bytes([self.kind]) + self.seed)}"

    def line(self, text: str, at: datetime | None = None) -> str:
        """The signature line for a note's text; a cosignature is made at `at`."""
        if self.kind == 1:
            return f"— {self.name} {b64(self.id + self._key.sign(text.encode()))}\n"
        seconds = int((at or BEGIN).timestamp())
        signature = self._key.sign(f"cosignature/v1\ntime {seconds}\n{text}".encode())
        return f"— {self.name} {b64(self.id + seconds.to_bytes(8, 'big') + signature)}\n"


LOG_KEY = Signer(ORIGIN, 1)
RECEIPT_KEY = Signer(f"{ORIGIN}/receipts", 1)
BOARDS = tuple(Signer(f"board{n}.example", 4) for n in (1, 2, 3))


def policy(k: int = 2, boards: Iterable[Signer] = BOARDS, log: Signer = LOG_KEY) -> str:
    named = {f"B{n}": one for n, one in enumerate(boards, 1)}
    lines = [f"log {log.vkey}", *(f"witness {name} {one.vkey}" for name, one in named.items())]
    if not named:
        return "\n".join([*lines, "quorum none", ""])
    return "\n".join([*lines, f"group boards {k} {' '.join(named)}", "quorum boards", ""])


@dataclass
class Trail:
    """A log growing leaf by leaf; `at` is the office's clock."""

    at: datetime = BEGIN
    entries: list[bytes] = field(default_factory=list)
    versions: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    position: int = 0
    basis: Json = field(
        default_factory=lambda: {"calendar": "cn-2026", "code": "0.1.0", "register": 1, "rulebook": "demo/1"}
    )

    def body(self, stream: str, kind: str, pub: Json, **changed: Any) -> Json:
        when = stamp(self.at)
        return {
            "_sd": [], "authority": "law:street-office", "backfill": False,
            "basis": self.basis,
            "capacity": "sd-01", "causation": None, "command": "cli:1", "correlation": "cli:1",
            "nonce": hashlib.sha256(f"{stream}{len(self.entries)}".encode()).hexdigest()[:32], "occurred_at": when,
            "person": "3f2b8c1e-5d4a-4b6f-9e7d-0a1b2c3d4e5f", "post": "officer", "pub": pub, "recorded_at": when,
            "rule": "accept_matter", "stream": stream, "type": kind, **changed,
        }  # fmt: skip

    def add(self, stream: str, kind: str, pub: Json | None = None, **changed: Any) -> bytes:
        """Append an event one second later; returns the leaf's bytes."""
        self.at += timedelta(seconds=1)
        version, previous = self.versions.get(stream, (0, b""))
        leaf = self.body(stream, kind, pub or {}, **changed) | {
            "_position": self.position, "_prev": b64url(previous) if version else None, "version": version + 1,
        }  # fmt: skip
        return self.put(leaf | {name: value for name, value in changed.items() if name in leaf})

    def put(self, leaf: Json) -> bytes:
        """Append a leaf as it is."""
        return self.put_bytes(canonical(leaf), leaf["stream"], leaf["version"], leaf["_position"])

    def put_bytes(self, entry: bytes, stream: str, version: int, position: int | None = None) -> bytes:
        self.entries.append(entry)
        self.versions[stream] = (version, leaf_hash(entry))
        self.position = (self.position if position is None else position) + 1
        return entry

    def open(self, **changed: Any) -> "Trail":
        """The genesis leaf."""
        pub = {
            "origin": ORIGIN, "log_key": LOG_KEY.vkey, "receipt_key": RECEIPT_KEY.vkey, "delay_hours": 24,
            "store_epoch": "e1", "previous_origin": None, "previous_head": None,
            "rules": law_digest(),
        }  # fmt: skip
        self.add(GENESIS_STREAM, "log_opened.v1", pub | changed)
        return self

    def matters(self, count: int, events: int = 3, begin: int = 0) -> "Trail":
        """So many matters with so many events each, one after the other's like events."""
        for step in range(events):
            for n in range(begin, begin + count):
                if step == 0:
                    self.add(case(n), "matter_registered.v1", {"number": f"n-{n}", "source": "window"})
                else:
                    self.add(
                        case(n), "work_noted.v1", {"what": f"step-{step}"}, _sd=[digest(disclosure(n, step))]
                    )
        return self

    @property
    def size(self) -> int:
        return len(self.entries)

    def hashes(self, size: int | None = None) -> list[bytes]:
        return [leaf_hash(entry) for entry in self.entries[:size]]


def case(n: int) -> str:
    return f"00000000-0000-4000-8000-{n:012d}"


def disclosure(n: int, step: int) -> str:
    return b64url(json.dumps([f"salt-{n}-{step}", "note", "text"]).encode())


def digest(text: str) -> str:
    return b64url(hashlib.sha256(text.encode()).digest())


def checkpoint(hashes: list[bytes], origin: str = ORIGIN) -> str:
    return f"{origin}\n{len(hashes)}\n{b64(root(hashes))}\n"


def signed(text: str, at: datetime, signers: Iterable[Signer] = (LOG_KEY, *BOARDS)) -> str:
    return text + "\n" + "".join(one.line(text, at) for one in signers)


def tile_name(level: int | str, index: int, width: int) -> str:
    name = f"{index % 1000:03d}"
    while index >= 1000:
        index //= 1000
        name = f"x{index % 1000:03d}/{name}"
    return f"log/tile/{level}/{name}" + (f".p/{width}" if width < 256 else "")


def edge(hashes: list[bytes]) -> dict[str, bytes]:
    """The partial tiles of the tree's right edge."""
    files, level, row = {}, 0, hashes
    while row:
        full, width = divmod(len(row), 256)
        if width:
            files[tile_name(level, full, width)] = b"".join(row[full * 256 :])
        row = [root(row[at : at + 256]) for at in range(0, full * 256, 256)]
        level += 1
    return files


def entry_bundles(entries: list[bytes], start: int) -> dict[str, bytes]:
    files = {}
    for first in range(start // 256 * 256, len(entries), 256):
        some = entries[first : first + 256]
        files[tile_name("entries", first // 256, len(some))] = b"".join(
            len(one).to_bytes(2, "big") + one for one in some
        )
    return files


TYPES = {
    "log_opened.v1": "origin log_key receipt_key delay_hours store_epoch previous_origin previous_head rules census?",
    "census_taken.v1": "month events cases registrations",
    "matter_backfilled.v1": "number",
    "map_released.v1": "name digest in_force_from",
    "subscription_made.v1": "subscription channel person body post source types receiver address ground secret",
    "subscription_secret_changed.v1": "subscription secret old_until",
    "subscription_paused.v1": "subscription",
    "subscription_resumed.v1": "subscription",
    "subscription_ended.v1": "subscription why",
    "rules_published.v1": "digest",
    "matter_registered.v1": "number source",
    "work_noted.v1": "what",
    "policy_adopted.v1": "digest log_keys witnesses k n delay_hours",
    "log_key_changed.v1": "old new head",
    "witness_silent.v1": "witness since size root last_size",
    "rulebook_released.v1": "digest in_force_from name use zone",
    "notice_entered.v1": "notice",
    "data_erased.v1": "ground authority subject digests boards",
    "data_locked.v1": "ground authority subject retention until",
    "data_unlocked.v1": "ground authority subject still",
    "claim_set_aside.v1": "witness vkey claimed size root",
}
SCHEMA = {
    "format": "huiyin-schema/v1",
    "types": {
        name: {
            "properties": {one.rstrip("?"): {} for one in fields.split()},
            "required": [one for one in fields.split() if not one.endswith("?")],
        }
        for name, fields in TYPES.items()
    },
}


RULES = {
    "format": "huiyin-rules/v1", "events": {}, "acts": {}, "states": {"ended": [], "live_leg": []},
    "bodies": dict.fromkeys(("resident", "centres", "below_community", "panels", "supervisors", "rule_on_returns"), ""),
    "clock_person": "system:clock", "standing_still": [], "misses": [], "order_kinds": {}, "streams": {},
    "rulebooks": {}, "not_checkable": [], "digest": "none",
}  # fmt: skip
"""A law that knows no case: what the process law finds is tested apart."""


def law_digest(law: Json = RULES) -> str:
    """What the log commits to."""
    kept = {name: part for name, part in law.items() if name not in ("rulebooks", "digest")}
    return hashlib.sha256(canonical(kept)).hexdigest()


STANDING = (LOG_STREAM, "register", "releases")


def heads(trail: Trail) -> Json:
    """Where the streams that are every board's to read end."""
    places = {stream: trail.versions.get(stream, (0, b"")) for stream in STANDING}
    return {stream: [version, b64url(last)] for stream, (version, last) in places.items()}


def census(entries: list[bytes]) -> Json:
    told: Json = {"format": "huiyin-census/v1", "events": {}, "streams": {}, "intake": {}, "withheld": 0}
    for entry in entries:
        try:
            leaf = json.loads(entry)
            kind, stream = leaf["type"], leaf["stream"]
        except (ValueError, LookupError, TypeError, RecursionError):
            continue
        told["events"][kind] = told["events"].get(kind, 0) + 1
        told["streams"][stream] = told["streams"].get(stream, 0) + 1
        if kind == "matter_registered.v1":
            key = f"{leaf['recorded_at'][:10]} {leaf['pub']['source']}"
            told["intake"][key] = told["intake"].get(key, 0) + 1
    return told


def files_of(
    trail: Trail, old: int = 0, *, at: datetime | None = None, old_at: datetime | None = None
) -> dict[str, bytes]:
    """The members of an honest bundle from `old` to the trail's end; heads cosigned a minute after their last leaf."""
    hashes = trail.hashes()
    now = at or trail.at + timedelta(minutes=1)
    files = {
        "policy": policy().encode(),
        "log/checkpoint": signed(checkpoint(hashes), now).encode(),
        "schema.json": canonical(SCHEMA),
        "rules.json": canonical(RULES),
        "census.json": canonical(census(trail.entries[old:]) | {"heads": heads(trail)}),
        **entry_bundles(trail.entries, old),
    }
    if old:
        before = old_at or recorded(trail.entries[old - 1]) + timedelta(minutes=1)
        files["checkpoint.old"] = signed(checkpoint(hashes[:old]), before).encode()
        files |= edge(hashes[:old])
    return files


def recorded(entry: bytes) -> datetime:
    return datetime.fromisoformat(json.loads(entry)["recorded_at"])


def zipped(files: dict[str, bytes], to: Path) -> Path:
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return to


def zipped_bytes(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


def bundle(trail: Trail, to: Path, old: int = 0, **changed: bytes | None) -> Path:
    """An honest bundle, with some members replaced or (None) left out; `__` stands for `/`, `_dot_` for `.`."""
    files = files_of(trail, old)
    for name, data in changed.items():
        real = name.replace("__", "/").replace("_dot_", ".")
        if data is None:
            del files[real]
        else:
            files[real] = data
    return zipped(files, to)


def promise(
    entry: bytes, at: datetime, delay: int = 24, signer: Signer = RECEIPT_KEY, origin: str = ORIGIN
) -> str:
    text = f"huiyin-receipt/v1\n{origin}\n450305-20261101-ABCDEF-X\n{b64(leaf_hash(entry))}\n{stamp(at)}\n{delay}\n"
    return f"{text}\n{signer.line(text)}"


def proof(trail: Trail, index: int, at: datetime, size: int | None = None) -> str:
    hashes = trail.hashes(size)
    lines = "".join(f"{b64(step)}\n" for step in path(index, hashes))
    return f"c2sp.org/tlog-proof@v1\nindex {index}\n{lines}\n{signed(checkpoint(hashes), at)}"


Forger = Callable[[Trail], None]
