"""Rosters: what a file says becomes the register, row by row, and a second run adds nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from adapters.roster import Outcome, import_roster, person_ids, read_roster
from adapters.roster.file import Row
from adapters.roster.rows import moment
from adapters.roster.words import COLUMNS, SECTIONS, VALUES
from domain.refusal import Refused
from domain.register import commands as c
from domain.register.decide import ADMINISTRATOR
from domain.register.words import KINDS, POSTS, AdmissionList, PowerKind
from tests.unit.register_world import SECURITY, SYSTEM, World, administered

if TYPE_CHECKING:
    from pathlib import Path

ZONE = ZoneInfo("Asia/Shanghai")
identify = person_ids(b"p" * 32)

ROSTER = """\
[bodies]
id,kind,parent,name_zh,name_en,until
mch-1,社区,mch,漓江路社区,Lijiang Road,
mch,街道,gl,莫愁湖街道,Mochou Lake,
gl,区,,鼓楼区,Gulou,
cg,部门,gl,城市管理局,City Management,

[岗位]
工号,姓名,联系方式,单位,岗位,起,止
A001,王小明,13800000000,mch,值班领导,,
A001,王小明,,mch,director,,
A002,李大华,,mch,值班员,2020-01-01,2030-12-31

[powers]
id,kind,holder,basis,approved_by,limits
p1,吹哨,mch,Measures art. 12,gl;cg,once a day; in writing

[duties]
body,code,place
cg,04,*

[admissions]
list,code,approved_by
依法履职,01,gl

[shifts]
body,post,person,deputies,begins,ends
mch,duty_officer,A002,A001,2026-03-03 08:00,2026-03-04 08:00
"""


class Office:
    """A desk over a true register: it keeps what was sealed, and answers as `handle` would."""

    def __init__(self) -> None:
        self.world: World = administered()
        self.sealed: list[tuple[str, str, str]] = []
        self.events: list[str] = []

    def submit(self, command, sealed) -> Outcome:
        actor = SYSTEM if ADMINISTRATOR.get(type(command)) == "system_admin" else SECURITY
        try:
            decision = self.world.act(command, actor, authority="mandate")
        except Refused as refusal:
            return Outcome(refusal.code, refusal.advice)
        self.sealed += [(name, *value) for name, value in sealed.items()]
        self.events += [event.model_dump_json() for event in decision.events]
        return Outcome()

    def bring(self, rows: list[Row]) -> list:
        return list(import_roster(rows, self.submit, identify=identify, now=self.world.now, zone=ZONE))


def csv(tmp_path: Path, text: str, encoding: str = "utf-8") -> list[Row]:
    path = tmp_path / "roster.csv"
    path.write_bytes(text.encode(encoding))
    return read_roster(path)


def bodies(*lines: str) -> str:
    return "\n".join(("[bodies]", "id,kind,parent,name_zh,district,from,until", *lines))


def test_every_section_of_a_roster_comes_into_the_register(tmp_path: Path) -> None:
    office = Office()
    reports = office.bring(csv(tmp_path, ROSTER))
    assert {report.verdict for report in reports} == {"accepted"}
    register, at = office.world.register, office.world.now
    assert register.ancestor("mch-1", "district", at) == "gl"
    assert register.body("mch", at).name_zh == "莫愁湖街道"
    assert register.body("mch", at).district == "gl"
    assert register.holds(identify("A001"), "mch", "duty_leader", at)
    assert register.may("mch", "whistle", at).limits == ("once a day", "in writing")
    assert register.answers_for("cg", "0401", "mch-1", at)
    assert register.admitted("mch-1", "0102", at).ground == "statutory_duty"
    assert register.on_duty("mch", datetime(2026, 3, 3, 0, 0, tzinfo=UTC)) == [identify("A002")]


def test_a_second_run_adds_nothing(tmp_path: Path) -> None:
    office = Office()
    rows = csv(tmp_path, ROSTER)
    office.bring(rows)
    version = office.world.register.version
    for later in (timedelta(hours=1), timedelta(days=3)):
        office.world.later(later)
        assert {report.verdict for report in office.bring(rows)} == {"known"}
    assert office.world.register.version == version


def test_names_and_contacts_ride_beside_the_commands_and_are_in_no_event(tmp_path: Path) -> None:
    office = Office()
    office.bring(csv(tmp_path, ROSTER))
    assert ("name", identify("A001"), "王小明") in office.sealed
    assert ("contact", identify("A001"), "13800000000") in office.sealed
    told = "".join(office.events)
    assert not any(secret in told for secret in ("王小明", "李大华", "13800000000", "A001", "A002"))


def test_a_bad_row_is_reported_and_stops_nothing(tmp_path: Path) -> None:
    office = Office()
    text = bodies(
        "gl,区,,鼓楼区,1,,", "x,区里,,名,1,,", "y,街道,nowhere,名,1,,", "z,街道,gl,,1,,", "mch,街道,gl,名,1,,"
    )
    reports = {report.line: report for report in office.bring(csv(tmp_path, text))}
    assert [reports[line].code for line in range(3, 8)] == [
        None,
        "malformed",
        "unknown_body",
        "malformed",
        None,
    ]
    assert "kind" in reports[4].advice
    assert "name_zh" in reports[6].advice


def test_a_report_of_a_bad_row_repeats_nothing_personal(tmp_path: Path) -> None:
    office = Office()
    text = "[posts]\nperson,name,body,post\nA009,王小明,mch,王小明的岗位\nA009,王小明,,officer\n"
    reports = office.bring(csv(tmp_path, text))
    assert [report.verdict for report in reports] == ["refused", "refused"]
    assert not any("王小明" in report.advice or "A009" in report.advice for report in reports)


def test_a_from_that_lies_behind_means_from_now_on_and_is_told(tmp_path: Path) -> None:
    office = Office()
    (report,) = office.bring(csv(tmp_path, bodies("gl,区,,鼓楼区,1,2020-01-01,")))
    assert (report.verdict, report.code) == ("accepted", "from_now_on")
    assert office.world.register.body("gl", office.world.now - timedelta(seconds=1)) is None


def test_a_planned_version_takes_over_on_its_day_and_stays_known(tmp_path: Path) -> None:
    office = Office()
    rows = csv(tmp_path, bodies("gl,区,,旧名,1,2020-01-01,", "gl,区,,新名,1,2026-04-01,"))
    assert {report.verdict for report in office.bring(rows)} == {"accepted"}
    assert {report.verdict for report in office.bring(rows)} == {"known"}
    assert office.world.register.body("gl", datetime(2026, 3, 31, 15, 59, tzinfo=UTC)).name_zh == "旧名"
    assert office.world.register.body("gl", datetime(2026, 3, 31, 16, 0, tzinfo=UTC)).name_zh == "新名"
    version = office.world.register.version
    office.world.later(timedelta(days=60))
    assert [(report.verdict, report.code) for report in office.bring(rows)] == [
        ("refused", "back_dated"),
        ("known", None),
    ]
    assert office.world.register.version == version


def test_two_rows_that_contradict_each_other_do_not_replace_each_other_for_ever(tmp_path: Path) -> None:
    office = Office()
    rows = csv(tmp_path, bodies("gl,区,,旧名,1,,", "gl,区,,新名,1,,"))
    assert [report.code for report in office.bring(rows)] == [None, "twice_in_file"]
    version = office.world.register.version
    office.bring(rows)
    assert office.world.register.version == version


def test_a_changed_row_makes_the_next_version(tmp_path: Path) -> None:
    office = Office()
    office.bring(csv(tmp_path, bodies("gl,区,,旧名,1,,")))
    office.world.later(timedelta(hours=1))
    (report,) = office.bring(csv(tmp_path, bodies("gl,区,,新名,1,,")))
    assert report.verdict == "accepted"
    assert office.world.register.body("gl", office.world.now).name_zh == "新名"


def test_a_system_administrator_of_the_file_is_entered_before_the_bodies(tmp_path: Path) -> None:
    rows = csv(
        tmp_path, bodies("gl,区,,鼓楼区,1,,") + "\n[posts]\nperson,name,body,post\nS,名,system,系统管理员\n"
    )
    office = Office()
    assert [report.section for report in office.bring(rows)] == ["posts", "bodies"]


def test_an_unknown_section_is_refused_row_by_row(tmp_path: Path) -> None:
    office = Office()
    reports = office.bring(csv(tmp_path, "[pets]\nid\n1\n2\n"))
    assert [(report.line, report.code) for report in reports] == [
        (3, "unknown_section"),
        (4, "unknown_section"),
    ]


def test_a_workbook_says_the_same_as_a_csv_file(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "单位"
    sheet.append(["编号", "类型", "上级", "名称", "起", None])
    sheet.append([320106, "区", None, "鼓楼区", datetime(2027, 1, 1)])  # noqa: DTZ001  # as a cell holds it
    sheet.append([None, None, None, None, None])
    sheet.append([320106001.0, "街道", 320106, "莫愁湖街道", datetime(2027, 1, 1, 8, 30)])  # noqa: DTZ001
    path = tmp_path / "roster.xlsx"
    book.save(path)
    assert read_roster(path) == [
        Row("bodies", 2, {"id": "320106", "kind": "区", "name_zh": "鼓楼区", "from": "2027-01-01"}),
        Row(
            "bodies",
            4,
            {
                "id": "320106001",
                "kind": "街道",
                "parent": "320106",
                "name_zh": "莫愁湖街道",
                "from": "2027-01-01 08:30",
            },
        ),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_file_is_read_in_the_encodings_that_offices_use(tmp_path: Path, encoding: str) -> None:
    assert csv(tmp_path, bodies("gl,区,,鼓楼区,1,,"), encoding)[0].cells["name_zh"] == "鼓楼区"


@pytest.mark.parametrize(
    ("name", "content"),
    [("r.xlsx", b"no workbook"), ("r.csv", b"\xff\xff\xff\x00"), ("r.csv", b'[bodies]\nid\n"a"b\n')],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Refused) as refusal:
        read_roster(path)
    assert refusal.value.code == "unreadable_file"


@pytest.mark.parametrize(
    ("text", "end", "expected"),
    [
        ("2026-03-03", False, "2026-03-02T16:00"),
        ("2026-03-03", True, "2026-03-03T16:00"),
        ("2026/3/3", False, "2026-03-02T16:00"),
        ("2026-03-03 08:30", True, "2026-03-03T00:30"),
        ("2026/03/03 08:30", False, "2026-03-03T00:30"),
        ("2026-03-03T08:30:00+00:00", False, "2026-03-03T08:30"),
    ],
)
def test_wall_times_become_instants(text: str, end: bool, expected: str) -> None:
    assert moment(text, ZONE, end=end) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["tomorrow", "2026-13-01", "2026-02-30 08:00", "3", "9999-12-31"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        moment(text, ZONE, end=True)
    assert refusal.value.code == "bad_date"


def test_a_staff_reference_always_makes_the_same_person_and_only_under_its_pepper() -> None:
    assert identify("A001") == person_ids(b"p" * 32)("A001")
    assert identify("A001") != person_ids(b"q" * 32)("A001")
    assert identify("A001") != identify("A002")
    assert identify(SYSTEM.person) == SYSTEM.person
    c.EnterPerson(person=identify("A001"))


def test_every_chinese_word_of_a_roster_stands_for_a_word_of_the_register() -> None:
    known = set(KINDS) | set(POSTS) | set(PowerKind.__args__) | set(AdmissionList.__args__)
    assert all(set(words.values()) <= known for words in VALUES.values())
    assert set(VALUES["posts.post"].values()) == set(POSTS)
    assert set(VALUES["bodies.kind"].values()) == set(KINDS) - {"system"}
    assert set(VALUES["powers.kind"].values()) == set(PowerKind.__args__)
    assert len(set(SECTIONS.values())) == len(SECTIONS)
    assert len(set(COLUMNS.values())) == len(COLUMNS)
