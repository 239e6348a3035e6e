"""Make templates in the working folder while the clock is off: by seconds, then their names."""

import datetime as dt
import sys
import time
from pathlib import Path

SHIFT = float(sys.argv[1])
real_time, real_localtime, real_datetime = time.time, time.localtime, dt.datetime


class Kind(type(real_datetime)):
    """Takes a real datetime for one of the shifted clock's."""

    def __instancecheck__(cls, other):
        return isinstance(other, real_datetime)


class Clock(real_datetime, metaclass=Kind):
    """A datetime whose now is another one."""

    @classmethod
    def now(cls, tz=None):
        """The shifted time."""
        return real_datetime.now(tz) + dt.timedelta(seconds=SHIFT)

    @classmethod
    def utcnow(cls):
        """The shifted time in UTC."""
        return cls.now(dt.UTC).replace(tzinfo=None)

    @classmethod
    def today(cls):
        """The shifted day."""
        return cls.now()


time.time = lambda: real_time() + SHIFT
time.localtime = lambda *given: real_localtime(*(given or [time.time()]))
dt.datetime = Clock

# Imported by now, so that a module that keeps a name of its own keeps that of the shifted clock.
from xltoken.templates import new  # noqa: E402

for name in sys.argv[2:]:
    new(name, Path(f"{name}.xlsx"))
