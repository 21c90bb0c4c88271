"""The process law that boards are handed is the one that the log has published, also after a release with another one."""

import json
from pathlib import Path

import pytest

from adapters.bundle import papers, publishing
from adapters.bundle.publishing import publish_rules
from adapters.bundle.rules import digest, law_text, rules
from domain.event import canonical
from domain.log.words import LOG
from tests.acceptance.bundle_world import audited, files_of
from tests.bundle_maker import zipped
from tests.unit.verify_world import run

LATER = {"record_within_seconds": 60}
"""What another release says otherwise."""


def released(monkeypatch: pytest.MonkeyPatch) -> str:
    """Another release runs from here on; the digest of its law."""
    law = {**rules(), **LATER}
    text = canonical(
        {name: part for name, part in law.items() if name not in ("digest", "rulebooks")}
    ).decode()
    monkeypatch.setattr(publishing, "law_text", lambda: text)
    monkeypatch.setattr(papers, "rules", lambda texts=(): {**rules(texts), **LATER, "digest": digest(law)})
    return digest(law)


def law_in(path: Path) -> str:
    told = json.loads(files_of(path)["rules.json"])
    assert told["digest"] == digest(told)
    return str(told["digest"])


def test_the_law_is_published_once_and_its_text_is_kept(tmp_path: Path) -> None:
    with audited(tmp_path) as world:
        engine = world.tale.engine

        assert publish_rules(engine.handle)
        assert not publish_rules(engine.handle)
        assert [row.type for row in engine.store.load(LOG)] == ["rules_published.v1"]
        assert engine.store.text(digest(rules())) == law_text()


def test_a_board_is_handed_the_law_of_the_log_s_opening(tmp_path: Path) -> None:
    with audited(tmp_path) as world:
        world.seal(cosigned=False)
        world.adopt()
        world.seal()
        path, _ = world.take()

        report = run(path, "--policy", world.policy)

    assert (report.result, law_in(path)) == ("pass", digest(rules()))
    assert "rules_unpinned" in report.codes


def test_what_was_before_another_release_is_judged_by_the_law_of_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with audited(tmp_path) as world:
        publish_rules(world.tale.engine.handle)
        world.adopt()
        world.seal()
        state = tmp_path / "board.json"
        early, _ = world.take("early.zip")
        first = run(early, "--policy", world.policy, "--state", state)
        later = released(monkeypatch)
        again, _ = world.take("again.zip")
        publish_rules(world.tale.engine.handle)
        world.seal()
        late, _ = world.take("late.zip")

        assert (law_in(early), law_in(again), law_in(late)) == (digest(rules()), digest(rules()), later)
        assert (first.result, run(again, "--policy", world.policy).result) == ("pass", "pass")
        assert run(late, "--policy", world.policy, "--state", state).faults == {"rules_changed"}
        own = tmp_path / "rules.json"
        own.write_bytes(files_of(late)["rules.json"])
        told = run(late, "--policy", world.policy, "--rules", own)

    assert told.result == "pass"
    assert told.of("rules_published")


def test_a_laxer_law_slipped_into_a_bundle(tmp_path: Path) -> None:
    with audited(tmp_path) as world:
        publish_rules(world.tale.engine.handle)
        world.adopt()
        world.seal()
        files = files_of(world.take()[0])
        law = json.loads(files["rules.json"])
        for event in law["events"].values():
            event["apart"] = []
        lax = {"rules.json": canonical({**law, "digest": digest(law)})}

        report = run(zipped(files | lax, tmp_path / "lax.zip"), "--policy", world.policy)

    assert report.faults == {"rules_differ"}
