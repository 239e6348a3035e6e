"""The commands of the add-in, and workbooks made for a host."""

import json
import zipfile
from pathlib import Path

import pytest

from xltoken.hosts import addin
from xltoken.templates import TEMPLATES


@pytest.fixture
def windows(monkeypatch, tmp_path):
    """A user of Windows, as far as the commands ask."""
    place = addin.Profile(
        tmp_path / "XLSTART", tmp_path / ".xltoken", tmp_path / "venv" / "Scripts" / "python.exe"
    )
    place.interpreter.parent.mkdir(parents=True)
    place.interpreter.with_name(f"xlwings64-{addin._xlwings_version()}.dll").touch()
    monkeypatch.setattr(addin, "profile", lambda: place)
    return place


def test_install_status_uninstall(run, windows):
    """The three commands on one profile: done, well, gone; each says what it did."""
    code, out, _ = run("addin", "install")
    assert (code, "Start Excel anew" in out) == (0, True)
    code, out, _ = run("addin", "status", "--json")
    assert code == 0
    assert {part["state"] for part in json.loads(out)["parts"]} == {"ok"}
    code, out, _ = run("addin", "uninstall")
    assert (code, "removed:" in out) == (0, True)
    assert not windows.startup.exists()
    code, out, _ = run("addin", "uninstall")
    assert (code, "nothing to remove" in out) == (0, True)
    code, out, _ = run("addin", "status")
    assert code == 1
    assert "xltoken addin install" in out


@pytest.mark.skipif("sys.platform == 'win32'", reason="there the add-in can be installed")
@pytest.mark.parametrize("command", ["install", "uninstall", "status"])
def test_elsewhere_a_clear_word(run, command):
    """On other systems one line says what to use instead; a part is missing, exit code 3."""
    code, _, err = run("addin", command)
    assert code == 3
    assert err.count("\n") == 1
    assert "Excel for Windows only" in err


def test_build_anywhere(run):
    """The add-in is written on any system, twice the same."""
    for name in ("a.xlam", "b.xlam"):
        code, out, _ = run("addin", "build", "-o", name, "--json")
        assert code == 0
        assert json.loads(out)["files"][0]["file"] == name
    assert Path("a.xlam").read_bytes() == Path("b.xlam").read_bytes()
    assert Path("a.intellisense.xml").is_file()


def test_without_the_extra_a_clear_word(run, monkeypatch):
    """Where the package that writes VBA is missing, the message names the extra that brings it."""
    monkeypatch.setitem(__import__("sys").modules, "pyopenvba", None)
    for words in (("addin", "build"), ("new", "token_budget", "--host", "excel")):
        code, _, err = run(*words)
        assert code == 3
        assert 'pip install "xltoken[excel]"' in err
    assert not any(Path().iterdir())


def test_new_names_every_template(run):
    """The help of `new` lists the templates that there are."""
    _, out, _ = run("new", "--help")
    assert f"Name of a template: {', '.join(TEMPLATES)}." in " ".join(out.split())


def test_new_for_excel(run):
    """For Excel a workbook carries the functions, unless it is called .xlsx."""
    assert run("new", "token_budget", "--host", "excel")[0] == 0
    assert "xl/vbaProject.bin" in zipfile.ZipFile("token_budget.xlsm").namelist()
    assert run("new", "token_budget", "--host", "excel", "-o", "b.xlsx")[0] == 0
    assert "xl/vbaProject.bin" not in zipfile.ZipFile("b.xlsx").namelist()


def test_new_for_libreoffice_and_the_default_are_plain(run):
    """LibreOffice gets plain names in an .xlsx: what is made without naming a host."""
    assert run("new", "token_budget", "--host", "libreoffice", "-o", "a.xlsx")[0] == 0
    assert run("new", "token_budget", "-o", "b.xlsx")[0] == 0
    assert Path("a.xlsx").read_bytes() == Path("b.xlsx").read_bytes()


def test_new_for_lite(run):
    """The host lite gets its own spelling in every formula that calls us."""
    assert run("new", "token_budget", "--host", "lite", "-o", "a.xlsx")[0] == 0
    xml = zipfile.ZipFile("a.xlsx").read("xl/worksheets/sheet3.xml").decode()
    assert xml.count("TOKEN_COST(") == xml.count("_xldudf_TOKEN_COST(") > 100


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--host", "word"), "there is no host 'word'; there are: excel, lite, libreoffice"),
        (("-o", "b.xlsm"), "--host excel makes an .xlsm"),
        (("--host", "lite", "-o", "b.xlsm"), "is to be called .xlsx here"),
        (("--host", "excel", "-o", "b.xls"), "is to be called .xlsx or .xlsm here"),
    ],
)
def test_wrong_hosts_and_names(run, words, said):
    """A host that is none, or a name that the host's workbooks do not have, is refused."""
    code, _, err = run("new", "token_budget", *words)
    assert code in (2, 4)
    assert said in err
    assert not any(Path().iterdir())
