"""What a reader is told of a user's figures, and of months that make no sense."""

import datetime as dt

import pytest

from xltoken.catalog.store import load
from xltoken.model.assumptions import parse
from xltoken.model.forecast import quote

RATE = parse([("usd_per_accelerator_hour", 2.0)])


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        (
            "priors.csv",
            "name,value\nsoftware_gain_per_month,0.02\n",
            "the prior software_gain_per_month is a user's row",
        ),
        (
            "priors.csv",
            "name,value\nsoftware_gain_weight,5\n",
            "the prior software_gain_weight is a user's row",
        ),
        ("platforms.csv", "platform,launched\nB200,2025-01-01\n", "platform B200 is a user's row"),
    ],
)
def test_a_users_prior_or_platform_is_told(tmp_path, file, content, told):
    """A figure that rests on a user's prior or platform row says so, with file and row."""
    (tmp_path / file).write_text(content, encoding="utf-8")
    found = quote(load(str(tmp_path)), "B200", 12.0, "deepseek-r1/chat", RATE)
    assert any(told in w and f"{file}, row 2" in w for w in found.warnings())
    shipped = quote(load(), "B200", 12.0, "deepseek-r1/chat", RATE)
    assert not any("user's row" in w for w in shipped.warnings())


def test_a_month_before_the_launch_is_told():
    """A month before platform and model existed, such as the serial 2026, carries a warning."""
    early = quote(load(), "B200", dt.date(1905, 7, 18), "deepseek-r1/batch", RATE)
    assert any("the month lies before 2025-05-15" in w for w in early.warnings())
    today = quote(load(), "B200", 0.0, "deepseek-r1/batch", RATE)
    assert not any("the month lies before" in w for w in today.warnings())
