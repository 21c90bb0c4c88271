"""Kill, cut and fill: nothing lost, nothing doubled, nothing late unseen."""
