"""A board's witness, as a real process over HTTP: C2SP tlog-witness, and what it never forgets."""

import base64
import json
import resource
import signal
import stat
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest

from adapters.log.keys import ed25519_verify
from domain.log.checkpoint import Checkpoint
from domain.log.cosignature import signers
from domain.log.notes import Note, parse_note, parse_signatures, sign_note
from domain.log.tree import EMPTY_ROOT, consistency
from domain.log.witness import AddCheckpoint, format_request
from tests.contract.board_world import WitnessProcess
from tests.small_tree import subtree_of
from tests.unit.log_world import Key, hashes, head, root_of

LOGS = [Key(f"log-{number}.test/1", number=number) for number in range(40, 70)]
STRANGER = Key("stranger.test/1", number=99)
_FRESH = count()


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WitnessProcess]:
    """A witness that trusts many logs, one for each test."""
    with WitnessProcess(tmp_path_factory.mktemp("board"), "audit", *(log.vkey for log in LOGS)) as process:
        yield process


@pytest.fixture
def log() -> Key:
    """A log that this witness has never heard of, but trusts."""
    return LOGS[next(_FRESH)]


def signed(log: Key, size: int, root: bytes | None = None) -> Note:
    """The head of this size, with another root than the tree's where one is given."""
    text = Checkpoint(log.vkey.name, size, root_of(size) if root is None else root).text
    return sign_note(text, log.vkey, log.sign)


def proof(old: int, new: int) -> tuple[bytes, ...]:
    return tuple(consistency(old, new, subtree_of(hashes(new)))) if 0 < old < new else ()


def asking(old: int, note: Note, *given: bytes) -> bytes:
    """A request from an old size, with the right proof unless another one is given."""
    size = Checkpoint.parse(note.text).size
    return format_request(AddCheckpoint(old, given or proof(old, size), note))


def cosigned(witness: WitnessProcess, note: Note, answer: httpx.Response) -> bool:
    """Whether the answer is this board's line under the head."""
    assert answer.status_code == 200, answer.text
    return set(
        signers(Note(note.text, parse_signatures(answer.content)), [witness.vkey], ed25519_verify)
    ) == {witness.vkey}


# ---- what the specification says -----------------------------------------------------------------------------------


def test_heads_that_continue_each_other_are_cosigned_one_after_the_other(
    witness: WitnessProcess, log: Key
) -> None:
    for old, new in ((0, 5), (5, 5), (5, 300), (300, 301)):
        note = signed(log, new)
        assert cosigned(witness, note, witness.ask(asking(old, note)))


def test_an_old_size_that_is_not_the_witnesss_is_a_conflict_that_names_its_size(
    witness: WitnessProcess, log: Key
) -> None:
    witness.ask(asking(0, signed(log, 7)))
    for old in (0, 6, 8):
        answer = witness.ask(asking(old, signed(log, 9)))
        assert (answer.status_code, answer.text) == (409, "7\n")
        assert answer.headers["content-type"] == "text/x.tlog.size"


def test_a_log_of_another_origin_is_unknown(witness: WitnessProcess) -> None:
    assert witness.ask(asking(0, signed(STRANGER, 5))).status_code == 404


def test_a_head_without_a_signature_of_a_trusted_key_is_forbidden(witness: WitnessProcess, log: Key) -> None:
    text = signed(log, 5).text
    other = sign_note(text, Key(log.vkey.name, number=98).vkey, STRANGER.sign)
    broken = sign_note(text, log.vkey, STRANGER.sign)
    assert [witness.ask(asking(0, note)).status_code for note in (other, broken)] == [403, 403]
    assert witness.shown(log.vkey.name).status_code == 404


def test_an_old_size_above_the_heads_is_a_bad_request(witness: WitnessProcess, log: Key) -> None:
    assert witness.ask(asking(6, signed(log, 5))).status_code == 400


@pytest.mark.parametrize(
    "body",
    [b"", b"\n", b"old 0\n", b"old 00\n\nx\n1\n\n", b"new 0\n\n", b"\xff\n\n\xff", b"old 0\n\n" + b"a\n" * 9],
)
def test_a_malformed_request_is_a_bad_request(witness: WitnessProcess, body: bytes) -> None:
    assert witness.ask(body).status_code == 400


def test_a_request_that_is_too_large_is_not_read_to_its_end(witness: WitnessProcess) -> None:
    assert witness.ask(b"old 0\n" + b"A" * 3_000_000).status_code in (400, 413)


def test_a_proof_that_does_not_hold_is_unprocessable(witness: WitnessProcess, log: Key) -> None:
    witness.ask(asking(0, signed(log, 5)))
    for given in ((bytes(32),), proof(5, 9)[:-1], (*proof(5, 9), bytes(32))):
        request = format_request(AddCheckpoint(5, tuple(given), signed(log, 9)))
        assert witness.ask(request).status_code == 422
    assert cosigned(witness, signed(log, 9), witness.ask(asking(5, signed(log, 9))))


def test_a_proof_from_nothing_is_unprocessable(witness: WitnessProcess, log: Key) -> None:
    assert witness.ask(asking(0, signed(log, 5), bytes(32))).status_code == 422


def test_an_empty_tree_has_the_empty_root_and_no_other(witness: WitnessProcess, log: Key) -> None:
    assert witness.ask(asking(0, signed(log, 0, bytes(32)))).status_code == 422
    assert cosigned(witness, signed(log, 0, EMPTY_ROOT), witness.ask(asking(0, signed(log, 0, EMPTY_ROOT))))


def test_other_paths_and_methods_are_not_there(witness: WitnessProcess) -> None:
    get = httpx.get(f"{witness.url}/add-checkpoint", trust_env=False, timeout=100)
    post = httpx.post(f"{witness.url}/sign-subtree", trust_env=False, timeout=100)
    assert (get.status_code, post.status_code) == (405, 404)


def test_monitors_are_shown_the_newest_cosigned_head_with_both_lines(
    witness: WitnessProcess, log: Key
) -> None:
    assert witness.shown(log.vkey.name).status_code == 404
    for old, new in ((0, 4), (4, 8)):
        witness.ask(asking(old, signed(log, new)))
    note = parse_note(witness.shown(log.vkey.name).content)
    assert note.text == signed(log, 8).text
    assert set(signers(note, [log.vkey, witness.vkey], ed25519_verify)) == {log.vkey, witness.vkey}


def test_one_connection_carries_many_requests(witness: WitnessProcess, log: Key) -> None:
    with httpx.Client(trust_env=False, timeout=100) as client:
        for old in range(5):
            answer = client.post(f"{witness.url}/add-checkpoint", content=asking(old, signed(log, old + 1)))
            assert answer.status_code == 200
        assert len(client._transport._pool.connections) == 1  # type: ignore[attr-defined]


# ---- evidence ------------------------------------------------------------------------------------------------------


def test_two_heads_of_one_size_are_kept_side_by_side_as_proof(witness: WitnessProcess, log: Key) -> None:
    first, second = signed(log, 6), signed(log, 6, bytes(32))
    witness.ask(asking(0, first))
    for _ in range(2):
        assert witness.ask(asking(6, second)).status_code == 422
    (kept,) = witness.state.with_name("state.json.evidence").glob("conflict-6-*")
    text = kept.read_text()
    assert (first.text in text, second.text in text) == (True, True)
    assert text.count(f"— {log.vkey.name} ") == 2


def test_a_rewritten_history_is_refused_and_kept(witness: WitnessProcess, log: Key) -> None:
    witness.ask(asking(0, signed(log, 6)))
    forged = signed(log, 11, bytes(32))
    assert witness.ask(asking(6, forged)).status_code == 422
    (kept,) = witness.state.with_name("state.json.evidence").glob("unproved-11-*")
    assert forged.text in kept.read_text()


# ---- what it never forgets -----------------------------------------------------------------------------------------


@pytest.fixture
def board(tmp_path: Path) -> Iterator[WitnessProcess]:
    """A witness of the test's own, not started yet."""
    process = WitnessProcess(tmp_path / "board", "own", LOGS[0].vkey, LOGS[1].vkey)
    yield process
    if process.process is not None:
        process.end(signal.SIGKILL)


def first_and_second() -> tuple[Note, Note]:
    return signed(LOGS[0], 5), signed(LOGS[0], 9)


def test_a_restart_forgets_nothing(board: WitnessProcess) -> None:
    first, second = first_and_second()
    board.start().ask(asking(0, first))
    assert board.end() == 0
    board.start()
    assert board.ask(asking(0, second)).text == "5\n"
    assert cosigned(board, second, board.ask(asking(5, second)))


def test_a_witness_killed_between_saving_and_answering_remembers_what_it_signed(
    board: WitnessProcess, tmp_path: Path
) -> None:
    first, second = first_and_second()
    marker = tmp_path / "marker"
    board.start({"HUIYIN_FAILPOINT": "witness.after_save", "HUIYIN_FAILPOINT_MARKER": str(marker)})
    with pytest.raises(httpx.HTTPError):
        board.ask(asking(0, first))
    assert (board.wait(), marker.read_text()) == (-9, "witness.after_save")
    board.start()
    assert board.ask(asking(0, signed(LOGS[0], 5, bytes(32)))).text == "5\n"
    assert cosigned(board, second, board.ask(asking(5, second)))


def test_a_witness_killed_before_saving_has_signed_nothing(board: WitnessProcess, tmp_path: Path) -> None:
    first, _ = first_and_second()
    board.start({"HUIYIN_FAILPOINT": "witness.before_save"})
    with pytest.raises(httpx.HTTPError):
        board.ask(asking(0, first))
    assert board.wait() == -9
    board.start()
    assert board.shown(LOGS[0].vkey.name).status_code == 404
    assert cosigned(board, first, board.ask(asking(0, first)))


def test_a_full_disk_means_no_cosignature(board: WitnessProcess) -> None:
    first, second = first_and_second()
    board.start().ask(asking(0, first))
    board.ask(asking(0, signed(LOGS[1], 5)))
    assert board.process is not None
    room = board.state.stat().st_size - 1  # its own output, to a file too, still fits
    resource.prlimit(board.process.pid, resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    answer = board.ask(asking(5, second))
    assert (answer.status_code, "—" in answer.text) == (503, False)
    assert board.ask(asking(9, second)).text == "5\n"
    resource.prlimit(
        board.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    )
    assert cosigned(board, second, board.ask(asking(5, second)))
    assert [path.name for path in board.folder.glob(".state*")] == []


def test_two_witnesses_never_share_a_state(board: WitnessProcess) -> None:
    board.start()
    second = board.spawn()
    told, _ = second.communicate(timeout=100)
    assert (second.returncode, "state_in_use" in told) == (1, True)
    assert board.shown(LOGS[0].vkey.name).status_code == 404  # the first one still serves


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "{",
        "[]",
        '{"version": 2, "logs": {}}',
        '{"version": 1, "logs": {"x": {"size": -1}}}',
        '{"version": 1}',
    ],
)
def test_a_damaged_state_is_never_taken_for_an_empty_one(board: WitnessProcess, damaged: str) -> None:
    board.state.write_text(damaged)
    process = board.spawn()
    told, _ = process.communicate(timeout=100)
    assert (process.returncode, "bad_state" in told) == (1, True)
    assert board.state.read_text() == damaged


def test_key_and_state_are_written_as_promised(board: WitnessProcess) -> None:
    board.start().ask(asking(0, first_and_second()[0]))
    assert stat.S_IMODE(board.key.stat().st_mode) == 0o600
    known = json.loads(board.state.read_text())["logs"][LOGS[0].vkey.name]
    assert (known["size"], base64.b64decode(known["root"])) == (5, root_of(5))


def test_a_log_that_is_no_longer_trusted_is_not_forgotten(board: WitnessProcess) -> None:
    board.start().ask(asking(0, first_and_second()[0]))
    board.end()
    again = WitnessProcess(board.folder.with_name("again"), "again", LOGS[2].vkey)
    again.key, again.state = board.key, board.state
    with again:
        assert again.ask(asking(0, first_and_second()[0])).status_code == 404
        assert again.ask(asking(0, head(3, LOGS[2].vkey.name, LOGS[2]))).status_code == 200
    assert set(json.loads(board.state.read_text())["logs"]) == {LOGS[0].vkey.name, LOGS[2].vkey.name}
