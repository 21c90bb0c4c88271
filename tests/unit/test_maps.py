"""Maps: one form, nothing but ground in it, one in force at a time, none edited, none back-dated."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.acting import Actor
from domain.refusal import Refused
from domain.rulebook.maps import map_of, reduced, release_of_map
from domain.rulebook.releases import Releases
from tests.unit.test_rulebook_releases import DAY, NOW, OTHER, Context, after, decide

SQUARE = [[110.0, 25.0], [110.1, 25.0], [110.1, 25.1], [110.0, 25.1], [110.0, 25.0]]


def feature(body: object = "grid-001", geometry: object = None, **more: object) -> dict[str, Any]:
    shape = {"type": "Polygon", "coordinates": [SQUARE]} if geometry is None else geometry
    return {"type": "Feature", "properties": {"body": body, **more}, "geometry": shape}


def written(*features: object, **more: object) -> str:
    return json.dumps(
        {"type": "FeatureCollection", "name": "guihua/2026.1", "features": list(features)} | more
    )


def refusal(text: str, **how: Any) -> str:
    with pytest.raises(Refused) as refused:
        map_of(text, **how)
    assert refused.value.code == "bad_map"
    return refused.value.advice


def test_a_released_map_holds_the_ground_and_nothing_else() -> None:
    text = reduced(map_of(written(feature(officer="王某某", phone="13800000000"), bbox=[1, 2, 3, 4])))

    assert "王某某" not in text
    assert "13800000000" not in text
    assert json.loads(text)["features"][0]["properties"] == {"body": "grid-001"}
    assert reduced(map_of(text)) == text


def test_a_text_that_says_more_is_not_released_as_it_is() -> None:
    with pytest.raises(Refused) as refused:
        release_of_map(written(feature(officer="王某某")))

    assert refused.value.code == "bad_map"


def test_name_and_ids_may_come_from_elsewhere_than_usual() -> None:
    found = map_of(written(feature(None, grid="g-7")), name="other/2", names="grid")

    assert (found.name, found.ground[0][0]) == ("other/2", "g-7")


def test_altitudes_go_and_neighbours_keep_their_common_corners() -> None:
    ring = [[110.00000001, 25.0, 12.5], [110.1, 25.0, 3.0], [110.1, 25.1], [110.00000001, 25.0, 12.5]]

    ((_, polygons),) = map_of(
        written(feature(geometry={"type": "MultiPolygon", "coordinates": [[ring]]}))
    ).ground

    assert polygons[0][0][0] == (110.0, 25.0)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "no JSON"), ("[]", "FeatureCollection"), ("NaN", "no JSON"), ("[" * 100_000, "no JSON"),
        (written(), "no features"), (written(features=5), "no features"), (written(7), "features[0]"),
        (written(feature(), name="Guihua 2026"), "name it"), (written(feature(), name=None), "name it"),
        (written(feature(body="居民甲")), "features[0]"), (written(feature(), feature()), "twice"),
        (written(feature(geometry={"type": "Point", "coordinates": [1, 2]})), "neither"),
        (written(feature(geometry={"type": "Polygon", "coordinates": [SQUARE[:-1]]})), "closed rings"),
        (written(feature(geometry={"type": "Polygon", "coordinates": [[]]})), "closed rings"),
        (written(feature(geometry={"type": "Polygon", "coordinates": []})), "empty polygon"),
        (written(feature(geometry={"type": "MultiPolygon", "coordinates": []})), "empty polygon"),
        (written(feature(geometry={"type": "Polygon", "coordinates": None})), "closed rings"),
        (written(feature(geometry={"type": "Polygon", "coordinates": [[[25, 110]] * 4]})), "closed rings"),
        (written(feature(geometry={"type": "Polygon", "coordinates": [[["1", 2]] * 4]})), "closed rings"),
        (written(feature(geometry={"type": "Polygon", "coordinates": [[[True, 2]] * 4]})), "closed rings"),
        (written(feature(), crs={"type": "name", "properties": {"name": "EPSG:4490"}}), "WGS 84"),
        (written(feature(), crs=None), "WGS 84"),
    ],
)  # fmt: skip
def test_a_bad_map_is_refused_and_says_why(text: str, why: str) -> None:
    assert why in refusal(text)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
       | st.dictionaries(st.sampled_from(["type", "properties", "geometry", "coordinates", "body"]), inner)))  # fmt: skip
def test_no_json_breaks_the_reading(features: Any) -> None:
    refusal(json.dumps({"type": "FeatureCollection", "name": "a/1", "features": features}))


def test_the_newest_map_that_has_begun_is_in_force() -> None:
    first, second = (release_of_map(reduced(map_of(written(feature()), name=f"guihua/{n}"))) for n in (1, 2))
    later = second.model_copy(update={"in_force_from": NOW + 2 * DAY})

    state = after((first, NOW), (later, NOW + DAY))

    assert state.map_at(NOW - DAY) is None
    assert [found.name for moment in (NOW, NOW + DAY, NOW + 2 * DAY) if (found := state.map_at(moment))] == [
        "guihua/1", "guihua/1", "guihua/2",
    ]  # fmt: skip
    assert state.version == 2


def test_a_map_is_never_edited_nor_back_dated_nor_released_by_anybody_else() -> None:
    command = release_of_map(reduced(map_of(written(feature()))))
    state = after((command, NOW))
    edited = command.model_copy(update={"digest": "0" * 64})
    early = command.model_copy(update={"name": "guihua/3", "in_force_from": NOW - DAY})
    taken = command.model_copy(update={"name": "guihua/4", "in_force_from": NOW})
    other = Context(actor=Actor(person=OTHER, body="sd-01", post="officer"))

    for wrong, context, code in (
        (command, Context(), "map_released"), (edited, Context(), "map_edited"), (early, Context(), "back_dated"),
        (taken, Context(), "in_force_taken"), (command, other, "not_your_post"),
        (command, Context(authority=None), "authority_missing"),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            decide(state, wrong, context)
        assert refused.value.code == code
    assert decide(Releases(), command, Context(recorded_at=NOW + timedelta(1))).events
