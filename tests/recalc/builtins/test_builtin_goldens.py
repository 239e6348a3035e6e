import documented_examples as examples
import pytest
from builtin_tools import agree, computed

FAMILIES = ("FINANCE", "DATES", "ARITHMETIC", "TEXTS", "ARRAYS", "STATISTICS")


@pytest.mark.parametrize("family", FAMILIES)
def test_documented_examples(family):
    """Each example of Excel's documentation comes out as documented."""
    cases = getattr(examples, family)
    found = computed(*[formula for formula, _, _ in cases])
    wrong = [
        (formula, wanted, got)
        for (formula, wanted, tolerance), got in zip(cases, found, strict=True)
        if not agree(got, wanted, tolerance)
    ]
    assert wrong == []
