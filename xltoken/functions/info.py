"""What computed a figure: version, catalog, overlay, host."""

from typing import Final

import xltoken
from xltoken.catalog import store
from xltoken.catalog.keys import chosen
from xltoken.functions import cells
from xltoken.functions.definition import Kind, Parameter
from xltoken.functions.registry import worksheet

FIELDS: Final = ("version", "catalog", "fingerprint", "overlay", "host")


@worksheet(
    family="Info",
    summary="Version of xltoken, date and fingerprint of its catalog, overlay, and host.",
    parameters=(Parameter("field", Kind.KEY, "", f"One of {', '.join(FIELDS)}.", "version"),),
    result="Text; catalog is the date YYYY-MM-DD, overlay is empty where there is none.",
    formula="Two workbooks with the same version and fingerprint give the same figures.",
    example=("catalog",),
)
def XLTOKEN_INFO(field: str) -> str:
    """Answer with one field."""
    field = chosen("field", field, FIELDS)
    if field == "version":
        return xltoken.__version__
    if field == "host":
        return cells.host.get()
    catalog = store.current()
    if field == "catalog":
        return catalog.date.isoformat()
    if field == "fingerprint":
        return catalog.fingerprint
    return str(catalog.overlay) if catalog.overlay else ""
