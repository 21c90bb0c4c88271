"""verify.py on RFC 3161 time stamps that `openssl ts` really made, and on proofs that came along to be handed on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import bundle_maker as make
from tests.bundle_maker import Trail
from tests.time_stamping import Authority, missing
from tests.unit.verify_world import Desk

with_openssl = pytest.mark.skipif(bool(missing()), reason=missing() or "there is one")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "authority")


@pytest.fixture
def files() -> dict[str, bytes]:
    trail = Trail().open().matters(100)
    between = make.signed(make.checkpoint(trail.hashes(200)), trail.at).encode()
    return make.files_of(trail) | {"heads/200": between}


@with_openssl
@pytest.mark.parametrize("digest", ["sha256", "sha512"])
@pytest.mark.parametrize(("head", "name"), [("log/checkpoint", "tsr/301.tsr"), ("heads/200", "tsr/200.tsr")])
def test_a_time_stamp_of_a_head_holds(
    desk: Desk, authority: Authority, files: dict[str, bytes], head: str, name: str, digest: str
) -> None:
    report = desk.check(files | {name: authority.stamps(files[head], digest)}, "--tsa-ca", authority.root)

    assert (report.result, report.codes) == ("pass", {"time_stamp_holds"})
    assert "GMT" in report.of("time_stamp_holds")["zh"]


@with_openssl
def test_a_time_stamp_of_the_old_head_holds(desk: Desk, authority: Authority) -> None:
    trail = Trail().open().matters(100)
    desk.month(make.files_of(trail))
    old = trail.size
    trail.matters(5, begin=500)
    files = make.files_of(trail, old)

    report = desk.month(
        files | {f"tsr/{old}.tsr": authority.stamps(files["checkpoint.old"])}, "--tsa-ca", authority.root
    )

    assert (report.result, report.codes) == ("pass", {"time_stamp_holds"})


@with_openssl
def test_a_time_stamp_of_something_else(desk: Desk, authority: Authority, files: dict[str, bytes]) -> None:
    token = authority.stamps(files["log/checkpoint"] + b"\n")

    assert desk.check(files | {"tsr/301.tsr": token}, "--tsa-ca", authority.root).faults == {"time_stamp_bad"}


@with_openssl
def test_a_time_stamp_of_another_authority(
    desk: Desk, authority: Authority, files: dict[str, bytes], tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other", "elsewhere.example")
    token = other.stamps(files["log/checkpoint"])

    assert desk.check(files | {"tsr/301.tsr": token}, "--tsa-ca", authority.root).faults == {"time_stamp_bad"}


@with_openssl
@pytest.mark.parametrize("token", [b"", b"x", bytes(1000)])
def test_a_time_stamp_that_is_none(
    desk: Desk, authority: Authority, files: dict[str, bytes], token: bytes
) -> None:
    assert desk.check(files | {"tsr/301.tsr": token}, "--tsa-ca", authority.root).faults == {"time_stamp_bad"}


@with_openssl
@pytest.mark.parametrize("name", ["tsr/300.tsr", "tsr/head.tsr", "tsr/0301.tsr"])
def test_a_time_stamp_of_a_head_that_is_not_there(
    desk: Desk, authority: Authority, files: dict[str, bytes], name: str
) -> None:
    token = authority.stamps(files["log/checkpoint"])

    assert desk.check(files | {name: token}, "--tsa-ca", authority.root).faults == {"time_stamp_stray"}


def test_a_time_stamp_that_nobody_can_check_is_not_passed_over(
    desk: Desk, files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamped = files | {"tsr/301.tsr": b"x"}
    root = desk.file("root.pem", "x")

    assert desk.check(stamped).codes == {"time_stamp_unchecked"}
    monkeypatch.setenv("PATH", str(tmp_path))
    assert desk.check(stamped, "--tsa-ca", root).codes == {"time_stamp_unchecked"}


def test_an_authority_and_no_time_stamp(desk: Desk, files: dict[str, bytes]) -> None:
    report = desk.check(files, "--tsa-ca", desk.file("root.pem", "x"))

    assert (report.result, report.codes) == ("pass", {"time_stamp_missing"})


def test_a_root_certificate_that_is_not_there(desk: Desk, files: dict[str, bytes]) -> None:
    assert desk.check(files, "--tsa-ca", desk.folder / "nothing").code == "no_tsa_ca"


def test_proofs_that_came_along_are_checked(desk: Desk) -> None:
    trail = Trail().open().matters(100)
    good, other = (
        make.proof(trail, 77, trail.at),
        make.proof(trail, 77, trail.at).replace("index 77", "index 7"),
    )

    for text, codes in ((good, {"proof_holds"}), (other, {"receipt_bad"})):
        assert desk.check(make.files_of(trail) | {"proofs/77.tlog-proof": text.encode()}).codes == codes


def test_a_proof_that_came_along_and_is_none(desk: Desk, files: dict[str, bytes]) -> None:
    assert desk.check(files | {"proofs/7.tlog-proof": b"x"}).code == "receipt_malformed"
