"""The sealer: every event once, in store order, whatever the batches; nothing at all where store and log disagree."""

import asyncio
import itertools
import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.follower import Follower
from adapters.log.genesis import opened
from adapters.log.keys import LOG_KEY, ed25519_verify, make_key, make_log_keys, open_signer, public_key
from adapters.log.reconcile import reconcile
from adapters.log.rejoin import rejoin
from adapters.log.sealer import TROUBLE, Claim
from domain.event import decode
from domain.log.checkpoint import Checkpoint
from domain.log.events import LogOpened
from domain.log.notes import VerifierKey, parse_note, verified
from domain.log.tree import root
from domain.log.words import GENESIS
from domain.refusal import Conflict, Refused, Unavailable
from tests.contract.log_world import ORIGIN, Deaf, LogWorld, expected, hashes_of, log_world, now, seal_all
from tests.contract.processes import start
from tests.contract.store_world import one
from tests.small_tree import subtree_of
from workflows.ports import Stored


@pytest.fixture
def world(store_url: str, tmp_path: Path) -> Iterator[LogWorld]:
    with log_world(store_url, tmp_path) as made:
        yield made


def run_sql(world: LogWorld, statement: str, *parameters: object) -> None:
    """On the event store, as the database's superuser."""
    recorder = world.store.recorder  # type: ignore[attr-defined]
    if world.store_url.startswith("postgresql"):
        with recorder.datastore.get_connection() as connection:
            connection.execute(statement.replace("?", "%s").replace("rowid", "notification_id"), parameters)
    else:
        with recorder._file.transaction() as connection:
            connection.execute(statement, parameters)


def table(world: LogWorld) -> str:
    return "cases.stored_events" if world.store_url.startswith("postgresql") else "stored_events"


# -- what is sealed ---------------------------------------------------------------------------------------------------


def test_leaf_0_says_who_seals_and_what_is_promised(world: LogWorld) -> None:
    assert world.sealer().position() == 0

    said, body = opened(world.log), world.log.leaf(0)
    assert said.origin == ORIGIN
    assert VerifierKey.parse(said.log_key) == open_signer(world.keys / LOG_KEY).vkey
    assert VerifierKey.parse(said.receipt_key).name == f"{ORIGIN}/receipts"
    assert (said.delay_hours, said.store_epoch) == (24, world.store.epoch())
    assert body.startswith(b'{"_position":0,"_prev":null,"_sd":[]')
    assert decode(LogOpened.TYPE, b"{" + body.split(b",", 2)[2].rsplit(b",", 1)[0] + b"}").stream == GENESIS


def test_every_event_is_sealed_once_in_store_order(world: LogWorld) -> None:
    world.add(*"abcabbca")

    world.sealed(3)

    assert world.leaves() == expected(world.store)


def test_every_stream_is_sealed(world: LogWorld) -> None:
    streams = [f"0000000{number}-0000-4000-8000-000000000000" for number in range(6)]
    world.add(*streams)

    world.sealed()

    assert [world.log.stream_head(stream) is not None for stream in streams] == [True] * 6


def test_the_head_is_a_note_that_the_log_key_has_signed(world: LogWorld) -> None:
    world.add(*"abc")
    world.sealed()

    head = world.log.head()

    assert head is not None
    note = parse_note(head.note)
    state = world.log.state()
    assert Checkpoint.parse(note.text) == Checkpoint(ORIGIN, state.size, state.root)
    assert verified(note, [public_key(world.keys / LOG_KEY)], ed25519_verify)


def test_gaps_in_the_positions_leave_none_in_the_log(world: LogWorld) -> None:
    for number in range(5):
        world.add("a")
        with pytest.raises(Conflict):
            world.store.append(one("a", after=0))
        run_sql(world, f"DELETE FROM {table(world)} WHERE originator_id = ?", "gone")
        world.store.append(one(f"b{number}"))
        run_sql(
            world, f"UPDATE {table(world)} SET rowid = rowid + 1000 WHERE originator_id = ?", f"b{number}"
        )

    world.sealed(2)

    assert world.leaves() == expected(world.store)
    assert world.log.state().size == 11


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    streams=st.lists(st.sampled_from("abcd"), max_size=40),
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=10),
)
def test_whatever_the_batches_the_root_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, streams: list[str], sizes: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("log")
    with log_world(str(folder / "cases.db"), folder) as world:
        world.add(*streams)
        seal_all(world.store, world.sealer(), itertools.cycle(sizes))
        leaves = list(world.log.leaves(0, world.log.state().size))
        assert world.leaves() == expected(world.store)
        assert world.log.state().root == root(len(leaves), subtree_of(hashes_of(leaves)))


def test_several_writing_processes_are_sealed_as_they_write(world: LogWorld) -> None:
    writers = [
        start("tests.contract.writer", world.store_url, name, "40") for name in ("one", "two", "three")
    ]
    sealer, after = world.sealer(), 0
    after = sealer.position()
    while any(writer.poll() is None for writer in writers) or world.store.head() > after:
        batch = world.store.read(after, 50)
        if batch:
            sealer.seal(batch)
            after = batch[-1].position
    for writer in writers:
        _, errors = writer.communicate(timeout=100)
        assert writer.returncode == 0, errors

    assert len(world.leaves()) == 3 * 40 * 3
    assert world.leaves() == expected(world.store)
    assert reconcile(world.store, world.log).bad is None


def test_the_follower_runs_it_and_the_next_one_goes_on(world: LogWorld) -> None:
    async def followed(stream: str) -> None:
        follower = Follower(world.store, [world.sealer()], world.log, batch=7, gather=0.0)
        running = asyncio.create_task(follower.run())
        await asyncio.to_thread(world.add, *[stream] * 10)
        await asyncio.to_thread(
            until, lambda: world.log.state().position == world.store.head() and _signed(world)
        )
        follower.stop()
        await running

    asyncio.run(followed("a"))
    asyncio.run(followed("b"))

    assert world.leaves() == expected(world.store)


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.01)


def _signed(world: LogWorld) -> bool:
    head = world.log.head()
    return head is not None and head.size == world.log.state().size


def test_of_two_sealers_that_take_themselves_for_the_leader_one_seals(world: LogWorld) -> None:
    world.add(*"ab")
    first, second = world.sealer(), world.sealer()
    first.position()
    second.position()
    batch = world.store.read(0, 10)
    first.seal(batch)

    with pytest.raises(Conflict):
        second.seal(batch)

    assert world.leaves() == expected(world.store)
    assert second.position() == world.store.head()


# -- what a sealer that died has left ---------------------------------------------------------------------------------


def test_a_state_that_was_committed_and_not_signed_is_signed_at_the_next_start(world: LogWorld) -> None:
    world.add(*"ab")
    sealer = world.sealer()
    sealer.position()

    sealer._signer = Deaf(open_signer(world.keys / LOG_KEY).vkey)
    with pytest.raises(Unavailable):
        sealer.seal(world.store.read(0, 10))
    assert not _signed(world)

    world.sealer().position()

    assert _signed(world)


def test_a_batch_done_again_after_a_death_gives_the_same_head(world: LogWorld) -> None:
    world.add(*"abc")
    world.sealed()
    before = world.log.state()

    world.sealed()

    assert world.log.state() == before
    assert len(world.log.heads()) == 2


# -- what forbids sealing ---------------------------------------------------------------------------------------------


def refused(world: LogWorld, code: str) -> None:
    """The sealer refuses by this name, seals and signs nothing, and leaves word for the doctor."""
    before, heads = world.log.state(), world.log.heads()
    with pytest.raises(Refused) as told:
        world.sealed()
    assert told.value.code == code
    assert (world.log.state(), world.log.heads()) == (before, heads)
    assert (world.log.meta(TROUBLE) or "").startswith(f"{code}: ")


@pytest.mark.parametrize(
    "deed",
    [
        'UPDATE {table} SET state = CAST(\'{{"_sd":[],"type":"x"}}\' AS {bytes}) WHERE rowid = ?',
        "UPDATE {table} SET originator_version = 99 WHERE rowid = ?",
    ],
)
def test_a_rewritten_last_event_stops_the_sealer(world: LogWorld, deed: str) -> None:
    world.add(*"aab")
    world.sealed()
    kind = "bytea" if world.store_url.startswith("postgresql") else "blob"
    run_sql(world, deed.format(table=table(world), bytes=kind), world.store.head())
    world.add("c")

    refused(world, "tail_differs")


def test_a_last_event_that_was_removed_and_followed_by_another_stops_the_sealer(world: LogWorld) -> None:
    world.add(*"aab")
    world.sealed()
    run_sql(world, f"DELETE FROM {table(world)} WHERE rowid = ?", world.store.head())
    world.add("c")

    refused(world, "tail_differs")


def test_it_is_noticed_while_the_sealer_runs(world: LogWorld) -> None:
    world.add(*"aab")
    sealer = world.sealed()
    run_sql(world, f"DELETE FROM {table(world)} WHERE rowid = ?", world.store.head())
    world.add("c")

    with pytest.raises(Refused, match="tail_differs"):
        sealer.seal(world.store.read(world.log.state().position, 10))

    assert world.log.state().size == 4


def test_a_store_that_ends_before_the_log_stops_the_sealer(world: LogWorld) -> None:
    world.add(*"aab")
    world.sealed()
    run_sql(world, f"DELETE FROM {table(world)} WHERE rowid > ?", 1)

    refused(world, "log_ahead_of_store")


def test_another_life_of_the_store_stops_the_sealer(world: LogWorld) -> None:
    world.add(*"aab")
    world.sealed()
    world.store.renew_epoch()

    refused(world, "store_epoch_differs")


def test_a_witness_that_is_ahead_stops_the_sealer_until_it_is_not(world: LogWorld) -> None:
    world.add(*"aab")
    world.sealed()
    world.add("c")
    with pytest.raises(Refused, match="board-2") as told:
        world.sealer(
            ahead=lambda state: [Claim("board-2", 9, proved=True)] if state.size < 9 else []
        ).position()
    assert told.value.code == "witness_ahead"
    assert world.log.state().size == 4

    world.sealed()

    assert world.log.meta(TROUBLE) is None
    assert world.log.state().size == 5


def test_a_witness_that_claims_more_is_named_apart_with_what_to_do(world: LogWorld) -> None:
    world.add("a")
    world.sealed()

    with pytest.raises(Refused) as told:
        world.sealer(ahead=lambda _: [Claim("board-2", 9, proved=False)]).position()

    assert told.value.code == "witness_claims_more"
    assert "board-2 (9)" in told.value.advice
    assert "huiyin log set-aside BOARD --claimed SIZE" in told.value.advice


def test_where_one_witness_proves_it_the_others_words_do_not_matter(world: LogWorld) -> None:
    world.add("a")
    world.sealed()
    both = [Claim("board-1", 9, proved=False), Claim("board-2", 5, proved=True)]

    with pytest.raises(Refused, match="board-2 cosigned") as told:
        world.sealer(ahead=lambda _: both).position()

    assert told.value.code == "witness_ahead"


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE state SET root = ?",
        "UPDATE tail SET hash = ? WHERE leaf_index = 1",
        "UPDATE heads SET root = ? WHERE size = 4",
    ],
)
def test_a_log_that_was_tampered_with_is_not_signed(world: LogWorld, deed: str) -> None:
    world.add(*"aab")
    world.sealed()
    with world.log._database.transaction() as work:  # type: ignore[attr-defined]
        work.run(deed, bytes(32))

    refused(world, "log_damaged")


def test_a_log_that_was_cut_below_a_signed_head_is_not_signed(world: LogWorld) -> None:
    world.add(*"aab")
    world.sealed(2)
    with world.log._database.transaction() as work:  # type: ignore[attr-defined]
        work.run("DELETE FROM tail WHERE leaf_index > 0")
        work.run("DELETE FROM streams")
        leaf = hashes_of([world.log.leaf(0)])[0]
        work.run("UPDATE state SET size = 1, position = 0, root = ?", leaf)

    refused(world, "log_damaged")


def test_another_key_does_not_sign(world: LogWorld) -> None:
    world.add("a")
    world.sealed()
    make_key(world.keys / LOG_KEY, ORIGIN)

    refused(world, "log_key_differs")


def test_bytes_that_are_no_event_are_not_sealed(world: LogWorld) -> None:
    world.sealed()
    run_sql(
        world,
        f"INSERT INTO {table(world)} (originator_id, originator_version, topic, state, known_at)"
        " VALUES ('x', 1, 'x', ?, 0)",
        b"not an event",
    )

    refused(world, "leaf_body")


# -- what is sealed all the same --------------------------------------------------------------------------------------


@pytest.mark.parametrize("removed", [1, 2])
def test_a_hole_in_a_stream_is_sealed_as_the_hole_that_it_is(
    world: LogWorld, removed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    world.add(*"aaa")
    run_sql(world, f"DELETE FROM {table(world)} WHERE originator_version = ?", removed)

    world.sealed()

    sealed = world.leaves()
    versions = [one.version for one in sealed]
    assert versions == [version for version in (1, 2, 3) if version != removed]
    assert sealed[0].previous == (bytes(32) if removed == 1 else None)
    said = capsys.readouterr()
    assert "stream_out_of_step" in said.out + said.err


def test_a_clock_that_goes_backwards_is_told_and_order_never_turns(
    world: LogWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world.add("a")
    world.sealed()
    world.clock = lambda: now() - timedelta(hours=1)
    world.add("b")

    world.sealed()

    moments = [head.signed_at for head in world.log.heads()]
    assert moments == sorted(moments)
    assert len(moments) == 3
    said = capsys.readouterr()
    assert "clock_went_backwards" in said.out + said.err


# -- after a restore --------------------------------------------------------------------------------------------------


def test_a_log_older_than_the_restored_record_gets_the_very_leaves_it_had(
    world: LogWorld, tmp_path: Path
) -> None:
    world.add(*"abab")
    world.sealed()
    (tmp_path / "older").mkdir()
    world.add(*"aabb")
    world.sealed(3)
    before = world.log.state()
    _cut(world, 5)
    world.store.renew_epoch()

    assert rejoin(world.store, world.log) == "9 leaves"

    assert world.log.state() == before._replace(epoch=world.store.epoch())
    assert len(world.log.heads(after=5)) == 0, "nothing is signed before the witnesses are asked"
    assert world.sealer().position() == world.store.head()


def test_a_log_newer_than_the_restored_record_is_left_as_it_stands(world: LogWorld) -> None:
    world.add(*"abab")
    world.sealed()
    before = world.log.state()
    run_sql(world, f"DELETE FROM {table(world)} WHERE rowid > ?", 2)
    world.store.renew_epoch()

    assert rejoin(world.store, world.log).startswith("log_ahead_of_store: ")

    assert world.log.state() == before
    refused(world, "store_epoch_differs")


def _cut(world: LogWorld, size: int) -> None:
    """The log as an older backup holds it."""
    leaves = list(world.log.leaves(0, size))
    hashes = hashes_of(leaves)
    with world.log._database.transaction() as work:  # type: ignore[attr-defined]
        work.run("DELETE FROM tail WHERE leaf_index >= ?", size)
        work.run("DELETE FROM heads WHERE size > ?", size)
        ((position,),) = work.rows("SELECT max(position) FROM tail")
        work.run("DELETE FROM streams")
        for stream in "ab":
            sealed = [stored for stored in world.store.load(stream) if stored.position <= position]
            index = _index(work, sealed[-1])
            work.add("streams", [(stream, sealed[-1].version, index, hashes[index])])
        work.run(
            "UPDATE state SET size = ?, position = ?, root = ?",
            size,
            position,
            root(size, subtree_of(hashes)),
        )


def _index(work: object, stored: Stored) -> int:
    ((index,),) = work.rows("SELECT leaf_index FROM tail WHERE position = ?", stored.position)  # type: ignore[attr-defined]
    return int(index)


# -- the operator's own check -----------------------------------------------------------------------------------------


def test_an_untouched_store_agrees_with_its_log(world: LogWorld) -> None:
    world.add(*(f"s{number % 40}" for number in range(600)))
    world.sealed(97)
    seen: list[tuple[int, int]] = []

    found = reconcile(world.store, world.log, lambda done, total: seen.append((done, total)))

    assert (found.leaves, found.unsealed, found.bad) == (601, False, None)
    assert seen[-1] == (601, 601)


@pytest.mark.parametrize(
    ("deed", "code"),
    [
        ("DELETE FROM {table} WHERE rowid = 7", "event_missing"),
        ("UPDATE {table} SET originator_version = 5000 WHERE rowid = 7", "event_differs"),
    ],
)
def test_a_changed_row_is_named_by_its_leaf(world: LogWorld, deed: str, code: str) -> None:
    world.add(*(f"s{number % 4}" for number in range(20)))
    world.sealed()
    run_sql(world, deed.format(table=table(world)))

    bad = reconcile(world.store, world.log).bad

    assert bad is not None
    assert (bad.index, bad.code, bad.position) == (7, code, 7)


@pytest.mark.parametrize(
    ("deed", "index"),
    [
        ("UPDATE tail SET leaf = ? WHERE leaf_index = 259", 259),
        ("UPDATE tiles SET hashes = ? WHERE level = 0", 0),
    ],
)
def test_a_changed_leaf_or_tile_is_named_by_its_leaf(world: LogWorld, deed: str, index: int) -> None:
    world.add(*(f"s{number % 4}" for number in range(300)))
    world.sealed()
    with world.log._database.transaction() as work:  # type: ignore[attr-defined]
        work.run(deed, b'{"_position":259,"_prev":null,"_sd":[],"type":"x","version":1}')

    bad = reconcile(world.store, world.log).bad

    assert bad is not None
    assert (bad.index, bad.code) == (index, "tile_differs")


# -- the keys ---------------------------------------------------------------------------------------------------------


def test_keys_are_their_owners_alone_and_apart(tmp_path: Path) -> None:
    assert make_log_keys(tmp_path, ORIGIN) == ("log.key", "receipt.key")
    before = (tmp_path / LOG_KEY).read_bytes()

    assert make_log_keys(tmp_path, ORIGIN) == ()

    assert (tmp_path / LOG_KEY).read_bytes() == before
    assert [path.stat().st_mode & 0o077 for path in tmp_path.glob("*.key")] == [0, 0]
    signers = [open_signer(path) for path in sorted(tmp_path.glob("*.key"))]
    assert [signer.vkey.name for signer in signers] == [ORIGIN, f"{ORIGIN}/receipts"]
    assert signers[0].vkey.public != signers[1].vkey.public
    for signer, path in zip(signers, sorted(tmp_path.glob("*.pub")), strict=True):
        assert public_key(path) == signer.vkey
        assert ed25519_verify(signer.vkey.public, b"message", signer.sign(b"message"))
        assert not ed25519_verify(signer.vkey.public, b"other", signer.sign(b"message"))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    make_log_keys(tmp_path, ORIGIN)
    (tmp_path / LOG_KEY).chmod(mode)

    with pytest.raises(Refused, match="signing_key_open"):
        open_signer(tmp_path / LOG_KEY)


@pytest.mark.parametrize("text", ["", "PRIVATE+KEY+a", "PRIVATE+KEY+a+00000000+AQ==", "\xff", "x" * 5000])
def test_a_damaged_key_is_refused(tmp_path: Path, text: str) -> None:
    descriptor = os.open(tmp_path / LOG_KEY, os.O_WRONLY | os.O_CREAT, 0o600)
    os.write(descriptor, text.encode("latin-1"))
    os.close(descriptor)

    with pytest.raises(Refused, match="signing_key_damaged"):
        open_signer(tmp_path / LOG_KEY)


def test_a_missing_key_is_refused_and_never_made_anew(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="signing_key_missing"):
        open_signer(tmp_path / LOG_KEY)
    assert list(tmp_path.iterdir()) == []
