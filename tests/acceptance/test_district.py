"""Whose district it is says the register; the setting counts only while that is silent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from adapters.demo.district import SUBDISTRICT, found
from adapters.engine import open_engine
from adapters.numbers import begins_numbers
from adapters.settings import Settings
from tests.acceptance.http_world import api_over
from tests.acceptance.world import DISTRICT, Desk


def test_a_matter_typed_in_without_any_setting_bears_the_districts_code(shell: Desk) -> None:
    made = shell.must(
        "matter", "register", "--source", "phone", "--kind", "hazard", "--code", "FW-01", "--demand", "help",
        "--host", "com-01", "--text", "漏水", "--name", "居民甲", "--contact", "13800000000",
        by=shell.who("com-01", "intake_officer"),
    )  # fmt: skip

    assert str(made["number"]).startswith(f"{DISTRICT.code}-")


def test_the_register_is_believed_before_the_setting(shell: Desk) -> None:
    with shell.engine() as engine:
        elsewhere = replace(engine, settings=engine.settings.model_copy(update={"district": "999999"}))

        assert elsewhere.district() == DISTRICT.code


def test_a_district_is_founded_on_a_machine_that_takes_seconds_for_each_entry(tmp_path: Path) -> None:
    moments = (datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=3 * n) for n in count())
    engine = open_engine(Settings(data=tmp_path), lambda: next(moments))
    try:
        assert found(DISTRICT, engine.handle, next(moments)) == []
        later = next(moments) + timedelta(minutes=1)
        assert engine.handle.standing.caught_up().register.on_duty(SUBDISTRICT, later, "duty_leader")
    finally:
        engine.close()


def test_before_there_is_a_district_the_setting_counts(tmp_path: Path) -> None:
    engine = open_engine(Settings(data=tmp_path, district="110101"))
    try:
        assert engine.district() == "110101"
    finally:
        engine.close()


def test_what_was_seen_before_the_district_was_entered_bears_its_code_too(shell: Desk) -> None:
    with shell.engine() as engine:
        assert engine.district(datetime(2000, 1, 1, tzinfo=UTC)) == DISTRICT.code


@pytest.mark.parametrize("code", ["gl", "4", "4503051234567", "4503-5", "45O305"])
def test_a_code_that_no_number_can_hold_begins_none(code: str) -> None:
    assert not begins_numbers(code)


def test_open311_knows_the_registers_district_as_its_jurisdiction(shell: Desk) -> None:
    with api_over(shell.data, district="999999") as api:
        known = [
            api.client.get("/open311/v2/services.json", params={"jurisdiction_id": code}).status_code
            for code in (DISTRICT.code, "999999")
        ]

    assert known == [200, 404]
