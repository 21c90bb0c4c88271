"""Temporal: the client, the worker, the follower's consumer that starts and wakes processes, and its reconciler."""
