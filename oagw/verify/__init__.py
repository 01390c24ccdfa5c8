"""Evaluate the journal for a test: searches, verifications with explanations, the report on the client."""
