"""verify.html finds on the same file what verify.py finds, in the same words: each bundle here is judged by both.

The page runs no process law: what only the law says is left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests import bundle_maker as make
from tests.acceptance.page_world import Files, Given, Reader, grown, judged, reader, words
from tests.bundle_maker import BEGIN, BOARDS, LOG_KEY, LOG_STREAM, Signer, Trail, case
from tests.unit import test_verify_census as counting
from tests.unit import test_verify_keeping as keeping
from tests.unit.test_verify_findings import (
    adoption,
    channel,
    erased,
    grid_map,
    head,
    heads_every,
    key_change,
    put,
    rulebook,
    spread,
    with_entries,
    withhold,
)
from tests.unit.verify_world import Desk, run

DAY = timedelta(days=1)
STREAM = case(1)


@pytest.fixture
def board(chromium: Browser) -> Iterator[Reader]:
    with reader(chromium) as one:
        yield one


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def edited() -> Given:
    return Given(with_entries(grown(), lambda e: e.__setitem__(150, e[150].replace(b"step-1", b"step-9"))))


def one_byte() -> Given:
    def flip(entries: list[bytes]) -> None:
        leaf = bytearray(entries[77])
        leaf[-3] ^= 1
        entries[77] = bytes(leaf)

    return Given(with_entries(grown(), flip))


def swapped() -> Given:
    def swap(entries: list[bytes]) -> None:
        entries[10], entries[11] = entries[11], entries[10]

    return Given(with_entries(grown(), swap))


def own_policy(text: str) -> Callable[[], Given]:
    return lambda: Given(make.files_of(grown()), policy=text)


def signed_by(*signers: Signer) -> Callable[[], Given]:
    return lambda: Given(head(grown(), *signers))


def another_s() -> Given:
    trail = grown()
    text, elsewhere = make.checkpoint(trail.hashes()), make.checkpoint([bytes(32)])
    lines = LOG_KEY.line(text) + BOARDS[0].line(elsewhere) + BOARDS[1].line(text) + BOARDS[2].line(text)
    return Given(make.files_of(trail) | {"log/checkpoint": f"{text}\n{lines}".encode()})


def leaf(change: Callable[[bytes], bytes]) -> Callable[[], Given]:
    return lambda: Given(make.files_of(put(grown(), change)))


def added(stream: str, kind: str, pub: make.Json | None = None, **changed: object) -> Callable[[], Given]:
    def made() -> Given:
        trail = grown()
        trail.add(stream, kind, pub, **changed)
        return Given(make.files_of(trail))

    return made


def after(change: Callable[[Trail], object]) -> Callable[[], Given]:
    """An honest log, a change to where it stands, and one more event."""

    def made() -> Given:
        trail = grown()
        change(trail)
        trail.add(STREAM, "work_noted.v1", {"what": "x"})
        return Given(make.files_of(trail))

    return made


def hole(trail: Trail) -> None:
    version, last = trail.versions[STREAM]
    trail.versions[STREAM] = (version + 1, last)


def old_edge() -> Given:
    trail = grown()
    files, name = make.files_of(trail, 100), make.tile_name(0, 0, 100)
    return Given(files | {name: bytes(32) + files[name][32:]})


def adopted(text: str, sent: bytes | None) -> Callable[[], Given]:
    def made() -> Given:
        trail = grown()
        trail.add(LOG_STREAM, "policy_adopted.v1", adoption(text))
        return Given(
            make.files_of(trail) | ({} if sent is None else {f"texts/{adoption(text)['digest']}": sent})
        )

    return made


def key_changed(*signers: Signer) -> Callable[[], Given]:
    def made() -> Given:
        files, policy = key_change(grown(), *signers)
        return Given(files | {"policy": policy.encode()}, policy)

    return made


def sparse(step: int) -> Callable[[], Given]:
    def made() -> Given:
        trail = spread(10)
        return Given(make.files_of(trail) | heads_every(trail, step))

    return made


def backdated() -> Given:
    trail = spread(10)
    early = make.stamp(trail.at - 5 * DAY)
    trail.add("late", "work_noted.v1", {"what": "x"}, recorded_at=early, occurred_at=early)
    return Given(make.files_of(trail) | heads_every(trail, 3))


def miscounted(part: str, name: str) -> Callable[[], Given]:
    def made() -> Given:
        trail = grown()
        told = make.census(trail.entries) | {"heads": make.heads(trail)}
        told[part][name] = told[part].get(name, 0) + 1
        return Given(make.files_of(trail) | {"census.json": make.canonical(told)})

    return made


def receipt(text: Callable[[Trail], str], at: timedelta = timedelta(minutes=1)) -> Callable[[], Given]:
    def made() -> Given:
        trail = grown()
        return Given(make.files_of(trail, at=trail.at + at), receipts={"r1": text(trail)})

    return made


def handed_on(change: Callable[[str], str]) -> Callable[[], Given]:
    """A bundle with the proof of a leaf in it."""

    def made() -> Given:
        trail = grown()
        proof = change(make.proof(trail, 77, trail.at)).encode()
        return Given(make.files_of(trail) | {"proofs/77.tlog-proof": proof})

    return made


def erasure(**changed: object) -> Callable[[], Given]:
    def made() -> Given:
        trail = grown()
        erased(trail, **changed)
        return Given(make.files_of(trail))

    return made


def kept(change: Callable[[Trail], Trail]) -> Given:
    return Given(make.files_of(change(grown())))


def censuses(*months: int, promised: bool = True, **changed: object) -> Callable[[], Given]:
    """A log of two months and a little of the third, with these months' censuses."""

    def made() -> Given:
        trail = counting.goes_on(counting.begun(census=promised), 12, 10)
        counting.goes_on(counting.goes_on(trail, 13, 20), 13, 30, day=3)
        for month in months:
            counting.census(trail, f"{counting.first_of(month):%Y-%m}", **changed)
        return Given(counting.files(trail))

    return made


def census_withheld(**changed: object) -> Callable[[], Given]:
    def made() -> Given:
        trail = counting.census(counting.goes_on(counting.begun(census=True), 12, 10), "2025-11", **changed)
        return Given(counting.withheld(trail, case(1), case(2)))

    return made


SAME: dict[str, tuple[Callable[[], Given], str | None]] = {
    "a leaf edited": (edited, "root_mismatch"),
    "one byte of a leaf": (one_byte, "root_mismatch"),
    "two leaves swapped": (swapped, "root_mismatch"),
    "a policy that asks for all": (own_policy(make.policy(k=3)), "policy_differs"),
    "a policy of another log key": (own_policy(make.policy(log=Signer("elsewhere", 1))), "log_signature_missing"),
    "a policy of other boards": (
        own_policy(make.policy(boards=[Signer(f"other{n}.example", 4) for n in (1, 2, 3)])), "quorum_missing"),
    "a head that the log did not sign": (signed_by(*BOARDS), "log_signature_missing"),
    "too few boards": (signed_by(LOG_KEY, BOARDS[0]), "quorum_missing"),
    "one board twice": (signed_by(LOG_KEY, BOARDS[0], BOARDS[0]), "quorum_missing"),
    "strangers beside": (signed_by(Signer("stranger.example", 4), LOG_KEY, *BOARDS), None),
    "a signature of another head": (another_s, "signature_bad"),
    "the edge of the old head": (old_edge, "old_root_mismatch"),
    "a leaf cut short": (leaf(lambda one: one[:-1]), "leaf_not_json"),
    "a leaf and more": (leaf(lambda one: one + b"{}"), "leaf_not_canonical"),
    "a leaf not in UTF-8": (leaf(lambda one: b"\xff" + one), "leaf_not_json"),
    "a fraction": (leaf(lambda one: one.replace(b'"x"', b"1.0")), "leaf_not_json"),
    "an integer too large": (leaf(lambda one: one.replace(b'"x"', b"9007199254740992")), "leaf_not_json"),
    "a key twice": (leaf(lambda one: one.replace(b'"what":"x"', b'"what":"x","what":"x"')), "leaf_not_canonical"),
    "white space": (leaf(lambda one: one.replace(b'"what":"x"', b'"what": "x"')), "leaf_not_canonical"),
    "an escape": (leaf(lambda one: one.replace(b'"x"', b'"\\u0078"')), "leaf_not_canonical"),
    "half a pair": (leaf(lambda one: one.replace(b'"x"', b'"\\ud800"')), "leaf_not_canonical"),
    "a minus zero": (leaf(lambda one: one.replace(b'"x"', b"-0")), "leaf_not_canonical"),
    "a field left out": (leaf(lambda one: one.replace(b'"backfill":false,', b"")), "leaf_malformed"),
    "a number for a truth": (leaf(lambda one: one.replace(b"false", b"0")), "leaf_malformed"),
    "an event of no known type": (added(STREAM, "matter_vanished.v1"), "event_unknown"),
    "a day that never was": (
        added(STREAM, "work_noted.v1", {"what": "x"}, recorded_at="2025-11-31T00:00:00Z"), "event_malformed"),
    "a field that is not public": (added(STREAM, "work_noted.v1", {"what": "x", "more": 1}), "event_malformed"),
    "a position that falls": (after(lambda trail: setattr(trail, "position", 5)), "position_order"),
    "a hole in a case": (after(hole), "version_gap"),
    "a broken chain": (after(lambda t: t.versions.update({STREAM: (t.versions[STREAM][0], bytes(32))})), "chain_broken"),
    "a clock gone back": (after(lambda trail: setattr(trail, "at", trail.at - timedelta(seconds=9))), "clock_backwards"),
    "recorded after its head": (
        lambda: Given(head(grown(), LOG_KEY, *BOARDS, at=-timedelta(minutes=30))), "recorded_after_head"),
    "happened after recording": (
        added(STREAM, "work_noted.v1", {"what": "x"}, occurred_at=make.stamp(BEGIN + DAY)), "occurred_after_recorded"),
    "three days late, unmarked": (
        added(STREAM, "work_noted.v1", {"what": "x"}, occurred_at=make.stamp(BEGIN - 3 * DAY)), "late_unjudged"),
    "three days late, marked": (
        added(STREAM, "work_noted.v1", {"what": "x"}, occurred_at=make.stamp(BEGIN - 3 * DAY), backfill=True),
        "recorded_late"),
    "heads in time": (sparse(3), None),
    "heads too late": (sparse(10), "cosigned_late"),
    "backdated": (backdated, "backdated"),
    "a head of the future": (lambda: Given(make.files_of(Trail(at=BEGIN + 3650 * DAY).open())), "head_from_future"),
    "no opening": (lambda: Given(make.files_of(Trail().matters(3))), "genesis_missing"),
    "another's opening": (lambda: Given(make.files_of(Trail().open(origin="elsewhere"))), "genesis_wrong"),
    "leaves withheld": (lambda: Given(withhold(grown(), STREAM)), "withheld"),
    "a month alone": (lambda: Given(make.files_of(grown().matters(9), 301)), "needs_genesis"),
    "a policy adopted": (adopted(make.policy(), make.policy().encode()), "policy_adopted"),
    "another policy adopted": (adopted(make.policy(k=3), make.policy(k=3).encode()), "policy_not_adopted"),
    "a text that is missing": (adopted(make.policy(), None), "text_missing"),
    "a text of another digest": (adopted(make.policy(), b"other"), "text_differs"),
    "the log's key changed": (key_changed(), "log_key_changed"),
    "the log's key taken": (key_changed(LOG_KEY), "log_key_unproven"),
    "rules for time gone by": (lambda: Given(rulebook(grown(), -DAY)), "rulebook_backdated"),
    "a map": (lambda: Given(grid_map(grown(), DAY)), "map_released"),
    "a channel opened": (lambda: Given(channel(grown())), "subscription_made"),
    "a channel for personal data": (lambda: Given(channel(grown(), ground="law:1")), "subscription_made"),
    "a channel closed": (lambda: Given(channel(grown())), "subscription_ended"),
    "a channel of no kinds": (lambda: Given(channel(grown(), types=[1])), "event_malformed"),
    "a map for time gone by": (lambda: Given(grid_map(grown(), -DAY)), "map_backdated"),
    "censuses of two months": (censuses(11, 12), "census_taken"),
    "a census altered": (censuses(11, 12, events=40), "census_month_differs"),
    "a census without its channels": (censuses(11, 12, registrations=[]), "census_month_differs"),
    "a census too early": (censuses(11, 12, 13), "census_month_differs"),
    "a census again": (censuses(11, 12, 12), "census_month_differs"),
    "censuses left out": (censuses(), "census_month_missing"),
    "a census left out before another": (censuses(12), "census_month_missing"),
    "a census that is none": (censuses(11, month="2025-00"), "event_malformed"),
    "a census of words": (censuses(11, events="many"), "event_malformed"),
    "no census promised": (censuses(promised=False), None),
    "a census, and leaves withheld": (census_withheld(), "census_taken"),
    "a census of more than was withheld": (census_withheld(events=31), "census_month_differs"),
    "an erasure": (erasure(), "data_erased"),
    "an erasure in its term": (lambda: kept(lambda t: keeping.erase(keeping.lock(t, DAY))), "erased_in_term"),
    "an erasure of a person in the term": (
        lambda: kept(lambda t: keeping.erase(keeping.lock(t, None), keeping.WHO)), "erased_in_term"),
    "an erasure at the end of the term": (
        lambda: kept(lambda t: keeping.erase(keeping.lock(t, timedelta(0)))), "data_erased"),
    "an erasure in the term of a lifted lock": (
        lambda: kept(lambda t: keeping.erase(keeping.unlock(keeping.lock(t, DAY)))), "erased_in_term"),
    "an erasure in the term before a lock that names none": (
        lambda: kept(lambda t: keeping.erase(keeping.lock(keeping.lock(t, DAY), None, retention=""))), "erased_in_term"),
    "a lock cut short": (lambda: kept(lambda t: keeping.lock(keeping.lock(t, None), DAY)), "lock_shortened"),
    "a person locked for less than the case": (
        lambda: kept(lambda t: keeping.lock(keeping.lock(t, DAY), -40 * DAY, keeping.WHO)), "data_locked"),
    "an erasure overdue": (lambda: kept(lambda t: keeping.lock(t, -40 * DAY)), "erasure_overdue"),
    "a whole case that waits for a person": (
        lambda: kept(lambda t: keeping.lock(keeping.lock(t, -40 * DAY), DAY, keeping.WHO)), "data_locked"),
    "a lock that was lifted": (lambda: kept(lambda t: keeping.unlock(keeping.lock(t, -40 * DAY))), "data_unlocked"),
    "a lock of a matter that goes on": (added(STREAM, "matter_reopened.v1", {"ground": "x"}), None),
    "a lock of no moment": (
        added(STREAM, "data_locked.v1", {"ground": "x", "authority": "y", "subject": None, "until": "soon"}),
        "event_malformed"),
    "a claim set aside": (
        added("log", "claim_set_aside.v1", {"witness": "a", "vkey": "k", "claimed": 9, "size": 3, "root": "r"}),
        "claim_set_aside"),
    "an erasure without ground": (erasure(ground=""), "erased_without_ground"),
    "a type miscounted": (miscounted("events", "work_noted.v1"), "census_types"),
    "a case miscounted": (miscounted("streams", STREAM), "census_cases"),
    "requests miscounted": (miscounted("intake", "2025-11-01 window"), "intake_counter"),
    "a promise kept": (receipt(lambda t: make.promise(t.entries[5], make.recorded(t.entries[5]))), "promise_kept"),
    "a promise broken": (receipt(lambda t: make.promise(b"dropped", BEGIN), at=2 * DAY), "promise_broken"),
    "a promise not due": (receipt(lambda t: make.promise(b"on its way", t.at)), "promise_pending"),
    "a promise of another key": (
        receipt(lambda t: make.promise(t.entries[5], BEGIN, signer=Signer("x", 1))), "receipt_bad"),
    "a proof that holds": (receipt(lambda t: make.proof(t, 77, t.at, size=200)), "proof_holds"),
    "a proof of another leaf": (
        receipt(lambda t: make.proof(t, 77, t.at).replace("index 77", "index 78")), "receipt_bad"),
    "a proof of another history": (
        receipt(lambda t: make.proof(Trail(at=BEGIN + DAY).open().matters(90), 77, t.at)), "receipt_other_view"),
    "a time stamp": (lambda: Given(make.files_of(grown()) | {"tsr/301.tsr": b"x"}), "time_stamp_unchecked"),
    "proofs handed on": (handed_on(lambda text: text), "proof_holds"),
    "a proof handed on of another leaf": (handed_on(lambda text: text.replace("index 77", "index 7")), "receipt_bad"),
    "a file of unknown name": (lambda: Given(make.files_of(grown()) | {"letter.txt": b"x"}), "member_unknown"),
}  # fmt: skip


@pytest.mark.parametrize("what", SAME)
def test_both_verifiers_find_the_same_in_the_same_words(desk: Desk, board: Reader, what: str) -> None:
    made, code = SAME[what]

    by_python, by_page = judged(desk, board, made())

    assert words(by_page.findings) == words(by_python.findings)
    assert by_page.result == by_python.result
    assert code is None or code in by_page.codes
    for name in ("origin", "old", "new", "leaves", "withheld", "events", "digests"):
        assert by_page.said[name] == by_python.said[name]


@pytest.mark.parametrize("promised", [True, False])
def test_both_remember_the_same_of_months_that_are_not_over(
    desk: Desk, board: Reader, promised: bool
) -> None:
    trail = counting.begun(census=promised)
    trail.add(case(50), "matter_backfilled.v1", {"number": "n-50"})
    desk.month(counting.withheld(trail, case(1)))
    board.check(desk.folder / "bundle.zip", policy=desk.policy)
    memory = board.saves("memory.json", desk.folder / "memory.json")
    old = trail.size
    counting.census(counting.goes_on(counting.goes_on(trail, 12, 10), 12, 20, day=4), "2025-11", events=1)

    by_python = desk.month(counting.files(trail, old))
    by_page = [board.check(desk.folder / "bundle.zip", memory=one) for one in (memory, desk.state)]

    assert json.loads(memory.read_text("utf-8"))["census"] == desk.seen()["census"]
    assert [words(one.findings) for one in by_page] == [words(by_python.findings)] * 2
    assert by_python.faults == {"census_month_differs"}


def renamed(name: str) -> Callable[[Files], bytes]:
    return lambda files: make.zipped_bytes(files | {name: b"x"})


def twice(files: Files) -> bytes:
    return make.zipped_bytes(files | {"policz": make.policy(k=1).encode()}).replace(b"policz", b"policy")


def in_the_directory(offset: int, value: bytes) -> Callable[[Files], bytes]:
    """A zip whose central directory says something else of the policy, at this place of its entry."""

    def made(files: Files) -> bytes:
        data = bytearray(make.zipped_bytes(files))
        at = data.rindex(b"policy") - 46 + offset
        data[at : at + len(value)] = value
        return bytes(data)

    return made


UNREADABLE: dict[str, tuple[Callable[[Files], bytes], str]] = {
    "nothing": (lambda files: b"", "unreadable_zip"),
    "a letter": (lambda files: b"Dear board,", "unreadable_zip"),
    "cut at half": (lambda files: make.zipped_bytes(files)[:20_000], "unreadable_zip"),
    "cut by a byte": (lambda files: make.zipped_bytes(files)[:-1], "unreadable_zip"),
    "a name twice": (twice, "member_twice"),
    "a path upwards": (renamed("../policy"), "path_trick"),
    "a path from the root": (renamed("/etc/passwd"), "path_trick"),
    "a path on a drive": (renamed("C:/x"), "path_trick"),
    "a path of another system": (renamed("log\\checkpoint"), "path_trick"),
    "a name with a line end": (renamed("x\ny"), "path_trick"),
    "a member under lock": (in_the_directory(8, b"\1"), "unreadable_zip"),
    "an unknown compression": (in_the_directory(10, b"\x63"), "unreadable_zip"),
    "a wrong checksum": (in_the_directory(16, bytes(4)), "unreadable_zip"),
    "a member of another place": (in_the_directory(42, b"\7"), "unreadable_zip"),
    "a member too large": (lambda files: make.zipped_bytes(files | {"policy": bytes(1_048_577)}), "member_too_large"),
    "a head missing": (lambda f: make.zipped_bytes({n: d for n, d in f.items() if n != "log/checkpoint"}), "member_missing"),
    "a policy that is none": (lambda f: make.zipped_bytes(f | {"policy": b"quorum nobody"}), "policy_malformed"),
    "a head that is none": (lambda f: make.zipped_bytes(f | {"log/checkpoint": b"x"}), "head_malformed"),
    "a list for a law": (lambda f: make.zipped_bytes(f | {"rules.json": b"[]"}), "member_malformed"),
    "a law without its parts": (lambda f: make.zipped_bytes(f | {"rules.json": b"{}"}), "rules_malformed"),
    "a proof that is none": (lambda f: make.zipped_bytes(f | {"proofs/7.tlog-proof": b"x"}), "receipt_malformed"),
    "entries cut short": (
        lambda f: make.zipped_bytes(f | {make.tile_name("entries", 1, 45): b"\0"}), "member_malformed"),
}  # fmt: skip


@pytest.mark.parametrize("what", UNREADABLE)
def test_both_verifiers_refuse_the_same_for_the_same_reason(desk: Desk, board: Reader, what: str) -> None:
    made, code = UNREADABLE[what]
    path = desk.folder / "sent.zip"
    path.write_bytes(made(make.files_of(grown())))

    by_page = board.check(path, policy=desk.policy)

    assert (by_page.result, by_page.code) == ("unreadable", code)
    assert run(path, "--policy", desk.policy).code == code
