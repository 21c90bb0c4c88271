"""Sealed values made away with, and brought back: every digest is asked for, and erasures are done again (rows 14, 15)."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from adapters.engine import open_engine
from adapters.settings import Settings
from tests.acceptance import archivist
from tests.attacks.world import Board, Office

both = pytest.mark.parametrize("trail", ["sqlite", "postgres"], indirect=True)


def values_of(file: Path) -> set[str]:
    return set(json.loads(file.read_text("utf-8"))["disclosures"])


@both
def test_a_sampled_case_that_is_opened_whole_passes(office: Office, board: Board, tmp_path: Path) -> None:
    """Row 14: or what follows would prove nothing."""
    case = office.cases()[0]
    file = office.discloses(case, tmp_path / "sample.json")

    report = board.verify(office.bundle(tmp_path / "1.zip"), "--disclosures", file)

    assert report.exit == 0, report.said["findings"]
    assert len(values_of(file)) > 5


@both
def test_a_sealed_value_that_was_made_away_with_is_missed_digest_by_digest(
    office: Office, board: Board, tmp_path: Path
) -> None:
    """Row 14: the row is deleted, and no leaf says that it was erased."""
    case = office.cases()[0]
    asked = "SELECT digest FROM {schema}sealed_values WHERE stream = ? AND name IN ('reply', 'wording')"
    asked = asked.replace("{schema}", "cases." if office.store else "")
    gone = {digest for (digest,) in office.sql(asked, case)}
    office.sql(asked.replace("SELECT digest", "DELETE"), case)
    file = office.discloses(case, tmp_path / "sample.json")

    report = board.verify(office.bundle(tmp_path / "1.zip"), "--disclosures", file)

    assert len(gone) == 2
    assert len(report.of("disclosure_missing")) == 2
    assert all(any(digest in one["en"] for one in report.of("disclosure_missing")) for digest in gone)
    assert {one["case"] for one in report.of("disclosure_missing")} == {case}


@both
def test_a_key_destroyed_in_the_dark_is_missed_for_every_value_that_it_sealed(
    office: Office, board: Board, tmp_path: Path
) -> None:
    """Row 14: one requester's key is gone from the key store, and nothing else was touched."""
    case = office.cases()[0]
    with office.engine() as engine:
        whose = next(one.subject for one in engine.vault.open(case) if one.name == "contact")
        gone = {one.digest for one in engine.vault.open(case) if one.subject == whose}
        engine.keys.destroy(case, whose)
    file = office.discloses(case, tmp_path / "sample.json")

    report = board.verify(office.bundle(tmp_path / "1.zip"), "--disclosures", file)

    assert len(report.of("disclosure_missing")) == len(gone) > 2


@both
@pytest.mark.parametrize(("ground", "authority"), [("", "law:x"), ("unlawful", "")])
def test_an_erasure_on_no_ground_or_on_nobodys_authority_is_found(
    office: Office, board: Board, tmp_path: Path, ground: str, authority: str
) -> None:
    """Row 14: the forger writes the event that the product would refuse."""
    told = {"authority": authority, "boards": [], "digests": [], "ground": ground, "subject": None}
    office.appends(office.cases()[0], "data_erased.v1", pub=told)
    office.seals()
    office.asks()

    assert "erased_without_ground" in board.verify(office.bundle(tmp_path / "1.zip")).faults


def test_a_forged_disclosure_stands_in_no_leaf(office: Office, board: Board, tmp_path: Path) -> None:
    """Row 14: another text in the value's place has another digest."""
    file = office.discloses(office.cases()[0], tmp_path / "sample.json")
    told = json.loads(file.read_text("utf-8"))
    told["disclosures"][0] = told["disclosures"][1][:-4] + "AAAA"
    file.write_text(json.dumps(told), encoding="utf-8")

    faults = board.verify(office.bundle(tmp_path / "1.zip"), "--disclosures", file).faults

    assert {"disclosure_unknown", "disclosure_missing"} <= faults


# -- row 15 -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[archivist.Office]:
    """An office whose matters of yesterday may be erased today, and its archivist."""
    with archivist.told_in(tmp_path / "archive", None) as tale:
        yield archivist.Office(tale, None)


def keys_left(archive: archivist.Office, tmp_path: Path, case: str) -> int:
    with closing(sqlite3.connect(tmp_path / "archive" / "keys.db")) as keys:
        found = keys.execute(
            "SELECT count(*) FROM data_keys WHERE stream = ? AND wrapped IS NOT NULL", (case,)
        )
        (count,) = found.fetchone()
    return int(count)


def test_a_backup_restored_by_the_product_brings_nothing_back(
    archive: archivist.Office, tmp_path: Path
) -> None:
    """Row 15: record and keys of before; what was erased since stays erased."""
    case = archivist.simple(archive)
    assert archive.run("backup", str(tmp_path / "backup")).exit_code == 0
    before = keys_left(archive, tmp_path, case)
    assert archive.erase(case)["outcome"] == "accepted"
    archive.tale.engine.close()

    done = archive.run("restore", str(tmp_path / "backup"), "--replace", "--json")

    assert done.exit_code == 0, done.output
    assert (before > 0, keys_left(archive, tmp_path, case)) == (True, 0)


def test_keys_copied_back_behind_the_products_back_are_destroyed_before_anything_opens(
    archive: archivist.Office, tmp_path: Path
) -> None:
    """Row 15: no restore at all, but an old file put in the new one's place."""
    case, folder = archivist.simple(archive), tmp_path / "archive"
    assert archive.run("backup", str(tmp_path / "backup")).exit_code == 0
    assert archive.erase(case)["outcome"] == "accepted"
    archive.tale.engine.close()
    for name in ("keys.db-wal", "keys.db-shm"):
        (folder / name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup" / "keys" / "keys.db", folder / "keys.db")
    brought_back = keys_left(archive, tmp_path, case)

    with closing(open_engine(Settings(data=folder))) as engine:
        states = {one.state for one in engine.vault.open(case)}

    assert (brought_back > 0, keys_left(archive, tmp_path, case)) == (True, 0)
    assert states == {"erased"}
