"""Wires settings to adapters, and adapters to the worker, the follower and the API. Nothing else."""
