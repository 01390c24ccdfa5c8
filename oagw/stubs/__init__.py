"""Stubs in WireMock's format: mappings, their responses, and the store that holds them."""
