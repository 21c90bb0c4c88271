"""Points on a map: a point is always one body's, on every border the one with the smallest id, outside nobody's."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.demo.district import plan
from adapters.demo.ground import SIDE, SOUTH, WEST, ground
from adapters.open311.places import Places
from domain.refusal import Refused
from domain.rulebook.maps import Map, map_of

GEO = Path(__file__).parents[3] / "shared" / "data" / "geo"
DISTRICT = plan(7, 9, 36)
ACROSS = 6
PLACES = Places(ground(DISTRICT))
cells = st.integers(0, ACROSS - 1)
inner = st.floats(0.001, 0.999)


def body_at(east: float, north: float) -> str | None:
    """Whose the point is, so many grids from the south-west corner."""
    return PLACES.body(SOUTH + north * SIDE, WEST + east * SIDE)


def grid(east: int, north: int) -> str:
    return DISTRICT.grids[north * ACROSS + east]


@given(cells, cells, inner, inner)
def test_a_point_within_a_grid_is_that_grids(east: int, north: int, x: float, y: float) -> None:
    assert body_at(east + x, north + y) == grid(east, north)


@given(st.integers(1, ACROSS - 1), cells, st.integers(1, 999))
def test_a_point_on_a_shared_edge_is_that_of_the_smallest_id(east: int, north: int, part: int) -> None:
    long = round(WEST + east * SIDE, 7)
    lat = SOUTH + (north + part / 1000) * SIDE

    assert PLACES.body(lat, long) == min(grid(east - 1, north), grid(east, north))


@given(st.integers(1, ACROSS - 1), st.integers(1, ACROSS - 1))
def test_a_common_corner_is_that_of_the_smallest_of_four(east: int, north: int) -> None:
    found = PLACES.body(round(SOUTH + north * SIDE, 7), round(WEST + east * SIDE, 7))

    assert found == min(grid(e, n) for e in (east - 1, east) for n in (north - 1, north))


@given(cells)
def test_the_outer_border_belongs_to_the_district(cell: int) -> None:
    assert PLACES.body(SOUTH, WEST + (cell + 0.5) * SIDE) == grid(cell, 0)
    assert PLACES.body(SOUTH + (cell + 0.5) * SIDE, WEST) == grid(0, cell)


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_a_point_is_somebodys_within_the_district_and_nobodys_without(lat: float, long: float) -> None:
    last_lat, last_long = round(SOUTH + ACROSS * SIDE, 7), round(WEST + ACROSS * SIDE, 7)
    inside = SOUTH <= lat <= last_lat and WEST <= long <= last_long

    assert (PLACES.body(lat, long) is not None) == inside


@given(st.permutations(range(36)), st.integers(1, ACROSS - 1), cells)
def test_the_order_of_the_map_decides_nothing(order: list[int], east: int, north: int) -> None:
    whole = ground(DISTRICT)
    other = Places(Map(whole.name, tuple(whole.ground[n] for n in order)))
    lat, long = SOUTH + (north + 0.5) * SIDE, round(WEST + east * SIDE, 7)

    assert other.body(lat, long) == PLACES.body(lat, long)


def test_the_point_that_stands_for_a_grid_lies_in_it() -> None:
    for one in DISTRICT.grids:
        found = PLACES.point(one)
        assert found is not None
        assert PLACES.body(*found) == one
    assert PLACES.point("grid-999") is None


def test_a_hole_is_nobodys_and_its_border_the_bodys() -> None:
    outer = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0), (0.0, 0.0))
    hole = ((3.0, 3.0), (6.0, 3.0), (6.0, 6.0), (3.0, 6.0), (3.0, 3.0))

    places = Places(Map("holed/1", (("grid-1", ((outer, hole),)),)))

    assert (places.body(4.5, 4.5), places.body(3.0, 4.5), places.body(1.0, 1.0)) == (None, "grid-1", "grid-1")


def test_a_polygon_that_crosses_itself_is_refused() -> None:
    bow = ((0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0))

    with pytest.raises(Refused) as refused:
        Places(Map("bow/1", (("grid-1", ((bow,),)),)))

    assert refused.value.code == "bad_map"


@pytest.mark.parametrize(
    ("file", "names", "point", "name"),
    [
        ("boston_neighborhoods.geojson", "cartodb_id", (42.2866, -71.1289), "Roslindale"),
        ("beijing_city_districts_2015.json", "id", (40.13, 116.65), "顺义区"),
    ],
)
def test_a_citys_own_file_is_read(file: str, names: str, point: tuple[float, float], name: str) -> None:
    if not (GEO / file).exists():
        pytest.skip("the shared maps are not here")
    said = json.loads((GEO / file).read_text(encoding="utf-8-sig"))
    for feature in said["features"]:
        feature["properties"]["body"] = f"b-{feature['properties'][names]}"
    (wanted,) = [one["properties"]["body"] for one in said["features"] if one["properties"]["name"] == name]

    places = Places(map_of(json.dumps(said), name="city/1"))

    assert places.body(*point) == wanted
