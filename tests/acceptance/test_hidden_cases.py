"""What discipline inspection alone may know: for everybody else the case looks exactly like one that does not exist.

A confidential case (检举控告) is so from its first event; a diverted one (转纪检) from its diversion on, when its keys
are handed over and the ordinary wrapping is destroyed.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.cli.main import app
from adapters.demo import turns
from adapters.demo.desk import GROUND
from adapters.demo.district import SUBDISTRICT, WHISTLE_POWER
from adapters.demo.scene import blown
from adapters.reading import look, open_case
from adapters.vault import open_keys
from adapters.vault.masters import HOLDERS, Masters
from adapters.vault.vault import Vault
from adapters.views import Views
from adapters.views.schema import TABLES
from domain.acting import Actor, Command
from domain.matter import commands as do
from domain.matter import order_commands as odo
from domain.refusal import NotFound, Refused
from tests.story import Story, story
from workflows.submission import Answer, Sealing, Submission

WORDS = "科长收受钱款"


@dataclass
class Hidden:
    """A case that only discipline inspection knows of, and what ordinary people may still remember of it."""

    tale: Story
    id: str
    number: str
    requester: Actor
    leg: str
    order: str

    def ask(self, case: str, actor: Actor, command: Command, **more: object) -> Answer:
        """Hand a command in about a case, with words that are sealed."""
        sealed = (Sealing("text", actor.person, WORDS), Sealing("proof", actor.person, "照片"))
        given = {"client": "desk", "key": self.tale.desk.id(), "authority": GROUND, "sealed": sealed, **more}
        return self.tale.engine.handle(Submission(case=case, actor=actor, command=command, **given))  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=["accused", "diverted"])
def hidden(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hidden]:
    with story(tmp_path_factory.mktemp("hidden") / "data") as tale:
        yield accused(tale) if request.param == "accused" else diverted(tale)


def accused(tale: Story) -> Hidden:
    """检举控告, from the start."""
    turns.accusation(tale.scene)
    case = tale.scene.cases[-1]
    state = tale.engine.handle.load(case)
    assert state is not None
    (requester,) = state.requesters
    return Hidden(
        tale, case, state.number, Actor(person=requester, body="resident"), tale.desk.id(), tale.desk.id()
    )


def diverted(tale: Story) -> Hidden:
    """A matter with departments summoned, which turns out to be an accusation."""
    desk, resident = tale.desk, tale.desk.resident()
    case = tale.scene.opened("FW-01", resident)
    legs = blown(tale.scene, case, ("dept-housing", "dept-fire"))
    tale.clock.turn(20)
    tale.steps(case)
    window = tale.scene.actor(tale.scene.community, "intake_officer")
    desk.must(case, window, do.DivertMatter(to="discipline"))
    tale.steps(case)
    state = tale.engine.handle.load(case)
    assert state is not None
    (order,) = state.orders
    return Hidden(tale, case, state.number, resident, legs["dept-housing"], order)


# -- acting -----------------------------------------------------------------------------------------------------------

ACTORS: dict[str, tuple[str, str]] = {
    "the community's window": ("com-01", "intake_officer"), "the sub-district's officer": (SUBDISTRICT, "officer"),
    "its leader": (SUBDISTRICT, "leadership_member"), "the department": ("dept-housing", "duty_officer"),
    "the district's supervisor": ("450305", "supervisor"), "the hotline": ("hotline", "intake_officer"),
    "the archive": ("archive", "archivist"), "the board": ("board", "board_member"),
}  # fmt: skip

ACTS: dict[str, Callable[[Hidden], Command]] = {
    "accept": lambda _: do.AcceptMatter(),
    "grade": lambda _: do.TriageMatter(scale="hard", demand="help", tier="community"),
    "divert": lambda _: do.DivertMatter(to="discipline"),
    "close": lambda _: do.CloseMatter(),
    "archive": lambda _: do.ArchiveMatter(
        retention="y30", authentic=True, complete=True, usable=True, safe=True
    ),
    "supplement": lambda _: do.AddSupplement(what="urging", source="phone"),
    "call back": lambda h: do.RecordCallback(requester=h.requester.person, reached=False),
    "acknowledge": lambda h: odo.AcknowledgeLeg(leg=h.leg),
    "check in": lambda h: odo.CheckIn(leg=h.leg, place="com-01", proof="code"),
    "authorise": lambda h: odo.AuthoriseOrder(order=h.order),
    "rate": lambda h: odo.RateLeg(leg=h.leg, speed=9, result=9),
    "take due steps": lambda _: do.TakeDueSteps(items=("x",)),
}


def without_ids(answer: Answer, case: str) -> bytes:
    """The answer's bytes, but for the id that was asked for."""
    return answer.to_bytes().replace(case.encode(), b"the case")


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("who", ACTORS)
def test_an_act_on_it_is_answered_as_on_a_case_that_does_not_exist(
    hidden: Hidden, who: str, act: str
) -> None:
    actor, command = hidden.tale.scene.actor(*ACTORS[who]), ACTS[act](hidden)
    nowhere, before = hidden.tale.desk.id(), hidden.tale.engine.store.load(hidden.id)

    answer, other = hidden.ask(hidden.id, actor, command), hidden.ask(nowhere, actor, command)

    assert answer.code == "not_found"
    assert without_ids(answer, hidden.id) == without_ids(other, nowhere)
    assert hidden.tale.engine.store.load(hidden.id) == before


@pytest.mark.parametrize(
    "more",
    [
        {"expected": 3}, {"expected": 0}, {"authority": None}, {"authority": WHISTLE_POWER}, {"rulebook": "none/1"},
        {"sealed": (Sealing("text", "case", "长" * 20_001),)}, {"sealed": (Sealing("text", "case", "半\ud83d"),)},
        {"occurred_at": "earlier"}, {"occurred_at": "later"}, {"sealed": ()},
    ],
    ids=str,
)  # fmt: skip
def test_no_way_of_asking_tells_it_from_a_case_that_does_not_exist(
    hidden: Hidden, more: dict[str, object]
) -> None:
    actor, nowhere = hidden.tale.scene.actor("com-01", "intake_officer"), hidden.tale.desk.id()
    moments = {
        "earlier": hidden.tale.clock.at - timedelta(seconds=30),
        "later": hidden.tale.clock.at + timedelta(days=9),
    }
    given = {name: moments.get(str(value), value) for name, value in more.items()}

    answer = hidden.ask(hidden.id, actor, do.AcceptMatter(), **given)
    other = hidden.ask(nowhere, actor, do.AcceptMatter(), **given)

    assert answer.code is not None
    assert without_ids(answer, hidden.id) == without_ids(other, nowhere)


def test_a_stranger_among_the_residents_learns_nothing_either(hidden: Hidden) -> None:
    stranger, nowhere = hidden.tale.desk.resident(), hidden.tale.desk.id()
    said = do.AddSupplement(what="urging", source="resident_app")

    answer, other = hidden.ask(hidden.id, stranger, said), hidden.ask(nowhere, stranger, said)

    assert answer.code == "not_found"
    assert without_ids(answer, hidden.id) == without_ids(other, nowhere)


def test_a_matter_is_merged_into_it_as_little_as_into_one_that_does_not_exist(hidden: Hidden) -> None:
    tale = hidden.tale
    mine, nowhere = tale.scene.opened("FW-01", tale.desk.resident()), tale.desk.id()
    window = tale.scene.actor("com-01", "intake_officer")

    into = [
        hidden.ask(mine, window, do.MergeMatter(master=one, reason="same")) for one in (hidden.id, nowhere)
    ]

    assert into[0].code == "not_found"
    assert into[0].to_bytes() == into[1].to_bytes()


def test_discipline_inspection_goes_on_with_it(hidden: Hidden) -> None:
    inspector = hidden.tale.scene.actor("discipline", "discipline_officer")

    answer = hidden.ask(hidden.id, inspector, do.CloseMatter())

    assert answer.code not in (None, "not_found")


# -- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [*ACTORS, "an operator", "a stranger"])
def test_it_is_shown_to_nobody_else(hidden: Hidden, who: str) -> None:
    tale, engine = hidden.tale, hidden.tale.engine
    others = {"an operator": None, "a stranger": tale.desk.resident()}
    viewer = others[who] if who in others else tale.scene.actor(*ACTORS[who])

    said = []
    for case in (hidden.id, tale.desk.id()):
        with pytest.raises(NotFound) as refused:
            look(engine, case, viewer)
        said.append(str(refused.value))

    assert said[0] == said[1]


def test_discipline_inspection_reads_it_and_that_is_on_record(hidden: Hidden) -> None:
    inspector = hidden.tale.scene.actor("discipline", "discipline_officer")
    head = hidden.tale.engine.store.head()

    opened = open_case(hidden.tale.engine, hidden.id, inspector, "inspection:1")

    assert [one.type for one in hidden.tale.engine.store.read(head, 10)] == ["sealed_read.v1"]
    assert {one.state for one in opened.values} <= {"open"}


@pytest.mark.parametrize("words", [("matter", "show"), ("history",), ("matter", "find")])
def test_the_command_line_says_the_same_of_it_as_of_a_number_that_nobody_has(
    hidden: Hidden, words: tuple[str, ...]
) -> None:
    data = str(hidden.tale.engine.settings.data)
    nobodys = hidden.tale.desk.number(hidden.tale.clock.at.date())

    shown = [
        CliRunner().invoke(app, [*words, number], env={"HUIYIN_DATA": data})
        for number in (hidden.number, nobodys)
    ]

    texts = [
        (one.exit_code, one.output.replace(n, "N"))
        for one, n in zip(shown, (hidden.number, nobodys), strict=True)
    ]
    assert texts[0] == texts[1]


def test_the_read_models_hold_no_row_of_it(hidden: Hidden, tmp_path: Path) -> None:
    views = Views(str(tmp_path / "views.db"), hidden.tale.engine.store)
    views.catch_up()

    found = {t.name: str(views.reader.rows(f"SELECT * FROM {t.name}")) for t in TABLES}
    views.close()

    assert [name for name, rows in found.items() if hidden.id in rows or hidden.number in rows] == []
    assert any(rows != "[]" for rows in found.values())


def test_what_was_refused_on_it_shows_in_the_read_models_as_little_as_on_no_case(
    hidden: Hidden, tmp_path: Path
) -> None:
    tale, nowhere = hidden.tale, hidden.tale.desk.id()
    window = tale.scene.actor("com-01", "intake_officer")
    there = tale.scene.opened("FW-01", tale.desk.resident())
    long = (Sealing("text", "case", "长" * 20_001),)
    for case in (hidden.id, nowhere, there):
        assert hidden.ask(case, window, do.CloseMatter()).code is not None
        assert hidden.ask(case, window, do.AcceptMatter(), sealed=long).code == "text_too_long"
    views = Views(str(tmp_path / "views.db"), tale.engine.store)

    views.catch_up()
    live = views.reader.rows("SELECT case_id FROM refusals")
    facts = views.reader.rows("SELECT case_id FROM facts WHERE type = 'command_refused.v1'")
    views.rebuild()

    for rows in (live, facts, views.reader.rows("SELECT case_id FROM refusals")):
        shown = [row["case_id"] for row in rows]
        assert (shown.count(hidden.id), shown.count(nowhere), shown.count(there)) == (0, 0, 2)
    views.close()


def test_a_refused_registration_shows_as_little_though_a_case_comes_of_its_id_later(
    hidden: Hidden, tmp_path: Path
) -> None:
    tale, resident, case = hidden.tale, hidden.tale.desk.resident(), hidden.tale.desk.id()
    now = tale.clock()
    wrong = do.RegisterMatter(
        number=tale.desk.number(now.date()), source="resident_app", seen_at=now, requesters=(resident.person,)
    )
    assert hidden.ask(case, resident, wrong).code == "host_missing"
    views = Views(str(tmp_path / "views.db"), tale.engine.store)
    views.catch_up()

    assert hidden.ask(case, resident, wrong.model_copy(update={"host": "com-01"})).accepted
    views.catch_up()
    live = views.reader.rows("SELECT * FROM refusals WHERE case_id = ?", case)
    views.rebuild()

    assert live == views.reader.rows("SELECT * FROM refusals WHERE case_id = ?", case) == []
    views.close()


# -- keys -------------------------------------------------------------------------------------------------------------


def test_the_ordinary_master_key_opens_nothing_of_it(hidden: Hidden, tmp_path: Path) -> None:
    settings = hidden.tale.engine.settings
    shutil.copy2(settings.masters_folder / HOLDERS["ordinary"], tmp_path)
    tmp_path.chmod(0o700)
    keys = open_keys(settings.keys_url, tmp_path)
    vault = Vault(hidden.tale.engine.store, keys)

    ordinary = vault.open(hidden.id)

    assert ordinary
    assert {(one.state, one.value, one.disclosure) for one in ordinary} == {("erased", None, None)}
    with pytest.raises(Refused, match="master_key_missing"):
        vault.open(hidden.id, holder="discipline")
    keys.close()


def test_no_wrapped_key_of_it_yields_to_the_ordinary_master_key(hidden: Hidden) -> None:
    settings = hidden.tale.engine.settings
    masters = Masters(settings.masters_folder)
    database = sqlite3.connect(settings.keys_url)
    rows = database.execute(
        "SELECT subject, wrapped FROM data_keys WHERE stream = ?", (hidden.id,)
    ).fetchall()
    database.close()

    assert rows
    for subject, wrapped in rows:
        with pytest.raises(Refused, match="master_key_differs"):
            masters.unwrap("ordinary", wrapped, f"{hidden.id}|{subject}|ordinary")
        assert masters.unwrap("discipline", wrapped, f"{hidden.id}|{subject}|discipline")


def test_diverting_leaves_no_trace_of_the_ordinary_wrapping_on_disk(tmp_path: Path) -> None:
    with story(tmp_path / "data") as tale:
        case = tale.scene.opened("FW-01", tale.desk.resident())
        database = sqlite3.connect(tale.engine.settings.keys_url)
        before = [
            wrapped
            for (wrapped,) in database.execute("SELECT wrapped FROM data_keys WHERE stream = ?", (case,))
        ]
        database.close()
        there = _found_in(tmp_path / "data", before)
        window = tale.scene.actor(tale.scene.community, "intake_officer")
        tale.desk.must(case, window, do.DivertMatter(to="discipline"))

        assert there
        assert _found_in(tmp_path / "data", before) == set()
    assert _found_in(tmp_path / "data", before) == set()


def _found_in(folder: Path, secrets: list[bytes]) -> set[str]:
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    return {name for name, content in files.items() if any(secret in content for secret in secrets)}
