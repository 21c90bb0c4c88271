"""How far the key has signed stands beside it: no older copy of the databases is signed on, and no honest one is refused."""

import shutil
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.log import open_log
from adapters.log.genesis import Opening
from adapters.log.keys import LOG_KEY, RECEIPT_KEY, open_signer, public_key
from adapters.log.mark import MARK, Mark, Marked
from adapters.log.rejoin import rejoin
from adapters.log.sealer import TROUBLE, Sealer
from adapters.log.slots import LEAST, Slots
from domain.log.notes import ML_DSA_44_COSIGNATURE, VerifierKey
from domain.log.policy import Witness
from domain.log.tree import EMPTY_ROOT
from domain.refusal import Refused, Unavailable
from tests.contract.log_world import ORIGIN, Deaf, LogWorld, log_world
from tests.contract.store_world import opened


@pytest.fixture
def world(tmp_path: Path) -> Iterator[LogWorld]:
    (tmp_path / "one").mkdir()
    with log_world(str(tmp_path / "one" / "cases.db"), tmp_path) as made:
        yield made


def marked(world: LogWorld) -> Marked | None:
    return Mark(world.keys / MARK).read(ORIGIN)


def copied(world: LogWorld, folder: Path) -> LogWorld:
    """Record and log as they are now, in another folder, under the same key."""
    shutil.copytree(Path(world.store_url).parent, folder)
    url = str(folder / "cases.db")
    return replace(
        world, store_url=url, store=opened(url), log=open_log(str(folder / "log.db")), versions={**world.versions}
    )  # fmt: skip


def refused(world: LogWorld, code: str = "signed_more_already") -> str:
    """Nothing is signed, by this name."""
    heads = world.log.heads()
    with pytest.raises(Refused) as told:
        world.sealed()
    assert told.value.code == code
    assert world.log.heads() == heads
    assert (world.log.meta(TROUBLE) or "").startswith(f"{code}: ")
    return told.value.advice


# -- the honest office ------------------------------------------------------------------------------------------------


def test_the_mark_names_the_newest_head_and_is_its_owners_alone(world: LogWorld) -> None:
    world.add(*"abc")
    world.sealed(1)

    head = world.log.head()

    assert head is not None
    assert marked(world) == Marked(head.size, head.root)
    assert stat.S_IMODE((world.keys / MARK).stat().st_mode) == 0o600


def test_a_log_that_goes_on_is_never_refused(world: LogWorld) -> None:
    for stream in "abcab":
        world.add(stream, stream)
        world.sealed(1)

    assert [head.size for head in world.log.heads()] == list(range(1, 12))


def test_an_older_mark_and_none_at_all_hold_nothing_up(world: LogWorld, tmp_path: Path) -> None:
    world.sealed()
    shutil.copy(world.keys / MARK, tmp_path / "older")
    world.add(*"ab")
    world.sealed()
    shutil.copy(tmp_path / "older", world.keys / MARK)
    world.add("c")
    world.sealed()
    (world.keys / MARK).unlink()
    world.sealed()

    found = marked(world)
    assert found is not None
    assert found.size == world.log.state().size == 4


def test_a_head_that_was_marked_and_not_signed_is_signed_at_the_next_start(world: LogWorld) -> None:
    world.add("a")
    sealer = world.sealer()
    sealer.position()

    sealer._signer = Deaf(open_signer(world.keys / LOG_KEY).vkey)
    with pytest.raises(Unavailable):
        sealer.seal(world.store.read(0, 10))
    found, head = marked(world), world.log.head()
    assert found is not None
    assert head is not None
    assert (found.size, head.size) == (2, 1)

    world.sealer().position()

    assert world.log.heads()[-1].root == found.root


def test_another_log_under_the_same_folder_has_a_mark_of_its_own(world: LogWorld, tmp_path: Path) -> None:
    world.add(*"abc")
    world.sealed()
    (tmp_path / "two").mkdir()
    other = open_log(str(tmp_path / "two" / "log.db"))
    opening = Opening("huiyin.test/second", public_key(world.keys / RECEIPT_KEY), 24, "test")
    signer = open_signer(world.keys / LOG_KEY)

    Sealer(world.store, other, signer, Mark(world.keys / MARK), opening, world.clock).position()

    other.close()
    found, second = marked(world), Mark(world.keys / MARK).read("huiyin.test/second")
    assert found is not None
    assert second is not None
    assert (found.size, second.size) == (4, 1)


# -- an older copy ----------------------------------------------------------------------------------------------------


def test_a_log_behind_its_mark_is_refused_and_the_sentence_says_what_to_do(
    world: LogWorld, tmp_path: Path
) -> None:
    world.add("a")
    world.sealed()
    older = copied(world, tmp_path / "older")
    world.add("b")
    world.sealed()

    advice = refused(older)

    assert "has signed 3 leaves, and this log holds 2" in advice
    assert "huiyin restore" in advice
    assert "huiyin log open --after" in advice


@pytest.mark.parametrize("more", ["b", "bb", "bbcc"])
def test_an_older_copy_that_grew_otherwise_is_refused_at_any_size(
    world: LogWorld, tmp_path: Path, more: str
) -> None:
    world.add("a")
    world.sealed()
    older = copied(world, tmp_path / "older")
    world.add("b", "c")
    world.sealed()
    older.add(*more)
    (world.keys / MARK).rename(tmp_path / "aside")
    older.sealed()
    (tmp_path / "aside").rename(world.keys / MARK)
    older.add("z")

    refused(older)


def test_an_older_copy_that_is_behind_gets_back_to_the_mark_by_the_same_events(
    world: LogWorld, tmp_path: Path
) -> None:
    world.add("a")
    world.sealed()
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    world.add("b")
    world.sealed()
    found = marked(world)
    older = replace(world, log=open_log(str(tmp_path / "two" / "log.db")))
    refused(older)

    assert rejoin(older.store, older.log) == "3 leaves"
    older.sealed()

    assert marked(older) == found
    older.log.close()


def test_two_copies_under_one_key_do_not_both_sign(world: LogWorld, tmp_path: Path) -> None:
    world.add("a")
    world.sealed()
    other = copied(world, tmp_path / "other")
    ours, theirs = world.sealer(), other.sealer()
    after = ours.position(), theirs.position()
    world.add("b")
    other.add("c")

    ours.seal(world.store.read(after[0], 10))
    with pytest.raises(Refused, match="signed_more_already"):
        theirs.seal(other.store.read(after[1], 10))

    assert [head.size for head in other.log.heads()] == [1, 2]


def test_a_log_that_was_lost_is_not_begun_anew_under_its_name(world: LogWorld, tmp_path: Path) -> None:
    world.add("a")
    world.sealed()
    (tmp_path / "two").mkdir()
    empty = replace(world, log=open_log(str(tmp_path / "two" / "log.db")))

    refused(empty)

    assert empty.log.state().size == 0
    empty.log.close()


# -- the file ---------------------------------------------------------------------------------------------------------


def test_a_mark_that_is_damaged_is_refused_by_name(world: LogWorld) -> None:
    world.sealed()
    for damage in (b"", b"x" * 3 * LEAST, b"\n" * 2 * LEAST):
        (world.keys / MARK).write_bytes(damage)
        refused(world, "mark_damaged")


@pytest.mark.parametrize(
    "value",
    [
        b"[]", b"{}", b'{"version":2,"logs":{}}', b'{"version":1,"logs":{"a":{"size":0,"root":"","boards":[]}}}',
        b'{"version":1,"logs":{"a":{"size":1,"root":"AA==","boards":[]}}}',
        b'{"version":1,"logs":{"a":{"size":1,"root":"' + b"A" * 43 + b'=","boards":[{"name":"a","vkey":"x","url":null}]}}}',
    ],
)  # fmt: skip
def test_a_mark_that_says_something_else_is_refused_by_name(tmp_path: Path, value: bytes) -> None:
    Slots(tmp_path / MARK).write(value)

    with pytest.raises(Refused, match="mark_damaged"):
        Mark(tmp_path / MARK).read("a")


def test_a_mark_out_of_reach_lets_nothing_be_signed(world: LogWorld) -> None:
    world.sealed()
    world.add("a")
    (world.keys / MARK).unlink()
    (world.keys / MARK).mkdir()

    with pytest.raises(Unavailable, match=MARK):
        world.sealed()

    assert [head.size for head in world.log.heads()] == [1]


def test_a_hundred_boards_with_the_largest_keys_fit(tmp_path: Path) -> None:
    keys = [
        VerifierKey.of(f"board-{n}.example/w", ML_DSA_44_COSIGNATURE, bytes([n]) * 1312) for n in range(100)
    ]
    boards = tuple(
        Witness(f"board-{n}", key, f"https://board-{n}.example/witness") for n, key in enumerate(keys)
    )
    (tmp_path / "world").mkdir()
    with log_world(str(tmp_path / "world" / "cases.db"), tmp_path) as made:
        made.sealed()
        state = made.log.state()

    Mark(tmp_path / MARK).move(state, boards, lambda _: EMPTY_ROOT)

    assert Mark(tmp_path / MARK).read(ORIGIN) == Marked(state.size, state.root, boards)


@given(
    st.lists(st.binary(max_size=2500).filter(lambda one: b"\n" not in one), min_size=1, max_size=5),
    st.data(),
)
def test_a_write_that_is_cut_off_leaves_the_one_before(
    tmp_path_factory: pytest.TempPathFactory, values: list[bytes], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("slots") / MARK
    for value in values:
        Slots(path).write(value)
    before = path.read_bytes()
    Slots(path).write(b"newest")
    after = path.read_bytes()
    if len(after) != len(before):
        return  # a new file, put in place whole
    cut = data.draw(st.integers(0, len(before)))
    path.write_bytes(after[:cut] + before[cut:])

    assert Slots(path).read() in (values[-1], b"newest")
    Slots(path).write(b"next")
    assert Slots(path).read() == b"next"
