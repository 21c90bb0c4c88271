"""Deliveries: the outbox that tells district systems of what happened, and the feed for those who ask.

The follower's consumer `outbox` decides by the events who hears of what and queues a row of each; a Temporal process
per subscription sends them, in order per case, at least once, each under an id by which a receiver knows it again.
"""
