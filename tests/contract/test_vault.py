"""Sealed values: RFC 9901 disclosures, encrypted per person per case, erased with their key."""

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.store.postgres import PostgresStore
from adapters.store.sqlite import SqliteStore
from adapters.vault import open_keys
from adapters.vault.keys import Keys
from adapters.vault.masters import create_masters
from adapters.vault.vault import Vault, disclose, disclosure_digest
from domain.refusal import Refused
from tests.contract.store_world import new_id, one
from workflows.ports import Plain, SealedRow

MARK = "王小明-7f3a-canary"
Store = SqliteStore | PostgresStore

plain_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.fixture
def keys(store_url: str, tmp_path: Path) -> Iterator[Keys]:
    create_masters(tmp_path / "masters")
    keys = open_keys(store_url.replace("cases.db", "keys.db"), tmp_path / "masters")
    yield keys
    keys.close()


@pytest.fixture
def vault(store: Store, keys: Keys) -> Vault:
    return Vault(store, keys)


def keep(store: Store, *rows: SealedRow) -> None:
    store.append(one(new_id(), sealed=rows))


def test_a_sealed_value_opens_to_what_was_sealed(store: Store, vault: Vault) -> None:
    row = vault.seal("case", "person", "name", MARK)
    keep(store, row)
    (opened,) = vault.open("case")
    assert (opened.subject, opened.name, opened.value, opened.digest) == ("person", "name", MARK, row.digest)
    assert opened.state == "open"


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(value=plain_json)
def test_any_json_without_fractions_survives(store: Store, vault: Vault, value: object) -> None:
    case = new_id()
    keep(store, vault.seal(case, "person", "field", value))  # type: ignore[arg-type]
    assert [opened.value for opened in vault.open(case)] == [value]


def test_the_digest_is_that_of_rfc_9901(store: Store, vault: Vault) -> None:
    # Section 4.2.1 of RFC 9901: the salt, the claim name, the claim value; and its digest in section 4.2.3.
    example = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
    assert disclosure_digest(example) == "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"
    keep(store, vault.seal("case", "person", "name", MARK))
    (opened,) = vault.open("case")
    assert opened.disclosure is not None
    decoded = json.loads(base64.urlsafe_b64decode(opened.disclosure + "=" * (-len(opened.disclosure) % 4)))
    salt, name, value = decoded
    assert (name, value) == ("name", MARK)
    assert len(base64.urlsafe_b64decode(salt + "==")) == 16
    hashed = hashlib.sha256(opened.disclosure.encode("ascii")).digest()
    assert base64.urlsafe_b64encode(hashed).decode().rstrip("=") == opened.digest


def test_the_same_value_never_has_the_same_digest_or_ciphertext(vault: Vault) -> None:
    rows = vault.seal_all([Plain("case", "person", "name", MARK)] * 50)
    assert len({row.digest for row in rows}) == 50
    assert len({row.ciphertext for row in rows}) == 50


def test_erasing_one_person_leaves_the_values_of_the_others(store: Store, keys: Keys, vault: Vault) -> None:
    rows = vault.seal_all([Plain("case", "a", "name", "A"), Plain("case", "b", "name", "B")])
    keep(store, *rows)
    keys.destroy("case", "a")
    erased, kept = vault.open("case")
    assert (erased.subject, erased.state, erased.value, erased.disclosure) == ("a", "erased", None, None)
    assert erased.digest == rows[0].digest
    assert (kept.value, kept.state) == ("B", "open")


def test_what_is_locked_opens_for_nobody_who_does_not_ask_for_it_by_name(
    store: Store, keys: Keys, vault: Vault
) -> None:
    rows = vault.seal_all([Plain("case", "a", "name", "A"), Plain("case", "b", "name", "B")])
    keep(store, *rows)
    keys.lock("case", "a")
    locked, kept = vault.open("case")
    assert (locked.state, locked.value, locked.disclosure, locked.digest) == (
        "locked",
        None,
        None,
        rows[0].digest,
    )
    assert kept.state == "open"
    assert [opened.value for opened in vault.open("case", locked=True)] == ["A", "B"]
    with pytest.raises(Refused) as refused:
        vault.seal("case", "a", "phone", "1")
    assert refused.value.code == "locked"


def test_a_person_who_was_erased_is_not_sealed_again(keys: Keys, vault: Vault) -> None:
    vault.seal("case", "person", "name", MARK)
    keys.destroy("case", "person")
    with pytest.raises(Refused) as refused:
        vault.seal("case", "person", "name", MARK)
    assert refused.value.code == "erased"


def test_a_diverted_case_opens_for_discipline_inspection_alone(
    store: Store, keys: Keys, vault: Vault
) -> None:
    keep(store, vault.seal("case", "person", "name", MARK))
    keys.rewrap("case", "discipline")
    assert [opened.value for opened in vault.open("case")] == [None]
    assert [opened.value for opened in vault.open("case", holder="discipline")] == [MARK]
    keep(store, vault.seal("case", "person", "phone", "1", holder="discipline"))
    assert [opened.value for opened in vault.open("case", holder="discipline")] == [MARK, "1"]


@pytest.mark.parametrize("change", ["ciphertext", "name", "digest"])
def test_a_row_that_was_tampered_with_is_damaged_and_the_others_open(
    store: Store, vault: Vault, change: str
) -> None:
    good, bad = vault.seal_all([Plain("case", "a", "name", "A"), Plain("case", "b", "name", "B")])
    changed = {
        "ciphertext": bytes([bad.ciphertext[0] ^ 1]) + bad.ciphertext[1:],
        "name": "other",
        "digest": "d" * 43,
    }
    keep(store, good, bad._replace(**{change: changed[change]}))
    assert [opened.state for opened in vault.open("case")] == ["open", "damaged"]


def test_a_row_moved_to_another_case_does_not_open_there(store: Store, vault: Vault) -> None:
    row = vault.seal("case", "person", "name", MARK)
    vault.seal("other", "person", "name", "x")
    keep(store, row._replace(stream="other"))
    assert [opened.state for opened in vault.open("other")] == ["damaged"]


@pytest.mark.parametrize("value", ["\ud800", "a\udfffb", ["\ud800"], {"k": "\ud800"}, float("nan")])
def test_invalid_unicode_and_what_json_does_not_know_is_refused(vault: Vault, value: object) -> None:
    with pytest.raises(Refused) as refused:
        vault.seal("case", "person", "name", value)  # type: ignore[arg-type]
    assert refused.value.code == "invalid_text"
    assert "ud800" not in refused.value.advice


def test_a_refused_value_makes_no_key(keys: Keys, vault: Vault) -> None:
    with pytest.raises(Refused):
        vault.seal("case", "person", "name", "\ud800")
    assert keys.key("case", "person") is None


def test_disclosures_hold_the_name_and_value_they_were_made_of() -> None:
    assert json.loads(base64.urlsafe_b64decode(disclose("n", "v") + "=="))[1:] == ["n", "v"]


def test_no_sealed_value_is_readable_in_the_files(tmp_path: Path) -> None:
    create_masters(tmp_path / "masters")
    store = SqliteStore(tmp_path / "cases.db")
    keys = open_keys(str(tmp_path), tmp_path / "masters")
    row = Vault(store, keys).seal("case", "person", "name", MARK)
    store.append(one("case", sealed=[row]))
    needles = [MARK.encode(), base64.b64encode(MARK.encode())[:12], json.dumps(MARK)[1:8].encode()]
    for path in [file for file in tmp_path.rglob("*") if file.is_file()]:
        assert not any(needle in path.read_bytes() for needle in needles), path.name
    store.close()
    keys.close()
