"""The pull feed and the stream: the caller's own matters, in order, without gaps, and nothing that is not theirs."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.access import SystemKeys, open_access
from adapters.engine import open_engine
from adapters.http import events
from adapters.settings import Settings
from tests.acceptance.http_world import Api, api_over, serving, told

HOTLINE = ("hotline", "intake_officer")
HOUSING = ("dept-housing", "officer")


@pytest.fixture
def api(founded: Path, tmp_path: Path) -> Iterator[Api]:
    data = tmp_path / "data"
    shutil.copytree(founded, data)
    with api_over(data) as found:
        yield found


def everything(api: Api, by: tuple[str, str], **asked: Any) -> list[dict[str, Any]]:
    """All that the feed tells, by its own `next`."""
    found, after = list[dict[str, Any]](), 0
    while True:
        page = api.get("/events", by=by, after=after, **asked).json()
        found += page["items"]
        assert page["next"] >= after
        if not page["more"]:
            return found
        after = page["next"]


def types_of(found: list[dict[str, Any]], case: str) -> list[str]:
    return [one["type"] for one in found if one["data"]["case"] == case]


def versions(found: list[dict[str, Any]], case: str) -> list[int]:
    return [one["data"]["version"] for one in found if one["data"]["case"] == case]


def test_who_registered_a_matter_is_told_all_of_it_in_order(api: Api) -> None:
    made = api.closed()

    found = everything(api, HOTLINE)

    case = api.engine.store.load(made["case"])
    assert versions(found, made["case"]) == [stored.version for stored in case]
    assert [one["data"]["position"] for one in found] == sorted(one["data"]["position"] for one in found)
    assert len({one["id"] for one in found}) == len(found)
    assert {one["subject"] for one in found} == {made["number"]}


def test_pages_of_one_give_the_same_as_one_page(api: Api) -> None:
    api.closed()

    assert everything(api, HOTLINE, limit=1) == everything(api, HOTLINE, limit=200)


def test_a_department_hears_from_the_whistle_on(api: Api) -> None:
    made, _ = api.whistled()

    found = types_of(everything(api, HOUSING), made["case"])

    assert found[0] == "order_issued.v1"
    assert "matter_registered.v1" not in found


def test_nobody_hears_of_a_matter_that_is_not_its_own(api: Api) -> None:
    made = api.closed()

    for stranger in (("dept-water", "officer"), ("panel", "adjudicator"), ("com-02", "officer")):
        seen = everything(api, stranger)
        assert types_of(seen, made["case"]) == [], stranger


def test_a_page_that_holds_nothing_for_the_caller_says_where_to_go_on(api: Api) -> None:
    api.closed()

    page = api.get("/events", by=("dept-water", "officer"), after=0, limit=5).json()

    assert page["items"] == []
    assert page["next"] == api.engine.store.head()


def test_a_place_in_a_record_that_was_restored_since_is_refused_and_not_gone_on_from(api: Api) -> None:
    api.closed()
    page = api.get("/events", by=HOTLINE).json()
    life, place = page["life"], page["next"]
    assert api.get("/events", by=HOTLINE, after=place, life=life).status_code == 200

    api.engine.store.renew_epoch()  # as a restore does
    api.registered()  # and by now the positions are given again

    for path in ("/events", "/events/stream"):
        assert told(api.get(path, by=HOTLINE, after=place, life=life)) == (409, "another_life")
    again = api.get("/events", by=HOTLINE, limit=200).json()
    assert again["life"] != life
    assert [one["id"] for one in again["items"]][: len(page["items"])] == [one["id"] for one in page["items"]]


def test_a_place_that_the_record_has_not_reached_is_refused(api: Api) -> None:
    api.registered()
    ahead = api.engine.store.head() + 1

    assert told(api.get("/events", by=HOTLINE, after=ahead)) == (409, "another_life")
    assert told(api.get("/events/stream", by=HOTLINE, after=ahead)) == (409, "another_life")
    headers = api.headers(HOTLINE, **{"Last-Event-ID": str(ahead)})
    assert told(api.client.get("/api/v1/events/stream", headers=headers)) == (409, "another_life")


def test_kinds_are_chosen_by_type_by_pattern_and_by_group(api: Api) -> None:
    made = api.closed()

    def asked(types: str) -> set[str]:
        return set(types_of(everything(api, HOTLINE, types=types), made["case"]))

    assert asked("matter_closed.v1") == {"matter_closed.v1"}
    assert asked("matter_closed") == {"matter_closed.v1"}
    assert all(one.startswith("leg_") for one in asked("leg_*"))
    assert {"matter_registered.v1", "matter_closed.v1"} < asked("progress")
    assert "leg_checked_in.v1" not in asked("progress")


@pytest.mark.parametrize("types", ["nothing_such", "matter_closed.v9", "***.v1x"])
def test_kinds_that_match_no_event_are_refused(api: Api, types: str) -> None:
    answer = api.get("/events", by=HOTLINE, types=types)

    assert answer.status_code == 422


def test_nobody_is_told_without_a_key_or_without_a_post(api: Api) -> None:
    api.closed()

    assert told(api.get("/events", by=None)) == (401, "sign_in")
    headers = api.headers(HOTLINE) | {"Huiyin-Acting-As": "hotline/supervisor"}
    assert api.client.get("/api/v1/events", headers=headers).json()["items"] == []
    assert told(
        api.client.get("/api/v1/events", headers=api.headers(HOTLINE) | {"Huiyin-Acting-As": "resident"})
    )[1] in ("no_post", "out_of_scope")


def test_a_matter_that_was_handed_to_discipline_inspection_is_gone_from_the_feed(api: Api) -> None:
    made = api.registered()
    assert types_of(everything(api, HOTLINE), made["case"]) != []

    api.must(f"/matters/{made['case']}/divert", {"to": "discipline"}, by=("com-01", "intake_officer"))

    assert types_of(everything(api, HOTLINE), made["case"]) == []
    assert types_of(everything(api, ("com-01", "intake_officer")), made["case"]) == []
    assert types_of(everything(api, ("discipline", "discipline_officer")), made["case"]) != []


def test_no_personal_data_stand_in_the_feed(api: Api) -> None:
    api.closed()

    said = json.dumps(everything(api, HOTLINE), ensure_ascii=False)

    for word in ("王某某", "13800000000", "电梯", "现场码", "已排查"):
        assert word not in said


def revoked(api: Api, by: tuple[str, str]) -> None:
    token = api.token(by[0], api.district.staff[by])
    access = open_access(api.engine.settings.access_url)
    try:
        SystemKeys(access, api.engine.handle).revoke(api.giver, token.split("_")[1])
    finally:
        access.close()


# -- the stream --------------------------------------------------------------------------------------------------------


class Listening:
    """A reader of the stream in a thread of its own: what it was told, as (id, event)."""

    def __init__(
        self, api: Api, by: tuple[str, str] = HOTLINE, *, url: str | None = None, **asked: Any
    ) -> None:
        self.told: list[tuple[int, dict[str, Any]]] = []
        self.beats: list[int] = []
        self.place = ""
        self.ended, self._open, self._enough = threading.Event(), threading.Event(), threading.Event()
        self._headers, self._asked, self._url = (
            api.headers(by) | asked.pop("headers", {}),
            asked,
            url or api.url,
        )
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> Listening:
        self._thread.start()
        assert self._open.wait(100)
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join(100)
        assert not self._thread.is_alive()

    def _read(self) -> None:
        at = 0
        with (
            httpx.Client(base_url=self._url, timeout=100) as client,
            client.stream(
                "GET", "/api/v1/events/stream", params=self._asked, headers=self._headers
            ) as answer,
        ):
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            for line in answer.iter_lines():
                name, _, value = line.partition(": ")
                if name == "id":
                    self.place, at = value, int(value.rpartition(":")[2])
                    self.beats.append(at)
                    self._open.set()
                elif name == "data":
                    self.told.append((at, json.loads(value)))
                if self._enough.is_set():
                    break
        self.ended.set()

    def until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 100
        while not holds():
            assert time.monotonic() < deadline, f"{len(self.told)} events came"
            time.sleep(0.05)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A heart that beats fast, so that a reader notices soon that it has read enough."""
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.3)


@pytest.mark.usefixtures("quick")
def test_the_stream_tells_what_happens_as_the_feed_does(api: Api) -> None:
    before = api.registered()
    with Listening(api) as listening:
        made = api.closed()
        expected = [one for one in everything(api, HOTLINE) if one["data"]["case"] == made["case"]]
        listening.until(lambda: len(listening.told) >= len(expected))

    assert [event for _, event in listening.told] == expected
    assert [at for at, _ in listening.told] == [one["data"]["position"] for one in expected]
    assert before["case"] not in {event["data"]["case"] for _, event in listening.told}


@pytest.mark.usefixtures("quick")
def test_a_stream_that_was_cut_goes_on_where_it_was(api: Api) -> None:
    made = api.registered()
    with Listening(api, after=0) as first:
        first.until(lambda: len(first.told) == 1)
    api.must(f"/matters/{made['case']}/accept", by=("com-01", "intake_officer"))

    with Listening(api, headers={"Last-Event-ID": first.place}) as again:
        again.until(lambda: len(again.told) == 1)
    with Listening(api, headers={"Last-Event-ID": first.place.partition(":")[2]}) as of_before:
        of_before.until(lambda: len(of_before.told) == 1)

    for one in (again, of_before):
        assert [event["type"] for _, event in one.told] == ["matter_accepted.v1"]


@pytest.mark.usefixtures("quick")
def test_a_stream_does_not_go_on_in_another_life_of_the_record(api: Api) -> None:
    api.registered()
    with Listening(api, after=0) as cut:
        cut.until(lambda: len(cut.told) == 1)

    api.engine.store.renew_epoch()  # as a restore does
    api.registered()

    headers = api.headers(HOTLINE, **{"Last-Event-ID": cut.place})
    assert told(api.client.get("/api/v1/events/stream", headers=headers)) == (409, "another_life")


@pytest.mark.usefixtures("quick")
def test_a_heartbeat_carries_the_place_reached_past_what_others_did(api: Api) -> None:
    with Listening(api, ("dept-water", "officer")) as listening:
        api.registered()
        head = api.engine.store.head()
        listening.until(lambda: listening.beats[-1] == head)

    assert listening.told == []


@pytest.mark.usefixtures("quick")
def test_a_stream_ends_when_its_key_is_revoked(api: Api) -> None:
    with Listening(api) as listening:
        revoked(api, HOTLINE)
        listening.until(listening.ended.is_set)


@pytest.mark.usefixtures("quick")
def test_a_stream_that_never_falls_silent_ends_with_its_key_all_the_same(api: Api) -> None:
    hearing = ("com-01", "intake_officer")
    with Listening(api, hearing) as listening:
        revoked(api, hearing)

        def ended_while_events_come() -> bool:
            api.registered()
            return listening.ended.is_set()

        listening.until(ended_while_events_come)


def test_streams_end_when_the_server_stops(founded: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(founded, data)
    engine = open_engine(Settings(data=data, api_port=0))
    try:
        with serving(engine) as url:
            api = Api(url, engine, httpx.Client(base_url=url, timeout=100))
            listening = Listening(api)
            listening.__enter__()
        listening.until(listening.ended.is_set)
        listening.__exit__()
        api.client.close()
    finally:
        engine.close()
