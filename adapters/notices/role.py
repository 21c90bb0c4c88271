"""How the roles hold notices: the ways out that the settings name, the outbox's router and its sender."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from adapters.deliveries.signing import PREFIX
from adapters.deliveries.subscriptions import Subscriptions, Wanted, check_url
from adapters.engine import Engine, now
from adapters.notices.channel import Channel, address_of
from adapters.notices.gateway import Gateway
from adapters.notices.routing import CHANNEL, SUBSCRIPTION, NoticeRouter
from adapters.notices.sending import NoticeSender
from adapters.notices.smtp import MailServer, Smtp
from adapters.notices.wording import load_texts
from domain.acting import CLOCK
from domain.refusal import NotFound, Refused

if TYPE_CHECKING:
    from adapters.settings import Settings


def channels_of(settings: Settings, clock: Callable[[], datetime] = now) -> tuple[Channel, ...]:
    """The ways out; none where none is named. Raises Refused "bad_notices" for settings that do not go together."""
    found: list[Channel] = []
    if settings.smtp_host is not None:
        found.append(Smtp(_mail_server(settings), clock))
    if settings.notice_url is not None:
        check_url(settings.notice_url)
        if settings.notice_secret is None:
            raise Refused("bad_notices", "Set HUIYIN_NOTICE_SECRET: the gateway must know who calls it.")
        secret = settings.notice_secret.get_secret_value()
        if not _usable(secret):
            raise Refused(
                "bad_notices", "Set HUIYIN_NOTICE_SECRET to whsec_ and 24 to 64 random bytes in base64."
            )
        found.append(Gateway(settings.notice_url, secret, clock, mail=not found))
    return tuple(found)


def _usable(secret: str) -> bool:
    """Whether it is a secret of Standard Webhooks."""
    try:
        return (
            secret.startswith(PREFIX)
            and 24 <= len(b64decode(secret.removeprefix(PREFIX), validate=True)) <= 64
        )
    except ValueError:
        return False


def _mail_server(settings: Settings) -> MailServer:
    sender = address_of(settings.smtp_from)
    if sender is None or sender.kind != "email":
        raise Refused("bad_notices", "Set HUIYIN_SMTP_FROM to the mailbox that notices come from.")
    if settings.smtp_tls == "none" and settings.smtp_user is not None:
        raise Refused("bad_notices", "No password goes out in clear: set HUIYIN_SMTP_TLS to starttls or tls.")
    password = settings.smtp_password.get_secret_value() if settings.smtp_password else None
    return MailServer(
        str(settings.smtp_host), settings.smtp_port, sender.value, settings.smtp_user, password, settings.smtp_tls,
        settings.smtp_ca,
    )  # fmt: skip


def notice_router(engine: Engine, subscriptions: Subscriptions) -> NoticeRouter | None:
    """The outbox's router, None where no way out is named. Whoever begins is told of what happens from then on."""
    if not channels_of(engine.settings):
        return None
    _entered(engine, subscriptions)
    texts = load_texts(engine.settings.notice_texts)
    return NoticeRouter(engine.store, engine.handle.standing, subscriptions, texts)


def notice_sender(engine: Engine) -> NoticeSender:
    """The outbox's sender. What was queued while there was a way out waits where there is none any more."""
    channels = channels_of(engine.settings)
    return NoticeSender(engine, channels, load_texts(engine.settings.notice_texts))


def _entered(engine: Engine, subscriptions: Subscriptions) -> None:
    try:
        subscriptions.get(SUBSCRIPTION)
    except NotFound:
        # The outbox asks everybody for a URL and kinds; nobody reads these.
        wanted = Wanted(CLOCK.person, CLOCK.body, "", "http://localhost/", ("all",), channel=CHANNEL)
        with suppress(Refused):  # another process was faster
            subscriptions.create(wanted, engine.store.head(), id=SUBSCRIPTION)
