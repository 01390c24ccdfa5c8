"""Plain data and rules: no Twisted, and time only as an argument."""
