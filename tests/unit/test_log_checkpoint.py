"""Checkpoints: the specification's example, one form only."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.log.checkpoint import Checkpoint
from domain.log.notes import NoteError, format_note, parse_note
from domain.log.tree import EMPTY_ROOT
from tests.unit.log_world import ORIGIN, example, root_of

HEAD = Checkpoint(ORIGIN, 5, root_of(5))
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1)


def test_the_example_of_the_specification_is_read_and_written_back() -> None:
    text = example("tlog-checkpoint", "example.com/behind-the-sofa")
    note = parse_note(text)
    checkpoint = Checkpoint.parse(note.text)

    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert (checkpoint.text, format_note(note)) == (note.text, text)


@given(texts, st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32), st.lists(texts, max_size=3))
def test_every_checkpoint_is_read_back(origin: str, size: int, root: bytes, more: list[str]) -> None:
    checkpoint = Checkpoint(origin, size, root, tuple(more))

    assert Checkpoint.parse(checkpoint.text) == checkpoint


def test_the_head_of_an_empty_log_says_size_0() -> None:
    assert Checkpoint(ORIGIN, 0, EMPTY_ROOT).text.split("\n")[1] == "0"


def test_extension_lines_are_kept() -> None:
    assert Checkpoint.parse(HEAD.text + "more\nand more\n").extensions == ("more", "and more")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: "\n",
        lambda text: text[:-1],
        lambda text: text + "\n",
        lambda text: text + "more",
        lambda text: text + "\nmore\n",
        lambda text: "\n" + text,
        lambda text: text.replace(ORIGIN, ""),
        lambda text: text.replace("\n5\n", "\n05\n"),
        lambda text: text.replace("\n5\n", "\n+5\n"),
        lambda text: text.replace("\n5\n", "\n-5\n"),
        lambda text: text.replace("\n5\n", "\n5 \n"),
        lambda text: text.replace("\n5\n", "\n٥\n"),
        lambda text: text.replace("\n5\n", "\n\n"),
        lambda text: text.replace("\n5\n", "\n"),
        lambda text: text.replace("\n5\n", f"\n{2**63}\n"),
        lambda text: text[:-2] + "\n",
        lambda text: text[:-5] + "\n",
        lambda text: text.replace("=", "=="),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("/", "\t"),
    ],
)
def test_a_malformed_checkpoint_is_refused(change: Callable[[str], str]) -> None:
    with pytest.raises(NoteError) as caught:
        Checkpoint.parse(change(HEAD.text))

    assert caught.value.code == "checkpoint_form"


@pytest.mark.parametrize(
    ("origin", "size", "root", "more"),
    [
        ("", 1, EMPTY_ROOT, ()),
        ("a\nb", 1, EMPTY_ROOT, ()),
        ("a", -1, EMPTY_ROOT, ()),
        ("a", 2**63, EMPTY_ROOT, ()),
        ("a", 1, EMPTY_ROOT[:31], ()),
        ("a", 1, EMPTY_ROOT + b"x", ()),
        ("a", 1, EMPTY_ROOT, ("",)),
        ("a", 1, EMPTY_ROOT, ("x\n",)),
    ],
)
def test_a_checkpoint_that_could_not_be_read_back_is_not_made(
    origin: str, size: int, root: bytes, more: tuple[str, ...]
) -> None:
    with pytest.raises(NoteError):
        Checkpoint(origin, size, root, more)
