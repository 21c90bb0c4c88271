"""The mathematics of the evidence log: leaves, tree, tiles, signed notes, proofs, witnesses (evidence.md).

An RFC 6962 tree in the C2SP tlog-tiles layout, its heads as tlog-checkpoint notes, cosigned by the boards
(tlog-cosignature, tlog-witness), trusted by a tlog-policy, handed out as tlog-proof files. All of it is pure:
functions that sign, verify or read a tile are passed in.
"""
