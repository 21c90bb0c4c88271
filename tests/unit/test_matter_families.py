"""Merging, splitting, parents and children: both streams are guarded by one append, and nobody is forgotten."""

from __future__ import annotations

import pytest

from domain.matter import commands as do
from domain.matter import events as ev
from domain.matter import touches
from tests.unit.matter_lives import (
    ASKER,
    CALLER,
    HANDLER,
    INTAKE,
    KINDS,
    LEADER,
    MASTER,
    SD_OFFICER,
    SECRETARY,
    SUPERVISOR,
    TO_CALLED_BACK,
    TO_CLOSED,
    TO_COMPLETED,
    TO_HANDLING,
    TO_TRIAGED,
    accepted,
    archived,
    blown,
    called_back,
    closed,
    deferring,
    handled,
    merged,
    registered,
    submitted,
    triaged,
    with_master,
)
from tests.unit.matter_world import World, resident, uid

CHILD, PARENT = uid(3), uid(1)
SPLIT = do.SplitMatter(child=CHILD, number="450305-20260302-0000003")
RESULT = do.SubmitResult(disposition="solved", evidence=1)


def family() -> World:
    return World().given(*TO_HANDLING, lambda w: w.do(INTAKE, SPLIT))


def at(world: World, case: str) -> World:
    world.case = case
    return world


def child_closed(world: World) -> World:
    at(world, CHILD).given(accepted, triaged, handled, submitted)
    world.do(CALLER, do.RecordCallback(how="site_check", solved=True))
    return at(world.given(closed), PARENT)


# -- merging


def test_a_merged_matter_ends_in_its_master_by_one_append() -> None:
    world = World().given(with_master, *TO_TRIAGED)
    decision = world.decide(INTAKE, do.MergeMatter(master=MASTER, reason="same_lamp"))

    assert [event.TYPE for event in decision.events] == ["matter_merged.v1"]
    assert [(case, event.TYPE) for case, event in decision.elsewhere] == [(MASTER, "matter_absorbed.v1")]


def test_each_requester_of_a_merged_matter_keeps_the_clock_as_it_stood() -> None:
    world = World().given(with_master).later(10).given(*TO_TRIAGED)
    before = world.state.clock("", "finish")
    assert before is not None, "it runs"
    world.later(5).given(merged)
    after = world.states[MASTER].clock(world.case, "finish")

    assert after is not None, "it goes on in the master"
    assert (after.due, after.since, after.rulebook) == (before.due, before.since, before.rulebook)


def test_the_clock_of_a_merged_matter_is_missed_in_its_master_at_its_own_moment() -> None:
    world = World().given(with_master).later(10).given(*TO_TRIAGED, merged)
    at(world, MASTER).later(46).tick()

    missed = {e.pub.owner for e in world.story if e.type == ev.DueMissed.TYPE and e.pub.stage == "finish"}
    assert missed == {"", PARENT}


def test_each_requester_of_a_merged_matter_is_called_back() -> None:
    world = World().given(with_master, *TO_TRIAGED, merged)
    at(world, MASTER).given(handled, submitted)
    said = do.RecordCallback(requester=resident(2).person, solved=True, satisfaction="satisfied")

    world.when(CALLER, said).then(ev.CallbackDone, status="completed")
    world.when(SUPERVISOR, do.CloseMatter()).refused("wrong_state")
    world.when(CALLER, said.model_copy(update={"requester": ASKER.person})).then(
        ev.CallbackDone, status="called_back"
    )


def test_a_merged_matter_keeps_its_receipt() -> None:
    world = World().given(with_master, *TO_TRIAGED, merged)

    assert world.state.number == "450305-20260302-0000001"
    world.when(ASKER, do.AddSupplement(what="urging", source="phone")).then(ev.MatterSupplemented)


def test_a_merge_is_reversed_and_the_matter_stands_where_it_stood() -> None:
    world = World().given(with_master, *TO_HANDLING)
    due = {key: clock.due for key, clock in world.state.clocks.items()}
    stopped = {key: clock.stopped for key, clock in world.state.clocks.items()}
    world.later(2).given(merged).later(3)
    world.do(INTAKE, do.ReverseMerge(master=MASTER))

    assert world.state.status == "in_handling"
    assert {key: clock.due for key, clock in world.state.clocks.items()} == due
    assert {key: clock.stopped for key, clock in world.state.clocks.items()} == stopped
    assert set(world.states[MASTER].requesters) == {resident(2).person}
    assert ASKER.person in world.state.requesters


def test_a_deferred_matter_that_was_merged_and_parted_is_still_deferred() -> None:
    world = World().given(with_master, *TO_HANDLING)
    world.do(LEADER, deferring(world))
    world.later(1).given(merged).later(1)
    world.do(INTAKE, do.ReverseMerge(master=MASTER))

    assert world.state.status == "deferred"
    assert world.state.clocks["/finish"].stopped is not None
    assert world.state.clocks["/review"].stopped is None


def test_a_merge_is_reversed_only_from_its_own_master() -> None:
    world = World().given(with_master, *TO_TRIAGED, merged)

    world.when(INTAKE, do.ReverseMerge(master=uid(8))).refused("not_its_master")


@pytest.mark.parametrize("master", [uid(1), uid(77)])
def test_nothing_is_merged_into_itself_or_into_what_does_not_exist(master: str) -> None:
    World().given(*TO_TRIAGED).when(INTAKE, do.MergeMatter(master=master, reason="same")).refused("not_found")


def test_nothing_is_merged_into_what_has_ended() -> None:
    world = at(World(), MASTER).given(*TO_CLOSED)
    at(world, PARENT).given(*TO_TRIAGED)

    world.when(INTAKE, do.MergeMatter(master=MASTER, reason="same")).refused("master_ended")


def test_nothing_is_merged_into_history_that_nobody_took_over() -> None:
    world = at(World(), MASTER)
    world.given(
        ev.MatterBackfilled(
            number="450305-20260302-B000001", source="import", opened_at=world.now, status="in_handling"
        )
    )
    at(world, PARENT).given(*TO_TRIAGED)

    world.when(INTAKE, do.MergeMatter(master=MASTER, reason="same")).refused("not_taken_over")


def test_nothing_is_merged_while_a_body_is_summoned_for_it() -> None:
    world = World().given(with_master, *TO_TRIAGED, blown(KINDS["whistle.service"]))

    world.when(INTAKE, do.MergeMatter(master=MASTER, reason="same")).refused("leg_open")


def test_a_parent_is_not_merged_while_its_child_is_open() -> None:
    world = World().given(with_master, *TO_HANDLING, lambda w: w.do(INTAKE, SPLIT))

    world.when(INTAKE, do.MergeMatter(master=MASTER, reason="same")).refused("child_open")


# -- parents and children


def test_a_split_opens_the_child_and_tells_the_parent_by_one_append() -> None:
    world = World().given(*TO_HANDLING)
    decision = world.decide(INTAKE, SPLIT)

    assert [event.TYPE for event in decision.events] == ["child_opened.v1"]
    assert [(case, event.TYPE) for case, event in decision.elsewhere] == [(CHILD, "matter_registered.v1")]
    assert touches(world.state, SPLIT) == (CHILD,)


def test_a_child_has_a_clock_of_its_own_and_knows_its_parent() -> None:
    world = family()

    assert world.states[CHILD].parent == PARENT
    assert world.states[CHILD].clock("", "accept") is not None


def test_a_child_is_not_opened_under_an_id_that_is_taken() -> None:
    family().when(INTAKE, SPLIT).refused("child_exists")


def test_a_part_is_not_split_again() -> None:
    world = at(family(), CHILD).given(accepted)

    world.when(INTAKE, do.SplitMatter(child=uid(4), number="450305-20260302-0000004")).refused(
        "child_of_child"
    )


def test_a_parent_does_not_complete_while_a_mandatory_child_is_open() -> None:
    world = family()

    world.when(SD_OFFICER, RESULT).refused("child_open")
    child_closed(world).when(SD_OFFICER, RESULT).then(ev.ResultSubmitted)


def test_a_child_that_may_wait_holds_nobody_up() -> None:
    world = World().given(*TO_HANDLING)
    world.do(INTAKE, SPLIT.model_copy(update={"mandatory": False}))

    world.when(SD_OFFICER, RESULT).then(ev.ResultSubmitted)


ENDS = {
    "refused": do.ConfirmRefusal(),
    "diverted": do.DivertMatter(to="jw"),
    "merged": do.MergeMatter(master=MASTER, reason="same"),
}


@pytest.mark.parametrize("how", ["closed", "refused", "withdrawn", "merged", "diverted"])
def test_the_end_of_a_child_is_mirrored_into_its_parent(how: str) -> None:
    world = family()
    at(world.given(with_master), CHILD)
    if how == "closed":
        child_closed(world)
    elif how == "withdrawn":
        asker = resident(6)
        world.do(asker, do.JoinRequester(requester=asker.person, source="phone"))
        world.do(asker, do.RequestWithdrawal(requester=asker.person))
        world.do(CALLER, do.ConfirmWithdrawal())
    else:
        if how == "refused":
            world.do(INTAKE, do.ProposeRefusal(ground="in_court", other_channel="court"))
        world.do(SECRETARY, ENDS[how])

    assert world.stories[PARENT][-1].type == "child_ended.v1"
    assert world.states[PARENT].children == {CHILD: False}


def test_one_of_several_requesters_leaving_a_child_does_not_end_it() -> None:
    world = at(family(), CHILD)
    for number in (5, 6):
        world.do(resident(number), do.JoinRequester(requester=resident(number).person, source="phone"))
    world.do(resident(5), do.RequestWithdrawal(requester=resident(5).person))
    world.do(CALLER, do.ConfirmWithdrawal())

    assert world.states[PARENT].children == {CHILD: True}


@pytest.mark.parametrize("state", [TO_COMPLETED, TO_CALLED_BACK])
def test_a_mandatory_child_that_comes_late_opens_its_parent_again(state: tuple[object, ...]) -> None:
    world = World().given(*state)  # type: ignore[arg-type]

    world.when(INTAKE, SPLIT).then(ev.ChildOpened, ev.MatterReopened, status="in_handling")
    assert world.story[-1].pub.ground == "late_child"


def reopen_child(world: World) -> World:
    asker = resident(6)
    at(world, CHILD).do(asker, do.ReopenMatter(ground="not_solved"))
    return at(world, PARENT)


def with_asked_child() -> World:
    world = family()
    at(world, CHILD).do(resident(6), do.JoinRequester(requester=resident(6).person, source="phone"))
    world.given(accepted, triaged, handled, submitted, called_back, closed)
    return at(world, PARENT)


@pytest.mark.parametrize(
    "steps", [(), (submitted,), (submitted, called_back), (submitted, called_back, closed)]
)
def test_a_child_that_comes_back_is_mirrored_and_opens_its_parent_again(steps: tuple[object, ...]) -> None:
    world = reopen_child(with_asked_child().given(*steps))  # type: ignore[arg-type]

    assert world.state.children == {CHILD: True}
    assert world.state.status == "in_handling"
    assert ("matter_reopened.v1" in world.types()) == bool(steps)


def test_a_child_that_comes_back_after_the_parent_was_archived_leaves_the_archive_as_it_is() -> None:
    world = reopen_child(with_asked_child().given(submitted, called_back, closed, archived))

    assert world.state.status == "archived"
    assert world.types()[-1] == "child_reopened.v1"


def test_reversing_the_merge_of_a_child_opens_it_for_its_parent_again() -> None:
    world = family().given(with_master)
    at(world, CHILD).given(merged)
    world.do(INTAKE, do.ReverseMerge(master=MASTER))

    assert world.states[PARENT].children == {CHILD: True}


def test_an_ending_child_names_its_parent_among_what_it_touches() -> None:
    world = at(family(), CHILD)

    assert touches(world.state, do.CloseMatter()) == (PARENT,)
    assert touches(world.state, do.AcceptMatter()) == ()


# -- several requesters


def test_one_of_several_requesters_withdraws_and_the_matter_goes_on_for_the_others() -> None:
    world = World().given(*TO_HANDLING)
    other = resident(5)
    world.do(other, do.JoinRequester(requester=other.person, source="phone"))
    world.do(ASKER, do.RequestWithdrawal(requester=ASKER.person))

    world.when(CALLER, do.ConfirmWithdrawal()).then(ev.RequesterWithdrew, status="in_handling")
    assert [one.id for one in world.state.owed()] == [other.person]


def test_two_requesters_who_wish_to_withdraw_are_both_heard() -> None:
    world = World().given(*TO_HANDLING)
    other = resident(5)
    world.do(other, do.JoinRequester(requester=other.person, source="phone"))
    for one in (ASKER, other):
        world.do(one, do.RequestWithdrawal(requester=one.person))

    world.when(CALLER, do.ConfirmWithdrawal(requester=other.person)).then(ev.RequesterWithdrew)
    world.when(CALLER, do.ConfirmWithdrawal()).then(ev.MatterWithdrawn, status="withdrawn")


def test_a_hazard_goes_on_when_its_last_requester_withdraws() -> None:
    world = World().given(lambda w: registered(w, kind="hazard"), accepted, triaged, handled)
    world.do(ASKER, do.RequestWithdrawal(requester=ASKER.person))
    world.when(CALLER, do.ConfirmWithdrawal()).then(ev.RequesterWithdrew, status="in_handling")

    world.given(submitted)
    world.when(CALLER, do.RecordCallback(how="site_check", solved=True)).then(
        ev.CallbackDone, status="called_back"
    )


def test_withdrawing_lets_the_summoned_bodies_go_with_that_ground() -> None:
    world = World().given(*TO_TRIAGED, blown(KINDS["whistle.service"]))
    world.do(ASKER, do.RequestWithdrawal(requester=ASKER.person))
    world.do(CALLER, do.ConfirmWithdrawal())

    assert [e.pub.ground for e in world.story if e.type == "leg_excused.v1"] == ["withdrawn"]
    assert not any(leg.live for leg in world.state.legs())


def test_nobody_withdraws_for_another_or_confirms_what_they_wrote_down() -> None:
    world = World().given(*TO_HANDLING)
    wish = do.RequestWithdrawal(requester=ASKER.person)

    world.when(resident(9), wish).refused("not_the_requester")
    world.when(CALLER, do.ConfirmWithdrawal()).refused("nothing_withdrawn")
    world.do(INTAKE, wish)
    world.when(INTAKE, wish).refused("asked_already")
    world.when(world.also(INTAKE, "com-01", "callback_officer"), do.ConfirmWithdrawal()).refused(
        "same_person"
    )
    world.when(world.also(HANDLER, "sd-01", "callback_officer"), do.ConfirmWithdrawal()).refused(
        "same_person"
    )


def test_a_requester_joins_once_and_under_their_own_id() -> None:
    world = World().given(*TO_HANDLING)

    world.when(ASKER, do.JoinRequester(requester=ASKER.person, source="phone")).refused("requester_twice")
    world.when(resident(5), do.JoinRequester(requester=resident(6).person, source="phone")).refused(
        "not_the_requester"
    )
    joining = do.JoinRequester(requester=resident(5).person, source="phone", community="com-02")
    world.when(resident(5), joining).then(ev.RequesterJoined)
    assert world.state.communities == ("com-01", "com-02")


def test_who_joins_after_completion_is_owed_a_callback_like_the_others() -> None:
    world = World().given(*TO_COMPLETED)
    other = resident(5)
    world.do(other, do.JoinRequester(requester=other.person, source="phone"))
    said = do.RecordCallback(requester=ASKER.person, solved=True, satisfaction="satisfied")

    world.when(CALLER, said).then(ev.CallbackDone, status="completed")
    world.when(CALLER, said.model_copy(update={"requester": other.person})).then(
        ev.CallbackDone, status="called_back"
    )
