"""Dispatch to a department's own system: summonses and what becomes of them go out through the outbox.

A department that has a system of its own subscribes by the channel `dispatch`. It is told of what concerns its own legs
alone, with what it needs to act: number, order, leg, due moments, and where the API takes its answer. What it does
comes in through the same HTTP API as everybody's, under its own key.
"""
