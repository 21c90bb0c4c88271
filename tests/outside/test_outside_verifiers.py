"""Packages that nobody here wrote judge what this log hands out, each in an environment of its own.

tlog-scales reads the exported files, metamorphic-log (Rust) the signed heads and proofs, proofbundle whole receipts.
Each is also shown something tampered with, and must refuse it: a judge that cannot fail has judged nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from adapters.log.export import export
from adapters.log.growing import reader
from adapters.log.store import LogStore
from adapters.receipt.prove import proof_file
from adapters.receipt.qr import save_picture
from domain.log.tiles import subtree_from_tiles
from domain.log.tree import consistency, inclusion, leaf_hash
from tests.made_log import BOARD_KEYS, BOARDS, LOG_KEY, ORIGIN, grow, key, made_log, sign_head
from tests.made_receipt import receipt
from tests.outside.ask import JUDGES, ask
from tests.outside.web import served

OLD, SIZE = 777, 70_411
PLACES = (0, 1, 255, 256, 65_535, 65_536, 70_399, SIZE - 1)
VKEY = str(LOG_KEY.public)
SCALES, METAMORPHIC = "tlog-scales", "metamorphic-log"


@dataclass
class Made:
    """The log with two heads, and its export."""

    log: LogStore
    folder: Path
    old: str
    new: str

    def path(self, index: int, size: int = SIZE) -> list[bytes]:
        """Our inclusion proof."""
        return inclusion(index, size, subtree_from_tiles(reader(self.log), size))

    def between(self, old: int, new: int = SIZE) -> list[bytes]:
        """Our consistency proof."""
        return consistency(old, new, subtree_from_tiles(reader(self.log), new))

    def root(self, size: int) -> bytes:
        """The root that was signed at this size."""
        head = self.log.head_at(size)
        assert head is not None
        return head.root


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("made")
    with made_log(folder, OLD, 3) as log:
        old = export(log, folder / "public").note
        grow(log, SIZE)
        sign_head(log, 3)
        new = export(log, folder / "public").note
        yield Made(log, folder / "public", old, new)


def flipped(data: bytes) -> bytes:
    """The same with one bit of it turned."""
    return bytes([data[0] ^ 1]) + data[1:]


def tampered(note: str) -> str:
    """The note over a tree that is one leaf larger, under the old signatures."""
    return note.replace(f"\n{SIZE}\n", f"\n{SIZE + 1}\n", 1)


def test_at_least_two_judges_stand_ready() -> None:
    assert {SCALES, METAMORPHIC, "proofbundle"} <= set(JUDGES)


# -- heads ------------------------------------------------------------------------------------------------------------


def test_metamorphic_log_reads_the_head_that_we_signed(made: Made) -> None:
    answer = ask(METAMORPHIC, about="checkpoint", note=made.new, vkeys=[VKEY])

    assert (answer["ok"], answer.get("origin"), answer.get("size")) == (True, ORIGIN, SIZE), answer


@pytest.mark.parametrize("wrong", ["another size", "another key"])
def test_metamorphic_log_refuses_a_head_that_we_did_not_sign(made: Made, wrong: str) -> None:
    note = tampered(made.new) if wrong == "another size" else made.new
    vkey = VKEY if wrong == "another size" else str(key("another.example/log").public)

    assert not ask(METAMORPHIC, about="checkpoint", note=note, vkeys=[vkey])["ok"]


def test_tlog_scales_sees_the_log_and_three_boards_under_the_head(made: Made) -> None:
    known = [VKEY, *(str(board.public) for board in BOARD_KEYS)]

    answer = ask(SCALES, about="signers", note=made.new, vkeys=known)

    assert answer.get("names") == sorted([ORIGIN, *BOARDS[:3]]), answer


def test_tlog_scales_sees_nobody_under_a_head_of_another_size(made: Made) -> None:
    known = [VKEY, *(str(board.public) for board in BOARD_KEYS)]

    assert ask(SCALES, about="signers", note=tampered(made.new), vkeys=known).get("names") == []


# -- the whole tree ---------------------------------------------------------------------------------------------------


def test_tlog_scales_makes_the_signed_root_of_the_tiles_of_a_web_server(made: Made) -> None:
    with served(made.folder) as url:
        answer = ask(SCALES, about="whole_tree", location=url, vkeys=[VKEY])

    assert answer.get("size") == SIZE, answer


@pytest.mark.parametrize(
    "tile", ["tile/0/000", "tile/0/275.p/11", "tile/1/000", "tile/1/001.p/19", "tile/2/000.p/1"]
)
def test_tlog_scales_refuses_a_tree_with_one_bit_turned_in_one_tile(
    made: Made, tmp_path: Path, tile: str
) -> None:
    folder = tmp_path / "public"
    copytree(made.folder, folder)
    (folder / tile).write_bytes(flipped((folder / tile).read_bytes()))

    answer = ask(SCALES, about="whole_tree", location=folder, vkeys=[VKEY])

    assert not answer["ok"]
    assert "another tree" in answer["said"]


# -- proofs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", PLACES)
def test_both_find_a_leaf_by_our_proof_and_tlog_scales_makes_the_same_of_the_tiles(
    made: Made, index: int
) -> None:
    leaf, path = made.log.leaf(index), made.path(index)

    rust = ask(
        METAMORPHIC,
        about="inclusion",
        note=made.new,
        vkeys=[VKEY],
        index=index,
        leaf_hash=leaf_hash(leaf),
        proof=path,
    )
    plain = ask(
        SCALES, about="inclusion", leaf=leaf, index=index, size=SIZE, proof=path, root=made.root(SIZE)
    )
    theirs = ask(SCALES, about="from_tiles", location=made.folder, index=index, leaf_hash=leaf_hash(leaf))

    assert rust["ok"], rust
    assert plain["ok"], plain
    assert len(theirs["proof"]) == len(path), theirs


@pytest.mark.parametrize("wrong", ["leaf", "index", "proof", "too short", "too long"])
def test_both_refuse_an_inclusion_proof_that_was_tampered_with(made: Made, wrong: str) -> None:
    index, path = 4_711, made.path(4_711)
    leaf = made.log.leaf(index if wrong != "leaf" else index + 1)
    index += wrong == "index"
    path = {
        "proof": [flipped(path[0]), *path[1:]],
        "too short": path[:-1],
        "too long": [*path, path[0]],
    }.get(wrong, path)

    rust = ask(
        METAMORPHIC,
        about="inclusion",
        note=made.new,
        vkeys=[VKEY],
        index=index,
        leaf_hash=leaf_hash(leaf),
        proof=path,
    )
    plain = ask(
        SCALES, about="inclusion", leaf=leaf, index=index, size=SIZE, proof=path, root=made.root(SIZE)
    )

    assert not rust["ok"]
    assert not plain["ok"]


def test_both_see_that_the_new_tree_begins_with_the_old_one(made: Made) -> None:
    path = made.between(OLD)

    rust = ask(METAMORPHIC, about="consistency", notes=[made.old, made.new], vkeys=[VKEY], proof=path)
    plain = ask(
        SCALES, about="consistency", old=OLD, new=SIZE, roots=[made.root(OLD), made.root(SIZE)], proof=path
    )

    assert rust["ok"], rust
    assert plain["ok"], plain


@pytest.mark.parametrize("wrong", ["proof", "old root", "too short"])
def test_both_refuse_a_consistency_proof_that_was_tampered_with(made: Made, wrong: str) -> None:
    path = made.between(OLD)
    path = {"proof": [*path[:-1], flipped(path[-1])], "too short": path[:-1]}.get(wrong, path)
    roots = [made.root(OLD), made.root(SIZE)]
    notes = [made.old, made.new]
    if wrong == "old root":
        roots, notes = (
            [flipped(roots[0]), roots[1]],
            [made.new.replace(f"\n{SIZE}\n", f"\n{OLD}\n"), made.new],
        )

    rust = ask(METAMORPHIC, about="consistency", notes=notes, vkeys=[VKEY], proof=path)
    plain = ask(SCALES, about="consistency", old=OLD, new=SIZE, roots=roots, proof=path)

    assert not rust["ok"]
    assert not plain["ok"]


# -- whole proof files ------------------------------------------------------------------------------------------------


def judged(file: str, leaf: bytes, threshold: int = 3, vkey: str = VKEY) -> dict[str, Any]:
    """What proofbundle says of a .tlog-proof and its leaf, when it knows the log and all boards."""
    boards = [str(board.public) for board in BOARD_KEYS]
    return ask(
        "proofbundle", proof=file, leaf=leaf, vkey=vkey, witnesses=boards, threshold=threshold, origin=ORIGIN
    )


def test_proofbundle_believes_a_receipt_as_it_is_handed_out() -> None:
    made = receipt(0, 1, 2)

    assert judged(made.file, made.leaf)["ok"]


def test_proofbundle_believes_a_proof_from_the_log(made: Made) -> None:
    assert judged(proof_file(made.log, 4_711), made.log.leaf(4_711))["ok"]


@pytest.mark.parametrize(
    ("wrong", "part"),
    [("another leaf", "inclusion_ok"), ("four boards", "witnesses_ok"), ("another log's key", "log_ok")],
)
def test_proofbundle_refuses_a_receipt_for_its_own_reason(wrong: str, part: str) -> None:
    made = receipt(0, 1, 2)
    leaf = made.leaf.replace(b"hazard", b"repair") if wrong == "another leaf" else made.leaf
    vkey = str(key(ORIGIN, salt="another").public) if wrong == "another log's key" else VKEY

    found = judged(made.file, leaf, 4 if wrong == "four boards" else 3, vkey)

    assert not found["ok"]
    assert [name for name in ("log_ok", "witnesses_ok", "inclusion_ok") if not found[name]] == [part]


# -- QR codes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("boards", [0, 4])
def test_a_camera_reads_the_very_receipt_out_of_its_qr_code(tmp_path: Path, boards: int) -> None:
    file, made = tmp_path / "receipt.png", receipt(*range(boards))
    save_picture(made.file, file)

    answer = ask("qr-reader", file=file)

    assert answer["ok"]
    assert base64.b64decode(answer["texts"][0]).decode() == made.file
