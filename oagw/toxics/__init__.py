"""Toxiproxy's toxics: what the network does to an answer that something else produced.

Each type has its attributes and its link in one file; ``types`` lists them.
"""
