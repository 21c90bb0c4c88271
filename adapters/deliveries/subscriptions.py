"""Subscriptions: who is told of which events, where, and under which secrets.

A subscriber is a system of the register, entered and given a post like a person (as keys of systems have it): what it
may be told is what that post may see.
"""

from __future__ import annotations

import ipaddress
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from adapters.deliveries.kinds import check_kinds
from adapters.deliveries.signing import Sealer, new_secret
from adapters.store.moment import as_microseconds, as_moment
from adapters.store.tables import Tables, Work
from domain.matter.words import Source
from domain.refusal import NotFound, Refused
from workflows.submission import check_authority

State = Literal["active", "paused", "ended"]
WEBHOOK = "webhook"
CHANNELS = (WEBHOOK, "dispatch")
"""What a system may subscribe to; other channels belong to the office itself."""
MOST_URL = 2_000
_COLUMNS = (
    "id, channel, person, body, post, source, url, types, ground, state, why, made_at, since, failures, failing_since,"
    " next_at"
)


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription, without its secrets.

    `channel` names the sender; `types` the kinds of events asked for (adapters.deliveries.kinds); `source` the way in
    whose matters count as the subscriber's own too; `ground` the authority on which personal data may leave, None: they
    may not. It hears of events above the position `since`. `failures` in a row, since when, and when it is tried again
    are about the receiver as a whole.
    """

    id: str
    channel: str
    person: str
    body: str
    post: str
    source: str | None
    url: str
    types: tuple[str, ...]
    ground: str | None
    state: State
    why: str
    made_at: datetime
    since: int
    failures: int = 0
    failing_since: datetime | None = None
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new subscription is to be."""

    person: str
    body: str
    post: str
    url: str
    types: Sequence[str]
    source: str | None = None
    ground: str | None = None
    channel: str = WEBHOOK


class Subscriptions:
    """The rows of the subscriptions. A row alone lets nothing out: `adapters.deliveries.channels.Channels` holds it against
    the register, and puts on record what is changed. Every method may raise domain.refusal.Unavailable; those that take
    an id NotFound.
    """

    def __init__(self, tables: Tables, pepper: Callable[[], bytes], clock: Callable[[], datetime]) -> None:
        self._tables, self._sealer, self._clock = tables, Sealer(pepper), clock

    def create(self, wanted: Wanted, since: int, *, id: str | None = None) -> tuple[Subscription, str]:  # noqa: A002
        """A subscription that hears of the events above the position `since`, with its first secret, shown this once.

        Raises Refused "bad_url", "unknown_source", "malformed" (no such kind, or the ground is no code), "taken".
        """
        name = id or secrets.token_hex(8)
        _, secret = self._add(name, wanted, since, "active", "")
        return self.get(name), secret

    def _add(self, name: str, wanted: Wanted, since: int, state: State, why: str) -> tuple[str, str]:
        """Its row and that of its first secret; gives that one's name, and the secret."""
        check_url(wanted.url)
        check_authority(wanted.ground)
        if wanted.source is not None and wanted.source not in get_args(Source):
            raise Refused("unknown_source", f"Name one of the sources: {', '.join(get_args(Source))}.")
        types, made, secret = check_kinds(wanted.types), as_microseconds(self._clock()), new_secret()
        with self._tables.transaction() as work:
            added = work.run(
                "INSERT INTO subscriptions (id, channel, person, body, post, source, url, types, ground, state, why, made_at,"
                " since) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
                name, wanted.channel, wanted.person, wanted.body, wanted.post, wanted.source or "", wanted.url,
                json.dumps(types), wanted.ground or "", state, why, made, since,
            )  # fmt: skip
            if not added:
                raise Refused("taken", "Give the subscription another name: this one is there already.")
            return self._keep(work, name, secret, made), secret

    def get(self, subscription: str) -> Subscription:
        """One subscription."""
        return self._row(subscription)

    def known(self) -> list[Subscription]:
        """All subscriptions there ever were, the newest first."""
        rows = self._tables.rows(f"SELECT {_COLUMNS} FROM subscriptions ORDER BY made_at DESC, id")
        return [_subscription(row) for row in rows]

    def hearing(self, channel: str) -> list[Subscription]:
        """Those of a channel that hear of events: who is paused hears of them later."""
        rows = self._tables.rows(
            f"SELECT {_COLUMNS} FROM subscriptions WHERE channel = ? AND state <> 'ended' ORDER BY id",
            channel,
        )
        return [_subscription(row) for row in rows]

    def secrets(self, subscription: str) -> list[str]:
        """The secrets that work now, the newest first. Raises Refused "secret_unreadable"."""
        return [self._sealer.open(subscription, sealed) for _, sealed in self._sealed(subscription)]

    def _sealed(self, subscription: str) -> list[tuple[str, str]]:
        """Names of the secrets that have not ended here, each with the secret as it is kept."""
        return self._tables.rows(
            "SELECT id, sealed FROM secrets WHERE subscription = ? AND (ends_at IS NULL OR ends_at > ?)"
            " ORDER BY made_at DESC, id", subscription, as_microseconds(self._clock()),
        )  # fmt: skip

    def rotate(self, subscription: str, overlap: timedelta) -> str:
        """A new secret, shown this once; messages are signed under the old ones as well for so long."""
        self._going_on(subscription)
        name, secret = self._add_secret(subscription)
        self._end_secrets(subscription, name, self._clock() + overlap)
        return secret

    def _add_secret(self, subscription: str) -> tuple[str, str]:
        """One more secret, with its name."""
        secret = new_secret()
        with self._tables.transaction() as work:
            return self._keep(work, subscription, secret, as_microseconds(self._clock())), secret

    def _end_secrets(self, subscription: str, but: str, at: datetime) -> None:
        """All others work until then at the longest."""
        self._tables.run(
            "UPDATE secrets SET ends_at = ? WHERE subscription = ? AND id <> ? AND (ends_at IS NULL OR ends_at > ?)",
            as_microseconds(at), subscription, but, as_microseconds(at),
        )  # fmt: skip

    def pause(self, subscription: str, why: str = "") -> None:
        """Nothing is sent until it is resumed; what happens meanwhile is kept for then."""
        self._going_on(subscription)
        self._tables.run("UPDATE subscriptions SET state = 'paused', why = ? WHERE id = ?", why, subscription)

    def resume(self, subscription: str) -> None:
        """What waits is sent, from now on; a receiver that was down is tried at once."""
        self._going_on(subscription)
        self._tables.run(
            "UPDATE subscriptions SET state = 'active', why = '', failures = 0, failing_since = NULL, next_at = 0 WHERE id = ?",
            subscription,
        )

    def end(self, subscription: str, why: str = "by_hand") -> None:
        """Nothing is sent any more, ever; what waits stays unsent, its secrets are gone."""
        self._going_on(subscription)
        with self._tables.transaction() as work:
            work.run("UPDATE subscriptions SET state = 'ended', why = ? WHERE id = ?", why, subscription)
            work.run("DELETE FROM secrets WHERE subscription = ?", subscription)

    def _going_on(self, subscription: str) -> Subscription:
        """Its row. Raises Refused "subscription_ended"."""
        row = self._row(subscription)
        if row.state == "ended":
            raise Refused("subscription_ended", "This subscription has ended; make a new one.")
        return row

    def _row(self, subscription: str) -> Subscription:
        found = self._tables.rows(f"SELECT {_COLUMNS} FROM subscriptions WHERE id = ?", subscription)
        if not found:
            raise NotFound("Check the id: there is no such subscription (huiyin subscription list).")
        return _subscription(found[0])

    def _keep(self, work: Work, subscription: str, secret: str, made: int) -> str:
        name = secrets.token_hex(8)
        work.run(
            "INSERT INTO secrets (id, subscription, sealed, made_at) VALUES (?, ?, ?, ?)",
            name, subscription, self._sealer.seal(subscription, secret), made,
        )  # fmt: skip
        return name


def check_url(url: str) -> None:
    """Raises Refused "bad_url" for what is no plain http(s) URL: another scheme, names and passwords in it, a fragment."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        if host is not None and ":" in host:
            ipaddress.IPv6Address(host)
    except ValueError:
        raise _bad_url() from None
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= MOST_URL
    if not plain or parts.scheme not in ("http", "https") or not host:
        raise _bad_url()
    if parts.username is not None or parts.password is not None or parts.fragment or "@" in parts.netloc:
        raise _bad_url()


def _bad_url() -> Refused:
    return Refused(
        "bad_url",
        "Give a URL that begins with http:// or https://, in ASCII, without a name or password in it.",
    )


def _subscription(row: Any) -> Subscription:
    failing = None if row[14] is None else as_moment(row[14])
    later = as_moment(row[15]) if row[15] else None
    return Subscription(
        id=row[0], channel=row[1], person=row[2], body=row[3], post=row[4], source=row[5] or None, url=row[6],
        types=tuple(json.loads(row[7])), ground=row[8] or None, state=row[9], why=row[10], made_at=as_moment(row[11]),
        since=row[12], failures=row[13], failing_since=failing, next_at=later,
    )  # fmt: skip
