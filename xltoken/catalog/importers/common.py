"""What every importer shares: fields of a foreign row, options of the user, and refusals.

Nothing is guessed: what a row says is taken, what it leaves out comes from an option, and where
the two differ the row is refused.
"""

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from xltoken.catalog.keys import NotKnown, normalize
from xltoken.catalog.records import Platform
from xltoken.catalog.store import Catalog

LONGEST_TEXT: Final = 1000
"""Longer texts are no names; a CSV file with them could not be read back everywhere."""

Cells = dict[str, str]


class Refusal(ValueError):  # noqa: N818 - a row is refused, nothing failed
    """A row that becomes no observation; `column` is the foreign file's own name for it."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the user says where a file is silent; blank or None: nothing."""

    model: str = ""
    platform: str = ""
    date: str = ""
    tokens_in: float | None = None
    tokens_out: float | None = None
    precision: str = ""
    source_id: str = ""


@dataclass(frozen=True, slots=True)
class Fields:
    """One row of a foreign file, JSON or CSV: values by name, checked when they are read."""

    values: Mapping[str, Any]

    def text(self, *names: str) -> str:
        """Text of the first of `names` that is not blank, on one line; "" if all are."""
        name, value = self._first(names)
        if isinstance(value, list | dict):
            raise Refusal(name, "holds a list or an object where one value is due.")
        text = " ".join(str(value).split())
        if len(text) > LONGEST_TEXT:
            raise Refusal(name, f"is longer than {LONGEST_TEXT} characters.")
        if not text.isprintable():
            raise Refusal(name, f"has characters that cannot be printed: {text[:40]!r}.")
        return text

    def number(self, *names: str) -> float | None:
        """Finite number of the first of `names` that is not blank; None if all are."""
        name, value = self._first(names)
        if value == "":
            return None
        if isinstance(value, bool | list | dict) or "_" in str(value):
            raise Refusal(name, f"{_short(value)} is no number; write it like 1234.5.")
        try:
            number = float(value)
        except ValueError:
            raise Refusal(name, f"{_short(value)} is no number; write it like 1234.5.") from None
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise Refusal(name, "must be a finite number.")
        return number

    def flag(self, *names: str) -> bool:
        """Whether the first of `names` that is not blank says true; False if all are blank."""
        name, value = self._first(names)
        known = {"true": True, "1": True, "false": False, "0": False, "": False}
        text = str(value).casefold()
        if text not in known:
            raise Refusal(name, f"{_short(value)} is neither true nor false.")
        return known[text]

    def _first(self, names: tuple[str, ...]) -> tuple[str, Any]:
        for name in names:
            value = self.values.get(name)
            if value is not None and not (isinstance(value, str) and not value.strip()):
                return name, value.strip() if isinstance(value, str) else value
        return names[0], ""


def throughput(column: str, number: float | None) -> float:
    """Throughput that can be used: given and above zero."""
    if number is None:
        raise Refusal(column, "is blank: without a throughput there is nothing to take.")
    if number <= 0:
        raise Refusal(column, f"is {number:g}: a run that served nothing is no measurement.")
    return number


def stated(column: str, said: str, option: str, flag: str) -> str:
    """Text that the file says, else the option; refused where both say different things."""
    if said and option and normalize(said) != normalize(option):
        raise Refusal(column, _contradiction(repr(said), flag, repr(option)))
    return said or option


def required(column: str, said: str, option: str, flag: str) -> str:
    """As :func:`stated`, refused where both are blank."""
    text = stated(column, said, option, flag)
    if not text:
        raise Refusal(column, f"is blank; give it with {flag}.")
    return text


def tokens(column: str, said: float | None, option: float | None, flag: str) -> str:
    """Tokens per request that the file says, else the option; one of them is needed."""
    if said is not None and option is not None and said != option:
        raise Refusal(column, _contradiction(f"{said:g}", flag, f"{option:g}"))
    number = option if said is None else said
    if number is None:
        raise Refusal(column, f"is blank; give it with {flag}.")
    return shown(number)


def platform(catalog: Catalog, column: str, said: str, option: str) -> Platform:
    """Platform that the file names, else the option's; it must stand in the catalog."""
    given = catalog.platform(option) if option else None
    if not said:
        if given is None:
            raise Refusal(column, "is blank; give it with --platform.")
        return given
    try:
        found = catalog.platform(said)
    except NotKnown as error:
        form = normalize(said)
        like = [key for key in catalog.platforms if normalize(key.split()[0]) in form]
        hint = f" Nearest: {', '.join(like)}." if like and "Nearest" not in str(error) else ""
        advice = "Add it to platforms.csv of the folder written to, or as an alias there."
        raise Refusal(column, f"{error}{hint} {advice}") from None
    if given is not None and given != found:
        raise Refusal(column, _contradiction(repr(said), "--platform", repr(given.platform)))
    return found


def precision(said: str, option: str, vendor: str, column: str = "precision") -> str:
    """Precision that the file says, else the option; FP4 is named after its vendor's format."""
    return stated(column, _format(said, vendor), _format(option, vendor), "--precision")


def model(catalog: Catalog, column: str, said: str, option: str) -> str:
    """Model that the file says, else the option, as the catalog spells it."""
    return required(column, _spelled(catalog, said), _spelled(catalog, option), "--model")


def day(column: str, said: str, option: str) -> str:
    """Day that the file says, without the time of day, else the option."""
    if len(said) > 10 and said[10] in " T":
        said = said[:10]
    return required(column, said, option, "--date")


def observation_id(prefix: str, run: str, *parts: str) -> str:
    """Id that is the same whenever the same row is imported, and no other row's."""
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
    return "-".join(part for part in (prefix, run, digest) if part)


def shown(number: float | None) -> str:
    """Number as it stands in a CSV file; blank where there is none."""
    return "" if number is None else f"{number:.10g}"


_FP4: Final = {"nvidia": "nvfp4", "amd": "mxfp4"}


def _format(said: str, vendor: str) -> str:
    said = said.casefold()
    return _FP4.get(vendor.casefold(), said) if said == "fp4" else said


# Short names of InferenceX (its application's table of models) and of Hugging Face: normalized
# name to the catalog's. A name that is not here stays as the file says it.
MODELS: Final = {
    "dsr1": "deepseek-r1",
    "deepseekr1": "deepseek-r1",
    "deepseekr10528": "deepseek-r1",
    "dsr10528": "deepseek-r1",
    "dsv4": "deepseek-v4-pro",
    "dsv4pro": "deepseek-v4-pro",
    "deepseekv4pro": "deepseek-v4-pro",
    "gptoss": "gpt-oss-120b",
    "gptoss120b": "gpt-oss-120b",
    "glm5": "glm-5",
    "glm5.1": "glm-5.1",
    "glm5.2": "glm-5.2",
    "70b": "llama-3.3-70b",
    "llama70b": "llama-3.3-70b",
    "llama3.370binstruct": "llama-3.3-70b",
    "kimik2.5": "kimi-k2.5",
    "kimik2.6": "kimi-k2.6",
    "minimaxm2.5": "minimax-m2.5",
    "qwen3.5": "qwen3.5-397b-a17b",
    "qwen3.5397ba17b": "qwen3.5-397b-a17b",
}
# The weights' format stands in the column precision.
_WEIGHTS: Final = re.compile(r"-(?:fp4|fp8|mxfp4|nvfp4)(?:-.*)?$", re.IGNORECASE)


def _spelled(catalog: Catalog, said: str) -> str:
    """Name of a model: of a path its last part, without the format of the weights."""
    name = _WEIGHTS.sub("", said.rstrip("/").rpartition("/")[2])
    form = normalize(name)
    return catalog.models.get(form) or MODELS.get(form) or name


def _contradiction(said: str, flag: str, option: str) -> str:
    return f"the file says {said} and {flag} says {option}; import these rows without {flag}."


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
