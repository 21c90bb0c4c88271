"""What the tests of the evidence log share: small trees, keys that sign, and the C2SP texts beside the project."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.log.checkpoint import Checkpoint
from domain.log.cosignature import cosign
from domain.log.notes import ED25519, ED25519_COSIGNATURE, Note, Sign, Signature, VerifierKey, sign_note
from domain.log.tree import leaf_hash, root
from tests.small_tree import subtree_of

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
ORIGIN = "huiyin.example/gulou"
NOW = 1_795_392_000


def hashes(size: int) -> list[bytes]:
    """The leaf hashes of a tree of so many leaves; every such tree continues the smaller ones."""
    return _hashes(-(-size // 1000) * 1000)[:size]


@cache
def _hashes(size: int) -> list[bytes]:
    return [leaf_hash(b"leaf %d" % number) for number in range(size)]


def root_of(size: int) -> bytes:
    """The root of that tree."""
    return root(size, subtree_of(hashes(size)))


class Key:
    """A key pair that always is the same for one name and number."""

    def __init__(self, name: str, algorithm: int = ED25519, number: int = 1) -> None:
        private = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)
        self.sign: Sign = private.sign
        self.vkey = VerifierKey.of(name, algorithm, private.public_key().public_bytes_raw())


LOG_KEY = Key(ORIGIN)
BOARDS = [Key(f"board-{number}.example/w", ED25519_COSIGNATURE, number) for number in (2, 3, 4)]


def head(size: int, origin: str = ORIGIN, key: Key = LOG_KEY) -> Note:
    """The log-signed checkpoint of that tree."""
    return sign_note(Checkpoint(origin, size, root_of(size)).text, key.vkey, key.sign)


def line(note: Note, board: Key, at: int = NOW) -> Signature:
    """A board's cosignature under it."""
    return cosign(note.text, board.vkey, at, board.sign)


def flipped(data: bytes, bit: int) -> bytes:
    """The same bytes with one bit turned, counted round."""
    at, shift = divmod(bit % (len(data) * 8), 8)
    return data[:at] + bytes([data[at] ^ (1 << shift)]) + data[at + 1 :]


def spec(name: str) -> str:
    """A C2SP text; skips where it is absent."""
    path = DATA / "c2sp" / f"{name}.md"
    if not path.is_file():
        pytest.skip("the C2SP texts are not beside the project")
    return path.read_text()


def examples(name: str) -> list[str]:
    """The examples of a C2SP text: fenced blocks, then indented ones."""
    text = spec(name)
    fenced = re.findall(r"^```\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    indented = re.findall(r"(?:^(?:    .*)?\n)+", text, re.MULTILINE)
    return fenced + [re.sub("^    ", "", block.strip("\n") + "\n", flags=re.MULTILINE) for block in indented]


def example(name: str, beginning: str) -> str:
    """The one example that begins so."""
    (found,) = [one for one in examples(name) if one.startswith(beginning)]
    return found
