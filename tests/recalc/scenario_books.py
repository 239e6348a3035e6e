"""Small books whose answers are known in closed form, for scenarios of every kind."""

import signal
from pathlib import Path

from recalc_tools import F, book, saved

from xltoken.recalc.scenario_input import open_book
from xltoken.recalc.scenario_tables import read_scenarios
from xltoken.recalc.scenarios import sweep

NAMES = {
    "price": "Inputs!$B$1",
    "volume": "Inputs!$B$2",
    "rent": "Inputs!$B$3",
    "case": "Inputs!$B$4",
    "profit": "Outputs!$B$1",
    "ratio": "Outputs!$B$2",
    "verdict": "Outputs!$B$3",
    "lost": "Outputs!$B$5",
    "area": "Outputs!$B$1:$B$2",
    "elsewhere": "Inputs!$B$1",
}


def plan(tmp_path: Path, name: str = "plan.xlsx", *, lost: bool = False) -> Path:
    """Profit = price x volume - rent; a ratio that can fail; a text; a cell nobody can compute."""
    outputs = {
        "A1": "Profit",
        "B1": F("Inputs!B1*Inputs!B2-Inputs!B3", 150.0),
        "A2": "Ratio",
        "B2": F("Inputs!B2/(Inputs!B1-1)", 100.0),
        "B3": F('"case "&Inputs!B4', "case base"),
        "B4": F("Inputs!B3*2", 100.0),
    }
    names = dict(NAMES)
    if lost:
        outputs["B5"] = F("NOSUCHFUNCTION(Inputs!B1)", 7.0)
    else:
        del names["lost"]
    content = book(
        {
            "Inputs": {
                "A1": "Price", "B1": 2.0, "A2": "Volume", "B2": 100.0, "A3": "Rent", "B3": 50.0,
                "A4": "Case", "B4": "base", "B5": True, "C1": F("B1*10", 20.0),
            },
            "Outputs": outputs,
        },
        names=names,
    )  # fmt: skip
    return saved(tmp_path, content, name)


def annuity(tmp_path: Path) -> Path:
    """Net present value of three cash flows at 10 %: linear in each of them."""
    value = 100 / 1.1 + 200 / 1.1**2 + 300 / 1.1**3
    content = book(
        {
            "Inputs": {"B1": 100.0, "B2": 200.0, "B3": 300.0, "B4": 0.1, "B5": 1.0, "B6": 1.0},
            "Outputs": {
                "B1": F("NPV(Inputs!B4,Inputs!B1:B3)", value),
                "B2": F("Inputs!B5*Inputs!B6", 1.0),
            },
        },
        names={
            "first": "Inputs!$B$1", "second": "Inputs!$B$2", "third": "Inputs!$B$3",
            "one": "Inputs!$B$5", "other": "Inputs!$B$6",
            "value": "Outputs!$B$1", "product": "Outputs!$B$2",
        },
    )  # fmt: skip
    return saved(tmp_path, content, "annuity.xlsx")


def table(tmp_path, text, name="s.csv"):
    """A file of scenarios."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def swept(path, text, tmp_path, watch=("profit",), settings=(), **options):
    """Sweep of a CSV text."""
    found = open_book(path, settings, watch)
    return sweep(found, read_scenarios(found, table(tmp_path, text)), tmp_path / "r.csv", **options)


def interrupted_after(number):
    """Pressing Ctrl-C when so many scenarios are done."""

    def told(done):
        if done == number:
            signal.raise_signal(signal.SIGINT)

    return told
