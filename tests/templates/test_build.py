"""From a drawn template to a file: nothing is replaced unasked, nothing is lost on failure."""

import os

import pytest

from xltoken.files import FileError
from xltoken.templates import new


def test_another_file_is_not_replaced_unless_asked(tmp_path):
    """A file that stands there and differs stays when replacing is not allowed."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"precious")
    with pytest.raises(FileError, match=r"a\.xlsx.*--force"):
        new("token_budget", path, replace=False)
    assert path.read_bytes() == b"precious"
    new("token_budget", path)
    made = path.read_bytes()
    new("token_budget", path, replace=False)
    assert path.read_bytes() == made
    assert [p.name for p in tmp_path.iterdir()] == ["a.xlsx"]


def test_a_missing_folder_is_refused(tmp_path):
    """A target folder that is not there is refused before anything is drawn."""
    with pytest.raises(FileError, match="there is no folder"):
        new("token_budget", tmp_path / "none" / "a.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    """When the last step fails the old file stands as it was, and nothing lies beside it."""
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"old")

    def fails(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(FileError, match="No space left"):
        new("token_budget", path)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.xlsx"]


def test_an_unknown_template_makes_nothing(tmp_path):
    """A name that is no template is an error, and no file appears."""
    with pytest.raises(KeyError):
        new("nope", tmp_path / "a.xlsx")
    assert list(tmp_path.iterdir()) == []
