"""Notices through a gateway of the office's own (SMS, an intranet messenger): one signed JSON message each.

    POST HUIYIN_NOTICE_URL      webhook-id, webhook-timestamp, webhook-signature: Standard Webhooks 1.0
    {"type": "notice", "id": …, "to": {"kind": "phone", "value": …}, "moment": "accepted", "number": …,
     "subject": …, "text": {"zh": …, "en": …}, "fields": {"zh": {…}, "en": {…}}}

2xx: taken over. 413, 422: never, to this address. Anything else: later. A repeat has the same `id`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

import httpx

from adapters.deliveries.signing import signed
from adapters.notices.channel import Address, Away, Notice, NotTaken

SECONDS = 6.0
NEVER = frozenset({413, 422})
"""Answers after which the same message is not sent again; others may be a setting that is wrong, and will be mended."""


class Gateway:
    """The channel `gateway`."""

    name = "gateway"

    def __init__(self, url: str, secret: str, clock: Callable[[], datetime], *, mail: bool) -> None:
        """`mail`: mailboxes go through it as well, because there is no mail server."""
        self._url, self._secret, self._clock, self._mail = url, secret, clock, mail
        parts = urlsplit(url)
        self.address = f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"

    def carries(self, to: Address) -> bool:
        """Telephone numbers, and mailboxes where nothing else carries them."""
        return to.kind == "phone" or self._mail

    async def send(self, notice: Notice) -> None:
        """Hand it over. Raises NotTaken, Away."""
        body = json.dumps(_said(notice), ensure_ascii=False, separators=(",", ":")).encode()
        headers = signed([self._secret], notice.id, self._clock(), body)
        try:
            async with httpx.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=False) as http:
                answer = await http.post(
                    self._url, content=body, headers={**headers, "Content-Type": "application/json"}
                )
        except httpx.HTTPError:
            raise Away("gateway_unreachable") from None
        if answer.status_code in NEVER:
            raise NotTaken(f"status_{answer.status_code}")
        if not answer.is_success:
            raise Away(f"status_{answer.status_code}", _wait(answer))


def _said(notice: Notice) -> dict[str, object]:
    return {
        "type": "notice", "id": notice.id, "to": {"kind": notice.to.kind, "value": notice.to.value},
        "moment": notice.moment, "number": notice.number, "subject": notice.words.subject,
        "text": {language: one.text for language, one in notice.words.written.items()}, "fields": notice.fields,
    }  # fmt: skip


def _wait(answer: httpx.Response) -> float | None:
    """The seconds of a Retry-After, where they are given as a number."""
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isascii() and said.isdigit() and len(said) <= 6 else None
