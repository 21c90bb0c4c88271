"""Composing: what a notice says, from the public fields of its event and its case alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from adapters.labels import ACTS, ORDERS, STAGES
from adapters.notices.wording import LANGUAGES
from adapters.views.work import carrier
from domain.event import Recorded
from domain.matter import Matter
from domain.matter.telling import TO_STAFF, Told, owed
from domain.register import Register

Fields = dict[str, dict[str, str]]
"""By language, by name."""

_NOBODY = {"zh": "受理单位", "en": "The office"}
_NO_TIME = {"zh": "未定", "en": "not set"}
_TASK = {"zh": "任务", "en": "order"}


class Scene(NamedTuple):
    """An event with its case just after it, the register, and the office's time zone."""

    recorded: Recorded[Any]
    matter: Matter
    register: Register
    zone: ZoneInfo

    @property
    def at(self) -> datetime:
        """When it was recorded."""
        return self.recorded.recorded_at

    def local(self, moment: datetime | None, language: str) -> str:
        """A moment as the office's clocks show it."""
        return _NO_TIME[language] if moment is None else f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M}"

    def body(self, body_id: str | None, language: str) -> str:
        """A body's name."""
        body = self.register.body(body_id, self.at) if body_id else None
        if body is None:
            return body_id or _NOBODY[language]
        return body.name_zh if language == "zh" else body.name_en or body.name_zh


def fields(scene: Scene, one: Told, number: str) -> Fields:
    """The fields of a notice in each language; `number` is the one that the person told knows the matter by."""
    say = _to_staff if one.moment in TO_STAFF else _to_requester
    return {
        language: {"number": number, "at": scene.local(scene.at, language), **say(scene, one, language)}
        for language in LANGUAGES
    }


def _to_requester(scene: Scene, one: Told, language: str) -> Mapping[str, str]:
    event, matter = scene.recorded.pub, scene.matter
    due = getattr(event, "due", None) or getattr(event, "review_by", None)
    return {
        "office": scene.body(carrier(matter), language), "due": scene.local(due, language),
        "ground": _plain(getattr(event, "ground", None)), "other_channel": _plain(getattr(event, "other_channel", None)),
        "bodies": "、".join(scene.body(body, language) for body in _handed_to(event, matter)),
    }  # fmt: skip


def _handed_to(event: Any, matter: Matter) -> list[str]:
    """The bodies that an order or a further leg summons."""
    order = matter.orders.get(getattr(event, "order", ""))
    if order is None:
        return []
    legs = [order.legs[event.leg]] if hasattr(event, "leg") else order.legs.values()
    return [leg.body for leg in legs]


def _to_staff(scene: Scene, one: Told, language: str) -> Mapping[str, str]:
    event, matter = scene.recorded.pub, scene.matter
    leg = matter.leg(one.leg) if one.leg else None
    act, of = owed(matter, one, event)
    act = str(getattr(event, "stage", act))
    who = getattr(event, "body", None) or (leg.body if leg else one.name if one.audience == "body" else None)
    return {
        "body": scene.body(who, language), "due": scene.local(_due(scene, one), language),
        "act": (STAGES.get(act) or ACTS.get(act) or act) if language == "zh" else _plain(act),
        "order": ORDERS.get(of, _TASK["zh"]) if language == "zh" else _plain(of.replace("*", _TASK["en"])),
    }  # fmt: skip


def _due(scene: Scene, one: Told) -> datetime | None:
    """The moment that the event names, or the next one of the leg's running clocks."""
    named: datetime | None = getattr(scene.recorded.pub, "due", None)
    running = (
        c.due for c in scene.matter.clocks.values() if c.owner == (one.leg or "") and c.stopped is None
    )
    return named or min(running, default=None)


def _plain(code: str | None) -> str:
    """A code as words."""
    return "-" if code is None else code.replace("_", " ").replace(".", " ")
