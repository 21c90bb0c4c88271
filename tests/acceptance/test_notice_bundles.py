"""What became of messages is sealed like everything else, and goes with its case to whoever may read that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.reading import Beside, record_beside
from domain.acting import CLOCK
from domain.matter import commands as do
from tests.acceptance.bundle_world import Audited, audited, leaves_of
from tests.acceptance.test_bundle import checked
from workflows.records import NoticeDelivered, NoticeFailed, notices_of


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Audited]:
    with audited(tmp_path) as made:
        made.adopt()
        yield made


def told(world: Audited) -> str:
    """A case with a requester who was told, and one who could not be."""
    resident = world.tale.desk.resident()
    case = world.tale.scene.opened("FW-01", resident)
    given = {"case": case, "about": 1, "moment": "registered", "to": resident.person}
    events = (
        NoticeDelivered(channel="smtp", **given),
        NoticeFailed(channel="none", code="no_way_there", **given),
    )
    for event in events:
        record_beside(world.tale.engine, CLOCK, Beside(notices_of(case), event, "telling", "notices"))
    return case


def test_a_bundle_holds_who_was_told_and_its_verifier_is_content(world: Audited) -> None:
    case = told(world)
    world.seal()
    path, _ = world.take()

    types = [
        leaf["type"] for leaf in leaves_of(path) if leaf is not None and leaf["stream"] == notices_of(case)
    ]
    assert types == ["notice_delivered.v1", "notice_failed.v1"]
    assert checked(world, path).result == "pass"


def test_what_a_board_may_not_read_of_a_case_it_may_not_read_of_its_notices(world: Audited) -> None:
    case = told(world)
    intake = world.actor(world.tale.scene.community, "intake_officer")
    world.tale.desk.must(case, intake, do.DivertMatter(to="discipline"))
    world.seal()
    path, _ = world.take()
    inspected, _ = world.take("inspected.zip", actor=world.actor("discipline", "discipline_officer"))

    streams = [{leaf["stream"] for leaf in leaves_of(one) if leaf is not None} for one in (path, inspected)]
    assert [notices_of(case) in found for found in streams] == [False, True]
