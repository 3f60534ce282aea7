"""The libraries that our statistics are compared with, which only those who compare wait for."""

from importlib import import_module
from typing import Any

import pytest


@pytest.fixture(scope="session")
def scipy_stats() -> Any:
    return import_module("scipy.stats")


@pytest.fixture(scope="session")
def proportion() -> Any:
    return import_module("statsmodels.stats.proportion")


@pytest.fixture(scope="session")
def duration() -> Any:
    return import_module("statsmodels.duration.api")
