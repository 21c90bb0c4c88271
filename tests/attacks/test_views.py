"""Two stories told to two boards, an old backup put back, the log key in a thief's hands (rows 6, 7, 12)."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.log.keys import LOG_KEY, ed25519_verify, make_key, open_signer
from adapters.log.mark import MARK
from adapters.log.role import mark_of
from adapters.log.sealer import nobody
from adapters.witness.ahead import boards_ahead
from domain.log.checkpoint import Checkpoint
from domain.log.commands import ChangeLogKey
from domain.log.cosignature import cosign
from domain.log.notes import (
    ED25519_COSIGNATURE,
    Note,
    Signature,
    format_note,
    parse_note,
    sign_note,
    verified,
)
from domain.log.policy import Policy
from domain.log.witness import AddCheckpoint, format_request
from domain.log.words import LOG
from domain.refusal import Refused
from tests.attacks.forger import reseal
from tests.attacks.world import Board, Office, evidence_of, refused_by
from tests.contract.board_world import WitnessProcess
from tests.made_log import BOARD_KEYS, policy


def second_story(office: Office, tmp_path: Path) -> Office:
    """The whole office once more, its keys too, to be told another story from here on."""
    keys = shutil.copytree(office.keys, tmp_path / "second-keys")
    return replace(office, data=shutil.copytree(office.data, tmp_path / "second"), keys=keys)


def lines_of(board: WitnessProcess, request: AddCheckpoint) -> str:
    """The board's line for a head. It must be given."""
    answer = board.ask(format_request(request))
    assert answer.status_code == 200, answer.text
    return answer.text


def kept_lines(office: Office, *lines: str) -> None:
    """Lines of boards under the newest head, which is called cosigned whether they are a quorum or not."""
    with office.log() as log:
        head = log.head()
        assert head is not None
        log.add_cosignatures(head.size, [line.rstrip("\n") for line in lines], quorum_at=office.clock())


# -- row 6: an old backup ---------------------------------------------------------------------------------------------


def put_back(office: Office, tmp_path: Path) -> int:
    """Back up, go on for a while, then restore; the size that the boards know."""
    office.must("backup", str(tmp_path / "backup"))
    known = office.goes_on(4)
    office.must("restore", str(tmp_path / "backup"), "--replace")
    return known.size


def test_an_old_backup_is_behind_the_boards_and_the_sealer_does_not_start(
    office: Office, tmp_path: Path
) -> None:
    """Row 6."""
    known = put_back(office, tmp_path)
    before = office.head()

    answers = [refused_by(one, office.request(office.head().size)) for one in office.boards]
    with office.engine() as engine, office.log() as log:
        ahead = boards_ahead(log, engine.handle, mark_of(office.settings))
        with pytest.raises(Refused) as refused:
            office.seals(ahead)

    assert answers == [(409, f"{known}\n")] * 3
    assert refused.value.code == "witness_ahead"
    assert all(one.name in refused.value.advice for one in office.boards)
    assert office.head() == before


def forgets(office: Office) -> None:
    """Who holds the key can make it forget how far it has signed."""
    (office.keys / MARK).unlink()


def test_an_old_backup_is_behind_what_the_key_has_signed(office: Office, tmp_path: Path) -> None:
    """Row 6: no board need answer for it, and growing on does not help."""
    put_back(office, tmp_path)
    before = office.head()

    for more in (0, 9):
        office.registers(more)
        with pytest.raises(Refused, match="signed_more_already"):
            office.seals()

    assert office.head() == before


@pytest.mark.parametrize(("asked", "code"), [(True, "witness_ahead"), (False, "signed_more_already")])
def test_a_backup_older_than_the_policy_gets_no_second_head(
    unsealed: Office, tmp_path: Path, asked: bool, code: str
) -> None:
    """Row 6: the restored record names no board, and the mark beside the key does."""
    office = unsealed
    office.seals()
    shutil.copytree(office.data, tmp_path / "older")
    office.adopts()
    office.registers(2)
    office.seals()
    office.asks()
    shutil.rmtree(office.data)
    shutil.copytree(tmp_path / "older", office.data)
    before = office.head()
    office.registers(5)

    with office.engine() as engine, office.log() as log, pytest.raises(Refused) as refused:
        office.seals(boards_ahead(log, engine.handle, mark_of(office.settings)) if asked else nobody)

    assert refused.value.code == code
    assert all((one.name in refused.value.advice) == asked for one in office.boards)
    assert office.head() == before


def test_of_two_copied_offices_under_one_key_one_goes_on(office: Office, tmp_path: Path) -> None:
    """Row 7: as long as they share the folder of the key."""
    other = replace(office, data=shutil.copytree(office.data, tmp_path / "second"))
    office.registers()
    other.registers()
    office.seals()

    with pytest.raises(Refused, match="signed_more_already"):
        other.seals()


def test_a_policy_whose_text_was_taken_away_is_asked_by_the_mark(office: Office) -> None:
    """Row 6: without the text the record knows of no board to ask."""
    office.sql(f"DELETE FROM {'cases.' if office.store else ''}texts")
    with office.engine() as engine, office.log() as log:
        state = log.state()
        ahead = boards_ahead(log, engine.handle, mark_of(office.settings))(
            state._replace(size=state.size - 1)
        )

    assert sorted(one.board for one in ahead if one.proved) == sorted(one.name for one in office.boards)


def test_an_old_backup_that_grows_past_what_the_boards_have_seen_is_refused(
    office: Office, tmp_path: Path
) -> None:
    """Row 6: by a sealer that does not ask, under a key whose mark was taken away."""
    known = put_back(office, tmp_path)
    forgets(office)
    office.registers(9)
    office.seals()

    answers = [refused_by(one, office.request(known)) for one in office.boards]

    assert office.head().size > known
    assert {status for status, _ in answers} == {422}
    assert all(evidence_of(one, office.origin) for one in office.boards)


def test_a_bundle_after_an_old_backup_is_refused_by_the_boards_own_state(
    office: Office, board: Board, tmp_path: Path
) -> None:
    """Row 6: shorter than the board has seen, then as long and other."""
    office.must("backup", str(tmp_path / "backup"))
    office.goes_on(4)
    assert board.verify(office.bundle(tmp_path / "1.zip")).exit == 0
    office.must("restore", str(tmp_path / "backup"), "--replace")

    shorter = board.verify(office.bundle(tmp_path / "2.zip"))
    forgets(office)
    office.registers(9)
    office.seals()
    kept_lines(office)
    longer = board.verify(office.bundle(tmp_path / "3.zip"))

    assert "rolled_back" in shorter.faults
    assert {"split_view", "quorum_missing"} <= longer.faults


# -- row 7: a split view ----------------------------------------------------------------------------------------------


def test_of_two_stories_only_one_finds_a_quorum(office: Office, board: Board, tmp_path: Path) -> None:
    """Row 7: two boards of three have to be asked for each, and one of them would be asked twice."""
    other, known = second_story(office, tmp_path), office.head().size
    for one in (office, other):
        one.registers()
        one.seals()
    audit, council, court = office.boards
    kept_lines(office, *(lines_of(one, office.request(known)) for one in (audit, council)))
    kept_lines(other, lines_of(court, other.request(known)))

    again = refused_by(council, other.request(office.head().size))

    assert office.head().size == other.head().size
    assert office.head().root != other.head().root
    assert again[0] == 422
    assert [kept.name.split("-")[0] for kept in evidence_of(council, office.origin)] == ["conflict"]
    assert board.verify(office.bundle(tmp_path / "1.zip")).exit == 0
    assert "quorum_missing" in board.verify(other.bundle(tmp_path / "2.zip"), state=False).faults


def test_with_a_crooked_board_both_stories_find_one_and_the_boards_have_only_to_compare(
    office: Office, board: Board, tmp_path: Path
) -> None:
    """Row 7: with two of three, one crooked board is enough; what two boards hold then speaks by itself."""
    case = office.registers()[0]
    office.seals()
    office.asks()
    other, known = second_story(office, tmp_path), office.head().size
    for one in (office, other):
        one.registers()
        one.seals()
    audit, council, court = office.boards
    kept_lines(office, *(lines_of(one, office.request(known)) for one in (audit, council)))
    kept_lines(other, lines_of(court, other.request(known)), crooked_line(council, other))
    receipt = board.file(other.proof(case), "receipt")

    honest = board.verify(office.bundle(tmp_path / "1.zip"))
    shown_the_other = board.verify(other.bundle(tmp_path / "2.zip"))
    by_itself = board.verify(tmp_path / "2.zip", state=False)
    with_a_receipt = board.verify(tmp_path / "1.zip", "--receipt", receipt, state=False)

    assert honest.exit == by_itself.exit == 0
    assert "split_view" in shown_the_other.faults
    assert "receipt_other_view" in with_a_receipt.faults
    assert self_contained(office, other)


def crooked_line(board: WitnessProcess, office: Office) -> str:
    """The board signs whatever it is given, without asking its state."""
    signer = open_signer(board.key, ED25519_COSIGNATURE)
    text = parse_note(office.head().note).text
    return str(cosign(text, signer.vkey, int(office.clock().timestamp()), signer.sign))


def self_contained(one: Office, other: Office) -> bool:
    """Two notes, and the log's public key: it takes no more to convict the log."""
    notes = [parse_note(office.head().note) for office in (one, other)]
    heads = [Checkpoint.parse(note.text) for note in notes]
    return all(verified(note, [one.log_key], ed25519_verify) for note in notes) and (
        heads[0].size == heads[1].size and heads[0].root != heads[1].root
    )


@pytest.mark.parametrize(("n", "k"), [(n, k) for n in range(1, 5) for k in range(1, n + 1)])
def test_it_takes_2k_minus_n_crooked_boards_to_split_the_view(n: int, k: int) -> None:
    """Row 7: counted out, under the policy itself. An honest board signs one of the two stories."""
    rule = Policy.parse(policy(*range(n), least=k))
    names = [f"b{each}" for each in range(n)]

    def split(crooked: set[str]) -> bool:
        honest = [name for name in names if name not in crooked]
        sides = itertools.product((True, False), repeat=len(honest))
        return any(
            rule.satisfied(crooked | {h for h, left in zip(honest, side, strict=True) if left})
            and rule.satisfied(crooked | {h for h, left in zip(honest, side, strict=True) if not left})
            for side in sides
        )

    fewest = next(
        count
        for count in range(n + 1)
        if any(split(set(some)) for some in itertools.combinations(names, count))
    )

    assert len(BOARD_KEYS) >= n
    assert fewest == max(0, 2 * k - n)


# -- row 12: the log key stolen ---------------------------------------------------------------------------------------


def changed_key(office: Office, note: Note, new: str) -> None:
    office.orders(LOG, ChangeLogKey(old=str(office.log_key), new=new, head=format_note(note)))


def test_a_thief_of_the_log_key_gets_no_fork_past_the_boards(office: Office) -> None:
    """Row 12: the key alone signs anything, and the boards still refuse what does not continue."""
    known = office.head()
    thief = open_signer(office.keys / LOG_KEY)
    text = Checkpoint(office.origin, known.size + 5, bytes(32)).text
    note = sign_note(text, thief.vkey, thief.sign)

    for proof in ((), (bytes(32),), tuple(bytes([n]) * 32 for n in range(9))):
        request = AddCheckpoint(known.size, proof, note)
        assert {refused_by(one, request)[0] for one in office.boards} == {422}


def test_until_the_key_is_changed_a_thief_can_add_what_is_false_and_the_report_says_so(
    office: Office, board: Board, tmp_path: Path
) -> None:
    """Row 12: what continues the log is cosigned; the boards do not know what is true."""
    office.goes_on()

    report = board.verify(office.bundle(tmp_path / "1.zip"))

    assert report.exit == 0
    assert "false_content" in report.limits
    assert "不证明所记属实" in board.read(tmp_path / "1.zip")


def test_a_change_of_key_signed_by_both_keys_is_told_to_the_board(
    office: Office, board: Board, tmp_path: Path
) -> None:
    """Row 12: the rotation that ends the theft."""
    new = make_key(tmp_path / "new.key", office.origin)
    text = parse_note(office.head().note).text
    lines = [
        sign_note(text, one.vkey, one.sign)
        for one in map(open_signer, (office.keys / LOG_KEY, tmp_path / "new.key"))
    ]
    changed_key(office, lines[0].plus(*lines[1].signatures), str(new))
    shutil.copy(tmp_path / "new.key", office.keys / LOG_KEY)
    shutil.copy(tmp_path / "new.pub", (office.keys / LOG_KEY).with_suffix(".pub"))
    office.seals()
    kept_lines(office, *(crooked_line(one, office) for one in office.boards))

    told = board.verify(office.bundle(tmp_path / "1.zip"), state=False)

    assert told.of("log_key_changed")
    assert "log_key_unproven" not in told.codes
    assert {
        "log_signature_missing",
        "log_key_other",
    } <= told.faults  # until the board's own policy names the new key


def test_a_change_of_key_that_the_old_key_did_not_sign_is_found(
    office: Office, board: Board, tmp_path: Path
) -> None:
    """Row 12: whoever holds the database but not the key cannot give the log another one."""
    new = make_key(tmp_path / "thief.key", office.origin)
    signer = open_signer(tmp_path / "thief.key")
    note = sign_note(parse_note(office.head().note).text, new, signer.sign)
    forged = Signature(office.origin, office.log_key.key_id, signer.sign(b"something"))
    changed_key(office, note.plus(forged), str(new))
    reseal(office)

    assert "log_key_unproven" in board.verify(office.bundle(tmp_path / "1.zip"), state=False).faults
