"""What the README tells a stranger to do, done: its commands as they stand there, over a real web server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.cli.receipt import app
from tests.acceptance.evidence import adopt, cosigned, keys, seal
from tests.acceptance.test_acts import registered
from tests.acceptance.world import DISTRICT, Desk
from tests.made_log import BOARD_KEYS
from tests.outside.ask import ROOT
from tests.outside.web import served
from tests.time_stamping import missing

README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README.split("## How a stranger verifies one matter\n")[1].split("\n## ")[0]
STEPS = re.findall(r"^```sh\n(.*?)^```$", SECTION, flags=re.DOTALL | re.MULTILINE)
EXPORT, RECEIPT, VERIFY, OTHERS, SHELL = range(5)


@dataclass
class Stranger:
    """A folder with the keys from the notice board, and a shell that does what the README says."""

    folder: Path
    environment: dict[str, str]

    def does(self, *steps: int) -> subprocess.CompletedProcess[str]:
        """These steps of the README, as one script that ends at the first failure."""
        script = "".join(STEPS[step] for step in steps)
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], cwd=self.folder, env=self.environment, capture_output=True,
            text=True, timeout=300, check=False,
        )  # fmt: skip

    def flips(self, name: str, at: int = 5) -> None:
        """Turn one bit of a file."""
        data = bytearray((self.folder / name).read_bytes())
        data[at] ^= 1
        (self.folder / name).write_bytes(data)


@pytest.fixture(scope="module")
def office(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Stranger:
    """A matter sealed and cosigned, and what is posted on the notice board; never changed by a test."""
    base = tmp_path_factory.mktemp("office")
    shutil.copytree(founded, base / "data")
    shell, folder = Desk(base / "data", DISTRICT), base / "stranger"
    folder.mkdir()
    number = registered(shell)
    adopt(shell, folder, 0, 1, 2, least=2)
    seal(shell)
    cosigned(shell, base, 0, 1)
    log, receipts = keys(shell)
    boards = {f"board{place}.vkey": str(BOARD_KEYS[place - 1].public) for place in (1, 2)}
    for name, vkey in {"log.vkey": log, "receipts.vkey": receipts, **boards}.items():
        (folder / name).write_text(f"{vkey}\n", encoding="utf-8")
    judges = [str(ROOT / ".venv/outside" / judge / "bin") for judge in ("tlog-scales", "proofbundle")]
    path = os.pathsep.join([sysconfig.get_path("scripts"), *judges, "/usr/bin", "/bin"])
    return Stranger(
        folder, {"PATH": path, "HUIYIN_DATA": str(shell.data), "NUMBER": number, "LC_ALL": "C.UTF-8"}
    )


@pytest.fixture(scope="module")
def handed_out(office: Stranger) -> Stranger:
    """The same after the office has published its log and handed out the receipt, as the README says."""
    done = office.does(EXPORT, RECEIPT)
    assert done.returncode == 0, done.stderr
    return office


@pytest.fixture
def stranger(handed_out: Stranger, tmp_path: Path) -> Iterator[Stranger]:
    """A stranger with copies of the public files on a web server, the receipt, and no data of the office."""
    folder = tmp_path / "stranger"
    shutil.copytree(handed_out.folder, folder)
    shutil.copy(ROOT / "adapters/receipt/verify-proof.sh", folder)
    with served(folder / "public") as url:
        mine = {"HUIYIN_DATA": str(tmp_path / "nowhere"), "LOG": url}
        yield Stranger(folder, handed_out.environment | mine)


def test_the_readme_has_the_five_steps() -> None:
    assert len(STEPS) == 5
    assert len(app.registered_commands) == 3


def test_what_the_readme_says_works_as_it_stands_there_and_without_data_of_ours(stranger: Stranger) -> None:
    done = stranger.does(VERIFY, OTHERS)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "收录属实" in done.stdout
    assert "The cosignatures hold: 2 boards" in done.stdout
    assert {path.name for path in stranger.folder.iterdir()} >= {
        "promise",
        "receipt.png",
        "made-by-others.tlog-proof",
    }
    assert not Path(stranger.environment["HUIYIN_DATA"]).exists()


@pytest.mark.skipif(bool(missing()), reason=missing() or "there is one")
def test_a_shell_and_openssl_alone_say_the_same(stranger: Stranger) -> None:
    done = stranger.does(SHELL)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("收录属实 INCLUDED") == 2


@pytest.mark.parametrize(
    ("file", "step"),
    [
        ("receipt.tlog-proof", VERIFY), ("receipts.vkey", VERIFY), ("policy", VERIFY),
        ("event.tlog-proof", OTHERS), ("record", OTHERS), ("log.vkey", OTHERS), ("public/checkpoint", OTHERS),
        ("receipt.tlog-proof", SHELL), ("receipts.vkey", SHELL), ("event.tlog-proof", SHELL), ("record", SHELL),
        ("board2.vkey", SHELL),
    ],
)  # fmt: skip
def test_what_was_tampered_with_does_not_pass(stranger: Stranger, file: str, step: int) -> None:
    stranger.flips(file, (stranger.folder / file).stat().st_size // 2)

    assert stranger.does(step).returncode != 0


def test_a_tampered_tile_gives_another_proof_than_the_receipt(stranger: Stranger) -> None:
    receipt = (stranger.folder / "receipt.tlog-proof").read_text("utf-8")
    sibling = int(re.findall(r"^index (\d+)$", receipt, re.MULTILINE)[0]) ^ 1
    level, name = stranger.folder / "public/tile/0", f"{sibling // 256:03d}"
    (tile,) = [path for path in (level / name, *level.glob(f"{name}.p/*")) if path.is_file()]
    stranger.flips(str(tile.relative_to(stranger.folder)), sibling % 256 * 32)

    assert stranger.does(OTHERS).returncode != 0
