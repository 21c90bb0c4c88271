"""Witnesses of the evidence log: the boards' own (server, or a laptop without a network), and our side that asks them.

Both follow C2SP tlog-witness; what they decide is `domain.log.witness`, what they remember a file of their own.
"""
