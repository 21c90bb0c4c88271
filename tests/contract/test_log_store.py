"""The port LogStore, on both databases: nothing is changed, nothing is half written, no head is signed twice."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.log import open_log
from adapters.log.growing import grown, tip_of
from adapters.log.proofs import Proofs
from adapters.log.rows import NOTHING
from adapters.log.store import Head
from domain.log.leaf import unleaf
from domain.log.tiles import ENTRIES, WIDTH, decode_entries
from domain.log.tree import leaf_hash, root, verify_consistency, verify_inclusion
from domain.log.words import GENESIS
from domain.refusal import Conflict, Refused
from tests.contract.log_world import LogWorld, hashes_of, log_url, log_world, now
from tests.contract.store_world import body, new_id
from tests.small_tree import subtree_of
from workflows.ports import Stored


@pytest.fixture
def world(store_url: str, tmp_path: Path) -> Iterator[LogWorld]:
    with log_world(store_url, tmp_path) as made:
        yield made


def filled(world: LogWorld, count: int, streams: int = 7) -> list[bytes]:
    """So many events more, sealed; gives all leaf hashes."""
    names = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(streams)]
    world.add(*(names[number % streams] for number in range(count)))
    world.sealed()
    return hashes_of(list(world.log.leaves(0, world.log.state().size)))


def head_of(world: LogWorld, size: int | None = None, root_: bytes | None = None) -> Head:
    state = world.log.state()
    return Head(size or state.size, root_ or state.root, "note\n\n— a b\n", now())


def run_sql(world: LogWorld, statement: str, *parameters: object) -> None:
    """As the database's superuser."""
    with world.log._database.transaction() as work:  # type: ignore[attr-defined]
        work.run(statement, *parameters)


def test_a_log_that_was_never_opened_is_empty(world: LogWorld) -> None:
    assert world.log.state() == NOTHING
    assert (world.log.head(), world.log.cosigned(), world.log.heads()) == (None, None, [])
    assert (world.log.tile(0, 0, 1), world.log.index_of(1), world.log.stream_head("a")) == (None, None, None)
    with pytest.raises(IndexError):
        world.log.leaf(0)


@pytest.mark.parametrize("count", [0, 1, 254, 255, 256, 700])
def test_tiles_and_leaves_are_those_of_the_tree_at_every_width(world: LogWorld, count: int) -> None:
    hashes = filled(world, count)
    size = count + 1
    full, width = divmod(size, WIDTH)

    for tile in range(full):
        assert world.log.tile(0, tile) == b"".join(hashes[tile * WIDTH : (tile + 1) * WIDTH])
    for narrower in range(1, width + 1):
        start = full * WIDTH
        assert world.log.tile(0, full, narrower) == b"".join(hashes[start : start + narrower])
        bundle = world.log.tile(ENTRIES, full, narrower)
        assert bundle is not None
        assert hashes_of(decode_entries(bundle)) == hashes[start : start + narrower]
    assert world.log.tile(0, full, width + 1) is None
    assert world.log.state().root == root(size, subtree_of(hashes))


def test_a_full_tile_still_gives_every_narrower_one(world: LogWorld) -> None:
    hashes = filled(world, 600)

    assert world.log.tile(0, 1, 17) == b"".join(hashes[256:273])
    assert hashes_of(decode_entries(world.log.tile(ENTRIES, 0, 200) or b"")) == hashes[:200]
    assert world.log.tile(1, 0, 1) == root(256, subtree_of(hashes)), "a tile above grows in place"


@pytest.mark.parametrize("place", [(-2, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257), (9, 0, 1)])
def test_a_place_outside_the_log_holds_no_tile(world: LogWorld, place: tuple[int, int, int]) -> None:
    filled(world, 3)

    assert world.log.tile(*place) is None


def test_leaves_are_read_in_any_range_and_never_beyond_the_end(world: LogWorld) -> None:
    hashes = filled(world, 600)

    for start, stop in ((0, 1), (255, 257), (0, 601), (600, 601), (300, 300)):
        assert hashes_of(list(world.log.leaves(start, stop))) == hashes[start:stop]
    assert leaf_hash(world.log.leaf(600)) == hashes[600]
    for start, stop in ((601, 602), (0, 602), (-1, 2)):
        with pytest.raises(IndexError):
            list(world.log.leaves(start, stop))


def test_every_event_is_found_by_its_position(world: LogWorld) -> None:
    filled(world, 600)

    positions = [unleaf(leaf).position for leaf in world.log.leaves(0, 601)]

    assert [world.log.index_of(position) for position in positions] == list(range(601))
    assert world.log.index_of(positions[-1] + 1) is None


def test_a_stream_stands_at_its_newest_leaf(world: LogWorld) -> None:
    hashes = filled(world, 300, streams=7)
    stream = "00000003-0000-4000-8000-000000000000"

    found = world.log.stream_head(stream)

    newest = world.store.load(stream)[-1]
    index = world.log.index_of(newest.position)
    assert found is not None
    assert (found.version, found.index, found.hash) == (newest.version, index, hashes[index or 0])
    assert set(world.log.stream_heads([stream, new_id()])) == {stream}


def test_proofs_from_tiles_hold(world: LogWorld) -> None:
    hashes = filled(world, 700)
    proofs, state = Proofs(world.log), world.log.state()

    for size in (1, 2, 255, 256, 257, 512, 701):
        assert proofs.root(size) == root(size, subtree_of(hashes))
        verify_consistency(size, 701, proofs.consistency(size, 701), proofs.root(size), state.root)
    for index in (0, 255, 256, 511, 512, 700):
        verify_inclusion(hashes[index], index, 701, proofs.inclusion(index, 701), state.root)


# -- one writer -------------------------------------------------------------------------------------------------------


def test_a_growth_that_starts_elsewhere_writes_nothing(world: LogWorld) -> None:
    filled(world, 3)
    tip = tip_of(world.log)
    world.add("one", "two")
    batch = world.store.read(tip.state.position, 10)
    made = grown(tip, batch, world.log.stream_heads)
    world.log.append(tip.state, made.growth)

    with pytest.raises(Conflict):
        world.log.append(tip.state, made.growth)

    assert world.log.state() == made.tip.state
    assert len(list(world.log.leaves(0, 6))) == 6


def test_of_two_that_open_the_log_one_does(world: LogWorld) -> None:
    first, second = world.sealer(), world.sealer()
    other = open_log(log_url(world.store_url))
    tip = tip_of(other)

    first.position()

    genesis = Stored(0, GENESIS, 1, "x.v1", body())
    with pytest.raises(Conflict):
        other.append(tip.state, grown(tip, [genesis], lambda _: {}).growth)
    assert (other.state().size, second.position()) == (1, 0)
    other.close()


def test_one_process_leads_a_consumer_of_the_log(world: LogWorld) -> None:
    other = open_log(log_url(world.store_url))
    with (
        world.log.leader("sealer") as first,
        other.leader("sealer") as second,
        other.leader("cosigner") as third,
    ):
        assert (first, second, third) == (True, False, True)
    with other.leader("sealer") as again:
        assert again
    other.close()


def test_a_tile_that_was_changed_below_a_new_head_is_noticed(world: LogWorld) -> None:
    filled(world, 300)
    tip = tip_of(world.log)
    world.add(*["a"] * 300)
    made = grown(tip, world.store.read(tip.state.position, 300), world.log.stream_heads)
    run_sql(world, "UPDATE tiles SET hashes = ? WHERE level = 1", bytes(32))

    with pytest.raises(Refused, match="log_damaged"):
        world.log.append(tip.state, made.growth)

    assert world.log.state() == tip.state


def test_a_leaf_missing_from_the_tail_is_noticed(world: LogWorld) -> None:
    filled(world, 100)
    tip = tip_of(world.log)
    world.add(*["a"] * 200)
    made = grown(tip, world.store.read(tip.state.position, 200), world.log.stream_heads)
    run_sql(world, "DELETE FROM tail WHERE leaf_index = 50")

    with pytest.raises(Refused, match="log_damaged"):
        world.log.append(tip.state, made.growth)


def test_a_log_beside_the_librarys_own_functions_is_refused(
    pg_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "y")

    with pytest.raises(Refused, match="db_functions_enabled"):
        open_log(pg_database)


# -- heads ------------------------------------------------------------------------------------------------------------


def test_a_head_is_kept_and_given_back(world: LogWorld) -> None:
    filled(world, 2)
    signed = world.log.head()
    assert signed is not None

    world.log.save_head(signed)

    assert world.log.heads() == [world.log.head_at(1), signed]
    assert world.log.heads(after=1) == [signed]
    assert world.log.head_at(signed.size) == signed
    assert world.log.head_at(99) is None


def test_a_size_never_gets_a_second_root(world: LogWorld) -> None:
    filled(world, 2)

    with pytest.raises(Refused, match="second_head"):
        world.log.save_head(head_of(world, root_=bytes(32)))


def test_a_size_below_a_signed_one_is_never_signed(world: LogWorld) -> None:
    filled(world, 2)

    with pytest.raises(Refused, match="head_goes_back"):
        world.log.save_head(head_of(world, size=2))


@pytest.mark.parametrize("change", [{"size": 9}, {"root_": bytes(32), "size": 9}])
def test_only_the_committed_state_is_signed(world: LogWorld, change: dict[str, Any]) -> None:
    filled(world, 2)

    with pytest.raises(Conflict):
        world.log.save_head(head_of(world, **change))


def test_cosignatures_are_added_once_and_the_quorum_is_dated_once(world: LogWorld) -> None:
    filled(world, 2)
    head = world.log.head()
    assert head is not None
    moment = now().replace(microsecond=0)
    world.log.add_cosignatures(head.size, ["— board-1 AAAA"])
    assert world.log.cosigned() is None

    for later in range(2):
        world.log.add_cosignatures(
            head.size, ["— board-1 AAAA", "— board-2 BBBB"], quorum_at=moment + timedelta(seconds=later)
        )

    cosigned = world.log.cosigned()
    assert cosigned is not None
    assert cosigned.note == head.note + "— board-1 AAAA\n— board-2 BBBB\n"
    assert cosigned.cosigned_at == moment
    with pytest.raises(Refused, match="no_such_head"):
        world.log.add_cosignatures(77, [])


def test_the_head_that_covers_a_leaf_is_the_first_after_it(world: LogWorld) -> None:
    for _ in range(3):
        world.add("a")
        world.sealed()
    world.log.add_cosignatures(4, ["— board AAAA"], quorum_at=now())

    signed = [world.log.covering(index, cosigned=False) for index in range(5)]
    cosigned = [world.log.covering(index) for index in range(5)]

    assert [head and head.size for head in signed] == [1, 2, 3, 4, None]
    assert [head and head.size for head in cosigned] == [4, 4, 4, 4, None]


def test_notes_are_kept_replaced_and_removed(world: LogWorld) -> None:
    for value in ("first", "second", None):
        world.log.set_meta("trouble", value)
        assert world.log.meta("trouble") == value


def test_another_life_of_the_store_is_adopted_by_compare_and_set(world: LogWorld) -> None:
    filled(world, 2)
    state = world.log.state()

    world.log.adopt(state, "another")

    assert world.log.state() == state._replace(epoch="another")
    with pytest.raises(Conflict):
        world.log.adopt(state, "third")
