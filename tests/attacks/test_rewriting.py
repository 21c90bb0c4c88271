"""History rewritten and sealed anew under the office's own key: every board's next cosigning stops it (rows 1, 2, 3)."""

from __future__ import annotations

import pytest

from adapters.log.keys import ed25519_verify
from domain.log.checkpoint import Checkpoint
from domain.log.notes import parse_note, verified
from tests.attacks.forger import reseal
from tests.attacks.world import Office, evidence_of, refused_by

both = pytest.mark.parametrize("trail", ["sqlite", "postgres"], indirect=True)


def rewritten(office: Office) -> None:
    """An old event says what it never said, and everything after it is sealed anew."""
    victim = office.first_of(office.registers()[0]) - 40
    told = office.body_at(victim)
    office.rewrites(victim, pub=told["pub"], person="5e91a2d4-0f3c-4f5e-9b1a-6c1f3a7d2e05")


@both
def test_an_old_event_rewritten_and_sealed_anew_is_refused_by_every_board(office: Office) -> None:
    """Row 1."""
    known = office.head()
    rewritten(office)
    forged = reseal(office)

    answers = [refused_by(one, office.request(known.size)) for one in office.boards]

    assert forged.size > known.size
    assert {status for status, _ in answers} == {422}
    for one in office.boards:
        (kept,) = evidence_of(one, office.origin)
        assert kept.name.startswith(f"unproved-{forged.size}-")
        assert forged.note.split("\n\n")[0] in kept.read_text("utf-8")


@both
def test_other_content_under_the_same_size_is_refused_and_two_signed_heads_are_the_proof(
    office: Office,
) -> None:
    """Row 2."""
    known = office.head()
    office.rewrites(170, capacity="sd-02")
    forged = reseal(office)

    answers = [refused_by(one, office.request(known.size)) for one in office.boards]

    assert (forged.size, forged.root != known.root) == (known.size, True)
    assert {status for status, _ in answers} == {422}
    for one in office.boards:
        (kept,) = evidence_of(one, office.origin)
        assert kept.name.startswith(f"conflict-{known.size}-")
        assert by_themselves(kept.read_text("utf-8"), office)


def by_themselves(text: str, office: Office) -> bool:
    """Two heads of one size with two roots, both signed by the log: proof for whoever reads them."""
    first, second = text.split(f"\n{office.origin}\n", 1)
    notes = [parse_note(first), parse_note(f"{office.origin}\n{second}")]
    heads = [Checkpoint.parse(one.text) for one in notes]
    signed = all(verified(one, [office.log_key], ed25519_verify) for one in notes)
    return signed and heads[0].size == heads[1].size and heads[0].root != heads[1].root


@both
def test_a_sealed_event_that_was_dropped_is_missed_by_every_board(office: Office) -> None:
    """Row 3."""
    known = office.head()
    office.sql("DELETE FROM {events} WHERE {position} = ?", 180)
    office.registers(3)
    forged = reseal(office)

    answers = [refused_by(one, office.request(known.size)) for one in office.boards]

    assert forged.size > known.size
    assert {status for status, _ in answers} == {422}


@both
def test_a_log_cut_to_where_it_was_dropped_is_behind_what_every_board_has_seen(office: Office) -> None:
    """Row 3: with nothing put in the dropped event's place the log is shorter than the boards know it."""
    known = office.head()
    office.sql("DELETE FROM {events} WHERE {position} = ?", 180)
    reseal(office)

    answers = [refused_by(one, office.request(0)) for one in office.boards]

    assert answers == [(409, f"{known.size}\n")] * 3
