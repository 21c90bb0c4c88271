"""Notices by mail (RFC 5321, 5322), over TLS unless the office says otherwise."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Literal

from adapters.notices.channel import Address, Away, Notice, NotTaken

SECONDS = 6.0
"""How long the mail server may stay silent: less than a try of the outbox may take."""

Tls = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over, and as whom. `tls` none is for a server on this machine."""

    host: str
    port: int
    sender: str
    user: str | None = None
    password: str | None = None
    tls: Tls = "starttls"
    ca: Path | None = None


class Smtp:
    """The channel `smtp`. A connection per message: a mail server on the intranet is near, and none is held open."""

    name = "smtp"

    def __init__(self, server: MailServer, clock: Callable[[], datetime]) -> None:
        self._server, self._clock = server, clock
        self.address = f"{server.host}:{server.port}"

    def carries(self, to: Address) -> bool:
        """Mailboxes."""
        return to.kind == "email"

    async def send(self, notice: Notice) -> None:
        """Hand the mail over. Raises NotTaken, Away."""
        await asyncio.to_thread(self._send, notice)

    def message(self, notice: Notice) -> EmailMessage:
        """The mail: UTF-8 plain text; its Message-ID is derived from the notice, the same at every try."""
        made = EmailMessage(policy=SMTP)
        made["From"], made["To"] = self._server.sender, notice.to.value
        made["Subject"] = notice.words.subject
        made["Date"] = format_datetime(self._clock())
        made["Message-ID"] = f"<{notice.id}@{self._server.sender.partition('@')[2] or 'huiyin.local'}>"
        made["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence note answers it
        made.set_content(notice.words.text)
        made["Content-Language"] = "zh, en"
        return made

    def _send(self, notice: Notice) -> None:
        message = self.message(notice)
        try:
            with self._connected() as connection:
                connection.send_message(message, self._server.sender, [notice.to.value])
        except smtplib.SMTPRecipientsRefused as refused:
            code = next(iter(refused.recipients.values()))[0]
            raise _judged(code, "recipient_refused") from None
        except smtplib.SMTPAuthenticationError:
            raise Away("mail_login") from None
        except smtplib.SMTPSenderRefused:
            raise Away("mail_sender") from None
        except smtplib.SMTPDataError as refused:
            raise _judged(refused.smtp_code, "mail_refused") from None
        except ssl.SSLError:
            raise Away("mail_tls") from None
        except (OSError, smtplib.SMTPException):
            raise Away("mail_unreachable") from None

    def _connected(self) -> smtplib.SMTP:
        """Logged in, and encrypted as the office wants it: a server that offers no TLS is not talked to in clear."""
        server, context = self._server, None
        if server.tls != "none":
            context = ssl.create_default_context(cafile=str(server.ca) if server.ca else None)
        connection: smtplib.SMTP
        if server.tls == "tls":
            connection = smtplib.SMTP_SSL(server.host, server.port, timeout=SECONDS, context=context)
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=SECONDS)
        try:
            if server.tls == "starttls":
                connection.starttls(context=context)
            if server.user is not None:
                connection.login(server.user, server.password or "")
        except BaseException:
            connection.close()
            raise
        return connection


def _judged(code: int, word: str) -> Exception:
    """What a reply code means: 4xx is for now, 5xx for good (RFC 5321 section 4.2.1)."""
    return NotTaken(word) if code >= 500 else Away(word)
