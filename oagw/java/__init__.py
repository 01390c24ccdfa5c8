"""Features of Java that WireMock exposes: regular expressions, dates, calendar arithmetic and numbers."""
