"""Reading a rulebook: all that is wrong with it, each with its line and key; and what it answers when it is right."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.rulebooks import template
from domain.calendar import Length
from domain.refusal import Refused
from domain.rulebook import BadRulebook, Problem, Rulebook, parse
from domain.rulebook.lines import lines_of

SMALL = """name = "small/1"
use = "tables"
zone = "Asia/Shanghai"

[hours]
monday = ["09:00-12:00"]
source = "a page"

[[due_type]]
type = "Sign Repair"
length = "10wd"
"""

CLOCK = """
[[clock]]
stage = "accept"
of = "*"
length = "2h"
nights = "run"
rest_days = "run"
source = "a page"
"""


def problems(text: str) -> list[Problem]:
    with pytest.raises(BadRulebook) as caught:
        parse(text)
    return list(caught.value.problems)


def spoilt(old: str, new: str, text: str = SMALL) -> list[Problem]:
    """The problems of a text in which one thing was replaced."""
    assert text.count(old) >= 1
    return problems(text.replace(old, new, 1))


def gulou_spoilt(old: str, new: str) -> list[Problem]:
    return spoilt(old, new, template("gulou"))


# -- where


def test_what_is_not_toml_is_reported_with_its_line() -> None:
    (found,) = spoilt('zone = "Asia/Shanghai"', "zone = Asia/Shanghai")
    assert (found.line, found.key) == (3, "")
    assert found.sentence.startswith("This is not TOML")


def test_an_unknown_key_is_refused_and_the_near_one_named() -> None:
    (found,) = spoilt('monday = ["09:00-12:00"]', 'monday = ["09:00-12:00"]\nmonady = []')
    assert found == Problem(7, "hours.monady", "Remove this key: it is unknown; did you mean monday?")


def test_a_missing_key_is_reported_at_its_table() -> None:
    (found,) = spoilt('type = "Sign Repair"\n', "")
    assert found == Problem(9, "due_type[1].type", "Add this key: it is missing.")


def test_all_problems_are_reported_at_once_in_order_of_the_lines() -> None:
    text = (
        SMALL.replace("Asia/Shanghai", "Asia/Nowhere")
        .replace('"10wd"', '"10 days"')
        .replace("small/1", "Small")
    )
    found = problems(text)
    assert [(one.line, one.key) for one in found] == [(1, "name"), (3, "zone"), (11, "due_type[1].length")]
    assert "Asia/Nowhere" in found[1].sentence
    assert "write 3s, 30min" in found[2].sentence


def test_the_refusal_is_one_of_the_houses_refusals() -> None:
    with pytest.raises(Refused) as caught:
        parse("name = 1")
    assert caught.value.code == "bad_rulebook"
    assert "more)" in caught.value.advice


def test_a_value_that_spans_lines_does_not_shift_the_lines_after_it() -> None:
    text = SMALL.replace(
        'monday = ["09:00-12:00"]', 'monday = [\n  "09:00-12:00", # a = [\n  "14:00-18:00",\n]'
    )
    (found,) = problems(text.replace('"10wd"', '"10"'))
    assert (found.line, found.key) == (14, "due_type[1].length")


def test_strings_with_brackets_and_quotes_do_not_confuse_the_lines() -> None:
    text = (
        'a = "x [ \\" # "\nb = """\nc = 1\n[no]\n"""\n"d e".f = \'[[\'\n'
        "[g.h]\ni = {j = 1}\n[[k]]\n[[k]]\nl = 1\n[k.m]\nn = 1\n"
    )
    assert lines_of(text) == {
        ("a",): 1, ("b",): 2, ("d e",): 6, ("d e", "f"): 6, ("g", "h"): 7, ("g", "h", "i"): 8,
        ("k",): 9, ("k", 0): 9, ("k", 1): 10, ("k", 1, "l"): 11, ("k", 1, "m"): 12, ("k", 1, "m", "n"): 13,
    }  # fmt: skip


@given(st.text(max_size=200))
def test_any_text_is_either_a_rulebook_or_refused(text: str) -> None:
    with pytest.raises(BadRulebook) as caught:
        parse(text)
    last = max(1, len(text.split("\n")) + 1)
    assert all(1 <= problem.line <= last for problem in caught.value.problems)


# -- what


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ('source = "a page"', "", "hours", "either a source, or assumption"),
        (
            'source = "a page"',
            'source = "a page"\nassumption = true',
            "hours",
            "either a source, or assumption",
        ),
        ('source = "a page"', "assumption = true", "hours", "Say in note"),
        ('monday = ["09:00-12:00"]\n', "", "hours", "at least one weekday"),
        ('["09:00-12:00"]', '["12:00-09:00"]', "hours.monday", "ends before it begins"),
        ('name = "small/1"', 'name = "small"', "name", "pattern"),
        ('use = "tables"', 'use = "cases"', "tiers", "Add this section"),
        ('use = "tables"', 'use = "everything"', "use", "'cases'"),
    ],
)
def test_small_faults_are_named(old: str, new: str, key: str, says: str) -> None:
    found = spoilt(old, new)
    assert key in [one.key for one in found]
    assert says in next(one.sentence for one in found if one.key == key)


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ('stage = "accept"', 'stage = "acceptance"', "clock[1].stage", "'accept'"),
        ('of = "*"', 'of = "whistles"', "clock[1].of", "no kind"),
        ('nights = "run"', 'nights = "stop"', "clock[1]", "nights = 'run' and rest_days = 'run'"),
        ('remind = "30min"', 'remind = "2h"', "clock[1]", "shorter than length"),
        ('remind = "30min"', 'remind = "1wd"', "clock[1].remind", "s, min or h"),
        ('do = "urge"', 'do = "shout"', "clock[1].on_miss[1].do", "'urge'"),
        ('do = "urge"', 'do = "escalate"', "clock[1].on_miss[1]", "name a level"),
        (
            'do = "urge"',
            'do = "escalate", level = "province"',
            "clock[1].on_miss[1].level",
            "one of the tiers",
        ),
        ('length = "2h"', 'length = "2h"\nextensions = 1', "clock[1]", "belong together"),
        ("accept = [", "acept = [", "posts.acept", "Unknown act"),
        ('minor = "1/1"', 'minor = "3/2"', "callback.sampling.minor", "at most 1/1"),
        ('minor = "1/1"', "minor = 0.5", "callback.sampling.minor", "fraction"),
        ('satisfied = ["very_satisfied"', 'satisfied = ["delighted"', "callback", "values of answers"),
        ("tries = 3", "tries = 0", "callback.tries", "greater than or equal to 1"),
        ('tiers = ["building"', 'tiers = ["building", "building"', "tiers[2]", "stated twice"),
        ('resident_app = "community"', 'telegram = "community"', "triage.telegram", "'resident_app'"),
        ("number = 20000", "number = 0", "limits.text_most.number", "greater than or equal to 1"),
        ('code = "SL-02"', 'code = "SL-01"', "catalogue[2]", "stated twice"),
    ],
)
def test_faults_in_a_rulebook_for_cases_are_named(old: str, new: str, key: str, says: str) -> None:
    found = gulou_spoilt(old, new)
    assert key in [one.key for one in found], found
    assert says in next(one.sentence for one in found if one.key == key)


def test_the_same_clock_twice_is_refused_at_the_second() -> None:
    text = template("gulou")
    first = text.index("[[clock]]")
    found = problems(text[:first] + CLOCK + "\n" + text[first:])
    assert [(one.key, one.sentence) for one in found] == [
        ("clock[2]", "Keep one of these: accept of * is stated twice.")
    ]
    assert found[0].line == text[:first].count("\n") + CLOCK.count("\n") + 2


@pytest.mark.parametrize("section", ["callback", "reopen", "returns", "channel"])
def test_a_rulebook_for_cases_needs_every_section(section: str) -> None:
    text = (
        template("gulou")
        .replace(f"\n[{section}]", f"\n[{section}x]")
        .replace(f"[[{section}.", f"[[{section}x.")
    )
    assert section in [one.key for one in problems(text)] or f"{section}x" in [
        one.key for one in problems(text)
    ]


# -- answers


def small() -> Rulebook:
    return parse(SMALL)


def test_a_rulebook_for_tables_computes_and_refuses_cases() -> None:
    rulebook = small()
    assert rulebook.due_types == {"Sign Repair": Length(10, "wd")}
    assert rulebook.clock("accept", "*") is None
    with pytest.raises(Refused) as caught:
        rulebook.channel("minor", False)
    assert caught.value.code == "rulebook_incomplete"


# -- terms of keeping


def test_a_term_is_so_many_years_or_a_length_or_for_ever_and_only_one_of_them() -> None:
    for more in ("years = 10\npermanent = true", 'length = "1d"\nyears = 10', ""):
        (found,) = gulou_spoilt("years = 10", more)
        assert (found.key, found.sentence) == (
            "retention.term[1]", "Give either years, or a length, or permanent = true.",
        )  # fmt: skip


def test_the_class_of_what_is_not_archived_yet_is_one_of_those_stated() -> None:
    (found,) = gulou_spoilt('unarchived = "10y"', 'unarchived = "15y"')
    assert found.key == "retention"
    assert "10y, 30y, permanent" in found.sentence


def test_a_class_is_stated_once() -> None:
    (found,) = gulou_spoilt('code = "30y"', 'code = "10y"')
    assert (found.key, found.sentence) == ("retention", "State each class of retention once.")


def test_a_term_names_its_source_or_its_assumption() -> None:
    source = 'source = "B9.8: 村级档案管理办法, retention table: permanent, 30 years, 10 years"\n'
    (found,) = gulou_spoilt(source, "")
    assert found.key == "retention.term[1]"


def test_a_rulebook_of_the_time_before_says_nothing_of_terms() -> None:
    text = template("gulou")
    before = text[: text.index("[retention]")] + text[text.index("# ---- catalogue") :]
    before = before.replace(before[before.index("disclose = [") : before.index("exclude_request = [")], "")

    released = parse(before, released=True)

    assert released.retention is None
    assert not released.posts("erase") | released.posts("disclose")
    assert {one.key for one in problems(before)} == {"posts.disclose", "posts.erase"}


def test_a_rulebook_marked_for_backfill_starts_no_clock_and_keeps_no_files() -> None:
    text = template("gulou").replace('use = "cases"', 'use = "backfill"')
    assert [one.key for one in problems(text)] == ["clock", "retention"]


def test_the_most_specific_clock_counts() -> None:
    rulebook = parse(template("gulou"))
    service, emergency = (
        rulebook.clock("acknowledge", f"whistle.{kind}") for kind in ("service", "emergency")
    )
    assert service is not None
    assert emergency is not None
    assert (service.of, str(service.length)) == ("whistle", "1h")
    assert (emergency.of, str(emergency.length)) == ("whistle.emergency", "10min")
    assert rulebook.clock("accept", "help") == rulebook.clock("accept", "*")
    assert rulebook.clock("finish", "whistle.emergency") is None


def test_the_most_specific_posts_count() -> None:
    rulebook = parse(template("gulou"))
    assert rulebook.posts("authorise_order", "whistle.project") == {"secretary", "director"}
    assert rulebook.posts("authorise_order", "whistle.service") == {
        "leadership_member",
        "secretary",
        "director",
    }
    assert rulebook.posts("authorise_order") == frozenset()
    assert rulebook.posts("no_such_act") == frozenset()


def test_the_channel_follows_urgency_and_then_scale() -> None:
    rulebook = parse(template("gulou"))
    found = {
        (scale, urgent): rulebook.channel(scale, urgent)
        for scale in ("minor", "hard")
        for urgent in (False, True)
    }
    assert found == {
        ("minor", False): "online", ("hard", False): "hall", ("minor", True): "on_site", ("hard", True): "on_site",
    }  # fmt: skip


def test_an_unknown_source_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        parse(template("gulou")).triage_body("telegram")
    assert caught.value.code == "source_unknown"


def test_a_share_is_an_exact_fraction() -> None:
    rulebook = parse(template("gulou").replace('minor = "1/1"', 'minor = "1/10"', 1))
    assert rulebook.sampling("minor") == Fraction(1, 10)
    assert rulebook.sampling("hard") == 1


def test_a_catalogue_item_may_have_a_clock_of_its_own_with_a_ground() -> None:
    text = template("gulou")
    ungrounded = text.replace('code = "SL-01"', 'code = "SL-01"\nclock = "2wd"')
    assert [one.key for one in problems(ungrounded)] == ["catalogue[1]"]
    rulebook = parse(
        text.replace('code = "SL-01"', 'code = "SL-01"\nclock = "2wd"\nsource = "the lamp contract"')
    )
    item = rulebook.item("SL-01")
    assert item is not None
    assert item.clock == Length(2, "wd")
    assert rulebook.due_types["SL-01"] == Length(2, "wd")
    assert rulebook.item("XX-99") is None


def test_an_act_that_nobody_may_perform_is_found() -> None:
    (found,) = gulou_spoilt('archive = ["archivist"]\n', "")

    assert found.key == "posts.archive"
    assert found.sentence == "Name the posts that may perform archive: nobody may."


def test_posts_that_are_named_but_empty_are_found_too() -> None:
    (found,) = gulou_spoilt('archive = ["archivist"]', "archive = []")

    assert found.key == "posts.archive"


def test_a_stage_without_a_clock_is_found() -> None:
    text = template("gulou")
    other = text.replace('stage = "adjudicate"', 'stage = "review"', 1).replace(
        'stage = "review"\nof = "*"', 'stage = "review"\nof = "suggestion"', 1
    )

    assert "Add a clock of the stage adjudicate: without one it never falls due." in [
        one.sentence for one in problems(other)
    ]


def test_a_class_of_request_without_a_finish_clock_is_found() -> None:
    (found,) = gulou_spoilt(
        'stage = "finish"\nof = "suggestion"', 'stage = "finish"\nof = "whistle.emergency"'
    )

    assert found.sentence == "Add a clock of the stage finish for suggestion: without one it never falls due."


def test_a_check_that_came_after_its_release_does_not_unmake_a_rulebook() -> None:
    text = re.sub(r"(?ms)^close = .*?$\n", "", template("gulou"))

    with pytest.raises(BadRulebook):
        parse(text)
    assert parse(text, released=True).posts("close") == frozenset()
