"""Toxiproxy's toxics: what the network does to an answer that something else produced."""
