"""A case that is hidden and one that does not exist cost the same work, so that no stopwatch tells them apart (law 10)."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from tests.acceptance.http_world import Api

STRANGER = ("com-02", "intake_officer")


def looks(api: Api, monkeypatch: pytest.MonkeyPatch, ask: Callable[[], object]) -> list[bool]:
    """For every stream that is loaded meanwhile, whether a case was there to be folded."""
    found, load = list[bool](), api.engine.store.load

    def counted(stream: str, after: int = 0) -> object:
        rows = load(stream, after)
        found.append(any(row.type == "matter_registered.v1" for row in rows))
        return rows

    with monkeypatch.context() as patch:
        patch.setattr(api.engine.store, "load", counted)
        ask()
    return sorted(found)


@pytest.mark.parametrize("by_number", [False, True], ids=["by its id", "by a number"])
@pytest.mark.parametrize("acting", [False, True], ids=["read", "act"])
def test_as_much_is_loaded_for_an_unknown_case_as_for_a_hidden_one(
    api: Api, monkeypatch: pytest.MonkeyPatch, acting: bool, by_number: bool
) -> None:
    made = api.registered()
    hidden = made["number"] if by_number else made["case"]
    unknown = "450305-20261123-0000000" if by_number else str(uuid4())
    api.get("/me", by=STRANGER)
    api.engine.handle.stand_ins.rows("drawn by now")

    def ask(case: str) -> None:
        answer = (
            api.post(f"/matters/{case}/accept", by=STRANGER)
            if acting
            else api.get(f"/matters/{case}", by=STRANGER)
        )
        assert answer.status_code == 404

    there, nowhere = (looks(api, monkeypatch, lambda case=case: ask(case)) for case in (hidden, unknown))

    assert there.count(True) == nowhere.count(True) >= 1
    assert abs(len(there) - len(nowhere)) <= 1


def test_the_same_unknown_name_has_the_same_stand_in(api: Api) -> None:
    for _ in range(5):
        api.registered()
    ins, name = api.engine.handle.stand_ins, str(uuid4())

    assert ins.rows(name) == ins.rows(name) != []
    assert ins.nobodys("a") == ins.nobodys("a") != ins.nobodys("b")
    assert api.engine.store.load(ins.nobodys("a")) == []
