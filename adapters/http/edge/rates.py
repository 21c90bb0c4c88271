"""Rates: how many requests one caller may send. Buckets of tokens, each process its own: with N processes, N times it.

A caller is who its key, token or session turned out to be; it is known by the digest of what it sent once that has
been answered. Whoever is not known yet, or shows nothing, is counted by its address on the net (an IPv6 one by its
/64), and an answer "sign in" costs more, so that guessing at keys is slow. RateLimit and RateLimit-Policy say how much
is left (IETF draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4).
"""

from __future__ import annotations

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.http.edge.turned_away import turned_away
from adapters.settings import Settings

CALLER = "caller"
"""Where in `scope["state"]` an edge says who called, once it knows: any text that is one caller's alone."""

SESSION = "huiyin_session"
FREE = frozenset({"/healthz"})
TURNED_DOWN = frozenset({401, 403})
"""How a credential that does not work is answered; Open311 has 403 for it."""
GUESS = 5.0
"""Tokens that an answer 401 costs beside the request itself."""
MOST_KNOWN = 10_000
"""Callers and credentials remembered; who was away longest is forgotten first, and begins with a full bucket."""

K = TypeVar("K")
V = TypeVar("V")


class Allowance(NamedTuple):
    """So many requests a second, and so many at once after a rest."""

    rate: float
    burst: int


class Bucket:
    """The tokens of one caller."""

    def __init__(self, allowance: Allowance, now: float) -> None:
        self._allowance, self._left, self._at = allowance, float(allowance.burst), now

    def take(self, cost: float, now: float) -> bool:
        """Take so many tokens, if as many as one are there; a debt is paid before the next."""
        self._fill(now)
        if self._left < 1:
            return False
        self._left -= cost
        return True

    def charge(self, cost: float) -> None:
        """Take tokens, whether or not there are any; no debt is larger than a whole bucket."""
        self._left = max(self._left - cost, -float(self._allowance.burst))

    def left(self) -> int:
        """Whole tokens that are there."""
        return max(0, int(self._left))

    def wait(self) -> int:
        """Seconds until there is a token."""
        return max(1, math.ceil((1 - self._left) / self._allowance.rate))

    def full_in(self) -> int:
        """Seconds until the bucket is full."""
        return math.ceil((self._allowance.burst - self._left) / self._allowance.rate)

    def _fill(self, now: float) -> None:
        gained = (now - self._at) * self._allowance.rate
        self._left, self._at = min(self._left + gained, float(self._allowance.burst)), now


class _Remembered(Generic[K, V]):
    """A table that forgets who was away longest."""

    def __init__(self, most: int) -> None:
        self._most, self._rows = most, OrderedDict[K, V]()

    def get(self, key: K) -> V | None:
        found = self._rows.get(key)
        if found is not None:
            self._rows.move_to_end(key)
        return found

    def put(self, key: K, value: V) -> None:
        self._rows[key] = value
        self._rows.move_to_end(key)
        if len(self._rows) > self._most:
            self._rows.popitem(last=False)

    def forget(self, key: K) -> None:
        self._rows.pop(key, None)


class Rates:
    """Lets requests in as long as their caller's bucket holds a token."""

    def __init__(self, app: ASGIApp, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._app, self._clock = app, clock
        self._callers = Allowance(settings.rate, settings.rate_burst)
        self._strangers = Allowance(settings.rate_strangers, settings.rate_strangers_burst)
        self._buckets = _Remembered[str, Bucket](MOST_KNOWN)
        self._known = _Remembered[bytes, str](MOST_KNOWN)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["path"] in FREE:
            await self._app(scope, receive, send)
            return
        shown = _shown(scope)
        caller = None if shown is None else self._known.get(shown)
        allowance = self._strangers if caller is None else self._callers
        bucket = self._bucket(caller or _address(scope), allowance)
        if not bucket.take(1, self._clock()):
            response = turned_away("too_many_requests", f"Wait {bucket.wait()} s, then go on more slowly.")
            response.headers.update({"Retry-After": str(bucket.wait()), **_said(bucket, allowance)})
            await response(scope, receive, send)
            return

        status = 0

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if status == 401:
                    bucket.charge(GUESS)
                MutableHeaders(scope=message).update(_said(bucket, allowance))
            await send(message)

        await self._app(scope, receive, answered)
        self._learn(scope, shown, status)

    def _bucket(self, whose: str, allowance: Allowance) -> Bucket:
        found = self._buckets.get(whose)
        if found is None:
            found = Bucket(allowance, self._clock())
            self._buckets.put(whose, found)
        return found

    def _learn(self, scope: Scope, shown: bytes | None, status: int) -> None:
        """Whose the credential was, as the application found; one that is nobody's any more is a stranger's again.

        Where nobody looked at it, a page for everybody or a request that cannot be read, nothing was found.
        """
        if shown is None:
            return
        caller = scope["state"].get(CALLER)
        if caller is not None:
            self._known.put(shown, f"caller {caller}")
        elif status in TURNED_DOWN:
            self._known.forget(shown)


def _said(bucket: Bucket, allowance: Allowance) -> dict[str, str]:
    window = math.ceil(allowance.burst / allowance.rate)
    return {
        "RateLimit-Policy": f'"default";q={allowance.burst};w={window}',
        "RateLimit": f'"default";r={bucket.left()};t={bucket.full_in()}',
    }


def _shown(scope: Scope) -> bytes | None:
    """The digest of the credential that came along, None without any. Nothing else of it is kept."""
    headers = dict(scope["headers"])
    given: bytes | None = headers.get(b"authorization")
    if given is None and b"cookie" in headers:
        given = cookie_parser(headers[b"cookie"].decode("latin-1")).get(SESSION, "").encode() or None
    if given is None and b"api_key=" in scope["query_string"]:
        keys = parse_qs(scope["query_string"].decode("ascii", "replace")).get("api_key")
        given = keys[0].encode() if keys else None
    return None if given is None else hashlib.sha256(given).digest()


def _address(scope: Scope) -> str:
    """The address that it came from."""
    client = scope.get("client")
    if client is None:
        return "nowhere"
    try:
        found = ip_address(client[0])
    except ValueError:
        return "elsewhere"
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(ip_network((found, 64), strict=False))
    return str(found)
