"""The matrix of rights: every act by everybody, over HTTP.

`+` it is accepted; `-` 403: the case is there for them, the act is not theirs; `0` 404: for them there is no such case;
`c` 409: their act, but not as things stand. What is not accepted changes nothing and leaves a refusal on record.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.acceptance.http_world import Api, api_over, told
from tests.acceptance.provider import Signer, signer
from tests.acceptance.rights_world import BESIDE, LIFE, WHO, Act, Case
from tests.acceptance.world import DISTRICT, GROUND
from workflows.records import refusals_of
from workflows.rooms import REGISTER as REGISTER_STREAM

#                    requester, stranger | window, community, secretary, neighbour | street, leader, caller, supervisor
#                    | summoned, on_duty, chief, other_dept | hotline, centre, overseer | board, discipline, archivist, security
RIGHTS = {
    "accept":          "-0 +-+0 ---- 0000 ++- --00",
    "triage":          "-0 +-+0 ---- 0000 --- --00",
    "draft":           "-0 ---0 ++-- 0000 --- --00",
    "authorise":       "-0 ---0 -+-- 0000 --- --00",
    "issue":           "-0 ---0 ++-- 0000 --- --00",
    "acknowledge":     "-0 ---0 ---- +++0 --- --00",
    "check_in":        "-0 ---0 ---- +++0 --- --00",
    "note":            "-0 ---0 ++-- +++0 --- --00",
    "report":          "-0 ---0 ---- --+0 --- --00",
    "release":         "-0 ---0 -+-- ---0 --- --00",
    "submit":          "-0 +++0 ++-- +++0 +-- --00",
    "callback":        "-0 ---0 --+- ---0 --- --00",
    "close":           "-0 ---0 --++ ---0 --+ --00",
    "supplement":      "+0 +++0 +--- 0000 ++- --00",
    "propose_refusal": "-0 +-+0 ---- 0000 ++- --00",
    "divert":          "-0 +-+0 -+-- 0000 ++- --00",
    "withdraw":        "+0 +--0 ---- 0000 ++- --00",
    "disclose":        "-0 ---0 -+-+ 0000 --+ --+0",
    "merge":           "-0 +-+0 -+-- 0000 ++- --00",
    "urge":            "-0 +++0 ++-+ ---0 +++ --00",
    "rate":            "-0 --+0 -+-- ---0 --- --00",
    "reopen":          "+0 ---0 --cc ---0 --c --00",
}  # fmt: skip

REGISTER = {
    "change-contact":  "-- ---- ---- ---- --- ---+",
    "enter-person":    "-- ---- ---- ---- --- ---+",
}  # fmt: skip
"""Acts on the register that bring personal data, by the same persons: those of one who is none of them."""

SEES = {
    "requester": "contact name text", "window": "contact name reason text", "community": "contact name reason text",
    "secretary": "contact name reason text", "street": "contact name reason text", "leader": "contact name reason text",
    "caller": "contact name reason text", "supervisor": "contact name reason text",
    "summoned": "contact name reason text", "on_duty": "contact name reason text", "chief": "contact name reason text",
    "hotline": "contact name reason text", "centre": "contact name reason text", "overseer": "contact name reason text",
    "board": "reason", "discipline": "",
}  # fmt: skip
"""Whom a matter with a whistle on its way is there for, and which sealed values they read; for all others it is not."""

STATUS = {"+": 200, "-": 403, "0": 404, "c": 409}


@pytest.fixture(scope="module")
def world(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Api, Signer]]:
    data = tmp_path_factory.mktemp("rights") / "data"
    shutil.copytree(founded, data)
    with signer() as provider, api_over(data, oidc_issuer=provider.issuer, oidc_audience="huiyin") as api:
        api.district = api.district.__class__(
            **{name: getattr(api.district, name) for name in api.district.__dataclass_fields__}
            | {"staff": {**DISTRICT.staff, ("system", "security_admin"): DISTRICT.security}}
        )
        yield api, provider


@pytest.fixture(scope="module")
def other(world: tuple[Api, Signer]) -> str:
    """Another matter, to merge into."""
    return Case(*world).begin().ids["case"]


def of(name: str) -> tuple[str, Act]:
    """Before which step an act is tried."""
    return (name, LIFE[name]) if name in LIFE else BESIDE[name]


@pytest.mark.parametrize("name", RIGHTS)
def test_every_act_is_for_those_whom_the_register_and_the_rulebook_name(
    world: tuple[Api, Signer], other: str, name: str
) -> None:
    step, act = of(name)
    row = dict(zip(WHO, RIGHTS[name].replace(" ", ""), strict=True))

    def fresh() -> Case:
        made = Case(*world).begin().until(step)
        made.ids["other"] = other
        return made

    shared = fresh()
    for who, cell in row.items():
        case = fresh() if cell == "+" else shared
        before, refusals = case.bytes(), world[0].engine.store.load(refusals_of(case.ids["case"]))
        answer = case.tried(act, who)
        assert answer.status_code == STATUS[cell], (name, who, answer.text)
        if cell == "+":
            assert len(case.bytes()) > len(before)
            continue
        assert case.bytes() == before
        assert len(world[0].engine.store.load(refusals_of(case.ids["case"]))) == len(refusals) + 1
        if cell == "0":
            assert told(answer) == (404, "not_found")


@pytest.mark.parametrize("who", WHO)
def test_everybody_sees_what_they_need_to_know(world: tuple[Api, Signer], who: str) -> None:
    case = Case(*world).begin().until("acknowledge")
    answers = {
        path: case.read(path, who) for path in ("", "/history", "/reads", "/sealed?purpose=audit", "/receipt")
    }

    if who not in SEES:
        assert {told(answer) for answer in answers.values()} == {(404, "not_found")}
        assert len({answer.content for answer in answers.values()}) == 1
        return
    assert {answer.status_code for answer in answers.values()} == {200}
    values = answers["/sealed?purpose=audit"].json()["values"]
    assert sorted(value["name"] for value in values) == SEES[who].split()


@pytest.mark.parametrize("name", REGISTER)
def test_the_registers_persons_are_kept_by_a_security_administrator_alone(
    world: tuple[Api, Signer], name: str
) -> None:
    api, row = world[0], dict(zip(WHO, REGISTER[name].replace(" ", ""), strict=True))
    somebody = DISTRICT.staff["com-01", "officer"]
    for who, cell in row.items():
        headers = {**Case(*world).headers(who), "Idempotency-Key": uuid4().hex}
        stored = [one.body for one in api.engine.store.load(REGISTER_STREAM)]
        sealed = api.engine.store.sealed(REGISTER_STREAM)
        asked = {
            "sealed": {"contact": "13800000000", **({} if name == "change-contact" else {"name": "某某"})}
        }
        asked |= {"person": somebody} if name == "change-contact" else {}
        ground = {"authority": GROUND} if WHO[who][0] else {}
        answer = api.client.post(f"/api/v1/register/{name}", json=asked | ground, headers=headers)
        assert answer.status_code == STATUS[cell], (name, who, answer.text)
        more = 1 if cell == "+" else 0
        assert len(api.engine.store.load(REGISTER_STREAM)) == len(stored) + more
        assert (len(api.engine.store.sealed(REGISTER_STREAM)) > len(sealed)) == bool(more)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nobody_opens_or_closes_a_channel_over_http(world: tuple[Api, Signer], method: str) -> None:
    for who in ("security", "hotline", "requester"):
        answer = world[0].client.request(
            method, "/api/v1/subscriptions", headers=Case(*world).headers(who), json={}
        )
        assert answer.status_code == 405


def test_the_matrix_names_every_act_that_is_tried() -> None:
    assert RIGHTS.keys() == LIFE.keys() | BESIDE.keys()
    assert all(len(row.replace(" ", "")) == len(WHO) for row in (*RIGHTS.values(), *REGISTER.values()))
