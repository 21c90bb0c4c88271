"""A case from end to end, the way its users meet it."""
