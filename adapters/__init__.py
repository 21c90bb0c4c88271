"""How the world reaches us and we reach it: stores, Temporal client, imports, exports, command line."""
