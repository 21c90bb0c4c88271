"""The domain alone: no input, no output, no clock."""
