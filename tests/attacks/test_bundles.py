"""Rewritten, cut and reordered bundles on a board's desk: its own program and its own state find it (rows 1, 2, 3, 5)."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.attacks.forger import reseal
from tests.attacks.world import Board, Office
from workflows.ports import Stored

both = pytest.mark.parametrize("trail", ["sqlite", "postgres"], indirect=True)
VICTIM = 170


def rewritten(office: Office) -> None:
    office.rewrites(VICTIM, authority="law:another-one")
    reseal(office)


def dropped(office: Office) -> None:
    office.sql("DELETE FROM {events} WHERE {position} = ?", VICTIM)
    office.registers(3)
    reseal(office)


def left_out(office: Office) -> None:
    """The record keeps it, the log does not."""
    office.registers(3)
    reseal(office, lambda events: [one for one in events if one.position != VICTIM])


def reordered(office: Office) -> None:
    reseal(
        office, lambda events: [*events[:VICTIM], events[VICTIM + 1], events[VICTIM], *events[VICTIM + 2 :]]
    )


def slipped_in(office: Office) -> None:
    def chosen(events: list[Stored]) -> list[Stored]:
        twin = events[VICTIM]._replace(position=events[-1].position + 1)
        return [*events[:VICTIM], twin, *events[VICTIM:]]

    reseal(office, chosen)


Deed = Callable[[Office], None]
DEEDS: list[tuple[Deed, set[str]]] = [
    (rewritten, set()),
    (dropped, {"version_gap"}),
    (left_out, {"version_gap", "census_types"}),
    (reordered, {"position_order"}),
    (slipped_in, {"position_order", "version_gap"}),
]


@both
@pytest.mark.parametrize(("deed", "more"), DEEDS)
def test_a_bundle_of_a_forged_log_is_not_what_the_board_has_seen(
    office: Office, board: Board, tmp_path: Path, deed: Deed, more: set[str]
) -> None:
    """Rows 1, 2, 3: signed by the office's own key, and by no board."""
    assert board.verify(office.bundle(tmp_path / "1.zip")).exit == 0
    deed(office)

    report = board.verify(office.bundle(tmp_path / "2.zip"))

    assert {"split_view", "quorum_missing"} | more <= report.faults
    assert "chain_broken" not in report.faults
    assert not report.said["state_saved"]


def rezipped(old: Path, new: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """A bundle with some of its members changed on the way."""
    with zipfile.ZipFile(old) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return new


ENTRIES = "log/tile/entries/000"


def parted(data: bytes) -> list[bytes]:
    entries, at = [], 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        entries.append(data[at:end])
        at = end
    return entries


def one_bit(members: dict[str, bytes]) -> None:
    """In the middle of a leaf; its length stays."""
    data = bytearray(members[ENTRIES])
    data[len(data) // 2] ^= 1
    members[ENTRIES] = bytes(data)


def two_leaves_swapped(members: dict[str, bytes]) -> None:
    entries = parted(members[ENTRIES])
    entries[100], entries[101] = entries[101], entries[100]
    members[ENTRIES] = b"".join(entries)


def one_leaf_twice(members: dict[str, bytes]) -> None:
    entries = parted(members[ENTRIES])
    members[ENTRIES] = b"".join([*entries[:100], entries[99], *entries[101:]])


def another_root(members: dict[str, bytes]) -> None:
    """The head is written anew for other leaves, the boards' lines stay below it."""
    lines = members["log/checkpoint"].decode().split("\n")
    lines[2] = "A" * 43 + "="
    members["log/checkpoint"] = "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (one_bit, "root_mismatch"), (two_leaves_swapped, "root_mismatch"), (one_leaf_twice, "root_mismatch"),
        (another_root, "signature_bad"),
    ],
)  # fmt: skip
def test_a_bundle_changed_on_its_way_is_found(
    office: Office, board: Board, tmp_path: Path, change: Callable[[dict[str, bytes]], None], code: str
) -> None:
    """Row 5."""
    bundle = rezipped(office.bundle(tmp_path / "1.zip"), tmp_path / "2.zip", change)

    assert code in board.verify(bundle).faults


def test_any_bit_of_any_leaf_matters(office: Office, board: Board, tmp_path: Path) -> None:
    """Row 5: some places by chance."""
    whole, chance = office.bundle(tmp_path / "1.zip"), random.Random(5)
    for n in range(8):

        def flipped(members: dict[str, bytes]) -> None:
            entries = [bytearray(one) for one in parted(members[ENTRIES])]
            one = chance.choice(entries)
            one[chance.randrange(2, len(one))] ^= 1 << chance.randrange(8)
            members[ENTRIES] = b"".join(entries)

        report = board.verify(rezipped(whole, tmp_path / f"{n}-flipped.zip", flipped), state=False)
        assert "root_mismatch" in report.faults
