"""Toxics: what the network does to an answer, in Toxiproxy's words."""


class Toxic:
    """One misbehaviour."""
