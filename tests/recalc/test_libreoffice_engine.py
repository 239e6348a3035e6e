"""LibreOffice as a second engine: what it computes comes out as Excel would have saved it."""

import http.server
import io
import subprocess
import sys
import threading
import types

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference
from recalc_tools import F, book, parts_of, replaced, with_part

from xltoken.files import FileError
from xltoken.machine import PartMissing
from xltoken.recalc import engines, libreoffice
from xltoken.recalc.engines import second_engine
from xltoken.recalc.package import name_of_copy
from xltoken.recalc.sheetxml import ErrorText, reference

needed = pytest.mark.skipif(libreoffice.program() is None, reason="LibreOffice is not installed")
posix = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")

KINDS = {
    "A1": 1.0, "A2": "text & <b>", "A3": True, "A4": F("A1*2", 99.0), "A5": F("A1=1", False),
    "A6": F('A2&" x"', 5.0), "A7": F('""', "stale"), "A8": F("Z99", 7.0), "A9": F("IF(A1>0,A3)", 1.0),
    "A10": F('" a\n"&CHAR(9)&"_x0041_"', "stale"), "A11": F("SUM(A1*{2;3})", 0.0, ' t="array" ref="A11"'),
    "A12": F("TRANSPOSE(B1:D1)", 0.0, ' t="array" ref="A12:A14"'), "A13": 0.0, "A14": 0.0,
    "B1": 0.1, "C1": "x", "D1": 1 / 3, "A15": F("'It''s & more'!A1+1", 0.0), "A16": F("A17", 3.0),
}  # fmt: skip


def computed(cells, *, asked=None, **options):
    """Values of a sheet S by address."""
    content = book({"S": cells, "It's & more": {"A1": F("S!A1+1", 0.0)}}, **options)
    places = {a: ("S", *reference(a)) for a in asked or cells}
    found = libreoffice.values(content, places.values())
    return {a: found[place] for a, place in places.items()}


@needed
@pytest.mark.slow
def test_every_formula_is_computed_anew():
    """No saved value is believed; numbers, text, booleans and blanks keep their kind."""
    found = computed(KINDS, asked=[*KINDS, "A17", "XFD1048576"])
    assert found == {
        "A1": 1.0, "A2": "text & <b>", "A3": True, "A4": 2.0, "A5": True, "A6": "text & <b> x",
        "A7": "", "A8": 0.0, "A9": True, "A10": " a\n\t_x0041_", "A11": 5.0, "A12": 0.1, "A13": "x",
        "A14": 1 / 3, "B1": 0.1, "C1": "x", "D1": 1 / 3, "A15": 3.0, "A16": 0.0, "A17": None,
        "XFD1048576": None,
    }  # fmt: skip
    assert [a for a, v in found.items() if isinstance(v, bool)] == ["A3", "A5", "A9"]


@needed
@pytest.mark.slow
def test_numbers_keep_all_their_digits():
    """What LibreOffice saves has 15 digits; what comes out is the number itself."""
    cells = {
        "A1": F("1/3", 0.0), "A2": F("0.1+0.2", 0.0), "A3": F("2^0.5*1E15", 0.0), "A4": F("-PI()*1E-7", 0.0),
        "A5": F("123456789*987654321", 0.0), "A6": F("A1*1E300", 0.0), "A7": 0.1 + 0.7,
        "A8": F("DATE(2026,1,15)+1/3", 0.0), "B1": F("A1:A2*1", 0.0, ' t="array" ref="B1:B2"'), "B2": 0.0,
    }  # fmt: skip
    found = computed(cells)
    third = 1 / 3
    assert found == {
        "A1": third, "A2": 0.1 + 0.2, "A3": 2**0.5 * 1e15, "A4": found["A4"],
        "A5": 123456789 * 987654321.0, "A6": third * 1e300, "A7": 0.1 + 0.7,
        "A8": 46037 + third, "B1": third, "B2": 0.1 + 0.2,
    }  # fmt: skip
    assert found["A4"] == pytest.approx(-3.141592653589793e-07, rel=2e-16)


@needed
@pytest.mark.slow
def test_errors_have_the_names_that_excel_gives():
    """Errors come as errors, under Excel's name where LibreOffice saves another one."""
    cells = {
        "A1": F("1/0", 5.0), "A2": F("NA()", 5.0), "A3": F("NOSUCH(1)", 5.0), "A4": F("SQRT(-1)", 5.0),
        "A5": F('"x"+1', 5.0), "A6": F("#REF!+1", 5.0), "A7": F("IRR(B1:B3)", 5.0), "A8": F("LN(0)", 5.0),
        "A9": F("A1+1", 5.0), "A10": F("IFERROR(A1,7)", 5.0), "A11": F("1E300*1E300", 5.0),
        "B1": 1.0, "B2": 2.0, "B3": 3.0,
    }  # fmt: skip
    found = computed(cells)
    assert {a: str(v) for a, v in found.items() if isinstance(v, ErrorText)} == {
        "A1": "#DIV/0!", "A2": "#N/A", "A3": "#NAME?", "A4": "#NUM!", "A5": "#VALUE!", "A6": "#REF!",
        "A7": "#NUM!", "A8": "#NUM!", "A9": "#DIV/0!", "A11": "#NUM!",
    }  # fmt: skip
    assert found["A10"] == 7.0


@needed
@pytest.mark.slow
def test_dates_are_serials_of_the_books_own_system():
    """A book that counts from 1904 keeps its own serials, in formulas and constants."""
    cells = {"A1": F("DATE(2026,1,15)", 0.0), "A2": 44575.0, "A3": F("YEAR(A2)", 0.0)}
    assert list(computed(cells, date1904=True).values()) == [44575.0, 44575.0, 2026.0]


@needed
@pytest.mark.slow
def test_formats_and_odd_sheets_change_no_value():
    """A boolean in a percent cell, hidden sheets and chart sheets are read like any others."""
    wb = openpyxl.Workbook()
    first = wb.active
    first.title = "Hidden"
    first["A1"] = "=1/3"
    first.sheet_state = "veryHidden"
    chart = BarChart()
    chart.add_data(Reference(first, min_col=1, min_row=1))
    wb.create_chartsheet("Picture").add_chart(chart)
    last = wb.create_sheet("Größe & 'x' m²")
    last["A1"] = "=2/3"
    last["A2"], last["A3"] = True, "=A2"
    for place in ("A2", "A3"):
        last[place].number_format = "0.0%"
    wb.active = 2
    buffer = io.BytesIO()
    wb.save(buffer)
    content = buffer.getvalue()
    # The saved boolean says that the formula in A3 gives one; openpyxl saves none.
    part = "xl/worksheets/sheet2.xml"
    content = replaced(content, part, "><f>A2</f><v />", ' t="b"><f>A2</f><v>0</v>')
    places = [("Hidden", 1, 1), *(("Größe & 'x' m²", r, 1) for r in (1, 2, 3))]
    found = list(libreoffice.values(content, places).values())
    assert found == [1 / 3, 2 / 3, True, True]
    assert [type(v) for v in found[2:]] == [bool, bool]


@needed
@pytest.mark.slow
def test_nothing_outside_is_asked():
    """Functions and links that would fetch something from elsewhere fetch nothing."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        found = computed(
            {
                "A1": F(f'_xlfn.WEBSERVICE("{address}/a")', "saved"),
                "A2": F(f"'{address}/[b.xlsx]S'!A1", 5.0),
            }
        )
        server.shutdown()
    assert asked == []
    assert all(isinstance(value, ErrorText) for value in found.values())


@needed
@pytest.mark.slow
def test_the_users_own_profile_is_not_touched(tmp_path, monkeypatch):
    """Everything happens in a private folder that is gone afterwards."""
    private = tmp_path / "prïvate folder"
    private.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(libreoffice.tempfile, "tempdir", str(private))
    assert computed({"A1": F("1+1", 0.0)}) == {"A1": 2.0}
    assert not (tmp_path / "home" / ".config" / "libreoffice").exists()
    assert list(private.iterdir()) == []


@needed
@pytest.mark.slow
def test_a_book_with_macros_is_computed():
    """Content of the macro kind is opened under its own ending, and computed like any other."""
    content = book({"S": {"A1": F("1+1", 0.0)}})
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    macros = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
    xml = parts_of(content)["[Content_Types].xml"].decode().replace(kind, macros).encode()
    content = with_part(content, "[Content_Types].xml", xml)
    assert name_of_copy(content) == "book.xlsm"
    assert libreoffice.values(content, [("S", 1, 1)]) == {("S", 1, 1): 2.0}


@needed
@pytest.mark.slow
def test_a_missing_sheet_is_refused():
    """A place on a sheet that is not there is a failure, not a blank."""
    with pytest.raises(FileError, match="no sheet Other"):
        libreoffice.values(book({"S": {"A1": 1.0}}), [("Other", 1, 1)])


def stand_in(tmp_path, monkeypatch, script):
    """Program in the place of LibreOffice; `$profile` is the folder it gets."""
    path = tmp_path / "soffice"
    path.write_text(
        '#!/bin/sh\nfor a in "$@"; do case "$a" in -env:UserInstallation=file://*) '
        f'profile="${{a#-env:UserInstallation=file://}}";; esac; done\n{script}\n'
    )
    path.chmod(0o755)
    monkeypatch.setenv(libreoffice.VARIABLE, str(path))


@posix
def test_a_late_libreoffice_is_ended_with_its_children(tmp_path, monkeypatch):
    """After the time limit the launcher and what it launched are ended, and nothing else."""
    pid = tmp_path / "pid"
    stand_in(tmp_path, monkeypatch, f"sleep 600 & echo $! > {pid}.new; mv {pid}.new {pid}; wait")
    with pytest.raises(FileError, match=r"within 1 seconds"):
        libreoffice.values(book({"S": {"A1": 1.0}}), [("S", 1, 1)], timeout=1)
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", pid.read_text().strip()],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    assert state in ("", "Z")


@posix
def test_a_libreoffice_that_does_nothing_is_missing(tmp_path, monkeypatch):
    """A program that ends without having run the macro is a broken installation."""
    stand_in(tmp_path, monkeypatch, "exit 3")
    with pytest.raises(PartMissing, match="did not start"):
        libreoffice.values(book({"S": {"A1": 1.0}}), [("S", 1, 1)])


@posix
def test_a_workbook_that_does_not_open_is_refused(tmp_path, monkeypatch):
    """Where the macro ran and saved nothing, the workbook is at fault."""
    stand_in(tmp_path, monkeypatch, ': > "$profile/../numbers"')
    with pytest.raises(FileError, match="cannot open"):
        libreoffice.values(book({"S": {"A1": 1.0}}), [("S", 1, 1)])


@posix
def test_a_number_from_elsewhere_is_not_taken(tmp_path, monkeypatch):
    """The dump only adds digits to what the saved copy says; it never replaces a number."""
    saved = tmp_path / "saved.xlsx"
    saved.write_bytes(
        book({"S": {"A1": F("1/3", 0.333333333333333), "A2": F("1/7", 0.142857142857143)}})
    )
    dump = tmp_path / "dump"
    dump.write_bytes(libreoffice.struct.pack("<5i2d", 0, 0, 0, 1, 0, 1 / 3, 1 / 3))
    stand_in(
        tmp_path, monkeypatch, f'cp {saved} "$profile/../out.xlsx"; cp {dump} "$profile/../numbers"'
    )
    content = book({"S": {"A1": F("1/3", 0.0), "A2": F("1/7", 0.0)}})
    found = libreoffice.values(content, [("S", 1, 1), ("S", 2, 1)])
    assert list(found.values()) == [1 / 3, 0.142857142857143]


@posix
def test_a_lost_formula_is_refused(tmp_path, monkeypatch):
    """Where the copy has no cell for a formula, its value is not taken for a blank."""
    saved = tmp_path / "saved.xlsx"
    saved.write_bytes(book({"S": {"A1": 1.0}}))
    stand_in(tmp_path, monkeypatch, f'cp {saved} "$profile/../out.xlsx"; : > "$profile/../numbers"')
    with pytest.raises(FileError, match="lost the formula in S!B2"):
        libreoffice.values(book({"S": {"B2": F("1+1", 2.0)}}), [("S", 2, 2)])


def test_a_program_that_cannot_run_is_missing(tmp_path, monkeypatch):
    """A file that the system does not start is named, with the reason."""
    monkeypatch.setattr(libreoffice, "program", lambda: str(tmp_path / "nothing"))
    with pytest.raises(PartMissing, match="cannot be started"):
        libreoffice.values(book({"S": {"A1": 1.0}}), [])


def test_without_libreoffice_the_message_says_what_to_do(monkeypatch):
    """A machine without LibreOffice is told to install it, a wrong variable is named."""
    monkeypatch.delenv(libreoffice.VARIABLE, raising=False)
    monkeypatch.setattr(libreoffice.shutil, "which", lambda _: None)
    monkeypatch.setattr(libreoffice, "_USUAL", ())
    with pytest.raises(PartMissing, match="install it, or set XLTOKEN_SOFFICE"):
        libreoffice.values(b"", [])
    monkeypatch.setenv(libreoffice.VARIABLE, "/no/such")
    with pytest.raises(PartMissing, match="XLTOKEN_SOFFICE names /no/such"):
        libreoffice.values(b"", [])


def test_libreoffice_is_found_where_it_usually_stands(tmp_path, monkeypatch):
    """The variable comes first, then the path, then the usual places of the three systems."""
    place = tmp_path / "soffice"
    place.touch()
    monkeypatch.delenv(libreoffice.VARIABLE, raising=False)
    monkeypatch.setattr(libreoffice, "_USUAL", ("/no/such", str(place)))
    known = {}
    monkeypatch.setattr(libreoffice.shutil, "which", known.get)
    assert libreoffice.program() == str(place)
    known["soffice"] = "/path/soffice"
    assert libreoffice.program() == "/path/soffice"
    known["mine"] = "/mine"
    monkeypatch.setenv(libreoffice.VARIABLE, "mine")
    assert libreoffice.program() == "/mine"


def test_on_windows_the_whole_tree_of_ours_is_ended(monkeypatch):
    """On Windows the launcher's children are ended by the launcher's own process number."""
    ran = []
    monkeypatch.setattr(libreoffice.subprocess, "run", lambda command, **_: ran.append(command))
    monkeypatch.setattr(sys, "platform", "win32")
    libreoffice._end(types.SimpleNamespace(pid=77, wait=lambda: ran.append("waited")))
    assert ran == [["taskkill", "/T", "/F", "/PID", "77"], "waited"]


def test_engines_are_known_by_name():
    """Every name leads to its engine, and another name is refused with the list."""
    assert {second_engine(name).__module__.rpartition(".")[2] for name in engines.NAMES} == {
        *engines.NAMES
    }
    with pytest.raises(ValueError, match="there are libreoffice, excel"):
        second_engine("calc")


def test_a_file_that_is_no_workbook_is_refused(monkeypatch):
    """Content that is no workbook never reaches LibreOffice."""
    monkeypatch.setattr(libreoffice, "program", lambda: "soffice")
    monkeypatch.setattr(libreoffice, "_run", None)
    with pytest.raises(FileError):
        libreoffice.values(b"PK nothing", [("S", 1, 1)])
