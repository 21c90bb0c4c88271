"""The promise given at intake: one text for one event, signed, and nothing in it that was not said on purpose."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.log.keys import ed25519_verify
from adapters.receipt.promise import Promise, PromiseError, promise_of, promised, signed_by
from domain.log.leaf import leaf
from domain.log.texts import to_base64
from domain.log.tree import leaf_hash
from domain.refusal import Refused
from tests.made_log import LOG_KEY, ORIGIN, RECEIPT_KEY, key
from tests.made_receipt import NUMBER, first
from tests.made_receipt import RECORDED as AT
from tests.made_receipt import promise_for as given_for


def test_the_promise_has_the_form_of_its_specification() -> None:
    event = first()
    hashed = to_base64(leaf_hash(leaf(event.body, 7, 1, None)))

    lines = given_for(event).split("\n")

    assert lines[:7] == ["huiyin-receipt/v1", ORIGIN, NUMBER, hashed, AT, "24", ""]
    assert lines[7].startswith(f"— {ORIGIN}/receipts ")
    assert lines[8:] == [""]


def test_the_same_event_is_promised_in_the_same_bytes_each_time() -> None:
    assert given_for(first()) == given_for(first())


def test_another_position_is_another_promise() -> None:
    assert given_for(first(7)) != given_for(first(8))


def test_the_receipt_key_has_signed_it_and_no_other_key_counts() -> None:
    promise, note = promise_of(given_for(first()))
    strangers = key(f"{ORIGIN}/receipts2"), LOG_KEY, key("other.example/receipts")

    assert signed_by(note, promise, (RECEIPT_KEY.public,), ed25519_verify)
    assert not signed_by(note, promise, tuple(one.public for one in strangers), ed25519_verify)
    assert not signed_by(note, promise, (), ed25519_verify)


def test_a_receipt_key_of_another_log_signs_no_promise_for_this_one() -> None:
    other = key("other.example/receipts")
    promise, note = promise_of(promised(first(), other.public, other.sign, 24))
    forged = replace(promise, origin=ORIGIN)

    assert not signed_by(replace(note, text=forged.text), forged, (other.public,), ed25519_verify)


@pytest.mark.parametrize("line", range(1, 6))
def test_a_promise_with_one_line_changed_is_not_signed(line: int) -> None:
    lines = given_for(first()).split("\n")
    lines[line] = {
        1: "other.example", 2: NUMBER.replace("7", "8"), 3: to_base64(bytes(32)), 4: AT.replace("23T", "24T"), 5: "48",
    }[line]  # fmt: skip

    promise, note = promise_of("\n".join(lines))

    assert not signed_by(note, promise, (RECEIPT_KEY.public,), ed25519_verify)


def test_only_a_first_event_is_promised() -> None:
    with pytest.raises(Refused, match="not_the_first"):
        given_for(first()._replace(version=2))


def test_a_key_that_is_not_called_after_a_log_promises_nothing() -> None:
    with pytest.raises(Refused, match="receipt_key_name"):
        promised(first(), LOG_KEY.public, LOG_KEY.sign, 24)


def test_it_says_nothing_of_kind_place_or_person() -> None:
    event = first(
        kind="hazard", grid="grid-canary", code="canary-code", host="com-canary", requesters=["who-canary"]
    )

    said = given_for(event)

    assert not [word for word in ("canary", "hazard", "someone") if word in said]


@given(
    st.from_regex(r"[a-z.]{1,20}/[0-9]{6}", fullmatch=True), st.from_regex(r"[0-9A-Z-]{1,40}", fullmatch=True),
    st.binary(min_size=32, max_size=32), st.datetimes(), st.integers(0, 10**4),
)  # fmt: skip
def test_what_is_written_is_read_back(
    origin: str, number: str, hashed: bytes, at: object, hours: int
) -> None:
    recorded = f"{at:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + "Z"
    if int(recorded[:4]) > 9990:
        return
    made = Promise(origin, number, hashed, recorded, hours)

    assert Promise.parse(made.text) == made


@pytest.mark.parametrize(
    "text",
    [
        "", "huiyin-receipt/v1\n", "huiyin-receipt/v2\na\nb\nc\nd\n1\n",
        *(f"huiyin-receipt/v1\n{ORIGIN}\n{number}\n{hashed}\n{at}\n{hours}\n{end}" for number, hashed, at, hours, end in (
            ("", to_base64(bytes(32)), AT, "24", ""), (NUMBER, to_base64(bytes(31)), AT, "24", ""),
            (NUMBER, "x", AT, "24", ""), (NUMBER, to_base64(bytes(32)), "yesterday", "24", ""),
            (NUMBER, to_base64(bytes(32)), AT[:-1], "24", ""), (NUMBER, to_base64(bytes(32)), "2026-02-30T00:00:00Z", "24", ""),
            (NUMBER, to_base64(bytes(32)), AT, "024", ""), (NUMBER, to_base64(bytes(32)), AT, "-1", ""),
            (NUMBER, to_base64(bytes(32)), AT, str(10**15), ""), (NUMBER, to_base64(bytes(32)), AT, "24", "more\n"),
            ("王小明", to_base64(bytes(32)), AT, "24", ""),
        )),
    ],
)  # fmt: skip
def test_a_text_of_another_form_is_no_promise(text: str) -> None:
    with pytest.raises(PromiseError):
        Promise.parse(text)
