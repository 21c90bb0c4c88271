"""The leaf: canonical, read back, and nothing else taken for one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from domain.event import Basis, Recorded, encode
from domain.log.leaf import LeafError, Unleafed, leaf, unleaf
from tests.unit.event_samples import SAMPLES
from tests.unit.log_world import flipped
from workflows.records import CommandRefused

BODY = b'{"_sd":[],"type":"x.v1"}'
ONE = bytes(range(32))
texts = st.text(max_size=30)
maybe = st.none() | texts
moments = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
events = st.builds(
    Recorded[CommandRefused],
    sd=st.lists(texts, max_size=3).map(tuple), authority=maybe, backfill=st.booleans(),
    basis=st.builds(Basis, calendar=texts, code=texts, register=st.integers(0, 2**53 - 1), rulebook=texts),
    capacity=texts, causation=maybe, command=texts, correlation=texts, nonce=texts, occurred_at=moments,
    person=texts, post=maybe, pub=st.builds(CommandRefused, case=texts, command_name=texts, code=texts),
    recorded_at=moments, rule=texts, stream=texts, type=st.just(CommandRefused.TYPE),
)  # fmt: skip
places = st.one_of(
    st.tuples(st.integers(0, 2**53 - 1), st.just(1), st.none()),
    st.tuples(st.integers(0, 2**53 - 1), st.integers(2, 2**53 - 1), st.binary(min_size=32, max_size=32)),
)


def refused(act: Callable[..., Any], *given: Any) -> str:
    with pytest.raises(LeafError) as caught:
        act(*given)
    return caught.value.code


@given(events, places)
def test_the_leaf_of_any_event_is_canonical_and_read_back(
    event: Recorded[CommandRefused], place: tuple[int, int, bytes | None]
) -> None:
    made = leaf(encode(event), *place)

    assert rfc8785.dumps(json.loads(made)) == made
    assert unleaf(made) == Unleafed(encode(event), *place)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_the_leaf_of_every_event_ever_released_is_canonical(path: Any) -> None:
    made = leaf(path.read_bytes(), 7, 2, ONE)

    assert rfc8785.dumps(json.loads(made)) == made
    assert unleaf(made) == Unleafed(path.read_bytes(), 7, 2, ONE)


def test_the_place_is_spliced_in_and_the_rest_stays_as_stored() -> None:
    assert leaf(BODY, 0, 1, None) == b'{"_position":0,"_prev":null,"_sd":[],"type":"x.v1","version":1}'
    assert leaf(BODY, 12, 3, bytes(32)) == (
        b'{"_position":12,"_prev":"' + b"A" * 43 + b'","_sd":[],"type":"x.v1","version":3}'
    )


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"a":"b"}', b'{"_sd":[]}', b'{"_sd":[],"n":1}', b' {"_sd":[],"type":"x"}', BODY + b"\n"]
)  # fmt: skip
def test_what_is_no_stored_event_makes_no_leaf(body: bytes) -> None:
    assert refused(leaf, body, 1, 1, None) == "leaf_body"


@pytest.mark.parametrize(("position", "version"), [(-1, 1), (2**53, 1), (1, 0), (1, 2**53), (1, -1)])
def test_a_place_that_no_event_has_makes_no_leaf(position: int, version: int) -> None:
    assert refused(leaf, BODY, position, version, ONE) == "leaf_place"


def test_only_the_first_of_a_stream_has_no_previous_leaf() -> None:
    for version, previous in ((1, ONE), (2, None), (2, ONE[:31]), (2, ONE + b"x"), (2, b"")):
        assert refused(leaf, BODY, 1, version, previous) == "leaf_previous"


def test_a_leaf_of_65535_bytes_is_the_largest() -> None:
    room = 65_535 - len(leaf(b'{"_sd":[],"type":""}', 1, 1, None))

    assert len(leaf(b'{"_sd":[],"type":"%s"}' % (b"x" * room), 1, 1, None)) == 65_535
    assert refused(leaf, b'{"_sd":[],"type":"%s"}' % (b"x" * (room + 1)), 1, 1, None) == "leaf_too_long"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        BODY,
        b'{"_position":01,"_prev":null,"_sd":[],"type":"x.v1","version":1}',
        b'{"_position":-1,"_prev":null,"_sd":[],"type":"x.v1","version":1}',
        b'{"_position":1,"_prev":null,"_sd":[],"type":"x.v1","version":01}',
        b'{"_position":1,"_prev":null,"_sd":[],"type":"x.v1","version":0}',
        b'{"_position":1,"_prev":null,"_sd":[],"type":"x.v1","version":2}',
        b'{"_position":9007199254740992,"_prev":null,"_sd":[],"type":"x.v1","version":1}',
        b'{"_position":1,"_prev":"","_sd":[],"type":"x.v1","version":2}',
        b'{"_position":1,"_prev":"' + b"A" * 42 + b'B","_sd":[],"type":"x.v1","version":2}',
        b'{"_position":1,"_prev":"' + b"A" * 44 + b'","_sd":[],"type":"x.v1","version":2}',
        b'{"_position":1,"_prev":null,"_sd":[],"type":"x.v1","version":1}\n',
        b'{"_position": 1,"_prev":null,"_sd":[],"type":"x.v1","version":1}',
        b'{"_position":1,"_prev":null,"_sd":[],"type":1,"version":1}',
        b'{"_position":1,"_prev":null,"_sd":[],"type":"' + b"x" * 65_536 + b'","version":1}',
    ],
)
def test_bytes_that_no_leaf_has_are_refused(data: bytes) -> None:
    assert refused(unleaf, data) in ("leaf_form", "leaf_place", "leaf_previous")


@given(places, st.integers(0, 10_000))
def test_a_leaf_with_a_flipped_bit_is_refused_or_another_leaf(
    place: tuple[int, int, bytes | None], bit: int
) -> None:
    made = leaf(BODY, *place)
    try:
        read = unleaf(flipped(made, bit))
    except LeafError:
        return

    assert read != Unleafed(BODY, *place)
    assert leaf(*read) == flipped(made, bit)
