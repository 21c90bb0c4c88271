"""verify.py: its own Ed25519, notes, policies and trees, against published vectors and the product's libraries."""

import base64
import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.bundle import verify
from tests import bundle_maker as make

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "data" / "merkle"

RFC_8032 = (  # section 7.1, tests 1 to 3 and SHA(abc): seed, public key, message, signature
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
)


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC_8032)
def test_the_vectors_of_rfc_8032_are_signed_and_verified_alike(
    seed: str, public: str, message: str, signature: str
) -> None:
    data, made = bytes.fromhex(message), bytes.fromhex(signature)

    assert verify.ed25519_public(bytes.fromhex(seed)).hex() == public
    assert verify.ed25519_sign(bytes.fromhex(seed), data) == made
    assert verify.ed25519_verify(bytes.fromhex(public), data, made)
    assert not verify.ed25519_verify(bytes.fromhex(public), data + b"x", made)


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=99), st.integers(0, 511))
@settings(max_examples=30, deadline=None)
def test_signatures_agree_with_another_library_and_no_flipped_bit_passes(
    seed: bytes, message: bytes, bit: int
) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    flipped = bytearray(signature)
    flipped[bit // 8] ^= 1 << bit % 8

    assert verify.ed25519_sign(seed, message) == signature
    assert verify.ed25519_verify(public, message, signature)
    assert not verify.ed25519_verify(public, message, bytes(flipped))


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64))
@settings(max_examples=30, deadline=None)
def test_any_bytes_for_a_key_are_judged_as_another_library_judges_them(
    public: bytes, signature: bytes
) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, b"")
        there = True
    except (InvalidSignature, ValueError):
        there = False

    assert verify.ed25519_verify(public, b"", signature) is there


def test_a_scalar_beyond_the_order_is_refused() -> None:
    _, public, message, signature = (bytes.fromhex(one) for one in RFC_8032[1])
    scalar = int.from_bytes(signature[32:], "little") + verify._ORDER

    assert not verify.ed25519_verify(public, message, signature[:32] + scalar.to_bytes(32, "little"))


def test_a_point_beyond_the_prime_is_no_key() -> None:
    assert verify._decoded((2**255 - 19).to_bytes(32, "little")) is None
    assert verify._decoded((1 | 1 << 255).to_bytes(32, "little")) is None  # x = 0 with a sign


NOTE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
"""


def test_the_example_of_c2sp_signed_note_verifies() -> None:
    key = verify.read_key("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    note = verify.read_note(NOTE)
    (signature,) = note.signatures

    assert (signature.name, signature.id) == (key.name, key.id)
    assert verify.ed25519_verify(key.public, note.text.encode(), signature.blob)


BEHIND_THE_SOFA = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""


def test_the_example_of_c2sp_tlog_cosignature_is_read_as_its_text_says() -> None:
    head = verify.read_head(BEHIND_THE_SOFA)
    blob = head.note.signatures[1].blob

    assert (head.origin, head.size, head.root.hex()[:8]) == (
        "example.com/behind-the-sofa",
        20852163,
        "0ac5186a",
    )
    assert int.from_bytes(blob[:8], "big") == 1679315147
    assert len(blob) == 72


@pytest.mark.parametrize(
    "note",
    [
        NOTE[:-1],
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("aQM=", "aQN="),  # a second spelling of the same bytes
        NOTE.replace("example.com/foo ", "example.com/foo  "),
        NOTE.replace("—", "-"),
        NOTE + "\n",
        NOTE.replace("This", "Th\tis"),
        NOTE.replace("This", "Th\x00is"),
        "text\n\n— a+b AAAAAAA=\n",
        "text\n\n— a AAAA\n",
        "text\n\n" + "— a AAAAAAA=\n" * 101,
        "",
    ],
)  # fmt: skip
def test_a_note_that_is_none_is_named_so(note: str) -> None:
    with pytest.raises(verify.BadNote):
        verify.read_note(note)


@pytest.mark.parametrize("size", ["01", "-1", "+1", " 1", "1e3", "", "9223372036854775808", "٣"])
def test_a_size_has_one_spelling(size: str) -> None:
    with pytest.raises(verify.BadNote):
        verify.read_head(f"a\n{size}\n{make.b64(bytes(32))}\n\n— a AAAAAAA=\n")


@pytest.mark.parametrize(
    "vkey", ["", "a", "a+b", "a+00000000+AQ==", "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
             "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
             "example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"],
)  # fmt: skip
def test_a_key_that_is_none_is_named_so(vkey: str) -> None:
    with pytest.raises(verify.BadNote):
        verify.read_key(vkey)


def nested(quorum: str) -> verify.Policy:
    keys = {name: make.Signer(f"{name}.example", 4).vkey for name in ("X1", "X2", "X3", "Y1", "Y2", "Y3")}
    lines = [
        f"log {make.LOG_KEY.vkey}",
        *(f"witness\t{name} {key} https://{name}" for name, key in keys.items()),
    ]
    groups = ["group X 2 X1 X2 X3", "# a comment", "group Y any Y1 Y2 Y3", "", "group both all X Y"]
    return verify.Policy("\n".join([*lines, *groups, f"quorum {quorum}"]))


def test_groups_of_groups_are_counted_as_c2sp_tlog_policy_says() -> None:
    policy = nested("both")

    assert policy.satisfied({"X1", "X3", "Y2"})
    assert not policy.satisfied({"X1", "X2", "X3"})
    assert not policy.satisfied({"X1", "Y1", "Y2"})
    assert nested("Y2").satisfied({"Y2"})
    assert not nested("Y2").satisfied({"Y1"})
    assert nested("none").satisfied(set())


W = make.BOARDS[0].vkey


@pytest.mark.parametrize(
    "text",
    [
        "", "quorum none\nquorum none", "quorum A", f"witness A {W}\nwitness B {W}\nquorum A",
        f"witness A {W}\ngroup G 2 A\nquorum G", f"witness A {W}\ngroup G 0 A\nquorum G",
        f"witness A {W}\ngroup G any A A\nquorum G", f"witness A {W}\ngroup G any A\ngroup H any A\nquorum H",
        f"group G any A\nwitness A {W}\nquorum G", f"witness none {W}\nquorum none", f"witness A {make.LOG_KEY.vkey}\nquorum A",
        f"log {W}\nquorum none", f"log {make.LOG_KEY.vkey}\nlog {make.LOG_KEY.vkey}\nquorum none",
        f"witness A {W}\nquorum A\x00", f"witness A {W}\nquorum A extra", "nonsense\nquorum none",
    ],
)  # fmt: skip
def test_a_policy_that_is_none_is_named_so(text: str) -> None:
    with pytest.raises(verify.BadNote):
        verify.Policy(text)


@given(st.lists(st.integers(0, 300), min_size=1, max_size=6), st.data())
@settings(max_examples=60, deadline=None)
def test_the_frontier_makes_the_root_that_the_definition_makes(parts: list[int], data: st.DataObject) -> None:
    hashes = [bytes([n % 256, n // 256]) * 16 for n in range(sum(parts))]
    tree = verify.Frontier(0, [])
    for at in range(0, len(hashes), 256):
        cut = data.draw(st.integers(at, min(at + 256, len(hashes))))
        tree.append(hashes[at:cut])
        assert tree.root() == make.root(hashes[:cut])
        tree.append(hashes[cut : at + 256])

    assert (tree.size, tree.root()) == (len(hashes), make.root(hashes))


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 255, 256, 257, 511, 512, 700, 65536, 65537, 70000])
def test_the_right_edge_alone_makes_the_root(size: int, tmp_path: Path) -> None:
    hashes = [n.to_bytes(4, "big") * 8 for n in range(size)]
    files = make.edge(hashes)

    with closing(verify.Bundle(make.zipped(files, tmp_path / "edge.zip"))) as bundle:
        assert bundle.frontier(size).root() == make.root(hashes)


@given(st.integers(1, 80), st.data())
@settings(max_examples=60, deadline=None)
def test_an_inclusion_proof_leads_to_the_root_and_no_other_one_does(size: int, data: st.DataObject) -> None:
    hashes = [bytes([n]) * 32 for n in range(size)]
    index = data.draw(st.integers(0, size - 1))
    path = make.path(index, hashes)

    assert verify.root_from_path(hashes[index], index, size, path) == make.root(hashes)
    assert verify.root_from_path(hashes[index], index, size, [*path, bytes(32)]) is None
    assert verify.root_from_path(hashes[index], size, size, path) is None
    if path:
        assert verify.root_from_path(hashes[index], index, size, path[:-1]) != make.root(hashes)


def test_the_known_answers_for_inclusion_are_judged_right() -> None:
    if not VECTORS.is_dir():
        pytest.skip("the Merkle vectors are not on this machine")
    cases = [json.loads(path.read_text()) for path in sorted(VECTORS.glob("inclusion/*/*.json"))]

    assert cases
    for one in cases:
        path = [base64.b64decode(step) for step in one["proof"] or ()]
        leaf, root = (base64.b64decode(one[name] or "") for name in ("leafHash", "root"))
        good = verify.root_from_path(leaf, one["leafIdx"], one["treeSize"], path) == root
        assert good is not one["wantErr"], one["desc"]


def test_tiles_are_named_as_c2sp_tlog_tiles_says() -> None:
    assert verify.tile_path(0, 1234067, 256) == "log/tile/0/x001/x234/067"
    assert verify.tile_path("entries", 273, 112) == "log/tile/entries/273.p/112"
    assert verify.tile_path(2, 0, 1) == "log/tile/2/000.p/1"
    assert all(
        verify.tile_path(1, n, 256) == make.tile_name(1, n, 256) for n in (0, 999, 1000, 999_999, 1_000_000)
    )


def test_a_policy_cosigned_in_another_second_does_not_fit() -> None:
    board, text = make.BOARDS[0], make.checkpoint([bytes(32)])
    line = make.signed(text, datetime(2026, 11, 1, tzinfo=UTC), [board])
    key, head = verify.read_key(board.vkey), verify.read_head(line)
    blob = head.note.signatures[0].blob
    later = (int.from_bytes(blob[:8], "big") + 1).to_bytes(8, "big") + blob[8:]

    assert verify.check_signature(key, head, blob) == datetime(2026, 11, 1)  # noqa: DTZ001 - the verifier's own UTC
    assert verify.check_signature(key, head, later) is False
    assert verify.check_signature(key, head, b"\xff" * 72) is False


def test_a_post_quantum_cosignature_counts_where_a_library_can_check_it() -> None:
    mldsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.mldsa")
    private = mldsa.MLDSA44PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    key = verify.Key("board.example", verify.key_id("board.example", 6, public), 6, public)
    head = verify.read_head(make.signed(make.checkpoint([bytes(32)]), make.BEGIN))
    stamp = int(make.BEGIN.timestamp()).to_bytes(8, "big")
    blob = stamp + private.sign(
        b"subtree/v1\n\x00" + b"\x0dboard.example" + stamp + bytes([len(make.ORIGIN)]) + make.ORIGIN.encode()
        + bytes(8) + (1).to_bytes(8, "big") + bytes(32)
    )  # fmt: skip

    assert verify.check_signature(key, head, blob) == make.BEGIN.replace(tzinfo=None)
    assert verify.check_signature(key, head, blob[:-1] + bytes([blob[-1] ^ 1])) is False
