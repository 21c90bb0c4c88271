"""The audit bundle: one zip that a board checks offline, and the verifier that stands alone beside it."""
