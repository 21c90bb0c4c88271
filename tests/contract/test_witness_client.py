"""Our side that asks the boards: what is taken from a witness, and what is not, whatever it does on its socket."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.log.keys import ed25519_verify
from adapters.witness.client import MOST_ROUNDS, BoardAhead, BoardFailed, Cosigned, WitnessClient, http_client
from domain.log.cosignature import signers
from domain.log.notes import Note, parse_signatures
from domain.log.policy import Witness
from domain.log.tree import consistency
from domain.log.witness import AddCheckpoint
from tests.contract.board_world import Answer, Behaviour, FaultyBoard, WitnessProcess
from tests.small_tree import subtree_of
from tests.unit.log_world import BOARDS, LOG_KEY, hashes, head, line


def prove(old: int, new: int) -> list[bytes]:
    return consistency(old, new, subtree_of(hashes(new)))


def board_of(one: FaultyBoard | WitnessProcess) -> Witness:
    return Witness(one.name, one.vkey, one.url)


def asked(
    board: Witness, *sizes: int, known: int = 0, answer_seconds: float = 60.0
) -> list[Cosigned | BoardFailed]:
    """What becomes of asking for these heads, one after the other, by one client."""

    async def story() -> list[Cosigned | BoardFailed]:
        found: list[Cosigned | BoardFailed] = []
        async with http_client() as http:
            client = WitnessClient(board, http, answer_seconds)
            client.size = known
            for size in sizes:
                try:
                    found.append(await client.cosign(head(size), prove))
                except BoardFailed as failed:
                    found.append(failed)
        return found

    return asyncio.run(story())


def why(found: Cosigned | BoardFailed) -> str:
    assert isinstance(found, BoardFailed)
    return found.why


def holds(found: Cosigned | BoardFailed, board: Witness) -> bool:
    """Whether the board's line, and nothing else, was given."""
    assert isinstance(found, Cosigned)
    lines = parse_signatures("".join(f"{one}\n" for one in found.lines))
    return set(signers(Note(head(found.size).text, lines), [board.vkey], ed25519_verify)) == {board.vkey}


# ---- with a witness of ours ----------------------------------------------------------------------------------------


def test_heads_are_cosigned_whatever_size_the_witness_stands_at(tmp_path: Path) -> None:
    with WitnessProcess(tmp_path, "audit", LOG_KEY.vkey) as process:
        board = board_of(process)
        for known, sizes in ((0, (5, 300, 300)), (0, (301,)), (7, (400,)), (400, (999,))):
            assert all(holds(one, board) for one in asked(board, *sizes, known=known))


def test_a_witness_that_has_cosigned_more_is_ahead(tmp_path: Path) -> None:
    with WitnessProcess(tmp_path, "audit", LOG_KEY.vkey) as process:
        board = board_of(process)
        asked(board, 300)
        set_back, grown = asked(board, 200, 301)
    assert isinstance(set_back, BoardAhead)
    assert set_back.size == 300
    assert holds(grown, board)


# ---- with witnesses that are not right -----------------------------------------------------------------------------


def says(status: int, body: bytes | Callable[[FaultyBoard, AddCheckpoint], bytes]) -> Behaviour:
    def behaviour(self: FaultyBoard, _: socket.socket, request: AddCheckpoint | None) -> Answer:
        assert request is not None
        return status, body if isinstance(body, bytes) else body(self, request)

    return behaviour


def cut(_: FaultyBoard, client: socket.socket, __: AddCheckpoint | None) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n\xe2\x80\x94 audit.test/w AAAA")


def hung_up(_: FaultyBoard, __: socket.socket, ___: AddCheckpoint | None) -> None:
    return None


def mute(self: FaultyBoard, _: socket.socket, __: AddCheckpoint | None) -> None:
    self.closing.wait(60)


def dripping(self: FaultyBoard, client: socket.socket, _: AddCheckpoint | None) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
    while not self.closing.wait(0.1):
        try:
            client.sendall(b"x")
        except OSError:
            return


def other_board(_: FaultyBoard, request: AddCheckpoint) -> bytes:
    return str(line(request.note, BOARDS[0])).encode()


def other_head(self: FaultyBoard, request: AddCheckpoint) -> bytes:
    return self.line(AddCheckpoint(0, (), head(request.checkpoint.size + 1)))


def own_and_others(self: FaultyBoard, request: AddCheckpoint) -> bytes:
    return other_board(self, request) + self.line(request)


@pytest.mark.parametrize(
    ("behaviour", "word"),
    [
        (says(200, b""), "note_form"),
        (says(200, b"\xff\xfe\n"), "note_form"),
        (says(200, b"cosigned\n"), "signature_form"),
        (says(200, other_board), "not_cosigned"),
        (says(200, other_head), "bad_signature"),
        (says(200, b"\xe2\x80\x94 x AAAAAAA=\n"), "not_cosigned"),
        (says(200, b"x" * 100_000), "answer_too_long"),
        (says(400, b""), "status_400"),
        (says(404, b"who?"), "status_404"),
        (says(422, b"no"), "status_422"),
        (says(500, b""), "status_500"),
        (says(409, b""), "bad_answer"),
        (says(409, b"-1\n"), "bad_answer"),
        (says(409, b"007\n"), "bad_answer"),
        (says(409, b"9" * 40), "bad_answer"),
        (says(409, b"0\n"), "conflict"),
        (says(409, b"3\n"), "conflict"),
        (says(409, b"7000\n"), "ahead"),
        (cut, "unreachable"),
        (hung_up, "unreachable"),
    ],
)
def test_what_is_no_cosignature_of_the_board_is_not_taken(
    tmp_path: Path, behaviour: Behaviour, word: str
) -> None:
    with FaultyBoard(tmp_path, "audit", behaviour) as faulty:
        (found,) = asked(board_of(faulty), 5)
    assert why(found) == word


def test_lines_of_others_are_left_out(tmp_path: Path) -> None:
    with FaultyBoard(tmp_path, "audit", says(200, own_and_others)) as faulty:
        (found,) = asked(board_of(faulty), 5)
        assert holds(found, board_of(faulty))
    assert isinstance(found, Cosigned)
    assert len(found.lines) == 1


def test_a_witness_that_names_ever_other_sizes_is_left_after_a_few(tmp_path: Path) -> None:
    with FaultyBoard(tmp_path, "audit", says(409, lambda self, _: b"%d\n" % (len(self.asked) % 4))) as faulty:
        (found,) = asked(board_of(faulty), 5)
        assert (why(found), len(faulty.asked)) == ("conflict", MOST_ROUNDS)


def test_a_witness_that_once_claimed_to_be_ahead_is_asked_again(tmp_path: Path) -> None:
    def lies_once(self: FaultyBoard, _: socket.socket, request: AddCheckpoint | None) -> Answer:
        assert request is not None
        return (409, b"9000000\n") if len(self.asked) == 1 else (200, self.line(request))

    with FaultyBoard(tmp_path, "audit", lies_once) as faulty:
        first, second = asked(board_of(faulty), 5, 6)
        assert holds(second, board_of(faulty))
    assert why(first) == "ahead"


@pytest.mark.parametrize("behaviour", [mute, dripping])
def test_a_witness_that_says_nothing_or_hardly_anything_is_left_in_the_end(
    tmp_path: Path, behaviour: Behaviour
) -> None:
    with FaultyBoard(tmp_path, "audit", behaviour) as faulty:
        (found,) = asked(board_of(faulty), 5, answer_seconds=1.0)
        assert why(found) == "silent"


def test_a_board_whose_machine_is_off_is_unreachable() -> None:
    (found,) = asked(Witness("audit", BOARDS[0].vkey, "http://127.0.0.1:1"), 5)
    assert why(found) == "unreachable"


@pytest.mark.parametrize("url", ["not a url", "ftp://127.0.0.1/", "http://[::1", "http://"])
def test_a_url_that_is_none_is_unreachable(url: str) -> None:
    (found,) = asked(Witness("audit", BOARDS[0].vkey, url), 5)
    assert why(found) == "unreachable"


def test_connections_are_kept(tmp_path: Path) -> None:
    connections = set[socket.socket]()

    def counted(self: FaultyBoard, client: socket.socket, request: AddCheckpoint | None) -> Answer:
        assert request is not None
        connections.add(client)
        return 200, self.line(request)

    with FaultyBoard(tmp_path, "audit", counted) as faulty:
        found = asked(board_of(faulty), 1, 2, 3, 4)
        assert all(holds(one, board_of(faulty)) for one in found)
    assert len(connections) == 1
