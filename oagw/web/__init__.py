"""HTTP mechanics on twisted.web: knows requests and replies, nothing of the mock services."""
