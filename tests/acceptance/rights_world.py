"""People in every relation to a case, and a case at every step of its life, for the matrix of rights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from adapters.demo.district import WHISTLE_POWER
from tests.acceptance.http_world import Api
from tests.acceptance.provider import Signer
from tests.acceptance.world import GROUND

WHO: dict[str, tuple[str, str]] = {
    "requester": ("", "resident-own"),
    "stranger": ("", "resident-other"),
    "window": ("com-01", "intake_officer"),
    "community": ("com-01", "officer"),
    "secretary": ("com-01", "community_secretary"),
    "neighbour": ("com-02", "intake_officer"),
    "street": ("sd-01", "officer"),
    "leader": ("sd-01", "leadership_member"),
    "caller": ("sd-01", "callback_officer"),
    "supervisor": ("sd-01", "supervisor"),
    "summoned": ("dept-housing", "officer"),
    "on_duty": ("dept-housing", "duty_officer"),
    "chief": ("dept-housing", "leader"),
    "other_dept": ("dept-water", "officer"),
    "hotline": ("hotline", "intake_officer"),
    "centre": ("centre", "dispatcher"),
    "overseer": ("centre", "supervisor"),
    "board": ("board", "board_member"),
    "discipline": ("discipline", "discipline_officer"),
    "archivist": ("archive", "archivist"),
    "security": ("system", "security_admin"),
}
"""Capacity and relation: the requester, another resident, the host's offices, its neighbour, the sub-district, the
summoned department and another, the district's centres, those who oversee, and an administrator."""

_DRAFT = {
    "kind": "whistle", "whistle": "service", "receivers": [{"body": "dept-housing", "role": "lead"}],
    "sealed": {"reason": "街道无力单独处置"},
}  # fmt: skip
_RESULT = {"disposition": "solved", "sealed": {"reply": "已修复", "evidence": ["1" * 64]}}
_CALLBACK = {
    "requester": "{requester}",
    "solved": True,
    "satisfaction": "satisfied",
    "sealed": {"wording": "好"},
}
_GRADE = {"scale": "hard", "demand": "help", "tier": "community"}
_ORDER, _LEG = "/orders/{order}", "/legs/{leg}"


@dataclass(frozen=True)
class Act:
    """An act: under the case's path, its body, who does it in the common life, and on what ground."""

    path: str
    by: str
    body: dict[str, Any] = field(default_factory=dict)
    authority: str = GROUND


LIFE: dict[str, Act] = {
    "accept": Act("/accept", "window"),
    "triage": Act("/triage", "window", _GRADE),
    "draft": Act("/orders", "street", _DRAFT),
    "authorise": Act(f"{_ORDER}/authorise", "leader", {}, WHISTLE_POWER),
    "issue": Act(f"{_ORDER}/issue", "street", {}, WHISTLE_POWER),
    "acknowledge": Act(f"{_LEG}/acknowledge", "on_duty"),
    "check_in": Act(
        f"{_LEG}/check-in", "summoned", {"place": "com-01", "proof": "code", "sealed": {"proof": "码"}}
    ),
    "note": Act(f"{_LEG}/note", "summoned", {"sealed": {"note": "已排查"}}),
    "report": Act(
        f"{_LEG}/report", "chief", {"outcome": "done", "sealed": {"result": "好", "evidence": ["0" * 64]}}
    ),
    "release": Act(f"{_LEG}/accept", "leader", {}, WHISTLE_POWER),
    "submit": Act("/submit", "street", _RESULT),
    "callback": Act("/callback", "caller", _CALLBACK),
    "close": Act("/close", "supervisor"),
}
"""The common life, step by step."""

BESIDE: dict[str, tuple[str, Act]] = {
    "supplement": ("accept", Act("/supplement", "requester", {"what": "urging", "source": "window"})),
    "propose_refusal": (
        "accept",
        Act("/propose-refusal", "window", {"ground": "not_ours", "other_channel": "court"}),
    ),
    "divert": ("accept", Act("/divert", "window", {"to": "discipline"})),
    "withdraw": ("triage", Act("/request-withdrawal", "requester", {"requester": "{requester}"})),
    "disclose": ("draft", Act("/disclose", "leader", {"to": "board", "ground": "sample:2026-7"})),
    "merge": ("draft", Act("/merge", "window", {"master": "{other}", "reason": "same"})),
    "urge": ("acknowledge", Act(f"{_LEG}/urge", "street")),
    "rate": ("submit", Act(f"{_LEG}/rate", "leader", {"speed": 4, "result": 4})),
    "reopen": ("close", Act("/reopen", "requester", {"ground": "not_solved"})),
}
"""Acts beside it: before which step of the life they are tried."""


@dataclass
class Case:
    """A matter that a resident handed in, with the ids of its parts."""

    api: Api
    provider: Signer
    ids: dict[str, str] = field(default_factory=dict)

    def headers(self, who: str) -> dict[str, str]:
        """How this one calls."""
        body, post = WHO[who]
        if not body:
            return {"Authorization": f"Bearer {self.provider.token(sub=post)}"}
        return self.api.headers((body, post))

    def begin(self) -> Case:
        """Handed in by the requester."""
        order = self.api.order() | {"source": "resident_app"}
        headers = {**self.headers("requester"), "Idempotency-Key": uuid4().hex}
        made = self.api.client.post("/api/v1/matters", json=order, headers=headers).json()
        self.ids = {
            "case": made["case"],
            "requester": made["requesters"][0],
            "order": str(uuid4()),
            "leg": str(uuid4()),
        }
        return self

    def until(self, step: str) -> Case:
        """The life up to right before this step."""
        for name, act in LIFE.items():
            if name == step:
                return self
            answer = self.tried(act, act.by)
            assert answer.status_code == 200, (name, answer.text)
            self.ids |= {k: answer.json()[k] for k in ("order",) if k in answer.json()}
            self.ids |= {"leg": answer.json()["legs"]["dept-housing"]} if "legs" in answer.json() else {}
        return self

    def tried(self, act: Act, who: str) -> httpx.Response:
        """Somebody tries an act."""
        body = {
            name: value.format(**self.ids) if isinstance(value, str) else value
            for name, value in act.body.items()
        }
        path = f"/api/v1/matters/{self.ids['case']}{act.path.format(**self.ids)}"
        ground = {"authority": act.authority} if WHO[who][0] else {}
        headers = {**self.headers(who), "Idempotency-Key": uuid4().hex}
        return self.api.client.post(path, json={**ground, **body}, headers=headers)

    def read(self, path: str, who: str) -> httpx.Response:
        """Somebody reads."""
        return self.api.client.get(f"/api/v1/matters/{self.ids['case']}{path}", headers=self.headers(who))

    def bytes(self) -> list[bytes]:
        """All that the case holds."""
        return [row.body for row in self.api.engine.store.load(self.ids["case"])]
