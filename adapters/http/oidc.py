"""OpenID Connect: the provider's own word on who signed in (OpenID Connect Core 1.0; RFC 7636 PKCE; RFC 9068 tokens)."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx
import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from adapters.settings import Settings
from domain.refusal import Refused, Unavailable

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519"]
"""Signatures by a private key alone: with a shared secret in the list, our public copy of a key could sign."""

LEEWAY_SECONDS = 30
AGAIN_SECONDS = 30.0
"""How long nobody asks the provider again after an unknown key, so that bad tokens cannot make us hammer it."""
ANSWER_SECONDS = 5.0
LONGEST = 16_384

_log = structlog.get_logger("oidc")


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody whom an issuer knows by `sub`."""

    issuer: str
    sub: str


class Provider:
    """The provider that the settings name. Nothing is asked before it is needed. Safe to share between threads."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime]) -> None:
        """Raises ValueError where no issuer is set."""
        if settings.oidc_issuer is None:
            raise ValueError("no issuer is set")
        self.issuer, self.client_id = settings.oidc_issuer, settings.oidc_client_id
        self._secret, self._audience = settings.oidc_client_secret, settings.oidc_audience
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, Any] | None = None
        self._keys: KeySet | None = None
        self._asked = float("-inf")

    @property
    def signs_in(self) -> bool:
        """Whether people can sign in by a browser."""
        return self.client_id is not None

    # -- tokens -------------------------------------------------------------------------------------------------------

    def bearer(self, token: str) -> Subject | None:
        """Whom an access token is about; None for any token not made for us. Raises Unavailable.

        Only where an audience of ours is set: an ID token is a browser's, and never opens the API.
        """
        if self._audience is None:
            return None
        claims = self._claims(token, self._audience)
        return None if claims is None or "nonce" in claims else Subject(self.issuer, claims["sub"])

    def _claims(self, token: str, audience: str) -> dict[str, Any] | None:
        if len(token) > LONGEST or token.count(".") != 2:
            return None
        found = self._decoded(token)
        if found is None:
            return None
        registry = jwt.JWTClaimsRegistry(
            now=int(self._clock().timestamp()), leeway=LEEWAY_SECONDS, iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": audience}, exp={"essential": True}, sub={"essential": True},
        )  # fmt: skip
        try:
            registry.validate(found)
        except JoseError:
            return None
        sub = found["sub"]
        return found if isinstance(sub, str) and 0 < len(sub) <= 255 else None

    def _decoded(self, token: str) -> dict[str, Any] | None:
        """The claims under a signature of the provider; its keys are asked for anew once where none fits."""
        for fresh in (False, True):
            keys = self._key_set(fresh=fresh)
            if keys is None:
                return None
            try:
                return dict(jwt.decode(token, keys, algorithms=ALGORITHMS).claims)
            except (JoseError, ValueError, TypeError, KeyError):
                continue
        return None

    # -- the code flow ------------------------------------------------------------------------------------------------

    def authorization_url(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Where the browser is sent. Raises Unavailable."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code", "client_id": self.client_id, "redirect_uri": redirect_uri, "scope": "openid",
            "state": state, "nonce": nonce, "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        there = self._where("authorization_endpoint")
        return f"{there}{'&' if '?' in there else '?'}{urlencode(asked)}"

    def signed_in(self, code: str, redirect_uri: str, nonce: str, verifier: str) -> Subject:
        """Who came back with this code. Raises Refused "sign_in_failed", Unavailable."""
        given = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier,
            "client_id": self.client_id or "",
        }  # fmt: skip
        if self._secret is not None:
            given["client_secret"] = self._secret.get_secret_value()
        answer = self._ask("POST", self._where("token_endpoint"), data=given)
        token = _document(answer).get("id_token") if answer.is_success else None
        claims = self._claims(token, self.client_id or "") if isinstance(token, str) else None
        if claims is None or claims.get("nonce") != nonce:
            raise Refused("sign_in_failed", "Sign in again: the provider did not confirm this sign-in.")
        return Subject(self.issuer, claims["sub"])

    # -- asking the provider ------------------------------------------------------------------------------------------

    def _where(self, name: str) -> str:
        """One of the provider's addresses. Raises Unavailable where its document leaves it out."""
        found = self._discovered().get(name)
        if not isinstance(found, str):
            raise Unavailable(f"the provider's document names no {name}")
        return found

    def _discovered(self) -> dict[str, Any]:
        with self._lock:
            if self._known is None:
                url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
                self._known = _document(self._ask("GET", url))
                if self._known.get("issuer") != self.issuer:
                    self._known = None
                    raise Unavailable(
                        "the provider says that it is another issuer than the one in the settings"
                    )
            return self._known

    def _key_set(self, *, fresh: bool) -> KeySet | None:
        """The provider's keys; None where fresh ones were asked for a moment ago."""
        uri = self._where("jwks_uri")
        with self._lock:
            if self._keys is not None and not fresh:
                return self._keys
            if time.monotonic() - self._asked < AGAIN_SECONDS and self._keys is not None:
                return None
            self._asked = time.monotonic()
            try:
                self._keys = KeySet.import_key_set(_document(self._ask("GET", uri)))  # type: ignore[arg-type]
            except (JoseError, ValueError, TypeError, KeyError) as error:
                raise Unavailable("the provider's keys cannot be read") from error
            return self._keys

    def _ask(self, method: str, url: str, **more: Any) -> httpx.Response:
        try:
            return httpx.request(method, url, timeout=ANSWER_SECONDS, follow_redirects=False, **more)
        except httpx.HTTPError as error:
            _log.warning("provider_out_of_reach", error=type(error).__name__)
            raise Unavailable("the identity provider is out of reach") from error


def _document(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise Unavailable("the identity provider did not answer as it should") from error
    if not isinstance(found, dict):
        raise Unavailable("the identity provider did not answer as it should")
    return found
