"""The doctor on this machine, and on machines that are made up."""

import datetime as dt
import importlib.metadata
import json
import plistlib
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import pytest

from xltoken import doctor, machine
from xltoken.cli.doctor import lines
from xltoken.doctor import EXCEL, GROUPS, PACKAGES, PYTHON, Finding, examine, ready
from xltoken.hosts import addin
from xltoken.machine import System
from xltoken.recalc import libreoffice

XLWINGS = importlib.metadata.version("xlwings")
CLICK_TO_RUN = r"SOFTWARE\Microsoft\Office\ClickToRun\Configuration"
APP_PATHS = r"SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths\excel.exe"
INSTALL_ROOT = r"SOFTWARE\Microsoft\Office\{}\Excel\InstallRoot"


def add_package(site, name, version, *, requires=(), files=()):
    """Put a package's metadata into a folder."""
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    told = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    told += [f"Requires-Dist: {line}" for line in requires]
    (info / "METADATA").write_text("\n".join(told) + "\n")
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))


class Made:
    """A made-up machine whose parts a test may change before it is examined."""

    def __init__(self, root, platform):
        self.root, self.platform = root, platform
        self.site = root / "env" / "Lib" / "site-packages"
        self.python = root / "env" / "Scripts" / "python.exe"
        self.registry, self.absent, self.changes = {}, set(), {}

    def package(self, name):
        """Find a made-up package, else the real one, unless the test says that it is absent."""
        if name in self.absent:
            raise importlib.metadata.PackageNotFoundError(name)
        made = next(self.site.glob(f"{name}-*.dist-info"), None)
        if made is not None:  # asked of the folder itself: the finder keeps what it once saw
            return importlib.metadata.Distribution.at(made)
        return importlib.metadata.distribution(name)

    def system(self):
        """Return the machine as the doctor sees it."""
        given = {
            "platform": self.platform,
            "description": f"made-up {self.platform}",
            "executable": self.python,
            "prefix": str(self.root / "env"),
            "base_prefix": str(self.root / "base"),
            "environ": {"APPDATA": str(self.root / "Roaming"), "USERPROFILE": str(self.root)},
            "home": self.root,
            "root": self.root,
            "ansi": "cp1252",
            "today": dt.date(2026, 12, 1),
            "registry": lambda *key: self.registry.get(key),
            "package": self.package,
            "output": lambda command: "",
        }
        return System(**{**given, **self.changes})

    def find(self, part):
        """Return the finding on one part."""
        return next(f for f in examine(self.system()) if f.part == part)

    def parts(self):
        """Return the names of everything that was found in Excel's group."""
        return [f.part for f in examine(self.system()) if f.group == EXCEL]


@pytest.fixture(autouse=True)
def no_libreoffice(monkeypatch):
    """A made-up machine has the LibreOffice that its test gives it."""
    monkeypatch.setattr(libreoffice, "program", lambda: None)


@pytest.fixture
def windows(tmp_path):
    """A Windows with Microsoft 365 of 64 bits and everything in its place but the add-in."""
    made = Made(tmp_path, "win32")
    excel = tmp_path / "Office16" / "EXCEL.EXE"
    for file in (excel, made.python, made.python.parents[1] / f"xlwings64-{XLWINGS}.dll"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (made.site / "xlwings").mkdir(parents=True)
    module = f'Lib "xlwings64-{XLWINGS}.dll"\nLib "xlwings32-{XLWINGS}.dll"\n'
    (made.site / "xlwings" / "xlwings.bas").write_text(module)
    add_package(made.site, "xlwings", XLWINGS)
    add_package(made.site, "pywin32", "311")
    (tmp_path / "Roaming" / "Microsoft" / "Excel" / "XLSTART").mkdir(parents=True)
    made.registry = {
        ("HKLM", APP_PATHS, "", 64): f'"{excel}"',
        ("HKLM", INSTALL_ROOT.format("16.0"), "Path", 64): str(excel.parent),
        ("HKLM", CLICK_TO_RUN, "ProductReleaseIds", 64): "O365ProPlusRetail,VisioPro2019Retail",
        ("HKLM", CLICK_TO_RUN, "VersionToReport", 64): "16.0.17932.20114",
        ("HKLM", CLICK_TO_RUN, "Platform", 64): "x64",
    }
    return made


@pytest.fixture
def installed(windows, monkeypatch):
    """The same with the add-in installed."""
    records = [addin.Part("add-in", "ok", "xltoken.xlam"), addin.Part("settings", "ok", "conf")]
    monkeypatch.setattr(addin, "status", lambda place: records)
    return windows


@pytest.fixture
def mac(tmp_path):
    """A Mac with Excel."""
    made = Made(tmp_path, "darwin")
    write_plist(tmp_path / "Applications" / "Microsoft Excel.app" / "Contents", "16.89.1")
    return made


def write_plist(folder, version):
    """Write the Info.plist of an application."""
    folder.mkdir(parents=True, exist_ok=True)
    content = plistlib.dumps({"CFBundleShortVersionString": version})
    (folder / "Info.plist").write_bytes(content)


# --- the command ---------------------------------------------------------------------------------


def test_doctor_finds_nothing_missing(run):
    """On a complete installation nothing fails, and every part that is not ok has a next step."""
    code, out, _ = run("doctor", "--json")
    told = json.loads(out)
    assert code == 0
    assert {check["verdict"] for check in told["checks"]} <= {"ok", "optional", "old"}
    assert all(c["next_step"] for c in told["checks"] if c["verdict"] != "ok")
    assert told["ready"].startswith("recalc and templates: ready.")


def test_people_see_groups_in_100_columns(run):
    """The output for people has one heading a group, fits 100 columns and ends with what works."""
    out = run("doctor")[1]
    printed = out.splitlines()
    assert [line for line in printed if line in GROUPS] == list(GROUPS)
    assert max(map(len, printed)) <= 100
    assert printed[-1].startswith("recalc and templates: ready. Functions in Excel: ")


def test_a_missing_package_is_a_finding(run, monkeypatch):
    """A package that is needed and not there is named with what to do, and the exit code is 1."""
    monkeypatch.setattr(doctor, "PACKAGES", (("no-such-package", "nothing", ""),))
    code, out, _ = run("doctor")
    assert code == 1
    assert "do: pip install no-such-package" in out
    assert "recalc and templates: not yet (no-such-package)" in out


@pytest.mark.parametrize("name", ["formualizer", "defusedxml", "openpyxl", "xlwings", "numpy"])
def test_a_package_that_cannot_be_loaded_ends_no_examination(name):
    """Whatever cannot be imported, the doctor still answers, without a traceback."""
    code = f"import sys; sys.modules['{name}'] = None; sys.argv = ['xltoken', 'doctor']"
    code += "; from xltoken.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode in (0, 1), done.stderr) == (True, "")
    assert "Evidence" in done.stdout


def test_steps_stand_on_lines_of_their_own():
    """What is found is wrapped to 100 columns; each step is a line that can be copied whole."""
    finding = Finding(EXCEL, "part", "wrong", "word " * 40, "first --step, then second --step")
    shown = list(lines([finding]))
    assert shown[0] == EXCEL
    assert shown[1].startswith("  wrong     part                word word")
    assert [line.strip() for line in shown[-3:]] == ["do: first --step", "then: second --step", ""]
    assert max(map(len, shown)) <= 100


def test_no_step_of_ours_is_wider_than_the_output(windows):
    """Every next step that is known beforehand fits 100 columns."""
    windows.changes["executable"] = Path("C:/WindowsApps/python.exe")
    windows.changes["bits"] = 32
    windows.changes["today"] = dt.date(2050, 1, 1)
    windows.registry["HKLM", CLICK_TO_RUN, "ProductReleaseIds", 64] = "ProPlus2019Retail"
    steps = [x for x in lines(examine(windows.system())) if x.strip().startswith(("do:", "then:"))]
    assert len(steps) > 8
    assert max(map(len, steps)) <= 100


# --- this Python ---------------------------------------------------------------------------------


def test_every_package_of_ours_is_examined():
    """The packages that the project asks for, and those of its extras, are the ones examined."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]

    def names(wanted):
        return {doctor._plain(line.split(">")[0]) for line in wanted}

    known = {(doctor._plain(name), extra) for name, _, extra in PACKAGES}
    assert names(project["dependencies"]) == {name for name, extra in known if not extra}
    for extra, wanted in project["optional-dependencies"].items():
        if extra != "dev":
            assert {(name, extra) for name in names(wanted)} <= known


def test_python_is_described(windows):
    """Version, width, system, environment and path of Python are told."""
    found = windows.find("Python")
    assert found.verdict == "ok"
    assert "64-bit, made-up win32, a virtual environment" in found.found
    windows.changes["base_prefix"] = str(windows.root / "env")
    assert "no virtual environment" in windows.find("Python").found


def test_a_32_bit_python_is_old(windows):
    """A 32-bit Python works with what it has, and gets a next step."""
    windows.changes["bits"] = 32
    found = windows.find("Python")
    assert (found.verdict, found.failing) == ("old", False)
    assert "winget" in found.next_step


@pytest.mark.parametrize(
    ("version", "verdict"),
    [("0.12.9", "wrong"), ("0.13.0", "ok"), ("0.13", "ok"), ("0.13.5", "ok"), ("0.14.0", "wrong")],
)
def test_a_version_that_we_do_not_know_is_wrong(windows, version, verdict):
    """A package outside the versions that our metadata asks for is wrong; zeros do not count."""
    add_package(windows.site, "xltoken", "9", requires=["formualizer<0.14,>=0.13.0"])
    add_package(windows.site, "formualizer", version)
    found = windows.find("formualizer")
    assert found.verdict == verdict
    if verdict == "wrong":
        assert found.failing
        assert found.next_step == 'pip install "formualizer<0.14,>=0.13.0"'


def test_a_package_of_an_extra_is_optional(windows):
    """An extra that is absent is optional, and its install command names the extra."""
    windows.absent = {"pyOpenVBA"}
    found = windows.find("pyOpenVBA")
    assert (found.verdict, found.failing) == ("optional", False)
    assert found.next_step == 'pip install "xltoken[excel]"'


def test_an_old_package_of_an_extra_fails_nothing(windows):
    """An extra of a wrong version is told and fails nothing."""
    add_package(windows.site, "xltoken", "9", requires=['pyarrow>=15; extra == "parquet"'])
    add_package(windows.site, "pyarrow", "14.0.1")
    found = windows.find("pyarrow")
    assert (found.verdict, found.failing) == ("wrong", False)


def test_a_folder_that_was_never_installed_is_examined(windows):
    """Without metadata of our own nothing is asked of versions."""
    windows.absent = {"xltoken"}
    assert windows.find("numpy").verdict == "ok"


def test_the_engines_that_can_work_are_named(windows, monkeypatch):
    """Excel and LibreOffice count as engines where they are installed."""
    assert windows.find("engines").found == "formualizer, excel"
    monkeypatch.setattr(libreoffice, "program", lambda: "soffice")
    assert windows.find("engines").found == "formualizer, libreoffice, excel"
    windows.absent = {"xlwings"}
    assert windows.find("engines").found == "formualizer, libreoffice"


def test_an_engine_that_cannot_be_loaded_is_wrong(windows, monkeypatch):
    """An engine whose library does not load is a finding."""
    monkeypatch.setitem(sys.modules, "formualizer", None)
    found = windows.find("engines")
    assert found.failing
    assert found.next_step == "pip install --force-reinstall formualizer"


# --- Excel on Windows ----------------------------------------------------------------------------


def test_a_complete_windows_is_ready(installed):
    """Where everything stands in its place, everything of Excel is ok."""
    findings = [f for f in examine(installed.system()) if f.group == EXCEL]
    assert {f.verdict for f in findings} == {"ok"}
    assert [f.part for f in findings] == [
        "Excel", "spilled tables", "interpreter", "xlwings' library", "pywin32", "add-in",
        "settings", "XLSTART",
    ]  # fmt: skip
    assert "Functions in Excel: ready." in ready(examine(installed.system()))


def test_excel_is_described(windows):
    """Version, width and product of Excel are told, without products that bring none."""
    found = windows.find("Excel")
    assert found.found.startswith("16.0.17932.20114, 64-bit, O365ProPlusRetail, ")
    assert "Visio" not in found.found


def test_a_windows_without_excel(windows):
    """Without Excel nothing else of it is examined, and nothing fails."""
    windows.registry = {}
    assert windows.parts() == ["Excel"]
    found = windows.find("Excel")
    assert (found.verdict, found.found) == ("optional", "not installed")
    assert "Functions in Excel: not installed." in ready(examine(windows.system()))


def test_an_excel_that_was_removed_is_not_there(windows):
    """What the registry remembers of an Excel that is gone counts for nothing."""
    (windows.root / "Office16" / "EXCEL.EXE").unlink()
    assert windows.parts() == ["Excel"]


@pytest.mark.parametrize(
    ("products", "build", "verdict"),
    [
        ("O365ProPlusRetail", 12527, "ok"),
        ("O365ProPlusRetail", 12526, "old"),
        ("O365BusinessRetail", 17932, "ok"),
        ("HomeBusiness2021Retail", 14332, "ok"),
        ("ProPlus2024Volume", 17932, "ok"),
        ("Excel2021Volume", 14332, "ok"),
        ("ProPlus2019Retail", 17932, "old"),
        ("HomeBusinessRetail", 17932, "old"),
        ("ProPlus2019Volume,VisioPro2021Volume", 10396, "old"),
        ("ProPlus2019Retail,O365ProPlusRetail", 17932, "ok"),
    ],
)
def test_the_product_decides_whether_tables_spill(windows, products, build, verdict):
    """Microsoft 365 from 2020 on and Excel 2021 and later spill; Excel 2019 of any build does not."""
    windows.registry["HKLM", CLICK_TO_RUN, "ProductReleaseIds", 64] = products
    windows.registry["HKLM", CLICK_TO_RUN, "VersionToReport", 64] = f"16.0.{build}.20000"
    found = windows.find("spilled tables")
    assert (found.verdict, found.failing) == (verdict, False)
    assert ("Ctrl+Shift+Enter" in found.next_step) == (verdict == "old")


@pytest.mark.parametrize(("release", "bits"), [("16.0", 64), ("15.0", 32)])
def test_an_excel_of_an_msi_is_found(windows, release, bits):
    """An Excel without Click-to-Run is 2016 or older, and does not spill."""
    root = str(windows.root / "Office16")
    windows.registry = {("HKLM", INSTALL_ROOT.format(release), "Path", bits): root}
    assert windows.find("Excel").found.startswith(f"{release}, {bits}-bit, ")
    assert windows.find("spilled tables").verdict == "old"


def test_an_excel_that_only_windows_knows(windows):
    """An Excel without version in the registry is ok; whether it spills is to be tried."""
    path = str(windows.root / "Office16" / "EXCEL.EXE")
    windows.registry = {("HKCU", APP_PATHS, "", 64): path}
    assert windows.find("Excel").found == f"version not registered, {path}"
    found = windows.find("spilled tables")
    assert (found.verdict, found.needed) == ("optional", False)
    assert "=SEQUENCE(3)" in found.next_step


@pytest.mark.parametrize("needed", ["numpy", "pyOpenVBA"])
def test_a_package_that_cannot_be_loaded_is_wrong(windows, needed):
    """Installed is not enough: half a package, or one for another system, is told with its reason."""
    module = needed.lower()
    windows.changes["loading"] = lambda name: "DLL load failed" if name == module else ""
    found = windows.find(needed)
    assert found.verdict == "wrong"
    assert "cannot be loaded: DLL load failed" in found.found
    assert found.next_step == f"pip install --force-reinstall {needed}"
    assert found.failing == (needed == "numpy")


def test_a_32_bit_excel_asks_for_the_32_bit_library(windows):
    """The library is looked for in the width of Excel, not of Python."""
    windows.registry["HKLM", CLICK_TO_RUN, "Platform", 64] = "x86"
    found = windows.find("xlwings' library")
    assert found.verdict == "missing"
    assert f"xlwings32-{XLWINGS}.dll is neither in" in found.found
    windows.python.with_name(f"xlwings32-{XLWINGS}.dll").touch()
    assert windows.find("xlwings' library").verdict == "ok"


def test_the_library_of_another_environment_is_wrong(windows):
    """A library that pip put where Excel's VBA does not look is wrong: a new environment helps."""
    name = f"xlwings64-{XLWINGS}.dll"
    (windows.root / "env" / name).unlink()
    assert windows.find("xlwings' library").verdict == "missing"
    add_package(windows.site, "xlwings", XLWINGS, files=[f"../../../elsewhere/{name}"])
    found = windows.find("xlwings' library")
    assert found.verdict == "wrong"
    assert found.next_step.startswith("py -3 -m venv")


def test_a_vba_module_of_another_version_is_wrong(windows):
    """The VBA module of xlwings and its package are of one version."""
    (windows.site / "xlwings" / "xlwings.bas").write_text('Lib "xlwings64-0.1.2.dll"')
    found = windows.find("xlwings' library")
    assert found.verdict == "wrong"
    assert "0.1.2" in found.found


@pytest.mark.parametrize("text", [None, "' nothing"])
def test_a_vba_module_that_is_not_there_is_wrong(windows, text):
    """An xlwings without its VBA module, or with one that names no library, is wrong."""
    module = windows.site / "xlwings" / "xlwings.bas"
    module.unlink()
    if text:
        module.write_text(text)
    assert windows.find("xlwings' library").failing


def test_the_installed_xlwings_names_a_library():
    """The VBA module of the xlwings that is installed here names libraries of its own version."""
    package = importlib.metadata.distribution("xlwings")
    module = Path(package.locate_file("xlwings/xlwings.bas")).read_text(encoding="utf-8")
    assert all(f"xlwings{bits}-{package.version}.dll" in module for bits in (32, 64))


def test_without_pywin32_excel_cannot_be_reached(windows):
    """pywin32 is needed on Windows."""
    windows.absent = {"pywin32"}
    found = windows.find("pywin32")
    assert found.failing
    assert found.next_step == "pip install pywin32"


def test_without_xlwings_nothing_of_it_is_examined(windows):
    """A missing xlwings is one finding, not several."""
    windows.absent = {"xlwings"}
    found = windows.find("xlwings")
    assert (found.group, found.verdict) == (PYTHON, "missing")


@pytest.mark.parametrize("field", ["executable", "base_prefix"])
def test_the_python_of_the_store_is_wrong(windows, field):
    """What the Store's Python writes is hidden from Excel; an environment of it is no better."""
    store = r"C:\Program Files\WindowsApps\PythonSoftwareFoundation.Python.3.12\python.exe"
    windows.changes[field] = Path(store)
    found = windows.find("interpreter")
    assert found.failing
    assert found.next_step.startswith("winget install Python.Python.3.12, then py -3.12 -m venv")


@pytest.mark.parametrize(
    ("folder", "verdict"), [("Müller", "ok"), ("Łukasz", "wrong"), ("東京", "wrong")]
)
def test_a_path_outside_the_code_page_is_wrong(windows, folder, verdict):
    """A path with letters that the code page of Windows lacks cannot be read by VBA."""
    windows.changes["executable"] = windows.root / folder / "python.exe"
    found = windows.find("interpreter")
    assert found.verdict == verdict
    if verdict == "wrong":
        assert repr(folder[0])[1:-1] in found.found
        assert r"C:\xltoken" in found.next_step


def test_an_add_in_that_was_never_installed_is_optional(windows):
    """Who did not install the add-in misses nothing, and is told how to."""
    for part in ("add-in", "settings"):
        found = windows.find(part)
        assert (found.verdict, found.next_step) == ("optional", "xltoken addin install")
    told = ready(examine(windows.system()))
    assert "Functions in Excel: not yet (add-in; next: xltoken addin install)" in told


@pytest.mark.parametrize(("state", "failing"), [("old", False), ("wrong", True), ("missing", True)])
def test_an_add_in_that_does_not_fit_is_told(windows, monkeypatch, state, failing):
    """Once it is installed, every part of the add-in counts as its own status says."""
    records = [
        addin.Part("add-in", "ok", "there"),
        addin.Part("settings", state, "what is there", "xltoken addin install"),
        addin.Part("xlwings' library", "missing", "told already", "nothing"),
    ]
    monkeypatch.setattr(addin, "status", lambda place: records)
    found = windows.find("settings")
    assert (found.verdict, found.failing) == (state, failing)
    assert windows.parts().count("xlwings' library") == 1
    assert "not yet (settings; next: xltoken addin install)" in ready(examine(windows.system()))


def test_an_add_in_that_cannot_be_read_is_wrong(windows, monkeypatch):
    """A failure while the add-in is looked at is a finding, not a traceback."""

    def locked(place):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(addin, "status", locked)
    found = windows.find("add-in")
    assert found.failing
    assert "Permission denied" in found.found


def test_a_user_without_folders_is_told(windows):
    """Without APPDATA nobody knows where Excel looks."""
    windows.changes["environ"] = {}
    assert windows.find("add-in").failing
    assert windows.find("XLSTART").verdict == "optional"


def test_an_add_in_module_that_cannot_be_loaded_is_optional(windows, monkeypatch):
    """What the add-in needs may be absent."""
    monkeypatch.setitem(sys.modules, "xltoken.hosts.addin", None)
    monkeypatch.delattr("xltoken.hosts.addin")
    found = windows.find("add-in")
    assert (found.verdict, found.next_step) == ("optional", 'pip install "xltoken[excel]"')


def test_what_excel_opens_at_its_start_is_listed(windows):
    """Files in XLSTART are named; a folder that is not there is optional."""
    folder = windows.root / "Roaming" / "Microsoft" / "Excel" / "XLSTART"
    assert windows.find("XLSTART").found == f"{folder}; empty"
    (folder / "PERSONAL.XLSB").touch()
    assert windows.find("XLSTART").found == f"{folder}; Excel opens: PERSONAL.XLSB"
    (folder / "PERSONAL.XLSB").unlink()
    folder.rmdir()
    found = windows.find("XLSTART")
    assert (found.verdict, found.next_step) == ("optional", "xltoken addin install")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ('"UDF MODULES","x"\n', "ok"),
        ('"Interpreter","pythonw"\n', "ok"),
        ('"INTERPRETER_WIN","%USERPROFILE%/env/Scripts/python.exe"\n', "ok"),
        ('"INTERPRETER_WIN","%NOWHERE%/python.exe"\n', "wrong"),
        ('"INTERPRETER","C:\\gone\\python.exe"\n', "wrong"),
        ('"INTERPRETER","bad\0path"\n', "wrong"),
        (f'"INTERPRETER","{"long" * 2000}"\n', "wrong"),
    ],
)
def test_a_users_own_configuration_is_read(windows, text, verdict):
    """An interpreter that the user's own xlwings.conf names is looked for; ours does not need it."""
    file = windows.root / ".xlwings" / "xlwings.conf"
    file.parent.mkdir()
    file.write_text(text)
    found = windows.find("your xlwings.conf")
    assert (found.verdict, found.failing) == (verdict, False)
    assert found.next_step == ("" if verdict == "ok" else f'notepad "{file}"')


# --- other systems -------------------------------------------------------------------------------


def test_a_mac_has_excel_without_classic_functions(mac):
    """On a Mac Excel is found by its bundle, and functions are a matter of xlwings Lite."""
    assert mac.parts() == ["Excel", "spilled tables", "functions"]
    assert mac.find("Excel").found.startswith("16.89.1, 64-bit, ")
    assert mac.find("spilled tables").verdict == "optional"
    assert mac.find("functions").next_step == "xltoken new token_budget --host lite"
    assert "next: xltoken new token_budget --host lite" in ready(examine(mac.system()))


def test_an_old_excel_for_mac_does_not_spill(mac):
    """Excel 2011 for Mac does not spill."""
    write_plist(mac.root / "Applications" / "Microsoft Excel.app" / "Contents", "14.7.7")
    assert mac.find("spilled tables").verdict == "old"


@pytest.mark.parametrize("content", [b"", b"<plist>", b"bplist00", plistlib.dumps({}), b"<?xml"])
def test_a_bundle_that_cannot_be_read_is_no_excel(mac, content):
    """A broken Info.plist means no Excel, not a traceback."""
    app = mac.root / "Applications" / "Microsoft Excel.app"
    (app / "Contents" / "Info.plist").write_bytes(content)
    assert mac.parts() == ["Excel"]
    assert mac.find("Excel").found == "not installed"


def test_linux_has_no_excel(tmp_path):
    """On other systems Excel is optional, and what needs none is named."""
    found = Made(tmp_path, "linux").find("Excel")
    assert (found.verdict, found.found) == ("optional", "not on this system")
    assert found.next_step == "xltoken demo"


# --- LibreOffice ---------------------------------------------------------------------------------


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
@pytest.mark.parametrize(
    ("version", "verdict"),
    [("7.4.7.2", "ok"), ("25.2.3.2", "ok"), ("7.3.9", "old"), ("7.4", "ok"), ("", "wrong")],
)
def test_libreoffice_tells_its_version(tmp_path, monkeypatch, platform, version, verdict):
    """The version is read from files on Windows and the Mac, asked for elsewhere; old below 7.4."""
    made = Made(tmp_path, platform)
    program = tmp_path / "MacOS" / "soffice"
    program.parent.mkdir()
    monkeypatch.setattr(libreoffice, "program", lambda: str(program))
    if platform == "linux":
        made.changes["output"] = lambda command: f"LibreOffice {version} 40(Build:2)\n"
    elif platform == "darwin" and version:
        write_plist(tmp_path, version)
    elif platform == "win32":
        program.with_name("version.ini").write_text(f"[Version]\nMsiProductVersion={version}\n")
    found = made.find("LibreOffice")
    assert (found.verdict, found.failing) == (verdict, False)
    assert bool(found.next_step) == (verdict != "ok")
    assert ready([found]).endswith(
        f"LibreOffice: {'ready' if verdict == 'ok' else 'not as it is'}."
    )


def test_libreoffice_on_windows_is_never_started(tmp_path, monkeypatch):
    """Asking LibreOffice for its version may never end on Windows: its file is read instead."""
    made = Made(tmp_path, "win32")
    made.changes["output"] = lambda command: pytest.fail("started")
    monkeypatch.setattr(libreoffice, "program", lambda: str(tmp_path / "soffice.exe"))
    assert made.find("LibreOffice").verdict == "wrong"


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_without_libreoffice_its_installation_is_named(tmp_path, platform):
    """LibreOffice is optional, and each system has a command that installs it."""
    found = Made(tmp_path, platform).find("LibreOffice")
    assert (found.verdict, found.failing) == ("optional", False)
    assert {"linux": "apt", "darwin": "brew", "win32": "winget"}[platform] in found.next_step


def test_an_engine_that_lacks_a_package_is_not_there(tmp_path, monkeypatch):
    """Where a package is missing that our LibreOffice engine needs, there is no such engine."""
    import xltoken.recalc

    monkeypatch.setitem(sys.modules, "xltoken.recalc.libreoffice", None)
    monkeypatch.delattr(xltoken.recalc, "libreoffice", raising=False)
    assert Made(tmp_path, "linux").find("LibreOffice").verdict == "optional"


def test_a_named_libreoffice_that_is_not_there_is_wrong(tmp_path):
    """XLTOKEN_SOFFICE that names no program is told."""
    made = Made(tmp_path, "linux")
    made.changes["environ"] = {"XLTOKEN_SOFFICE": "/no/soffice"}
    found = made.find("LibreOffice")
    assert (found.verdict, found.failing) == ("wrong", False)
    assert "/no/soffice" in found.found


# --- evidence ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "verdict", "age"),
    [
        (0, "ok", "today's"),
        (1, "ok", "1 day old"),
        (180, "ok", "180 days old"),
        (181, "old", "181 days old"),
    ],
)
def test_a_catalog_grows_old(windows, days, verdict, age):
    """More than 180 days after its date the catalog is old, which fails nothing."""
    from xltoken.catalog.store import current

    catalog = current()
    windows.changes["today"] = catalog.date + dt.timedelta(days=days)
    found = windows.find("catalog")
    assert (found.verdict, found.failing) == (verdict, False)
    assert found.found == f"{catalog.date}, {age}, fingerprint {catalog.fingerprint}"
    assert ("pip install --upgrade xltoken" in found.next_step) == (verdict == "old")


def test_rows_of_a_user_are_told(windows, monkeypatch, tmp_path):
    """A folder laid over the catalog is named."""
    (tmp_path / "mine").mkdir()
    assert windows.find("your own rows").found == "none"
    monkeypatch.setenv("XLTOKEN_CATALOG", str(tmp_path / "mine"))
    assert windows.find("your own rows").found == f"{tmp_path / 'mine'} lies over it"


def test_a_catalog_that_cannot_be_used_is_wrong(run, tmp_path):
    """A folder that is no catalog is a finding with the command that explains it."""
    code, out, err = run("doctor", "--json", "--catalog", tmp_path / "none")
    told = json.loads(out)
    found = next(check for check in told["checks"] if check["part"] == "catalog")
    assert (code, found["verdict"], err) == (1, "wrong", "")
    assert found["next_step"] == f'xltoken catalog validate "{tmp_path / "none"}"'
    assert told["ready"].startswith("recalc and templates: not yet (catalog).")


def test_a_broken_shipped_catalog_is_installed_anew(windows, monkeypatch):
    """Shipped files that cannot be read are not the user's to mend."""
    from xltoken.catalog import store
    from xltoken.catalog.records import Problem

    def broken():
        raise store.CatalogError([Problem("rates.csv", 2, "", "is broken.")])

    monkeypatch.setattr(store, "current", broken)
    assert windows.find("catalog").next_step == "pip install --force-reinstall xltoken"


# --- how the machine is read ---------------------------------------------------------------------


def test_the_registry_is_read_in_both_views(monkeypatch):
    """A value is read in the view that is asked for; what is not there, or closed, is None."""
    values = {("machine", "key", 256): "64 bits", ("user", "key", 512): 32}

    class Opened:
        def __init__(self, root, key, reserved, access):
            if key == "closed":
                raise PermissionError
            self.at = (root, key, access - 1)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    def query(opened, name):
        if opened.at not in values:
            raise FileNotFoundError(name)
        return values[opened.at], 1

    winreg = types.SimpleNamespace(
        HKEY_LOCAL_MACHINE="machine", HKEY_CURRENT_USER="user", KEY_READ=1,
        KEY_WOW64_64KEY=256, KEY_WOW64_32KEY=512, OpenKey=Opened, QueryValueEx=query,
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "winreg", winreg)
    assert machine._registry("HKLM", "key", "", 64) == "64 bits"
    assert machine._registry("HKLM", "key", "", 32) is None
    assert machine._registry("HKCU", "key", "", 32) == "32"
    assert machine._registry("HKLM", "closed", "", 64) is None


def test_a_program_that_does_not_run_says_nothing(tmp_path):
    """A program that is not there, or is none, prints nothing and raises nothing."""
    assert machine._output([str(tmp_path / "none"), "--version"]) == ""
    (tmp_path / "text").write_text("text")
    assert machine._output([str(tmp_path / "text")]) == ""
    assert (
        machine._output([sys.executable, "-c", "print('LibreOffice 1.2')"]) == "LibreOffice 1.2\n"
    )


def test_every_verdict_but_ok_has_a_next_step():
    """A finding that leaves its reader without a next step cannot be made."""
    with pytest.raises(AssertionError):
        Finding(PYTHON, "part", "missing", "nothing")
