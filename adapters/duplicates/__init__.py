"""Likely duplicates: what is compared of two requests, the sealed index of it, and whom they are offered to."""
