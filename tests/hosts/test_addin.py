"""The add-in on a made-up Windows: installed, looked at, and undone without a trace."""

import csv
import os
from pathlib import Path

import pytest

import xltoken
from xltoken.files import FileError
from xltoken.hosts import addin, intellisense
from xltoken.machine import PartMissing

TEMPLATES = {"token_budget": "A budget."}
OWN_SETTINGS = b'"INTERPRETER_WIN","C:\\other\\python.exe"\r\n"SHOW CONSOLE","True"\r\n'


@pytest.fixture
def home(tmp_path):
    """A user's folder as Windows lays it out, with settings of xlwings that are the user's own."""
    own = tmp_path / "Ann" / ".xlwings" / "xlwings.conf"
    own.parent.mkdir(parents=True)
    own.write_bytes(OWN_SETTINGS)
    (tmp_path / "Ann" / "AppData" / "Roaming" / "Microsoft").mkdir(parents=True)
    return tmp_path / "Ann"


@pytest.fixture
def place(home):
    """Where that user's Excel looks; Python is an environment with xlwings' library in it."""
    scripts = home / "venv" / "Scripts"
    scripts.mkdir(parents=True)
    (scripts / "python.exe").touch()
    (home / "venv" / f"xlwings64-{addin._xlwings_version()}.dll").touch()
    environ = {"APPDATA": str(home / "AppData" / "Roaming"), "USERPROFILE": str(home)}
    return addin.profile(environ, "win32", str(scripts / "python.exe"))


def files(folder):
    """Every file and folder below, files with their bytes."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def states(place):
    """State of each part."""
    return {part.part: part.state for part in addin.status(place)}


def test_nothing_is_left_behind(home, place):
    """Installed and uninstalled, every file and folder of the user is as it was."""
    before = files(home)
    addin.install(place, TEMPLATES)
    assert files(home) != before
    removed = addin.uninstall(place)
    assert files(home) == before
    assert [path.name for path in removed] == ["xltoken.xlam", "xltoken.conf", "installed.json"]


def test_the_users_own_settings_of_xlwings_stay(home, place):
    """At no moment is the user's xlwings.conf another file."""
    own = home / ".xlwings" / "xlwings.conf"
    addin.install(place, TEMPLATES)
    assert own.read_bytes() == OWN_SETTINGS
    addin.uninstall(place)
    assert own.read_bytes() == OWN_SETTINGS


def test_installed_is_what_was_built(place, tmp_path):
    """The installed add-in is, byte for byte, what `build` writes."""
    addin.install(place, TEMPLATES)
    written = addin.build(tmp_path / "x.xlam", TEMPLATES)
    assert [path.name for path in written] == ["x.xlam", "x.intellisense.xml"]
    assert (place.startup / "xltoken.xlam").read_bytes() == written[0].read_bytes()
    assert written[1].read_bytes() == intellisense.part()


def test_excel_opens_nothing_else_at_its_start(place):
    """The start folder, of which Excel opens every file, gets the add-in alone."""
    addin.install(place, TEMPLATES)
    assert [path.name for path in place.startup.iterdir()] == ["xltoken.xlam"]


def test_no_temporary_file_is_ever_in_the_start_folder(place, monkeypatch):
    """A process killed while it writes leaves nothing that Excel would open at each start."""
    seen = []
    sync = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda n: (seen.append(list(place.startup.glob(".*"))), sync(n))[1]
    )
    addin.install(place, TEMPLATES)
    assert seen
    assert not any(seen)


def test_the_settings_are_as_xlwings_reads_them(home, place):
    """Pairs in quotes, a line each: the interpreter, the module, and no search in the add-in's folder."""
    addin.install(place, TEMPLATES)
    text = (home / ".xltoken" / "xltoken.conf").read_bytes().decode("cp1252")
    assert text.endswith("\r\n")
    assert dict(csv.reader(text.splitlines())) == {
        "INTERPRETER_WIN": str(home / "venv" / "Scripts" / "python.exe"),
        "UDF MODULES": "xltoken.udfs",
        "ADD_WORKBOOK_TO_PYTHONPATH": "False",
    }


def test_twice_is_once(home, place):
    """Installing again changes nothing, and uninstalling again finds nothing to do."""
    before = files(home)
    addin.install(place, TEMPLATES)
    once = files(home)
    addin.install(place, TEMPLATES)
    assert files(home) == once
    addin.uninstall(place)
    assert addin.uninstall(place) == []
    assert files(home) == before


def test_status_before_and_after(place):
    """Missing before, all well after, missing again when it was taken away."""
    missing = {"add-in": "missing", "settings": "missing", "xlwings' library": "ok"}
    assert states(place) == missing
    assert set(states_of(addin.install(place, TEMPLATES)).values()) == {"ok"}
    assert set(states(place).values()) == {"ok"}
    addin.uninstall(place)
    assert states(place) == missing


def states_of(parts):
    """State of each part of a list."""
    return {part.part: part.state for part in parts}


def test_every_part_that_is_not_well_says_what_to_do(place):
    """A part that is missing has a next step that can be typed."""
    for part in addin.status(place):
        assert (part.state == "ok") == (part.next_step == "")


def test_another_version_is_old(place, monkeypatch):
    """An add-in of an earlier xltoken or xlwings is told, because xlwings names its library exactly."""
    addin.install(place, TEMPLATES)
    monkeypatch.setattr(xltoken, "__version__", "9.9.9")
    assert states(place)["add-in"] == "old"
    monkeypatch.undo()
    monkeypatch.setattr(addin, "_xlwings_version", lambda: "9.9.9")
    assert states(place) == {"add-in": "old", "settings": "ok", "xlwings' library": "missing"}


def test_a_changed_add_in_is_wrong(place):
    """What stands there but was not put there is told."""
    addin.install(place, TEMPLATES)
    (place.startup / "xltoken.xlam").write_bytes(b"other")
    assert states(place)["add-in"] == "wrong"
    addin.install(place, TEMPLATES)
    assert states(place)["add-in"] == "ok"


def test_another_python_is_told(home, place):
    """Settings that name another environment than the one asked are wrong."""
    addin.install(place, TEMPLATES)
    other = addin.Profile(place.startup, place.settings, home / "other" / "python.exe")
    assert states_of(addin.status(other))["settings"] == "wrong"


def test_lines_of_the_user_in_our_settings_stay(place):
    """Other settings in our file are kept when installing and when uninstalling."""
    place.settings.mkdir()
    settings = place.settings / "xltoken.conf"
    settings.write_bytes(b'"SHOW CONSOLE","True"\r\n"interpreter_win","C:\\old.exe"\r\n')
    addin.install(place, TEMPLATES)
    kept = dict(csv.reader(settings.read_text().splitlines()))
    assert kept["SHOW CONSOLE"] == "True"
    assert kept["INTERPRETER_WIN"] == str(place.interpreter)
    assert "interpreter_win" not in kept
    settings.write_bytes(settings.read_bytes() + b'"DEBUG UDFS","False"\r\n')
    addin.uninstall(place)
    assert settings.read_bytes() == b'"SHOW CONSOLE","True"\r\n"DEBUG UDFS","False"\r\n'


def test_folders_in_use_stay(place):
    """A start folder that we made and somebody uses by now is not removed."""
    addin.install(place, TEMPLATES)
    (place.startup / "PERSONAL.XLSB").touch()
    addin.uninstall(place)
    assert [path.name for path in place.startup.iterdir()] == ["PERSONAL.XLSB"]


def test_while_excel_runs_the_old_add_in_stays(place, monkeypatch):
    """A file that Excel holds open is neither replaced nor removed, and the message says so."""
    addin.install(place, TEMPLATES)
    before = files(place.startup)

    def held(*_):
        raise PermissionError(13, "The process cannot access the file")

    monkeypatch.setattr(Path, "replace", held)
    with pytest.raises(FileError, match="If Excel is running, close it and try again"):
        addin.install(place, TEMPLATES)
    monkeypatch.undo()
    monkeypatch.setattr(Path, "unlink", held)
    with pytest.raises(FileError, match="close Excel and try again"):
        addin.uninstall(place)
    monkeypatch.undo()
    assert files(place.startup) == before


def test_a_path_that_vba_cannot_read_is_refused_before_anything_is_written(home, place):
    """A Python in a folder whose letters the code page lacks is refused, with what to do."""
    before = files(home)
    far = addin.Profile(place.startup, place.settings, Path("C:/Юра/python.exe"))
    with pytest.raises(FileError, match="letters that Excel's VBA cannot read"):
        addin.install(far, TEMPLATES)
    assert files(home) == before


@pytest.mark.parametrize("notes", ["[broken", "5", '{"made": null}', '{"made": ["/x", 3]}'])
def test_damaged_notes_are_no_obstacle(place, notes):
    """With a damaged record nothing is taken for ours that may not be; installing mends it."""
    addin.install(place, TEMPLATES)
    (place.settings / "installed.json").write_text(notes)
    assert states(place)["add-in"] == "wrong"
    addin.uninstall(place)
    assert (place.startup / "xltoken.xlam").exists()
    assert set(states_of(addin.install(place, TEMPLATES)).values()) == {"ok"}
    addin.uninstall(place)
    assert not (place.startup / "xltoken.xlam").exists()


def test_an_add_in_of_somebody_else_is_left_alone(home, place):
    """A file of that name that we did not put there is neither replaced nor removed."""
    place.startup.mkdir(parents=True)
    (place.startup / "xltoken.xlam").write_bytes(b"somebody's")
    before = files(home)
    with pytest.raises(FileError, match="is an add-in of somebody else"):
        addin.install(place, TEMPLATES)
    assert addin.uninstall(place) == []
    assert files(home) == before


def test_one_that_a_company_signed_stays(place):
    """After an installation another file took its place: uninstalling leaves that one."""
    addin.install(place, TEMPLATES)
    (place.startup / "xltoken.xlam").write_bytes(b"signed")
    addin.uninstall(place)
    assert (place.startup / "xltoken.xlam").read_bytes() == b"signed"


def test_a_failed_installation_leaves_nothing(home, place, monkeypatch):
    """Where the last file cannot be written, those before it are taken back."""
    before = files(home)

    def fails(*_):
        raise FileError("the disk is full")

    monkeypatch.setattr(addin, "_write", fails)
    with pytest.raises(FileError, match="disk is full"):
        addin.install(place, TEMPLATES)
    assert files(home) == before


def test_settings_of_the_user_come_back_byte_for_byte(place):
    """An xltoken.conf that was there before is restored as it was, remarks and all."""
    place.settings.mkdir()
    settings = place.settings / "xltoken.conf"
    own = b'"INTERPRETER_WIN","C:\\own.exe","a remark"\r\n# mine\r\n'
    settings.write_bytes(own)
    addin.install(place, TEMPLATES)
    addin.install(place, TEMPLATES)
    addin.uninstall(place)
    assert settings.read_bytes() == own


def test_pythonw_has_a_sibling_that_can_print(home):
    """The windowless Python stands for the one beside it."""
    environ = {"APPDATA": str(home), "USERPROFILE": str(home)}
    found = addin.profile(environ, "win32", str(home / "pythonw.exe"))
    assert found.interpreter.name == "python.exe"


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_other_systems_get_a_clear_word(platform):
    """Where Excel's VBA cannot reach Python, the message names what can be used instead."""
    with pytest.raises(PartMissing, match=r"Windows only|Excel for Windows only") as refused:
        addin.profile({}, platform)
    assert "xlwings Lite" in str(refused.value)
    assert "xltoken recalc" in str(refused.value)


def test_a_windows_without_folders_is_told():
    """A service account without a profile gets a sentence, not a crash."""
    with pytest.raises(PartMissing, match="APPDATA is not set"):
        addin.profile({"USERPROFILE": "C:\\Users\\Ann"}, "win32")


def test_an_add_in_is_called_one(tmp_path):
    """A name that Excel would not load as an add-in is refused."""
    with pytest.raises(FileError, match=r"is called \.xlam"):
        addin.build(tmp_path / "x.xlsm", TEMPLATES)
    assert not any(tmp_path.iterdir())


def test_folders_that_cannot_be_made_are_told(place, monkeypatch):
    """A profile on a disk that refuses folders ends in one line."""
    make = Path.mkdir

    def refuses(path, **how):
        if path == place.startup:
            raise OSError(30, "Read-only file system")
        make(path, **how)

    monkeypatch.setattr(Path, "mkdir", refuses)
    with pytest.raises(FileError, match=r"cannot be made \(Read-only file system\)"):
        addin.install(place, TEMPLATES)
