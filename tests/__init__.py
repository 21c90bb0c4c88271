"""The tests: one behaviour each, given, when, then, against real servers and no stand-ins."""
