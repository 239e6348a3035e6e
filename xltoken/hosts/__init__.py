"""Doors to the applications: Excel's wrapper and add-in."""
