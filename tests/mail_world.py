"""Where notices arrive in the tests: a real mail server (SMTP over the loopback, TLS if wanted) and a JSON gateway."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.deliveries.signing import new_secret
from tests.receiver import Receiver, receiving
from tests.servers import free_port

SECRET = new_secret()
"""Of the gateway in the tests."""

USER, PASSWORD = "notices", "a long password"


@dataclass
class Mailbox:
    """A mail server and what it took. `reply` may say something else than 250 to a recipient or to the data."""

    port: int = 0
    taken: list[tuple[tuple[str, ...], EmailMessage]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    to_recipient: Callable[[str], str | None] = lambda _: None
    to_data: Callable[[], str | None] = lambda: None

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Envelope, address: str, options: Any
    ) -> str:
        """One recipient."""
        said = self.to_recipient(address)
        if said is None:
            envelope.rcpt_tos.append(address)
        return said or "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        """One mail."""
        said = self.to_data()
        if said is not None:
            return said
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=default)
        assert isinstance(message, EmailMessage)
        self.encrypted.append(session.ssl is not None)
        self.taken.append((tuple(envelope.rcpt_tos), message))
        return "250 OK"

    def to(self, address: str) -> list[EmailMessage]:
        """The mails that one address got."""
        return [message for recipients, message in self.taken if recipients == (address,)]


@contextmanager
def mail_server(
    box: Mailbox | None = None, tls: ssl.SSLContext | None = None, *, login: bool = False
) -> Iterator[Mailbox]:
    """A mail server on a free port; with `tls` it offers STARTTLS, with `login` it wants USER and PASSWORD."""
    made = box or Mailbox()
    made.port = made.port or free_port()
    more: dict[str, Any] = {"tls_context": tls, "require_starttls": True} if tls else {}
    if login:
        more |= {"authenticator": _authenticated, "auth_required": True}
    controller = Controller(made, hostname="127.0.0.1", port=made.port, ready_timeout=100, **more)
    controller.start()
    try:
        yield made
    finally:
        controller.stop()


def _authenticated(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for the loopback that signs itself: the file to trust, and the server's side of it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    trusted, chain = folder / "trusted.pem", folder / "server.pem"
    trusted.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain.write_bytes(trusted.read_bytes() + private)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain)
    return trusted, context


@dataclass
class GatewayBox:
    """An intranet's gateway and what it took; it refuses what is not signed. `answer` may say another status."""

    receiver: Receiver
    answer: Callable[[dict[str, Any]], int] = lambda _: 204
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.receiver.url

    @property
    def taken(self) -> list[dict[str, Any]]:
        """The messages that it took, in order."""
        return [one.event for one in self.receiver.taken]

    @property
    def unsigned(self) -> int:
        """How many calls it refused by their signature."""
        return len(self.receiver.refused)

    def to(self, address: str) -> list[dict[str, Any]]:
        """The messages that one address got."""
        return [said for said in self.taken if said["to"]["value"] == address]


@contextmanager
def gateway() -> Iterator[GatewayBox]:
    """Such a gateway on the loopback."""
    box = GatewayBox(Receiver(SECRET))
    box.receiver.answers = lambda one: (box.answer(one.event), box.headers)
    with receiving(box.receiver):
        yield box
