"""verify.py on files that are not what they should be: a named error and an exit code, never a traceback."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.bundle import verify
from tests import bundle_maker as make
from tests.bundle_maker import Trail
from tests.unit.verify_world import Desk, run

VERIFIER = Path(verify.__file__)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return make.files_of(Trail().open().matters(100))


# -- as a board runs it -----------------------------------------------------------------------------------------------


def alone(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The verifier as a program of its own, away from this project."""
    command = [sys.executable, "-I", str(VERIFIER), *(str(one) for one in arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", encoding="utf-8")


def test_it_runs_alone_and_says_pass_in_both_languages(desk: Desk, files: dict[str, bytes]) -> None:
    ran = alone(desk.zip(files), "--state", desk.state, "--policy", desk.policy)

    assert (ran.returncode, ran.stderr) == (0, "")
    assert "通过 PASS · 状态已保存 state saved" in ran.stdout
    assert "never" in ran.stdout or "no log" in ran.stdout
    assert desk.seen()["size"] == 301


def test_it_says_fail_with_the_finding_and_keeps_no_state(desk: Desk, files: dict[str, bytes]) -> None:
    name = make.tile_name("entries", 0, 256)
    ran = alone(desk.zip(files | {name: files[name].replace(b"step-1", b"step-9")}), "--state", desk.state)

    assert (ran.returncode, ran.stderr) == (1, "")
    assert "不通过 FAIL" in ran.stdout
    assert "root_mismatch" in ran.stdout
    assert not desk.state.exists()


def test_it_says_what_it_cannot_read(desk: Desk) -> None:
    ran = alone(desk.folder / "nothing.zip", "--json")

    assert (ran.returncode, ran.stderr) == (2, "")
    assert json.loads(ran.stdout)["code"] == "no_bundle"


def test_its_json_holds_the_findings_and_what_no_log_can_show(desk: Desk, files: dict[str, bytes]) -> None:
    said = json.loads(alone(desk.zip(files), "--json").stdout)

    assert [one["code"] for one in said["findings"]] == ["policy_unpinned", "rules_unpinned"]
    assert {one["code"] for one in said["limits"]} == {
        "never_recorded", "false_content", "dropped_unsealed", "log_abandoned", "signatures_broken",
    }  # fmt: skip
    assert said["new"]["size"] == 301


def test_it_imports_nothing_but_the_standard_library() -> None:
    names = subprocess.run(
        [sys.executable, "-I", "-c", f"import ast,sys;t=ast.parse(open({str(VERIFIER)!r},encoding='utf-8').read());"
         "n={a.name.split('.')[0] for x in ast.walk(t) if isinstance(x,ast.Import) for a in x.names};"
         "n|={x.module.split('.')[0] for x in ast.walk(t) if isinstance(x,ast.ImportFrom)};"
         "print(*sorted(n-set(sys.stdlib_module_names)))"], capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip

    assert names == ["cryptography"]  # asked for ML-DSA only, and done without


# -- zips -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", [0, 1, 100, 0.5, 0.99, -1])
def test_a_zip_cut_short(desk: Desk, files: dict[str, bytes], keep: float) -> None:
    whole = desk.zip(files).read_bytes()
    size = int(keep * len(whole)) if isinstance(keep, float) else keep
    cut = desk.folder / "cut.zip"
    cut.write_bytes(whole[:size])

    assert run(cut).code == "unreadable_zip"


def test_a_file_that_is_no_zip_or_a_folder(desk: Desk) -> None:
    assert run(desk.file("letter.zip", "Dear board,")).code == "unreadable_zip"
    assert run(desk.folder).code == "unreadable_zip"


@given(st.binary(max_size=300))
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_bytes_for_a_bundle(desk: Desk, data: bytes) -> None:
    path = desk.folder / "any.zip"
    path.write_bytes(data)

    assert run(path).result == "unreadable"


@given(st.data())
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_zip_with_any_byte_changed_never_passes_as_another_one(
    desk: Desk, files: dict[str, bytes], data: st.DataObject
) -> None:
    whole = bytearray(make.zipped_bytes(files))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    path = desk.folder / "changed.zip"
    path.write_bytes(bytes(whole))

    report = run(path, "--policy", desk.policy)

    honest = run(desk.zip(files), "--policy", desk.policy)
    assert report.result in ("fail", "unreadable") or report.said["new"] == honest.said["new"]


@pytest.mark.parametrize(
    "name",
    ["../policy", "/etc/passwd", "log/../../x", "C:/x", "log\\checkpoint", "texts/..", "a/./../b", "x\ny"],
)
def test_a_path_that_leads_out_of_the_bundle(desk: Desk, files: dict[str, bytes], name: str) -> None:
    assert run(desk.zip(files | {name: b"x"})).code == "path_trick"


def test_a_name_that_is_there_twice(desk: Desk, files: dict[str, bytes]) -> None:
    path = desk.zip(files)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("policy", make.policy(k=1))

    assert run(path).code == "member_twice"


def test_a_zip_bomb_is_not_blown_up(desk: Desk, files: dict[str, bytes]) -> None:
    huge = bytes(verify.MOST_NOTE + 1)

    assert run(desk.zip(files | {"policy": huge})).code == "member_too_large"
    assert (
        run(desk.zip(files | {make.tile_name("entries", 0, 256): bytes(verify.MOST_BUNDLE + 1)})).code
        == "member_too_large"
    )


def test_a_member_that_is_larger_than_it_says(desk: Desk, files: dict[str, bytes]) -> None:
    data = bytearray(make.zipped_bytes(files | {"policy": bytes(2_000_000)}))
    at = data.rindex(b"policy") - 46  # its entry in the central directory
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    path = desk.folder / "lying.zip"
    path.write_bytes(bytes(data))

    assert run(path).result == "unreadable"


def test_a_member_under_lock_or_in_another_compression(desk: Desk, files: dict[str, bytes]) -> None:
    for offset, value in ((8, 1), (10, 99)):  # flags: encrypted; method: unknown
        data = bytearray(make.zipped_bytes(files))
        data[data.rindex(b"policy") - 46 + offset] = value
        path = desk.folder / "locked.zip"
        path.write_bytes(bytes(data))

        assert run(path).code == "unreadable_zip"


@pytest.mark.parametrize(
    "name",
    [
        "policy",
        "log/checkpoint",
        "schema.json",
        "rules.json",
        "census.json",
        make.tile_name("entries", 1, 45),
    ],
)
def test_a_part_that_is_missing(desk: Desk, files: dict[str, bytes], name: str) -> None:
    without = {one: data for one, data in files.items() if one != name}

    assert run(desk.zip(without)).code == "member_missing"


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("policy", b"\xff", "member_malformed"),
        ("policy", b"quorum nobody", "policy_malformed"),
        ("log/checkpoint", b"", "head_malformed"),
        ("log/checkpoint", b"a\n1\n\n", "head_malformed"),
        ("log/checkpoint", b"a\n99999999999999999999\nAA==\n\n\xe2\x80\x94 a AAAAAAA=\n", "head_malformed"),
        ("checkpoint.old", b"x", "head_malformed"),
        ("heads/5", b"x", "head_malformed"),
        ("rules.json", b"[]", "member_malformed"),
        ("rules.json", b"[" * 100_000, "member_malformed"),
        ("rules.json", b'{"a":' * 100_000, "member_malformed"),
        ("rules.json", b"{}", "rules_malformed"),
        ("census.json", b"1" * 5000, "member_malformed"),
        ("schema.json", b'{"types":' + b"9" * 5000 + b"}", "member_malformed"),
        (make.tile_name("entries", 1, 45), b"", "member_malformed"),
        (make.tile_name("entries", 1, 45), b"\x00", "member_malformed"),
        (make.tile_name("entries", 1, 45), b"\xff\xff", "member_malformed"),
        (make.tile_name("entries", 1, 45), b"\x00\x01" * 45, "member_malformed"),
    ],
)
def test_a_part_that_is_not_what_it_should_be(
    desk: Desk, files: dict[str, bytes], name: str, data: bytes, code: str
) -> None:
    report = run(desk.zip(files | {name: data}))

    assert report.code == code


def test_a_tile_of_the_old_edge_that_is_missing_or_cut(desk: Desk) -> None:
    trail = Trail().open().matters(100)
    files, name = make.files_of(trail, 100), make.tile_name(0, 0, 100)

    assert run(desk.zip({one: data for one, data in files.items() if one != name})).code == "member_missing"
    assert run(desk.zip(files | {name: files[name][:-1]})).code == "member_malformed"


def test_a_head_that_claims_more_leaves_than_there_are(desk: Desk, files: dict[str, bytes]) -> None:
    text = make.checkpoint([bytes(32)]).replace("\n1\n", f"\n{2**62}\n")
    huge = make.signed(text, make.BEGIN).encode()

    assert run(desk.zip(files | {"log/checkpoint": huge})).code == "member_missing"


def test_an_old_head_that_is_newer_than_the_new_one(desk: Desk) -> None:
    trail = Trail().open().matters(100)
    files = make.files_of(trail, 200)
    newer, older = files["checkpoint.old"], make.signed(make.checkpoint(trail.hashes(100)), trail.at).encode()

    report = run(desk.zip(files | {"checkpoint.old": newer, "log/checkpoint": older}))

    assert report.result != "pass"


# -- the board's own files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "state",
    [
        "",
        "{}",
        "[]",
        "nonsense",
        "[" * 100_000,
        '{"format":"huiyin-board/v1"}',
        '{"format":"huiyin-board/v2"}',
    ],
)
def test_a_state_that_this_program_did_not_write(desk: Desk, files: dict[str, bytes], state: str) -> None:
    desk.state.write_text(state)

    assert desk.month(files).code in ("state_malformed", "member_malformed")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("streams", {"x": [1]}),
        ("streams", {"x": ["1", "y"]}),
        ("recorded_at", "yesterday"),
        ("size", "7"),
        ("law", {"cases": 7}),
    ],
)
def test_a_state_with_a_part_that_is_wrong(
    desk: Desk, files: dict[str, bytes], name: str, value: object
) -> None:
    desk.month(files)
    desk.state.write_text(json.dumps(desk.seen() | {name: value}))

    assert desk.month(files).code == "state_malformed" or name == "law"


@pytest.mark.parametrize("option", ["--policy", "--receipt", "--disclosures", "--cosign"])
def test_a_file_named_that_is_not_there(desk: Desk, files: dict[str, bytes], option: str) -> None:
    report = run(desk.zip(files), "--state", desk.state, option, desk.folder / "nothing")

    assert report.result == "unreadable"
    assert report.code is not None
    assert report.code.startswith("no_")


@pytest.mark.parametrize(
    ("option", "text", "code"),
    [
        ("--policy", "quorum A", "policy_malformed"),
        ("--receipt", "Dear sir", "receipt_malformed"),
        ("--receipt", "c2sp.org/tlog-proof@v1\nindex 01\n\nx", "receipt_malformed"),
        ("--receipt", "c2sp.org/tlog-proof@v1\n\n", "receipt_malformed"),
        ("--receipt", "huiyin-receipt/v1\na\nb\nc\nd\ne\n\n— a AAAAAAA=\n", "receipt_malformed"),
        ("--disclosures", '{"disclosures": [1]}', "disclosures_malformed"),
        ("--disclosures", "{", "member_malformed"),
        ("--cosign", "PRIVATE+KEY+a+00000000+AAAA", "key_malformed"),
        ("--cosign", make.LOG_KEY.private, "key_malformed"),
    ],
)
def test_a_file_named_that_is_not_what_it_should_be(
    desk: Desk, files: dict[str, bytes], option: str, text: str, code: str
) -> None:
    assert run(desk.zip(files), "--state", desk.state, option, desk.file("given", text)).code == code


# -- nothing changed goes unseen --------------------------------------------------------------------------------------

TRAIL = Trail().open().matters(40)
WHOLE = make.files_of(TRAIL)
STRICT = make.policy(k=3)


@given(st.integers(0, TRAIL.size - 1), st.data())
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_bit_flipped_in_a_leaf_is_found(desk: Desk, index: int, data: st.DataObject) -> None:
    entries = list(TRAIL.entries)
    leaf = bytearray(entries[index])
    bit = data.draw(st.integers(0, 8 * len(leaf) - 1))
    leaf[bit // 8] ^= 1 << bit % 8
    entries[index] = bytes(leaf)

    assert "root_mismatch" in desk.check(WHOLE | make.entry_bundles(entries, 0)).faults


@given(st.data())
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_bit_flipped_in_the_head_is_found_where_all_must_sign(desk: Desk, data: st.DataObject) -> None:
    desk.policy.write_text(STRICT)
    head = bytearray(WHOLE["log/checkpoint"])
    bit = data.draw(st.integers(0, 8 * len(head) - 1))
    head[bit // 8] ^= 1 << bit % 8

    report = desk.check(WHOLE | {"policy": STRICT.encode(), "log/checkpoint": bytes(head)})

    assert report.result in ("fail", "unreadable")


@given(st.integers(1, TRAIL.size - 1), st.data())
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_bit_flipped_in_the_old_edge_is_found(desk: Desk, old: int, data: st.DataObject) -> None:
    files = make.files_of(TRAIL, old)
    name = data.draw(st.sampled_from(sorted(make.edge(TRAIL.hashes(old)))))
    tile = bytearray(files[name])
    bit = data.draw(st.integers(0, 8 * len(tile) - 1))
    tile[bit // 8] ^= 1 << bit % 8

    assert "old_root_mismatch" in desk.check(files | {name: bytes(tile)}).faults
