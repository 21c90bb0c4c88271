"""What of two requests is compared, how alike they are said to be, and how well that finds real repeats."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.duplicates.comparing import FEW, THRESHOLD, Likeness, _shared, compare
from adapters.duplicates.features import Features, features_of, number_of, pack, unpack
from tests.measured_duplicates import MESSAGES, at_thresholds, pairs

_SIGNS = "楼梯坏了3栋a-^]\\[&~|"
"""Few, so that texts share some; among them those that mean something to a pattern."""
LIFT = "锦绣家园三号楼的电梯坏了两天，老人上下楼很不方便，请尽快维修"
OTHERS = (
    "文昌路夜市烧烤油烟很大，晚上十二点还在营业，附近居民没法休息",
    "滨河公园的路灯有一半不亮，晚上散步看不清路",
    "幼儿园门口乱停车严重，早上送孩子非常危险，请交警来管一管",
)


def likeness(one: str, other: str, *, place: str | None = None, other_place: str | None = None) -> Likeness:
    """How alike two are, among a few others."""
    others = [features_of(other, other_place), *map(features_of, OTHERS)]
    return compare(features_of(one, place), others)[0]


@given(st.text(_SIGNS, max_size=40), st.lists(st.text(_SIGNS, max_size=40), max_size=5), st.booleans())
def test_what_texts_share_is_what_is_found_by_looking_for_each_pair_of_signs(
    new: str, others: list[str], many: bool
) -> None:
    grams, texts = Features(new).grams, others * (FEW + 1 if many else 1)

    assert _shared(grams, texts) == [frozenset(gram for gram in grams if gram in text) for text in texts]


@pytest.mark.parametrize(
    ("written", "value"),
    [("3", 3), ("三", 3), ("十", 10), ("十二", 12), ("二十", 20), ("二十一", 21), ("一百零三", 103), ("百", 100), ("1203", 1203)],
)  # fmt: skip
def test_a_number_is_read_in_digits_and_in_chinese(written: str, value: int) -> None:
    assert number_of(written) == value


@pytest.mark.parametrize("written", ["3栋", "三号楼", "三幢", "3座", "3号楼", "３栋"])
def test_a_building_has_one_number_however_it_is_written(written: str) -> None:
    assert features_of(f"锦绣家园{written}漏水").buildings == {"3栋"}
    assert features_of(f"锦绣家园{written}漏水") == features_of("锦绣家园3栋漏水")


def test_places_are_found_in_the_words_without_what_stands_before_them() -> None:
    assert set(features_of("反映位于A市B2区的锦绣家园与文昌路口的问题").names) == {"锦绣家园", "文昌路口"}


def test_only_the_beginning_of_a_long_text_is_compared() -> None:
    assert features_of("路灯坏了" * 30 + "另有一事") == features_of("路灯坏了" * 30)


def test_the_same_words_are_as_alike_as_can_be() -> None:
    assert likeness(LIFT, LIFT).score > 0.95


def test_one_case_told_by_two_people_is_offered() -> None:
    said = likeness("我是锦绣家园3栋居民，我们楼电梯坏了两天没人修，老人上下楼不方便", LIFT)

    assert said.score >= THRESHOLD
    assert said.address > 0
    assert not said.apart


def test_two_troubles_of_one_estate_are_not_offered() -> None:
    assert likeness("锦绣家园门口的垃圾桶几天没有清运，气味难闻", LIFT).score < THRESHOLD


@pytest.mark.parametrize("building", ["五号楼", "5栋", "13幢"])
def test_the_same_words_about_another_building_count_half(building: str) -> None:
    said = likeness(LIFT.replace("三号楼", building), LIFT)

    assert said.apart
    assert said.score <= 0.5


def test_the_same_words_about_another_place_count_half() -> None:
    words = "电梯坏了两天，老人上下楼很不方便，请尽快维修"
    same = likeness(words, words, place="锦绣家园3栋", other_place="锦绣家园三号楼")
    apart = likeness(words, words, place="锦绣家园3栋", other_place="翠湖苑2栋")

    assert same.score > 0.9
    assert apart.apart
    assert apart.score <= 0.5


def test_a_misspelt_place_is_the_same_one() -> None:
    assert likeness("银盆岭安置小区夜宵店油烟扰民", "银盆领安置小区夜宵店油烟太大").address > 0


def test_what_everybody_writes_makes_nobody_alike() -> None:
    polite = "尊敬的领导您好，感谢您百忙之中查看我的留言，"
    crowd = [features_of(f"{polite}{other}") for other in OTHERS * 30]

    found = compare(features_of(f"{polite}{LIFT}"), [features_of(f"{polite}楼下麻将馆半夜吵闹"), *crowd])

    assert max(one.score for one in found) < THRESHOLD


def test_nothing_is_compared_with_nothing() -> None:
    assert compare(features_of(""), []) == []
    assert compare(features_of(""), [features_of(""), features_of("甲")]) == [Likeness(0.0, 0.0, 0.0)] * 2


@given(st.text(max_size=300), st.text(max_size=80))
def test_any_text_can_be_packed_and_comes_back(text: str, place: str) -> None:
    features = features_of(text, place)

    assert unpack(pack(features)) == features


@given(
    st.lists(st.text(alphabet="锦绣家园路灯坏了三栋5号0十百 ,\n甲乙", max_size=60), min_size=2, max_size=6)
)
def test_every_score_lies_between_nothing_and_all(texts: list[str]) -> None:
    new, *others = map(features_of, texts)

    for one in compare(new, others):
        assert 0.0 <= one.score <= 1.0
        assert 0.0 <= one.text <= 1.0 + 1e-9
        assert 0.0 <= one.address <= 1.0


def test_features_of_nothing_are_empty() -> None:
    assert features_of("") == Features("")


def test_real_repeats_are_found_as_well_as_was_measured() -> None:
    """On the half of the messages that the threshold was not chosen by; see tests/benchmarks/RESULTS.md."""
    data = Path(__file__).resolve().parents[3] / "shared" / "data"
    if not (data / MESSAGES).is_file():
        pytest.skip("the residents' messages are not beside the project")

    (found,) = at_thresholds(pairs(data, "measuring"), [THRESHOLD])

    assert found.precision >= 0.74
    assert found.recall >= 0.94
    assert found.repeats >= 0.96
