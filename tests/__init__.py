"""The tests. Under pytest as under trial, Hypothesis takes the same examples in every run."""

from hypothesis import settings

settings.register_profile("oagw", deadline=None, derandomize=True)
settings.load_profile("oagw")
