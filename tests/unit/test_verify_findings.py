"""verify.py: each thing that can be wrong with a bundle has its name. A forger holds the office's keys, not the boards'.

Where a test forges leaves, everything after them is honest work of the forger: tree, tiles, heads, census.
"""

import json
import re
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.bundle.verify import main
from tests import bundle_maker as make
from tests.bundle_maker import BEGIN, BOARDS, LOG_KEY, LOG_STREAM, Trail, case
from tests.unit.verify_world import Desk, Report, run

DAY = timedelta(days=1)
STREAM = case(1)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def trail() -> Trail:
    return Trail().open().matters(100)


def file(desk: Desk, name: str, text: str) -> Path:
    return desk.file(name, text)


# -- an honest bundle -------------------------------------------------------------------------------------------------


def test_an_honest_bundle_passes_without_a_finding(desk: Desk, trail: Trail) -> None:
    report = desk.check(make.files_of(trail))

    assert (report.result, report.findings) == ("pass", [])
    assert report.said["leaves"] == 301
    assert set(report.said["new"]["cosigned_by"]) == {"B1", "B2", "B3"}


def test_an_honest_month_passes_after_the_one_before(desk: Desk, trail: Trail) -> None:
    desk.month(make.files_of(trail))
    old = trail.size
    trail.matters(100, begin=50)

    report = desk.month(make.files_of(trail, old))

    assert (report.result, report.findings) == ("pass", [])


# -- who signed -------------------------------------------------------------------------------------------------------


def head(trail: Trail, *signers: make.Signer, at: timedelta = timedelta(minutes=1)) -> dict[str, bytes]:
    text = make.signed(make.checkpoint(trail.hashes()), trail.at + at, signers)
    return make.files_of(trail) | {"log/checkpoint": text.encode()}


def test_a_head_that_the_log_has_not_signed(desk: Desk, trail: Trail) -> None:
    report = desk.check(head(trail, *BOARDS))

    assert report.faults == {"log_signature_missing"}


def test_a_head_signed_by_a_key_of_the_same_name_only(desk: Desk, trail: Trail) -> None:
    other = make.Signer("elsewhere", 1)
    other.name = LOG_KEY.name

    assert desk.check(head(trail, other, *BOARDS)).faults == {"log_signature_missing"}


def test_a_signature_that_is_another_head_s(desk: Desk, trail: Trail) -> None:
    elsewhere = make.checkpoint([bytes(32)])
    text = make.checkpoint(trail.hashes())
    lines = LOG_KEY.line(text) + BOARDS[0].line(elsewhere) + BOARDS[1].line(text) + BOARDS[2].line(text)

    report = desk.check(make.files_of(trail) | {"log/checkpoint": f"{text}\n{lines}".encode()})

    assert "signature_bad" in report.faults


def test_a_head_that_too_few_boards_have_cosigned(desk: Desk, trail: Trail) -> None:
    report = desk.check(head(trail, LOG_KEY, BOARDS[0]))

    assert report.faults == {"quorum_missing"}
    assert {one["zh"] for one in report.findings if one["code"] == "witness_missing"} == {
        "新首部无 B2 的共签。",
        "新首部无 B3 的共签。",
    }


def test_a_board_that_signs_twice_counts_once(desk: Desk, trail: Trail) -> None:
    assert desk.check(head(trail, LOG_KEY, BOARDS[0], BOARDS[0])).faults == {"quorum_missing"}


def test_signatures_of_keys_that_nobody_knows_are_ignored(desk: Desk, trail: Trail) -> None:
    strangers = [make.Signer(f"stranger{n}.example", 4) for n in range(20)]

    assert desk.check(head(trail, *strangers, LOG_KEY, *BOARDS)).result == "pass"


def test_a_kind_of_signature_that_this_computer_cannot_check(
    desk: Desk, trail: Trail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.bundle.verify.ml_dsa_44_verify", lambda *_: None)
    quantum = make.Signer("quantum.example", 4)
    public = bytes([6]) + bytes(1312)
    quantum.id = make.hashlib.sha256(b"quantum.example\n" + public).digest()[:4]
    desk.policy.write_text(
        make.policy().replace(
            "group", f"witness Q quantum.example+{quantum.id.hex()}+{make.b64(public)}\ngroup"
        )
    )

    report = desk.check(head(trail, LOG_KEY, *BOARDS, quantum))

    assert "signature_unchecked" in report.codes


# -- which policy -----------------------------------------------------------------------------------------------------


def test_the_first_bundle_without_a_policy_of_the_board_s_own(desk: Desk, trail: Trail) -> None:
    report = run(desk.zip(make.files_of(trail)))

    assert (report.result, report.codes) == ("pass", {"policy_unpinned", "rules_unpinned"})


def test_a_policy_sent_that_is_not_the_board_s(desk: Desk, trail: Trail) -> None:
    weak = make.policy(k=1).encode()

    assert desk.check(make.files_of(trail) | {"policy": weak}).codes == {"policy_differs"}
    assert "quorum_missing" in desk.check(head(trail, LOG_KEY, BOARDS[0]) | {"policy": weak}).faults


def test_a_policy_that_changed_since_the_last_bundle(desk: Desk, trail: Trail) -> None:
    desk.month(make.files_of(trail))

    weaker = make.files_of(trail) | {"policy": make.policy(k=1).encode()}

    assert run(desk.zip(weaker), "--state", desk.state).faults == {"policy_changed"}


# -- whose log, and how long ------------------------------------------------------------------------------------------


def test_the_bundle_of_another_log(desk: Desk, trail: Trail) -> None:
    desk.month(make.files_of(trail))
    seen = desk.seen() | {"origin": "elsewhere.example/log"}
    desk.state.write_text(make.json.dumps(seen))

    assert desk.month(make.files_of(trail)).faults == {"other_origin"}


def test_an_old_head_of_another_log(desk: Desk, trail: Trail) -> None:
    old = make.signed(make.checkpoint(trail.hashes(100), "elsewhere.example/log"), trail.at).encode()

    assert "other_origin" in desk.check(make.files_of(trail, 100) | {"checkpoint.old": old}).faults


def test_a_log_that_is_shorter_than_it_was(desk: Desk, trail: Trail) -> None:
    desk.month(make.files_of(trail))
    shorter = Trail().open().matters(50)

    assert "rolled_back" in desk.month(make.files_of(shorter)).faults


def test_a_month_that_was_left_out(desk: Desk, trail: Trail) -> None:
    desk.month(make.files_of(trail))
    trail.matters(100, begin=50)
    old = trail.size
    trail.matters(10, begin=200)

    assert "months_missing" in desk.month(make.files_of(trail, old)).faults


def test_a_log_that_forked_from_what_the_board_saw(desk: Desk, trail: Trail) -> None:
    desk.month(make.files_of(trail))
    fork = Trail().open().matters(99).matters(3, begin=300).matters(100, begin=400)

    report = desk.month(make.files_of(fork))

    assert report.faults == {"split_view"}
    assert report.of("split_view")["proof"]


def test_the_same_size_under_another_root(desk: Desk, trail: Trail) -> None:
    desk.month(make.files_of(trail))
    fork = Trail(at=BEGIN + DAY).open().matters(100)

    assert desk.month(make.files_of(fork)).faults == {"split_view"}


def test_a_forked_old_head_cannot_hide_the_fork(desk: Desk, trail: Trail) -> None:
    desk.month(make.files_of(trail))
    fork = Trail(at=BEGIN + DAY).open().matters(100)
    old = fork.size
    fork.matters(20, begin=300)

    assert "split_view" in desk.month(make.files_of(fork, old)).faults


# -- the leaves and the heads -----------------------------------------------------------------------------------------


def with_entries(trail: Trail, change: Callable[[list[bytes]], None], old: int = 0) -> dict[str, bytes]:
    """The honest bundle's frame around changed entries."""
    files = make.files_of(trail, old)
    entries = list(trail.entries)
    change(entries)
    return files | make.entry_bundles(entries, old)


def test_a_leaf_that_was_edited(desk: Desk, trail: Trail) -> None:
    def edit(entries: list[bytes]) -> None:
        entries[150] = entries[150].replace(b"step-1", b"step-9")

    assert "root_mismatch" in desk.check(with_entries(trail, edit)).faults


def test_two_leaves_that_changed_places(desk: Desk, trail: Trail) -> None:
    def swap(entries: list[bytes]) -> None:
        entries[10], entries[11] = entries[11], entries[10]

    assert {"root_mismatch", "position_order"} <= desk.check(with_entries(trail, swap)).faults


def test_a_leaf_cut_out_and_another_put_at_the_end(desk: Desk, trail: Trail) -> None:
    def cut(entries: list[bytes]) -> None:
        entries.append(entries.pop(150))

    assert "root_mismatch" in desk.check(with_entries(trail, cut)).faults


def test_a_head_on_the_way_that_is_not_of_these_leaves(desk: Desk, trail: Trail) -> None:
    wrong = make.signed(make.checkpoint(trail.hashes()[1:101]), trail.at).encode()

    report = desk.check(make.files_of(trail) | {"heads/100": wrong})

    assert report.faults == {"root_mismatch"}
    assert report.of("root_mismatch")["index"] == 99


def test_a_head_on_the_way_under_a_wrong_name_or_with_a_wrong_signature(desk: Desk, trail: Trail) -> None:
    text = make.checkpoint(trail.hashes()[:100])
    good, forged = make.signed(text, trail.at).encode(), (text + "\n" + BOARDS[0].line("x\n")).encode()

    assert "other_origin" in desk.check(make.files_of(trail) | {"heads/101": good}).faults
    assert "signature_bad" in desk.check(make.files_of(trail) | {"heads/100": forged}).faults


def test_tiles_that_do_not_make_the_old_head(desk: Desk, trail: Trail) -> None:
    files = make.files_of(trail, 100)
    name = make.tile_name(0, 0, 100)
    files[name] = bytes(32) + files[name][32:]

    assert "old_root_mismatch" in desk.check(files).faults


def test_leaves_before_the_old_head_that_are_not_those_of_it(desk: Desk, trail: Trail) -> None:
    def edit(entries: list[bytes]) -> None:
        entries[50] = entries[51]

    desk.month(make.files_of(Trail().open().matters(100)))

    assert desk.check(with_entries(trail, edit, 100)).faults >= {"overlap_differs"}


# -- what a leaf is ---------------------------------------------------------------------------------------------------


def put(trail: Trail, change: Callable[[bytes], bytes]) -> Trail:
    """The trail with one more leaf, sealed as it is after `change`."""
    honest = trail.add(STREAM, "work_noted.v1", {"what": "x"})
    trail.entries[-1] = change(honest)
    trail.versions[STREAM] = (trail.versions[STREAM][0], make.leaf_hash(trail.entries[-1]))
    return trail


@pytest.mark.parametrize(
    "change",
    [
        lambda leaf: b"",
        lambda leaf: leaf[:-1],
        lambda leaf: leaf + b"{}",
        lambda leaf: b"\xff" + leaf,
        lambda leaf: leaf.replace(b'"x"', b"1.5"),
        lambda leaf: leaf.replace(b'"x"', b"NaN"),
        lambda leaf: leaf.replace(b'"x"', b"9007199254740992"),
        lambda leaf: leaf.replace(b'"x"', b"1" * 5000),
        lambda leaf: leaf.replace(b'"x"', b"[" * 30000 + b"]" * 30000),
        lambda leaf: leaf.replace(b'"x"', b'"\\ud800"'),
    ],
    ids=["empty", "cut", "more", "not UTF-8", "float", "NaN", "2**53", "huge", "deep", "surrogate"],
)
def test_a_leaf_that_is_no_json_of_the_kind_permitted(
    desk: Desk, trail: Trail, change: Callable[[bytes], bytes]
) -> None:
    files = make.files_of(put(trail, change))
    files[make.tile_name(0, 1, 46)] = b"".join(trail.hashes()[256:])

    report = desk.check(files)

    assert report.result == "fail"
    assert report.faults & {"leaf_not_json", "leaf_not_canonical", "census_withheld"}


@pytest.mark.parametrize(
    "change",
    [
        lambda leaf: leaf.replace(b'"what":"x"', b'"what":"x","what":"x"'),
        lambda leaf: leaf.replace(b'"what":"x"', b'"what": "x"'),
        lambda leaf: leaf.replace(b'"what":"x"', b'"what":"\\u0078"'),
        lambda leaf: leaf.replace(b'"what":"x"', b'"what":"x","ni\xc3\xb1o":1'),
        lambda leaf: leaf.replace(b'"what":"x"', b'"what":-0'),
        lambda leaf: leaf + b"\n",
    ],
    ids=["key twice", "space", "escape", "key not ASCII", "minus zero", "line end"],
)
def test_a_leaf_that_is_not_canonical(desk: Desk, trail: Trail, change: Callable[[bytes], bytes]) -> None:
    assert "leaf_not_canonical" in desk.check(make.files_of(put(trail, change))).faults


@pytest.mark.parametrize(
    "change",
    [
        lambda leaf: leaf.replace(b'"backfill":false,', b""),
        lambda leaf: leaf.replace(b'"backfill":false', b'"backfill":0'),
        lambda leaf: leaf.replace(b'"_sd":[]', b'"_sd":["short"]'),
        lambda leaf: leaf.replace(b'"version":4', b'"version":true'),
        lambda leaf: leaf.replace(b'"version":4', b'"version":0'),
        lambda leaf: re.sub(rb'"_prev":"[^"]*"', b'"_prev":null', leaf),
        lambda leaf: b'["not an object"]',
        lambda leaf: b"7",
    ],
    ids=["key missing", "number for bool", "short digest", "bool", "version 0", "no previous", "list", "number"],
)  # fmt: skip
def test_a_leaf_whose_envelope_is_not_as_published(
    desk: Desk, trail: Trail, change: Callable[[bytes], bytes]
) -> None:
    assert "leaf_malformed" in desk.check(make.files_of(put(trail, change))).faults


def test_an_event_that_nobody_published(desk: Desk, trail: Trail) -> None:
    trail.add(STREAM, "matter_vanished.v1")

    report = desk.check(make.files_of(trail))

    assert report.faults == {"event_unknown"}
    assert (report.of("event_unknown")["index"], report.of("event_unknown")["case"]) == (301, STREAM)


@pytest.mark.parametrize(
    ("pub", "changed"),
    [
        ({"what": "x", "more": 1}, {}),
        ({"that": "x"}, {}),
        ({"what": "x"}, {"recorded_at": "2025-11-31T00:00:00Z"}),
    ],
)
def test_an_event_whose_content_is_malformed(
    desk: Desk, trail: Trail, pub: make.Json, changed: make.Json
) -> None:
    trail.add(STREAM, "work_noted.v1", pub, **changed)

    assert "event_malformed" in desk.check(make.files_of(trail)).faults


# -- places -----------------------------------------------------------------------------------------------------------


def test_a_position_that_does_not_rise(desk: Desk, trail: Trail) -> None:
    trail.position -= 2
    trail.add(STREAM, "work_noted.v1", {"what": "x"})

    assert desk.check(make.files_of(trail)).faults == {"position_order"}


def test_a_hole_in_the_versions_of_a_case(desk: Desk, trail: Trail) -> None:
    version, last = trail.versions[STREAM]
    trail.versions[STREAM] = (version + 1, last)
    trail.add(STREAM, "work_noted.v1", {"what": "x"})

    report = desk.check(make.files_of(trail))

    assert report.faults == {"version_gap"}
    assert (report.of("version_gap")["case"], report.of("version_gap")["version"]) == (STREAM, 5)


def test_a_case_that_begins_in_its_middle(desk: Desk, trail: Trail) -> None:
    trail.versions["new"] = (3, bytes(32))
    trail.add("new", "work_noted.v1", {"what": "x"})

    assert desk.check(make.files_of(trail)).faults == {"version_gap"}


def test_a_case_that_does_not_go_on_from_its_last_leaf(desk: Desk, trail: Trail) -> None:
    trail.versions[STREAM] = (trail.versions[STREAM][0], bytes(32))
    trail.add(STREAM, "work_noted.v1", {"what": "x"})

    assert desk.check(make.files_of(trail)).faults == {"chain_broken"}


def test_a_case_that_goes_on_wrongly_from_the_month_before(desk: Desk, trail: Trail) -> None:
    desk.month(make.files_of(trail))
    old = trail.size
    trail.versions[STREAM] = (trail.versions[STREAM][0], bytes(32))
    trail.add(STREAM, "work_noted.v1", {"what": "x"})

    assert desk.month(make.files_of(trail, old)).faults == {"chain_broken"}


def test_a_month_without_a_state_to_go_on_from(desk: Desk, trail: Trail) -> None:
    old = trail.size
    trail.matters(10)

    assert desk.check(make.files_of(trail, old)).faults == {"needs_genesis"}


# -- times ------------------------------------------------------------------------------------------------------------


def test_a_clock_that_went_back(desk: Desk, trail: Trail) -> None:
    trail.at -= timedelta(seconds=5)
    trail.add(STREAM, "work_noted.v1", {"what": "x"})

    assert desk.check(make.files_of(trail)).faults == {"clock_backwards"}


def test_an_act_that_happened_after_it_was_recorded(desk: Desk, trail: Trail) -> None:
    later = make.stamp(trail.at + timedelta(minutes=5))
    trail.add(STREAM, "work_noted.v1", {"what": "x"}, occurred_at=later)

    assert desk.check(make.files_of(trail)).faults == {"occurred_after_recorded"}


STANDING = {"streams": {"register": "register", "releases": "releases"}}


def published(desk: Desk, trail: Trail, law: make.Json) -> dict[str, bytes]:
    """Another law, which the log publishes and the board has resolved on."""
    trail.add(LOG_STREAM, "rules_published.v1", {"digest": make.law_digest(law)})
    desk.rules.write_text(json.dumps(law), encoding="utf-8")
    return {"rules.json": make.canonical(law)}


def with_rulebook(desk: Desk, trail: Trail, length: str) -> dict[str, bytes]:
    """A bundle whose rulebook lets an event be recorded so long after it happened; it stands in the first leaves."""
    text = f'zone = "Asia/Shanghai"\n[limits.backfill_after]\nlength = "{length}"\n'
    digest = make.hashlib.sha256(text.encode()).hexdigest()
    told = {
        "digest": digest,
        "in_force_from": make.stamp(trail.at + DAY),
        "name": "demo/1",
        "use": "cases",
        "zone": "x",
    }
    trail.add("releases", "rulebook_released.v1", told, basis={**trail.basis, "rulebook": "none"})
    law = published(desk, trail, make.RULES | STANDING | {"rulebooks": {digest: text}})
    return law | {f"texts/{digest}": text.encode()}


@pytest.mark.parametrize(("hours", "faults"), [(23, set()), (25, {"late_unmarked"})])
def test_a_late_record_without_its_mark(desk: Desk, trail: Trail, hours: int, faults: set[str]) -> None:
    texts = with_rulebook(desk, trail, "24h")
    trail.at += timedelta(seconds=1)
    early = make.stamp(trail.at + timedelta(seconds=1) - timedelta(hours=hours))
    basis = {**trail.basis, "calendar": "weekdays"}
    trail.add(STREAM, "work_noted.v1", {"what": "x"}, occurred_at=early, basis=basis)

    assert desk.check(make.files_of(trail) | texts).faults == faults


def test_a_late_record_that_no_rulebook_judges(desk: Desk, trail: Trail) -> None:
    early = make.stamp(trail.at - 3 * DAY)
    trail.add(STREAM, "work_noted.v1", {"what": "x"}, occurred_at=early)

    report = desk.check(make.files_of(trail))

    assert (report.result, report.codes) == ("pass", {"late_unjudged"})


def test_a_late_record_with_its_mark(desk: Desk, trail: Trail) -> None:
    early = make.stamp(trail.at - 3 * DAY)
    trail.add(STREAM, "work_noted.v1", {"what": "x"}, occurred_at=early, backfill=True)

    report = desk.check(make.files_of(trail))

    assert (report.result, report.codes) == ("pass", {"recorded_late"})


def spread(days: int) -> Trail:
    """A log with an event every six hours."""
    trail = Trail().open()
    for n in range(4 * days):
        trail.at += timedelta(hours=6)
        trail.add(case(n), "work_noted.v1", {"what": "x"})
    return trail


def heads_every(trail: Trail, step: int, after: timedelta = timedelta(minutes=1)) -> dict[str, bytes]:
    files = {}
    for size in range(step, trail.size, step):
        at = make.recorded(trail.entries[size - 1]) + after
        files[f"heads/{size}"] = make.signed(make.checkpoint(trail.hashes(size)), at).encode()
    return files


def test_heads_that_came_as_soon_as_promised(desk: Desk) -> None:
    trail = spread(10)

    assert desk.check(make.files_of(trail) | heads_every(trail, 3)).findings == []


def test_heads_that_came_later_than_promised(desk: Desk) -> None:
    trail = spread(10)

    report = desk.check(make.files_of(trail) | heads_every(trail, 10))

    assert report.faults == {"cosigned_late"}
    assert report.of("cosigned_late")["index"] == 1


def test_heads_that_came_late_before_a_policy_was_adopted(desk: Desk) -> None:
    trail = spread(10)
    trail.add(LOG_STREAM, "policy_adopted.v1", adoption())
    texts = {f"texts/{adoption()['digest']}": make.policy().encode()}

    report = desk.check(make.files_of(trail) | texts)

    assert "cosigned_before_policy" in report.codes
    assert report.faults == set()


def test_an_event_that_claims_to_be_older_than_the_head_before_it(desk: Desk) -> None:
    trail = spread(10)
    trail.add("late", "work_noted.v1", {"what": "x"}, **dict.fromkeys(
        ("recorded_at", "occurred_at"), make.stamp(trail.at - 5 * DAY)))  # fmt: skip

    report = desk.check(make.files_of(trail) | heads_every(trail, 3))

    assert report.faults == {"backdated", "clock_backwards"}


def test_an_event_that_claims_to_be_younger_than_its_head(desk: Desk, trail: Trail) -> None:
    report = desk.check(head(trail, LOG_KEY, *BOARDS, at=-timedelta(minutes=30)))

    assert "recorded_after_head" in report.faults


def test_events_that_were_there_before_the_log(desk: Desk, trail: Trail) -> None:
    late = Trail(at=BEGIN + 30 * DAY).open()
    late.at = BEGIN
    late.matters(3)

    report = desk.check(make.files_of(late, at=BEGIN + 30 * DAY + timedelta(hours=1)))

    assert (report.result, report.codes) == ("pass", {"before_log"})


def test_a_log_that_no_board_cosigns(desk: Desk, trail: Trail) -> None:
    desk.policy.write_text(make.policy(boards=()))

    report = desk.check(head(trail, LOG_KEY) | {"policy": make.policy(boards=()).encode()})

    assert (report.result, report.codes) == ("pass", {"no_cosign_times"})


def test_a_head_from_the_future(desk: Desk) -> None:
    trail = Trail(at=BEGIN + 3650 * DAY).open().matters(2)

    assert desk.check(make.files_of(trail)).faults == {"head_from_future"}


# -- what the log says of itself --------------------------------------------------------------------------------------


def adoption(text: str = make.policy()) -> make.Json:
    digest = make.hashlib.sha256(text.encode()).hexdigest()
    return {"digest": digest, "log_keys": [LOG_KEY.vkey], "witnesses": [], "k": 2, "n": 3, "delay_hours": 24}


def test_a_log_without_its_opening(desk: Desk) -> None:
    assert "genesis_missing" in desk.check(make.files_of(Trail().matters(3))).faults


def test_the_opening_of_another_log(desk: Desk) -> None:
    assert "genesis_wrong" in desk.check(make.files_of(Trail().open(origin="elsewhere"))).faults


def test_a_second_opening(desk: Desk, trail: Trail) -> None:
    assert "genesis_wrong" in desk.check(make.files_of(trail.open())).faults


def test_a_policy_that_the_log_adopted(desk: Desk, trail: Trail) -> None:
    trail.add(LOG_STREAM, "policy_adopted.v1", adoption())
    texts = {f"texts/{adoption()['digest']}": make.policy().encode()}

    report = desk.check(make.files_of(trail) | texts)

    assert (report.result, report.codes) == ("pass", {"policy_adopted"})


def test_a_policy_sent_that_the_log_did_not_adopt(desk: Desk, trail: Trail) -> None:
    other = make.policy(k=3)
    trail.add(LOG_STREAM, "policy_adopted.v1", adoption(other))
    texts = {f"texts/{adoption(other)['digest']}": other.encode()}

    assert desk.check(make.files_of(trail) | texts).faults == {"policy_not_adopted"}


def test_a_text_that_did_not_come_along(desk: Desk, trail: Trail) -> None:
    trail.add(LOG_STREAM, "policy_adopted.v1", adoption())

    assert desk.check(make.files_of(trail)).faults == {"text_missing"}


def test_a_text_that_is_not_that_of_its_digest(desk: Desk, trail: Trail) -> None:
    trail.add(LOG_STREAM, "policy_adopted.v1", adoption())

    assert desk.check(make.files_of(trail) | {f"texts/{adoption()['digest']}": b"other"}).faults == {
        "text_differs"
    }


def key_change(
    trail: Trail, *signers: make.Signer, head: str | None = None, old: int = 0
) -> tuple[dict[str, bytes], str]:
    """The bundle of a log that changed its key, and a policy that knows both keys."""
    other = make.Signer("second", 1)
    text = make.signed(head or make.checkpoint(trail.hashes()), trail.at, signers or (LOG_KEY, other))
    trail.add(LOG_STREAM, "log_key_changed.v1", {"old": LOG_KEY.vkey, "new": other.vkey, "head": text})
    return make.files_of(trail, old), make.policy().replace("witness B1", f"log {other.vkey}\nwitness B1")


ELSEWHERE = {
    "of another log": lambda trail: make.checkpoint(trail.hashes(), "another.example/log"),
    "of a later size": lambda trail: make.checkpoint([*trail.hashes(), bytes(32), bytes(32)]),
    "of another tree": lambda trail: make.checkpoint([*trail.hashes(20), bytes(32)]),
    "of another whole tree": lambda trail: make.checkpoint([*trail.hashes()[:-1], bytes(32)]),
}


@pytest.mark.parametrize("which", ELSEWHERE)
def test_a_key_of_the_log_that_was_changed_on_a_head(desk: Desk, trail: Trail, which: str) -> None:
    files, policy = key_change(trail, head=ELSEWHERE[which](trail))
    desk.policy.write_text(policy)

    assert desk.check(files | {"policy": policy.encode()}).faults == {"log_key_unproven"}


@pytest.mark.parametrize("size", [1, 255, 256, 257, 300])
def test_a_key_of_the_log_that_was_changed_on_an_earlier_head(desk: Desk, size: int) -> None:
    trail = Trail().open().matters(100, events=4)
    files, policy = key_change(trail, head=make.checkpoint(trail.hashes(size)))
    desk.policy.write_text(policy)

    assert desk.check(files | {"policy": policy.encode()}).codes == {"log_key_changed"}


@pytest.mark.parametrize(("size", "codes"), [(20, {"log_key_head_unseen"}), (30, set()), (40, set())])
def test_a_key_of_the_log_that_was_changed_where_a_month_begins(
    desk: Desk, size: int, codes: set[str]
) -> None:
    trail = Trail().open().matters(10, events=3)
    desk.month(make.files_of(trail) | {}, "--policy", desk.policy)
    seen = trail.size
    assert seen == 31
    trail.matters(5, begin=50)
    files, policy = key_change(trail, head=make.checkpoint(trail.hashes(size + (size == 30))), old=seen)
    desk.policy.write_text(policy)

    assert desk.month(files | {"policy": policy.encode()}).codes == {"log_key_changed"} | codes


def test_a_key_of_the_log_that_was_changed_properly(desk: Desk, trail: Trail) -> None:
    files, policy = key_change(trail)
    desk.policy.write_text(policy)

    assert desk.check(files | {"policy": policy.encode()}).codes == {"log_key_changed"}


def test_a_key_of_the_log_that_only_the_old_key_vouches_for(desk: Desk, trail: Trail) -> None:
    files, policy = key_change(trail, LOG_KEY)
    desk.policy.write_text(policy)

    assert desk.check(files | {"policy": policy.encode()}).faults == {"log_key_unproven"}


def test_a_key_of_the_log_that_the_policy_does_not_know(desk: Desk, trail: Trail) -> None:
    files, _ = key_change(trail)

    assert desk.check(files).faults == {"log_key_other"}


def test_a_board_that_fell_silent(desk: Desk, trail: Trail) -> None:
    silent = {"witness": "B3", "since": make.stamp(BEGIN), "size": 7, "root": "x", "last_size": 0}
    trail.add(LOG_STREAM, "witness_silent.v1", silent)

    report = desk.check(head(trail, LOG_KEY, BOARDS[0], BOARDS[1]))

    assert (report.result, report.codes) == ("pass", {"witness_silent", "witness_missing"})


def rulebook(trail: Trail, since: timedelta) -> dict[str, bytes]:
    digest = make.hashlib.sha256(b"the rules").hexdigest()
    told = {
        "digest": digest,
        "in_force_from": make.stamp(trail.at + since),
        "name": "demo/2",
        "use": "cases",
        "zone": "X",
    }
    trail.add("releases", "rulebook_released.v1", told)
    return make.files_of(trail) | {f"texts/{digest}": b"the rules"}


def test_rules_that_changed(desk: Desk, trail: Trail) -> None:
    report = desk.check(rulebook(trail, DAY))

    assert (report.result, report.codes) == ("pass", {"rulebook_released"})
    assert "demo/2" in report.findings[0]["zh"]


def test_rules_for_time_already_past(desk: Desk, trail: Trail) -> None:
    assert desk.check(rulebook(trail, -DAY)).faults == {"rulebook_backdated"}


def grid_map(trail: Trail, since: timedelta) -> dict[str, bytes]:
    told = {"name": "guihua/2026.1", "digest": "0" * 64, "in_force_from": make.stamp(trail.at + since)}
    trail.add("releases", "map_released.v1", told)
    return make.files_of(trail)


def test_a_map_that_was_released(desk: Desk, trail: Trail) -> None:
    report = desk.check(grid_map(trail, DAY))

    assert (report.result, report.codes) == ("pass", {"map_released"})
    assert "guihua/2026.1" in report.findings[0]["zh"]


def test_a_map_for_time_already_past(desk: Desk, trail: Trail) -> None:
    assert desk.check(grid_map(trail, -DAY)).faults == {"map_backdated"}


def channel(trail: Trail, **changed: object) -> dict[str, bytes]:
    """A way out of the house that was opened, changed and closed."""
    told = {
        "subscription": "s1", "channel": "webhook", "person": case(7), "body": "hotline", "post": "intake_officer",
        "source": None, "types": ["progress", "leg_*"], "receiver": "https://gateway.example", "address": "0" * 64,
        "ground": None, "secret": "0" * 16,
    }  # fmt: skip
    trail.add("register", "subscription_made.v1", told | changed)
    trail.add("register", "subscription_secret_changed.v1",
              {"subscription": "s1", "secret": "1" * 16, "old_until": make.stamp(trail.at)})  # fmt: skip
    for name in ("paused", "resumed"):
        trail.add("register", f"subscription_{name}.v1", {"subscription": "s1"})
    trail.add("register", "subscription_ended.v1", {"subscription": "s1", "why": "by_hand"})
    return make.files_of(trail)


def test_a_channel_out_of_the_house(desk: Desk, trail: Trail) -> None:
    report = desk.check(channel(trail))

    assert (report.result, report.codes) == (
        "pass", {"subscription_made", "subscription_changed", "subscription_ended"}
    )  # fmt: skip
    made = report.findings[0]
    assert all(said in made["en"] for said in ("https://gateway.example", "hotline", "progress, leg_*"))
    assert "no personal data leave" in made["en"]
    assert "个人信息不外送" in made["zh"]
    assert [one["en"] for one in report.findings[1:4]] == [
        "Subscription s1 has a new secret.", "Subscription s1 was paused.", "Subscription s1 was resumed."
    ]  # fmt: skip


def test_a_channel_by_which_personal_data_leave(desk: Desk, trail: Trail) -> None:
    report = desk.check(channel(trail, ground="agreement:2026-7"))

    assert "personal data leave on agreement:2026-7" in report.findings[0]["en"]
    assert "个人信息依据 agreement:2026-7 一并外送" in report.findings[0]["zh"]


@pytest.mark.parametrize("kinds", ["all", None, [1], {"all": 1}])
def test_a_channel_whose_kinds_are_no_list_of_words(desk: Desk, trail: Trail, kinds: object) -> None:
    assert "event_malformed" in desk.check(channel(trail, types=kinds)).faults


def test_a_holiday_notice(desk: Desk, trail: Trail) -> None:
    trail.add("releases", "notice_entered.v1", {"notice": "cn-2027"})

    assert desk.check(make.files_of(trail)).codes == {"notice_entered"}


def erased(trail: Trail, **changed: object) -> None:
    told = {"ground": "request", "authority": "order:7", "subject": None, "boards": [],
            "digests": [make.digest(make.disclosure(1, 1))]}  # fmt: skip
    trail.add(STREAM, "data_erased.v1", told | changed)


def test_an_erasure_with_its_ground(desk: Desk, trail: Trail) -> None:
    erased(trail)

    report = desk.check(make.files_of(trail))

    assert (report.result, report.codes) == ("pass", {"data_erased"})
    assert "order:7" in report.findings[0]["en"]


@pytest.mark.parametrize("what", ["ground", "authority"])
def test_an_erasure_without_ground_or_authority(desk: Desk, trail: Trail, what: str) -> None:
    erased(trail, **{what: ""})

    assert desk.check(make.files_of(trail)).faults == {"erased_without_ground"}


def test_data_that_were_locked(desk: Desk, trail: Trail) -> None:
    lock = {"ground": "request", "authority": "order:7", "subject": None, "retention": "long", "until": None}
    trail.add(STREAM, "data_locked.v1", lock)

    assert desk.check(make.files_of(trail)).codes == {"data_locked"}


# -- counts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "name", "code"),
    [
        ("events", "work_noted.v1", "census_types"),
        ("events", "never_there.v1", "census_types"),
        ("streams", STREAM, "census_cases"),
        ("intake", "2025-11-01 window", "intake_counter"),
        ("intake", "2025-11-02 hotline", "intake_counter"),
    ],
)
def test_a_count_of_the_office_that_the_log_does_not_bear_out(
    desk: Desk, trail: Trail, part: str, name: str, code: str
) -> None:
    told = make.census(trail.entries) | {"heads": make.heads(trail)}
    told[part][name] = told[part].get(name, 0) + 1

    assert desk.check(make.files_of(trail) | {"census.json": make.canonical(told)}).faults == {code}


@pytest.mark.parametrize("told", [{}, {"events": 7, "streams": [], "intake": None, "heads": 7}])
def test_a_census_that_says_nothing(desk: Desk, trail: Trail, told: object) -> None:
    report = desk.check(make.files_of(trail) | {"census.json": make.canonical(told)})

    assert report.faults == {"census_types", "census_cases", "intake_counter", "tail_withheld"}


# -- receipts ---------------------------------------------------------------------------------------------------------


def registered(trail: Trail, n: int = 5) -> bytes:
    return next(entry for entry in trail.entries if case(n).encode() in entry)


def test_a_promise_that_was_kept(desk: Desk, trail: Trail) -> None:
    receipt = file(desk, "r1", make.promise(registered(trail), make.recorded(registered(trail))))

    assert desk.check(make.files_of(trail), "--receipt", receipt).codes == {"promise_kept"}


def test_a_promise_that_was_broken(desk: Desk, trail: Trail) -> None:
    receipt = file(desk, "r1", make.promise(b"dropped before it was sealed", BEGIN))

    report = desk.check(make.files_of(trail, at=BEGIN + 2 * DAY), "--receipt", receipt)

    assert "promise_broken" in report.faults
    assert "r1" in report.of("promise_broken")["zh"]


def test_a_promise_whose_time_is_not_over(desk: Desk, trail: Trail) -> None:
    receipt = file(desk, "r1", make.promise(b"on its way", trail.at))

    assert desk.check(make.files_of(trail), "--receipt", receipt).codes == {"promise_pending"}


def test_a_promise_of_an_earlier_month(desk: Desk, trail: Trail) -> None:
    receipt = file(desk, "r1", make.promise(registered(trail), make.recorded(registered(trail))))
    desk.month(make.files_of(trail))
    old = trail.size
    trail.matters(5, begin=200)

    assert desk.month(make.files_of(trail, old), "--receipt", receipt).codes == {"promise_elsewhere"}


def test_a_promise_that_another_key_has_signed(desk: Desk, trail: Trail) -> None:
    forged = file(desk, "r1", make.promise(registered(trail), BEGIN, signer=make.Signer("x", 1)))
    elsewhere = file(desk, "r2", make.promise(registered(trail), BEGIN, origin="elsewhere"))

    for receipt in (forged, elsewhere):
        assert desk.check(make.files_of(trail), "--receipt", receipt).faults == {"receipt_bad"}


def test_a_proof_that_holds(desk: Desk, trail: Trail) -> None:
    receipt = file(desk, "p", make.proof(trail, 77, trail.at, size=200))

    assert desk.check(make.files_of(trail), "--receipt", receipt).codes == {"proof_holds"}


def test_a_proof_of_another_leaf(desk: Desk, trail: Trail) -> None:
    text = make.proof(trail, 77, trail.at).replace("index 77", "index 78")

    assert desk.check(make.files_of(trail), "--receipt", file(desk, "p", text)).faults == {"receipt_bad"}


def test_a_proof_whose_head_too_few_have_signed(desk: Desk, trail: Trail) -> None:
    text = make.proof(trail, 77, trail.at)
    for board in BOARDS[1:]:
        text = re.sub(f"— {board.name} .*\n", "", text)

    assert desk.check(make.files_of(trail), "--receipt", file(desk, "p", text)).faults == {"receipt_bad"}


def test_a_proof_of_a_leaf_outside_the_bundle(desk: Desk, trail: Trail) -> None:
    desk.month(make.files_of(trail))
    receipt, old = file(desk, "p", make.proof(trail, 77, trail.at)), trail.size
    trail.matters(5, begin=200)

    assert desk.month(make.files_of(trail, old), "--receipt", receipt).codes == {"proof_elsewhere"}


def test_a_proof_from_another_history_of_the_log(desk: Desk, trail: Trail) -> None:
    fork = Trail(at=BEGIN + DAY).open().matters(90)

    report = desk.check(make.files_of(trail), "--receipt", file(desk, "p", make.proof(fork, 77, trail.at)))

    assert "receipt_other_view" in report.faults


# -- disclosures ------------------------------------------------------------------------------------------------------


def disclosed(desk: Desk, *texts: str) -> tuple[str, Path]:
    return "--disclosures", file(desk, "disclosures", "\n".join(texts))


def test_disclosures_that_stand_in_the_log(desk: Desk, trail: Trail) -> None:
    every = [make.disclosure(1, step) for step in (1, 2)]

    assert desk.check(make.files_of(trail), *disclosed(desk, *every)).findings == []
    as_json = file(desk, "d.json", make.json.dumps({"disclosures": every}))
    assert desk.check(make.files_of(trail), "--disclosures", as_json).findings == []


def test_a_disclosure_that_stands_in_no_leaf(desk: Desk, trail: Trail) -> None:
    assert desk.check(make.files_of(trail), *disclosed(desk, "WyJmb3JnZWQiXQ")).faults == {
        "disclosure_unknown"
    }


def test_a_disclosure_that_may_stand_in_an_earlier_bundle(desk: Desk, trail: Trail) -> None:
    desk.month(make.files_of(trail))
    old = trail.size
    trail.matters(5, begin=200)

    report = desk.month(make.files_of(trail, old), *disclosed(desk, make.disclosure(1, 1)))

    assert (report.result, report.codes) == ("pass", {"disclosure_elsewhere"})


def test_a_value_of_an_opened_case_that_was_kept_back(desk: Desk, trail: Trail) -> None:
    report = desk.check(make.files_of(trail), *disclosed(desk, make.disclosure(1, 2)))

    assert report.faults == {"disclosure_missing"}
    assert report.of("disclosure_missing")["case"] == STREAM


def test_a_value_of_an_opened_case_that_was_lawfully_erased(desk: Desk, trail: Trail) -> None:
    erased(trail)

    assert desk.check(make.files_of(trail), *disclosed(desk, make.disclosure(1, 2))).codes == {"data_erased"}


def test_a_value_of_an_opened_case_that_is_locked(desk: Desk, trail: Trail) -> None:
    lock = {"ground": "request", "authority": "order:7", "subject": None, "retention": "long", "until": None}
    trail.add(STREAM, "data_locked.v1", lock)

    report = desk.check(make.files_of(trail), *disclosed(desk, make.disclosure(1, 2)))

    assert (report.result, report.codes) == ("pass", {"data_locked", "disclosure_locked"})


WHO, ELSE = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


@pytest.mark.parametrize(
    ("stream", "says", "faults"),
    [
        (STREAM, WHO, set()),
        (STREAM, ELSE, {"disclosure_missing"}),
        (STREAM, None, {"disclosure_missing"}),
        (case(2), WHO, {"disclosure_missing"}),
    ],
    ids=["of that person", "of another person", "of nobody, it seems", "in another case"],
)
def test_a_lock_on_one_person_s_data_excuses_no_others(
    desk: Desk, trail: Trail, stream: str, says: str | None, faults: set[str]
) -> None:
    lock = {"ground": "request", "authority": "order:7", "subject": WHO, "retention": "long", "until": None}
    trail.add(stream, "data_locked.v1", lock)
    kept, shown = make.disclosure(1, 1), make.disclosure(1, 2)
    closed = [] if says is None else [{"digest": make.digest(kept), "stream": STREAM, "subject": says}]
    told = desk.file("d.json", json.dumps({"case": STREAM, "disclosures": [shown], "closed": closed}))

    assert desk.check(make.files_of(trail), "--disclosures", told).faults == faults


@pytest.mark.parametrize("closed", [7, [7], [{}], [{"digest": 1, "subject": "x"}], ["ab"]])
def test_a_file_that_says_badly_what_it_keeps_back(desk: Desk, trail: Trail, closed: object) -> None:
    told = desk.file("d.json", json.dumps({"case": STREAM, "disclosures": [], "closed": closed}))

    assert desk.check(make.files_of(trail), "--disclosures", told).said["code"] == "disclosures_malformed"


# -- leaves withheld --------------------------------------------------------------------------------------------------


def withhold(trail: Trail, *streams: str, old: int = 0) -> dict[str, bytes]:
    """The bundle for a board that may not read these cases: hashes only."""
    files = make.files_of(trail, old)
    hidden = [b"" if any(one.encode() in entry for one in streams) else entry for entry in trail.entries]
    told = make.census([entry for entry in hidden[old:] if entry])
    told["withheld"] = sum(not entry for entry in hidden[old:])
    told["heads"] = make.heads(trail)
    told["intake"] = make.census(trail.entries[old:])["intake"]
    files |= make.entry_bundles(hidden, old) | {"census.json": make.canonical(told)}
    hashes = trail.hashes()
    for first in range(old // 256 * 256, len(hidden), 256):
        some = hashes[first : first + 256]
        files[make.tile_name(0, first // 256, len(some))] = b"".join(some)
    return files


def test_leaves_that_are_hashes_only(desk: Desk, trail: Trail) -> None:
    report = desk.check(withhold(trail, case(1), case(2)))

    assert (report.result, report.codes) == ("pass", {"withheld"})
    assert report.said["withheld"] == 6


def test_a_leaf_withheld_that_the_office_did_not_own_up_to(desk: Desk, trail: Trail) -> None:
    files = withhold(trail, case(1)) | {"census.json": make.canonical(make.census(trail.entries))}

    assert desk.check(files).faults >= {"census_withheld", "census_cases"}


def test_a_hash_in_place_of_a_leaf_that_is_not_its_hash(desk: Desk, trail: Trail) -> None:
    files = withhold(trail, case(1))
    name = make.tile_name(0, 0, 256)
    files[name] = files[name][:64] + bytes(32) + files[name][96:]

    assert "root_mismatch" in desk.check(files).faults


def test_a_case_that_comes_into_a_board_s_view(desk: Desk, trail: Trail) -> None:
    assert desk.month(withhold(trail, case(1))).result == "pass"
    old = trail.size
    trail.add(case(1), "work_noted.v1", {"what": "x"})

    report = desk.month(make.files_of(trail, old))

    assert (report.result, report.codes) == ("pass", {"came_into_view"})
    assert report.of("came_into_view")["case"] == case(1)


@pytest.mark.parametrize("stream", make.STANDING)
@pytest.mark.parametrize("old", [False, True], ids=["since genesis", "in a month"])
def test_the_end_of_a_stream_that_every_board_reads_is_kept_back(
    desk: Desk, trail: Trail, stream: str, old: bool
) -> None:
    trail.add(stream, "work_noted.v1", {"what": "shown"})
    law = published(desk, trail, make.RULES | STANDING)
    seen = trail.size if old else 0
    if old:
        assert desk.month(make.files_of(trail) | law).result == "pass"
    hidden = trail.add(stream, "work_noted.v1", {"what": "kept back"})
    files = withhold(trail, hidden.decode(), old=seen) | law

    report = desk.month(files)

    assert (report.faults, report.of("tail_withheld")["case"]) == ({"tail_withheld"}, stream)


def test_a_census_that_says_nothing_of_where_streams_end(desk: Desk, trail: Trail) -> None:
    told = make.canonical(make.census(trail.entries))

    assert desk.check(make.files_of(trail) | {"census.json": told}).faults == {"tail_withheld"}


def test_a_promise_is_found_among_leaves_withheld(desk: Desk, trail: Trail) -> None:
    receipt = file(desk, "r1", make.promise(registered(trail, 1), make.recorded(registered(trail, 1))))

    assert "promise_kept" in desk.check(withhold(trail, case(1)), "--receipt", receipt).codes


# -- what came along --------------------------------------------------------------------------------------------------


def test_a_file_of_unknown_name_is_not_opened(desk: Desk, trail: Trail) -> None:
    assert desk.check(make.files_of(trail) | {"letter.pdf": b"x"}).codes == {"member_unknown"}


def test_a_time_stamp_is_not_passed_over_in_silence(desk: Desk, trail: Trail) -> None:
    assert desk.check(make.files_of(trail) | {"tsr/301.tsr": b"x"}).codes == {"time_stamp_unchecked"}


LAX = make.RULES | {"record_within_seconds": 10**12}


def lax(trail: Trail) -> dict[str, bytes]:
    """The trail's bundle with a law that lets more pass."""
    return make.files_of(trail) | {"rules.json": make.canonical(LAX)}


def unpinned(desk: Desk, files: dict[str, bytes], *arguments: object) -> Report:
    """The verdict of a board that has no process law of its own."""
    return run(desk.zip(files), "--policy", desk.policy, *arguments)


def test_a_law_that_no_board_has_resolved_on(desk: Desk, trail: Trail) -> None:
    report = unpinned(desk, make.files_of(trail), "--state", desk.state)

    assert (report.result, report.codes) == ("pass", {"rules_unpinned"})
    assert unpinned(desk, make.files_of(trail), "--state", desk.state).codes == {"rules_unpinned"}
    assert desk.month(make.files_of(trail)).codes == set()
    assert unpinned(desk, make.files_of(trail), "--state", desk.state).codes == set()


def test_a_law_that_the_log_did_not_publish(desk: Desk, trail: Trail) -> None:
    assert unpinned(desk, lax(trail)).faults == {"rules_differ"}


def test_a_log_that_published_no_law(desk: Desk) -> None:
    trail = Trail().open(rules=None).matters(3)

    assert desk.check(make.files_of(trail)).faults == {"rules_differ"}


def test_a_law_that_is_not_the_board_s_own(desk: Desk) -> None:
    trail = Trail().open(rules=make.law_digest(LAX)).matters(3)

    report = desk.check(lax(trail))

    assert report.faults == {"rules_not_own"}
    assert report.said["digests"]["rules"] == make.law_digest()


@pytest.mark.parametrize("whole", [True, False], ids=["since genesis", "in a month"])
def test_another_law_of_a_later_release(desk: Desk, trail: Trail, whole: bool) -> None:
    unpinned(desk, make.files_of(trail), "--state", desk.state)
    seen = trail.size
    trail.add(LOG_STREAM, "rules_published.v1", {"digest": make.law_digest(LAX)})
    files = make.files_of(trail, 0 if whole else seen) | {"rules.json": make.canonical(LAX)}
    state = [] if whole else ["--state", desk.state]

    assert unpinned(desk, files, *state).faults == (set() if whole else {"rules_changed"})
    own = desk.file("own", json.dumps(LAX))
    assert unpinned(desk, files, "--rules", own, *state).codes == {"rules_published"}
    assert unpinned(desk, make.files_of(trail), "--rules", own).faults == {"rules_differ", "rules_not_own"}


def test_a_law_that_only_a_case_published(desk: Desk, trail: Trail) -> None:
    trail.add(STREAM, "rules_published.v1", {"digest": make.law_digest(LAX)})

    assert "rules_differ" in unpinned(desk, lax(trail)).faults


def test_rules_and_schema_that_changed_since_the_last_bundle(desk: Desk, trail: Trail) -> None:
    desk.month(make.files_of(trail))
    schema, rules = make.SCHEMA | {"more": 1}, make.RULES | {"misses": ["due_missed.v1"]}
    changed = {"schema.json": make.canonical(schema), "rules.json": make.canonical(rules)}

    report = unpinned(desk, make.files_of(trail) | changed, "--state", desk.state)

    assert report.faults == {"rules_changed", "rules_differ"}
    assert "schema_changed" in report.codes
    assert not report.said["state_saved"]


def test_another_law_that_the_board_has_resolved_on(desk: Desk, trail: Trail) -> None:
    desk.month(make.files_of(trail))
    trail.add(LOG_STREAM, "rules_published.v1", {"digest": make.law_digest(LAX)})

    assert unpinned(desk, lax(trail), "--state", desk.state, "--accept").said["state_saved"]
    assert unpinned(desk, lax(trail), "--state", desk.state).result == "pass"


def test_a_report_names_the_law_by_its_digest(
    desk: Desk, trail: Trail, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = desk.check(make.files_of(trail)).said["digests"]["rules"]

    main([str(desk.zip(make.files_of(trail)))])

    assert f"rules.json      {digest}" in capsys.readouterr().out


def test_a_report_says_first_that_clocks_and_posts_were_not_checked(
    desk: Desk, trail: Trail, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = with_rulebook(desk, trail, "24h")
    monkeypatch.setitem(sys.modules, "tomllib", None)  # a Python older than 3.11

    status = main([str(desk.zip(make.files_of(trail) | texts))])

    lines = capsys.readouterr().out.splitlines()
    assert status == 0
    assert "CLOCKS AND POSTS WERE NOT CHECKED" in lines[1]
    assert "PASS (" in lines[-1]
    assert "CLOCKS AND POSTS NOT CHECKED" in lines[-1]


def test_a_rulebook_more_is_no_other_law(desk: Desk, trail: Trail) -> None:
    desk.month(make.files_of(trail))
    rules = make.canonical(make.RULES | {"rulebooks": {"0" * 64: "text"}, "digest": "another"})

    assert desk.month(make.files_of(trail) | {"rules.json": rules}).findings == []


def test_a_bundle_that_overlaps_what_was_checked(desk: Desk, trail: Trail) -> None:
    desk.month(make.files_of(trail))
    trail.matters(5, begin=200)

    report = desk.month(make.files_of(trail, 100))

    assert (report.result, report.codes) == ("pass", {"census_skipped"})
    assert report.said["leaves"] == 15


# -- the house's own order --------------------------------------------------------------------------------------------

VERIFIER = Path(__file__).resolve().parents[2] / "adapters" / "bundle" / "verify.py"


def test_every_finding_that_the_verifier_can_make_has_a_test() -> None:
    source = VERIFIER.read_text(encoding="utf-8")
    own = re.sub(r"# ==== the law again ====.*?# ==== end of the law ====", "", source, flags=re.DOTALL)
    said = set(
        re.findall(
            r'(?:fail|note|Leaf|_say|_compare|Stop|Finding)\(\s*(?:\w+(?:\.\w+)*, \w+(?:\.\w+)*, )?"([a-z_]{5,})"',
            own,
        )
    )
    here = Path(__file__)
    tests = [here, *(here.with_name(f"test_verify_{one}.py") for one in ("stamps", "census", "keeping"))]
    tested = {
        code for one in tests for code in re.findall(r'"([a-z_]{5,})"', one.read_text(encoding="utf-8"))
    }

    assert len(said) > 60
    assert said - tested == set()
