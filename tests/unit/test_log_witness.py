"""A witness: every answer of the specification, in its order, and never two histories."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.log.keys import ed25519_verify
from domain.log.checkpoint import Checkpoint
from domain.log.notes import Note, NoteError, Signature, parse_signatures, sign_note
from domain.log.tree import EMPTY_ROOT, consistency, leaf_hash, root
from domain.log.witness import (
    MOST_HASHES,
    SIZE_TYPE,
    AddCheckpoint,
    Cosign,
    Refusal,
    State,
    format_request,
    judge,
    origin_hash,
    parse_request,
)
from tests.small_tree import subtree_of
from tests.unit.log_world import LOG_KEY, ORIGIN, Key, example, examples, flipped, hashes, head, root_of

LOGS = {ORIGIN: (LOG_KEY.vkey,), "other.example/log": (Key("other.example/log", number=9).vkey,)}


def known(size: int) -> State:
    return State(size, root_of(size))


def asked(old: int, new: int, note: Note | None = None, leaves: Sequence[bytes] = ()) -> AddCheckpoint:
    """The honest log's request, or another note with its proof."""
    tree = subtree_of(leaves or hashes(max(old, new)))
    return AddCheckpoint(old, tuple(consistency(old, new, tree)) if old <= new else (), note or head(new))


def answer(state: State | None, request: AddCheckpoint) -> Cosign | Refusal:
    return judge(state, request, LOGS, ed25519_verify)


def status(state: State | None, request: AddCheckpoint) -> int:
    told = answer(state, request)
    return told.status if isinstance(told, Refusal) else 200


def rewritten(size: int) -> list[bytes]:
    """Another history: the first leaf was changed."""
    return [leaf_hash(b"forged"), *hashes(size)[1:]]


def forged_head(size: int) -> Note:
    text = Checkpoint(ORIGIN, size, root(size, subtree_of(rewritten(size)))).text
    return sign_note(text, LOG_KEY.vkey, LOG_KEY.sign)


# ---- 200 --------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 40), min_size=1, max_size=6).map(sorted))
def test_a_log_that_only_grows_is_cosigned_at_every_head(sizes: list[int]) -> None:
    state: State | None = None

    for size in sizes:
        told = answer(state, asked(state.size if state else 0, size))
        assert told == Cosign(known(size), head(size).text)
        state = known(size)


def test_the_same_head_again_is_cosigned_again() -> None:
    assert answer(known(5), asked(5, 5)) == Cosign(known(5), head(5).text)
    assert answer(known(0), asked(0, 0)) == Cosign(State(0, EMPTY_ROOT), head(0).text)


def test_lines_of_unknown_keys_are_ignored() -> None:
    stranger = Key("stranger.example", number=9)
    note = head(5)
    junk = Signature(stranger.vkey.name, stranger.vkey.key_id, b"junk")

    assert status(None, asked(0, 5, note.plus(junk))) == 200


def test_what_is_cosigned_is_the_whole_text() -> None:
    text = head(5).text + "extension\n"

    told = answer(None, asked(0, 5, sign_note(text, LOG_KEY.vkey, LOG_KEY.sign)))

    assert told == Cosign(known(5), text)


# ---- refusals ---------------------------------------------------------------------------------------------------


def test_an_unknown_origin_is_404() -> None:
    assert status(None, asked(0, 5, head(5, "unknown.example"))) == 404


def test_a_head_that_its_log_has_not_signed_is_403() -> None:
    other = Key("other.example/log", number=9)
    bent = Note(head(5).text, (replace(head(5).signatures[0], blob=bytes(64)),))
    namesake = Key(ORIGIN, number=8)

    for note in (head(5, ORIGIN, other), head(5, ORIGIN, namesake), bent):
        assert status(None, asked(0, 5, note)) == 403


def test_a_failing_line_of_a_trusted_key_beside_a_good_one_is_403() -> None:
    (good,) = head(5).signatures

    assert status(None, asked(0, 5, head(5).plus(replace(good, blob=bytes(64))))) == 403


def test_an_old_size_above_the_heads_is_400() -> None:
    assert status(known(6), asked(6, 5)) == 400
    assert status(None, asked(6, 5)) == 400


@pytest.mark.parametrize(("size", "old"), [(5, 0), (5, 3), (5, 6), (5, 8), (0, 3)])
def test_another_old_size_than_the_witness_knows_is_409_with_its_own(size: int, old: int) -> None:
    told = answer(known(size), asked(old, 8))

    assert told == Refusal(409, f"{size}\n", SIZE_TYPE)


def test_a_witness_that_has_cosigned_nothing_says_0() -> None:
    assert answer(None, asked(3, 8)) == Refusal(409, "0\n", SIZE_TYPE)


@pytest.mark.parametrize(("old", "new"), [(1, 2), (3, 8), (4, 8), (7, 8), (8, 8), (700, 900)])
def test_a_history_that_was_rewritten_is_422(old: int, new: int) -> None:
    assert status(known(old), asked(old, new, forged_head(new))) == 422
    assert status(known(old), asked(old, new, forged_head(new), rewritten(new))) == 422


def test_a_proof_that_does_not_hold_is_422() -> None:
    good = asked(3, 8)

    for proof in ((), good.proof[1:], good.proof[:-1], good.proof[::-1], (*good.proof, root_of(1))):
        assert status(known(3), replace(good, proof=proof)) == 422


def test_a_proof_where_none_is_due_is_422() -> None:
    assert status(None, replace(asked(0, 8), proof=(root_of(8),))) == 422
    assert status(known(8), replace(asked(8, 8), proof=(root_of(8),))) == 422


def test_an_empty_log_with_another_root_than_that_of_nothing_is_422() -> None:
    note = sign_note(Checkpoint(ORIGIN, 0, root_of(1)).text, LOG_KEY.vkey, LOG_KEY.sign)

    assert status(None, AddCheckpoint(0, (), note)) == 422


def test_of_two_reasons_the_specifications_first_is_told() -> None:
    unknown, unsigned = head(5, "unknown.example"), Note(head(5).text, (Signature("x", 1, b"x"),))

    assert status(known(3), asked(6, 5, unknown)) == 404
    assert status(known(3), asked(6, 5, unsigned)) == 403
    assert status(known(3), asked(6, 5)) == 400
    assert status(known(3), asked(4, 5, forged_head(5))) == 409


@given(st.integers(1, 30), st.integers(0, 30), st.integers(0, 10_000), st.data())
def test_no_bent_proof_is_cosigned(old: int, more: int, bit: int, data: st.DataObject) -> None:
    good = asked(old, old + more)
    if not good.proof:
        return
    at = data.draw(st.integers(0, len(good.proof) - 1))
    bent = tuple(flipped(one, bit) if number == at else one for number, one in enumerate(good.proof))

    assert status(known(old), replace(good, proof=bent)) == 422


# ---- the wire ---------------------------------------------------------------------------------------------------


def refused(act: Callable[..., Any], *given: Any) -> str:
    with pytest.raises(NoteError) as caught:
        act(*given)
    return caught.value.code


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 5), (3, 8), (8, 8)])
def test_a_request_is_read_back(old: int, new: int) -> None:
    assert parse_request(format_request(asked(old, new))) == asked(old, new)


def test_the_example_request_is_read_and_written_back() -> None:
    text = example("tlog-witness", "old 20852014")
    request = parse_request(text.encode())

    assert (request.old, len(request.proof), len(request.note.signatures)) == (20852014, 4, 2)
    assert (request.checkpoint.origin, request.checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert format_request(request) == text.encode()


def test_the_example_answers_are_read_unless_they_are_shortened() -> None:
    whole, *shortened = [one for one in examples("tlog-witness") if one.startswith("— ")]

    lines = parse_signatures(whole)
    assert [line.name for line in lines] == ["witness.example/w1", "witness.example/w1", "witness.example/w2"]
    assert "".join(map(str, lines)) == whole
    for one in shortened:
        assert refused(parse_signatures, one) == "signature_form"


@pytest.mark.parametrize(
    "change",
    [
        lambda body: b"",
        lambda body: b"\n" + body,
        lambda body: body.replace(b"old 3", b"old 03"),
        lambda body: body.replace(b"old 3", b"old -3"),
        lambda body: body.replace(b"old 3", b"old  3"),
        lambda body: body.replace(b"old 3", b"old"),
        lambda body: body.replace(b"old 3", b"old 3 "),
        lambda body: body.replace(b"old 3", b"new 3"),
        lambda body: body.replace(b"old 3", b"old %d" % 2**63),
        lambda body: body.replace(b"old 3\n", b"old 3\nAAAA\n"),
        lambda body: body.replace(b"old 3\n", b"old 3\n\xff\n"),
        lambda body: body.replace(b"old 3\n", b"old 3\n\n"),
        lambda body: body.replace(b"\n\n", b"\n", 1),
        lambda body: body.replace(b"\n", b"\r\n"),
        lambda body: body[:-1],
        lambda body: body + b"\n",
        lambda body: body.replace(b"\n8\n", b"\n08\n"),
        lambda body: body.partition(b"\n\n")[0] + b"\n\nhello\n\n" + str(head(8).signatures[0]).encode(),
    ],
)
def test_a_malformed_request_is_refused(change: Callable[[bytes], bytes]) -> None:
    refused(parse_request, change(format_request(asked(3, 8))))


def test_more_than_63_hashes_are_refused() -> None:
    one = root_of(1)
    most = AddCheckpoint(3, (one,) * MOST_HASHES, head(8))

    assert parse_request(format_request(most)) == most
    assert refused(parse_request, format_request(replace(most, proof=(one,) * 64))) == "request_form"
    assert refused(parse_request, b"x" * 1_000_001) == "note_too_long"


@given(st.binary(max_size=300))
def test_bytes_of_chance_are_no_request(data: bytes) -> None:
    refused(parse_request, data)


def test_an_origin_is_found_by_its_hash() -> None:
    assert origin_hash(ORIGIN) == sha256(ORIGIN.encode()).hexdigest()
