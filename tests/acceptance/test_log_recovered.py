"""`huiyin log recover`: a log that was lost comes back from the record and a board's bundle, or is refused by name."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from adapters.bundle import recovering
from adapters.log import open_log
from adapters.log.key_change import change_key
from adapters.log.keys import make_log_keys
from adapters.log.store import Head, LogStore
from domain.acting import Actor
from domain.log.notes import parse_note
from domain.refusal import Refused
from tests import bundle_maker as make
from tests.acceptance.archivist import told_in
from tests.acceptance.bundle_world import Audited, cosigned, files_of
from tests.acceptance.shell import huiyin, told
from tests.contract.processes import killed_at
from tests.story import DISTRICT, eventful


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Audited]:
    """A log that was cosigned twice, with something sealed between and something after."""
    with cosigned(tmp_path) as made:
        settings = made.tale.engine.settings
        monkeypatch.setenv("HUIYIN_DATA", str(settings.data))
        monkeypatch.setenv("HUIYIN_DISTRICT", settings.district)
        made.seal()
        eventful(made.tale)
        made.seal()
        yield made


def lost(world: Audited) -> Path:
    """The log's file is gone from its place; where it is now."""
    place, aside = Path(world.tale.engine.settings.log_url), world.folder / "aside.db"
    world.log.close()
    shutil.move(place, aside)
    for more in ("-wal", "-shm"):
        place.with_name(f"{place.name}{more}").unlink(missing_ok=True)
    return aside


@pytest.fixture
def on_postgres(pg_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Audited]:
    """The same over a database of PostgreSQL, cosigned once."""
    with told_in(tmp_path / "data", pg_database) as tale:
        settings = tale.engine.settings
        monkeypatch.setenv("HUIYIN_DATA", str(settings.data))
        monkeypatch.setenv("HUIYIN_STORE", pg_database)
        make_log_keys(settings.log_keys_folder, settings.origin)
        made = Audited(tale, open_log(settings.log_url), tmp_path)
        made.seal(cosigned=False)
        made.adopt()
        made.seal()
        yield made
        made.log.close()


def test_on_postgres_it_comes_back_the_same(on_postgres: Audited, pg_database: str) -> None:
    world = on_postgres
    path, _ = world.take()
    world.seal(cosigned=False)
    before = seen(world.log)
    world.log.close()
    with psycopg.connect(pg_database) as server:
        server.execute("DROP SCHEMA log CASCADE")

    told("log", "recover", str(path))

    assert seen(again(world)) == before
    assert told("log", "check")["bad"] is None


def seen(log: LogStore) -> tuple[object, ...]:
    """All that the log says of its leaves, tiles and streams."""
    state = log.state()
    streams = sorted({json.loads(leaf)["stream"] for leaf in log.leaves(0, state.size)})
    return (
        state,
        [*log.leaves(0, state.size)],
        log.tile(0, 0, min(256, state.size)),
        log.stream_heads(streams),
    )


def again(world: Audited) -> LogStore:
    world.log = open_log(world.tale.engine.settings.log_url)
    return world.log


def test_a_lost_log_is_made_again_to_its_last_byte(world: Audited) -> None:
    path, taken = world.take()
    newest = world.seal(cosigned=False)  # that it was taken is an event too
    before, heads = seen(world.log), {one.size: one for one in world.log.heads()}
    lost(world)

    done = told("log", "recover", str(path))

    assert (done["size"], done["rejoined"]) == (taken.end, f"{newest.size} leaves")
    log = again(world)
    assert seen(log) == before
    assert log.meta(recovering.RECOVERING) is None
    assert [head.size for head in log.heads()][-1] == taken.end
    for head in log.heads():
        held = heads[head.size]
        assert (head.root, head.cosigned_at) == (held.root, held.cosigned_at and whole(held))
        assert parse_note(head.note) == parse_note(held.note)
    assert told("log", "check")["bad"] is None


def whole(head: Head) -> object:
    """A board's line tells seconds."""
    assert head.cosigned_at is not None
    return head.cosigned_at.replace(microsecond=0)


def test_it_goes_on_with_what_was_recorded_since_and_is_signed_and_cosigned_again(world: Audited) -> None:
    path, taken = world.take()
    eventful(world.tale)
    newest = world.seal()
    lost(world)

    told("log", "recover", str(path))
    again(world)
    head = world.seal()

    assert taken.end < newest.size
    assert (head.size, head.root) == (
        newest.size,
        newest.root,
    )  # the mark beside the key holds it against that


def test_the_boards_verifier_goes_on_from_its_memory(world: Audited) -> None:
    path, _ = world.take()
    state, policy = world.folder / "board.json", world.policy
    checked = ("--state", str(state), "--policy", str(policy))
    assert huiyin("verify", str(path), *checked).exit_code == 0
    lost(world)
    told("log", "recover", str(path))
    again(world)
    eventful(world.tale)
    world.seal()

    more, _ = world.take("more.zip")

    assert huiyin("verify", str(more), *checked).exit_code == 0


@pytest.mark.parametrize(
    ("point", "passage"),
    [
        ("log.after_begin", 1), ("log.after_commit", 1), ("log.before_commit", 2), ("log.after_tiles", 2),
        ("log.after_commit", 2), ("log.after_head", 1), ("log.after_head_commit", 1), ("log.after_cosignatures", 1),
        ("log.after_commit", 3),
    ],
)  # fmt: skip
def test_killed_in_between_the_same_bundle_goes_on_where_it_was(
    world: Audited, point: str, passage: int
) -> None:
    path, _ = world.take()
    world.seal(cosigned=False)
    before = seen(world.log)
    lost(world)

    killed_at(point, passage, world.folder, "tests.acceptance.shell", "log", "recover", str(path))
    told("log", "recover", str(path))

    assert seen(again(world)) == before
    assert world.log.meta(recovering.RECOVERING) is None


# -- refused ----------------------------------------------------------------------------------------------------------


def refused(world: Audited, path: Path, code: str) -> None:
    """By this name, and nothing was written."""
    assert told("log", "recover", str(path), code=1)["code"] == code
    with closing(open_log(world.tale.engine.settings.log_url)) as log:
        assert (log.state().size, log.head()) == (0, None)


def test_a_log_that_is_there_is_not_written_over(world: Audited) -> None:
    path, _ = world.take()
    before = seen(world.log)

    assert told("log", "recover", str(path), code=1)["code"] == "log_present"
    assert seen(world.log) == before


def test_while_the_role_seals_nothing_is_written(world: Audited) -> None:
    path, _ = world.take()
    lost(world)
    with closing(open_log(world.tale.engine.settings.log_url)) as log, log.leader("sealer"):
        refused(world, path, "still_running")


def test_a_record_that_was_changed_does_not_make_the_heads(world: Audited) -> None:
    path, _ = world.take()
    lost(world)
    with closing(sqlite3.connect(world.tale.engine.settings.store_url, isolation_level=None)) as file:
        ((body,),) = file.execute("SELECT state FROM stored_events WHERE rowid = 9")
        changed_body = body.replace(b'"rule":"', b'"rule":"x')
        file.execute("UPDATE stored_events SET state = ? WHERE rowid = 9", (changed_body,))

    refused(world, path, "record_differs")


def test_a_record_that_ends_before_the_bundle_is_named(world: Audited) -> None:
    path, _ = world.take()
    lost(world)
    with closing(sqlite3.connect(world.tale.engine.settings.store_url, isolation_level=None)) as file:
        file.execute("DELETE FROM stored_events WHERE rowid > (SELECT max(rowid) - 3 FROM stored_events)")

    refused(world, path, "record_behind")


def test_a_bundle_of_one_month_has_no_opening(world: Audited) -> None:
    path = changed(world, world.take()[0], lambda files: files | {"checkpoint.old": files["log/checkpoint"]})
    lost(world)

    refused(world, path, "bundle_not_whole")


def test_heads_that_this_log_never_signed_are_refused(world: Audited, tmp_path: Path) -> None:
    whole_one, _ = world.take()

    def unsigned(files: dict[str, bytes]) -> dict[str, bytes]:
        text, _, _ = files["log/checkpoint"].decode().partition("\n\n")
        boards = [one for one in files["log/checkpoint"].decode().splitlines() if "— board" in one]
        return files | {"log/checkpoint": "\n".join([text, "", *boards, *LINE]).encode() + b"\n"}

    path = changed(world, whole_one, unsigned)
    lost(world)

    refused(world, path, "head_not_ours")


LINE = [
    "— somebody AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
]


def test_the_bundle_of_another_offices_log_is_refused(world: Audited, tmp_path: Path) -> None:
    trail = make.Trail().open().matters(3)
    path = world.folder / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in make.files_of(trail).items():
            archive.writestr(name, data)
    lost(world)

    refused(world, path, "log_key_differs")


def test_an_opening_under_a_key_that_no_key_of_the_record_follows_is_refused(world: Audited) -> None:
    engine = world.tale.engine
    keeper = Actor(person=DISTRICT.security, body="system", post="security_admin")
    first = world.key
    assert change_key(engine, world.log, keeper, "resolution:2") is not None
    world.seal(cosigned=False)
    path, _ = world.take()
    kept = recovering._kept(path)

    assert recovering._keys(kept, engine.store) == [first, world.key]
    other = kept.opening.pub.model_copy(update={"log_key": make.LOG_KEY.vkey})
    forged = kept.opening.model_copy(update={"pub": other})
    with pytest.raises(Refused) as refusal:
        recovering._keys(kept._replace(opening=forged), engine.store)
    assert refusal.value.code == "log_key_differs"


@pytest.mark.parametrize("size", [0, 100, 3000])
def test_a_bundle_that_was_cut_is_refused(world: Audited, size: int) -> None:
    path, _ = world.take()
    path.write_bytes(path.read_bytes()[:size])
    lost(world)

    refused(world, path, "bad_bundle")


def changed(world: Audited, path: Path, change: Callable[[dict[str, bytes]], dict[str, bytes]]) -> Path:
    """The bundle with other members."""
    made = world.folder / "changed.zip"
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in change(files_of(path)).items():
            archive.writestr(name, data)
    return made
