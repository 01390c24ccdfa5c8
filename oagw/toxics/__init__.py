"""Toxics, as in Toxiproxy: simulated network faults that act on responses.

Each type has its attributes and its link in one file. ``types`` lists the types.
"""
