"""The channels of notices over real sockets: a mail server and a gateway, and what goes wrong with either."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from adapters.notices.channel import Address, Away, Channel, Notice, NotTaken
from adapters.notices.gateway import Gateway
from adapters.notices.smtp import MailServer, Smtp
from adapters.notices.wording import FIELDS, LANGUAGES, load_texts
from tests.mail_world import PASSWORD, SECRET, USER, GatewayBox, Mailbox, certificate, gateway, mail_server
from tests.servers import free_port

MAIL, PHONE = Address("email", "someone@mail.example"), Address("phone", "13800000000")
SENDER = "huiyin@office.example"


def now() -> datetime:
    return datetime.now(UTC)


def notice(to: Address = MAIL, moment: str = "accepted", number: str = "450305-20261123-7KQ2MWX") -> Notice:
    fields = {
        language: {name: f"{name}甲" for name in FIELDS[moment]} | {"number": number}
        for language in LANGUAGES
    }
    words = load_texts().words(moment, fields)  # type: ignore[arg-type]
    return Notice("ntc_0123456789abcdef", to, moment, number, words, fields)


def mailer(box: Mailbox, **more: object) -> Smtp:
    server = MailServer("127.0.0.1", box.port, SENDER, tls="none")
    return Smtp(replace(server, **more), now)  # type: ignore[arg-type]


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as made:
        yield made


@pytest.fixture
def hub() -> Iterator[GatewayBox]:
    with gateway() as made:
        yield made


def send(channel: Channel, one: Notice) -> None:
    asyncio.run(channel.send(one))


# -- mail


def test_a_mail_arrives_with_both_languages_and_a_message_id_that_stays(box: Mailbox) -> None:
    send(mailer(box), notice())
    send(mailer(box), notice())

    first, second = box.to(MAIL.value)
    assert "已受理" in first["Subject"]
    assert "Accepted 450305-20261123-7KQ2MWX" in first["Subject"]
    text = first.get_content()
    assert "由office甲负责给您答复" in text
    assert "was accepted at" in text
    assert first["Message-ID"] == second["Message-ID"] == "<ntc_0123456789abcdef@office.example>"
    assert (first["From"], first["To"], first["Auto-Submitted"]) == (SENDER, MAIL.value, "auto-generated")


def test_mail_goes_over_tls_with_a_login_when_the_server_is_one_that_is_trusted(tmp_path: Path) -> None:
    trusted, context = certificate(tmp_path)
    with mail_server(tls=context, login=True) as box:
        send(
            mailer(box, host="localhost", tls="starttls", ca=trusted, user=USER, password=PASSWORD), notice()
        )

        assert (len(box.taken), box.encrypted) == (1, [True])


def test_a_server_that_nobody_vouches_for_gets_no_mail(tmp_path: Path) -> None:
    _, context = certificate(tmp_path)
    with mail_server(tls=context) as box:
        with pytest.raises(Away, match="mail_tls"):
            send(mailer(box, host="localhost", tls="starttls"), notice())

        assert box.taken == []


def test_a_server_without_tls_gets_no_mail_in_clear(box: Mailbox) -> None:
    with pytest.raises(Away, match="mail_unreachable"):
        send(mailer(box, tls="starttls"), notice())

    assert box.taken == []


def test_a_wrong_password_is_away_and_is_not_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    trusted, context = certificate(tmp_path)
    with mail_server(tls=context, login=True) as box, pytest.raises(Away, match="mail_login") as away:
        send(
            mailer(box, host="localhost", tls="starttls", ca=trusted, user=USER, password="wrong one"),
            notice(),
        )

    assert "wrong one" not in caplog.text + repr(away.value)


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [("550 no such user", NotTaken, "recipient_refused"), ("451 later", Away, "recipient_refused")],
)
def test_a_recipient_that_is_refused_for_good_is_told_apart_from_one_for_now(
    box: Mailbox, reply: str, kind: type[Exception], code: str
) -> None:
    box.to_recipient = lambda _: reply

    with pytest.raises(kind, match=code) as failed:
        send(mailer(box), notice())

    assert MAIL.value not in repr(failed.value)
    assert failed.value.__cause__ is None


@pytest.mark.parametrize(("reply", "kind"), [("554 spam", NotTaken), ("452 full", Away)])
def test_a_mail_that_is_refused_for_good_is_told_apart_from_one_for_now(
    box: Mailbox, reply: str, kind: type[Exception]
) -> None:
    box.to_data = lambda: reply

    with pytest.raises(kind, match="mail_refused"):
        send(mailer(box), notice())


def test_a_mail_server_that_is_not_there_is_away() -> None:
    with pytest.raises(Away, match="mail_unreachable"):
        send(mailer(Mailbox(port=free_port())), notice())


@pytest.mark.parametrize(
    "evil",
    [
        "a\r\nBcc: other@mail.example",
        "a\nBcc: other@mail.example",
        "a\r\n\r\nnew body",
        "a\u2028Bcc: x@y",
        "a\x00b",
    ],
)
def test_no_name_of_an_office_injects_a_header_a_recipient_or_a_body(box: Mailbox, evil: str) -> None:
    given = {language: dict.fromkeys(FIELDS["accepted"], evil) for language in LANGUAGES}
    words = load_texts().words("accepted", given)

    send(mailer(box), replace(notice(), words=words))

    ((recipients, mail),) = box.taken
    assert recipients == (MAIL.value,)
    assert sorted(name.lower() for name in mail) == sorted(
        ["from", "to", "subject", "date", "message-id", "auto-submitted", "content-language", "content-type",
         "content-transfer-encoding", "mime-version"]
    )  # fmt: skip
    assert len(mail.get_content().strip().split("\r\n\r\n")) == 2


def test_mail_carries_mailboxes_alone(box: Mailbox) -> None:
    assert (mailer(box).carries(MAIL), mailer(box).carries(PHONE)) == (True, False)


# -- the gateway


def test_a_gateway_gets_one_signed_message_with_the_fields_for_its_own_templates(hub: GatewayBox) -> None:
    send(Gateway(hub.url, SECRET, now, mail=False), notice(PHONE))

    (said,) = hub.taken
    assert hub.unsigned == 0
    assert said["to"] == {"kind": "phone", "value": PHONE.value}
    assert (said["id"], said["moment"], said["number"]) == (
        "ntc_0123456789abcdef",
        "accepted",
        "450305-20261123-7KQ2MWX",
    )
    assert list(said["text"]) == ["zh", "en"]
    assert said["fields"]["zh"]["office"] == "office甲"


def test_a_gateway_takes_nothing_that_is_signed_under_another_secret(hub: GatewayBox) -> None:
    other = "whsec_" + "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"

    with pytest.raises(Away, match="status_400"):
        send(Gateway(hub.url, other, now, mail=False), notice(PHONE))

    assert (hub.taken, hub.unsigned) == ([], 1)


def test_a_message_of_yesterday_is_refused_by_the_signature_check(hub: GatewayBox) -> None:
    yesterday = Gateway(
        hub.url, SECRET, lambda: datetime.fromtimestamp(now().timestamp() - 86_400, UTC), mail=False
    )

    with pytest.raises(Away, match="status_400"):
        send(yesterday, notice(PHONE))

    assert hub.taken == []


@pytest.mark.parametrize("status", [413, 422])
def test_what_a_gateway_will_never_take_is_not_sent_again(hub: GatewayBox, status: int) -> None:
    hub.answer = lambda _: status

    with pytest.raises(NotTaken, match=f"status_{status}"):
        send(Gateway(hub.url, SECRET, now, mail=False), notice(PHONE))


@pytest.mark.parametrize("status", [301, 400, 401, 404, 429, 500, 503])
def test_everything_else_is_for_later(hub: GatewayBox, status: int) -> None:
    hub.answer, hub.headers = lambda _: status, {"Retry-After": "7"}

    with pytest.raises(Away, match=f"status_{status}") as away:
        send(Gateway(hub.url, SECRET, now, mail=False), notice(PHONE))

    assert away.value.wait == 7.0


def test_a_gateway_that_is_not_there_is_away() -> None:
    with pytest.raises(Away, match="gateway_unreachable"):
        send(Gateway(f"http://127.0.0.1:{free_port()}/", SECRET, now, mail=False), notice(PHONE))


def test_mailboxes_go_through_a_gateway_only_where_there_is_no_mail_server() -> None:
    with_mail, alone = (Gateway("http://127.0.0.1/", SECRET, now, mail=mail) for mail in (False, True))

    assert [one.carries(to) for one in (with_mail, alone) for to in (PHONE, MAIL)] == [
        True,
        False,
        True,
        True,
    ]


def test_nothing_that_goes_wrong_says_where_it_was_to_go(caplog: pytest.LogCaptureFixture) -> None:
    with ExitStack() as stack, caplog.at_level(logging.DEBUG):
        box, hub = stack.enter_context(mail_server()), stack.enter_context(gateway())
        box.to_recipient, hub.answer = lambda address: f"550 <{address}> unknown", lambda _: 422
        for channel, to in ((mailer(box), MAIL), (Gateway(hub.url, SECRET, now, mail=False), PHONE)):
            with pytest.raises(NotTaken) as failed:
                send(channel, notice(to))
            assert to.value not in repr(failed.value) + str(failed.value)

    ours = [
        record.getMessage() for record in caplog.records if not record.name.startswith(("mail.", "asyncio"))
    ]
    assert not any(to.value in line for to in (MAIL, PHONE) for line in ours)


def test_the_signature_covers_the_body(hub: GatewayBox) -> None:
    seen: list[dict[str, object]] = []
    hub.answer = lambda said: seen.append(said) or 204  # type: ignore[func-returns-value]
    send(Gateway(hub.url, SECRET, now, mail=False), notice(PHONE))
    changed = json.dumps(seen[0] | {"to": {"kind": "phone", "value": "13900000000"}}).encode()

    at = now()
    signature = Webhook(SECRET).sign("ntc_1", at, json.dumps(seen[0]))
    headers = {
        "webhook-id": "ntc_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }

    assert httpx.post(hub.url, content=changed, headers=headers, timeout=100).status_code == 400
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(changed, headers)
