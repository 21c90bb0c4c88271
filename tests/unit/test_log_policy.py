"""Policies: the specification's example and rules, quorums counted, heads accepted and refused."""

from __future__ import annotations

from itertools import chain, combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.log.keys import ed25519_verify
from domain.log.notes import ED25519, ED25519_COSIGNATURE, Note, NoteError, format_note, parse_note, sign_note
from domain.log.policy import Group, Policy, PolicyError
from tests.unit.log_world import BOARDS, LOG_KEY, NOW, ORIGIN, Key, example, flipped, head, line

B1, B2, B3 = BOARDS
THREE = f"""\
# who must agree
log {LOG_KEY.vkey} https://log.example/

witness ombudsman {B1.vkey}
witness audit {B2.vkey} http://audit.example/w
 \twitness\tcouncil  {B3.vkey}
group boards 2 ombudsman audit council
quorum boards
"""


def refused(text: bytes | str, code: str = "policy_line") -> str:
    with pytest.raises(PolicyError) as caught:
        Policy.parse(text)
    assert caught.value.code == code
    return caught.value.advice


def not_accepted(policy: Policy, note: Note) -> str:
    with pytest.raises(NoteError) as caught:
        policy.accept(note, ed25519_verify)
    return caught.value.code


def subsets(names: list[str]) -> Any:
    return chain.from_iterable(combinations(names, count) for count in range(len(names) + 1))


# ---- reading ----------------------------------------------------------------------------------------------------


def test_a_policy_names_logs_witnesses_groups_and_the_quorum() -> None:
    policy = Policy.parse(THREE)

    assert policy.log_keys == (LOG_KEY.vkey,)
    assert [(one.name, one.vkey, one.url) for one in policy.witnesses] == [
        ("ombudsman", B1.vkey, None), ("audit", B2.vkey, "http://audit.example/w"), ("council", B3.vkey, None)
    ]  # fmt: skip
    assert policy.groups == (Group("boards", 2, ("ombudsman", "audit", "council")),)
    assert (policy.quorum, policy.fewest) == ("boards", 2)
    assert Policy.parse(THREE.encode()) == policy


def test_the_specifications_example_asks_for_two_of_x_and_one_of_y() -> None:
    text, number = example("tlog-policy", "log <vkey>\n"), 10
    text = text.replace("<vkey>", str(LOG_KEY.vkey), 1)
    while "<vkey>" in text:
        text, number = text.replace("<vkey>", str(Key("w", ED25519_COSIGNATURE, number).vkey), 1), number + 1
    policy = Policy.parse(text)
    names = [witness.name for witness in policy.witnesses]

    assert names == ["X1", "X2", "X3", "Y1", "Y2", "Y3"]
    assert policy.fewest == 3
    for some in subsets(names):
        enough = sum(name[0] == "X" for name in some) >= 2 and any(name[0] == "Y" for name in some)
        assert policy.satisfied(some) == enough


def test_a_policy_needs_nothing_but_a_quorum() -> None:
    policy = Policy.parse("quorum none\n")

    assert (policy.logs, policy.witnesses, policy.fewest) == ((), (), 0)
    assert policy.satisfied([])


def test_a_single_witness_may_be_the_quorum() -> None:
    policy = Policy.parse(f"witness a {B1.vkey}\nwitness b {B2.vkey}\nquorum a\n")

    assert (policy.satisfied(["a"]), policy.satisfied(["b"]), policy.fewest) == (True, False, 1)


def test_all_any_and_a_number_say_how_many() -> None:
    witnesses = f"witness a {B1.vkey}\nwitness b {B2.vkey}\nwitness c {B3.vkey}\n"
    for word, least in (("all", 3), ("any", 1), ("1", 1), ("2", 2), ("3", 3)):
        policy = Policy.parse(f"{witnesses}group g {word} a b c\nquorum g\n")
        assert policy.fewest == least
        for some in subsets(["a", "b", "c"]):
            assert policy.satisfied(some) == (len(some) >= least)


def test_names_of_groups_and_strangers_do_not_help() -> None:
    assert not Policy.parse(THREE).satisfied(["boards", "none", "somebody", "audit"])


def test_a_name_is_its_bytes() -> None:
    kelvin = THREE.replace("audit", "\u212a").replace("council", "K").encode()
    opaque = THREE.encode().replace(b"audit", b"\xff").replace(b"council", b"\xfe")

    assert [one.name for one in Policy.parse(kelvin).witnesses] == ["ombudsman", "\u212a", "K"]
    assert len({one.name for one in Policy.parse(opaque).witnesses}) == 3
    refused(opaque.replace(b"quorum boards", b"quorum \xfd"))


def test_the_words_of_a_line_may_be_names_too() -> None:
    policy = Policy.parse(
        f"witness witness {B1.vkey}\ngroup any any witness\ngroup quorum all any\nquorum quorum\n"
    )

    assert policy.satisfied(["witness"])


def test_thirty_two_logs_witnesses_and_groups_are_read() -> None:
    lines = [f"log {Key('l', ED25519, number).vkey}" for number in range(32)]
    lines += [f"witness w{number} {Key('w', ED25519_COSIGNATURE, number).vkey}" for number in range(32)]
    lines += [f"group g{number} any w{number}" for number in range(32)]
    lines += ["group all all " + " ".join(f"g{number}" for number in range(32)), "quorum all"]

    assert Policy.parse("\n".join(lines) + "\n").fewest == 32


def test_groups_may_be_nested_deeply() -> None:
    lines = [f"witness g0 {B1.vkey}", *(f"group g{n + 1} any g{n}" for n in range(3_000)), "quorum g3000"]
    policy = Policy.parse("\n".join(lines) + "\n")

    assert (policy.satisfied(["g0"]), policy.satisfied([]), policy.fewest) == (True, False, 1)


@pytest.mark.parametrize(
    "line",
    [
        "quorum",
        "quorum boards",
        "quorum none",
        "log",
        "log not-a-key",
        f"log {LOG_KEY.vkey}",
        f"log {Key('another.example', number=1).vkey}",
        f"log {Key('x', number=7).vkey} https://a.example https://b.example",
        f"log {Key('x', number=7).vkey} # a comment stands on its own line",
        "witness lonely",
        f"witness none {Key('x', ED25519_COSIGNATURE, 7).vkey}",
        f"witness audit {Key('x', ED25519_COSIGNATURE, 7).vkey}",
        f"witness boards {Key('x', ED25519_COSIGNATURE, 7).vkey}",
        f"witness again {B1.vkey}",
        f"witness again {Key('another.example', ED25519_COSIGNATURE, 2).vkey}",
        f"witness plain {Key('x', ED25519, 7).vkey}",
        "group more any",
        "group more any nobody",
        "group more any none",
        "group more any more",
        "group more any audit",
        "group more 1 boards boards",
        "group more 2 boards",
        "group more 0 boards",
        "group more -1 boards",
        "group more 01 boards",
        "group more +1 boards",
        "group more 1.0 boards",
        "group more some boards",
        "group boards any boards",
        "group none any boards",
        "Quorum boards",
        "mirror a",
        "\u00a0# no white space of the specification",
    ],
)
def test_a_wrong_line_is_named(line: str) -> None:
    assert "line 9:" in refused(f"{THREE}{line}\n")


def test_a_name_is_defined_before_it_is_used() -> None:
    refused(f"quorum a\nwitness a {B1.vkey}\n")
    refused(f"group g any a\nwitness a {B1.vkey}\nquorum g\n")


def test_a_policy_without_a_quorum_or_cut_off_is_refused() -> None:
    assert "quorum" in refused(THREE.replace("quorum boards\n", ""), "policy_quorum")
    refused("", "policy_form")
    for cut in (1, 4):
        refused(THREE[:-cut], "policy_form")


@pytest.mark.parametrize("octet", [0x00, 0x01, 0x0B, 0x0C, 0x0D, 0x1F, 0x7F])
def test_control_characters_are_refused_even_in_comments(octet: int) -> None:
    refused(THREE.encode().replace(b"who", bytes([octet])), "policy_form")
    refused(THREE.replace("who", chr(octet)), "policy_form")


@given(st.binary(max_size=200))
def test_bytes_of_chance_are_a_policy_or_refused(data: bytes) -> None:
    for text in (data, THREE.encode() + data + b"\n"):
        try:
            Policy.parse(text)
        except PolicyError:
            continue


# ---- accepting a head -------------------------------------------------------------------------------------------


def test_a_head_signed_by_the_log_and_enough_boards_is_accepted() -> None:
    note = head(5)
    note = note.plus(line(note, B1), line(note, B3, NOW + 9))

    accepted = Policy.parse(THREE).accept(note, ed25519_verify)

    assert (accepted.checkpoint.size, accepted.log_key) == (5, LOG_KEY.vkey)
    assert accepted.cosigned == {"ombudsman": NOW, "council": NOW + 9}


def test_a_head_with_too_few_boards_is_not() -> None:
    note = head(5)
    twice = note.plus(line(note, B1), line(note, B1, NOW + 1))

    assert not_accepted(Policy.parse(THREE), note) == "quorum_missing"
    assert not_accepted(Policy.parse(THREE), twice) == "quorum_missing"


def test_a_head_that_no_known_log_has_signed_is_not() -> None:
    policy, stranger = Policy.parse(THREE), Key("stranger.example", number=9)
    boards_alone = Note(head(5).text, tuple(line(head(5), board) for board in BOARDS))

    assert not_accepted(policy, boards_alone) == "log_unknown"
    assert not_accepted(policy, head(5, "stranger.example", stranger)) == "log_unknown"
    assert not_accepted(Policy.parse("quorum none\n"), head(5)) == "log_unknown"


def test_a_log_speaks_for_its_own_origin_alone() -> None:
    other = Key("other.example", number=9)
    policy = Policy.parse(f"log {LOG_KEY.vkey}\nlog {other.vkey}\nquorum none\n")
    note = head(5, ORIGIN, other)

    assert not_accepted(policy, note) == "log_unknown"
    assert policy.accept(head(5, "other.example", other), ed25519_verify).log_key == other.vkey


def test_one_failing_line_of_a_board_rejects_the_head() -> None:
    note, other = head(5), head(6)
    enough = note.plus(line(note, B1), line(note, B2))

    assert not_accepted(Policy.parse(THREE), enough.plus(line(other, B3))) == "bad_signature"


def test_a_signed_note_that_is_no_checkpoint_is_not_a_head() -> None:
    note = sign_note("hello\n", LOG_KEY.vkey, LOG_KEY.sign)

    assert not_accepted(Policy.parse(THREE), note) == "checkpoint_form"


@given(st.integers(0, 10_000), st.integers(0, 2))
def test_a_bent_line_of_a_board_never_counts(bit: int, at: int) -> None:
    note = head(5)
    lines = [str(line(note, board)).encode() for board in BOARDS]
    lines[at] = flipped(lines[at], bit)
    policy = Policy.parse(THREE.replace("group boards 2", "group boards 3"))

    with pytest.raises(NoteError):
        policy.accept(parse_note(format_note(note).encode() + b"".join(lines)), ed25519_verify)
