"""Everything that leaves the office, searched for what was sealed, and guessed at: nothing is found, nothing fits.

Searched are leaves, bundles of entries, hash tiles, a bundle, receipts, proofs, the log's own tables and what the roles
write into their logs. Guessed is at values that have few possibilities: a yes or no, a floor, a house number.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.vault.vault import disclosure_digest
from domain.log.leaf import unleaf
from domain.log.tree import leaf_hash
from domain.matter import commands as do
from tests.acceptance.canary import files_in, forms
from tests.attacks.world import Office
from workflows.submission import OutsideNumber, Sealing, Submission

SIGNS = "绛珠黛钗湘迎探惜巧纨袭晴麝鹃莺茗焙钏"
PUBLISHED = re.compile(r"README\.txt|verify\.py|schema\.json|rules\.json|texts/.*")
"""Parts of a bundle that are the same for every office, or that the office has published."""

names = st.text(SIGNS, min_size=6, max_size=12)
phones = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
addresses = st.builds("{}{}栋{}".format, names, st.integers(1, 99), st.integers(100, 3000))
free_text = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=12, max_size=60)
guessable = st.sampled_from(["是", "否", "三楼", "十二楼", "yes", "no", "15", "男", "女", "1-2-501"])


@dataclass(frozen=True)
class Said:
    """What one resident said, and under which names the office knows the matter otherwise."""

    name: str
    contact: str
    place: str
    text: str
    short: str
    outside: str = field(default_factory=lambda: f"GD{uuid4().int % 10**14:014d}")
    key: str = field(default_factory=lambda: f"client-{uuid4().hex}")

    @property
    def long(self) -> tuple[str, ...]:
        """What nobody could write by accident."""
        return self.name, self.contact, self.place, self.text, self.outside, self.key


spoken = st.builds(Said, names, phones, addresses, free_text.filter(str.strip), guessable)


def hands_in(office: Office, said: Said) -> str:
    """A matter registered and handled with these words; the case."""
    with office.desk() as desk:
        resident, case, at = desk.resident(), desk.id(), desk.handle.clock()
        command = do.RegisterMatter(
            number=desk.number(at.date()), source="resident_app", seen_at=at, kind="hazard", code="FW-01",
            demand="help", host=desk.district.communities[0], requesters=(resident.person,),
        )  # fmt: skip
        fields = {"name": said.name, "contact": said.contact, "place": said.place, "text": said.text}
        sealed = tuple(Sealing(name, resident.person, value) for name, value in fields.items())
        outside = (OutsideNumber("hotline_12345", said.outside),)
        answer = desk.handle(
            Submission("app", said.key, case, command, resident, sealed=sealed, outside=outside)
        )
        assert answer.accepted, answer
        intake = desk.district.actor(desk.district.communities[0], "intake_officer")
        desk.must(case, intake, do.AcceptMatter(), note=said.short)
        supplement = do.AddSupplement(what="supplement", source="phone")
        desk.must(case, resident, supplement, None, text=said.short)
    return case


@dataclass
class Outside:
    """All that leaves the office, and the log's own tables: texts apart from what is bytes only."""

    texts: dict[str, bytes] = field(default_factory=dict)
    binary: dict[str, bytes] = field(default_factory=dict)

    @property
    def everything(self) -> dict[str, bytes]:
        return self.texts | self.binary


def gathered(office: Office, cases: list[str], folder: Path) -> Outside:
    folder.mkdir()
    found = Outside()
    with office.log() as log:
        state = log.state()
        found.texts["leaves"] = b"\n".join(log.leaves(0, state.size))
    for case in cases:
        found.texts[f"promise {case}"] = office.must("receipt", "show", case).encode()
        found.texts[f"proof {case}"] = office.proof(case).encode()
    office.must("log", "export", str(folder / "static"))
    found.binary |= {str(file): file.read_bytes() for file in files_in(folder / "static")}
    with zipfile.ZipFile(office.bundle(folder / "1.zip")) as archive:
        for name in archive.namelist():
            kind = found.texts if "entries" in name else found.binary
            if not PUBLISHED.fullmatch(name):
                kind[name] = archive.read(name)
    for file in office.data.glob("log.db*"):
        found.binary[file.name] = file.read_bytes()
    return found


def written_plainly(said: Said, outside: Outside) -> Iterator[str]:
    """Where something sealed stands in any spelling. Short values are looked for as JSON writes them, in texts."""
    for value in said.long:
        for name, form in forms(value).items():
            yield from (
                f"{value!r} as {name} in {file}" for file, data in outside.everything.items() if form in data
            )
    for spelt in {json.dumps(said.short, ensure_ascii=False), json.dumps(said.short)}:
        yield from (f"{spelt} in {file}" for file, data in outside.texts.items() if spelt.encode() in data)


def guesses(value: str, name: str, public: list[str]) -> Iterator[bytes]:
    """What a clever stranger would compute of a value, its name and all that is public around it."""
    json_pair = json.dumps([name, value], ensure_ascii=False, separators=(",", ":"))
    spaced = json.dumps([name, value], ensure_ascii=False)
    texts = [
        value,
        f"{name}{value}",
        f"{name}:{value}",
        f"{name}={value}",
        json_pair,
        spaced,
        json.dumps(value),
    ]
    texts += [
        base64.urlsafe_b64encode(one.encode()).rstrip(b"=").decode() for one in (json_pair, spaced, value)
    ]
    salted = [json.dumps([salt, name, value], ensure_ascii=False) for salt in public]
    texts += [base64.urlsafe_b64encode(one.encode()).rstrip(b"=").decode() for one in salted]
    for text in texts:
        yield hashlib.sha256(text.encode()).digest()
        yield leaf_hash(text.encode())
        yield hashlib.md5(text.encode(), usedforsecurity=False).digest()
    for key in public:
        yield hmac.digest(key.encode(), value.encode(), "sha256")
        yield hmac.digest(key.encode(), json_pair.encode(), "sha256")
        yield hashlib.sha256(f"{key}{value}".encode()).digest()
        yield hashlib.sha256(f"{value}{key}".encode()).digest()


def hashes_in(outside: Outside) -> set[bytes]:
    """Whatever in there could be a hash, as bytes: hex and base64 of 16 or 32 bytes, and the hashes of the tiles."""
    found = set()
    for data in outside.everything.values():
        for word in set(re.findall(rb"[0-9a-fA-F]{64}|(?<![0-9a-fA-F])[0-9a-fA-F]{32}(?![0-9a-fA-F])", data)):
            found.add(bytes.fromhex(word.decode()))
        for word in set(re.findall(rb"(?<![A-Za-z0-9_+/-])[A-Za-z0-9_+/-]{43}(?![A-Za-z0-9_+/-])", data)):
            found.add(base64.b64decode(word.replace(b"-", b"+").replace(b"_", b"/") + b"="))
        found |= {data[at : at + 32] for at in range(0, len(data) - 31, 32)}
    return found


def public_around(office: Office, case: str) -> list[str]:
    """Everything public that stands in a case's leaves, which might have served as a salt or a key."""
    with office.engine() as engine:
        rows = engine.store.load(case)
    words = {office.origin, str(office.log_key)}
    for row in rows:
        told = json.loads(row.body)
        words |= {str(value) for value in told.values() if isinstance(value, str)} | set(told["_sd"])
        words |= {str(value) for value in told["pub"].values() if isinstance(value, str)}
    return sorted(words)


FIELDS = ("name", "contact", "place", "text", "note")


def fits(office: Office, case: str, said: Said, outside: Outside) -> Iterator[str]:
    """Where a guess is right."""
    public, there = public_around(office, case), hashes_in(outside)
    for value in (*said.long, said.short):
        for name in FIELDS:
            if any(guess in there or guess[:16] in there for guess in guesses(value, name, public)):
                yield f"{name} {value!r}"


def test_nothing_that_is_sealed_can_be_found_or_guessed(
    office: Office, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rounds = iter(range(1000))

    @settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(spoken, min_size=1, max_size=3))
    def searched(all_said: list[Said]) -> None:
        cases = [hands_in(office, said) for said in all_said]
        office.seals()
        office.asks()
        outside = gathered(office, cases, tmp_path / f"{next(rounds)}")
        outside.texts["role logs"] = "".join(capfd.readouterr()).encode()
        for case, said in zip(cases, all_said, strict=True):
            assert list(written_plainly(said, outside)) == []
            assert list(fits(office, case, said, outside)) == []

    searched()


def test_the_search_and_the_guesses_find_what_is_there(office: Office, tmp_path: Path) -> None:
    """Or the one above would prove nothing: a value in the clear, a digest without a salt, a salt that is public."""
    said = Said(
        "绛珠黛钗湘迎", "13900001111", "绛珠黛钗湘迎9栋101", "雨天渗水的那一面墙", "三楼", "GD1", "client-1"
    )
    case = hands_in(office, Said(**{**said.__dict__, "outside": "GD20261123000001", "key": "client-a"}))
    salt = public_around(office, case)[0]
    disclosure = base64.urlsafe_b64encode(json.dumps([salt, "note", "三楼"], ensure_ascii=False).encode())
    unsalted = hashlib.sha256("三楼".encode()).hexdigest().encode()
    keyed = hmac.digest(office.origin.encode(), b"13900001111", "sha256")
    planted = {
        "plain": "…13900001111…".encode(), "coded": base64.b64encode("户主绛珠黛钗湘迎".encode()),
        "short": '{"a":"三楼"}'.encode(),
    }  # fmt: skip

    assert all(list(written_plainly(said, Outside({name: data}))) for name, data in planted.items())
    for found in (unsalted, keyed, disclosure_digest(disclosure.rstrip(b"=").decode()).encode()):
        assert list(fits(office, case, said, Outside({"x": found})))


def test_two_leaves_of_the_same_poor_event_have_nothing_in_common_but_what_is_public(office: Office) -> None:
    """Hash tiles are for everybody: who knows all that an event says still cannot recognise its hash."""
    with office.desk() as desk:
        intake, cases = (
            desk.district.actor(desk.district.communities[0], "intake_officer"),
            office.cases()[-2:],
        )
        for case in cases:
            desk.must(case, intake, do.AcceptMatter())
    with office.engine() as engine:
        once, again = (engine.store.load(case)[-1].body for case in cases)

    assert known(once) == known(again)
    assert leaf_hash(once) != leaf_hash(again)
    assert json.loads(once)["nonce"] != json.loads(again)["nonce"]


def known(body: bytes) -> str:
    """What a stranger may know of it: all but the nonce; ids and moments made alike."""
    told = json.dumps(json.loads(body) | {"nonce": ""})
    return re.sub(
        r":[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]{4}-[0-9T:.-]{10,}Z|[0-9]{13}",
        "",
        told,
    )


def test_every_leaf_holds_a_nonce_of_its_own_of_128_bits(office: Office) -> None:
    with office.log() as log:
        bodies = [json.loads(unleaf(leaf).body) for leaf in log.leaves(0, log.state().size)]
    nonces = {body["nonce"] for body in bodies}

    assert len(nonces) == len(bodies)
    assert all(re.fullmatch("[0-9a-f]{32}", nonce) for nonce in nonces)


def test_no_leaf_holds_anything_like_a_telephone_number(office: Office) -> None:
    """Eleven digits that begin as a mobile number does, or a landline's with its area code; ids and hashes apart."""
    with office.log() as log:
        leaves = [leaf.decode() for leaf in log.leaves(0, log.state().size)]
    coded = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[A-Za-z0-9_+/=-]{30,}")

    assert [
        found
        for leaf in leaves
        for found in re.findall(r"(?<!\d)(?:1[3-9]\d{9}|0\d{2,3}-?\d{7,8})(?!\d)", coded.sub("", leaf))
    ] == []
