"""What the sealed leaves say of keys is done again, or refused by name: never passed over, never a traceback."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.replay import replay_log
from adapters.vault import open_keys
from adapters.vault.keys import Keys
from adapters.vault.masters import create_masters
from domain.refusal import Refused
from tests.contract.log_world import LogWorld, log_url, log_world
from tests.contract.store_world import new_id
from workflows.ports import Append, Batch


@pytest.fixture
def world(store_url: str, tmp_path: Path) -> Iterator[LogWorld]:
    with log_world(store_url, tmp_path) as made:
        yield made


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Keys]:
    create_masters(tmp_path / "masters")
    made = open_keys(str(tmp_path / "keys.db"), tmp_path / "masters")
    yield made
    made.close()


@pytest.mark.parametrize(
    "kind", ["data_erased.v1", "data_locked.v1", "data_unlocked.v1", "matter_diverted.v1"]
)
def test_a_leaf_of_keys_that_cannot_be_read_is_refused_by_its_index(
    world: LogWorld, keys: Keys, kind: str
) -> None:
    world.add(*"ab")
    body = b'{"_sd":[],"nonce":"00","pub":{"nobody":"knows"},"type":"%s"}' % kind.encode()
    world.store.append(Batch((Append(new_id(), 0, ((kind, body),)),), datetime.now(UTC)))
    world.sealed()

    with pytest.raises(Refused) as refused:
        replay_log(log_url(world.store_url), keys)

    assert refused.value.code == "event_damaged"
    assert "its leaf 3 says what becomes of keys" in refused.value.advice


def test_leaves_that_say_nothing_of_keys_are_passed_over_unread(world: LogWorld, keys: Keys) -> None:
    world.add(*"ab")
    world.sealed()

    assert not replay_log(log_url(world.store_url), keys)
