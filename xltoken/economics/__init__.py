"""Pure formulas of token economics on numbers and arrays.

This floor imports numpy and nothing of ours; it reads no file and knows neither platforms nor
cells. Money is nominal USD, rates and declines are effective annual fractions (0.30 is 30 % a
year), volumes are millions of tokens a month.
"""
