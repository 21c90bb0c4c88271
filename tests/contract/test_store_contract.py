"""The port EventStore: what every adapter must do, alone in its process."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.store import open_store
from adapters.store.postgres import PostgresStore
from adapters.store.sqlite import SqliteStore
from domain.refusal import Conflict, Refused
from tests.contract.store_world import answered, batch, events, new_id, one, sealed_row, text
from workflows.ports import AlreadyAnswered, Append, Batch, ClockAhead, ClockBehind, Reference, ReferenceTaken

Store = SqliteStore | PostgresStore


def test_an_event_comes_back_with_the_very_bytes_that_were_appended(store: Store) -> None:
    stream, written = new_id(), events(3)
    positions = store.append(batch(Append(stream, 0, written)))
    loaded = store.load(stream)
    assert [(e.type, e.body) for e in loaded] == list(written)
    assert [e.version for e in loaded] == [1, 2, 3]
    assert tuple(e.position for e in loaded) == positions
    assert {e.stream for e in loaded} == {stream}


def test_a_stream_loads_from_a_version_on(store: Store) -> None:
    stream = new_id()
    store.append(one(stream, count=5))
    assert [e.version for e in store.load(stream, after=3)] == [4, 5]


def test_an_unknown_stream_is_empty(store: Store) -> None:
    assert store.load(new_id()) == []


def test_versions_are_told_of_several_streams_at_once_in_the_order_asked(store: Store) -> None:
    first, second = new_id(), new_id()
    store.append(one(first, count=3))
    store.append(one(second, count=1))
    assert store.versions((second, new_id(), first)) == (1, 0, 3)
    assert store.versions(()) == ()


def test_an_empty_store_has_head_zero(store: Store) -> None:
    assert store.head() == 0
    assert store.read(0, 10) == []


@pytest.mark.parametrize("after", [0, 1, 3, 99])
def test_an_append_that_does_not_follow_the_newest_version_is_a_conflict(store: Store, after: int) -> None:
    stream = new_id()
    store.append(one(stream, count=2))
    with pytest.raises(Conflict):
        store.append(one(stream, after=after))
    assert len(store.load(stream)) == 2


def test_an_append_to_an_unknown_stream_after_some_version_is_a_conflict(store: Store) -> None:
    with pytest.raises(Conflict):
        store.append(one(new_id(), after=1))
    assert store.head() == 0


def test_a_conflict_in_one_of_two_streams_leaves_both_as_they_were(store: Store) -> None:
    parent, child = new_id(), new_id()
    store.append(one(parent))
    whole = Batch(
        (Append(child, 0, events()), Append(parent, 0, events())),
        datetime.now(UTC),
        answered("the-key"),
        (Reference("12345", "digest", child),),
        (sealed_row(child),),
        (text("a rulebook"),),
    )
    with pytest.raises(Conflict):
        store.append(whole)
    assert store.load(child) == []
    assert len(store.load(parent)) == 1
    assert store.answered("window", "the-key") is None
    assert store.find("12345", "digest") is None
    assert store.sealed(child) == []
    assert store.text(whole.texts[0].digest) is None


def test_one_batch_writes_two_streams_together(store: Store) -> None:
    parent, child = new_id(), new_id()
    store.append(one(parent))
    positions = store.append(batch(Append(parent, 1, events(2)), Append(child, 0, events(1))))
    written = store.load(parent, after=1) + store.load(child)
    assert tuple(e.position for e in written) == positions


def test_the_row_of_a_decided_command_comes_back_whole(store: Store) -> None:
    whole = one(new_id(), key="the-key")
    store.append(whole)
    assert store.answered("window", "the-key") == whole.answered
    assert store.answered("window", "another-key") is None
    assert store.answered("another-client", "the-key") is None


def test_a_refusal_may_be_answered_without_any_event(store: Store) -> None:
    assert store.append(batch(key="refused")) == ()
    assert store.answered("window", "refused") is not None


def test_the_answers_to_several_keys_are_those_to_each_and_of_no_other_client(store: Store) -> None:
    store.append(batch(key="one"))
    store.append(one(new_id(), key="two"))

    found = store.answers("window", ["two", "nobody's", "one"])

    assert found == {key: store.answered("window", key) for key in ("one", "two")}
    assert store.answers("counter", ["one", "two"]) == {}
    assert store.answers("window", []) == {}


def test_the_same_key_again_is_already_answered_and_writes_nothing(store: Store) -> None:
    first, second = new_id(), new_id()
    store.append(one(first, key="the-key"))
    with pytest.raises(AlreadyAnswered):
        store.append(one(second, key="the-key"))
    assert store.load(second) == []


def test_a_repeat_is_recognised_even_when_the_case_has_moved_on_and_the_clock_lags(store: Store) -> None:
    stream = new_id()
    store.append(one(stream, key="the-key"))
    store.append(one(stream, after=1))
    with pytest.raises(AlreadyAnswered):
        store.append(one(stream, key="the-key", at=datetime.now(UTC) - timedelta(hours=1)))


def test_a_reference_finds_its_case(store: Store) -> None:
    stream = new_id()
    store.append(one(stream, references=[Reference("12345", "d1", stream), Reference("12345", "d2", stream)]))
    assert store.find("12345", "d2") == stream
    assert store.find("another-source", "d2") is None


def test_a_reference_belongs_to_one_case_only(store: Store) -> None:
    first, second = new_id(), new_id()
    store.append(one(first, references=[Reference("12345", "d1", first)]))
    with pytest.raises(ReferenceTaken):
        store.append(one(second, references=[Reference("12345", "d1", second)]))
    assert store.find("12345", "d1") == first
    assert store.load(second) == []


def test_sealed_values_come_back_per_case(store: Store) -> None:
    stream, other = new_id(), new_id()
    rows = [sealed_row(stream), sealed_row(stream)]
    store.append(one(stream, sealed=[*rows, sealed_row(other)]))
    assert sorted(store.sealed(stream)) == sorted(rows)


def test_a_text_is_kept_by_its_digest_and_may_be_sent_again(store: Store) -> None:
    rulebook = text("[clocks]\nsign = '1 h'  # 首次联系")
    store.append(one(new_id(), texts=[rulebook]))
    store.append(one(new_id(), texts=[rulebook]))
    assert store.text(rulebook.digest) == rulebook.text
    assert store.text("unknown") is None


def test_a_text_under_another_digest_than_its_own_is_not_stored(store: Store) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        store.append(one(new_id(), texts=[text("a")._replace(text="b")]))
    assert store.head() == 0


def test_a_clock_more_than_a_second_behind_the_newest_event_is_refused(store: Store) -> None:
    now = datetime.now(UTC)
    store.append(one(new_id(), at=now))
    late = new_id()
    with pytest.raises(ClockBehind):
        store.append(one(late, at=now - timedelta(seconds=1, microseconds=1)))
    assert store.load(late) == []
    store.append(one(late, at=now - timedelta(seconds=1)))
    assert len(store.load(late)) == 1


def test_a_clock_far_ahead_of_the_servers_writes_nothing_and_holds_nobody_up(store: Store) -> None:
    """Of a machine with a database server beside it; a file's clock is that of its own machine."""
    ahead, honest = new_id(), new_id()
    early = one(ahead, at=datetime.now(UTC) + timedelta(seconds=30))
    if isinstance(store, SqliteStore):
        store.append(early)
        return

    with pytest.raises(ClockAhead):
        store.append(early)
    outcomes = store.append_all([one(honest), early, one(new_id())])

    assert [type(one) for one in outcomes] == [tuple, ClockAhead, tuple]
    assert (len(store.load(ahead)), len(store.load(honest))) == (0, 1)
    store.append(one(ahead, at=datetime.now(UTC) + timedelta(seconds=4)))


def test_many_small_steps_back_do_not_carry_the_clock_back(store: Store) -> None:
    now = datetime.now(UTC)
    store.append(one(new_id(), at=now))
    store.append(one(new_id(), at=now - timedelta(seconds=0.9)))
    with pytest.raises(ClockBehind):
        store.append(one(new_id(), at=now - timedelta(seconds=1.8)))


def test_reading_gives_all_streams_in_order_in_batches(store: Store) -> None:
    for _ in range(10):
        store.append(one(new_id(), count=3))
    seen, position = [], 0
    while page := store.read(position, 7):
        seen += page
        position = page[-1].position
    assert len(seen) == 30
    assert [e.position for e in seen] == sorted({e.position for e in seen})
    assert store.head() == seen[-1].position


def test_what_was_known_at_a_moment_ends_with_the_last_event_recorded_by_then(store: Store) -> None:
    start = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    moments = [
        start,
        start + timedelta(minutes=1),
        start + timedelta(seconds=59.5),
        start + timedelta(hours=1),
    ]
    positions = [store.append(one(new_id(), at=moment))[0] for moment in moments]
    assert store.known_at(start - timedelta(microseconds=1)) == 0
    assert store.known_at(start) == positions[0]
    # recorded at 59.5 s, but after one of 60 s: known with the running maximum
    assert store.known_at(start + timedelta(seconds=59.9)) == positions[0]
    assert store.known_at(start + timedelta(minutes=1)) == positions[2]
    assert store.known_at(start + timedelta(days=1)) == positions[3]


def test_many_batches_go_in_one_transaction_each_by_itself(store: Store) -> None:
    taken, fresh = new_id(), new_id()
    store.append(one(taken, key="the-key"))
    outcomes = store.append_all(
        [one(fresh), one(taken), one(new_id(), key="the-key"), one(new_id(), count=2)]
    )
    assert isinstance(outcomes[1], Conflict)
    assert isinstance(outcomes[2], AlreadyAnswered)
    assert outcomes[0] == (store.load(fresh)[0].position,)
    assert isinstance(outcomes[3], tuple)
    assert len(outcomes[3]) == 2
    assert store.head() == outcomes[3][1]


def test_of_two_batches_for_the_same_version_in_one_call_the_second_is_the_conflict(store: Store) -> None:
    stream = new_id()
    first, second = store.append_all([one(stream), one(stream)])
    assert isinstance(first, tuple)
    assert isinstance(second, Conflict)


def test_what_cannot_be_stored_ruins_nobody_elses_batch(store: Store) -> None:
    good, bad = new_id(), new_id()
    row = sealed_row(bad)
    outcomes = store.append_all([one(good), one(bad, sealed=[row, row]), one("\ud800"), one(new_id())])
    assert [isinstance(outcome, tuple) for outcome in outcomes] == [True, False, False, True]
    assert len(store.load(good)) == 1
    assert store.load(bad) == []


def test_waiting_ends_when_another_opener_appends(store: Store, open_again: Callable[[], Store]) -> None:
    other = open_again()
    timer = threading.Timer(0.2, lambda: other.append(one(new_id())))
    timer.start()
    assert store.wait(0, timeout=3600)  # longer than a test may last
    timer.join()


def test_waiting_gives_up_after_its_time(store: Store) -> None:
    started = time.monotonic()
    assert not store.wait(store.head(), timeout=0.2)
    assert time.monotonic() - started > 0.15


def test_waiting_for_what_is_there_returns_at_once(store: Store) -> None:
    store.append(one(new_id()))
    assert store.wait(0, timeout=0)


def test_the_epoch_stays_until_it_is_renewed(store: Store, open_again: Callable[[], Store]) -> None:
    epoch = store.epoch()
    assert open_again().epoch() == epoch
    renewed = store.renew_epoch()
    assert renewed != epoch
    assert open_again().epoch() == renewed


def test_what_one_opener_wrote_another_reads(store: Store, open_again: Callable[[], Store]) -> None:
    stream = new_id()
    store.append(one(stream, count=2, key="the-key"))
    other = open_again()
    assert other.load(stream) == store.load(stream)
    with pytest.raises(AlreadyAnswered):
        other.append(one(new_id(), key="the-key"))


def test_sixteen_threads_lose_and_double_nothing(store: Store) -> None:
    shared, answers = new_id(), []

    def work() -> None:
        for _ in range(10):
            stream = new_id()
            answers.append((stream, store.append(one(stream))))
            version = len(store.load(shared))
            try:
                answers.append((shared, store.append(one(shared, after=version))))
            except Conflict:
                continue

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    written = [(e.stream, (e.position,)) for e in store.read(0, 1000)]
    assert sorted(written) == sorted(answers)
    assert [e.version for e in store.load(shared)] == list(range(1, len(store.load(shared)) + 1))


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(1, 3)), max_size=12))
def test_versions_never_gap_whatever_is_tried(store: Store, tries: list[tuple[int, int, int]]) -> None:
    streams = [new_id() for _ in range(4)]
    lengths = [0] * 4
    for which, after, count in tries:
        try:
            store.append(one(streams[which], after=after, count=count))
        except Conflict:
            assert after != lengths[which]
        else:
            assert after == lengths[which]
            lengths[which] += count
    for stream, length in zip(streams, lengths, strict=True):
        assert [e.version for e in store.load(stream)] == list(range(1, length + 1))


def test_positions_are_never_given_twice_not_even_after_the_newest_events_were_deleted(store: Store) -> None:
    first = store.append(one(new_id(), count=3))
    delete_all_events(store)
    assert store.head() == 0
    assert min(store.append(one(new_id()))) > max(first)


def delete_all_events(store: Store) -> None:
    if isinstance(store, SqliteStore):
        with store.recorder._file.transaction() as connection:
            connection.execute("DELETE FROM stored_events")
    else:
        with store.recorder.datastore.transaction(commit=True) as cursor:
            cursor.execute("DELETE FROM cases.stored_events")


def test_a_store_opens_by_its_url(store_url: str, store: Store) -> None:
    stream = new_id()
    store.append(one(stream))
    url = store_url if store_url.startswith("postgresql") else f"sqlite://{store_url}"
    again = open_store(url)
    assert again.load(stream) == store.load(stream)
    again.close()


def test_a_store_in_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="file"):
        open_store("sqlite::memory:")


def test_the_librarys_database_functions_are_refused(
    pg_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "y")
    with pytest.raises(Refused) as refused:
        open_store(pg_database)
    assert refused.value.code == "db_functions_enabled"
