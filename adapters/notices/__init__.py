"""Notices: residents and staff are told by message what happened, through channels that the office has (law 10, 14).

Who is told of what is the domain's (`domain.matter.telling`); when and how often it is tried is the outbox's
(`adapters.deliveries`). Here are the words, the ways they go out, and the record of what became of each.
"""
