"""Template workbooks, drawn with openpyxl and computed before they are handed over."""

import os

# openpyxl writes other bytes where lxml happens to be installed; the same template gives the same
# file everywhere. It looks at this once, when it is first imported.
os.environ.setdefault("OPENPYXL_LXML", "False")

from xltoken.templates.build import HOSTS as HOSTS
from xltoken.templates.build import TEMPLATES as TEMPLATES
from xltoken.templates.build import new as new
