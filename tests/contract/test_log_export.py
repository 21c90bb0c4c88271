"""The log as files for a web server: whole at every moment, written once, hashes only, and never another log's."""

from __future__ import annotations

import os
import re
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.log import open_log
from adapters.log.export import export, hash_tiles
from adapters.log.store import LogStore
from domain.log.checkpoint import Checkpoint
from domain.log.notes import parse_note
from domain.log.tiles import Tile, subtree_from_tiles, tile_path
from domain.log.tree import root
from domain.refusal import Refused, Unavailable
from tests.made_log import event, grow, made_log, sign_head


@pytest.fixture(params=["sqlite", "postgres"])
def log(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LogStore]:
    """A log without a leaf, away from the folder that is served."""
    beside = str(tmp_path_factory.mktemp("log") / "log.db")
    opened = open_log(beside if request.param == "sqlite" else request.getfixturevalue("pg_database"))
    yield opened
    opened.close()


def files(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def served(folder: Path) -> Checkpoint:
    """The head that the folder serves, after its root was made of the tiles beside it."""
    found = Checkpoint.parse(parse_note((folder / "checkpoint").read_text("utf-8")).text)

    def read(level: int, index: int, width: int) -> bytes:
        for wide in (width, 256):  # a client falls back to the full tile (tlog-tiles, "Partial Tiles")
            with suppress(FileNotFoundError):
                return (folder / tile_path(Tile(level, index, wide))).read_bytes()
        raise AssertionError(f"tile {level}/{index} of width {width} is not served")

    assert root(found.size, subtree_from_tiles(read, found.size)) == found.root
    return found


def test_a_log_is_served_as_checkpoint_and_hash_tiles_alone(log: LogStore, tmp_path: Path) -> None:
    grow(log, 600)
    note = sign_head(log, 3).note
    public = tmp_path / "public"

    done = export(log, public)

    assert (done.size, done.tiles, done.note) == (600, 4, note)
    assert files(public) == {
        "checkpoint", "tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2",
    }  # fmt: skip
    assert (public / "checkpoint").read_text("utf-8") == note
    assert served(public).size == 600


def test_what_is_there_is_not_written_again(log: LogStore, tmp_path: Path) -> None:
    grow(log, 600)
    sign_head(log)
    export(log, tmp_path)
    before = {name: (tmp_path / name).stat().st_mtime_ns for name in files(tmp_path)}
    grow(log, 700)
    sign_head(log)

    done = export(log, tmp_path)

    rewritten = {name for name, at in before.items() if (tmp_path / name).stat().st_mtime_ns != at}
    assert rewritten == {"checkpoint"}
    assert done.tiles == 1
    assert export(log, tmp_path).tiles == 0


def test_partial_tiles_of_earlier_heads_stay_until_the_tile_is_full(log: LogStore, tmp_path: Path) -> None:
    for size in (10, 20, 300):
        grow(log, size)
        sign_head(log)
        export(log, tmp_path)
        partial = {name for name in files(tmp_path) if name.startswith("tile/0/000.p")}

        assert (
            partial == {10: {"tile/0/000.p/10"}, 20: {"tile/0/000.p/10", "tile/0/000.p/20"}, 300: set()}[size]
        )
        assert served(tmp_path).size == size


def test_the_boards_head_is_served_rather_than_a_newer_one_that_only_the_log_signed(
    log: LogStore, tmp_path: Path
) -> None:
    grow(log, 300)
    cosigned = sign_head(log, 3).note
    grow(log, 400)
    sign_head(log)

    assert export(log, tmp_path).note == cosigned


def test_it_never_goes_back_behind_what_was_served(log: LogStore, tmp_path: Path) -> None:
    grow(log, 300)
    sign_head(log)
    grow(log, 400)
    newest = sign_head(log).note
    export(log, tmp_path)
    head = log.head_at(300)
    assert head is not None
    log.add_cosignatures(300, [], quorum_at=head.signed_at)

    assert export(log, tmp_path).note == newest
    assert served(tmp_path).size == 400


def test_new_cosignatures_of_the_same_head_are_served(log: LogStore, tmp_path: Path) -> None:
    grow(log, 300)
    sign_head(log)
    export(log, tmp_path)
    cosigned = sign_head(log, 2).note

    done = export(log, tmp_path)

    assert (done.note, done.tiles) == (cosigned, 0)
    assert (tmp_path / "checkpoint").read_text("utf-8") == cosigned


def test_a_damaged_folder_is_written_anew_where_that_is_asked_for(log: LogStore, tmp_path: Path) -> None:
    grow(log, 600)
    sign_head(log)
    export(log, tmp_path)
    (tmp_path / "tile/0/001").write_bytes(bytes(8192))

    assert export(log, tmp_path, again=True).tiles == 4
    assert served(tmp_path).size == 600


def test_nothing_is_served_before_the_first_head(log: LogStore, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no_head"):
        export(log, tmp_path / "public")
    assert files(tmp_path / "public") == set()


@pytest.mark.parametrize("kind", ["a fork", "another log", "no checkpoint at all", "longer than we are"])
def test_a_folder_of_another_log_is_left_alone(tmp_path: Path, kind: str) -> None:
    public = tmp_path / "public"
    with made_log(tmp_path, 300) as one:
        export(one, public)
        head = (public / "checkpoint").read_text("utf-8")
        other = {
            "a fork": head.replace(head.split("\n")[2], "A" * 43 + "="),
            "another log": head.replace("huiyin.local/450305\n", "other.example\n", 1),
            "no checkpoint at all": "not a checkpoint",
            "longer than we are": head.replace("\n300\n", "\n301\n"),
        }[kind]
        (public / "checkpoint").write_text(other, encoding="utf-8")
        grow(one, 400)
        sign_head(one)
        before = files(public)

        with pytest.raises(Refused, match="other_log"):
            export(one, public)

        assert files(public) == before
        assert (public / "checkpoint").read_text("utf-8") == other


def test_any_web_server_may_read_the_files(tmp_path: Path) -> None:
    public = tmp_path / "public"
    before = os.umask(0o022)
    try:
        with made_log(tmp_path, 300) as log:
            export(log, public)
    finally:
        os.umask(before)

    assert {stat.S_IMODE((public / name).stat().st_mode) for name in files(public)} == {0o644}


def test_a_disk_that_takes_no_more_leaves_what_was_served(tmp_path: Path) -> None:
    public = tmp_path / "public"
    with made_log(tmp_path, 300) as log:
        export(log, public)
        before = (public / "checkpoint").read_bytes()
        grow(log, 600)
        sign_head(log)
        (public / "tile/0/001").parent.joinpath("001").mkdir(parents=True)  # a name that cannot be written

        with pytest.raises(Unavailable):
            export(log, public)

        assert (public / "checkpoint").read_bytes() == before
        assert served(public).size == 300
        (public / "tile/0/001").rmdir()
        export(log, public)
        assert served(public).size == 600


def test_a_reader_finds_a_whole_tree_at_every_moment(tmp_path: Path) -> None:
    public, seen, done = tmp_path / "public", [0], threading.Event()

    def watch() -> None:
        while not done.is_set():
            if (public / "checkpoint").exists():
                seen.append(served(public).size)

    with made_log(tmp_path, 100) as log:
        export(log, public)
        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            for size in range(150, 2_000, 50):
                grow(log, size)
                sign_head(log)
                export(log, public)
        finally:
            done.set()
            watcher.join()

    assert seen == sorted(seen)
    assert len(set(seen)) > 2


def test_two_exports_at_once_leave_the_newest_head(tmp_path: Path) -> None:
    public = tmp_path / "public"
    with made_log(tmp_path, 5_000) as log:
        threads = [threading.Thread(target=export, args=(log, public)) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

    assert served(public).size == 5_000


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(1, 1_500), min_size=1, max_size=5, unique=True).map(sorted))
def test_in_whatever_steps_it_was_exported_the_folder_holds_the_same_tree(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("steps")
    with made_log(folder, sizes[0]) as log:
        for size in sizes:
            if size > log.state().size:
                grow(log, size)
                sign_head(log)
            export(log, folder / "stepwise")
        export(log, folder / "at once")

    assert files(folder / "at once") == {"checkpoint", *map(tile_path, hash_tiles(0, sizes[-1]))}
    assert files(folder / "at once") <= files(folder / "stepwise")
    assert all(
        (folder / "at once" / name).read_bytes() == (folder / "stepwise" / name).read_bytes()
        for name in files(folder / "at once")
    )


def test_no_byte_of_a_leaf_is_served(tmp_path: Path) -> None:
    public = tmp_path / "public"
    with made_log(tmp_path, 600) as log:
        export(log, public)
        bodies = [event(2 * index + 1).body for index in range(600)]
        everything = b"".join((public / name).read_bytes() for name in files(public))

        assert not any(name.startswith("tile/entries") for name in files(public))
        assert all(re.match(r"tile/\d+/", name) for name in files(public) - {"checkpoint"})
        assert not [body for body in bodies if body[10:42] in everything]
