"""Rows changed behind the log's back, by the databases' superuser: the reconciliation names the leaf (rows 4, 5, 18)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from adapters.log.growing import grown, tip_of
from adapters.log.store import LogStore
from adapters.store.postgres_link import refuse_database_functions
from domain.log.leaf import leaf, unleaf
from domain.log.tiles import ENTRIES, decode_entries, encode_entries
from domain.log.tree import leaf_hash, root
from domain.refusal import Refused
from tests.attacks.world import Office, canonical
from tests.small_tree import subtree_of

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
    told = office.body_at(VICTIM)["recorded_at"]
    office.rewrites(VICTIM, recorded_at=f"{int(told[:4]) - 1}{told[4:]}")


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
def test_a_record_cut_short_is_named_by_its_first_missing_leaf_and_nothing_more_is_sealed(
    office: Office,
) -> None:
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


INSERTED = (
    "INSERT INTO {events} (originator_id, originator_version, topic, state, {position}, known_at)"
    " SELECT originator_id, 901, topic, state, ?, known_at FROM {events} WHERE {position} = ?"
)


@both
def test_a_row_slipped_into_a_gap_between_sealed_ones_is_named(office: Office) -> None:
    """Row 4: positions have gaps, and a gap is where something could be put in later."""
    burn = "SELECT nextval(pg_get_serial_sequence('cases.stored_events', 'notification_id'))"
    office.sql(
        burn if office.store else "UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'stored_events'"
    )
    after = office.first_of(office.registers()[0])
    office.seals()
    assert office.check()["bad"] is None

    office.sql(INSERTED, after - 1, VICTIM)

    assert office.check()["bad"] == {
        "index": leaf_of(office, after),
        "code": "event_unsealed",
        "position": after - 1,
    }


@both
@pytest.mark.parametrize("place", [0, -1, -(2**40)])
def test_a_row_put_before_the_first_is_named(office: Office, place: int) -> None:
    """Row 4: a case would be read with it, and no sealer reads so far back."""
    office.sql(INSERTED, place, VICTIM)

    assert office.check()["bad"] == {"index": 1, "code": "event_unsealed", "position": place}


@both
def test_no_proof_is_made_of_an_event_that_was_rewritten(office: Office) -> None:
    """Row 4: whoever asks for a receipt finds it out."""
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
    entries[200] = canonical(json.loads(entries[200]) | {"authority": "law:another-one"})
    office.in_log("UPDATE {log}bundles SET entries = ? WHERE tile_index = 0", encode_entries(entries))

    assert office.check()["bad"] == {"index": 200, "code": "tile_differs", "position": None}


def mended(office: Office, index: int) -> Iterator[str]:
    """The forger changes event and leaf `index` alike, then mends one thing above after the other; says what is next."""
    with office.log() as log:
        entries, lowest, state = entries_of(log, 0), log.tile(0, 0), log.state()
        old = unleaf(entries[index])
        above = log.tile(1, 0, 1)
    assert lowest is not None
    assert above is not None
    office.rewrites(old.position, authority="law:another-one")
    entries[index] = leaf(canonical(office.body_at(old.position)), old.position, old.version, old.previous)
    office.in_log("UPDATE {log}bundles SET entries = ? WHERE tile_index = 0", encode_entries(entries))
    yield "the hash of the leaf"
    hashes = [leaf_hash(one) for one in entries]
    office.in_log("UPDATE {log}tiles SET hashes = ? WHERE level = 0", b"".join(hashes))
    yield "the tile above"
    office.in_log("UPDATE {log}tiles SET hashes = ? WHERE level = 1", root(256, subtree_of(hashes)))
    yield "the root"
    with office.log() as log:
        hashes += [leaf_hash(one) for one in log.leaves(256, state.size)]
    office.in_log("UPDATE {log}state SET root = ?", root(state.size, subtree_of(hashes)))
    yield "the signed head"


@both
def test_whatever_is_mended_what_stands_above_still_tells_up_to_the_signed_head(office: Office) -> None:
    """Row 5: only a head signed anew is left to the forger, and that is row 1."""
    size = office.head().size
    told = {"the hash of the leaf": (200, "tile_differs"), "the tile above": (0, "tile_differs")}
    told |= {"the root": (size - 1, "root_differs"), "the signed head": (size - 1, "head_differs")}

    for what in mended(office, 200):
        bad = office.check()["bad"]
        assert (bad["index"], bad["code"]) == told.pop(what), what

    assert told == {}


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
