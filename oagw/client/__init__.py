"""For test authors in Python: a gateway in a process of its own, its control plane, and fixtures."""
