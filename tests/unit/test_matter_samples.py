"""Names outlive code (law 11): every event ever released still loads, and says the same bytes again."""

from __future__ import annotations

import json

import pytest

from domain.event import MOST_BYTES, canonical, decode, encode
from tests.unit.event_samples import SAMPLES, declared, made, stored

KEPT = sorted(path.stem for path in SAMPLES.glob("*.json"))


@pytest.mark.parametrize("name", sorted(declared()))
def test_every_declared_event_has_a_stored_sample(name: str) -> None:
    assert stored(name).exists(), "run `python -m tests.unit.event_samples` once, and keep what it writes"


@pytest.mark.parametrize("name", KEPT)
def test_no_released_event_is_forgotten(name: str) -> None:
    assert name in declared()


@pytest.mark.parametrize("name", KEPT)
def test_a_stored_sample_loads_and_says_the_same_bytes_again(name: str) -> None:
    body = stored(name).read_bytes()
    recorded = decode(name, body)

    assert recorded.type == recorded.pub.TYPE == name
    assert encode(recorded) == body


@pytest.mark.parametrize("name", KEPT)
def test_a_stored_sample_is_canonical(name: str) -> None:
    body = stored(name).read_bytes()

    assert canonical(json.loads(body)) == body
    assert len(body) < MOST_BYTES


@pytest.mark.parametrize("name", sorted(declared()))
def test_a_new_sample_could_be_made_of_every_event(name: str) -> None:
    assert name == decode(name, made(declared()[name])).pub.TYPE
