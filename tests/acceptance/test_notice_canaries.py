"""A contact stands nowhere in the clear: not in a row of the outbox, in Temporal, in a log; whatever went wrong on the way.

An office runs as `huiyin up` runs it, and its notices and dispatches arrive; afterwards the addresses are looked for in
every file, in every form.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.deliveries.desk import deliveries
from adapters.deliveries.subscriptions import Wanted
from adapters.demo.desk import Desk
from adapters.demo.district import found
from adapters.dispatch.routing import CHANNEL
from adapters.engine import Engine, now, open_engine
from adapters.numbers import fresh_number
from adapters.rulebooks import template
from adapters.settings import Settings
from adapters.up import up
from domain.matter import commands as do
from tests.acceptance.canary import files_in, fresh_mark, search
from tests.acceptance.staffing import keeper, newcomer
from tests.acceptance.world import DISTRICT
from tests.mail_world import SECRET, GatewayBox, Mailbox, gateway, mail_server
from tests.receiver import Receiver, receiving
from workflows.submission import Sealing, Submission

GROUND = "law:department-duty"


def fresh_telephone() -> str:
    """Digits that stand nowhere else."""
    return "+86" + "".join(secrets.choice("123456789") for _ in range(15))


def registered(engine: Engine, desk: Desk, text: str, *contacts: str) -> str:
    """A matter of several residents, each with a contact."""
    case, today, askers = desk.id(), now(), [desk.resident() for _ in contacts]
    command = do.RegisterMatter(
        number=fresh_number(DISTRICT.code, today.date(), desk.chance.getrandbits), source="phone", seen_at=today,
        code="FW-01", demand="help", host="com-01", requesters=tuple(one.person for one in askers),
    )  # fmt: skip
    sealed = [Sealing("text", askers[0].person, text)]
    sealed += [Sealing("contact", one.person, to) for one, to in zip(askers, contacts, strict=True)]
    intake = desk.district.actor("com-01", "intake_officer")
    answer = engine.handle(
        Submission(
            client="test", key=desk.id(), case=case, command=command, actor=intake, authority=GROUND, sealed=tuple(sealed)
        )
    )  # fmt: skip
    assert answer.accepted, answer
    return case


def until(holds: Callable[[], object], seconds: float = 100) -> None:
    """Wait until something holds."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "it did not come to hold in time"
        time.sleep(0.1)


def names_a_mailbox(monkeypatch: pytest.MonkeyPatch, box: Mailbox, hub: GatewayBox) -> None:
    """The ways out, as an operator sets them."""
    for name, value in {
        "SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(box.port), "SMTP_FROM": "huiyin@office.example", "SMTP_TLS": "none",
        "NOTICE_URL": hub.url, "NOTICE_SECRET": SECRET,
    }.items():  # fmt: skip
        monkeypatch.setenv(f"HUIYIN_{name}", value)


def subscribed(engine: Engine, receiver: Receiver) -> None:
    """A department's system hears of its legs, with the words on a named ground."""
    person = newcomer(engine, DISTRICT, "dept-housing", "officer")
    wanted = Wanted(
        person, "dept-housing", "officer", receiver.url, ("orders", "legs"), ground=GROUND, channel=CHANNEL
    )
    with deliveries(engine) as desk:
        _, receiver.secret = desk.subscriptions.make(
            keeper(engine), wanted, engine.store.head(), id="of-housing"
        )


def test_no_contact_and_no_word_stands_in_any_file_of_an_office_that_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    words, gone, late = fresh_mark(), fresh_mark(), fresh_mark()
    telephone, staff = fresh_telephone(), fresh_mark()
    bad = f"{fresh_mark()}@mail.example, x"
    data, replies = tmp_path / "data", iter(["451 later"] * 2)
    with mail_server() as box, gateway() as hub, receiving() as housing:
        names_a_mailbox(monkeypatch, box, hub)
        box.to_recipient = lambda to: (
            f"550 <{to}> unknown" if gone in to else next(replies, None) if late in to else None
        )
        engine = open_engine(Settings(data=data))
        try:
            assert found(DISTRICT, engine.handle, now(), template("demo")) == []
            newcomer(engine, DISTRICT, "dept-housing", "duty_officer", contact=f"{staff}@housing.example")
            subscribed(engine, housing)
            with up(engine.settings):
                until(lambda: (data / "deliveries.db").exists() and _entered(engine))
                desk = Desk(engine.handle, DISTRICT, random.Random(3))
                mails = (f"{late}@mail.example", f"{gone}@mail.example")
                case = registered(engine, desk, f"漏水{words}", *mails, telephone, bad)
                desk.accepted_and_triaged(case)
                desk.whistles(case, ("dept-housing",))
                until(lambda: len(box.to(mails[0])) >= 3 and len(hub.to(telephone)) >= 3)
                until(lambda: box.to(f"{staff}@housing.example") and housing.taken)
                running = search((words, gone, late, telephone, staff, bad), files_in(data))
            state = engine.handle.load(case)
            assert state is not None
        finally:
            engine.close()
    printed = tmp_path / "printed"
    printed.write_text("".join(capfd.readouterr()), encoding="utf-8")

    assert running == set()
    assert search((words, gone, late, telephone, staff, bad), [*files_in(data), printed]) == set()
    assert words in housing.taken[0].body.decode()
    there = {hit.file for hit in search((case,), files_in(data))}
    assert any(name.startswith("deliveries.db") for name in there), "the search finds nothing in the outbox"
    assert any(name.startswith("cases.db") for name in there), "the search finds nothing at all"


def _entered(engine: Engine) -> bool:
    """Whether the office has begun to tell."""
    with deliveries(engine) as desk:
        return any(one.id == "notices" for one in desk.subscriptions.known())
