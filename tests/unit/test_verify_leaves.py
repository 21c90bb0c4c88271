"""Leaves read many at once are found to be what each is found to be alone: `read_leaf` says what a leaf is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.bundle import verify
from tests.bundle_maker import canonical

DIGEST = "A" * 43
LEAF: dict[str, Any] = {
    "_position": 7, "_prev": DIGEST, "_sd": [DIGEST, DIGEST], "authority": "law:x", "backfill": False,
    "basis": {"calendar": "cn", "code": "1", "register": 3, "rulebook": "demo"}, "capacity": "gl", "causation": None,
    "command": "c", "correlation": "c", "nonce": "n", "occurred_at": "2025-11-01T00:00:00Z", "person": "p",
    "post": None, "pub": {"clocks": [{"due": "x", "stage": "s"}, {}], "n": 1, "zh": "电梯"},
    "recorded_at": "2025-11-01T00:00:00Z", "rule": "r", "stream": "s", "type": "t.v1", "version": 2,
}  # fmt: skip
WHOLE = canonical(LEAF)
CUT = WHOLE.index(b",{}]")  # between two objects of a list in `pub`

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def leaves(draw: st.DrawFn) -> bytes:
    """A leaf with other values here and there, mostly canonical."""
    changed = draw(st.dictionaries(st.sampled_from(sorted(LEAF)), values, max_size=3))
    if draw(st.booleans()):
        changed["pub"] = draw(st.dictionaries(texts, values, max_size=4))
    return json.dumps(
        LEAF | changed, sort_keys=draw(st.booleans()), ensure_ascii=draw(st.booleans()), separators=(",", ":")
    ).encode()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A leaf with some bytes taken out and others put in."""
    leaf = draw(leaves())
    at = draw(st.integers(0, len(leaf)))
    other = draw(
        st.binary(max_size=3) | st.sampled_from([b" ", b"\\u0041", b"0", b"-", b'"', b'"n":1,', b"}", b"{}"])
    )
    return leaf[:at] + other + leaf[at + draw(st.integers(0, 3)) :]


def alone(entry: bytes) -> Any:
    try:
        return verify.read_leaf(entry) if entry else None
    except verify.BadLeaf as bad:
        return bad.args


def together(entries: list[bytes]) -> list[Any]:
    return [one.args if isinstance(one, verify.BadLeaf) else one for one in verify.read_leaves(entries)]


@given(st.lists(leaves() | damaged() | st.just(b"") | st.just(WHOLE), max_size=40))
def test_many_leaves_are_read_as_each_is_alone(entries: list[bytes]) -> None:
    assert [repr(one) for one in together(entries)] == [repr(alone(entry)) for entry in entries]


@pytest.mark.parametrize(
    ("entries", "codes"),
    [
        ([WHOLE], [None]),
        ([WHOLE[:CUT], WHOLE[CUT + 1 :]], ["leaf_not_json", "leaf_not_canonical"]),
        ([WHOLE + b"," + WHOLE[:CUT], WHOLE[CUT + 1 :]], ["leaf_not_canonical", "leaf_not_canonical"]),
        ([WHOLE + b"," + WHOLE, WHOLE], ["leaf_not_canonical", None]),
        ([WHOLE.replace(b'"n":1', b'"n":1,"n":1'), WHOLE], ["leaf_not_canonical", None]),
        ([WHOLE.replace(b'"n":1', b'"n":1.0')], ["leaf_not_json"]),
        ([WHOLE.replace(b'"n":1', b'"n":-0')], ["leaf_not_canonical"]),
        ([WHOLE.replace(b'"n":1', b'"n": 1')], ["leaf_not_canonical"]),
        ([WHOLE.replace(b'"n":1', b'"n":9007199254740992')], ["leaf_not_json"]),
        ([WHOLE.replace(b'"zh"', '"中"'.encode())], ["leaf_not_canonical"]),
        ([WHOLE.replace(b'"register":3', b'"register":03')], ["leaf_not_json"]),
        ([WHOLE.replace(b'"register":3', b'"register":3,"register":3')], ["leaf_not_canonical"]),
        ([WHOLE.replace(b'"calendar":"cn","code":"1"', b'"code":"1","calendar":"cn"')], ["leaf_not_canonical"]),
        ([WHOLE.replace(b'"rule":"r"', b'"rule":"\\u0072"')], ["leaf_not_canonical"]),
        ([WHOLE.replace(b'"rule":"r"', b'"rule":"\\n"')], [None]),
        ([WHOLE.replace(b'"rule":"r"', b'"rule":"\n"')], ["leaf_not_json"]),
        ([WHOLE.replace(b'"version":2', b'"version":0')], ["leaf_malformed"]),
        ([WHOLE.replace(b'"version":2', b'"version":1')], ["leaf_malformed"]),
        ([WHOLE.replace(DIGEST.encode() + b'"]', b'short"]')], ["leaf_malformed"]),
        ([WHOLE + b"\n"], ["leaf_not_canonical"]),
        ([b"\xff" + WHOLE[1:]], ["leaf_not_json"]),
        ([b"[" * 60_000], ["leaf_not_json"]),
        ([WHOLE.replace(b'"n":1', b'"n":' + b"[" * 30_000)], ["leaf_not_json"]),
    ],
)  # fmt: skip
def test_no_leaf_hides_behind_another(entries: list[bytes], codes: list[str | None]) -> None:
    found = [one.args[0] if isinstance(one, verify.BadLeaf) else None for one in verify.read_leaves(entries)]
    assert found == codes
    assert together(entries) == [alone(entry) for entry in entries]


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=300))
def test_hashes_named_together_bear_the_names_they_have_alone(hashes: list[bytes]) -> None:
    assert verify._names(hashes) == [verify._b64url(one) for one in hashes]
