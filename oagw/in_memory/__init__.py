"""A gateway without socket, process and waiting, for tests of clients on Twisted; loaded on first use."""
