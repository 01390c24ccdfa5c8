"""Request patterns in WireMock's format, which select requests for stubs, toxics and verifications.

``pattern`` compiles the JSON described in ``spec``. Each family of operators has its own module.
"""
