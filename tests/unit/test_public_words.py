"""Law 9 in the register and the releases: grounds are codes, lines are published ones, and what was stored still loads."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from adapters.rulebooks import packaged_notices, template
from domain.acting import Actor, When
from domain.event import decode
from domain.refusal import Refused
from domain.register import commands as c
from domain.rulebook import BadRulebook, parse
from domain.rulebook.releases import EnterNotice, ReleaseRulebook, Releases, WithdrawRulebook, decide
from tests.unit.event_samples import SAMPLES
from tests.unit.register_world import body_command

TELLING = ["张三举报了科长", "because Zhang San asked", "13800001234", "LiSi:450305199001011234", ""]


@pytest.mark.parametrize("ground", TELLING)
def test_the_ground_of_an_admission_is_a_code(ground: str) -> None:
    with pytest.raises(ValidationError):
        c.DecideAdmission(application="a1", admit=True, decided_by=("gl",), ground=ground)

    assert c.DecideAdmission(
        application="a1", admit=True, decided_by=("gl",), ground="resolution:3/2026"
    ).ground


@pytest.mark.parametrize("reason", TELLING)
def test_the_reason_of_a_withdrawal_is_a_code(reason: str) -> None:
    with pytest.raises(ValidationError):
        WithdrawRulebook(name="gulou/2026.1", reason=reason)

    assert WithdrawRulebook(name="gulou/2026.1", reason="wrong_annex").reason


@pytest.mark.parametrize("name", [*TELLING, "zhang-san/1 of 2026", "gulou/13800001234", "gulou"])
def test_a_rulebook_is_released_and_withdrawn_under_a_name_that_tells_nothing(name: str) -> None:
    given = {"digest": "0" * 64, "zone": "Asia/Shanghai", "use": "cases"}

    with pytest.raises(ValidationError):
        ReleaseRulebook(name=name, **given)  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        WithdrawRulebook(name=name, reason="wrong_annex")


@pytest.mark.parametrize("zone", ["Zhang San", "Asia/13800001234", ""])
def test_a_rulebooks_zone_is_no_place_for_words(zone: str) -> None:
    with pytest.raises(ValidationError):
        ReleaseRulebook(name="gulou/2026.1", digest="0" * 64, zone=zone, use="cases")


def test_a_name_like_a_telephone_is_found_by_the_check_but_a_released_text_still_parses() -> None:
    text = template("demo").replace('"demo/2026.1"', '"demo/20260301"')

    with pytest.raises(BadRulebook) as wrong:
        parse(text)

    assert [problem.key for problem in wrong.value.problems] == ["name"]
    assert parse(text, released=True).name == "demo/20260301"


@pytest.mark.parametrize("source", ["line one\nline two", "zhang.san@example.org", "字" * 1001])
def test_a_notice_is_entered_with_a_public_place_as_its_source(source: str) -> None:
    class Security:
        actor = Actor(person="00000000-0000-4000-8000-000000000001", body="system", post="security_admin")
        when = When(
            occurred_at=datetime(2026, 1, 5, tzinfo=UTC), recorded_at=datetime(2026, 1, 5, tzinfo=UTC)
        )
        authority = "resolution:1"

    notice = packaged_notices()[0]
    assert decide(Releases(), EnterNotice(notice=notice), Security()).events
    with pytest.raises(Refused, match="malformed"):
        decide(Releases(), EnterNotice(notice=notice.model_copy(update={"source": source})), Security())


@pytest.mark.parametrize("name", ["值班电话 13800001234", "office@example.org", "LiSi 450305199001011234"])
def test_a_bodys_name_holds_nothing_that_a_person_can_be_found_by(name: str) -> None:
    for field in ("name_zh", "name_en"):
        with pytest.raises(ValidationError):
            body_command("com-01", "community", **{field: name})

    plain = {"name_zh": "栖霞社区（第3居委会）", "name_en": "Qixia No. 3"}
    assert body_command("450305001001", "community", **plain).body == "450305001001"


def test_a_published_list_holds_no_telephone_either() -> None:
    given = {"item": "p1", "kind": "whistle", "holder": "sd-01", "approved_by": ("gl",)}
    assert c.EnterPower(basis="街道办事处条例第12条", **given)  # type: ignore[arg-type]
    for field in ("basis", "disclosure"):
        with pytest.raises(ValidationError):
            c.EnterPower(**given | {"basis": "law", field: "问张三 13800001234"})  # type: ignore[arg-type]
    for field in ("limits", "steps"):
        with pytest.raises(ValidationError):
            c.EnterPower(**given | {"basis": "law", field: ("问张三 13800001234",)})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("type_name", "field"),
    [("admission_decided.v1", "ground"), ("rulebook_withdrawn.v1", "reason"), ("body_entered.v1", "name_zh")],
)
def test_what_was_stored_before_still_loads(type_name: str, field: str) -> None:
    stored = json.loads((SAMPLES / f"{type_name}.json").read_bytes())
    stored["pub"][field] = "联席会议第三次会议 13800001234"

    old = decode(type_name, json.dumps(stored, ensure_ascii=False).encode())

    assert getattr(old.pub, field) == "联席会议第三次会议 13800001234"
    assert old.recorded_at - old.occurred_at >= timedelta(0)
