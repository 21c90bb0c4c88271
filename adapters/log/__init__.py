"""The evidence log (DESIGN.md law 12): where its tiles are kept, who signs, and the sealer that grows it."""
