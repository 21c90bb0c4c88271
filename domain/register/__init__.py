"""The register 清单·名册: bodies, posts and the persons in them, duty, powers, admissions (domain.md D.8).

`state.Register` answers what was in force when; `decide.decide` allows or refuses; `evolve.evolve` folds.
"""

from domain.register.state import Register

__all__ = ["Register"]
