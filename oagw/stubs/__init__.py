"""Stubs in WireMock's words: mappings, the responses that they give, and where they are kept."""
