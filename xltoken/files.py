"""Files written in one step, and the error of a file that cannot be read or written."""

import contextlib
import os
import re
import secrets
import stat
from pathlib import Path
from typing import Final

_TEMPORARY: Final = re.compile(r"\.xltoken\.[0-9a-f]{12}\.tmp")
_LEFT_OVER: Final = 3600.0
"""Seconds after which a temporary file is left over: writing one takes seconds."""


class FileError(ValueError):
    """A file that cannot be read or written; the message is one line that says what to do."""


def write_atomically(target: Path, content: bytes, *, aside: Path | None = None) -> None:
    """Put `content` at `target` in one step: on any failure the old file stands as it was.

    `aside` is a folder of the same disk for the temporary file, where none may be seen beside the
    target.
    """
    check_writable(target)
    target = target.resolve()  # a link stays a link; what it points at is written
    temporary = (aside or target.parent) / f".xltoken.{secrets.token_hex(6)}.tmp"
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))
        now = temporary.stat().st_mtime
        temporary.replace(target)
    except OSError as error:
        raise _not_written(target, error) from None
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(target.parent)
    _remove_leftovers(temporary.parent, before=now - _LEFT_OVER)


def _sync_folder(folder: Path) -> None:
    """Bring the new name to the disk, where the system has folders that can be synced."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    with contextlib.suppress(OSError):  # the file is written; some network disks refuse this
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _remove_leftovers(folder: Path, before: float) -> None:
    """Remove temporary files of ours that a killed process left, none that may be in use.

    `before` is a time of the disk's own clock, which need not be that of this machine.
    """
    for path in folder.glob(".xltoken.*.tmp"):
        with contextlib.suppress(OSError):
            status = path.lstat()
            ours = _TEMPORARY.fullmatch(path.name) and stat.S_ISREG(status.st_mode)
            if ours and status.st_mtime < before:
                path.unlink()


def check_writable(target: Path) -> None:
    """Refuse a target that is a folder, read-only, or in a folder that is missing or read-only."""
    folder = target.parent
    try:
        if target.is_dir():
            raise FileError(f"{target}: is a folder; name a file.")
        if not folder.is_dir():
            raise FileError(f"{target}: there is no folder {folder}; make it first.")
        for place in (target, folder):
            # Asked of the permission bits too, because an administrator may write anywhere.
            if place.exists() and not (os.access(place, os.W_OK) and place.stat().st_mode & 0o222):
                raise FileError(f"{place}: is read-only; choose another place with -o.")
    except OSError as error:
        raise _not_written(target, error) from None


def _not_written(target: Path, error: OSError) -> FileError:
    reason = error.strerror or str(error)
    return FileError(f"{target}: cannot be written ({reason}); nothing was changed.")
