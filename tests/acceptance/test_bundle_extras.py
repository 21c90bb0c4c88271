"""What a bundle takes along: time stamps of its heads, really made by `openssl ts`, and proofs of cases to hand on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.bundle.extras import LARGEST_STAMP
from adapters.cli.main import app
from adapters.receipt.verify import Trusted, verify_receipt
from domain.refusal import NotFound, Refused
from tests.acceptance.bundle_world import Audited, files_of, leaves_of, lived
from tests.bundle_maker import canonical
from tests.story import DISTRICT
from tests.time_stamping import Authority, missing
from tests.unit.verify_world import Report, run

with_openssl = pytest.mark.skipif(bool(missing()), reason=missing() or "there is one")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    with lived(tmp_path_factory.mktemp("played")) as world:
        yield world


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "authority")


def head_of(world: Audited) -> bytes:
    return files_of(world.take("plain.zip")[0])["log/checkpoint"]


def checked(world: Audited, path: Path, *arguments: object) -> Report:
    return run(path, "--policy", world.policy, *arguments)


# -- time stamps ------------------------------------------------------------------------------------------------------


@with_openssl
def test_a_time_stamp_of_the_bundle_s_head_comes_along_and_holds(
    played: Audited, authority: Authority
) -> None:
    token = authority.stamps(head_of(played))

    path, taken = played.take(stamps=(token,))

    assert files_of(path)[f"tsr/{taken.end}.tsr"] == token
    report = checked(played, path, "--tsa-ca", authority.root)
    assert (report.result, "time_stamp_holds" in report.codes) == ("pass", True)


@with_openssl
def test_a_time_stamp_of_another_head_is_refused_and_nothing_is_taken(
    played: Audited, authority: Authority
) -> None:
    token = authority.stamps(head_of(played) + b"one more cosignature\n")
    before = played.tale.engine.store.head()

    with pytest.raises(Refused, match="other_head"):
        played.take("never.zip", stamps=(token,))

    assert not (played.folder / "never.zip").exists()
    assert played.tale.engine.store.head() == before


@pytest.mark.parametrize(
    ("token", "code"),
    [(b"", "other_head"), (b"x", "other_head"), (bytes(LARGEST_STAMP + 1), "stamp_too_large")],
)
def test_what_is_no_time_stamp_is_refused(played: Audited, token: bytes, code: str) -> None:
    with pytest.raises(Refused, match=code):
        played.take("never.zip", stamps=(token,))


# -- proofs -----------------------------------------------------------------------------------------------------------


def number_of(world: Audited, case: str) -> str:
    matter = world.tale.engine.handle.load(case)
    assert matter is not None
    return matter.number


def test_the_proof_of_a_case_s_newest_leaf_comes_along_and_can_be_handed_on(played: Audited) -> None:
    case = played.tale.scene.cases[0]

    path, taken = played.take(proofs=(number_of(played, case),))

    (name,) = [one for one in files_of(path) if one.startswith("proofs/")]
    newest = max(
        (leaf for leaf in leaves_of(path) if leaf and leaf["stream"] == case), key=lambda one: one["version"]
    )
    text = files_of(path)[name].decode()
    proven = verify_receipt(text, Trusted(policy=played.policy.read_text(), leaf=canonical(newest)))
    assert proven.included is not None
    assert (name, proven.included.size) == (f"proofs/{proven.included.index}.tlog-proof", taken.end)
    assert "proof_holds" in checked(played, path).codes


def test_proofs_of_several_cases_by_number_or_id(played: Audited) -> None:
    first, other = played.tale.scene.cases[:2]
    inspector = played.actor("discipline", "discipline_officer")

    one = files_of(played.take(proofs=(first, number_of(played, first)), actor=inspector)[0])
    both = files_of(played.take(proofs=(first, other), actor=inspector)[0])

    assert [len([name for name in files if name.startswith("proofs/")]) for files in (one, both)] == [1, 2]


def test_a_case_that_the_board_may_not_read_is_as_one_that_is_not_there(played: Audited) -> None:
    accusation, before = played.tale.scene.cases[-1], played.tale.engine.store.head()

    for named in (
        accusation,
        number_of(played, accusation),
        "450305-20990101-ABCDEF-X",
        "0" * 8 + "-0000" * 3 + "-" + "0" * 12,
    ):
        with pytest.raises(NotFound):
            played.take("never.zip", proofs=(named,))

    assert not (played.folder / "never.zip").exists()
    assert played.tale.engine.store.head() == before


# -- the command ------------------------------------------------------------------------------------------------------


@with_openssl
def test_the_command_takes_both_along(played: Audited, authority: Authority, tmp_path: Path) -> None:
    data, path, token = tmp_path / "data", tmp_path / "b.zip", tmp_path / "head.tsr"
    shutil.copytree(played.folder / "data", data)
    token.write_bytes(authority.stamps(head_of(played)))
    number = number_of(played, played.tale.scene.cases[0])
    member = f"{DISTRICT.staff['board', 'board_member']}/board/board_member"
    environment = {"HUIYIN_DATA": str(data), "HUIYIN_DISTRICT": DISTRICT.code}
    asked = ["bundle", "-o", str(path), "--as", member, "--json"]

    taken = CliRunner().invoke(app, [*asked, "--tsr", str(token), "--proof", number], env=environment)
    hidden = number_of(played, played.tale.scene.cases[-1])
    refused = CliRunner().invoke(app, [*asked, "--proof", hidden], env=environment)

    assert taken.exit_code == 0, taken.output
    assert json.loads(taken.stdout)["board"] == "board"
    assert {one.split("/")[0] for one in files_of(path)} >= {"tsr", "proofs"}
    assert refused.exit_code == 3
