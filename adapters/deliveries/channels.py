"""The channels out of the house: subscriptions as the register has them, each change of one on record first.

A row lets nothing out by itself: a subscription sends while the register says so of just this system, post, kinds, ground
and URL, under secrets that the register names. So a board reads every channel in the record, one that was put into the
tables by hand is nobody's, and a record restored to an earlier day opens none again that was closed.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from pydantic import ValidationError

from adapters.access.recording import Giver, recorded
from adapters.deliveries.subscriptions import Subscription, Subscriptions, Wanted
from adapters.store.tables import Tables
from domain.acting import CLOCK, Command
from domain.refusal import Refused
from domain.register import commands as c
from domain.register.entries import SubscriptionEntry
from domain.register.shelf import Shelf
from domain.register.words import OFFICE_NOTICES
from workflows.handle import Handle

Entries = Shelf[str, SubscriptionEntry | None]
NOT_ON_RECORD: Final = "not_on_record"
"""Why a subscription is held back that the register does not know as it stands here."""
UNFINISHED: Final = "unfinished"
"""Why one is held back while it is being made."""


class Channels(Subscriptions):
    """The subscriptions as they count. Every method may raise domain.refusal.Unavailable; those that take an id NotFound."""

    def __init__(self, tables: Tables, handle: Handle, pepper: Callable[[], bytes]) -> None:
        super().__init__(tables, pepper, handle.clock)
        self._handle, self._pepper = handle, pepper

    # -- as the register has them ---------------------------------------------------------------------------------------

    def get(self, subscription: str) -> Subscription:
        """One subscription."""
        return self._as_recorded(self._row(subscription), self._entries())

    def known(self) -> list[Subscription]:
        """All subscriptions there ever were, the newest first."""
        entries = self._entries()
        return [self._as_recorded(one, entries) for one in super().known()]

    def hearing(self, channel: str) -> list[Subscription]:
        """Those of a channel that hear of events: who is held back hears of them later."""
        entries = self._entries()
        found = [self._as_recorded(one, entries) for one in super().hearing(channel)]
        return [one for one in found if one.state != "ended"]

    def secrets(self, subscription: str) -> list[str]:
        """The secrets that work now, the newest first. Raises Refused "secret_unreadable"."""
        entry = self._entries().get(subscription, None)
        signing = [] if entry is None else entry.signing(self._handle.clock())
        kept = dict(self._sealed(subscription))
        return [self._sealer.open(subscription, kept[name]) for name in signing if name in kept]

    def now(self, subscription: str) -> Subscription:
        """One subscription, and its row made to say what the register says, so that nobody tries it for nothing."""
        row = self._row(subscription)
        counts = self._as_recorded(row, self._entries())
        if counts.state == row.state:
            return counts
        if counts.state == "ended":
            super().end(subscription, counts.why)
        else:
            super().pause(subscription, counts.why)
        return counts

    # -- changing them --------------------------------------------------------------------------------------------------

    def make(
        self, by: Giver, wanted: Wanted, since: int, *, id: str | None = None  # noqa: A002
    ) -> tuple[Subscription, str]:  # fmt: skip
        """A subscription that hears of the events above the position `since`, with its first secret, shown this once.

        Raises Refused: of the rows ("bad_url", "unknown_source", "malformed", "taken") and of the register.
        """
        name = id or secrets.token_hex(8)
        # The row first: as long as the register does not know of it, nothing leaves by it.
        secret_name, secret = self._add(name, wanted, since, "paused", UNFINISHED)
        try:
            recorded(self._handle, by, self._making(self._row(name), secret_name))
        except Refused:
            self._drop(name)
            raise
        super().resume(name)
        return self.get(name), secret

    def change_secret(self, by: Giver, subscription: str, overlap: timedelta) -> str:
        """A new secret, shown this once; messages are signed under the old ones as well for so long."""
        self._going_on(subscription)
        until = self._handle.clock() + overlap
        name, secret = self._add_secret(subscription)  # it signs nothing before the register names it
        try:
            recorded(
                self._handle, by, c.ChangeSubscriptionSecret(subscription=subscription, secret=name, old_until=until)
            )  # fmt: skip
        except Refused:
            self._tables.run("DELETE FROM secrets WHERE id = ?", name)
            raise
        self._end_secrets(subscription, name, until)
        return secret

    def hold(self, by: Giver, subscription: str) -> None:
        """Nothing is sent until it goes on; what happens meanwhile is kept for then."""
        self._going_on(subscription)
        self._recorded_once(by, c.PauseSubscription(subscription=subscription))
        super().pause(subscription)

    def go_on(self, by: Giver, subscription: str) -> None:
        """What waits is sent, from now on. One that is not on record yet is put there, as it stands."""
        row, entries = self._going_on(subscription), self._entries()
        if entries.get(subscription, None) is None:
            newest = next((name for name, _ in self._sealed(subscription)), None)
            if newest is None:
                raise Refused("no_secret", "End this subscription and make a new one: its secret is gone.")
            recorded(self._handle, by, self._making(row, newest))
        elif self._as_recorded(row, entries).why == NOT_ON_RECORD:
            raise Refused(
                NOT_ON_RECORD, "End it and make a new one: it is not what was put on record under this id."
            )
        else:
            self._recorded_once(by, c.ResumeSubscription(subscription=subscription))
        super().resume(subscription)

    def close(self, by: Giver, subscription: str) -> None:
        """Nothing is sent any more, ever; what waits stays unsent, its secrets are gone."""
        self._close(by, c.EndSubscription(subscription=subscription))

    def gone(self, subscription: str) -> None:
        """The receiver has answered that it wants nothing more: ended, on record."""
        self._close(Giver(CLOCK), c.EndSubscription(subscription=subscription, why="receiver_gone"))

    def _close(self, by: Giver, command: c.EndSubscription) -> None:
        self._going_on(command.subscription)
        try:
            self._recorded_once(by, command)
        except Refused as refused:
            if refused.code != NOT_ON_RECORD:  # nothing ever left by it, and now nothing will
                raise
        super().end(command.subscription, command.why)

    def _recorded_once(self, by: Giver, command: Command) -> None:
        """Put it on record, unless it stands there: then a crash came between record and row."""
        try:
            recorded(self._handle, by, command)
        except Refused as refused:
            if refused.code != "already_known":
                raise

    # -- record and row -------------------------------------------------------------------------------------------------

    def _entries(self) -> Entries:
        return self._handle.standing.caught_up().register.subscriptions

    def _as_recorded(self, row: Subscription, entries: Entries) -> Subscription:
        """The row as far as the register bears it out; of two states the one that lets less out."""
        entry = entries.get(row.id, None)
        if row.id == OFFICE_NOTICES and entry is not None:
            # Its ways out are the settings', and whom it tells is the domain's: what a row says of them counts for nothing.
            row = replace(row, source=entry.source, url=entry.address, types=entry.types, ground=entry.ground)
        if row.state == "ended":
            return row
        if entry is None or not self._same(row, entry):
            return replace(row, state="paused", why=NOT_ON_RECORD)
        if entry.state == "ended":
            return replace(row, state="ended", why=entry.why)
        return replace(row, state="paused") if entry.state == "paused" else row

    def _same(self, row: Subscription, entry: SubscriptionEntry) -> bool:
        who = (entry.channel, entry.person, entry.body, entry.post)
        if (row.channel, row.person, row.body, row.post) != who:
            return False
        what = (entry.source, entry.types, entry.ground, entry.address)
        return row.id == OFFICE_NOTICES or what == (row.source, row.types, row.ground, self._address(row.url))

    def _making(self, row: Subscription, secret: str) -> c.MakeSubscription:
        """What is put on record. Raises Refused for what no event may say."""
        parts = urlsplit(row.url)
        try:
            return c.MakeSubscription(
                subscription=row.id, channel=row.channel,  # type: ignore[arg-type]  # pydantic judges the word
                person=row.person, body=row.body, post=row.post,
                source=row.source, types=row.types, receiver=f"{parts.scheme}://{parts.netloc.lower()}",
                address=self._address(row.url), ground=row.ground, secret=secret,
            )  # fmt: skip
        except ValidationError as wrong:
            fields = sorted({str(fault["loc"][0]) for fault in wrong.errors(include_input=False)})
            if fields == ["receiver"]:
                raise Refused("bad_url", "Give a URL whose host is a plain name or address.") from None
            raise Refused("malformed", f"Correct {', '.join(fields)}: codes and ids alone.") from None

    def _address(self, url: str) -> str:
        said = b"huiyin subscription\0" + url.encode()
        return hmac.digest(self._pepper(), said, hashlib.sha256).hex()

    def _drop(self, subscription: str) -> None:
        with self._tables.transaction() as work:
            work.run("DELETE FROM secrets WHERE subscription = ?", subscription)
            work.run("DELETE FROM subscriptions WHERE id = ?", subscription)
