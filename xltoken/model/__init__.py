"""Evidence and formulas joined: assumptions, frontier, index, forecast, ranking, valuation."""
