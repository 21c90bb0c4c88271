"""Speed and memory beside the limit of the same machine; off by default, run by `make bench`."""
