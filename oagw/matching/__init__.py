"""Request patterns in WireMock's words: what requests a stub, a toxic or a verification is about.

``pattern`` compiles the JSON in ``spec``; each family of operators has a file.
"""
