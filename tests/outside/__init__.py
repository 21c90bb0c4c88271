"""What nobody here wrote judges what this log hands out: its files, its heads, its proofs.

`NAME.in` and `NAME.lock` are the environment of one such judge, made by `make setup` in `.venv/outside/NAME`;
`by_NAME.py` runs there, puts one question to it and prints its answer. Nothing of Huiyin is importable there.
"""
