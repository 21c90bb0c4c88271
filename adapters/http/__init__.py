"""The HTTP API: the same acts and readings as the command line, for systems and browsers (README, "The HTTP API")."""
