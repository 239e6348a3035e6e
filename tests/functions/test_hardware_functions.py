"""COST_LINES, and DEPRECIATION_CHARGE against the published table, Excel's values, and its own sums."""

import pytest
from contract_tools import is_error

from xltoken import COST_LINES, DEPRECIATION_CHARGE

# Percent of cost by year: IRS Publication 946, Appendix A, Table A-1, half-year convention.
MACRS_PERCENT = {
    "macrs_3": [33.33, 44.45, 14.81, 7.41],
    "macrs_5": [20.00, 32.00, 19.20, 11.52, 11.52, 5.76],
    "macrs_7": [14.29, 24.49, 17.49, 12.49, 8.93, 8.92, 8.93, 4.46],
}


@pytest.mark.parametrize("method", list(MACRS_PERCENT))
def test_macrs_is_the_published_table(method):
    """MACRS from its formula is the published table to 0.01 % of the cost, salvage or not."""
    percent = MACRS_PERCENT[method]
    years = [[float(year)] for year in range(1, len(percent) + 1)]
    for salvage in (0, 40):
        found = DEPRECIATION_CHARGE(100, salvage, 5, years, method)
        assert [row[0] for row in found] == pytest.approx(percent, abs=0.01)
    is_error(DEPRECIATION_CHARGE(100, 0, 5, len(percent) + 1, method), "#NUM!", "last year")


@pytest.mark.parametrize(
    ("method", "usd"),
    [
        # The values of Excel's SLN, SYD and DDB for 2,400 USD, salvage 300, 10 years, years 1, 2
        # and 10; in the last one DDB of Excel gives 22.12 as well: no switch is needed.
        ("straight_line", [210.0, 210.0, 210.0]),
        ("sum_of_years", [381.818182, 343.636364, 38.181818]),
        ("double_declining", [480.0, 384.0, 22.122547]),
    ],
)
def test_methods_are_excels(method, usd):
    """Arguments in Excel's order give the values of Excel's functions, in USD a year."""
    found = DEPRECIATION_CHARGE(2400, 300, 10, [[1, 2, 10]], method)
    assert found[0] == pytest.approx(usd, abs=1e-6)


def test_units_by_hand():
    """A tenth of all units charges a tenth of what is lost; without its share it is #VALUE!."""
    assert DEPRECIATION_CHARGE(2400, 400, 5, 2, "units", 0.1) == pytest.approx(200.0)
    is_error(DEPRECIATION_CHARGE(2400, 400, 5, 2, "units"), "#VALUE!", "needs share")
    is_error(DEPRECIATION_CHARGE(2400, 400, 5, 6, "units", 0.1), "#NUM!", "from 1 to 5")
    assert DEPRECIATION_CHARGE(2400, 400, 5, 2, None, 0.1) == 400.0


def test_life_and_year_are_whole_numbers():
    """A life or year between two years, or outside the schedule, is #NUM! with the range."""
    is_error(DEPRECIATION_CHARGE(2400, 400, 2.5, 1), "#NUM!", "whole number of years")
    is_error(DEPRECIATION_CHARGE(2400, 400, 5, 1.5), "#NUM!", "whole number from 1 to 5")
    is_error(DEPRECIATION_CHARGE(2400, 400, 5, 6), "#NUM!", "from 1 to 5")


# --- cost lines ----------------------------------------------------------------------------------


def test_lines_by_hand():
    """1,210 USD over two years at 10 %: three rows, no header, USD per 1M tokens by year."""
    found = COST_LINES(0.10, 1210, [10] * 12 + [20] * 12, 2, 121, 0.5)
    payment = 1110 * 1.21 / 2.1
    assert [row[0] for row in found] == ["accounting", "economic", "replacement"]
    assert found[0][1:] == pytest.approx([544.5 / 120, 544.5 / 240])
    assert found[1][1:] == pytest.approx([payment / 120, payment / 240])
    assert found[2][1:] == pytest.approx([payment / 120, payment / 480])


@pytest.mark.parametrize("life", [1, 3, 10])
def test_a_year_is_a_column(life):
    """There is one column for each year of life; a single volume counts for every month."""
    found = COST_LINES(0.1, 1000, 5, life)
    assert [len(row) for row in found] == [life + 1] * 3
    assert found == COST_LINES(0.1, 1000, [5] * (12 * life), life)
    level = [DEPRECIATION_CHARGE(1000, 0, life, year) / 60 for year in range(1, life + 1)]
    assert found[0][1:] == pytest.approx(level)


def test_volumes_cover_the_life():
    """A range of another length than the life is #VALUE! with both; a year of 0 is #DIV/0!."""
    for months in (12, 25, 36):
        result = COST_LINES(0.1, 1000, [1] * months, 2)
        is_error(result, "#VALUE!", "24 months", f"has {months}")
    is_error(COST_LINES(0.1, 1000, [1] * 12 + [0] * 12, 2), "#DIV/0!", "year 2")
    is_error(COST_LINES(0.1, 1000, [2] * 23 + [-1], 2), "#NUM!", "volumes")
    is_error(COST_LINES(0.1, 1000, 1, 2.5), "#NUM!", "whole number of years")
