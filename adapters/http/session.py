"""Sessions of people who signed in, and the steps of signing in: cookies that only these processes can read and make.

Nothing is kept here. A session says which subject of which issuer signed in; which person that is, is looked up at
every request, so that taking a link away ends the session too.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from adapters.http.oidc import Subject

LASTS = timedelta(hours=8)
"""A working day; then the provider is asked again."""


class Sessions:
    """Seals and opens them under a key that is derived from the store's secret."""

    def __init__(self, pepper: Callable[[], bytes], clock: Callable[[], datetime]) -> None:
        self._pepper, self._clock = pepper, clock

    def of(self, subject: Subject) -> str:
        """A session's cookie."""
        return self.seal("session", asdict(subject), LASTS)

    def subject(self, cookie: str) -> Subject | None:
        """Whose session a cookie is; None for one that is over or not ours."""
        body = self.open("session", cookie)
        return None if body is None else Subject(body["issuer"], body["sub"])

    def seal(self, what: str, body: dict[str, Any], lasts: timedelta) -> str:
        """A text that says this for so long, and nothing to others."""
        until = int((self._clock() + lasts).timestamp())
        plain = json.dumps({"what": what, "until": until, "body": body}).encode()
        return jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, plain, self._key())

    def open(self, what: str, text: str) -> dict[str, Any] | None:
        """What such a text says; None where its time is over, or it is another one's."""
        try:
            said = json.loads(
                jwe.decrypt_compact(text, self._key(), algorithms=["dir", "A256GCM"]).plaintext or b"{}"
            )
        except (JoseError, ValueError, UnicodeError):
            return None
        over = said.get("until", 0) <= self._clock().timestamp()
        return None if over or said.get("what") != what else said["body"]

    def _key(self) -> OctKey:
        return OctKey.import_key(hmac.digest(self._pepper(), b"huiyin session\0", hashlib.sha256))
