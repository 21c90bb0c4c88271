"""verify-proof.sh: one matter's proof, checked by sh, OpenSSL and coreutils, which know nothing of Huiyin or of Python."""

from __future__ import annotations

import base64
import random
import re
import subprocess
from pathlib import Path

import pytest

from adapters.receipt import verify
from tests import bundle_maker as make
from tests.bundle_maker import BEGIN, BOARDS, LOG_KEY, RECEIPT_KEY, Signer, Trail
from tests.time_stamping import missing

SCRIPT = Path(verify.__file__).with_name("verify-proof.sh")
TRAIL = Trail().open().matters(60)
INDEX = 77


pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "there is one")


class Stranger:
    """A folder with a proof, the record, and the keys from the notice board."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.put("proof", make.proof(TRAIL, INDEX, TRAIL.at))
        self.put("record", TRAIL.entries[INDEX])
        self.put("log.vkey", f"{LOG_KEY.vkey}\n")
        self.put("receipts.vkey", f"{RECEIPT_KEY.vkey}\n")
        for n, one in enumerate(BOARDS, 1):
            self.put(f"board{n}.vkey", f"{one.vkey}\n")

    def put(self, name: str, data: str | bytes) -> None:
        (self.folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())

    def asks(self, *names: str) -> tuple[int, str]:
        done = subprocess.run(
            ["sh", str(SCRIPT), *names],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def checks(self, leaf: str = "record") -> tuple[int, str]:
        return self.asks("proof", leaf, "log.vkey", "board1.vkey", "board2.vkey", "board3.vkey")


@pytest.fixture
def stranger(tmp_path: Path) -> Stranger:
    return Stranger(tmp_path)


def test_a_record_that_stands_in_the_log(stranger: Stranger) -> None:
    code, said = stranger.checks()

    assert (code, said) == (
        0, f"收录属实 INCLUDED: {make.ORIGIN}, leaf {INDEX} of {TRAIL.size}, under 4 keys\n"
    )  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 64, 65, 181])
def test_every_shape_of_tree(stranger: Stranger, size: int) -> None:
    for index in sorted({0, size // 2, size - 1}):
        stranger.put("proof", make.proof(TRAIL, index, TRAIL.at, size=size))
        stranger.put("record", TRAIL.entries[index])

        assert stranger.asks("proof", "record", "log.vkey")[0] == 0


def carried(stranger: Stranger, promise: str) -> None:
    """The proof with a promise in its extra line, as residents get it."""
    extra = base64.b64encode(promise.encode()).decode()
    proof = make.proof(TRAIL, INDEX, TRAIL.at)
    stranger.put("proof", proof.replace("\nindex", f"\nextra {extra}\nindex", 1))


def test_a_receipt_whose_promise_names_the_leaf(stranger: Stranger) -> None:
    carried(stranger, make.promise(TRAIL.entries[INDEX], BEGIN))

    assert stranger.checks("receipts.vkey")[0] == 0
    assert stranger.checks("record")[0] == 0


@pytest.mark.parametrize(
    ("promise", "code"),
    [
        (make.promise(TRAIL.entries[INDEX + 1], BEGIN), "proof_invalid"),
        (make.promise(TRAIL.entries[INDEX], BEGIN, signer=Signer("x/receipts", 1)), "promise_forged"),
        (make.promise(TRAIL.entries[INDEX], BEGIN, origin="elsewhere"), "promise_forged"),
        (make.promise(TRAIL.entries[INDEX], BEGIN).replace("\n24\n", "\n25\n"), "promise_forged"),
        ("nothing", "proof_invalid"),
    ],
    ids=["of another leaf", "of another key", "of another log", "altered", "none"],
)
def test_a_receipt_whose_promise_is_not_good(stranger: Stranger, promise: str, code: str) -> None:
    carried(stranger, promise)

    told, said = stranger.checks("receipts.vkey")

    assert (told, code in said) == (1, True)


def test_a_proof_without_a_promise_says_nothing_of_a_leaf(stranger: Stranger) -> None:
    assert stranger.checks("receipts.vkey") == (1, "不属实 FAIL leaf_missing: the proof carries no promise\n")


def test_another_record(stranger: Stranger) -> None:
    stranger.put("record", TRAIL.entries[INDEX + 1])

    assert "does not lead to the signed root" in stranger.checks()[1]


def test_a_key_that_has_not_signed(stranger: Stranger) -> None:
    stranger.put("board3.vkey", f"{Signer('other.example', 4).vkey}\n")

    assert stranger.checks() == (1, "不属实 FAIL policy_unsatisfied: not signed by other.example\n")


def test_boards_without_the_log(stranger: Stranger) -> None:
    assert "unknown_log" in stranger.asks("proof", "record", "board1.vkey")[1]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(f"index {INDEX}", f"index {INDEX + 1}"),
        lambda text: text.replace(f"index {INDEX}", f"index 0{INDEX}"),
        lambda text: text.replace(f"index {INDEX}", f"index {TRAIL.size}"),
        lambda text: text.replace(f"index {INDEX}\n", f"index {INDEX}\n{'A' * 43}=\n"),
        lambda text: re.sub(r"(index \d+\n)[^\n]+\n", r"\1", text),
        lambda text: text.replace(f"\n{TRAIL.size}\n", f"\n{TRAIL.size - 1}\n"),
        lambda text: text.replace("tlog-proof@v1", "tlog-proof@v2"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text[: text.index("— ")],
        lambda text: text[: text.index("\n\n")],
        lambda text: "",
    ],
)
def test_a_proof_that_was_altered(stranger: Stranger, change: object) -> None:
    assert callable(change)
    stranger.put("proof", change(make.proof(TRAIL, INDEX, TRAIL.at)))

    code, said = stranger.checks()

    assert code == 1
    assert "FAIL" in said


def test_any_bit_flipped_in_the_proof_is_found_where_all_must_have_signed(stranger: Stranger) -> None:
    whole = make.proof(TRAIL, INDEX, TRAIL.at).encode()
    chance = random.Random(20261123)

    for at in chance.sample(range(8 * len(whole)), 60):
        data = bytearray(whole)
        data[at // 8] ^= 1 << at % 8
        stranger.put("proof", bytes(data))
        assert stranger.checks()[0] != 0, f"bit {at}"


@pytest.mark.parametrize(
    "names",
    [(), ("proof",), ("proof", "record"), ("nothing", "record", "log.vkey"), ("proof", "record", "record")],
)
def test_a_wrong_use_is_told_apart_from_a_failure(stranger: Stranger, names: tuple[str, ...]) -> None:
    code, said = stranger.asks(*names)

    assert code == 2
    assert "usage" in said


def test_a_key_that_its_own_hash_does_not_fit(stranger: Stranger) -> None:
    stranger.put("log.vkey", LOG_KEY.vkey.replace("huiyin.local", "huiyin.locaI"))

    assert stranger.checks()[0] == 2


def test_nothing_is_left_behind(stranger: Stranger, tmp_path: Path) -> None:
    before = sorted(path.name for path in stranger.folder.iterdir())
    room = tmp_path / "room"
    room.mkdir()
    done = subprocess.run(
        ["sh", str(SCRIPT), "proof", "record", "log.vkey"], cwd=stranger.folder,
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(room)}, check=False,
    )  # fmt: skip

    assert done.returncode == 0
    assert list(room.iterdir()) == []
    assert sorted(path.name for path in stranger.folder.iterdir()) == sorted([*before, "room"])
