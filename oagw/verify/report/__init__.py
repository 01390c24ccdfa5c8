"""The client's report card: what the journal shows that a client should not have done.

``card`` puts it together; each other module has the rules on one subject. A rule is a function that yields
Findings. None of them may raise a false alarm: where the journal cannot tell, nothing is said.
"""
