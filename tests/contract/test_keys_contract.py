"""The port KeyStore over both databases, and the master keys."""

import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from adapters.vault import open_keys
from adapters.vault.keys import Keys
from adapters.vault.masters import Masters, create_masters
from domain.refusal import NotFound, Refused, Unavailable
from tests.contract.processes import killed_at

OpenKeys = Callable[[], Keys]


@pytest.fixture
def masters(tmp_path: Path) -> Path:
    folder = tmp_path / "masters"
    create_masters(folder)
    return folder


@pytest.fixture
def keys_again(store_url: str, masters: Path) -> Iterator[OpenKeys]:
    stores: list[Keys] = []

    def again() -> Keys:
        stores.append(open_keys(store_url.replace("cases.db", "keys.db"), masters))
        return stores[-1]

    yield again
    for store in stores:
        store.close()


@pytest.fixture
def keys(keys_again: OpenKeys) -> Keys:
    return keys_again()


def test_a_created_key_comes_back_the_same(keys: Keys, keys_again: OpenKeys) -> None:
    key = keys.key("case", "person", create=True)
    assert key is not None
    assert len(key) == 32
    assert keys.key("case", "person", create=True) == key
    assert keys_again().key("case", "person") == key


def test_an_unknown_key_is_none_and_not_created_by_asking(keys: Keys) -> None:
    assert keys.key("case", "person") is None
    assert keys.key("case", "person") is None


def test_every_person_in_every_case_has_another_key(keys: Keys) -> None:
    made = keys.create([(case, person) for case in "abc" for person in "xyz"])
    assert len(set(made.values())) == 9
    assert all(keys.key(case, person) == key for (case, person), key in made.items())


def test_the_same_person_asked_for_twice_in_one_call_has_one_key(keys: Keys) -> None:
    assert len(keys.create([("case", "person"), ("case", "person")])) == 1


def test_a_destroyed_key_is_gone_and_never_created_again(keys: Keys, keys_again: OpenKeys) -> None:
    keys.key("case", "person", create=True)
    assert keys.destroy("case", "person") == 1
    for store in (keys, keys_again()):
        assert store.key("case", "person") is None
        with pytest.raises(Refused) as refused:
            store.key("case", "person", create=True)
        assert refused.value.code == "erased"


def test_destroying_one_person_leaves_the_others_of_the_case(keys: Keys) -> None:
    kept = keys.create([("case", "a"), ("case", "b"), ("other", "a")])
    assert keys.destroy("case", "a") == 1
    assert keys.key("case", "b") == kept["case", "b"]
    assert keys.key("other", "a") == kept["other", "a"]


def test_destroying_a_case_destroys_all_its_keys_once(keys: Keys) -> None:
    keys.create([("case", "a"), ("case", "b"), ("other", "a")])
    assert keys.destroy("case") == 2
    assert keys.destroy("case") == 0
    assert keys.key("case", "a") is None
    assert keys.key("other", "a") is not None


def test_a_key_handed_to_discipline_inspection_is_the_same_key_for_it_alone(keys: Keys) -> None:
    before = keys.create([("case", "a"), ("case", "b")])
    keys.destroy("case", "b")
    assert keys.rewrap("case", "discipline") == 1
    assert keys.key("case", "a") is None
    assert keys.key("case", "a", holder="discipline") == before["case", "a"]
    with pytest.raises(NotFound):
        keys.key("case", "a", create=True)


def test_a_person_without_a_key_who_is_erased_never_gets_one(keys: Keys) -> None:
    assert keys.destroy("case", "person") == 0
    with pytest.raises(Refused) as refused:
        keys.key("case", "person", create=True)
    assert refused.value.code == "erased"


def test_a_locked_key_is_kept_and_opens_only_where_that_is_asked_for(
    keys: Keys, keys_again: OpenKeys
) -> None:
    before = keys.create([("case", "a"), ("case", "b")])
    assert (keys.lock("case", "a"), keys.lock("case", "a")) == (1, 0)
    for store in (keys, keys_again()):
        assert store.key("case", "a") is None
        assert store.key("case", "a", locked=True) == before["case", "a"]
        assert store.key("case", "b") == before["case", "b"]
        assert store.locked("case") == {"a"}
        with pytest.raises(Refused) as refused:
            store.key("case", "a", create=True)
        assert refused.value.code == "locked"


def test_locking_a_case_locks_what_is_left_of_its_keys(keys: Keys) -> None:
    keys.create([("case", "a"), ("case", "b"), ("case", "c"), ("other", "a")])
    keys.destroy("case", "a")
    keys.lock("case", "b")
    assert keys.lock("case") == 1
    assert (keys.locked("case"), keys.locked("other")) == ({"b", "c"}, frozenset())


def test_a_lock_that_is_lifted_lets_the_same_key_open_again(keys: Keys) -> None:
    made = keys.create([("case", person) for person in "xyz"])
    keys.lock("case")
    keys.destroy("case", "z")

    assert keys.unlock("case", still=["y"]) == 1

    assert keys.key("case", "x") == made["case", "x"]
    assert (keys.locked("case"), keys.key("case", "y"), keys.key("case", "z")) == ({"y"}, None, None)
    assert keys.unlock("case", "y") == 1
    assert keys.unlock("case") == 0
    assert keys.key("case", "y") == made["case", "y"]


def test_only_the_keys_of_whom_the_record_says_so_are_locked_and_stay_locked(keys: Keys) -> None:
    keys.create([("case", person) for person in "xyz"])

    assert keys.lock("case", on_record=lambda person: person != "x") == 2
    assert keys.locked("case") == {"y", "z"}
    assert keys.unlock("case", still=["y"], on_record=lambda person: person == "z") == 0
    assert keys.unlock("case", on_record=lambda person: person == "z") == 1
    assert keys.locked("case") == {"z"}


@pytest.mark.parametrize("late", [Keys.lock, Keys.unlock])
def test_the_record_is_asked_when_nobody_else_can_change_the_keys(
    keys: Keys, keys_again: OpenKeys, late: Callable[..., int]
) -> None:
    """Who comes in between waits, and has the last word."""
    keys.create([("case", "a")])
    locks = late is Keys.lock
    if not locks:
        keys.lock("case")
    other = keys_again()
    between = threading.Thread(target=other.unlock if locks else other.lock, args=("case",))

    def on_record(_: str) -> bool:
        between.start()
        between.join(0.5)  # without a fence it would have ended by now
        return locks

    late(keys, "case", on_record=on_record)
    between.join()

    assert keys.locked("case") == (frozenset() if locks else {"a"})


def test_the_cases_of_which_a_key_was_destroyed_are_known(keys: Keys) -> None:
    keys.create([(case, person) for case in "abc" for person in "xy"])
    keys.destroy("a")
    keys.destroy("b", "x")
    keys.lock("c")

    assert sorted(keys.erased()) == ["a", "b"]


def test_a_locked_key_is_destroyed_like_any_other(keys: Keys) -> None:
    keys.key("case", "a", create=True)
    keys.lock("case")
    assert keys.destroy("case", "a") == 1
    assert (keys.key("case", "a", locked=True), keys.locked("case")) == (None, frozenset())
    assert keys.lock("case") == 0


def test_a_locked_key_that_is_handed_over_stays_locked(keys: Keys) -> None:
    before = keys.key("case", "a", create=True)
    keys.lock("case", "a")
    assert keys.rewrap("case", "discipline") == 1
    assert keys.key("case", "a", holder="discipline") is None
    assert keys.key("case", "a", holder="discipline", locked=True) == before
    assert keys.key("case", "a", locked=True) is None


def test_a_key_that_was_handed_over_is_locked_without_its_master_key(keys: Keys) -> None:
    before = keys.key("case", "a", create=True)
    keys.rewrap("case", "discipline")
    assert keys.lock("case") == 1
    assert keys.key("case", "a", holder="discipline", locked=True) == before


def test_another_holder_than_the_two_is_refused_before_anything_is_touched(keys: Keys) -> None:
    key = keys.key("case", "a", create=True)
    with pytest.raises(ValueError, match="holder"):
        keys.rewrap("case", "somebody")
    assert keys.key("case", "a") == key


def test_the_pepper_is_the_same_for_every_opener(keys: Keys, keys_again: OpenKeys) -> None:
    assert len(keys.pepper()) == 32
    assert keys_again().pepper() == keys.pepper()


def test_threads_that_create_the_same_key_all_get_the_one_that_was_stored(keys: Keys) -> None:
    got: list[bytes | None] = []
    threads = [
        threading.Thread(target=lambda: got.append(keys.key("case", "person", create=True)))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(got) == {keys.key("case", "person")}


def test_neither_the_key_nor_the_old_wrapping_is_in_the_files_after_it_was_destroyed(
    tmp_path: Path, masters: Path
) -> None:
    keys = open_keys(str(tmp_path / "keys.db"), masters)
    key = keys.key("case", "person", create=True)
    assert key is not None
    (row,) = keys._table.rows("case")
    assert row.wrapped is not None
    assert row.wrapped in raw(tmp_path)
    assert key not in raw(tmp_path)
    keys.destroy("case", "person")
    assert row.wrapped not in raw(tmp_path)
    keys.close()


def raw(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("keys.db*")))


def test_the_wrapping_is_not_in_postgres_for_any_reader_after_it_was_destroyed(
    pg_database: str, masters: Path
) -> None:
    keys = open_keys(pg_database, masters)
    keys.key("case", "person", create=True)
    keys.destroy("case", "person")
    with psycopg.connect(pg_database) as connection:
        assert connection.execute("SELECT wrapped FROM keys.data_keys").fetchall() == [(None,)]
    keys.close()


def test_files_of_keys_are_their_owners_alone(tmp_path: Path, masters: Path) -> None:
    open_keys(str(tmp_path / "keys.db"), masters).close()
    files = [tmp_path / "keys.db", masters / "master.key", masters / "discipline.key"]
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600] * 3


def test_master_keys_are_made_once(tmp_path: Path) -> None:
    assert create_masters(tmp_path / "m") == ("master.key", "discipline.key")
    before = (tmp_path / "m" / "master.key").read_bytes()
    assert create_masters(tmp_path / "m") == ()
    assert (tmp_path / "m" / "master.key").read_bytes() == before


def refusal(folder: Path) -> str:
    with pytest.raises(Refused) as refused:
        Masters(folder)
    return refused.value.code


def test_a_missing_open_or_damaged_master_key_is_refused_with_what_to_do(masters: Path) -> None:
    master = masters / "master.key"
    master.chmod(0o640)
    assert refusal(masters) == "master_key_open"
    master.chmod(0o600)
    master.write_text("not a key")
    assert refusal(masters) == "master_key_damaged"
    master.write_text("00" * 31)
    assert refusal(masters) == "master_key_damaged"
    master.unlink()
    assert refusal(masters) == "master_key_missing"


def test_a_key_store_does_not_open_under_another_master_key(
    store_url: str, masters: Path, tmp_path: Path
) -> None:
    url = store_url.replace("cases.db", "keys.db")
    open_keys(url, masters).close()
    create_masters(tmp_path / "others")
    with pytest.raises(Refused) as refused:
        open_keys(url, tmp_path / "others")
    assert refused.value.code == "master_key_differs"


def test_a_process_without_the_discipline_key_works_but_cannot_divert(store_url: str, masters: Path) -> None:
    (masters / "discipline.key").unlink()
    keys = open_keys(store_url.replace("cases.db", "keys.db"), masters)
    key = keys.key("case", "person", create=True)
    with pytest.raises(Refused) as refused:
        keys.rewrap("case", "discipline")
    assert refused.value.code == "master_key_missing"
    assert keys.key("case", "person") == key
    keys.close()


def test_a_key_store_that_cannot_be_reached_is_unavailable(tmp_path: Path, masters: Path) -> None:
    with pytest.raises(Unavailable):
        open_keys(str(tmp_path / "absent" / "keys.db"), masters)
    with pytest.raises(Unavailable):
        open_keys("postgresql://nobody@127.0.0.1:9/none", masters)


@pytest.mark.faults
@pytest.mark.parametrize("failpoint", ["keys.after_begin", "keys.after_insert", "keys.after_commit"])
def test_a_key_whose_writer_is_killed_is_there_whole_or_not_at_all(
    failpoint: str, tmp_path: Path, masters: Path
) -> None:
    url = str(tmp_path / "keys.db")
    lines = killed_at(failpoint, 2, tmp_path, "tests.contract.key_writer", url, str(masters))
    keys = open_keys(url, masters)
    (answered,) = lines
    assert keys.key("case-0", "person") == bytes.fromhex(answered)
    assert (keys.key("case-1", "person") is not None) == (failpoint == "keys.after_commit")
    assert keys.key("case-1", "person", create=True) is not None
    keys.close()


@pytest.mark.faults
@pytest.mark.parametrize("failpoint", ["keys.after_commit"])
def test_a_key_whose_writer_is_killed_after_the_commit_stands_on_postgres(
    failpoint: str, pg_database: str, tmp_path: Path, masters: Path
) -> None:
    (answered,) = killed_at(failpoint, 2, tmp_path, "tests.contract.key_writer", pg_database, str(masters))
    keys = open_keys(pg_database, masters)
    assert keys.key("case-0", "person") == bytes.fromhex(answered)
    assert keys.key("case-1", "person") is not None
    keys.close()


@pytest.mark.faults
def test_a_key_stays_destroyed_when_the_destroyer_is_killed_before_it_cleaned_up(
    keys_again: OpenKeys, store_url: str, tmp_path: Path, masters: Path
) -> None:
    url = store_url.replace("cases.db", "keys.db")
    killed_at("keys.after_destroy", 1, tmp_path, "tests.contract.key_writer", url, str(masters))
    keys = keys_again()
    assert keys.key("case-0", "person") is None
    with pytest.raises(Refused):
        keys.key("case-0", "person", create=True)
    assert keys.key("case-1", "person") is not None
