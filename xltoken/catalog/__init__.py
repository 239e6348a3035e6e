"""Evidence: what was measured, charged and stated, each fact with its source and date.

This floor reads CSV files and knows nothing of forecasts. One fact is one row; files are
append-only, and a user's folder can be laid over the shipped one.
"""
