"""XML and JSON of one value: what is written can be read again, whatever stands in it."""

import xml.etree.ElementTree as ET
from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from adapters.open311.fields import Fields, moment_of
from adapters.open311.formats import to_xml
from domain.refusal import Refused


@given(st.text())
def test_any_text_makes_a_document_that_can_be_read(text: str) -> None:
    root = ET.fromstring(to_xml("errors", [{"code": 400, "description": text}]).encode("utf-8", "replace"))

    assert [part.tag for part in root[0]] == ["code", "description"]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")))
def test_what_xml_can_write_comes_back_as_it_was(text: str) -> None:
    root = ET.fromstring(to_xml("services", [{"description": text}]).encode())

    assert (root[0][0].text or "") == text


def test_nothing_is_an_empty_element_and_a_list_names_its_members() -> None:
    said = to_xml(
        "services", [{"group": None, "metadata": True, "values": [], "lat": 25.5}, {"group": "a<b&c"}]
    )

    assert said.endswith(
        "<services><service><group/><metadata>true</metadata><values/><lat>25.5000000</lat></service>"
        "<service><group>a&lt;b&amp;c</group></service></services>"
    )


offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=offsets))  # noqa: DTZ001 - bounds of any zone
def test_a_moment_with_its_offset_is_read_as_that_moment(moment: datetime) -> None:
    assert moment_of(moment.isoformat(timespec="microseconds")) == moment
    assert moment_of(moment.replace(tzinfo=None).isoformat()) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_fields_or_refused(raw: bytes) -> None:
    try:
        fields = Fields(raw)
    except Refused:
        return
    assert all(isinstance(name, str) and values for name, values in fields)


def test_answers_come_with_and_without_brackets_and_empty_ones_do_not_count() -> None:
    fields = Fields(b"attribute[a][]=1&attribute[a][]=2&attribute[b]=3&attribute[c]=&jurisdiction_id=%20")

    assert fields.attributes() == {"a": ["1", "2"], "b": ["3"]}
    assert fields.one("jurisdiction_id") is None
