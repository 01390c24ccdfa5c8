"""The pytest plugin; see ``client.fixtures`` and ``client.reporting``."""

from oagw.client.exam.fixture import oagw_situation, pytest_generate_tests
from oagw.client.fixtures import (
    oagw_gateway,
    oagw_options,
    oagw_sandbox,
    pytest_addoption,
    pytest_configure,
    pytest_configure_node,
)
from oagw.client.reporting import pytest_runtest_call, pytest_runtest_makereport, pytest_runtest_setup

__all__ = [
    "oagw_gateway",
    "oagw_options",
    "oagw_sandbox",
    "oagw_situation",
    "pytest_addoption",
    "pytest_configure",
    "pytest_configure_node",
    "pytest_generate_tests",
    "pytest_runtest_call",
    "pytest_runtest_makereport",
    "pytest_runtest_setup",
]
