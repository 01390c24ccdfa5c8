"""The process: it listens, loads the gateway, and ends with its parent or by a signal."""
