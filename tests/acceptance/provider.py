"""Identity providers for the tests: one that we did not write, and one that signs whatever a test asks for."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import Key, KeySet, RSAKey

from tests.servers import free_port


@contextmanager
def outside_provider() -> Iterator[str]:
    """`oidc-provider-mock`; gives the issuer. Anybody may sign in there as anybody.

    In a process of its own: it calls what its own libraries warn of, and here every warning is an error.
    """
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    issuer = f"http://localhost:{port}"
    try:
        _answers(f"{issuer}/.well-known/openid-configuration")
        yield issuer
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> None:
    until = time.monotonic() + 100
    while time.monotonic() < until:
        try:
            if httpx.get(url, timeout=100).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the provider did not come up")


@dataclass
class Signer:
    """A provider of client credentials: its keys are published, its tokens made here."""

    issuer: str = ""
    key: RSAKey = field(
        default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
    )
    asked: int = 0

    def published(self) -> dict[str, Any]:
        """The JWKS."""
        return dict(KeySet([self.key]).as_dict(private=False))

    def claims(self, **more: Any) -> dict[str, Any]:
        """Good claims of a client, with changes; None leaves one out."""
        now = int(time.time())
        found = {
            "iss": self.issuer,
            "aud": "huiyin",
            "sub": "client-hotline",
            "iat": now,
            "exp": now + 300,
            **more,
        }
        return {name: value for name, value in found.items() if value is not None}

    def token(self, key: Key | None = None, header: dict[str, Any] | None = None, **more: Any) -> str:
        """A token with these claims."""
        said = {"alg": "RS256", "kid": "one", "typ": "at+jwt", **(header or {})}
        return jwt.encode(said, self.claims(**more), key or self.key, algorithms=[said["alg"]])


@contextmanager
def signer() -> Iterator[Signer]:
    """Such a provider on the loopback."""
    made = Signer()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked += 1
            keys = self.path == "/jwks"
            body = made.published() if keys else {"issuer": made.issuer, "jwks_uri": f"{made.issuer}/jwks"}
            raw = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    made.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
