"""The report on the client: mistakes of the client that the journal proves.

``build`` creates it; each other module has the rules on one subject. A rule is a function that yields
Findings. Rules must not raise false alarms: if the journal is not conclusive, there is no finding.
"""
