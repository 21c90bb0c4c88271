"""Boston's own due dates of 2015 as the oracle of the working-time clock."""

import csv
import gzip
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from domain.rulebook import Rulebook, parse

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "boston311"
HOLIDAYS = (
    "2015-01-01", "2015-01-19", "2015-02-16", "2015-04-20", "2015-05-25", "2015-07-04", "2015-09-07",
    "2015-10-12", "2015-11-11", "2015-11-26", "2015-12-25", "2016-01-01", "2016-01-18", "2016-02-15",
)  # fmt: skip
ROUNDING = 120

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="Boston's data is not beside the project")


def boston() -> Rulebook:
    """The city's rulebook, made from its policy table."""
    days = "\n".join(
        f'{day} = ["08:30-17:00"]' for day in ("monday", "tuesday", "wednesday", "thursday", "friday")
    )
    off = ", ".join(f'"{day}"' for day in HOLIDAYS)
    head = f"""
name = "boston/2015"
use = "tables"
zone = "America/New_York"
[hours]
{days}
source = "City of Boston"
[[holiday]]
id = "boston-2015"
years = [2015, 2016]
off = [{off}]
source = "City of Boston"
"""
    with (DATA / "due_policy_2015.csv").open(encoding="utf-8", newline="") as file:
        types = [
            f'[[due_type]]\ntype = "{row["type"]}"\n'
            f'length = "{int(float(row["n_units"]))}{"wd" if row["unit"] == "business" else "d"}"\n'
            for row in csv.DictReader(file)
        ]
    return parse(head + "".join(types))


def test_at_least_99_percent_of_each_unit_agree_within_120_seconds() -> None:
    rulebook = boston()
    calendar, lengths = rulebook.calendar(), rulebook.due_types
    right: Counter[bool] = Counter()
    asked: Counter[bool] = Counter()
    with gzip.open(DATA / "due_dates_2015_H1.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            length = lengths[row["type"]]
            opened, target = (datetime.fromisoformat(row[name]) for name in ("open_dt", "target_dt"))
            due = calendar.due(calendar.moment(opened), length)
            asked[length.working] += 1
            right[length.working] += abs((calendar.wall(due.at) - target).total_seconds()) <= ROUNDING
    assert asked == {True: 14698, False: 6010}
    assert right[True] / asked[True] >= 0.99
    assert right[False] / asked[False] >= 0.99
