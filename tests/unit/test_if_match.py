"""If-Match as it is written: which versions a list of tags means (RFC 9110, section 13.1.1)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.http.if_match import PATTERN, expected_of
from domain.refusal import Refused

VERSIONS = st.integers(0, 999_999_999)
OTHERS = st.sampled_from(['""', '"x"', '"07"', '"1,2"', 'W/"7"', 'W/"x"', '"W/"', '"9999999999"'])
BLANK = st.text(" \t", max_size=3)
COMMAS = st.lists(BLANK, min_size=2, max_size=4).map(",".join)


@given(tags=st.lists(st.tuples(VERSIONS, st.booleans()) | OTHERS, min_size=1, max_size=8), comma=COMMAS)
def test_a_list_means_the_versions_of_its_strong_tags(tags: list[str | tuple[int, bool]], comma: str) -> None:
    strong = {one[0] for one in tags if not isinstance(one, str) and not one[1]}
    written = [one if isinstance(one, str) else f'{"W/" * one[1]}"{one[0]}"' for one in tags]

    found = expected_of([comma.join(written)])

    assert ({found} if isinstance(found, int) else set(found or ())) == strong
    assert found is not None


@given(
    tags=st.lists(VERSIONS.map(lambda one: f'"{one}"') | OTHERS, min_size=1, max_size=5),
    cut=st.integers(0, 5),
)
def test_several_lines_count_as_one_list_in_whatever_order(tags: list[str], cut: int) -> None:
    lines = [line for line in (", ".join(tags[:cut]), ", ".join(tags[cut:])) if line]

    assert expected_of(lines) == expected_of([", ".join(reversed(tags))])


@given(value=st.from_regex(re.compile(PATTERN, re.ASCII), fullmatch=True))
def test_what_the_document_allows_is_taken(value: str) -> None:
    expected_of([value])


@given(value=st.text('W/"*, 7\t', max_size=200))
def test_whatever_is_sent_is_taken_or_refused_by_name(value: str) -> None:
    assert code_of(value) in (None, "if_match_malformed")


def code_of(value: str) -> str | None:
    try:
        expected_of([value])
    except Refused as refused:
        return refused.code
    return None


@pytest.mark.parametrize("commas", [" , " * 8_000, '"1"' + " ," * 8_000 + ";", '"1",' * 6_000 + "1"])
def test_a_list_of_a_whole_header_that_is_none_is_refused(commas: str) -> None:
    with pytest.raises(Refused):
        expected_of([commas])


def test_no_header_and_a_star_mean_any_version() -> None:
    assert expected_of([]) is None
    assert expected_of([" * "]) is None


@pytest.mark.parametrize("value", ["", ",", "7", '"7', "W/7", 'w/"7"', '"1" "2"', '*, "1"', '"1", 2', "*, *"])
def test_what_is_no_list_of_tags_is_refused(value: str) -> None:
    with pytest.raises(Refused, match=r"ETag"):
        expected_of([value])
