"""Nothing that is sealed stands anywhere in the clear: not in a database, its log, Temporal, a log file or an output.

Every command of every life is given a sealed value that holds a mark; afterwards the mark is looked for in every
file, in every form. The same search must find what stands there in the clear, or it would prove nothing.
"""

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from adapters.demo.desk import Desk
from adapters.demo.district import District, found, plan
from adapters.demo.morning import MORNING
from adapters.demo.scene import Life, Scene
from adapters.engine import Engine, now, open_engine
from adapters.rulebooks import template
from adapters.settings import Settings
from adapters.store.positions import StoredPositions
from adapters.up import up
from domain.matter import agenda
from domain.matter import commands as do
from domain.matter import order_commands as odo
from domain.matter.commands import AcceptMatter
from tests.acceptance.canary import Hit, Marking, files_in, forms, fresh_mark, fresh_signs, search
from tests.acceptance.world import Desk as Shell
from tests.servers import PostgresServer, create_database

LIVES = tuple(life for life, _ in MORNING)
PACE = 0.35
TOLD = {
    ("register_matter", "text"), ("register_matter", "name"), ("register_matter", "contact"), ("enter_person", "name"),
    ("draft_order", "reason"), ("check_in", "proof"), ("note_work", "note"), ("report_leg", "result"),
    ("report_leg", "evidence"), ("submit_result", "reply"), ("submit_result", "evidence"), ("defer_matter", "plan"),
    ("record_callback", "wording"), ("record_attempt", "text"), ("add_supplement", "text"), ("split_matter", "text"),
    ("start_handling", "note"), ("confirm_withdrawal", "wording"), ("reopen_matter", "text"), ("request_help", "note"),
    ("join_requester", "name"), ("join_requester", "contact"), ("join_requester", "text"), ("register_matter", "place"),
}  # fmt: skip
"""Every sealed field that a command names; all other commands bring a sealed note here."""


@dataclass
class Office:
    """A founded office that runs, and what was said in it."""

    engine: Engine
    hands: Marking
    district: District
    folder: Path
    cases: list[str]


@contextmanager
def office(folder: Path, store: str | None = None) -> Iterator[Office]:
    """Everything embedded, as `huiyin up` runs it; the staff have marked names."""
    settings = Settings(data=folder, store=store)
    engine = open_engine(settings)
    hands = Marking(engine.handle)
    drawn = plan(3)
    district = replace(drawn, names={who: str(hands.spoken(name)) for who, name in drawn.names.items()})
    try:
        assert found(district, engine.handle, now(), template("demo")) == []
        hands.marked.add(("enter_person", "name"))
        with up(settings):
            yield Office(engine, hands, district, folder, [])
    finally:
        engine.close()


def scene_of(made: Office, seed: int) -> Scene:
    desk = Desk(made.hands, made.district, random.Random(seed), client=f"life-{seed}")
    return Scene(desk, made.district.communities[0], random.Random(seed), PACE)


def play(made: Office, lives: tuple[Life, ...]) -> None:
    """All lives at once; an act that is refused ends the test."""
    scenes = [scene_of(made, seed) for seed in range(len(lives))]
    with ThreadPoolExecutor(len(lives)) as pool:
        list(pool.map(lambda life, scene: life(scene), lives, scenes))
    made.cases += [case for scene in scenes for case in scene.cases]


def talkative(scene: Scene) -> None:
    """The acts with sealed values that no life of the morning has."""
    desk, resident, other = scene.desk, scene.desk.resident(), scene.desk.resident()
    today = desk.handle.clock()
    case = desk.id()
    scene.cases.append(case)
    register = do.RegisterMatter(
        number=desk.number(today.date()), source="phone", seen_at=today, code="FW-01", demand="help",
        host=scene.community, requesters=(resident.person,),
    )  # fmt: skip
    desk.must(
        case, resident, register, None, text="漏水", place="三单元", name="居民庚", contact="13300000000"
    )
    joining = do.JoinRequester(requester=other.person, source="phone")
    desk.must(case, other, joining, None, name="居民辛", contact="13200000000", text="我家也是")
    desk.accepted_and_triaged(case, scene.community)
    legs = desk.whistles(case, ("dept-housing",))
    desk.arrives(case, "dept-housing", legs["dept-housing"])
    officer = scene.actor("dept-housing", "officer")
    desk.must(case, officer, odo.RequestHelp(leg=legs["dept-housing"], needs="crane"), note="需要吊车")
    desk.reports(case, "dept-housing", legs["dept-housing"])
    desk.releases(case, legs["dept-housing"])
    desk.submits(case)
    desk.calls_back(case, resident.person, solved=False)
    desk.calls_back(case, other.person)
    caller = scene.actor("sd-01", "callback_officer")
    desk.must(case, caller, do.ReopenMatter(ground="not_solved"), text="仍在漏水")


def refused(scene: Scene) -> None:
    """What is refused leaves its reason, and nothing of what was said."""
    desk, resident = scene.desk, scene.desk.resident()
    case = desk.registers(resident, "FW-01", scene.community)
    scene.cases.append(case)
    stranger = scene.actor("dept-fire", "officer")
    assert not desk.do(case, stranger, AcceptMatter(), note="越权受理").accepted
    said = do.AddSupplement(what="supplement", source="phone")
    assert not desk.do(case, resident, said, None, text="长" * 20_001).accepted
    assert not desk.do(case, resident, said, None, text="半个字\ud83d").accepted


def until_told(made: Office, seconds: float = 100) -> None:
    """Until follower and worker have done all there is to do by now: views caught up, no step overdue."""
    positions = StoredPositions(made.engine.settings.views_url)
    deadline = time.monotonic() + seconds
    while positions.position("views") < made.engine.store.head() or overdue(made):
        assert time.monotonic() < deadline, "follower or worker did not take part"
        time.sleep(0.2)
    positions.close()


def overdue(made: Office) -> bool:
    """Whether a step of some case is due and has not been taken."""
    handle = made.engine.handle
    law, states = handle.standing.caught_up().laws.__getitem__, map(handle.load, made.cases)
    due = [item.at for state in states if state is not None for item in agenda(state, law)]
    return min(due, default=now()) < now()


def numbers_of(made: Office) -> list[str]:
    """The numbers of the cases that everybody may know of: they stand everywhere in the clear."""
    states = [made.engine.handle.load(case) for case in made.cases]
    return [state.number for state in states if state is not None and not state.confidential]


def in_the_clear(made: Office, files: list[Path], numbers: list[str]) -> set[str]:
    """The names of the files in which the search finds a public number, or a case's id."""
    return {hit.file for hit in search((*numbers, *made.cases), files)}


def test_no_sealed_value_stands_in_any_file_of_an_office(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with office(tmp_path / "data") as made:
        play(made, (*LIVES, talkative, refused))
        until_told(made)
        numbers = numbers_of(made)
        while_it_runs = search(made.hands.marks, files_in(made.folder))
        there = in_the_clear(made, files_in(made.folder), numbers)
        names = {path.name for path in files_in(made.folder)}
    printed = tmp_path / "printed"
    printed.write_text("".join(capfd.readouterr()), encoding="utf-8")

    assert while_it_runs == set()
    assert search(made.hands.marks, [*files_in(made.folder), printed]) == set()
    assert made.hands.marked >= TOLD
    assert {"cases.db", "keys.db", "views.db", "temporal.db", "cases.db-wal", "temporal.db-wal"} <= names
    assert {"worker.log", "follow.log", "temporal.log"} <= names
    for database in ("cases.db", "keys.db", "views.db", "temporal.db"):
        assert there & {database, f"{database}-wal"}, f"the search finds nothing at all in {database}"


def test_no_sealed_value_stands_in_postgres_or_its_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with PostgresServer(durable=True) as server:
        with office(tmp_path / "data", create_database(server.dsn, "huiyin_canaries")) as made:
            play(made, (talkative, refused, *LIVES[:4], *LIVES[-4:]))
            until_told(made)
            numbers = numbers_of(made)
        server.stop()
        everything = [*files_in(server.folder / "data"), server.log, *files_in(made.folder)]
        hits = search(made.hands.marks, everything)
        there = {hit.file for hit in search((*numbers, *made.cases), files_in(server.folder / "data"))}
        logs = {path.name for path in files_in(server.folder / "data/pg_wal")}
    printed = tmp_path / "printed"
    printed.write_text("".join(capfd.readouterr()), encoding="utf-8")

    assert hits == set()
    assert search(made.hands.marks, [printed]) == set()
    assert there & logs, "the search finds nothing at all in the write-ahead log"
    assert there - logs, "the search finds nothing at all in the tables"


TYPED: dict[str, tuple[tuple[str, ...], int]] = {
    "what is accepted": (("--host", "com-01"), 0),
    "what is refused": (("--host", "com-99"), 1),
    "what is malformed": (("--host", "第一社区"), 2),
    "what names no such act": (("--host", "com-01", "--whisper", "yes"), 2),
}


@pytest.mark.parametrize("what", TYPED)
def test_the_command_line_repeats_nothing_that_is_sealed(shell: Shell, what: str) -> None:
    more, code = TYPED[what]
    marks = (fresh_mark(), fresh_signs())
    words = ["".join((name, *marks)) for name in ("漏水", "居民", "电话")]
    sealed = ("--text", words[0], "--name", words[1], "--contact", words[2])

    typed = shell.run(
        "matter", "register", "--source", "phone", *sealed, *more, "--as", shell.who("com-01", "intake_officer"),
        "--authority", "law:subdistrict-office-ordinance",
    )  # fmt: skip

    output = shell.data / "output"
    output.write_text(typed.stdout + typed.stderr + str(typed.exception), encoding="utf-8")
    assert bool(typed.exit_code) == bool(code), typed.output
    assert typed.exit_code != 0 or "accepted" in typed.output
    assert search(marks, files_in(shell.data)) == set()


@pytest.mark.parametrize("mark", [fresh_mark(), "绛珠黛钗湘迎探惜巧纨袭晴麝鹃"])
@pytest.mark.parametrize("form", sorted(forms("x")))
def test_the_search_finds_a_mark_in_every_form(tmp_path: Path, mark: str, form: str) -> None:
    file = tmp_path / "raw"
    file.write_bytes(b"\x00before" + forms(mark)[form] + b"after\xff")

    assert Hit("raw", form) in search([mark], [file])


@pytest.mark.parametrize("before", range(6))
def test_the_search_finds_a_mark_inside_longer_base64(tmp_path: Path, before: int) -> None:
    import base64

    mark, file = fresh_mark(), tmp_path / "raw"
    file.write_bytes(base64.b64encode(b"x" * before + mark.encode() + b"tail"))

    assert search([mark], [file]) != set()
