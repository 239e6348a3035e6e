"""The pages for people: what they say can be typed, opened and computed."""

import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest
import typer

import xltoken
from xltoken.functions import FUNCTIONS
from xltoken.functions.cells import HOST_LIMITS
from xltoken.hosts.ribbon import GROUPS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {page.name: page.read_text(encoding="utf-8") for page in PAGES}

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"\]\(([^)\s]+)\)")
OPTION = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")

REGISTRIES = re.compile(
    r"pypi\.|pythonhosted|anaconda\.org|conda-forge|npmjs|unpkg|jsdelivr|nuget\.org|crates\.io"
    r"|index-url|/simple\b",
    re.IGNORECASE,
)
MACHINES = re.compile(
    r"(?<![\w.%~])/(?:home|root|Users|tmp|work|mnt)/|[A-Z]:\\(?:Users|Documents)\b", re.IGNORECASE
)


class Command(NamedTuple):
    """A command line on a page: the commands it names, and what follows them."""

    page: str
    line: str
    path: tuple[str, ...]
    rest: tuple[str, ...]


def _code(text):
    """Every line of code on a page, and every piece of code within its sentences."""
    for _, block in FENCE.findall(text):
        yield from block.replace("\\\n", " ").splitlines()
    yield from INLINE.findall(FENCE.sub("", text))


def _commands():
    from xltoken.cli.commands import app

    found = []
    for page, text in TEXTS.items():
        for line in _code(text):
            match = re.match(r"\s*(?:\S*python\S* -m )?xltoken((?: +\S.*)?)$", line)
            if match is None or not match[1].strip():
                continue
            words = shlex.split(match[1], comments=True)
            known, path = typer.main.get_command(app), []
            while hasattr(known, "commands") and words and not words[0].startswith("-"):
                path.append(words.pop(0))
                known = known.commands.get(path[-1])
            found.append(Command(page, line.strip(), tuple(path), tuple(words)))
    return found


COMMANDS = _commands()


def test_there_is_something_to_look_at():
    """The other tests of this file find commands on every page that has them."""
    assert {command.page for command in COMMANDS} >= {
        "README.md",
        "excel-windows.md",
        "xlwings-lite.md",
        "xlwings-server.md",
        "libreoffice.md",
    }


@pytest.mark.parametrize("path", sorted({command.path for command in COMMANDS}), ids=" ".join)
def test_each_command_exists_and_knows_its_options(run, path):
    """A command on a page shows its help, and the help knows every option that the page gives it."""
    code, out, err = run(*path, "--help")
    assert code == 0, err
    known = set(OPTION.findall(out))
    for command in COMMANDS:
        if command.path == path:
            given = {word.partition("=")[0] for word in command.rest if OPTION.match(word)}
            assert given <= known, f"{command.page}: {command.line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    """A link to a file of ours, and a page named in a sentence, is there."""
    text = TEXTS[page.name]
    for target in LINK.findall(text):
        if not re.match(r"[a-z]+:", target):
            name, _, place = target.partition("#")
            file = page.parent / name if name else page
            assert file.exists(), f"{page.name} links to {target}"
            if place:
                headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
                anchors = {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}
                assert place in anchors, f"{page.name} links to {target}"
    for name in re.findall(r"\bdocs/[\w-]+\.md\b", text):
        assert (ROOT / name).exists(), f"{page.name} names {name}"


@pytest.mark.parametrize("page", TEXTS)
def test_no_registry_and_no_machine_is_named(page):
    """A page names no host of a package registry and no folder of somebody's computer."""
    assert not REGISTRIES.findall(TEXTS[page])
    assert not MACHINES.findall(TEXTS[page])


def _formulas():
    for page, text in TEXTS.items():
        for _, block in FENCE.findall(text):
            for line in block.splitlines():
                outside = re.sub(r'"[^"]*"', "", line)
                # What reads cells, or is written as in another language, has no value here.
                if line.startswith("=") and not re.search(r"[A-Z]+\d|;", outside):
                    yield pytest.param(line, id=f"{page}: {line}")


@pytest.mark.parametrize("formula", list(_formulas()))
def test_each_formula_computes(formula):
    """A formula that stands on a line of its own gives a value, not an error."""
    from xltoken.recalc.workbook import evaluate

    rows, _ = evaluate(formula)
    assert not str(rows[0][0]).startswith("#")


@pytest.mark.parametrize("page", TEXTS)
def test_functions_on_a_page_exist(page):
    """Whatever is called like a function of ours is one."""
    own = {name.partition("_")[0] for name in FUNCTIONS}
    for name in re.findall(r"\b([A-Z]+(?:_[A-Z]+)+)\(", TEXTS[page]):
        assert name in FUNCTIONS or name.partition("_")[0] not in own


@pytest.mark.parametrize(
    ("door", "page"),
    [("xlwings classic", "excel-windows.md"), ("xlwings lite", "xlwings-lite.md")],
)
def test_a_page_names_every_limit_of_its_door(door, page):
    """What a door to our functions cannot tell stands in the first column of a table on its page."""
    first = [row.split("|")[1].strip() for row in TEXTS[page].splitlines() if row.startswith("|")]
    for limit in HOST_LIMITS:
        if limit.door == door:
            assert limit.given in first


def test_every_button_is_explained():
    """Each button of the ribbon stands on the page for Excel, in bold, under its label."""
    for controls in GROUPS.values():
        for control in controls:
            assert f"**{control.label}**" in TEXTS["excel-windows.md"]


def test_functions_that_give_a_table_are_listed():
    """The page for Excel names each function that spills, for those whose Excel does not."""
    tables = [name for name, function in FUNCTIONS.items() if function.table]
    listed = re.search(
        r"Seven functions give a table: (.*?)\. ", TEXTS["excel-windows.md"], re.DOTALL
    )
    assert listed is not None
    assert re.findall(r"`(\w+)`", listed[1]) == tables
    assert len(tables) == 7


def test_the_wheel_has_the_name_that_it_has():
    """Where a page names the wheel, it is that of this version."""
    names = {name for text in TEXTS.values() for name in re.findall(r"[\w.-]+\.whl", text)}
    assert names == {f"xltoken-{xltoken.__version__}-py3-none-any.whl"}


_ONLY = """
import sys

class Only:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        there = {"numpy", "scipy", "xlwings", "xltoken"} | sys.stdlib_module_names
        if top not in there and not top.startswith("_"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Only())
"""
_ASK = """
import xltoken
from xltoken.functions import FUNCTIONS

for function in FUNCTIONS.values():
    given = [a if isinstance(a, list) else [[a]] for a in function.example]
    answer = globals()[function.name](*given)
    assert not str(answer).startswith("#"), (function.name, answer)
print(xltoken.__file__)
"""


def test_lite_needs_what_its_page_says(tmp_path):
    """The file main.py of the page for Lite gives every function, with the packages named there.

    Neither the command line nor openpyxl nor the engine is asked for: in the browser there is none.
    """
    blocks = dict(reversed(FENCE.findall(TEXTS["xlwings-lite.md"])))  # the first of each language
    assert set(blocks["text"].split()) == {"numpy", "scipy", "xlwings"}
    wheel = tmp_path / f"xltoken-{xltoken.__version__}-py3-none-any.whl"
    source = Path(xltoken.__file__).parent
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in sorted(source.rglob("*")):
            if file.suffix in {".py", ".csv"}:
                archive.write(file, file.relative_to(source.parent))
    main = blocks["python"].replace("/data/", f"{tmp_path.as_posix()}/")
    (tmp_path / "main.py").write_text(_ONLY + main + _ASK, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-P", "main.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / done.stdout.strip()).is_relative_to(tmp_path / "packages")
