"""What the journal tells a test: searches, verifications and their explanations, the report card."""
