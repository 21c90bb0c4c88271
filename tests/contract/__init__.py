"""One suite per port, run over every adapter, and over the servers that the tests stand on."""
