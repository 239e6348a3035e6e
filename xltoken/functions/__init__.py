"""The worksheet functions: cells in and out, the registry, and one file a family."""

from xltoken.functions.registry import FUNCTIONS as FUNCTIONS
from xltoken.functions.registry import WorksheetFunction as WorksheetFunction
from xltoken.functions.registry import load as _load

_load()
