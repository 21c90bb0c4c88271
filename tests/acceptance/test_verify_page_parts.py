"""verify.html, part by part: its hashes, trees, moments and leaves, against Python's and verify.py's, in a real browser."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser

from adapters.bundle import verify
from tests import bundle_maker as make
from tests.acceptance.bundle_world import Audited, lived
from tests.acceptance.page_world import PAGE, reader, words
from tests.bundle_maker import Trail
from tests.unit.verify_world import run

ENGINE = PAGE.read_text(encoding="utf-8").split("function engine() {")[1].split("\n  self.onmessage = ")[0]
PARTS = "({sha256, crc32, hex, moment, written, tenths, fromBase64, readLeaf, rootFromPath, Frontier, Reader, spelled})"
Ask = Callable[[str, Any], Any]


@pytest.fixture(scope="module")
def ask(chromium: Browser) -> Ask:
    """Call a function `(parts, given) => …` in the browser, with the parts of the page's engine."""
    page = chromium.new_page()
    page.evaluate(f"() => {{ window.parts = (() => {{ {ENGINE}; return {PARTS}; }})(); }}")
    return lambda function, given: page.evaluate(f"(given) => ({function})(window.parts, given)", given)


def test_its_sha_256_on_published_vectors(ask: Ask) -> None:
    """FIPS 180-4, the examples of NIST."""
    digest = "(parts, text) => parts.hex(parts.sha256(new TextEncoder().encode(text)))"

    assert ask(digest, "") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert ask(digest, "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert (
        ask(digest, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
        == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    )
    assert (
        ask("(parts) => parts.hex(parts.sha256(new Uint8Array(1e6).fill(97)))", None)
        == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    )


def test_its_sha_256_and_crc_on_every_length_up_to_a_few_blocks(ask: Ask) -> None:
    chance = random.Random(7)
    given = [list(chance.randbytes(length)) for length in range(300)]

    digests = ask(
        "(parts, given) => given.map((one) => parts.hex(parts.sha256([0], Uint8Array.from(one))))", given
    )
    sums = ask("(parts, given) => given.map((one) => parts.crc32(Uint8Array.from(one)))", given)

    assert digests == [hashlib.sha256(b"\0" + bytes(one)).hexdigest() for one in given]
    assert sums == [verify.zlib.crc32(bytes(one)) for one in given]


def test_its_tree_at_every_size_up_to_three_tiles(ask: Ask) -> None:
    hashes = [hashlib.sha256(bytes([n % 256, n // 256])).digest() for n in range(700)]
    roots = ask(
        """(parts, given) => {
          const edge = new parts.Frontier(0, []), roots = [parts.hex(edge.root())];
          for (const one of given) { edge.append([Uint8Array.from(one)]); roots.push(parts.hex(edge.root())); }
          return roots; }""",
        [list(one) for one in hashes],
    )

    assert roots == [make.root(hashes[:size]).hex() for size in range(701)]


def test_its_inclusion_proofs_lead_to_the_root_and_no_other_length_does(ask: Ask) -> None:
    hashes = [hashlib.sha256(bytes([n])).digest() for n in range(40)]
    given = [
        [list(hashes[index]), index, size, [list(step) for step in make.path(index, hashes[:size])]]
        for size in range(1, 41) for index in range(size)
    ]  # fmt: skip
    lead = """(parts, given) => given.map(([leaf, index, size, path]) => {
        const root = parts.rootFromPath(Uint8Array.from(leaf), index, size, path.map((one) => Uint8Array.from(one)));
        return root && parts.hex(root); })"""

    assert ask(lead, given) == [make.root(hashes[:size]).hex() for _, _, size, _ in given]
    longer = [[leaf, index, size, [*path, [0] * 32]] for leaf, index, size, path in given]
    shorter = [[leaf, index, size, path[:-1]] for leaf, index, size, path in given if path]
    assert set(ask(lead, longer) + ask(lead, shorter)) == {None}


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T01:02:03Z", "2026-11-23T01:02:03.123456Z", "2024-02-29T23:59:59Z", "2023-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-04-31T00:00:00Z", "2026-11-23T24:00:00Z",
        "2026-11-23T00:60:00Z", "2026-11-23 01:02:03Z", "2026-11-23T01:02:03", "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "yesterday", "",
    ],
)  # fmt: skip
def test_it_reads_the_moments_that_verify_py_reads_and_writes_them_the_same(ask: Ask, text: str) -> None:
    try:
        expected: str | None = verify.written(verify.moment(text))
    except ValueError:
        expected = None

    read = "(parts, text) => { try { return parts.written(parts.moment(text)); } catch { return null; } }"
    assert ask(read, text) == expected


def test_it_writes_hours_as_verify_py_does(ask: Ask) -> None:
    minutes = [*range(0, 60 * 30, 3), 60 * 72 + 15, 60 * 72 + 45, 100_000]

    told = ask("(parts, given) => given.map((one) => parts.tenths(one * 60e6))", minutes)

    assert told == [f"{one / 60:.1f}" for one in minutes]


def test_it_takes_base_64_in_one_spelling_only(ask: Ask) -> None:
    given = [
        "",
        "AA==",
        "AB==",
        "AAA=",
        "AAB=",
        "AAAA",
        "AA=",
        "A",
        "AA==\n",
        " AA==",
        "AA-_",
        "====",
        "AAAA==",
    ]
    taken = ask(
        """(parts, given) => given.filter((one) => {
          try { parts.fromBase64(one); return true; } catch { return false; } })""",
        given,
    )

    def by_python(text: str) -> bool:
        try:
            verify._base64(text)
        except verify.BadNote:
            return False
        return True

    assert taken == [one for one in given if by_python(one)]


# -- leaves -----------------------------------------------------------------------------------------------------------

LEAF = Trail().open().entries[0]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=True)
    | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
SPELLINGS = st.sampled_from(
    [{"separators": (",", ":")}, {}, {"indent": 1}, {"separators": (",", ":"), "ensure_ascii": False}]
)


@st.composite
def leaves(draw: st.DrawFn) -> bytes:
    """A leaf with something else in it, spelled some way, and perhaps a few bytes changed."""
    value = json.loads(LEAF)
    value["pub"] = draw(VALUES) if draw(st.booleans()) else {"a": draw(VALUES)}
    data = bytearray(
        json.dumps(value, sort_keys=draw(st.booleans()), **draw(SPELLINGS)).encode("utf-8", "replace")
    )
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 2))] = draw(
            st.sampled_from([b"", b'"', b"\\", b"1", b"-", b".", b"{", b" "])
        )
    return bytes(data)


def code_of(entry: bytes) -> str | None:
    try:
        verify.read_leaf(entry)
    except verify.BadLeaf as bad:
        return str(bad.args[0])
    return None


@settings(max_examples=25, deadline=None)
@given(st.lists(leaves(), min_size=20, max_size=20))
def test_any_leaf_is_judged_as_verify_py_judges_it(ask: Ask, entries: list[bytes]) -> None:
    codes = ask(
        """(parts, given) => given.map((one) => {
          try { parts.readLeaf(Uint8Array.from(one)); return null; } catch (error) { return error.code ?? String(error); } })""",
        [list(entry) for entry in entries],
    )

    assert codes == [code_of(entry) for entry in entries]


@pytest.mark.parametrize(
    "entry",
    [
        LEAF, b"", b"{}", b"[]", b"7", b" " + LEAF, LEAF + b" ", LEAF + b"\n", LEAF + LEAF, b"\xef\xbb\xbf" + LEAF,
        LEAF.replace(b'"backfill"', b'"__proto__"'), LEAF.replace(b'"pub":{', b'"pub":{"10":1,"9":2,'),
        LEAF.replace(b'"pub":{', b'"pub":{"__proto__":1,'), LEAF.replace(b'"pub":{', b'"pub":{"\\u0000":1,'),
        LEAF.replace(b'"pub":{', b'"pub":{"A":"\\u001f\\n\\"\\\\",'), LEAF.replace(b'"pub":{', b'"pub":{"A":"\x7f",'),
        LEAF.replace(b'"pub":{', b'"pub":{"A":"\\/",'), LEAF.replace(b'"pub":{', b'"pub":{"A":"\\u001F",'),
        LEAF.replace(b'"pub":{', b'"pub":{"A":' + b"[" * 5000 + b"]" * 5000 + b","),
        LEAF.replace(b'"pub":{', b'"pub":{"A":1e5,'), LEAF.replace(b'"pub":{', b'"pub":{"A":01,'),
    ],
)  # fmt: skip
def test_a_leaf_of_a_kind_that_one_might_read_otherwise(ask: Ask, entry: bytes) -> None:
    told = ask(
        """(parts, one) => { try { parts.readLeaf(Uint8Array.from(one)); return null; }
          catch (error) { return error.code ?? String(error); } }""",
        list(entry),
    )

    assert told == code_of(entry)


# -- a bundle of a played district ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    with lived(tmp_path_factory.mktemp("played")) as world:
        yield world


def test_the_bundle_of_a_played_district_is_judged_alike(
    chromium: Browser, played: Audited, tmp_path: Path
) -> None:
    path, taken = played.take()
    with reader(chromium) as board:
        by_page = board.check(path, policy=played.policy)
    by_python = run(path, "--policy", played.policy, "--rules", law_of(path, tmp_path))

    law = {"due_missed"}
    assert law <= by_python.codes
    assert words(by_page.findings) == [one for one in words(by_python.findings) if one[0] not in law]
    assert by_page.said["leaves"] == taken.end
    assert by_page.said["digests"] == by_python.said["digests"]


def law_of(path: Path, folder: Path) -> Path:
    law = folder / "rules.json"
    with verify.zipfile.ZipFile(path) as archive:
        law.write_bytes(archive.read("rules.json"))
    return law
