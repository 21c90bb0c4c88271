"""Receipts: what a resident takes home (evidence.md 2.4, 2.7). A promise at intake, and once cosigned the proof."""
