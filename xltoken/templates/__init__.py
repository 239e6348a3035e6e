"""Template workbooks, drawn with openpyxl and computed before they are handed over."""

from xltoken.templates.build import TEMPLATES as TEMPLATES
from xltoken.templates.build import new as new
