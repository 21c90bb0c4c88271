"""Notices end to end: a district, its outbox on one of the databases, a mail server and a gateway, and no Temporal:
the outbox is filled and emptied by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adapters.deliveries.channels import Channels
from adapters.deliveries.consumer import OutboxConsumer
from adapters.deliveries.outbox import Outbox
from adapters.deliveries.schema import open_deliveries
from adapters.deliveries.sending import Pace, Sending
from adapters.engine import Engine
from adapters.notices.role import notice_router, notice_sender
from adapters.notices.routing import CHANNEL, SUBSCRIPTION
from adapters.numbers import fresh_number
from adapters.settings import Settings
from domain.acting import Actor
from domain.event import Recorded, decode
from domain.matter import commands as do
from tests.acceptance.staffing import newcomer
from tests.acceptance.world import GROUND
from tests.mail_world import SECRET, GatewayBox, Mailbox, gateway, mail_server
from tests.story import Story, story
from workflows.records import notices_of, reads_of
from workflows.submission import Sealing, Submission

SENDER = "huiyin@office.example"


@dataclass
class Told:
    """A district that tells: its story, where its messages arrive, and its outbox."""

    tale: Story
    box: Mailbox
    hub: GatewayBox
    outbox: Outbox
    subscriptions: Channels

    def __post_init__(self) -> None:
        self.begin()

    def begin(self, **settings: Any) -> None:
        """Wire it as the roles do, with these settings changed."""
        if settings:
            self.tale.engine = replace(self.engine, settings=self.engine.settings.model_copy(update=settings))
        engine = self.engine
        router = notice_router(engine, self.subscriptions)
        routers = () if router is None else (router,)
        self.consumer = OutboxConsumer(engine.store, self.outbox, routers, engine.handle.clock)
        self.sending = Sending(
            self.outbox,
            self.subscriptions,
            {CHANNEL: notice_sender(engine)},
            engine.handle.clock,
            Pace(slice=5.0),
        )

    @property
    def engine(self) -> Engine:
        """The open parts."""
        return self.tale.engine

    def follow(self) -> None:
        """Queue what the record gives rise to."""
        at = self.consumer.position()
        while batch := self.engine.store.read(at, 500):
            asyncio.run(self.consumer.take(batch))
            at = batch[-1].position

    def deliver(self) -> None:
        """Send what is due."""
        asyncio.run(self.sending.deliver(SUBSCRIPTION))

    def tell(self) -> None:
        """Queue and send."""
        self.follow()
        self.deliver()

    def register(self, *contacts: str | None, **more: Any) -> tuple[str, list[Actor]]:
        """A matter that so many residents hand in, each with a contact or none."""
        desk, now = self.tale.desk, self.engine.handle.clock()
        case, askers = desk.id(), [desk.resident() for _ in contacts]
        given: dict[str, Any] = {
            "source": "resident_app", "kind": "hazard", "code": "FW-01", "demand": "help", "host": "com-01",
        }  # fmt: skip
        wanted = {name: value for name, value in (given | more).items() if value is not None}
        command = do.RegisterMatter(
            **wanted, number=fresh_number(desk.district.code, now.date(), desk.chance.getrandbits), seen_at=now,
            requesters=tuple(one.person for one in askers),
        )  # fmt: skip
        sealed = [Sealing("text", askers[0].person, "电梯坏了")]
        sealed += [
            Sealing("contact", one.person, contact)
            for one, contact in zip(askers, contacts, strict=True)
            if contact is not None
        ]
        answer = self.engine.handle(
            Submission(
                client="test", key=desk.id(), case=case, command=command, actor=askers[0], authority=GROUND,
                sealed=tuple(sealed),
            )
        )  # fmt: skip
        assert answer.accepted, answer
        return case, askers

    def staff(self, body: str, post: str, contact: str) -> Actor:
        """A new officer in that post, whose contact is entered into the register."""
        person = newcomer(self.engine, self.tale.desk.district, body, post, contact=contact)
        return Actor(person=person, body=body, post=post)

    def on_record(self, case: str) -> list[Recorded[Any]]:
        """What became of messages about the case."""
        return [decode(row.type, row.body) for row in self.engine.store.load(notices_of(case))]

    def read(self, stream: str) -> list[Recorded[Any]]:
        """Who read sealed values of the case (or of the register)."""
        return [decode(row.type, row.body) for row in self.engine.store.load(reads_of(stream))]

    def waiting(self) -> int:
        """How many messages wait."""
        count = self.outbox.counts().get(SUBSCRIPTION)
        return count.waiting if count else 0


@contextmanager
def telling(folder: Path, deliveries: str | None = None) -> Iterator[Told]:
    """Such a district in a folder; its outbox lies there too, or at `deliveries`."""
    with story(folder / "data") as tale, mail_server() as box, gateway() as hub:
        tables = open_deliveries(deliveries or str(folder / "deliveries.db"))
        more = {
            "smtp_host": "127.0.0.1", "smtp_port": box.port, "smtp_from": SENDER, "smtp_tls": "none",
            "notice_url": hub.url, "notice_secret": SECRET,
        }  # fmt: skip
        settings = Settings(**{**tale.engine.settings.model_dump(), **more})
        tale.engine = replace(tale.engine, settings=settings)
        try:
            engine = tale.engine
            subscriptions = Channels(tables, engine.handle, engine.keys.pepper)
            yield Told(tale, box, hub, Outbox(tables), subscriptions)
        finally:
            tables.close()
