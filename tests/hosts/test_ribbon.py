import re
import xml.etree.ElementTree as ET
from importlib import resources

import pytest

from xltoken.hosts import commands, ribbon, vba

MACROS = resources.files("xltoken.hosts").joinpath("data", "ribbon.bas").read_text("utf-8")
TEMPLATES = {"token_budget": "A budget: <five> years & more.", "second": 'Another "one".'}
NS = f"{{{ribbon.NAMESPACE}}}"
CONTROLS = [control for group in ribbon.GROUPS.values() for control in group]

# --- the tab -------------------------------------------------------------------------------------

COMMON = {
    "id", "tag", "label", "imageMso", "keytip", "screentip", "supertip", "onAction", "description",
}  # fmt: skip
ALLOWED = {
    "customUI": (set(), {"ribbon"}),
    "ribbon": (set(), {"tabs"}),
    "tabs": (set(), {"tab"}),
    "tab": ({"id", "label", "keytip", "insertAfterMso"}, {"group"}),
    "group": ({"id", "label"}, {"button", "menu"}),
    "button": (COMMON | {"size"}, set()),
    "menu": (COMMON - {"onAction"} | {"size", "itemSize"}, {"button"}),
}
"""Attributes and children that the schema of 2009/07 has, so far as we use them."""
ICONS = {
    "About", "CalculateFull", "CalculateNow", "ErrorChecking", "FileNew", "FunctionWizard", "Help",
    "TraceError",
}  # fmt: skip
"""Built-in icons by their documented names."""


def tab(templates=None):
    return ET.fromstring(ribbon.part(TEMPLATES if templates is None else templates))


def local(element):
    assert element.tag.startswith(NS)
    return element.tag.removeprefix(NS)


def pressed(root):
    """Every element that runs a macro."""
    return [element for element in root.iter() if "onAction" in element.attrib]


def test_every_element_and_attribute_is_of_the_schema():
    """Elements nest as the schema says and have no attribute that it does not know."""
    root = tab()
    assert local(root) == "customUI"
    for parent in root.iter():
        attributes, children = ALLOWED[local(parent)]
        assert set(parent.attrib) <= attributes
        assert {local(child) for child in parent} <= children
        if local(parent) == "menu":
            assert not any("size" in child.attrib for child in parent)


def test_values_have_the_types_of_the_schema():
    """Ids are unique XML names, texts have 1 to 1024 characters, keytips 1 to 3 and no blank."""
    root = tab()
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", one) for one in ids)
    for element in root.iter():
        for name, value in element.attrib.items():
            assert 1 <= len(value) <= (4096 if name == "description" else 1024)
            if name == "keytip":
                assert re.fullmatch(r"[A-Z0-9]{1,3}", value)
            if name in ("size", "itemSize"):
                assert value in ("normal", "large")


def test_every_control_says_what_it_is():
    """Every button and menu has an id, a label, an icon that Excel has, and two tips."""
    for element in tab().iter():
        if local(element) in ("button", "menu"):
            assert all(element.get(name) for name in ("id", "label", "screentip", "supertip"))
            assert element.get("imageMso") in ICONS


def test_keytips_of_the_tab_differ():
    """No two controls of the tab share a key, and none begins another."""
    keys = [control.keytip for control in CONTROLS]
    assert all(not a.startswith(b) for a in keys for b in keys if a is not b)
    assert len(keys) == len(set(keys))


def test_the_menu_offers_the_templates_of_the_caller():
    """Each template is one entry, in the caller's order, and tells the macro its name."""
    entries = tab().findall(f".//{NS}menu/{NS}button")
    assert [(entry.get("tag"), entry.get("supertip")) for entry in entries] == list(
        TEMPLATES.items()
    )


def test_the_shipped_templates_fit():
    """The templates there are make a menu that holds to the schema's lengths."""
    from xltoken.templates import TEMPLATES as SHIPPED

    root = tab({template.name: template.summary for template in SHIPPED.values()})
    assert len(root.findall(f".//{NS}menu/{NS}button")) == len(SHIPPED)
    assert all(len(value) <= 1024 for element in root.iter() for value in element.attrib.values())


def test_the_same_tab_every_time():
    """The part is made of nothing that changes."""
    assert ribbon.part(TEMPLATES) == ribbon.part(dict(TEMPLATES))
    assert ribbon.part(TEMPLATES).startswith(b"<?xml ")


# --- the module ----------------------------------------------------------------------------------


def test_buttons_and_macros_agree():
    """Every macro that a control names is there with a button's signature, and none is left over."""
    called = {element.get("onAction") for element in pressed(tab())}
    there = re.findall(r"^Public Sub (\w+)\((.*)\)$", MACROS, re.MULTILINE)
    assert {name for name, _ in there} == called == {control.macro for control in CONTROLS}
    assert {arguments for _, arguments in there} == {"control As IRibbonControl"}


def test_the_module_keeps_to_the_limits_of_vba():
    """ASCII only, lines under 1023 characters, no statement over more than one line, declared."""
    assert MACROS.isascii()
    assert MACROS.startswith("Option Explicit\n")
    lines = MACROS.splitlines()
    assert max(map(len, lines)) < vba.MAX_LINE
    assert not any(line.endswith(" _") for line in lines)
    assert "Attribute " not in MACROS


def test_names_are_those_of_no_other_module():
    """Public names and those of our functions are unique in the project."""
    named = r"^Public (?:Sub|Function) (\w+)"
    names = [
        name.lower()
        for module in vba.modules(with_ribbon=True)
        for name in re.findall(named, module.code, re.MULTILINE)
    ]
    assert {control.macro.lower() for control in CONTROLS} <= set(names)
    assert len(names) == len(set(names))


def test_the_module_of_commands_is_named_right():
    """The macros ask for the module and for procedures that it has."""
    assert f'COMMANDS As String = "{commands.MODULE}"' in MACROS
    for procedure in re.findall(r'XltAnswer\([^,]*, "(\w+)"', MACROS):
        assert callable(getattr(commands, procedure))


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_every_macro_asks_for_windows_and_catches_errors(control):
    """A Mac is told what to use there; no error of Excel ends in the debugger."""
    body = MACROS.split(f"Sub {control.macro}(")[1].split("End Sub")[0]
    assert body.index("If XltOnMac() Then Exit Sub") < body.index("On Error GoTo failed")
    assert "failed:" in body
    assert "XltTell" in body.split("failed:")[1]


# --- the macros, run ------------------------------------------------------------------------------

COPY = r"C:\Temp\xltoken_rad1.tmp"


@pytest.fixture
def desk():
    """A made-up Excel with the macros loaded."""
    pytest.importorskip("pyopenvba")
    from ribbon_desk import Desk

    return Desk()


def failing(text):
    """The error that VBA gets where Python cannot be reached."""
    from pyopenvba.exceptions import VBARuntimeError

    return VBARuntimeError(-2147220991, text)


def test_insert_function_opens_excels_wizard(desk):
    """The button opens the function wizard, number 450 among Excel's dialogs."""
    desk.select()
    assert desk.press("XltInsertFunction") == []
    assert desk.done == [("dialog", 450)]


def test_insert_function_without_a_cell(desk):
    """Where no cell is active, or the wizard does not open, a message says what to do."""
    assert "Select a cell" in desk.press("XltInsertFunction")[0]
    desk.select()
    desk.wizard_fails = True
    assert "Show method of Dialog class failed" in desk.press("XltInsertFunction")[0]
    assert desk.done == []


def test_recalculate_forgets_and_rebuilds(desk):
    """Recalculating drops the kept results, then rebuilds, and does nothing else."""
    assert desk.press("XltRecalculate") == []
    assert desk.done == ["forget", "rebuild"]
    desk.rebuild_fails = True
    assert "did not recalculate" in desk.press("XltRecalculate")[0]


def test_recalculate_keeps_good_values_where_python_is_away(desk):
    """Without Python nothing is rebuilt: saved values would become errors; the message says why."""
    desk.reachable = False
    desk.last = "Python cannot be reached"
    assert "Nothing was recalculated. Python cannot be reached" in desk.press("XltRecalculate")[0]
    assert desk.done == ["forget"]


@pytest.mark.parametrize(
    ("name", "file_format", "copied"),
    [
        ("Budget.v2.xlsx", 51, "Budget.v2.xlsx"),
        ("Budget.xlsm", 52, "Budget.xlsm"),
        ("Strict.xlsx", 61, "Strict.xlsx"),
        ("Book1", 51, "Book1.xlsx"),
    ],
)
def test_check_works_on_a_copy(desk, name, file_format, copied):
    """A copy in the workbook's format is checked and deleted, saved before or not."""
    desk.open_book(name, file_format)
    desk.answer = [[1], [f"{COPY}\\{copied}: 1 error"], ["=1+1 looks like a formula"], [""]]
    assert desk.press("XltCheck") == []
    assert desk.done == [
        ("folder", COPY),
        ("copy", f"{COPY}\\{copied}"),
        ("commands", "run", "check", f"{COPY}\\{copied}"),
        ("delete", COPY),
    ]
    assert desk.lines == [f"{copied}: 1 error", "=1+1 looks like a formula", ""]
    assert desk.at_rest


def test_lines_are_texts_on_a_sheet_of_its_own(desk):
    """What is shown stands as text in one wide column, and may be closed without a question."""
    desk.open_book("Budget.xlsx")
    desk.press("XltCheck")
    column = desk.column.values
    assert (column["numberformat"], column["wraptext"]) == ("@", True)
    assert int(column["columnwidth"]) == 160
    assert column["font"].values["name"] == "Consolas"
    assert desk.shown.values["size"] == (1, 1)
    assert desk.new_book.values["saved"] is True


@pytest.mark.parametrize("file_format", [50, 56, 6])
def test_check_refuses_other_formats(desk, file_format):
    """A binary, old or text workbook is not checked; the message names what can be."""
    desk.open_book("Old.xls", file_format)
    assert "Only .xlsx and .xlsm" in desk.press("XltCheck")[0]
    assert desk.done == []


def test_check_without_a_workbook(desk):
    """Without a workbook, or in Protected View, a message says what to do."""
    assert "Protected View" in desk.press("XltCheck")[0]


def test_check_leaves_no_copy_behind(desk):
    """Whatever fails, the copy is deleted, Excel's cursor comes back and the reason is told."""
    desk.open_book("Budget.xlsx")
    desk.answer = failing("Python cannot be reached")
    assert desk.press("XltCheck") == ["The workbook was not checked: Python cannot be reached"]
    assert desk.done[-1] == ("delete", COPY)
    assert desk.at_rest
    desk.copy_fails = True
    assert "SaveCopyAs" in desk.press("XltCheck")[0]
    assert desk.done[-1] == ("delete", COPY)


NEW = r"C:\Models\token_budget.xlsm"


def test_new_template_is_made_and_opened(desk):
    """The chosen path goes to the command, which knows the template by the entry's tag."""
    desk.chosen = NEW
    desk.answer = [[0], ["made"]]
    assert desk.press("XltNewTemplate", "token_budget") == []
    asked, *rest = desk.done
    assert asked[1] == "token_budget"
    assert asked[2].count(",*.xlsx") == asked[2].count(",*.xlsm") == 1
    assert rest == [
        ("commands", "run", "new", "token_budget", "-o", NEW, "--host", "excel"),
        ("open", NEW),
    ]
    assert desk.at_rest


def test_new_template_tells_its_warnings(desk):
    """What the figures rest on too thinly is told when the workbook is there."""
    desk.chosen = NEW
    desk.answer = [[0], ["made"], ["warning: thin evidence"]]
    (told,) = desk.press("XltNewTemplate", "token_budget")
    assert "warning: thin evidence" in told
    assert desk.done[-1] == ("open", NEW)


def test_new_template_may_be_cancelled(desk):
    """Without a path nothing is made."""
    assert desk.press("XltNewTemplate", "token_budget") == []
    assert [one[0] for one in desk.done] == ["save as"]


@pytest.mark.parametrize("replace", [True, False])
def test_new_template_asks_before_it_replaces(desk, replace):
    """A file that stands there is replaced only where the user says so."""
    desk.chosen = NEW
    desk.existing.add(NEW)
    desk.vba.answers.append(6 if replace else 7)
    assert "Replace it?" in desk.press("XltNewTemplate", "token_budget")[0]
    ran = [one for one in desk.done if one[0] == "commands"]
    assert [one[-1] for one in ran] == (["--force"] if replace else [])


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ("https://example.com/token_budget.xlsm", "folder of this computer"),
        (r"D:\Elsewhere\TOKEN_BUDGET.xlsm", "is open"),
    ],
)
def test_new_template_refuses_what_excel_could_not_open(desk, chosen, told):
    """A place in the web, or the name of an open workbook, is refused before anything is made."""
    desk.open_book("token_budget.xlsm", 52)
    desk.chosen = chosen
    assert told in desk.press("XltNewTemplate", "token_budget")[0]
    assert [one[0] for one in desk.done] == ["save as"]


def test_new_template_tells_why_it_was_not_made(desk):
    """What the command printed is told; nothing is opened; an overlong text is cut."""
    desk.chosen = NEW
    desk.answer = [[4], ["xltoken: no such folder."], ["x" * 5000]]
    (told,) = desk.press("XltNewTemplate", "token_budget")
    assert "no such folder" in told
    assert len(told) < 1000
    assert not any(one[0] == "open" for one in desk.done)
    desk.answer = failing("Python cannot be reached")
    assert "Python cannot be reached" in desk.press("XltNewTemplate", "token_budget")[0]


HERE = "[Book1]Sheet1!$B$4"


@pytest.mark.parametrize(
    ("cell", "place"),
    [
        ({}, HERE),
        ({"spill_of": "[Book1]Sheet1!$A$1"}, "[Book1]Sheet1!$A$1"),
        ({"array_of": "[Book1]Sheet1!$A$2"}, "[Book1]Sheet1!$A$2"),
    ],
)
def test_last_error_is_that_of_the_active_cells_formula(desk, cell, place):
    """The message of the active cell is shown; that of a spill or array stands at its first cell."""
    desk.select(formula="=TOKEN_COST(A1)", **cell)
    desk.messages = {place: "unknown platform"}
    desk.last = "something else"
    assert desk.press("XltShowLastError") == [f"{place}\n\nunknown platform"]


@pytest.mark.parametrize("formula", ["", "=SUM(A1:A3)"])
def test_a_message_of_a_formula_that_is_gone_is_not_shown(desk, formula):
    """Where another formula or a constant stands by now, what was said there is not its message."""
    desk.select(formula=formula)
    desk.messages = {HERE: "unknown platform"}
    assert desk.press("XltShowLastError")[0].startswith("No error so far.")


def test_last_error_of_a_workbook_that_carries_the_functions(desk):
    """Such a workbook keeps its own messages, and is asked for them by its quoted name."""
    desk.open_book("Bob's.xlsm", 52)
    desk.select(formula="=TOKEN_COST(A1)")
    desk.kept_by_books = {"'Bob''s.xlsm'": {HERE: "unknown platform"}}
    assert desk.press("XltShowLastError") == [f"{HERE}\n\nunknown platform"]


def test_last_error_of_all(desk):
    """Without a message of its own a cell shows the last of all, or that there was none."""
    assert desk.press("XltShowLastError")[0].startswith("No error so far.")
    desk.select()
    desk.last = "unknown platform"
    (told,) = desk.press("XltShowLastError")
    assert told.startswith("The active cell has no message.")
    assert told.endswith("unknown platform")


@pytest.mark.parametrize("formula", ["=2*TOKEN_COST(A1)", ""])
def test_help_asks_python_about_the_formula(desk, formula):
    """The formula of the active cell goes to Python, and the reference onto a new sheet."""
    desk.select(formula=formula)
    desk.answer = [[0], ["TOKEN_COST(platform, ...)"], ["=TOKEN_COST(...)"]]
    assert desk.press("XltShowHelp") == []
    assert desk.done == [("commands", "reference", formula)]
    assert desk.lines == ["TOKEN_COST(platform, ...)", "=TOKEN_COST(...)"]


def test_help_with_python_behind_it(desk):
    """From the button to the sheet: the reference of the function in the cell, line by line."""
    desk.select(formula='=TOKEN_COST("B200",0,"gpt-oss-120b/batch")')
    desk.answer = commands
    assert desk.press("XltShowHelp") == []
    assert [[line] for line in desk.lines] == commands.run("functions", "TOKEN_COST")[1:]


def test_help_without_a_cell(desk):
    """Without an active cell the list of all functions is asked for."""
    assert desk.press("XltShowHelp") == []
    assert desk.done == [("commands", "reference", "")]


def test_about_tells_where_the_add_in_stands(desk):
    """Versions come from Python, the place of the add-in from Excel, even without Python."""
    desk.answer = [["xltoken 1.0"], ["Catalog of 2026-11-22"]]
    (told,) = desk.press("XltShowAbout")
    assert told.splitlines() == [
        "xltoken 1.0",
        "Catalog of 2026-11-22",
        r"Excel 16.0, add-in: C:\XLSTART\xltoken.xlam",
    ]
    desk.answer = failing("Python cannot be reached; xltoken doctor says what is missing.")
    (told,) = desk.press("XltShowAbout")
    assert "xltoken doctor" in told
    assert "xltoken.xlam" in told


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_a_mac_is_told_what_to_use(control):
    """On a Mac every button says what works there, and does nothing else."""
    pytest.importorskip("pyopenvba")
    from ribbon_desk import Desk

    desk = Desk(mac=True)
    desk.select()
    desk.open_book("Budget.xlsx")
    (told,) = desk.press(control.macro)
    assert "xlwings Lite" in told
    assert "xltoken recalc" in told
    assert desk.done == []
