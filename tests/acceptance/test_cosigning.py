"""The log's heads are cosigned by boards that agree; one that is silent holds up nothing and is put on record."""

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from typer.testing import CliRunner

from adapters.cli.main import app
from adapters.demo import boards as demo
from adapters.log.key_change import change_key
from adapters.log.role import mark_of
from adapters.log.sealer import Ahead, Claim
from adapters.log.store import Head
from adapters.witness.ahead import boards_ahead
from adapters.witness.keeping import cosigners, keep_note, key_unnamed, policy_in_force, remembered
from domain.acting import CLOCK, Actor
from domain.log.commands import SetClaimAside
from domain.log.events import WitnessReturned, WitnessSilent
from domain.log.notes import ML_DSA_44_COSIGNATURE, VerifierKey, format_note, parse_note
from domain.log.policy import Policy
from domain.log.texts import to_base64
from domain.log.witness import AddCheckpoint
from domain.log.words import LOG
from domain.refusal import Refused
from tests.acceptance.logged_world import KEEPER, Logged, logged_world
from tests.contract.board_world import Answer, Behaviour, FaultyBoard, WitnessProcess
from workflows.submission import Answer as Answered
from workflows.submission import Submission

ROOT = Path(__file__).resolve().parents[2]
DAY = timedelta(hours=24)
MOMENT = timedelta(seconds=2)


@pytest.fixture
def logged(founded: Path, tmp_path: Path) -> Iterator[Logged]:
    shutil.copytree(founded, tmp_path / "data")
    with logged_world(tmp_path / "data") as world:
        yield world


@pytest.fixture
def started() -> Iterator[ExitStack]:
    """What a test has started, ended with it."""
    with ExitStack() as stack:
        yield stack


def good(self: FaultyBoard, _: socket.socket, request: AddCheckpoint | None) -> Answer:
    """A board that cosigns whatever it is asked to."""
    return (404, b"") if request is None else (200, self.line(request))


def broken(_: FaultyBoard, __: socket.socket, ___: AddCheckpoint | None) -> Answer:
    return 500, b""


def mute(self: FaultyBoard, _: socket.socket, __: AddCheckpoint | None) -> None:
    self.closing.wait(60)


def stranger(self: FaultyBoard, _: socket.socket, request: AddCheckpoint | None) -> Answer:
    """A line that claims to be the board's and is not."""
    assert request is not None
    other = AddCheckpoint(0, (), request.note.__class__("x\n1\n" + "A" * 43 + "=\n", request.note.signatures))
    return 200, self.line(other)


def boards(started: ExitStack, folder: Path, **behaviours: Behaviour) -> list[FaultyBoard]:
    return [started.enter_context(FaultyBoard(folder, name, one)) for name, one in behaviours.items()]


def policy(logged: Logged) -> Policy:
    found = policy_in_force(logged.engine.handle.standing.caught_up().cosigning, logged.engine.store)
    assert found is not None
    return found


def cosigned_by(logged: Logged, name: str, head: Head) -> Callable[[], bool]:
    """Whether a board has cosigned this head, or a newer one."""
    (board,) = [one for one in policy(logged).witnesses if one.name == name]
    return lambda: remembered(logged.log, board).size >= head.size


def is_cosigned(logged: Logged) -> bool:
    """Whether a quorum has cosigned the newest head."""
    return logged.log.cosigned() == logged.log.head()


# ---- the quorum ----------------------------------------------------------------------------------------------------


def test_three_boards_cosign_the_log_and_go_on_as_it_grows(
    logged: Logged, started: ExitStack, tmp_path: Path
) -> None:
    three = [
        started.enter_context(WitnessProcess(tmp_path / name, name, logged.key))
        for name in ("audit", "court", "council")
    ]
    logged.adopt(*three, k=2)
    for grown in (logged.seal, logged.grow):
        head = grown()
        logged.cosigning(logged.cosigned(head), *(cosigned_by(logged, one.name, head) for one in three))
        cosigned = logged.log.cosigned()
        assert cosigned is not None
        assert cosigned.size == head.size
        assert cosigners(cosigned.note, policy(logged)) == {"audit", "court", "council"}
    assert logged.noted() == []


@pytest.mark.parametrize(
    ("k", "right", "enough"),
    [
        (1, 1, True),
        (1, 0, False),
        (2, 2, True),
        (2, 1, False),
        (3, 3, True),
        (3, 2, False),
        (4, 4, True),
        (4, 3, False),
    ],
)
def test_a_head_counts_with_k_boards_and_not_with_fewer(
    logged: Logged, started: ExitStack, tmp_path: Path, k: int, right: int, enough: bool
) -> None:
    names = ("a", "b", "c", "d")
    four = boards(started, tmp_path, **{name: good if n < right else broken for n, name in enumerate(names)})
    logged.adopt(*four, k=k)
    head = logged.seal()
    logged.cosigning(
        *(cosigned_by(logged, name, head) for name in names[:right]),
        lambda: all(one.asked for one in four),
    )
    assert (logged.log.cosigned() is not None) == enough


def test_a_board_whose_key_is_of_ml_dsa_44_is_counted(
    logged: Logged, started: ExitStack, tmp_path: Path
) -> None:
    audit, court = boards(started, tmp_path, audit=good, court=good)
    for board in (audit, court):
        board.signer = lasting(f"{board.name}.test/w")
        board.vkey = board.signer.vkey
    court.behaviour = stranger
    logged.adopt(audit, court, k=1)
    head = logged.seal()

    logged.cosigning(logged.cosigned(head), lambda: bool(court.asked))

    cosigned = logged.log.cosigned()
    assert cosigned is not None
    assert cosigners(cosigned.note, policy(logged)) == {"audit"}
    assert remembered(logged.log, policy(logged).witnesses[1]).size == 0
    line = court.line(AddCheckpoint(0, (), parse_note(cosigned.note)))
    assert keep_note(logged.log, policy(logged), line.decode(), logged.clock(), head.size).boards == (
        "court",
    )


def test_a_board_whose_key_is_of_ml_dsa_44_says_how_far_it_has_come(
    logged: Logged, started: ExitStack, tmp_path: Path
) -> None:
    def ahead(self: FaultyBoard, taken: socket.socket, request: AddCheckpoint | None) -> Answer:
        if request is not None:
            return good(self, taken, request)
        note = parse_note(newest.note)
        return 200, format_note(note).encode() + self.line(AddCheckpoint(0, (), note))

    (audit,) = boards(started, tmp_path, audit=ahead)
    audit.signer = lasting("audit.test/w")
    audit.vkey = audit.signer.vkey
    logged.adopt(audit)
    newest = logged.seal()

    state = logged.log.state()
    asked = boards_ahead(logged.log, logged.engine.handle, mark_of(logged.engine.settings))

    assert asked(state) == []
    assert asked(state._replace(size=state.size - 1)) == [Claim("audit", state.size, proved=True)]
    assert audit.asked == [], "what it has shown was enough"


@dataclass(frozen=True)
class Lasting:
    """A key that outlasts Ed25519."""

    vkey: VerifierKey
    sign: Callable[[bytes], bytes]


def lasting(name: str) -> Lasting:
    private = MLDSA44PrivateKey.generate()
    key = VerifierKey.of(name, ML_DSA_44_COSIGNATURE, private.public_key().public_bytes_raw())
    return Lasting(key, private.sign)


def test_a_board_that_says_nothing_holds_up_neither_the_others_nor_the_sealing(
    logged: Logged, started: ExitStack, tmp_path: Path
) -> None:
    three = boards(started, tmp_path, audit=good, court=good, council=mute)
    logged.adopt(*three, k=2)
    first = logged.seal()

    def grown() -> bool:
        return logged.grow().size > first.size

    logged.cosigning(lambda: bool(three[2].asked), logged.cosigned(first), grown, lambda: is_cosigned(logged))
    assert remembered(logged.log, policy(logged).witnesses[2]).size == 0


def test_a_line_that_does_not_hold_is_never_kept(logged: Logged, started: ExitStack, tmp_path: Path) -> None:
    two = boards(started, tmp_path, audit=good, court=stranger)
    logged.adopt(*two, k=1)
    head = logged.seal()
    logged.cosigning(logged.cosigned(head), lambda: len(two[1].asked) > 1)
    found = logged.log.head_at(head.size)
    assert found is not None
    assert "court.test" not in found.note
    assert remembered(logged.log, policy(logged).witnesses[1]).why == "bad_signature"


def test_a_line_that_cannot_be_kept_is_told_of_and_asked_for_again(
    logged: Logged, started: ExitStack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, said = logged.engine.settings.data / "log.db", ""

    def renamed(old: str, new: str) -> None:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute(f"ALTER TABLE {old} RENAME TO {new}")

    def out_of_reach(self: FaultyBoard, taken: socket.socket, request: AddCheckpoint | None) -> Answer:
        self.behaviour = good
        renamed("heads", "elsewhere")
        return good(self, taken, request)

    def told() -> bool:
        nonlocal said
        said += "".join(capsys.readouterr())
        return "log_out_of_reach" in said

    def back() -> bool:
        renamed("elsewhere", "heads")
        return True

    logged.adopt(*boards(started, tmp_path, audit=out_of_reach))
    head = logged.seal()
    logged.cosigning(told, back, logged.cosigned(head))


def test_a_witness_that_was_killed_catches_up(logged: Logged, started: ExitStack, tmp_path: Path) -> None:
    process = started.enter_context(WitnessProcess(tmp_path / "audit", "audit", logged.key))
    logged.adopt(process)
    logged.cosigning(logged.cosigned(logged.seal()))
    process.end(signal.SIGKILL)
    newer = logged.grow()

    def back() -> bool:
        process.start()
        return True

    logged.cosigning(
        lambda: remembered(logged.log, policy(logged).witnesses[0]).why == "unreachable",
        back,
        logged.cosigned(newer),
    )
    assert remembered(logged.log, policy(logged).witnesses[0]).why is None


def test_the_next_policy_counts_from_the_moment_it_is_adopted(
    logged: Logged, started: ExitStack, tmp_path: Path
) -> None:
    audit, court = boards(started, tmp_path, audit=broken, court=good)
    logged.adopt(audit)
    logged.seal()

    def replaced() -> bool:
        logged.adopt(court)
        logged.seal()
        return True

    logged.cosigning(lambda: bool(audit.asked), replaced, lambda: logged.log.cosigned() is not None)


def test_without_a_policy_nobody_is_asked_and_sealing_goes_on(logged: Logged) -> None:
    head = logged.seal()
    logged.cosigning(lambda: True)
    assert logged.log.cosigned() is None
    assert logged.grow().size > head.size


def test_the_role_seal_seals_has_the_boards_cosign_and_ends_when_told(
    logged: Logged, started: ExitStack, tmp_path: Path
) -> None:
    two = [started.enter_context(WitnessProcess(tmp_path / n, n, logged.key)) for n in ("audit", "court")]
    logged.adopt(*two)
    role = sealing(logged, started, tmp_path)
    cosigned = wait_for_the_quorum(logged, role, tmp_path)
    role.send_signal(signal.SIGTERM)
    assert role.wait(100) == 0
    assert cosigners(cosigned.note, policy(logged)) == {"audit", "court"}


def test_a_role_killed_while_it_keeps_a_cosignature_has_it_once_when_it_comes_back(
    logged: Logged, started: ExitStack, tmp_path: Path
) -> None:
    two = [started.enter_context(WitnessProcess(tmp_path / n, n, logged.key)) for n in ("audit", "court")]
    logged.adopt(*two)
    marker = tmp_path / "marker"
    armed = {"HUIYIN_FAILPOINT": "log.after_cosignatures", "HUIYIN_FAILPOINT_MARKER": str(marker)}
    assert sealing(logged, started, tmp_path, **armed).wait(60) == -signal.SIGKILL
    assert marker.read_text() == "log.after_cosignatures"
    assert logged.log.cosigned() is None, "the line was written, and not committed"

    cosigned = wait_for_the_quorum(logged, sealing(logged, started, tmp_path), tmp_path)

    lines = [one.name for one in parse_note(cosigned.note).signatures]
    assert cosigners(cosigned.note, policy(logged)) == {"audit", "court"}
    assert len(lines) == len(set(lines)) == 3  # the log's own, and each board's once


def sealing(logged: Logged, started: ExitStack, folder: Path, **environment: str) -> subprocess.Popen[bytes]:
    """The role `seal` in a process of its own."""
    known = {**os.environ, "HUIYIN_DATA": str(logged.engine.settings.data), **environment}
    with (folder / "seal.log").open("wb") as output:
        role = subprocess.Popen(
            [sys.executable, "-m", "worker", "seal"], env=known, cwd=ROOT, stdout=output, stderr=output
        )
    started.callback(role.wait)
    started.callback(role.kill)
    return role


def wait_for_the_quorum(logged: Logged, role: subprocess.Popen[bytes], folder: Path) -> Head:
    """The first head that the boards have cosigned, once everything is sealed."""
    deadline = time.monotonic() + 100
    while (
        cosigned := logged.log.cosigned()
    ) is None or logged.log.state().position < logged.engine.store.head():
        running = role.poll() is None and time.monotonic() < deadline
        assert running, (folder / "seal.log").read_text()
        time.sleep(0.05)
    return cosigned


def test_the_demos_boards_cosign_and_are_gone_at_its_end(logged: Logged) -> None:
    with demo.boards(logged.engine.settings) as known:
        assert demo.adopt(logged.engine, KEEPER.person, known).accepted
        head = logged.seal()
        everybody = dict.fromkeys(demo.BOARDS, head.size)
        logged.cosigning(lambda: demo.cosigned_by(logged.engine, logged.log, head.size) == everybody)
        assert demo.cosigned_by(logged.engine, logged.log, head.size) == everybody
    for one in known:
        with pytest.raises(httpx.ConnectError):
            httpx.get(one.url, trust_env=False)
    assert {path.name for path in (logged.engine.settings.data / "boards").iterdir()} == set(demo.BOARDS)


# ---- gaps ----------------------------------------------------------------------------------------------------------


def test_a_silent_board_is_put_on_record_once_and_its_return_once(
    logged: Logged, started: ExitStack, tmp_path: Path
) -> None:
    audit, court = boards(started, tmp_path, audit=good, court=broken)
    logged.adopt(audit, court, k=1)
    head = logged.seal()
    logged.cosigning(logged.cosigned(head), lambda: bool(court.asked))
    assert logged.noted() == []

    logged.clock.later(DAY + MOMENT)
    for _ in range(2):  # another life of the process notes nothing again
        logged.cosigning(lambda: len(logged.noted()) == 1)
        logged.cosigning(lambda: len(court.asked) > 2)
    (silent,) = logged.noted()
    assert isinstance(silent, WitnessSilent)
    assert (silent.witness, silent.size, silent.last_size) == ("court", head.size, 0)
    assert silent.since == logged.log.heads(0, 1)[0].signed_at

    court.behaviour = good
    newer = logged.seal()
    logged.cosigning(lambda: len(logged.noted()) == 2, cosigned_by(logged, "court", newer))
    logged.cosigning(logged.cosigned(logged.seal()))
    _, returned = logged.noted()
    assert isinstance(returned, WitnessReturned)
    assert (returned.witness, returned.since, returned.size) == ("court", silent.since, newer.size)


def test_a_log_that_does_not_grow_leaves_no_board_silent(
    logged: Logged, started: ExitStack, tmp_path: Path
) -> None:
    (audit,) = boards(started, tmp_path, audit=good)
    logged.adopt(audit)
    logged.cosigning(logged.cosigned(logged.seal()))
    logged.clock.later(30 * DAY)
    logged.cosigning(lambda: True)
    assert logged.noted() == []


def test_between_a_change_of_key_and_the_policy_that_names_it_no_board_is_asked_or_called_silent(
    logged: Logged, started: ExitStack, tmp_path: Path
) -> None:
    (audit,) = boards(started, tmp_path, audit=good)
    logged.adopt(audit)
    logged.cosigning(logged.cosigned(logged.seal()))
    assert change_key(logged.engine, logged.log, KEEPER, "resolution:2") is not None
    asked, newer = len(audit.asked), logged.seal()
    assert "adopt a policy" in (
        key_unnamed(logged.engine.handle.standing.caught_up().cosigning, logged.log) or ""
    )

    logged.clock.later(DAY + MOMENT)
    began = time.monotonic()
    logged.cosigning(lambda: time.monotonic() > began + 2.5)
    assert (logged.noted(), len(audit.asked)) == ([], asked)

    logged.adopt(audit)
    logged.cosigning(logged.cosigned(newer))
    assert logged.noted() == []
    assert key_unnamed(logged.engine.handle.standing.caught_up().cosigning, logged.log) is None


def test_a_board_that_stays_silent_after_the_new_key_is_named_is_put_on_record(
    logged: Logged, started: ExitStack, tmp_path: Path
) -> None:
    (audit,) = boards(started, tmp_path, audit=good)
    logged.adopt(audit)
    logged.cosigning(logged.cosigned(logged.seal()))
    audit.behaviour = broken
    change_key(logged.engine, logged.log, KEEPER, "resolution:2")
    logged.seal()
    logged.clock.later(DAY + MOMENT)
    logged.adopt(audit)
    named = logged.engine.handle.standing.caught_up().cosigning.policies[-1].at
    logged.clock.later(DAY + MOMENT)

    logged.cosigning(lambda: len(logged.noted()) == 1)

    assert logged.noted()[0].since == named


def test_a_board_without_a_network_is_silent_too_when_nothing_comes_from_it(
    logged: Logged, started: ExitStack, tmp_path: Path
) -> None:
    (offline,) = boards(started, tmp_path, offline=good)
    offline.url = ""
    logged.adopt(offline)
    logged.seal()
    logged.clock.later(DAY + MOMENT)
    logged.cosigning(lambda: len(logged.noted()) == 1)
    assert offline.asked == []


# ---- who is ahead --------------------------------------------------------------------------------------------------


def set_back(logged: Logged, data: Path, keep: Path) -> None:
    """Bring an old copy of record and log back."""
    for file in keep.glob("*.db*"):
        shutil.copy(file, data / file.name)


def test_a_log_that_was_set_back_is_told_by_its_boards_and_signs_nothing(
    founded: Path, started: ExitStack, tmp_path: Path
) -> None:
    data, copy = tmp_path / "data", tmp_path / "copy"
    shutil.copytree(founded, data)
    with logged_world(data) as logged:
        key = logged.key
    process = started.enter_context(WitnessProcess(tmp_path / "audit", "audit", key))
    with logged_world(data) as logged:
        logged.adopt(process)
        logged.cosigning(logged.cosigned(logged.seal()))
    shutil.copytree(data, copy)
    with logged_world(data) as logged:
        logged.grow()
        logged.cosigning(logged.cosigned(logged.grow()))
    for file in data.glob("*.db*"):
        file.unlink()
    set_back(logged, data, copy)
    with logged_world(data) as logged, pytest.raises(Refused) as refused:
        logged.seal(boards_ahead(logged.log, logged.engine.handle, mark_of(logged.engine.settings)))
    assert refused.value.code == "witness_ahead"
    assert "audit" in refused.value.advice


@pytest.mark.parametrize(
    ("behaviour", "ahead"),
    [
        (broken, []),
        (good, []),
        (lambda self, _, request: (404, b"") if request is None else (409, b"7\n"), []),
        (lambda self, _, request: (404, b"") if request is None else (409, b"70000\n"), ["audit"]),
        (lambda self, _, request: (200, b"no note") if request is None else (409, b"70000\n"), ["audit"]),
    ],
)
def test_a_board_is_ahead_only_if_it_says_so(
    logged: Logged, started: ExitStack, tmp_path: Path, behaviour: Behaviour, ahead: list[str]
) -> None:
    logged.adopt(*boards(started, tmp_path, audit=behaviour))
    logged.seal()
    assert asked(logged)(logged.log.state()) == [Claim(one, 70_000, proved=False) for one in ahead]


def test_without_a_policy_nobody_is_ahead(logged: Logged) -> None:
    logged.seal()
    assert asked(logged)(logged.log.state()) == []


# ---- a board's word without proof ----------------------------------------------------------------------------------


class Liar:
    """A board that says a size of its own and shows no head."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __call__(self, _: FaultyBoard, __: socket.socket, request: AddCheckpoint | None) -> Answer:
        return (404, b"") if request is None else (409, f"{self.size}\n".encode())


def asked(logged: Logged) -> Ahead:
    """As the role `seal` asks the boards when it starts."""
    return boards_ahead(logged.log, logged.engine.handle, mark_of(logged.engine.settings))


def put_aside(
    logged: Logged, claimed: int, actor: Actor = KEEPER, authority: str | None = "resolution:7"
) -> Answered:
    """The operator's act, after asking the board."""
    (board,), state = policy(logged).witnesses, logged.log.state()
    command = SetClaimAside(
        witness=board.name, vkey=str(board.vkey), claimed=claimed, size=state.size, root=to_base64(state.root)
    )
    return logged.engine.handle(Submission("test", uuid4().hex, LOG, command, actor, authority=authority))


def test_a_false_claim_stops_the_sealer_until_it_is_set_aside_on_record(
    logged: Logged, started: ExitStack, tmp_path: Path
) -> None:
    logged.adopt(*boards(started, tmp_path, audit=Liar(70_000)))
    before = logged.seal()
    with pytest.raises(Refused) as refused:
        logged.seal(asked(logged))
    assert refused.value.code == "witness_claims_more"
    assert "audit (70000)" in refused.value.advice
    assert logged.log.head() == before

    assert put_aside(logged, 70_000).accepted
    head = logged.seal(asked(logged))

    assert head.size == before.size + 1
    leaf = json.loads(logged.log.leaf(before.size))  # every board sees it, with who did it and on what ground
    assert (leaf["type"], leaf["authority"], leaf["post"]) == (
        "claim_set_aside.v1", "resolution:7", "security_admin",
    )  # fmt: skip
    assert (leaf["pub"]["witness"], leaf["pub"]["claimed"], leaf["pub"]["size"]) == (
        "audit",
        70_000,
        before.size,
    )


def test_a_larger_claim_needs_another_look(logged: Logged, started: ExitStack, tmp_path: Path) -> None:
    liar = Liar(70_000)
    logged.adopt(*boards(started, tmp_path, audit=liar))
    logged.seal()
    put_aside(logged, 70_000)
    logged.seal(asked(logged))
    liar.size = 70_001

    with pytest.raises(Refused, match="witness_claims_more"):
        logged.seal(asked(logged))


@pytest.mark.parametrize(
    ("actor", "authority", "claimed", "code"),
    [
        (KEEPER, None, 70_000, "authority_missing"),
        (Actor(person=KEEPER.person, body="system", post="system_admin"), "resolution:7", 70_000, "not_your_post"),
        (CLOCK, "resolution:7", 70_000, "not_your_post"),
        (KEEPER, "resolution:7", 1, "not_ahead"),
    ],
)  # fmt: skip
def test_nobody_else_sets_a_claim_aside_and_none_that_is_no_claim(
    logged: Logged,
    started: ExitStack,
    tmp_path: Path,
    actor: Actor,
    authority: str | None,
    claimed: int,
    code: str,
) -> None:
    logged.adopt(*boards(started, tmp_path, audit=Liar(70_000)))
    logged.seal()

    answer = put_aside(logged, claimed, actor, authority)

    assert (answer.outcome, answer.code) == ("refused", code)
    with pytest.raises(Refused, match="witness_claims_more"):
        logged.seal(asked(logged))


def test_a_claim_is_set_aside_once(logged: Logged, started: ExitStack, tmp_path: Path) -> None:
    logged.adopt(*boards(started, tmp_path, audit=Liar(70_000)))
    logged.seal()
    put_aside(logged, 70_000)

    assert put_aside(logged, 69_999).code == "set_aside_already"


def test_once_the_board_cosigns_again_its_word_counts_again(
    logged: Logged, started: ExitStack, tmp_path: Path
) -> None:
    liar = Liar(70_000)
    (board,) = boards(started, tmp_path, audit=liar)
    logged.adopt(board)
    logged.seal()
    put_aside(logged, 70_000)
    head = logged.seal(asked(logged))
    board.behaviour = good
    logged.cosigning(logged.cosigned(head))
    board.behaviour = liar

    with pytest.raises(Refused, match="witness_claims_more"):
        logged.seal(asked(logged))


def test_a_head_that_this_log_signed_is_never_set_aside(
    founded: Path, started: ExitStack, tmp_path: Path
) -> None:
    """A true restored backup: the act is refused its purpose, and stands on record all the same."""
    data, copy = tmp_path / "data", tmp_path / "copy"
    shutil.copytree(founded, data)
    with logged_world(data) as logged:
        process = started.enter_context(WitnessProcess(tmp_path / "audit", "audit", logged.key))
        logged.adopt(process)
        logged.cosigning(logged.cosigned(logged.seal()))
    shutil.copytree(data, copy)
    with logged_world(data) as logged:
        logged.grow()
        head = logged.grow()
        logged.cosigning(logged.cosigned(head))
    for file in data.glob("*.db*"):
        file.unlink()
    set_back(logged, data, copy)

    with logged_world(data) as logged:
        answer = put_aside(logged, head.size)
        with pytest.raises(Refused) as refused:
            logged.seal(asked(logged))

    assert answer.accepted
    assert refused.value.code == "witness_ahead"


def test_the_operator_types_it_and_the_board_is_found_by_its_name(
    logged: Logged, started: ExitStack, tmp_path: Path
) -> None:
    logged.adopt(*boards(started, tmp_path, audit=Liar(70_000)))
    logged.seal()
    who = ("--as", f"{KEEPER.person}/system/security_admin", "--authority", "resolution:7", "--json")
    environment = {"HUIYIN_DATA": str(logged.engine.settings.data), "COLUMNS": "250"}

    def typed(board: str) -> dict[str, Any]:
        given = ["log", "set-aside", board, "--claimed", "70000", *who]
        told: dict[str, Any] = json.loads(CliRunner().invoke(app, given, env=environment).stdout)
        return told

    wrong, right = typed("nobody"), typed("audit")

    assert (wrong["code"], "audit" in wrong["advice"]) == ("no_such_board", True)
    assert (right["outcome"], right["board"], right["claimed"]) == ("accepted", "audit", 70_000)
    logged.seal(asked(logged))
