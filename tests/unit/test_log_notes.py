"""Signed notes and keys: the specification's own examples, one form only, and which signatures count."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.log.keys import ed25519_verify
from domain.log.notes import (
    ED25519,
    ED25519_COSIGNATURE,
    ML_DSA_44_COSIGNATURE,
    MOST_BYTES,
    MOST_SIGNATURES,
    Note,
    NoteError,
    Signature,
    SignerKey,
    VerifierKey,
    format_note,
    parse_note,
    parse_signatures,
    sign_note,
    verified,
)
from tests.unit.log_world import LOG_KEY, ORIGIN, Key, example, flipped, head, spec

TEXT = "one line\n\nand one after an empty one\n"
OTHER = Key("other.example/log", number=9)


def refused(act: Callable[..., Any], *given: Any) -> str:
    with pytest.raises(NoteError) as caught:
        act(*given)
    return caught.value.code


def signed(text: str = TEXT, *keys: Key) -> Note:
    notes = [sign_note(text, key.vkey, key.sign) for key in keys or (LOG_KEY,)]
    return Note(text, tuple(one for note in notes for one in note.signatures))


def broken(note: Note, at: int = 0) -> Note:
    """With one signature that fails."""
    lines = list(note.signatures)
    lines[at] = Signature(lines[at].name, lines[at].key_id, flipped(lines[at].blob, 77))
    return Note(note.text, tuple(lines))


# ---- the specification's examples -------------------------------------------------------------------------------


def test_the_example_note_is_verified_by_the_example_key() -> None:
    key = VerifierKey.parse(spec("signed-note").split("The following verifier key\n\n")[1].split()[0])
    note = parse_note(example("signed-note", "This is an example message."))

    assert verified(note, [key], ed25519_verify) == (key,)
    assert refused(verified, broken(note), [key], ed25519_verify) == "bad_signature"


@pytest.mark.parametrize("beginning", ["Ognuno sta solo", "This is an example message."])
def test_an_example_note_is_written_back_as_it_was(beginning: str) -> None:
    text = example("signed-note", beginning)

    assert format_note(parse_note(text)) == format_note(parse_note(text.encode())) == text


def test_the_text_ends_at_the_last_empty_line() -> None:
    assert parse_note(example("signed-note", "Ognuno")).text.endswith("\n\ned è subito sera.\n")


# ---- keys -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", [ED25519, ED25519_COSIGNATURE, ML_DSA_44_COSIGNATURE])
def test_a_verifier_key_is_read_back(algorithm: int) -> None:
    key = VerifierKey.of(
        "a.example/回音", algorithm, bytes(1312 if algorithm == ML_DSA_44_COSIGNATURE else 32)
    )

    assert VerifierKey.parse(str(key)) == key


def test_one_public_key_has_another_id_under_every_name_and_algorithm() -> None:
    ids = {VerifierKey.of(name, kind, bytes(32)).key_id for name in ("a", "b") for kind in (1, 4)}

    assert len(ids) == 4


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda key: "", "key_form"),
        (lambda key: key + "\n", "key_form"),
        (lambda key: " " + key, "key_name"),
        (lambda key: key.replace("+", "-", 1), "key_form"),
        (lambda key: key.replace(ORIGIN, ""), "key_form"),
        (lambda key: key.replace(ORIGIN, "other.example"), "key_id"),
        (lambda key: key.replace(ORIGIN, "a b"), "key_name"),
        (lambda key: key.replace(ORIGIN, "a\u2003b"), "key_name"),
        (lambda key: key.replace(ORIGIN, "a\nb"), "key_name"),
        (lambda key: key.replace(ORIGIN, "a\udc80b"), "key_name"),
        (lambda key: key[:-1], "key_form"),
        (lambda key: key[:-4], "key_algorithm"),
        (lambda key: key.split("+")[0] + "+00000000+" + key.split("+", 2)[2], "key_id"),
        (lambda key: key.split("+")[0] + "+ABCDEF00+" + key.split("+", 2)[2], "key_form"),
        (lambda key: "a+00000000+" + b64encode(b"\x02" + bytes(32)).decode(), "key_algorithm"),
        (lambda key: "a+00000000+" + b64encode(b"\xff" + bytes(32)).decode(), "key_algorithm"),
        (lambda key: "a+00000000+" + b64encode(b"\x01" + bytes(31)).decode(), "key_algorithm"),
        (lambda key: "a+00000000+" + b64encode(b"\x06" + bytes(32)).decode(), "key_algorithm"),
        (lambda key: "a+00000000+", "key_form"),
    ],
)
def test_a_malformed_verifier_key_is_refused(change: Callable[[str], str], code: str) -> None:
    assert refused(VerifierKey.parse, change(str(LOG_KEY.vkey))) == code


@given(st.integers(0, 10_000))
def test_a_verifier_key_with_a_flipped_bit_is_refused(bit: int) -> None:
    text = flipped(str(LOG_KEY.vkey).encode(), bit).decode("utf-8", "surrogateescape")

    refused(VerifierKey.parse, text)


def test_a_signer_key_is_read_back_and_tells_its_verifier() -> None:
    key = SignerKey.of(ORIGIN, ED25519, LOG_KEY.vkey.public, b"\1" * 32)

    assert SignerKey.parse(str(key)) == key
    assert str(key).startswith(f"PRIVATE+KEY+{ORIGIN}+")
    assert key.verifier(LOG_KEY.vkey.public) == LOG_KEY.vkey
    assert refused(key.verifier, OTHER.vkey.public) == "key_id"


def test_a_signer_key_does_not_show_its_seed_by_chance() -> None:
    key = SignerKey.of(ORIGIN, ED25519, LOG_KEY.vkey.public, b"\xab" * 32)

    assert "seed" not in repr(key)
    assert "xab" not in repr(key)


@pytest.mark.parametrize(
    "text",
    ["", "PRIVATE+KEY+", str(LOG_KEY.vkey), "PRIVATE+KEY+a+00000000+AQ==", "PRIVATE+KEY+a b+00000000+AQ=="],
)
def test_a_malformed_signer_key_is_refused(text: str) -> None:
    assert refused(SignerKey.parse, text) in ("key_form", "key_algorithm", "key_name")


def test_a_seed_of_another_length_makes_no_key() -> None:
    assert refused(SignerKey.of, ORIGIN, ED25519, LOG_KEY.vkey.public, bytes(31)) == "key_algorithm"


# ---- the form of a note -----------------------------------------------------------------------------------------

lines = st.lists(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12), max_size=6
)
names = st.text(
    st.characters(codec="utf-8", exclude_categories=["Z", "C"], exclude_characters="+"), min_size=1
)
signatures = st.builds(Signature, names, st.integers(0, 2**32 - 1), st.binary(min_size=1, max_size=80))


@given(lines, st.lists(signatures, min_size=1, max_size=16))
def test_every_note_is_read_back(text: list[str], under: list[Signature]) -> None:
    note = Note("".join(f"{line}\n" for line in ["first", *text]), tuple(under))

    assert parse_note(format_note(note)) == note


@pytest.mark.parametrize(
    "change",
    [
        lambda note: "",
        lambda note: TEXT,
        lambda note: note[:-1],
        lambda note: note + "\n",
        lambda note: note + "more\n",
        lambda note: note.replace("\n\n—", "\n—"),
        lambda note: note.replace("—", "-"),
        lambda note: note.replace("— ", "—"),
        lambda note: note.replace("— ", "—  "),
        lambda note: note.replace("\n", "\r\n"),
        lambda note: note.replace("line", "li\tne"),
        lambda note: note.replace("line", "li\0ne"),
        lambda note: note.replace("line", "li\udc80ne"),
        lambda note: note.replace(ORIGIN, "a+b"),
        lambda note: note.replace(ORIGIN, "a\u00a0b"),
        lambda note: note.replace(f" {ORIGIN}", ""),
        lambda note: note[:-3] + "\n",
        lambda note: note[:-1] + " \n",
        lambda note: note[:-1] + "=\n",
        lambda note: note.rpartition(" ")[0] + " AAAAAA==\n",
        lambda note: note.rpartition(" ")[0] + " \n",
        lambda note: note[: note.rindex("\n\n")] + "\n\n",
        lambda note: note.encode().replace(b"line", b"\xff"),
        lambda note: note.encode("utf-16"),
    ],
)
def test_a_malformed_note_is_refused(change: Callable[[str], Any]) -> None:
    given = change(format_note(signed()))

    assert refused(parse_note, given) in ("note_form", "signature_form", "key_name")


def test_a_signature_has_one_spelling() -> None:
    text = format_note(Note("x\n", (Signature("a", 1, b"\0"),)))
    assert text.endswith("AAAAAQA=\n")

    assert refused(parse_note, text.replace("AQA=", "AQB=")) == "signature_form"


def test_a_note_may_hold_sixteen_large_signatures_and_not_a_thousand() -> None:
    large = Signature("board.example/w", 1, bytes(5_000))

    assert len(parse_note(format_note(Note(TEXT, (large,) * 16))).signatures) == 16
    small = Signature("board.example/w", 1, b"x")
    assert (
        refused(parse_note, format_note(Note(TEXT, (small,) * (MOST_SIGNATURES + 1))))
        == "too_many_signatures"
    )
    assert refused(parse_note, "x" * (MOST_BYTES + 1)) == "note_too_long"


def test_a_note_without_a_signature_is_not_written() -> None:
    assert refused(format_note, Note(TEXT, ())) == "note_form"


@pytest.mark.parametrize("text", ["", "no newline", "a\tb\n", "a\udc80\n"])
def test_a_text_that_no_note_has_is_not_signed(text: str) -> None:
    assert refused(sign_note, text, LOG_KEY.vkey, LOG_KEY.sign) == "note_form"


def test_a_cosigner_does_not_sign_plain_notes() -> None:
    board = Key("board.example/w", ED25519_COSIGNATURE, 2)

    assert refused(sign_note, TEXT, board.vkey, board.sign) == "key_algorithm"


def test_an_answer_of_signature_lines_alone_is_read() -> None:
    note = signed(TEXT, LOG_KEY, OTHER)

    assert parse_signatures("".join(map(str, note.signatures))) == note.signatures
    for wrong in ("", "\n", str(note.signatures[0])[:-1], "text\n\n" + str(note.signatures[0])):
        refused(parse_signatures, wrong)


def test_a_line_is_added_once() -> None:
    note, more = signed(), signed(TEXT, OTHER).signatures

    assert note.plus(*more).plus(*more, *note.signatures).signatures == (*note.signatures, *more)


# ---- which signatures count -------------------------------------------------------------------------------------


def test_a_note_signed_by_a_known_key_counts() -> None:
    assert verified(signed(), [OTHER.vkey, LOG_KEY.vkey], ed25519_verify) == (LOG_KEY.vkey,)


def test_lines_of_unknown_keys_are_ignored_even_if_they_fail() -> None:
    note = broken(signed(TEXT, OTHER, LOG_KEY))

    assert verified(note, [LOG_KEY.vkey], ed25519_verify) == (LOG_KEY.vkey,)


def test_a_failing_line_of_a_known_key_rejects_the_note_beside_a_good_one() -> None:
    keys = [LOG_KEY.vkey, OTHER.vkey]
    good = signed(TEXT, LOG_KEY, OTHER)

    assert set(verified(good, keys, ed25519_verify)) == set(keys)
    for at in (0, 1):
        assert refused(verified, broken(good, at), keys, ed25519_verify) == "bad_signature"


def test_a_note_that_no_known_key_has_signed_does_not_count() -> None:
    assert refused(verified, signed(), [OTHER.vkey], ed25519_verify) == "no_known_signature"
    assert refused(verified, signed(), [], ed25519_verify) == "no_known_signature"


def test_a_key_of_the_same_name_or_the_same_id_alone_is_unknown() -> None:
    (line,) = signed().signatures
    namesake = Key(ORIGIN, number=8).vkey
    same_id = Note(TEXT, (Signature("somebody.example", line.key_id, line.blob),))

    assert refused(verified, signed(), [namesake], ed25519_verify) == "no_known_signature"
    assert refused(verified, same_id, [LOG_KEY.vkey], ed25519_verify) == "no_known_signature"


def test_a_line_twice_counts_as_one_key_and_both_are_checked() -> None:
    note = signed()
    twice = Note(note.text, note.signatures * 2)

    assert verified(twice, [LOG_KEY.vkey], ed25519_verify) == (LOG_KEY.vkey,)
    assert refused(verified, broken(twice, 1), [LOG_KEY.vkey], ed25519_verify) == "bad_signature"


def test_a_cosigners_key_is_unknown_to_a_plain_note() -> None:
    same_pair = Key(ORIGIN, ED25519_COSIGNATURE).vkey

    assert refused(verified, signed(), [same_pair], ed25519_verify) == "no_known_signature"


@given(st.integers(0, 100_000))
def test_no_flipped_bit_of_a_note_leaves_it_verified(bit: int) -> None:
    data = flipped(format_note(head(5)).encode(), bit)

    with pytest.raises(NoteError):
        verified(parse_note(data), [LOG_KEY.vkey], ed25519_verify)
