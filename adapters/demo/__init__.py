"""The demonstration: a seeded district and a seeded morning in it, for `huiyin demo`, the tests and the benchmarks."""
