"""The tab ``xltoken`` in Excel's ribbon; what its buttons do stands in ``data/ribbon.bas``."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

NAMESPACE: Final = "http://schemas.microsoft.com/office/2009/07/customui"
"""Namespace of Excel 2010 and later."""


@dataclass(frozen=True, slots=True)
class Control:
    """A button, or the menu of the templates: its texts, its icon and the macro it runs."""

    name: str
    label: str
    image: str
    keytip: str
    screentip: str
    supertip: str
    size: str = "normal"
    menu: bool = False

    @property
    def macro(self) -> str:
        """Name of the macro in ``data/ribbon.bas``."""
        return f"Xlt{self.name}"


GROUPS: Final[dict[str, tuple[Control, ...]]] = {
    "Functions": (
        Control(
            "InsertFunction",
            "Insert function",
            "FunctionWizard",
            "F",
            "Insert a function",
            "Opens Excel's function wizard for the active cell. The functions stand in the "
            "category xltoken, each with help for every argument.",
            "large",
        ),
        Control(
            "ShowHelp",
            "Help",
            "Help",
            "H",
            "Help on a function",
            "Shows the reference of the xltoken function in the active cell, with a worked "
            "example; where the cell has none, the list of all functions.",
        ),
        Control(
            "ShowLastError",
            "Last error",
            "TraceError",
            "E",
            "Why a cell shows an error",
            "Shows the message behind the error or the warning in the active cell, or the last "
            "error of all: what was wrong and what to do.",
        ),
    ),
    "Workbook": (
        Control(
            "NewTemplate",
            "New template",
            "FileNew",
            "N",
            "New workbook from a template",
            "Makes a workbook from a template, saves it where you say, and opens it. Every "
            "formula has its value and every figure its source.",
            "large",
            menu=True,
        ),
        Control(
            "Recalculate",
            "Recalculate",
            "CalculateNow",
            "R",
            "Recalculate everything",
            "Forgets the results that were kept and calculates every formula of every open "
            "workbook anew, as Ctrl+Alt+Shift+F9 does.",
            "large",
        ),
        Control(
            "Check",
            "Check",
            "ErrorChecking",
            "C",
            "Check the workbook",
            "Checks the active workbook for errors, stale values, formulas unlike their "
            "neighbours and links, and lists what it finds in a new workbook. Yours stays as it "
            "is.",
            "large",
        ),
    ),
    "xltoken": (
        Control(
            "ShowAbout",
            "About",
            "About",
            "A",
            "About xltoken",
            "Version, date and fingerprint of the catalog, Python, licences, and where the "
            "add-in stands.",
        ),
    ),
}
"""Every control by the label of its group, in the order of the tab."""


def part(templates: Mapping[str, str]) -> bytes:
    """Write the tab; the same bytes every time.

    Parameters
    ----------
    templates : mapping
        Name of each template to what it is for; the menu offers them in this order.
    """
    root = ET.Element("customUI", xmlns=NAMESPACE)
    tabs = ET.SubElement(ET.SubElement(root, "ribbon"), "tabs")
    tab = ET.SubElement(
        tabs, "tab", id="XltTab", label="xltoken", keytip="TK", insertAfterMso="TabFormulas"
    )
    for number, (label, controls) in enumerate(GROUPS.items(), 1):
        group = ET.SubElement(tab, "group", id=f"XltGroup{number}", label=label)
        for control in controls:
            if control.menu:
                _add_menu(group, control, templates)
            else:
                ET.SubElement(group, "button", _common(control), onAction=control.macro)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="UTF-8", xml_declaration=True))


def _add_menu(group: ET.Element, control: Control, templates: Mapping[str, str]) -> None:
    menu = ET.SubElement(group, "menu", _common(control), itemSize="large")
    for number, (name, summary) in enumerate(templates.items(), 1):
        label = name.replace("_", " ").capitalize()
        entry = {
            "id": f"Xlt{control.name}{number}",
            "tag": name,  # from it the macro learns which template it is
            "label": label,
            "description": summary,
            "imageMso": control.image,
            "screentip": label,
            "supertip": summary,
            "onAction": control.macro,
        }
        ET.SubElement(menu, "button", entry)


def _common(control: Control) -> dict[str, str]:
    return {
        "id": f"XltButton{control.name}",
        "label": control.label,
        "imageMso": control.image,
        "size": control.size,
        "keytip": control.keytip,
        "screentip": control.screentip,
        "supertip": control.supertip,
    }
