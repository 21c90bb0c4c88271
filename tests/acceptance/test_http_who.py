"""Who calls: keys of systems, tokens of clients, people who sign in; and residents, somebody else in every matter."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
from joserfc.jwk import RSAKey

from adapters.access import People, SystemKeys, open_access
from domain.event import Recorded, decode
from tests.acceptance.http_world import WORDS, Api, api_over, told
from tests.acceptance.provider import Signer, outside_provider, signer
from tests.acceptance.world import Desk
from tests.servers import free_port
from workflows.ports import Stored
from workflows.rooms import REGISTER

OFFICER = ("sd-01", "officer")
HOTLINE_STAFF = ("hotline", "intake_officer")


def asked(api: Api, token: str | None, acting_as: str | None = None) -> httpx.Response:
    """Who am I, with this token."""
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    return api.client.get(
        "/api/v1/me", headers=headers | ({"Huiyin-Acting-As": acting_as} if acting_as else {})
    )


def keys(api: Api) -> SystemKeys:
    return SystemKeys(open_access(api.engine.settings.access_url), api.engine.handle)


def people_of(api: Api) -> People:
    return People(open_access(api.engine.settings.access_url), api.engine.keys.pepper, api.engine.handle)


# -- keys -----------------------------------------------------------------------------------------------------------------


def test_nobody_is_let_in_without_a_key(api: Api) -> None:
    good = api.token("sd-01", api.district.staff[OFFICER])
    refused = [
        asked(api, token)
        for token in (None, "x", "hy_", good[:-1], good + "0", good[:-1] + "g", "hy_" + "0" * 81)
    ]
    basic = api.client.get("/api/v1/me", headers={"Authorization": f"Basic {good}"})
    foreign = api.client.get("/api/v1/me", headers={"Authorization": b"Bearer \xe5\x90\x8d"})

    for answer in (*refused, basic, foreign):
        assert told(answer) == (401, "sign_in")
        assert answer.headers["www-authenticate"] == 'Bearer realm="huiyin"'
    assert len({answer.content for answer in refused}) == 1


def test_a_key_is_kept_as_a_digest_alone(api: Api) -> None:
    token = api.token("sd-01", api.district.staff[OFFICER])
    secret = token.rpartition("_")[2]

    with sqlite3.connect(api.engine.settings.access_url) as database:
        stored = "\n".join(database.iterdump())
    database.close()

    assert token.split("_")[1] in stored
    assert secret not in stored


def test_a_rotated_key_works_for_its_grace_and_a_revoked_one_not_at_all(api: Api) -> None:
    made = keys(api).create(api.giver, api.district.staff[OFFICER], "sd-01")
    renewed = keys(api).rotate(api.giver, made.key.id, timedelta(hours=1))
    at_once = keys(api).rotate(api.giver, renewed.key.id, timedelta(0))
    last = keys(api).create(api.giver, api.district.staff[OFFICER], "sd-01")
    keys(api).revoke(api.giver, last.key.id)

    assert asked(api, made.token).status_code == 200
    assert asked(api, at_once.token).status_code == 200
    assert told(asked(api, renewed.token)) == told(asked(api, last.token)) == (401, "sign_in")


def test_a_key_acts_for_its_own_body_alone(api: Api) -> None:
    token = api.token("sd-01", api.district.staff[OFFICER])
    case = api.registered()["case"]

    for acting_as in ("com-01/officer", "discipline/discipline_officer"):
        answer = api.client.get(
            f"/api/v1/matters/{case}",
            headers={"Authorization": f"Bearer {token}", "Huiyin-Acting-As": acting_as},
        )
        assert told(answer) == (403, "out_of_scope")


def test_a_post_that_is_only_claimed_gives_nothing(api: Api) -> None:
    """The edge passes the claim on; the register knows better (law 10)."""
    token = api.token("sd-01", api.district.staff[OFFICER])
    case = api.registered()["case"]
    headers = {"Authorization": f"Bearer {token}", "Huiyin-Acting-As": "sd-01/director"}

    seen = api.client.get(f"/api/v1/matters/{case}", headers=headers)
    acted = api.client.post(
        f"/api/v1/matters/{case}/close", headers={**headers, "Idempotency-Key": uuid4().hex}
    )

    assert told(seen) == told(acted) == (404, "not_found")


@pytest.mark.parametrize(
    "claim", ["sd-01", "/", "sd-01/", "/officer", "a b/officer", "sd-01/officer/x", "名/officer"]
)
def test_a_claim_that_names_no_post_is_refused(api: Api, claim: str) -> None:
    token = api.token("sd-01", api.district.staff[OFFICER])
    answer = api.client.get(
        "/api/v1/matters", headers={"Authorization": f"Bearer {token}", "Huiyin-Acting-As": claim.encode()}
    )

    assert told(answer)[0] in (400, 403)


def test_a_system_never_speaks_as_a_resident(api: Api) -> None:
    token = api.token("hotline", api.district.staff[HOTLINE_STAFF], "hotline_12345")
    headers = {"Authorization": f"Bearer {token}", "Huiyin-Acting-As": "resident", "Idempotency-Key": "r"}

    assert told(api.client.post("/api/v1/matters", json=api.order(), headers=headers)) == (
        403,
        "out_of_scope",
    )


def test_the_command_line_makes_shows_rotates_and_revokes_keys(shell: Desk) -> None:
    person, by = shell.district.staff[HOTLINE_STAFF], ("--as", security_of(shell))

    made = _told(shell, "key", "create", person, "--body", "hotline", "--source", "hotline_12345", *by)
    rotated = _told(shell, "key", "rotate", made["id"], "--hours", "0", *by)
    listed = shell.run("key", "list", "--json").stdout
    _told(shell, "key", "revoke", rotated["id"], *by)

    assert made["token"].startswith(f"hy_{made['id']}_")
    assert rotated["token"] != made["token"]
    assert made["token"][20:] not in listed
    assert shell.run("key", "revoke", made["id"], *by).exit_code == 1
    assert shell.run("key", "revoke", "0" * 16, *by).exit_code == 3
    assert shell.run("key", "create", person, "--body", "sd-01", *by).exit_code == 1
    assert shell.run("key", "create", "nobody", "--body", "sd-01", *by).exit_code == 3
    assert shell.run("key", "create", person, "--body", "hotline", "--source", "x", *by).exit_code == 1


def security_of(shell: Desk) -> str:
    return f"{shell.district.security}/system/security_admin"


def test_an_auditor_reads_who_gave_which_system_a_key(shell: Desk) -> None:
    person, by = (
        shell.district.staff[HOTLINE_STAFF],
        ("--as", security_of(shell), "--authority", "resolution:7"),
    )
    made = _told(shell, "key", "create", person, "--body", "hotline", "--source", "hotline_12345", *by)
    rotated = _told(shell, "key", "rotate", made["id"], "--hours", "2", *by)
    _told(shell, "key", "revoke", made["id"], *by)

    with shell.engine() as engine:
        told_of = [
            one for one in map(as_read, engine.store.load(REGISTER)) if one.type.startswith("system_key")
        ]
        stored = str(engine.store.load(REGISTER))

    assert [(one.type, one.pub.key) for one in told_of] == [
        ("system_key_issued.v1", made["id"]), ("system_key_issued.v1", rotated["id"]),
        ("system_key_ended.v1", made["id"]), ("system_key_ended.v1", made["id"]),
    ]  # fmt: skip
    assert {(one.person, one.post, one.authority) for one in told_of} == {
        (shell.district.security, "security_admin", "resolution:7")
    }
    assert told_of[1].pub.replaces == made["id"]
    assert made["token"][20:] not in stored


def as_read(row: Stored) -> Recorded[Any]:
    return decode(row.type, row.body)


@pytest.mark.parametrize(
    "who",
    [("sd-01", "leadership_member"), ("hotline", "intake_officer"), ("system", "system_admin")],
    ids=str,
)
def test_nobody_but_a_security_administrator_gives_keys(shell: Desk, who: tuple[str, str]) -> None:
    staff = {**shell.district.staff, ("system", "system_admin"): shell.district.system}
    by = ("--as", f"{staff[who]}/{who[0]}/{who[1]}")

    result = shell.run("key", "create", shell.district.staff[HOTLINE_STAFF], "--body", "hotline", *by)

    assert (result.exit_code, "not_allowed" in result.stderr) == (1, True)
    assert json.loads(shell.run("key", "list", "--json").stdout) == {"keys": []}


def test_a_key_that_was_put_into_the_tables_by_hand_is_nobodys(api: Api) -> None:
    mine, key = keys(api), "0123456789abcdef"
    access = open_access(api.engine.settings.access_url)
    access.run(
        "INSERT INTO system_keys (id, digest, person, body, source, made_at) VALUES (?, ?, ?, ?, ?, 1)",
        key, hashlib.sha256(b"1" * 64).hexdigest(), api.district.staff[OFFICER], "sd-01", "",
    )  # fmt: skip

    assert told(asked(api, f"hy_{key}_{'1' * 64}")) == (401, "sign_in")
    assert key not in {one.id for one in mine.known()}


def _told(shell: Desk, *arguments: str) -> dict[str, str]:
    result = shell.run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, str] = json.loads(result.stdout)
    return found


# -- tokens ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tokens(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Api, Signer]]:
    """The API with a provider of client credentials; its client `client-hotline` is the hotline's intake."""
    data = tmp_path_factory.mktemp("tokens") / "data"
    shutil.copytree(founded, data)
    with signer() as provider, api_over(data, oidc_issuer=provider.issuer, oidc_audience="huiyin") as api:
        people_of(api).link(api.giver, provider.issuer, "client-hotline", api.district.staff[HOTLINE_STAFF])
        yield api, provider


def test_a_client_with_a_token_is_the_person_that_it_is_linked_to(tokens: tuple[Api, Signer]) -> None:
    api, provider = tokens

    answer = asked(api, provider.token())

    assert answer.json() == {
        "person": api.district.staff[HOTLINE_STAFF], "posts": ["hotline/intake_officer"], "system": None,
    }  # fmt: skip


def test_a_token_of_anybody_else_or_for_anybody_else_is_nobodys(tokens: tuple[Api, Signer]) -> None:
    api, provider = tokens
    stranger = RSAKey.generate_key(2048, {"kid": "one"})
    good = provider.token()
    head, body, signature = good.split(".")
    bad = {
        "expired": provider.token(exp=1_700_000_000),
        "without end": provider.token(exp=None),
        "not yet": provider.token(nbf=4_000_000_000),
        "another audience": provider.token(aud="others"),
        "no audience": provider.token(aud=None),
        "another issuer": provider.token(iss="https://elsewhere.example"),
        "no subject": provider.token(sub=None),
        "an odd subject": provider.token(sub=["x"]),
        "an endless subject": provider.token(sub="x" * 300),
        "an ID token": provider.token(nonce="n"),
        "a stranger's key": provider.token(stranger),
        "an unknown key": provider.token(stranger, {"kid": "two"}),
        "the public key as a secret": _signed_by_the_public_key(provider),
        "no signature": f"{head}.{body}.",
        "alg none": "eyJhbGciOiJub25lIn0." + body + ".",
        "a cut one": good[:-6],
        "swapped": f"{head}.{body[::-1]}.{signature}",
        "endless": "a." + "b" * 20_000 + ".c",
    }

    for name, token in bad.items():
        assert told(asked(api, token)) == (401, "sign_in"), name
    assert asked(api, good).status_code == 200


def _signed_by_the_public_key(provider: Signer) -> str:
    """Key confusion: the published key taken for a shared secret."""

    def part(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    said = {"alg": "HS256", "kid": "one", "typ": "at+jwt"}
    text = f"{part(json.dumps(said).encode())}.{part(json.dumps(provider.claims()).encode())}"
    return f"{text}.{part(hmac.digest(provider.key.as_pem(private=False), text.encode(), 'sha256'))}"


def test_bad_tokens_do_not_make_us_hammer_the_provider(tokens: tuple[Api, Signer]) -> None:
    api, provider = tokens
    stranger = RSAKey.generate_key(2048, {"kid": "three"})
    asked(api, provider.token(stranger, {"kid": "three"}))
    before = provider.asked

    for _ in range(20):
        asked(api, provider.token(stranger, {"kid": "three"}))

    assert provider.asked == before


def test_an_unlinked_subject_is_a_resident(tokens: tuple[Api, Signer]) -> None:
    api, provider = tokens

    assert asked(api, provider.token(sub="somebody")).json() == {"person": None, "posts": [], "system": None}


def resident(api: Api, token: str, method: str, path: str, **how: object) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(how.pop("key", uuid4().hex))}
    return api.client.request(method, f"/api/v1{path}", headers=headers, **how)  # type: ignore[arg-type]


def own(api: Api) -> dict[str, object]:
    return api.order() | {"source": "resident_app"}


def test_a_resident_hands_in_reads_it_all_and_is_somebody_else_in_every_matter(
    tokens: tuple[Api, Signer],
) -> None:
    api, provider = tokens
    token = provider.token(sub="resident-1")
    first, second = (resident(api, token, "POST", "/matters", json=own(api)).json() for _ in range(2))

    shown = resident(api, token, "GET", f"/matters/{first['case']}/sealed?purpose=own").json()

    assert {value["value"] for value in shown["values"]} == {WORDS, "王某某", "13800000000"}
    assert first["requesters"] != second["requesters"]
    commands = {
        row["command"].split(":")[1] for made in (first, second) for row in _history(api, made["case"])
    }
    assert len(commands) == 2


def _history(api: Api, case: str) -> list[dict[str, str]]:
    return [one.model_dump() for one in api.engine.handle.history(case)]


def test_a_residents_key_gives_the_same_answer_again(tokens: tuple[Api, Signer]) -> None:
    api, provider = tokens
    token = provider.token(sub="resident-2")
    first = resident(api, token, "POST", "/matters", json=own(api), key="r1")
    again = resident(api, token, "POST", "/matters", json=own(api), key="r1")

    assert (first.status_code, first.content) == (201, again.content)


def test_an_officer_never_stands_as_a_resident_under_their_own_id(tokens: tuple[Api, Signer]) -> None:
    api, provider = tokens
    for claim in ("resident/officer", "resident/"):
        headers = {
            "Authorization": f"Bearer {provider.token()}",
            "Idempotency-Key": uuid4().hex,
            "Huiyin-Acting-As": claim,
        }
        assert told(api.client.post("/api/v1/matters", json=own(api), headers=headers)) == (
            400,
            "capacity_missing",
        )
    headers |= {"Huiyin-Acting-As": "resident"}
    made = api.client.post("/api/v1/matters", json=own(api), headers=headers).json()
    assert api.district.staff[HOTLINE_STAFF] not in made["requesters"]


def test_another_resident_sees_nothing_of_it(tokens: tuple[Api, Signer]) -> None:
    api, provider = tokens
    case = resident(api, provider.token(sub="resident-3"), "POST", "/matters", json=own(api)).json()["case"]
    other = provider.token(sub="resident-4")

    for path in ("", "/history", "/sealed?purpose=own", "/receipt"):
        assert told(resident(api, other, "GET", f"/matters/{case}{path}")) == (404, "not_found")
    assert told(resident(api, other, "GET", "/matters")) == (403, "no_post")


def test_a_resident_takes_no_number_of_another_system(tokens: tuple[Api, Signer]) -> None:
    api, provider = tokens
    token = provider.token(sub="resident-5")
    numbered = own(api) | {"outside": [{"source": "hotline_12345", "number": "GL-1"}]}

    assert told(resident(api, token, "POST", "/matters", json=numbered)) == (403, "out_of_scope")
    assert told(resident(api, token, "POST", "/matters", json=api.order())) == (403, "out_of_scope")


# -- signing in -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def signing(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API with a provider of people; `zhang` is an officer of the sub-district."""
    data = tmp_path_factory.mktemp("signing") / "data"
    shutil.copytree(founded, data)
    port = free_port()
    with outside_provider() as issuer:
        settings = {"oidc_issuer": issuer, "oidc_client_id": "huiyin", "oidc_client_secret": "s3cret"}
        with api_over(data, **settings, api_url=f"http://127.0.0.1:{port}", listens=port) as api:
            people_of(api).link(api.giver, issuer, "zhang", api.district.staff[OFFICER])
            yield api


def signed_in(api: Api, sub: str, after: str = "/") -> httpx.Response:
    """A browser goes to the provider, says who it is, and comes back; gives the last answer."""
    api.client.cookies.clear()
    away = api.client.get("/auth/login", params={"next": after})
    assert away.status_code == 303
    back = httpx.post(away.headers["location"], data={"sub": sub}, timeout=100)
    assert back.status_code == 302
    return api.client.get(back.headers["location"])


def test_a_person_signs_in_and_acts_in_their_own_post(signing: Api) -> None:
    answer = signed_in(signing, "zhang", "/docs")

    assert (answer.status_code, answer.headers["location"]) == (303, "/docs")
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert "samesite=lax" in answer.headers["set-cookie"].lower()
    me = signing.client.get("/api/v1/me").json()
    assert (me["person"], me["posts"]) == (signing.district.staff[OFFICER], ["sd-01/officer"])


def test_the_way_to_the_provider_is_pinned_by_state_nonce_and_pkce(signing: Api) -> None:
    asked_for = [
        parse_qs(urlsplit(signing.client.get("/auth/login").headers["location"]).query) for _ in range(2)
    ]

    for one in asked_for:
        assert (one["response_type"], one["code_challenge_method"]) == (["code"], ["S256"])
        assert len(one["code_challenge"][0]) == 43
    for name in ("state", "nonce", "code_challenge"):
        assert asked_for[0][name] != asked_for[1][name]


def test_a_code_that_somebody_else_brought_is_refused(signing: Api) -> None:
    signing.client.cookies.clear()
    away = signing.client.get("/auth/login")
    back = httpx.post(away.headers["location"], data={"sub": "zhang"}, timeout=100).headers["location"]

    signing.client.cookies.clear()
    without_cookie = signing.client.get(back)
    signing.client.get("/auth/login")
    other_state = signing.client.get(back)

    assert told(without_cookie) == told(other_state) == (401, "sign_in_failed")
    assert told(signing.client.get("/api/v1/me")) == (401, "sign_in")


def test_a_code_works_once(signing: Api) -> None:
    signing.client.cookies.clear()
    away = signing.client.get("/auth/login")
    step = dict(signing.client.cookies)
    back = httpx.post(away.headers["location"], data={"sub": "zhang"}, timeout=100).headers["location"]
    assert signing.client.get(back).status_code == 303

    again = httpx.get(back, cookies=step, timeout=100)

    assert told(again) == (401, "sign_in_failed")


@pytest.mark.parametrize(
    "after", ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "javascript:x"]
)
def test_nobody_is_sent_elsewhere_after_signing_in(signing: Api, after: str) -> None:
    assert signed_in(signing, "zhang", after).headers["location"] == "/"


def test_signing_out_ends_the_session(signing: Api) -> None:
    signed_in(signing, "zhang")
    assert signing.client.post("/auth/logout").status_code == 204

    assert told(signing.client.get("/api/v1/me")) == (401, "sign_in")


def test_taking_the_link_away_ends_an_open_session(signing: Api) -> None:
    signed_in(signing, "li")
    issuer = signing.engine.settings.oidc_issuer
    assert issuer is not None
    people = people_of(signing)
    people.link(signing.giver, issuer, "li", signing.district.staff[OFFICER])
    assert signing.client.get("/api/v1/me").json()["posts"] == ["sd-01/officer"]

    people.unlink(signing.giver, issuer, "li")

    assert signing.client.get("/api/v1/me").json()["posts"] == []


def test_a_forged_session_is_nobodys(signing: Api) -> None:
    signed_in(signing, "zhang")
    good = signing.client.cookies["huiyin_session"]
    step = signing.client.get("/auth/login").cookies["huiyin_signin"]

    for cookie in (good[:-4] + "AAAA", step, "", "x", "a.b.c.d.e"):
        answer = httpx.get(f"{signing.url}/api/v1/me", cookies={"huiyin_session": cookie}, timeout=100)
        assert told(answer) == (401, "sign_in")


def test_the_provider_knows_no_subject_of_ours_by_our_tables(signing: Api) -> None:
    with sqlite3.connect(signing.engine.settings.access_url) as database:
        stored = "\n".join(database.iterdump())
    database.close()

    assert "zhang" not in stored


def test_without_a_provider_signing_in_says_so(api: Api) -> None:
    assert told(api.client.get("/auth/login")) == (501, "not_signed_up")
    assert told(api.client.get("/auth/callback?code=x&state=y")) == (401, "sign_in_failed")


def test_a_provider_that_is_away_is_told_as_out_of_reach(founded: Path, tmp_path: Path) -> None:
    shutil.copytree(founded, tmp_path / "data")
    gone = f"http://127.0.0.1:{free_port()}"
    with api_over(
        tmp_path / "data", oidc_issuer=gone, oidc_audience="huiyin", oidc_client_id="huiyin"
    ) as api:
        assert told(api.client.get("/auth/login")) == (503, "unavailable")
        assert told(asked(api, "a.b.c")) == (503, "unavailable")
        assert api.get("/me", by=OFFICER).status_code == 200


def test_a_provider_that_names_no_place_to_sign_in_is_told_as_out_of_reach(
    founded: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(founded, data)

    with signer() as provider, api_over(data, oidc_issuer=provider.issuer, oidc_client_id="huiyin") as api:
        assert told(api.client.get("/auth/login")) == (503, "unavailable")
