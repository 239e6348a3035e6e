"""What every test shares: the shipped catalog only, and hypothesis without deadlines."""

import gc
import os
import sys
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


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run ``xltoken ...`` in a folder of its own; gives exit code, stdout and stderr."""
    from xltoken.cli import main

    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["xltoken", *map(str, arguments)])
        try:
            with pytest.raises(SystemExit) as stopped:
                main()
        finally:
            gc.enable()  # a command leaves it off: its process ends there
        told = capsys.readouterr()
        return stopped.value.code or 0, told.out, told.err

    return call
