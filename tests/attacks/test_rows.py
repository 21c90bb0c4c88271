"""Rows changed behind the log's back, by the databases' superuser: the reconciliation names the leaf (rows 4, 5, 18)."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from adapters.log.growing import grown, tip_of
from adapters.log.store import LogStore
from adapters.store.postgres_link import refuse_database_functions
from domain.log.leaf import unleaf
from domain.log.tiles import ENTRIES, decode_entries, encode_entries
from domain.refusal import Refused
from tests.attacks.world import Office

both = pytest.mark.parametrize("trail", ["sqlite", "postgres"], indirect=True)

VICTIM = 170
"""A row in the middle of the trail; its leaf index is found, not assumed."""


def leaf_of(office: Office, position: int) -> int:
    with office.log() as log:
        found = log.index_of(position)
    assert found is not None
    return found


def edited(office: Office) -> None:
    office.rewrites(VICTIM, authority="law:another-one")


def attributed_to_another(office: Office) -> None:
    office.rewrites(VICTIM, person="5e91a2d4-0f3c-4f5e-9b1a-6c1f3a7d2e05")


def dated_back(office: Office) -> None:
    told = office.body_at(VICTIM)
    office.rewrites(VICTIM, recorded_at=told["recorded_at"].replace("2026", "2025"))


def put_into_another_case(office: Office) -> None:
    office.rewrites(VICTIM, stream="5e91a2d4-0f3c-4f5e-9b1a-6c1f3a7d2e05")


def renumbered(office: Office) -> None:
    office.sql("UPDATE {events} SET originator_version = 900 WHERE {position} = ?", VICTIM)


def one_byte_more(office: Office) -> None:
    """Canonical no longer, and the same to every program that reads JSON."""
    ((state,),) = office.sql("SELECT state FROM {events} WHERE {position} = ?", VICTIM)
    office.sql("UPDATE {events} SET state = ? WHERE {position} = ?", bytes(state) + b" ", VICTIM)


def deleted(office: Office) -> None:
    office.sql("DELETE FROM {events} WHERE {position} = ?", VICTIM)


def swapped(office: Office) -> None:
    """Two events change places."""
    for old, new in ((VICTIM, -1), (VICTIM + 1, VICTIM), (-1, VICTIM + 1)):
        office.sql("UPDATE {events} SET {position} = ? WHERE {position} = ?", new, old)


Deed = Callable[[Office], None]
CHANGED: list[tuple[Deed, str]] = [
    (edited, "event_differs"), (attributed_to_another, "event_differs"), (dated_back, "event_differs"),
    (put_into_another_case, "event_differs"), (renumbered, "event_differs"), (one_byte_more, "event_differs"),
    (swapped, "event_differs"), (deleted, "event_missing"),
]  # fmt: skip


@both
@pytest.mark.parametrize(("deed", "code"), CHANGED)
def test_a_changed_row_is_named_by_its_leaf(office: Office, deed: Deed, code: str) -> None:
    """Row 4."""
    index = leaf_of(office, VICTIM)
    deed(office)

    assert office.check()["bad"] == {"index": index, "code": code, "position": VICTIM}


@both
def test_a_record_cut_short_is_named_by_its_first_missing_leaf_and_nothing_more_is_sealed(office: Office) -> None:
    """Row 4: the newest rows are gone, and new ones stand where they stood."""
    with office.log() as log:
        end = log.state()
    cut = end.position - 5
    index = leaf_of(office, cut + 1)
    office.sql("DELETE FROM {events} WHERE {position} > ?", cut)

    with pytest.raises(Refused) as ended:
        office.seals()
    assert ended.value.code == "log_ahead_of_store"
    assert office.check()["bad"] == {"index": index, "code": "event_missing", "position": cut + 1}

    office.registers(6)
    with pytest.raises(Refused) as other:
        office.seals()
    assert other.value.code in {"tail_differs", "log_ahead_of_store"}
    assert office.head().size == end.size


@both
def test_a_row_slipped_in_between_sealed_ones_is_named(office: Office) -> None:
    """Row 4: an event that was never there appears among old ones, at a position that was left free."""
    told = office.body_at(VICTIM)
    index = leaf_of(office, VICTIM)
    office.sql("UPDATE {events} SET {position} = ? WHERE {position} = ?", -7, VICTIM)
    office.sql(
        "INSERT INTO {events} (originator_id, originator_version, topic, state, {position}, known_at)"
        " SELECT originator_id, 901, topic, state, ?, known_at FROM {events} WHERE {position} = ?", VICTIM, -7,
    )  # fmt: skip

    bad = office.check()["bad"]

    assert told == office.body_at(VICTIM)
    assert (bad["index"], bad["code"]) == (index, "event_differs")


@both
def test_the_store_refuses_whoever_reads_through_the_product(office: Office) -> None:
    """Row 4: a resident's proof of a rewritten event is not made; the office is told to tell the boards."""
    case = office.registers()[0]
    office.seals()
    office.asks()
    office.rewrites(office.first_of(case), authority="law:another-one")

    said = office.run("receipt", "proof", case)

    assert said.exit_code == 1
    assert "leaf_differs" in said.output


# -- row 5 ------------------------------------------------------------------------------------------------------------


def entries_of(log: LogStore, index: int) -> list[bytes]:
    data = log.tile(ENTRIES, index)
    assert data is not None
    return list(decode_entries(data))


@both
def test_a_leaf_changed_in_a_stored_entry_bundle_does_not_match_its_tile(office: Office) -> None:
    """Row 5."""
    with office.log() as log:
        entries = entries_of(log, 0)
    told = json.loads(entries[200]) | {"authority": "law:another-one"}
    entries[200] = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    office.in_log("UPDATE {log}bundles SET entries = ? WHERE tile_index = 0", encode_entries(entries))

    assert office.check()["bad"] == {"index": 200, "code": "tile_differs", "position": None}


@both
def test_leaf_and_hash_changed_together_do_not_match_the_tiles_above(office: Office) -> None:
    """Row 5: the forger mends level 0 as well; what stands above, and every signed head, still tells."""
    with office.log() as log:
        size, position = log.state().size, unleaf(log.leaf(200)).position
    office.rewrites(position, authority="law:another-one")
    _replaced_leaf(office, 200, office.body_at(position))

    bad = office.check()["bad"]

    assert size > 256
    assert bad["code"] in {"tile_differs", "event_differs", "root_differs", "head_differs"}
    assert bad["index"] in {0, 200, 201, size - 1} or bad["index"] > 200


def _replaced_leaf(office: Office, index: int, body: dict[str, object]) -> None:
    from domain.log.leaf import leaf
    from domain.log.tree import leaf_hash
    from tests.attacks.world import canonical

    with office.log() as log:
        entries = entries_of(log, 0)
        old = unleaf(entries[index])
        hashes = log.tile(0, 0)
    assert hashes is not None
    entries[index] = leaf(canonical(body), old.position, old.version, old.previous)
    mended = hashes[: index * 32] + leaf_hash(entries[index]) + hashes[(index + 1) * 32 :]
    office.in_log("UPDATE {log}bundles SET entries = ? WHERE tile_index = 0", encode_entries(entries))
    office.in_log("UPDATE {log}tiles SET hashes = ? WHERE level = 0 AND tile_index = 0", mended)


# -- row 18 -----------------------------------------------------------------------------------------------------------


@both
def test_an_event_that_the_sealer_skipped_is_named(office: Office) -> None:
    """Row 18: a sealer that reads past an event, as one would on a store that shows its rows out of order."""
    skipped = office.first_of(office.registers(3)[1])
    with office.engine() as engine, office.log() as log:
        tip = tip_of(log)
        batch = [one for one in engine.store.read(tip.state.position, 100) if one.position != skipped]
        log.append(tip.state, grown(tip, batch, log.stream_heads).growth)
        after = next(one.position for one in batch if one.position > skipped)

    bad = office.check()["bad"]

    assert bad == {"index": leaf_of(office, after), "code": "event_unsealed", "position": skipped}


def test_database_functions_by_which_a_sealer_would_miss_events_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Row 18: the cause that was measured."""
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "y")

    with pytest.raises(Refused) as refused:
        refuse_database_functions()

    assert refused.value.code == "db_functions_enabled"
