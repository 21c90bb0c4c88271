"""Rosters 名册: a district's bodies, posts, duty, powers and lists, brought in from a CSV or XLSX file.

An XLSX file has one sheet per section; a CSV file has all sections below each other, each opened by a line
`[section]`. The first row of a section names its columns, in English or Chinese (`words.SECTIONS`):

    bodies      单位   id, kind, parent, name_zh, name_en, district, from, until
    posts       岗位   person, name, contact, body, post, from, until
    powers      权力   id, kind, holder, over, basis, limits, steps, disclosure, approved_by, from, until
    duties      职责   id, body, code, place, from, until
    admissions  准入   id, code, list, department, conditions, approved_by, from, until
    shifts      值班   body, post, person, deputies, begins, ends

Several values in one cell are parted by `;`. `person` is the office's own staff reference: it becomes a random
id (`people.person_ids`) and is not kept; `name` and `contact` are sealed. A day stands for its beginning in
`from` and `begins`, for its end in `until` and `ends`, by the clock of the roster's zone. The register is never
back-dated: a `from` that lies behind means from now on, and the report says so.
"""

from adapters.roster.desk import Desk, desk
from adapters.roster.file import Row, read_roster
from adapters.roster.people import person_ids
from adapters.roster.run import Outcome, RowReport, import_roster

__all__ = ["Desk", "Outcome", "Row", "RowReport", "desk", "import_roster", "person_ids", "read_roster"]
