"""The words of notices: every moment in two languages, and no template that reaches for more than it may say."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.notices.channel import address_of
from adapters.notices.wording import FIELDS, LANGUAGES, load_texts
from domain.matter.telling import TO_REQUESTER, TO_STAFF
from domain.refusal import Refused

PACKAGED = load_texts()


def filled(moment: str, **more: str) -> dict[str, dict[str, str]]:
    """Every field of a moment, in every language."""
    return {language: {name: f"<{name}>" for name in FIELDS[moment]} | more for language in LANGUAGES}


def own(folder: Path, text: str, language: str = "zh") -> Path:
    """A folder with texts of an office's own."""
    (folder / f"{language}.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("moment", sorted(TO_REQUESTER | TO_STAFF))
def test_every_moment_has_its_words_in_both_languages_chinese_first(moment: str) -> None:
    words = PACKAGED.words(moment, filled(moment))  # type: ignore[arg-type]

    assert list(words.written) == ["zh", "en"]
    assert all(one.subject and one.text for one in words.written.values())
    assert "<number>" in words.written["zh"].subject
    assert words.text.index(words.written["zh"].text) < words.text.index(words.written["en"].text)


def test_a_district_overrides_one_moment_and_keeps_the_others(tmp_path: Path) -> None:
    texts = load_texts(own(tmp_path, '[closed]\ntext = "编号 {number} 已办完。"\n'))

    assert texts.words("closed", filled("closed")).written["zh"].text == "编号 <number> 已办完。"
    assert (
        texts.words("closed", filled("closed")).written["en"]
        == PACKAGED.words("closed", filled("closed")).written["en"]
    )
    assert texts.words("accepted", filled("accepted")) == PACKAGED.words("accepted", filled("accepted"))


def test_a_district_may_leave_a_moment_out(tmp_path: Path) -> None:
    texts = load_texts(own(tmp_path, "[handed_on]\nsend = false\n"))

    assert (texts.sends("handed_on"), texts.sends("closed"), PACKAGED.sends("handed_on")) == (
        False,
        True,
        True,
    )


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ('[closed]\ntext = "{number}"\nsubject = "{name}"\n', 3, "unknown field {name}"),
        ('[closed]\n\ntext = "{number.__class__}"\n', 3, "unknown field"),
        ('[closed]\ntext = "{0}"\n', 2, "unknown field"),
        ('[closed]\ntext = "{}"\n', 2, "unknown field"),
        ('[closed]\ntext = "{number!r}"\n', 2, "unknown field"),
        ('[closed]\ntext = "{number:>{at}}"\n', 2, "unknown field"),
        ('[closed]\ntext = "{bodies}"\n', 2, "unknown field {bodies}"),
        ('[closed]\ntext = "{number"\n', 2, "brace"),
        ('[closed]\ntext = 3\n', 2, "give a text"),
        ('[closed]\ntext = ""\n', 2, "give a text"),
        ('[closed]\nsubject = "one\\ntwo"\n', 2, "no second line"),
        ('[closed]\nsubject = "a\\u0000b"\n', 2, "no control characters"),
        ('[closed]\nbody = "x"\n', 2, "unknown; there are subject"),
        ('[closed]\nsend = "no"\n', 2, "true or false"),
        ('\n[mood]\ntext = "x"\n', 2, "there is no moment mood"),
        ("[closed\n", 0, "no TOML"),
    ],
)  # fmt: skip
def test_a_text_that_is_wrong_is_refused_with_its_file_and_line(
    tmp_path: Path, text: str, line: int, what: str
) -> None:
    with pytest.raises(Refused) as refused:
        load_texts(own(tmp_path, text))

    assert refused.value.code == "bad_texts"
    assert what in refused.value.advice
    assert (f"zh.toml:{line}:" if line else "zh.toml:") in refused.value.advice


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no folder"):
        load_texts(tmp_path / "nowhere")


@given(st.text(max_size=60))
def test_no_field_breaks_a_line_of_the_subject(value: str) -> None:
    words = PACKAGED.words("handed_on", filled("handed_on", bodies=value, number=value))

    assert len((words.subject + "x").splitlines()) == 1
    assert "\n" not in words.written["zh"].text


@pytest.mark.parametrize(
    ("contact", "kind"),
    [
        ("13800000000", "phone"), ("+86 138 0000 0000", "phone"), ("0773-5810000", "phone"),
        ("someone@mail.example", "email"), (" a.b+c@x.example ", "email"), ("root@localhost", "email"),
    ],
)  # fmt: skip
def test_a_contact_is_a_mailbox_or_a_telephone_number(contact: str, kind: str) -> None:
    address = address_of(contact)

    assert address is not None
    assert address.kind == kind
    assert address.value not in repr(address)


@pytest.mark.parametrize(
    "contact",
    [
        "a@x.example\r\nBcc: b@x.example", "a@x.example\n", "a@x.example, b@x.example", "a@x.example b@x.example",
        "王 <a@x.example>", "<a@x.example>", "a@@x.example", "@x.example", "a@", "a@-x.example", "a@x..example",
        ".a@x.example", "a.@x.example", "a@[127.0.0.1]", "张三@x.example", "a" * 65 + "@x.example",
        "a@" + "x" * 250 + ".example", "138-0000-0000;139", "1234", "微信: abc", "", None, 13800000000, ["a@x.example"],
        "a@x.example\x00", "'; DROP TABLE--@x",
    ],
)  # fmt: skip
def test_what_is_no_single_address_leads_nowhere(contact: object) -> None:
    assert address_of(contact) is None


@given(st.text(max_size=80))
def test_an_address_never_holds_a_line_break_a_blank_or_a_second_recipient(contact: str) -> None:
    address = address_of(contact)

    assert address is None or not set(address.value) & set('\r\n\t ,;<>"\\:\x00')
