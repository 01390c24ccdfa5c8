"""What WireMock takes from Java: regular expressions, dates, calendar arithmetic and numbers."""
