"""The add-in and the workbook with macros: what is in them, and that others open them."""

import io
import re
import subprocess
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from oletools.olevba import VBA_Parser
from openpyxl import Workbook, load_workbook
from pyopenvba import ExcelFile, PyOpenVBAError, check_file
from pyopenvba.cfb import CFB

import xltoken
from xltoken.files import FileError
from xltoken.hosts import intellisense, project, vba
from xltoken.recalc.libreoffice import program
from xltoken.templates import TEMPLATES, new

SUMMARIES = {t.name: t.summary for t in TEMPLATES.values()}
ALLOWED_TO_RUN = {"Workbook_Open"}
"""Events that our code answers by itself; a reviewer of macros sees these and no other."""


@pytest.fixture(scope="module")
def add_in():
    """The add-in's bytes."""
    return project.add_in(SUMMARIES)


@pytest.fixture(scope="module")
def budget(tmp_path_factory):
    """A budget that carries the functions, and the same budget without."""
    folder = tmp_path_factory.mktemp("budget")
    new("token_budget", folder / "b.xlsm", host="excel")
    new("token_budget", folder / "b.xlsx", host="excel")
    return folder / "b.xlsm", folder / "b.xlsx"


def parts(content):
    """Every part by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def modules_of(name, content):
    """Modules of a VBA project as olevba reads them, and what it says of them."""
    parser = VBA_Parser(name, data=content)
    try:
        code = {
            m[2].removesuffix(".bas").removesuffix(".cls"): m[3] for m in parser.extract_macros()
        }
        return code, parser.analyze_macros()
    finally:
        parser.close()


def test_the_same_bytes_each_time(add_in, budget):
    """The same versions give the same add-in and the same workbook, whenever and wherever."""
    assert project.add_in(SUMMARIES) == add_in
    xlsm, xlsx = budget
    assert project.with_wrapper(xlsx.read_bytes()) == xlsm.read_bytes()


def test_nothing_of_a_person_or_a_time_is_inside(add_in):
    """The properties name xltoken, no author of a template and no date."""
    core = parts(add_in)["docProps/core.xml"].decode()
    assert f"xltoken {xltoken.__version__}" in core
    assert "lastModifiedBy" not in core
    assert "created" not in core
    with zipfile.ZipFile(io.BytesIO(add_in)) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        # Otherwise Windows and Linux would write different bytes.
        assert len({info.create_system for info in archive.infolist()}) == 1


@pytest.mark.parametrize("kind", ["add-in", "workbook"])
def test_olevba_reads_our_modules(add_in, budget, kind):
    """An independent reader finds each module with the text that was written."""
    content = add_in if kind == "add-in" else budget[0].read_bytes()
    code, found = modules_of("x.xlam" if kind == "add-in" else "x.xlsm", content)
    expected = vba.modules(with_ribbon=kind == "add-in")
    for module in expected:
        read = re.sub(r"^(Attribute [^\n]*\n)+", "", code[module.name].replace("\r\n", "\n"))
        assert read.strip() == module.code.replace("\r\n", "\n").strip(), module.name
    sheets = {name for name in code if re.fullmatch(r"Sheet\d+", name)}
    assert set(code) - sheets == {module.name for module in expected}
    runs = {keyword for kind_, keyword, _ in found if kind_ == "AutoExec"}
    assert runs <= ALLOWED_TO_RUN


@pytest.mark.parametrize("kind", ["add-in", "workbook"])
def test_the_project_is_sound(add_in, budget, tmp_path, kind):
    """The library that wrote it finds no fault in the package or the project."""
    path = tmp_path / ("x.xlam" if kind == "add-in" else "x.xlsm")
    path.write_bytes(add_in if kind == "add-in" else budget[0].read_bytes())
    report = check_file(path)
    assert report.complete
    assert not report.issues
    with ExcelFile(path) as book:
        assert book.validate() == []


@pytest.mark.parametrize("kind", ["add-in", "workbook"])
def test_no_compiled_code_is_claimed(add_in, budget, kind):
    """Excel compiles the text: there is no cache of compiled code that it might take instead."""
    found = parts(add_in if kind == "add-in" else budget[0].read_bytes())
    compound = CFB.from_bytes(found["xl/vbaProject.bin"])
    cache = compound.get_stream_in_storage("VBA", "_VBA_PROJECT")
    assert cache == b"\xcc\x61\xff\xff\x00\x00\x00"


@pytest.mark.parametrize("kind", ["add-in", "workbook"])
def test_every_relation_leads_to_a_part(add_in, budget, kind):
    """Each relationship has its own id and a target that is there; each part has a content type."""
    found = parts(add_in if kind == "add-in" else budget[0].read_bytes())
    types = found["[Content_Types].xml"].decode()
    for name, data in found.items():
        if name.endswith(".rels"):
            folder = Path(name).parent.parent
            ids = []
            for relation in ET.fromstring(data):
                target = relation.get("Target")
                place = target[1:] if target.startswith("/") else (folder / target).as_posix()
                place = re.sub(r"[^/]+/\.\./", "", place)
                assert place in found, (name, target)
                ids.append(relation.get("Id"))
            assert len(ids) == len(set(ids))
        elif name != "[Content_Types].xml":
            extension = name.rpartition(".")[2]
            assert f'PartName="/{name}"' in types or f'Extension="{extension}"' in types


def test_help_while_typing_travels_as_a_custom_part(add_in, budget):
    """Both carry the texts for IntelliSense, related from the workbook; no sheet is added."""
    for content in (add_in, budget[0].read_bytes()):
        found = parts(content)
        assert found["customXml/item1.xml"] == intellisense.part()
        assert b"customXml/item1.xml" in found["xl/_rels/workbook.xml.rels"]
        assert intellisense.NAMESPACE.encode() in found["customXml/itemProps1.xml"]
        assert b"_IntelliSense_" not in found["xl/workbook.xml"]


def test_the_ribbon_is_the_add_ins_alone(add_in, budget):
    """The add-in has the tab; a workbook that carries the functions changes no ribbon."""
    assert b"customUI/customUI14.xml" in parts(add_in)["_rels/.rels"]
    assert "customUI" not in " ".join(parts(budget[0].read_bytes()))
    for name in TEMPLATES:
        assert name.encode() in parts(add_in)["customUI/customUI14.xml"]


def test_the_wrapper_changes_no_value_and_no_formula(budget):
    """Sheets of the .xlsm are those of the .xlsx, but for the code names that VBA wants."""
    xlsm, xlsx = (parts(path.read_bytes()) for path in budget)
    for name, data in xlsx.items():
        if name.startswith("xl/worksheets/sheet"):
            assert re.sub(rb' ?codeName="[^"]*"', b"", xlsm[name]) == re.sub(
                rb' ?codeName="[^"]*"', b"", data
            )
        elif name not in ("[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
            assert xlsm[name] == data, name


def test_openpyxl_opens_the_workbook_with_its_values(budget):
    """The project is seen by openpyxl, with every sheet and every saved value."""
    assert load_workbook(budget[0], keep_vba=True).vba_archive is not None
    ours, plain = (load_workbook(path, data_only=True) for path in budget)
    assert ours.sheetnames == plain.sheetnames
    for sheet in plain:
        assert list(ours[sheet.title].values) == list(sheet.values)


def test_a_recalculation_keeps_the_wrapper(budget, run, tmp_path):
    """``recalc`` computes a workbook with macros and leaves its project byte for byte."""
    code, _, err = run("recalc", budget[0], "-o", tmp_path / "out.xlsm", "--set", "utilization=0.4")
    assert code == 0, err
    before, after = parts(budget[0].read_bytes()), parts((tmp_path / "out.xlsm").read_bytes())
    assert after["xl/vbaProject.bin"] == before["xl/vbaProject.bin"]
    assert after["xl/worksheets/sheet3.xml"] != before["xl/worksheets/sheet3.xml"]


def edited(workbook, folder, change):
    """A workbook with macros after a change to its VBA project."""
    path = folder / "edited.xlsm"
    path.write_bytes(workbook)
    with ExcelFile(path) as book:
        change(book.vba_project())
        book.save()
    return path.read_bytes()


def test_functions_of_today_are_left_as_they_are(budget):
    """Where a workbook carries these very functions, the very same bytes come back."""
    workbook = budget[0].read_bytes()
    assert project.with_wrapper(workbook) is workbook


def test_older_functions_inside_are_renewed(budget, tmp_path):
    """An earlier wrapper gives way to this one; macros of the user and every sheet stay."""
    workbook = budget[0].read_bytes()

    def age(vba_project):
        vba_project.get_module("xltoken_runtime").body = "' of an earlier version"
        vba_project.add_module("Mine", "Public Sub Mine()\r\nEnd Sub\r\n")

    older = edited(workbook, tmp_path, age)
    renewed = project.with_wrapper(older)
    code, _ = modules_of("b.xlsm", renewed)
    assert "Public Function XltAsk" in code["xltoken_runtime"]
    assert "Public Sub Mine()" in code["Mine"]
    before, after = parts(older), parts(renewed)
    assert [n for n in before if before[n] != after[n]] == ["xl/vbaProject.bin"]


def test_what_excel_rewrites_in_a_module_is_no_change(budget, tmp_path):
    """Saving, Excel changes the case of names and the space between words: still today's."""

    def rewrite(vba_project):
        for name in ("ThisWorkbook", "xltoken_runtime"):
            module = vba_project.get_module(name)
            module.body = module.body.replace("fname", "FName").replace("Wb", "wb") + "\r\n"

    saved = edited(budget[0].read_bytes(), tmp_path, rewrite)
    assert project.with_wrapper(saved) is saved


def test_a_workbook_that_cannot_be_given_macros_is_refused(budget, monkeypatch):
    """What the library that writes VBA refuses ends in one line."""

    def refuses(*_):
        raise PyOpenVBAError("not measured")

    monkeypatch.setattr(project, "_with_modules", refuses)
    with pytest.raises(FileError, match=r"cannot be put inside \(not measured\)"):
        project.with_wrapper(budget[1].read_bytes())


def named(folder, name):
    """A plain workbook whose own module has this name."""
    book = Workbook()
    book.code_name = name
    book.save(folder / "a.xlsx")
    return (folder / "a.xlsx").read_bytes()


def test_the_workbooks_own_module_has_its_own_name(tmp_path):
    """In other languages it is called otherwise: the events go there, into a module of the book."""
    carrying = project.with_wrapper(named(tmp_path, "DieseArbeitsmappe"))
    code, _ = modules_of("a.xlsm", carrying)
    assert "Workbook_Open" in code["DieseArbeitsmappe"]
    assert "ThisWorkbook" not in code
    assert project.with_wrapper(carrying) is carrying


def test_a_workbook_without_a_module_of_its_own_is_refused(tmp_path):
    """Where none can be made for its name, there is no place for the events."""
    with pytest.raises(FileError, match="code name thisworkbook"):
        project.with_wrapper(named(tmp_path, "thisworkbook"))


def test_a_sheet_called_like_a_module_of_ours_is_refused(tmp_path):
    """Its module would have to be two things."""
    book = Workbook()
    book.active.sheet_properties.codeName = "xlwings"
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(FileError, match="called like one of ours"):
        project.with_wrapper((tmp_path / "a.xlsx").read_bytes())


def test_code_of_a_user_beside_ours_is_not_lost(budget, tmp_path):
    """Where somebody changed our ThisWorkbook and the rest is older, nothing is renewed silently."""

    def change(vba_project):
        vba_project.get_module("xltoken_runtime").body = "' of an earlier version"
        vba_project.get_module("ThisWorkbook").body = "' of the user"

    with pytest.raises(FileError, match="ThisWorkbook is not the one that was made"):
        project.with_wrapper(edited(budget[0].read_bytes(), tmp_path, change))


def test_macros_of_others_are_left_alone(tmp_path):
    """A workbook that has only macros of its own is returned as it is."""
    with ExcelFile.create_new(tmp_path / "own.xlsm") as book:
        book.vba_project().add_module("Mine", "Public Sub Mine()\r\nEnd Sub\r\n")
        book.save()
    own = (tmp_path / "own.xlsm").read_bytes()
    assert project.with_wrapper(own) is own


def test_a_workbook_that_lost_its_macros_gets_them_again(budget):
    """Saved as .xlsx, Excel keeps the help's part; it is used again, and not there twice."""
    xlsm, xlsx = (path.read_bytes() for path in budget)
    kept = project._with_parts(xlsx, project._help_parts(xlsx), {})
    found = parts(project.with_wrapper(kept))
    assert sorted(n for n in found if n.startswith("customXml/item")) == sorted(
        n for n in parts(xlsm) if n.startswith("customXml/item")
    )
    assert "xl/vbaProject.bin" in found


@pytest.mark.slow
@pytest.mark.skipif(not program(), reason="needs LibreOffice")
def test_libreoffice_opens_the_workbook_with_its_values(budget, tmp_path):
    """LibreOffice reads the .xlsm and shows the values that were saved."""
    shown, every_sheet = {}, "44,34,76,1,,0,false,true,false,false,false,-1"
    for path in budget:
        folder = tmp_path / path.suffix[1:]
        subprocess.run(
            [program(), f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless",
             "--convert-to", f"csv:Text - txt - csv (StarCalc):{every_sheet}",
             "--outdir", folder, path],
            check=True, capture_output=True, timeout=180,
        )  # fmt: skip
        shown[path.suffix] = {f.name.partition("-")[2]: f.read_text() for f in folder.iterdir()}
    assert shown[".xlsm"] == shown[".xlsx"]
    assert len(shown[".xlsm"]) == len(load_workbook(budget[1]).sheetnames)
    assert not any("#NAME?" in text or "Err:" in text for text in shown[".xlsm"].values())
