"""The software index: how much faster the same accelerators serve as software matures.

First form: the prior drift of the catalog carries every row to the catalog's date, and goes on
beyond it with a deceleration. Both are factors of throughput and of speed per user alike.
"""

import math
from datetime import date
from typing import Final

from xltoken.catalog.store import Catalog
from xltoken.model.months import months_between

CARRY_LIMIT: Final = 1.5
"""No row is carried by more than this factor, forward or back."""
UNKNOWN_AGE_MONTHS: Final = 12.0
"""Months since launch assumed where a launch or release date is not known."""


def carry(catalog: Catalog, seen: date) -> float:
    """Factor that brings a row seen on day `seen` to the catalog's date.

    Months are counted as :func:`growth` counts them, so going there and back is exactly 1.
    """
    return _limited(-_log_drift(catalog) * months_between(catalog.date, float(seen.toordinal())))


def growth(
    catalog: Catalog,
    when: float,
    launched: date | None,
    released: date | None,
    gain_per_month: float | None = None,
) -> float:
    """Factor by which throughput at moment `when` differs from that at the catalog's date.

    Before the catalog's date the drift runs backwards, by the same limit as a row's carry, so a
    row stands at its own figure on its own day. Beyond it software gains
    ``((a + h + 1) / (a + 1)) ** b`` with ``b = ln(1 + drift) (a + 1)``: `h` months since the
    catalog's date, `a` months then since the later of launch and release. At first that is the
    monthly drift; it slows as the pair ages. The deceleration is an assumption.

    Parameters
    ----------
    when : float
        Moment, as in :mod:`xltoken.model.months`.
    launched, released : date or None
        Launch of the platform and release of the model; 12 months ago where neither is known.
    gain_per_month : float, optional
        Share of throughput a month instead of the drift, beyond the catalog's date only.
    """
    months = months_between(catalog.date, when)
    if months <= 0:
        return _limited(_log_drift(catalog) * months)
    known = [day for day in (launched, released) if day is not None]
    age = UNKNOWN_AGE_MONTHS
    if known:
        age = max(0.0, months_between(max(known), float(catalog.date.toordinal())))
    log_drift = _log_drift(catalog) if gain_per_month is None else math.log1p(gain_per_month)
    return float(((age + months + 1.0) / (age + 1.0)) ** (log_drift * (age + 1.0)))


def _log_drift(catalog: Catalog) -> float:
    prior = catalog.priors.get("software_gain_per_month")
    return math.log1p(prior.value) if prior else 0.0


def _limited(log_factor: float) -> float:
    limit = math.log(CARRY_LIMIT)
    return math.exp(min(max(log_factor, -limit), limit))
