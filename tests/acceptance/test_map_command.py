"""`huiyin map release`: an office's own file becomes the map in force, without what else the file says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.open311.places import MapInForce
from tests.acceptance.open311_world import middle, square
from tests.acceptance.world import DISTRICT, GROUND, Desk

SECURITY = f"{DISTRICT.security}/system/security_admin"


def file_in(folder: Path, bodies: tuple[str, ...] = DISTRICT.grids, **more: Any) -> Path:
    """A file as a geographic information system writes it."""
    features = [
        {
            "type": "Feature", "id": n, "properties": {"grid_id": body, "chief": "王某某", "phone": "13800000000"},
            "geometry": {"type": "Polygon", "coordinates": [square(n)]},
        }
        for n, body in enumerate(bodies)
    ]  # fmt: skip
    file = folder / "grids.geojson"
    said = {"type": "FeatureCollection", "name": "layer 1", "features": features} | more
    file.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8-sig")
    return file


def release(
    shell: Desk, file: Path, *more: str, by: str = SECURITY, name: str = "guihua/1"
) -> dict[str, Any]:
    return shell.act(
        "map", "release", str(file), "--property", "grid_id", "--name", name, *more, by=by, authority=GROUND
    )


def test_a_file_is_released_and_places_points(shell: Desk, tmp_path: Path) -> None:
    made = release(shell, file_in(tmp_path))

    assert (made["outcome"], made["map"], made["exit"]) == ("accepted", "guihua/1", 0)
    with shell.engine() as engine:
        standing, now = engine.handle.standing.caught_up(), engine.handle.clock()
        places = MapInForce(engine.store).places(standing, now)
        assert places is not None
        assert places.body(float(middle(1)["lat"]), float(middle(1)["long"])) == DISTRICT.grids[1]
        released = standing.releases.map_at(now)
        text = engine.store.text(released.digest) if released else None
    assert text is not None
    assert "王某某" not in text
    assert "13800000000" not in text


def test_the_same_again_is_no_error_and_another_ground_under_the_name_is_refused(
    shell: Desk, tmp_path: Path
) -> None:
    file = file_in(tmp_path)
    release(shell, file)

    assert (release(shell, file)["code"], release(shell, file)["exit"]) == ("map_released", 0)
    edited = release(shell, file_in(tmp_path, DISTRICT.grids[:2]))
    assert (edited["code"], edited["exit"]) == ("map_edited", 1)
    assert release(shell, file_in(tmp_path, DISTRICT.grids[:2]), name="guihua/2")["exit"] == 0


def test_a_map_may_come_into_force_later(shell: Desk, tmp_path: Path) -> None:
    assert release(shell, file_in(tmp_path), "--from", "2036-01-01T00:00:00+08:00")["exit"] == 0

    with shell.engine() as engine:
        assert (
            MapInForce(engine.store).places(engine.handle.standing.caught_up(), engine.handle.clock()) is None
        )


@pytest.mark.parametrize(
    ("what", "code", "exits"),
    [
        ("unknown", "unknown_body", 2),
        ("crossing", "bad_map", 2),
        ("name", "bad_map", 2),
        ("who", "not_your_post", 1),
    ],
)
def test_what_is_wrong_with_a_map_is_said_and_nothing_is_released(
    shell: Desk, tmp_path: Path, what: str, code: str, exits: int
) -> None:
    bow = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
    crossing = [{"type": "Feature", "properties": {"grid_id": "grid-001"}, "geometry": bow}]
    file = file_in(tmp_path, ("grid-001", "grid-999") if what == "unknown" else DISTRICT.grids)
    if what == "crossing":
        file = file_in(tmp_path, features=crossing)
    by = shell.who("com-01", "intake_officer") if what == "who" else SECURITY

    answer = release(shell, file, by=by, name="Guihua 1" if what == "name" else "guihua/1")

    assert (answer["code"], answer["exit"]) == (code, exits)
    with shell.engine() as engine:
        assert engine.handle.standing.caught_up().releases.maps == ()


def test_a_file_that_cannot_be_read_is_told(shell: Desk, tmp_path: Path) -> None:
    result = shell.run("map", "release", str(tmp_path / "none"), "--as", SECURITY, "--authority", GROUND)

    assert (result.exit_code, "unreadable" in result.stderr) == (2, True)
