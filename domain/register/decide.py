"""What the register allows, and who may ask for it.

System administrators enter bodies; security administrators enter persons, fill posts and keep the lists;
audit administrators change nothing, and the other two cannot remove one (B9.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from domain.acting import Command, Decision
from domain.refusal import Refused
from domain.register import access, admissions, bodies, duty, first_link, posts, powers, subscriptions
from domain.register import commands as c
from domain.register.guards import Context, check_administrator

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from domain.event import Event
    from domain.register.state import Register
    from domain.register.words import Post

    Allow = Callable[[Register, Any, Context], tuple[Event, ...]]

RULES: Final[dict[type[Command], tuple[str, Allow]]] = {
    c.IssueFirstLink: ("register.first_link", first_link.issue),
    c.ClaimFirstLink: ("register.first_link", first_link.claim),
    c.EnterBody: ("register.bodies", bodies.enter),
    c.CloseBody: ("register.bodies", bodies.close),
    c.EnterPerson: ("register.posts", posts.enter_person),
    c.ChangeContact: ("register.posts", posts.change_contact),
    c.FillPost: ("register.posts", posts.fill),
    c.VacatePost: ("register.posts", posts.vacate),
    c.AssignShift: ("register.duty", duty.assign),
    c.WithdrawShift: ("register.duty", duty.withdraw),
    c.MarkAbsent: ("register.duty", duty.mark_absent),
    c.EnterPower: ("register.powers", powers.enter),
    c.SuspendPower: ("register.powers", powers.suspend),
    c.WithdrawPower: ("register.powers", powers.withdraw),
    c.EnterDuty: ("register.duty_list", powers.enter_duty),
    c.WithdrawDuty: ("register.duty_list", powers.withdraw_duty),
    c.EnterAdmissionItem: ("register.admission", admissions.enter),
    c.WithdrawAdmissionItem: ("register.admission", admissions.withdraw),
    c.ApplyAdmission: ("register.admission", admissions.apply),
    c.DecideAdmission: ("register.admission", admissions.decide_application),
    c.EndAdmission: ("register.admission", admissions.end),
    c.IssueSystemKey: ("register.access", access.issue),
    c.EndSystemKey: ("register.access", access.end),
    c.LinkSignin: ("register.access", access.link),
    c.UnlinkSignin: ("register.access", access.unlink),
    c.MakeSubscription: ("register.subscriptions", subscriptions.make),
    c.ChangeSubscriptionSecret: ("register.subscriptions", subscriptions.change_secret),
    c.PauseSubscription: ("register.subscriptions", subscriptions.pause),
    c.ResumeSubscription: ("register.subscriptions", subscriptions.resume),
    c.EndSubscription: ("register.subscriptions", subscriptions.end),
}
"""Every command of this room: the id of the rule that decides it, and the rule."""

ADMINISTRATOR: Final[dict[type[Command], Post]] = {
    c.EnterBody: "system_admin",
    c.CloseBody: "system_admin",
    c.EnterPerson: "security_admin",
    c.ChangeContact: "security_admin",
    c.FillPost: "security_admin",
    c.EnterPower: "security_admin",
    c.SuspendPower: "security_admin",
    c.WithdrawPower: "security_admin",
    c.EnterDuty: "security_admin",
    c.WithdrawDuty: "security_admin",
    c.EnterAdmissionItem: "security_admin",
    c.WithdrawAdmissionItem: "security_admin",
    c.EndAdmission: "security_admin",
    c.IssueSystemKey: "security_admin",
    c.EndSystemKey: "security_admin",
    c.LinkSignin: "security_admin",
    c.UnlinkSignin: "security_admin",
}
"""Commands that one kind of administrator alone may give; the rules of the others say who may."""


def decide(state: Register, command: Command, context: Context) -> Decision:
    """The events that the command makes. Raises Refused, with a code and what to do instead.

    Nothing is dated before `context.when.recorded_at`; the actor's post is checked at both times.
    """
    found = RULES.get(type(command))
    if found is None:
        raise Refused("unknown_command", "Send one of the commands that the register knows.")
    if context.actor.post == "audit_admin":
        raise Refused(
            "audit_admin_changes_nothing", "An audit administrator reads only: ask the one whose task it is."
        )
    rule, allow = found
    post = ADMINISTRATOR.get(type(command))
    if post is not None:
        check_administrator(state, context, post)
    return Decision(rule=rule, events=allow(state, command, context))
