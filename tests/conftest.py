"""What every test shares: the shipped catalog only, and hypothesis without deadlines."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "xltoken", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.load_profile("xltoken")


@pytest.fixture(autouse=True)
def shipped_catalog_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test depends on a user's overlay."""
    monkeypatch.delenv("XLTOKEN_CATALOG", raising=False)
    yield
    os.environ.pop("XLTOKEN_CATALOG", None)
