"""Signing in by a browser: OpenID Connect's code flow with PKCE (RFC 7636), then a session cookie."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from adapters.http.documented import problems
from adapters.http.edge.rates import SESSION
from adapters.http.oidc import Provider
from adapters.http.session import LASTS
from adapters.http.who import Doors
from adapters.settings import Settings
from domain.refusal import Refused

STEP, STEP_LASTS = "huiyin_signin", timedelta(minutes=10)
CALLBACK = "/auth/callback"


class SignIn:
    """The steps: to the provider, back from it, and out again."""

    def __init__(self, settings: Settings, doors: Doors) -> None:
        self._doors = doors
        self._secure = urlsplit(settings.api_address).scheme == "https"
        self._redirect_uri = f"{settings.api_address}{CALLBACK}"

    def sign_in(
        self,
        after: Annotated[
            str, Query(alias="next", max_length=500, description="A path here to go on to.")
        ] = "/",
    ) -> RedirectResponse:
        """Send the browser to the provider."""
        asked = self._provider()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        response = RedirectResponse(asked.authorization_url(self._redirect_uri, state, nonce, verifier), 303)
        step = {"state": state, "nonce": nonce, "verifier": verifier, "next": _here(after)}
        self._keep(response, STEP, self._doors.sessions.seal("signin", step, STEP_LASTS), STEP_LASTS, "/auth")
        return response

    def signed_in(
        self,
        request: Request,
        code: Annotated[str, Query(max_length=4096)] = "",
        state: Annotated[str, Query(max_length=500)] = "",
    ) -> RedirectResponse:
        """The provider has sent the browser back: check its word, and begin a session."""
        step = self._doors.sessions.open("signin", request.cookies.get(STEP, ""))
        if step is None or not code or not secrets.compare_digest(state.encode(), step["state"].encode()):
            raise Refused("sign_in_failed", "Sign in again from the beginning: /auth/login.")
        subject = self._provider().signed_in(code, self._redirect_uri, step["nonce"], step["verifier"])
        response = RedirectResponse(step["next"], 303)
        self._keep(response, SESSION, self._doors.sessions.of(subject), LASTS, "/")
        response.delete_cookie(STEP, path="/auth")
        return response

    def sign_out(self) -> Response:
        """End the session of this browser."""
        response = Response(status_code=204)
        response.delete_cookie(SESSION, path="/")
        return response

    def _provider(self) -> Provider:
        if self._doors.provider is None or not self._doors.provider.signs_in:
            raise Refused(
                "not_signed_up", "Name a provider first: HUIYIN_OIDC_ISSUER and HUIYIN_OIDC_CLIENT_ID."
            )
        return self._doors.provider

    def _keep(self, response: Response, name: str, value: str, lasts: timedelta, path: str) -> None:
        seconds = int(lasts.total_seconds())
        response.set_cookie(
            name, value, max_age=seconds, path=path, secure=self._secure, httponly=True, samesite="lax"
        )


def router(settings: Settings, doors: Doors) -> APIRouter:
    """`/auth/login`, where the provider sends people back to, and `/auth/logout`."""
    made = APIRouter(prefix="/auth", tags=["sign-in"], responses=problems(400, 501))
    of, away = (
        SignIn(settings, doors),
        dict[str, Any]({"status_code": 303, "response_class": RedirectResponse}),
    )
    made.add_api_route("/login", of.sign_in, summary="Sign in 登录", operation_id="sign_in", **away)
    made.add_api_route("/callback", of.signed_in, summary="Come back 返回", operation_id="signed_in", **away)
    made.add_api_route(
        "/logout", of.sign_out, methods=["POST"], summary="Sign out 退出", operation_id="sign_out", status_code=204,
        response_class=Response,
    )  # fmt: skip
    return made


def _here(path: str) -> str:
    """A path on this very server; anything else becomes the front page, so that nobody is sent elsewhere."""
    plain = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if plain and path.isascii() else "/"
