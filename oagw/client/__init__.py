"""For tests in Python: a gateway in its own process, its control plane, and pytest fixtures."""
