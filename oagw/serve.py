"""The gateway on the real reactor, until somebody stops it. Imported late: it needs Twisted."""
