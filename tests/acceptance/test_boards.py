"""A board at its laptop, and the administrator who adopts the policy: the command line for both."""

import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from typer.testing import CliRunner

from adapters.cli.main import app
from adapters.log.key_change import FRESH
from adapters.log.keys import ed25519_verify, make_key, open_signer
from adapters.log.mark import MARK, Marked
from adapters.log.role import mark_of
from adapters.log.store import Head
from domain.event import decode
from domain.log.checkpoint import Checkpoint
from domain.log.cosignature import signers
from domain.log.events import LogKeyChanged
from domain.log.notes import ML_DSA_44_COSIGNATURE, VerifierKey, format_note, parse_note, sign_note, verified
from domain.log.tiles import decode_entries, encode_entries, partial_tiles, tile_path, tiles_for
from domain.log.tree import leaf_hash, root
from domain.log.words import LOG
from tests.acceptance.logged_world import KEEPER, Logged, logged_world
from tests.acceptance.world import DISTRICT, Desk
from tests.small_tree import subtree_of
from tests.unit.log_world import Key, root_of
from workflows.records import refusals_of


def run(*words: object, data: Path | None = None) -> Result:
    """One command, as typed."""
    environment = {"COLUMNS": "200"} | ({"HUIYIN_DATA": str(data)} if data else {})
    return CliRunner().invoke(app, [str(word) for word in words], env=environment)


@pytest.fixture
def data(founded: Path, tmp_path: Path) -> Path:
    """A district with a sealed log of some 160 leaves."""
    shutil.copytree(founded, tmp_path / "data")
    with logged_world(tmp_path / "data") as logged:
        logged.seal()
    return tmp_path / "data"


@pytest.fixture
def logged(data: Path) -> Iterator[Logged]:
    with logged_world(data) as world:
        yield world


@dataclass
class Laptop:
    """A board's own machine: key, state, and the log's key that it trusts."""

    folder: Path
    log: VerifierKey
    vkey: str = ""

    def made(self) -> "Laptop":
        self.folder.mkdir()
        told = run("witness", "key", "audit.test/laptop", "-o", self.folder / "board.key")
        assert told.exit_code == 0, told.output
        self.vkey = told.stdout.strip()
        return self

    def cosign(self, bundle: Path, *more: object) -> Result:
        own = ("--key", self.folder / "board.key", "--state", self.folder / "state.json")
        return run("witness", "cosign", bundle, *own, "--log", self.log, *more)


@pytest.fixture
def laptop(logged: Logged, tmp_path: Path) -> Laptop:
    return Laptop(tmp_path / "laptop", logged.key).made()


def bundle(
    logged: Logged, path: Path, since: Head | None = None, until: Head | None = None,
    change: Callable[[dict[str, bytes]], object] = lambda _: None,
) -> Path:  # fmt: skip
    """A bundle as evidence.md 2.7 lays it out, from one head to another, after `change` has been at its files."""
    old, new = since.size if since else 0, until or logged.log.head()
    assert new is not None
    files = {"log/checkpoint": new.note.encode()}
    if since is not None:
        files["checkpoint.old"] = since.note.encode()
    for tile in partial_tiles(old):
        files[f"log/{tile_path(tile)}"] = logged.log.tile(tile.level, tile.index, tile.width) or b""
    for tile in tiles_for(old, new.size):
        if tile.level == -1:
            first = tile.index * 256
            files[f"log/{tile_path(tile)}"] = encode_entries(
                list(logged.log.leaves(first, first + tile.width))
            )
    change(files)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def newest(logged: Logged) -> Head:
    head = logged.log.head()
    assert head is not None
    return head


def refused(result: Result, code: str) -> bool:
    return result.exit_code == 1 and result.stderr.startswith(code)


# ---- a laptop without a network ------------------------------------------------------------------------------------


def test_a_boards_key_is_its_owners_alone_and_never_made_twice(laptop: Laptop) -> None:
    path = laptop.folder / "board.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert VerifierKey.parse(laptop.vkey).algorithm == 4
    before = path.read_bytes()
    assert refused(run("witness", "key", "audit.test/laptop", "-o", path), "key_present")
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb"])
def test_a_name_that_no_key_can_bear_is_refused(tmp_path: Path, name: str) -> None:
    assert refused(run("witness", "key", name, "-o", tmp_path / "key"), "key_name")
    assert not (tmp_path / "key").exists()


def test_month_after_month_a_laptop_cosigns_what_continues(
    logged: Logged, laptop: Laptop, tmp_path: Path
) -> None:
    before: Head | None = None
    for month in range(3):
        path = bundle(logged, tmp_path / f"{month}.zip", since=before)
        told = laptop.cosign(path)
        assert told.exit_code == 0, told.output
        note = parse_note(told.stdout)
        assert note.text == parse_note(newest(logged).note).text
        assert signers(note, [VerifierKey.parse(laptop.vkey)], ed25519_verify)
        before = newest(logged)
        for _ in range(3):
            logged.grow()


def test_a_board_that_has_seen_a_later_head_than_the_bundle_begins_with_needs_no_other(
    logged: Logged, laptop: Laptop, tmp_path: Path
) -> None:
    first = newest(logged)
    logged.grow()
    laptop.cosign(bundle(logged, tmp_path / "a.zip"))
    logged.grow()
    assert laptop.cosign(bundle(logged, tmp_path / "b.zip", since=first)).exit_code == 0


def test_a_bundle_that_begins_after_what_the_board_has_seen_proves_nothing(
    logged: Logged, laptop: Laptop, tmp_path: Path
) -> None:
    laptop.cosign(bundle(logged, tmp_path / "a.zip"))
    gap = logged.grow()
    logged.grow()
    assert refused(laptop.cosign(bundle(logged, tmp_path / "b.zip", since=gap)), "bundle_begins_later")


def test_an_old_bundle_again_is_too_old(logged: Logged, laptop: Laptop, tmp_path: Path) -> None:
    old = bundle(logged, tmp_path / "a.zip")
    logged.grow()
    laptop.cosign(bundle(logged, tmp_path / "b.zip"))
    assert refused(laptop.cosign(old), "bundle_too_old")


def without(name: str) -> Callable[[dict[str, bytes]], object]:
    def change(files: dict[str, bytes]) -> None:
        for path in [path for path in files if name in path]:
            del files[path]

    return change


def turned(name: str) -> Callable[[dict[str, bytes]], object]:
    """One bit of the last byte of the last such file."""

    def change(files: dict[str, bytes]) -> None:
        path = [path for path in files if name in path][-1]
        files[path] = files[path][:-1] + bytes([files[path][-1] ^ 1])

    return change


@pytest.mark.parametrize(
    "change",
    [without("log/checkpoint"), without("entries"), turned("entries"), without("tile/0"), turned("tile/0")],
)
def test_a_bundle_with_a_leaf_or_tile_gone_or_changed_is_not_cosigned(
    logged: Logged, laptop: Laptop, tmp_path: Path, change: Callable[[Mapping[str, bytes]], object]
) -> None:
    first = newest(logged)
    logged.grow()
    assert refused(
        laptop.cosign(bundle(logged, tmp_path / "a.zip", since=first, change=change)), "bad_bundle"
    )
    assert not (laptop.folder / "state.json").exists()


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all" * 99])
def test_what_is_no_bundle_is_said_to_be_none(laptop: Laptop, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    assert refused(laptop.cosign(path), "bad_bundle")
    assert refused(laptop.cosign(tmp_path / "absent.zip"), "bad_bundle")


def test_a_bundle_cut_short_is_said_to_be_none(logged: Logged, laptop: Laptop, tmp_path: Path) -> None:
    whole = bundle(logged, tmp_path / "a.zip").read_bytes()
    for end in (len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.zip").write_bytes(whole[:end])
        assert refused(laptop.cosign(tmp_path / "cut.zip"), "bad_bundle")


def test_a_head_of_a_log_that_the_board_does_not_trust_is_not_cosigned(
    logged: Logged, laptop: Laptop, tmp_path: Path
) -> None:
    path = bundle(logged, tmp_path / "a.zip")
    laptop.log = Key("other.test/1").vkey
    assert refused(laptop.cosign(path), "witness_404")
    laptop.log = Key(logged.key.name).vkey
    assert refused(laptop.cosign(path), "witness_403")


def test_a_second_history_under_the_logs_own_key_is_refused_and_kept(
    logged: Logged, laptop: Laptop, tmp_path: Path
) -> None:
    thief = Key("log.test/1")
    laptop.log = thief.vkey
    kept = {1: [b"one", b"two"], 2: [b"one", b"TWO"]}
    for number, leaves in kept.items():
        path = tmp_path / f"{number}.zip"
        _forged(path, thief, leaves)
        told = laptop.cosign(path)
        assert told.exit_code == number - 1
    (evidence,) = (laptop.folder / "state.json.evidence").iterdir()
    assert (evidence.name.startswith("conflict-2-"), evidence.read_text().count("log.test/1\n2\n")) == (
        True,
        2,
    )


def _forged(path: Path, key: Key, leaves: list[bytes]) -> None:
    """A small log of any leaves."""
    text = Checkpoint(
        key.vkey.name, len(leaves), root(len(leaves), subtree_of([leaf_hash(x) for x in leaves]))
    ).text
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("log/checkpoint", format_note(sign_note(text, key.vkey, key.sign)))
        archive.writestr(f"log/tile/entries/000.p/{len(leaves)}", encode_entries(leaves))


def test_a_laptop_needs_to_be_told_whom_to_trust(laptop: Laptop, tmp_path: Path) -> None:
    own = ("--key", laptop.folder / "board.key", "--state", laptop.folder / "state.json")
    assert run("witness", "cosign", tmp_path / "a.zip", *own).exit_code == 2


# ---- policy and cosignature ----------------------------------------------------------------------------------------


def policy_file(path: Path, log: VerifierKey, *boards: str, k: int | str = "all") -> Path:
    """Boards without a URL."""
    lines = [f"witness board-{n} {vkey}" for n, vkey in enumerate(boards)]
    names = " ".join(f"board-{n}" for n in range(len(boards)))
    path.write_text(
        "\n".join([f"log {log}", *lines, f"group all-boards {k} {names}", "quorum all-boards", ""])
    )
    return path


def adopted(data: Path, path: Path, *more: str, by: str | None = None) -> Result:
    who = by or f"{KEEPER.person}/{KEEPER.body}/{KEEPER.post}"
    return run("log", "policy", "adopt", path, "--as", who, "--authority", "resolution:1", *more, data=data)


def test_a_policy_is_adopted_shown_and_comes_back_byte_for_byte(
    logged: Logged, laptop: Laptop, data: Path, tmp_path: Path
) -> None:
    assert run("log", "policy", "show", data=data).stderr.startswith("no_policy")
    path = policy_file(tmp_path / "policy", logged.key, laptop.vkey)
    told = adopted(data, path, "--delay-hours", "48", "--json")
    assert (told.exit_code, json.loads(told.stdout)["events"]) == (0, ["policy_adopted.v1"])
    shown = json.loads(run("log", "policy", "show", "--json", data=data).stdout)
    assert (shown["k"], shown["n"], shown["delay_hours"]) == (1, 1, 48)
    assert shown["boards"] == [
        {"name": "board-0", "url": None, "vkey": laptop.vkey, "size": 0, "failed": None, "silent_since": None}
    ]
    assert run("log", "policy", "show", "--text", data=data).stdout == path.read_text()
    assert "1 of 1" in run("log", "policy", "show", data=data).stdout


@pytest.mark.parametrize("known", [True, False])
def test_a_board_with_an_ml_dsa_44_key_is_adopted_only_where_its_lines_can_be_counted(
    logged: Logged, data: Path, tmp_path: Path, known: bool
) -> None:
    public = MLDSA44PrivateKey.generate().public_key().public_bytes_raw()
    key = VerifierKey.of("lasting.test/w", ML_DSA_44_COSIGNATURE, public)
    path = policy_file(tmp_path / "policy", logged.key, str(key))
    taken_away = "import sys; sys.modules['cryptography.hazmat.primitives.asymmetric.mldsa'] = None"
    who = f"{KEEPER.person}/{KEEPER.body}/{KEEPER.post}"
    words = ["log", "policy", "adopt", str(path), "--as", who, "--authority", "resolution:1"]
    done = subprocess.run(
        [sys.executable, "-c", f"{'' if known else taken_away}\nfrom adapters.cli.main import app\napp({words!r})"],
        env={**os.environ, "HUIYIN_DATA": str(data)}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == (0 if known else 1), done.stderr
    assert done.stderr.startswith("ml_dsa_missing: ") != known
    assert len(logged.engine.store.load(LOG)) == known


def test_the_same_policy_again_is_nothing_to_do(
    logged: Logged, laptop: Laptop, data: Path, tmp_path: Path
) -> None:
    path = policy_file(tmp_path / "policy", logged.key, laptop.vkey)
    assert [adopted(data, path).exit_code for _ in range(2)] == [0, 0]
    assert logged.engine.store.versions((LOG,)) == (1,)


def test_who_may_not_adopt_is_refused_on_record(
    logged: Logged, laptop: Laptop, data: Path, tmp_path: Path
) -> None:
    path = policy_file(tmp_path / "policy", logged.key, laptop.vkey)
    director = DISTRICT.staff["sd-01", "director"]
    assert "not_your_post" in adopted(data, path, by=f"{director}/sd-01/director").stderr
    assert "post_lapsed" in adopted(data, path, by=f"{director}/system/security_admin").stderr
    assert len(logged.engine.store.load(refusals_of(LOG))) == 2
    assert logged.engine.store.load(LOG) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "policy_quorum"),
        ("quorum none\n", "policy_without_log"),
        ("log x\n", "policy_line"),
        ("quorum none", "policy_form"),
    ],
)
def test_a_bad_policy_is_refused_with_its_line(data: Path, tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "policy").write_text(text)
    told = adopted(data, tmp_path / "policy")
    assert told.exit_code == 1
    assert told.stderr.startswith((code, "policy_form"))


def test_a_policy_of_another_log_is_refused(laptop: Laptop, data: Path, tmp_path: Path) -> None:
    path = policy_file(tmp_path / "policy", Key("other.test/1").vkey, laptop.vkey)
    assert refused(adopted(data, path), "policy_of_another_log")


def test_a_laptops_cosignature_comes_back_and_makes_the_quorum(
    logged: Logged, laptop: Laptop, data: Path, tmp_path: Path
) -> None:
    adopted(
        data, policy_file(tmp_path / "policy", logged.key, laptop.vkey, str(Key("b.test/1", 4, 9).vkey), k=1)
    )
    head, note = logged.seal(), tmp_path / "cosigned.txt"
    assert laptop.cosign(bundle(logged, tmp_path / "a.zip"), "-o", note).exit_code == 0
    told = run("log", "cosignature", "add", note, "--json", data=data)
    assert json.loads(told.stdout) == {"size": head.size, "boards": ["board-0"], "quorum": True}
    cosigned = logged.log.cosigned()
    assert cosigned is not None
    assert cosigned.size == head.size
    shown = json.loads(run("log", "policy", "show", "--json", data=data).stdout)
    assert [one["size"] for one in shown["boards"]] == [head.size, 0]
    again = run("log", "cosignature", "add", note, data=data)
    assert (again.exit_code, logged.log.cosigned()) == (0, cosigned)


def test_a_bare_line_needs_to_be_told_its_head(
    logged: Logged, laptop: Laptop, data: Path, tmp_path: Path
) -> None:
    adopted(data, policy_file(tmp_path / "policy", logged.key, laptop.vkey))
    head, line = logged.seal(), tmp_path / "line"
    told = laptop.cosign(bundle(logged, tmp_path / "a.zip"))
    line.write_text(told.stdout.split("\n\n")[1])
    assert refused(run("log", "cosignature", "add", line, data=data), "size_missing")
    assert refused(run("log", "cosignature", "add", line, "--size", head.size + 1, data=data), "no_such_head")
    added = run("log", "cosignature", "add", line, "--size", head.size, "--json", data=data)
    assert json.loads(added.stdout)["quorum"] is True


def test_a_bundle_that_withholds_leaves_is_cosigned_and_one_that_lies_of_them_is_not(
    logged: Logged, laptop: Laptop, tmp_path: Path
) -> None:
    first = newest(logged)
    for _ in range(5):
        logged.grow()
    end = newest(logged).size

    def withhold(files: dict[str, bytes]) -> None:
        (path,) = [path for path in files if "entries" in path]
        leaves = decode_entries(files[path])
        files[path] = encode_entries([b"" if at % 3 else leaf for at, leaf in enumerate(leaves)])
        files[path.replace("entries", "0")] = logged.log.tile(0, 0, end) or b""

    def lie(files: dict[str, bytes]) -> None:
        withhold(files)
        turned(f"tile/0/000.p/{end}")(files)

    assert refused(laptop.cosign(bundle(logged, tmp_path / "b.zip", since=first, change=lie)), "bad_bundle")
    assert laptop.cosign(bundle(logged, tmp_path / "a.zip", since=first, change=withhold)).exit_code == 0


def test_lines_that_are_not_a_boards_or_of_no_head_of_ours_are_refused(
    logged: Logged, laptop: Laptop, data: Path, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    note.write_text(newest(logged).note)
    assert refused(run("log", "cosignature", "add", note, data=data), "no_policy")
    adopted(data, policy_file(tmp_path / "policy", logged.key, laptop.vkey))
    assert refused(run("log", "cosignature", "add", note, data=data), "no_board_line")
    other = Key(logged.key.name)
    note.write_text(
        format_note(sign_note(Checkpoint(logged.key.name, 5, root_of(5)).text, other.vkey, other.sign))
    )
    assert refused(run("log", "cosignature", "add", note, data=data), "no_such_head")
    laptop.cosign(bundle(logged, tmp_path / "a.zip"), "-o", note)
    good = note.read_text()
    note.write_text(good[:-10] + ("A" if good[-10] != "A" else "B") + good[-9:])
    assert refused(run("log", "cosignature", "add", note, data=data), "bad_signature")
    assert "audit.test" not in newest(logged).note


def test_a_desk_knows_nothing_of_the_policys_words(shell: Desk) -> None:
    assert shell.run("log", "policy", "show").stderr.startswith("no_policy")


# ---- another key ---------------------------------------------------------------------------------------------------


def rekeyed(data: Path) -> Result:
    who = f"{KEEPER.person}/{KEEPER.body}/{KEEPER.post}"
    return run("log", "rekey", "--as", who, "--authority", "resolution:2", data=data)


def changes(logged: Logged) -> list[LogKeyChanged]:
    return [decode(row.type, row.body).pub for row in logged.engine.store.load(LOG)]


def test_another_key_signs_from_then_on_and_the_change_bears_both_signatures(
    logged: Logged, data: Path
) -> None:
    old = logged.key
    assert rekeyed(data).exit_code == 0
    (change,) = changes(logged)
    assert (change.old, change.new) == (str(old), str(logged.key))
    assert old != logged.key
    assert set(verified(parse_note(change.head), [old, logged.key], ed25519_verify)) == {old, logged.key}
    assert verified(parse_note(logged.seal().note), [logged.key], ed25519_verify) == (logged.key,)
    kept = logged.engine.settings.log_keys_folder / f"log.key.{old.key_id:08x}"
    assert (open_signer(kept).vkey, stat.S_IMODE(kept.stat().st_mode)) == (old, 0o600)


def test_after_a_change_of_key_status_and_doctor_ask_for_a_policy_that_names_it(
    logged: Logged, laptop: Laptop, data: Path, tmp_path: Path
) -> None:
    adopted(data, policy_file(tmp_path / "policy", logged.key, laptop.vkey))
    assert told(run("log", "status", "--json", data=data))["to_do"] is None
    assert rekeyed(data).exit_code == 0
    assert "adopt a policy that names the new key" in told(run("log", "status", "--json", data=data))["to_do"]
    assert "待办 to do: the policy in force" in run("log", "status", data=data).stderr
    assert "adopt a policy that names the new key" in checked(data, "boards")["said"]
    adopted(data, policy_file(tmp_path / "policy", logged.key, laptop.vkey))
    assert told(run("log", "status", "--json", data=data))["to_do"] is None
    assert checked(data, "boards")["ok"]


def told(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def checked(data: Path, name: str) -> dict[str, Any]:
    """What the doctor says of one thing."""
    checks = told(run("doctor", "--no-temporal", "--json", data=data))["checks"]
    found: dict[str, Any] = next(one for one in checks if one["name"] == name)
    return found


def test_a_key_is_not_changed_under_a_running_sealer_or_by_who_may_not(logged: Logged, data: Path) -> None:
    old = logged.key
    with logged.log.leader("sealer") as mine:
        assert mine
        assert refused(rekeyed(data), "sealer_running")
    director = f"{DISTRICT.staff['sd-01', 'director']}/sd-01/director"
    told = run("log", "rekey", "--as", director, "--authority", "resolution:2", data=data)
    assert (told.exit_code, changes(logged), logged.key) == (1, [], old)


def test_a_log_behind_its_mark_gets_no_other_key_and_the_mark_outlives_a_change(
    logged: Logged, data: Path, tmp_path: Path
) -> None:
    older = shutil.copytree(data, tmp_path / "older")
    head = logged.grow()
    shutil.copy(data / "log-keys" / MARK, older / "log-keys")
    assert refused(rekeyed(older), "signed_more_already")
    assert rekeyed(data).exit_code == 0
    assert mark_of(logged.engine.settings).read(logged.key.name) == Marked(head.size, head.root)
    assert logged.seal().size == head.size + 1


def test_a_change_that_broke_off_before_its_files_were_in_place_goes_on(logged: Logged, data: Path) -> None:
    folder, old = logged.engine.settings.log_keys_folder, logged.key
    make_key(folder / FRESH, old.name)
    before = {name: (folder / name).read_bytes() for name in (FRESH, "log.key", "log.key.pub", "log.pub")}
    assert rekeyed(data).exit_code == 0
    for breaks_off_after in (0, 1):
        for name, content in before.items():
            (folder / name).write_bytes(content)
            (folder / name).chmod(0o600)
        if breaks_off_after:
            (folder / "log.key").unlink()
        assert rekeyed(data).exit_code == 0
        (change,) = changes(logged)
        assert change.new == str(logged.key) == str(open_signer(folder / "log.key").vkey)
