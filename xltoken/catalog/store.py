"""The catalog in memory: shipped files, a user's files laid over them, and look-ups by key."""

import datetime as dt
import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from xltoken.catalog.keys import NotKnown, normalize, not_known
from xltoken.catalog.reading import identity, read_files
from xltoken.catalog.records import (
    Claim,
    Observation,
    Platform,
    Price,
    Prior,
    Problem,
    Rate,
    Record,
    Source,
    WorkloadRow,
)

ENVIRONMENT: Final = "XLTOKEN_CATALOG"
"""Environment variable that names the folder laid over the shipped files."""

MEMO_LIMIT: Final = 1 << 12
"""Results kept per function and catalog before it starts anew."""

P = ParamSpec("P")
T = TypeVar("T")

SHAPE_TOLERANCE: Final = 0.05
"""Token counts within 5 % of a shape's belong to it (1,000 counts as 1,024)."""


class CatalogError(ValueError):
    """Files that cannot be used as a catalog; `problems` says which rows and why."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{problems[0]}{more}")
        self.problems = list(problems)


@dataclass(frozen=True, slots=True)
class Workload:
    """What is served: a model, token counts, and the limits a user would accept.

    `tokens_in` and `tokens_out` are per request; the limits are None where there is none.
    """

    key: str
    model: str
    tokens_in: float
    tokens_out: float
    min_tokens_per_second_per_user: float | None
    max_seconds_to_first_token: float | None = None
    model_released: dt.date | None = None
    user: bool = False

    def serves(self, observation: Observation) -> bool:
        """Whether the token counts of `observation` are this workload's, within 5 %."""
        return self.serves_counts(observation.tokens_in, observation.tokens_out)

    def serves_counts(self, tokens_in: float, tokens_out: float) -> bool:
        """Whether token counts are this workload's, within 5 %."""
        return _close(tokens_in, self.tokens_in) and _close(tokens_out, self.tokens_out)


# Shapes that exist for every model: tokens in, tokens out, tok/s/user.
SHAPES: Final[Mapping[str, tuple[float, float, float | None]]] = {
    "batch": (1024.0, 1024.0, None),
    "chat": (1024.0, 1024.0, 30.0),
    "reasoning": (1024.0, 8192.0, 50.0),
    "summarize": (8192.0, 1024.0, 30.0),
    "agentic": (8192.0, 1024.0, 100.0),
}


@dataclass(frozen=True, eq=False)
class Catalog:
    """Every record that counts on one day, ready for look-up. Compared by identity."""

    date: dt.date
    platforms: Mapping[str, Platform]
    observations: tuple[Observation, ...]
    rates: tuple[Rate, ...]
    workload_rows: tuple[WorkloadRow, ...]
    sources: Mapping[str, Source]
    prices: tuple[Price, ...]
    claims: tuple[Claim, ...]
    priors: Mapping[str, Prior]
    fingerprint: str
    overlay: Path | None
    everything: tuple[Record, ...] = field(repr=False, default=())
    memo: dict[object, Any] = field(repr=False, default_factory=dict)
    _cuts: dict[dt.date, "Catalog"] = field(repr=False, default_factory=dict)

    def at(self, cut: dt.date | None) -> "Catalog":
        """Catalog as it stood on day `cut` (None: as it is): later rows are absent."""
        if cut is None:
            return self
        if cut not in self._cuts:
            self._cuts[cut] = _catalog(self.everything, self.fingerprint, self.overlay, cut)
        return self._cuts[cut]

    def platform(self, text: str) -> Platform:
        """Find a platform by name, label or alias; raises NotKnown with the nearest names."""
        found = self._platform_names.get(normalize(text))
        if found is None:
            raise not_known("platform", text, self.platforms)
        return self.platforms[found]

    def model(self, text: str) -> str:
        """Find a model's name as the catalog spells it; raises NotKnown."""
        found = self.models.get(normalize(text))
        if found is None:
            raise not_known("model", text, self.models.values())
        return found

    def workload(self, text: str) -> Workload:
        """Find a workload ``MODEL/SHAPE``, or one of workloads.csv; raises NotKnown."""
        found = self.workloads.get(normalize(text))
        if found is None:
            raise not_known("workload", text, [w.key for w in self.workloads.values()])
        return found

    def of(self, platform: str, model: str) -> Sequence[Observation]:
        """Observations of one model on one platform, in the order of the files."""
        return self._observations_by_pair.get((platform, model), ())

    def prices_of(self, model: str) -> Sequence[Price]:
        """Prices of a model at every provider, of every kind and day."""
        return self._prices_by_model.get(normalize(model), ())

    @functools.cached_property
    def priced_models(self) -> dict[str, str]:
        """Every model with a price: normalized name to name."""
        return {normalize(price.model): price.model for price in self.prices}

    @functools.cached_property
    def _prices_by_model(self) -> dict[str, list[Price]]:
        prices: dict[str, list[Price]] = {}
        for price in self.prices:
            prices.setdefault(normalize(price.model), []).append(price)
        return prices

    def prior(self, name: str) -> float:
        """Value of a prior; 0 where the catalog has none of that name."""
        found = self.priors.get(name)
        return found.value if found else 0.0

    def rates_of(self, platform: str) -> Sequence[Rate]:
        """Rates of a platform on every basis."""
        return self._rates_by_platform.get(platform, ())

    @functools.cached_property
    def models(self) -> dict[str, str]:
        """Every model with an observation: normalized name to name."""
        return {normalize(o.model): o.model for o in self.observations}

    def released(self, model: str) -> dt.date | None:
        """Day on which a model's weights came out; None where it is not known."""
        return self._released.get(normalize(model))

    @functools.cached_property
    def _released(self) -> dict[str, dt.date]:
        return {
            normalize(_model_of(row)): row.model_released
            for row in self.workload_rows
            if row.model_released
        }

    @functools.cached_property
    def workloads(self) -> dict[str, Workload]:
        """Every workload: normalized key to workload."""
        released = self._released
        rows = {normalize(row.workload): row for row in self.workload_rows}
        found: dict[str, Workload] = {}
        for name, model in self.models.items():
            for shape, (tokens_in, tokens_out, speed) in SHAPES.items():
                key = f"{model}/{shape}"
                found[normalize(key)] = Workload(
                    key, model, tokens_in, tokens_out, speed, None, released.get(name)
                )
        for key, row in rows.items():
            base = found.get(key)
            workload = _overlaid(row, base, self.models, released)
            if workload is not None:
                found[key] = workload
        return found

    @functools.cached_property
    def platforms_with_evidence(self) -> frozenset[str]:
        """Keys of the platforms that have at least one observation."""
        return frozenset(o.platform for o in self.observations)

    @functools.cached_property
    def _platform_names(self) -> dict[str, str]:
        names: dict[str, str] = {}
        for key, platform in self.platforms.items():
            for alias in (platform.label, *platform.aliases.split(";")):
                if alias.strip():
                    names.setdefault(normalize(alias), key)
        names.update({normalize(key): key for key in self.platforms})
        return names

    @functools.cached_property
    def _observations_by_pair(self) -> dict[tuple[str, str], list[Observation]]:
        pairs: dict[tuple[str, str], list[Observation]] = {}
        for observation in self.observations:
            pairs.setdefault((observation.platform, observation.model), []).append(observation)
        return pairs

    @functools.cached_property
    def _rates_by_platform(self) -> dict[str, list[Rate]]:
        rates: dict[str, list[Rate]] = {}
        for rate in self.rates:
            rates.setdefault(rate.platform, []).append(rate)
        return rates


def per_catalog(
    function: Callable[Concatenate[Catalog, P], T],
) -> Callable[Concatenate[Catalog, P], T]:
    """Keep the results of a function of a catalog with that catalog, so that they go with it.

    That nothing is known is a result too: its reason is kept, and raised anew.
    """

    @functools.wraps(function)
    def remembered(catalog: Catalog, /, *arguments: P.args, **named: P.kwargs) -> T:
        assert not named
        result: T | _Unknown
        try:
            result = catalog.memo[function][arguments]
        except KeyError:
            try:
                result = function(catalog, *arguments, **named)
            except NotKnown as error:
                result = _Unknown(str(error))
            known = catalog.memo.setdefault(function, {})
            if len(known) >= MEMO_LIMIT:
                known.clear()
            known[arguments] = result
        if isinstance(result, _Unknown):
            raise NotKnown(result.reason)
        return result

    return remembered


@dataclass(frozen=True, slots=True)
class _Unknown:
    reason: str


_held: ContextVar[list[Catalog] | None] = ContextVar("held", default=None)


@contextmanager
def held() -> Iterator[None]:
    """Hold on to one catalog: inside the block :func:`current` returns what it returned first.

    For a piece of work that must rest on one catalog, such as the recalculation of a book.
    """
    token = _held.set([])
    try:
        yield
    finally:
        _held.reset(token)


def current() -> Catalog:
    """Return the shipped catalog with the folder named by XLTOKEN_CATALOG laid over it.

    Read once per folder and process: an edited overlay counts after :func:`reload`, or in a new
    process.

    Raises
    ------
    CatalogError
        If a file cannot be read or a row cannot be used.
    """
    known = _held.get()
    if known:
        return known[0]
    named = os.environ.get(ENVIRONMENT, "").strip()
    catalog = load(str(Path(named).absolute()) if named else "")
    if known is not None:
        known.append(catalog)
    return catalog


def reload() -> None:
    """Forget what was read, so that edited files count from the next call on."""
    load.cache_clear()


@functools.lru_cache(maxsize=8)
def load(overlay: str = "") -> Catalog:
    """Read the shipped catalog, with the CSV files of folder `overlay` laid over it."""
    catalog, problems = read(overlay)
    if problems or catalog is None:
        raise CatalogError(problems)
    return catalog


def read(overlay: str = "") -> tuple[Catalog | None, list[Problem]]:
    """Read shipped and overlaid files; returns the catalog, or the problems that prevent it."""
    folder = Path(overlay) if overlay else None
    if folder is not None and not folder.is_dir():
        return None, [Problem(str(folder), 0, "", "is not a folder of catalog CSV files.")]
    everything, fingerprint, problems = read_files(folder)
    if problems:
        return None, problems
    catalog = _catalog(everything, fingerprint, folder, None)
    problems = _unresolved(catalog)
    return (None if problems else catalog), problems


def _winning(records: Iterable[Record]) -> list[Record]:
    """Of the records of one key a user's wins over the shipped one."""
    chosen: dict[tuple[object, ...], Record] = {}
    for record in records:
        key = tuple(
            normalize(value) if isinstance(value := getattr(record, name), str) else value
            for name in identity(type(record))
        )
        # A user's rows come after the shipped ones, and take their place.
        chosen[(type(record), *key)] = record
    return list(chosen.values())


def _catalog(
    everything: Iterable[Record], fingerprint: str, overlay: Path | None, cut: dt.date | None
) -> Catalog:
    everything = tuple(everything)
    # A user's row may also withdraw the shipped one, so winning comes before withdrawal.
    standing = _winning(record for record in everything if record.recorded_by(cut))
    known = [record for record in standing if record.known_at(cut)]
    # Rows withdrawn or replaced count for the date: it never moves back.
    shipped = [
        r.recorded
        for r in everything
        if r.recorded and not r.origin.user and (cut is None or r.recorded <= cut)
    ]
    platforms = {r.platform: r for r in known if isinstance(r, Platform)}
    bare = Catalog(
        # With nothing recorded yet, the cut is the only date there is.
        date=max(shipped) if shipped else (cut or dt.date.min),
        platforms=platforms,
        observations=(),
        rates=(),
        workload_rows=tuple(r for r in known if isinstance(r, WorkloadRow)),
        sources={r.source_id: r for r in known if isinstance(r, Source)},
        prices=tuple(r for r in known if isinstance(r, Price)),
        claims=tuple(r for r in known if isinstance(r, Claim)),
        priors={r.name: r for r in known if isinstance(r, Prior)},
        fingerprint=fingerprint,
        overlay=overlay,
        everything=everything,
    )
    models: dict[str, str] = {}
    names = bare._platform_names  # noqa: SLF001 - the same class, half built
    observations = tuple(
        replace(
            r,
            platform=names.get(normalize(r.platform), r.platform),
            model=models.setdefault(normalize(r.model), r.model),
            precision=normalize(r.precision),
        )
        for r in known
        if isinstance(r, Observation)
    )
    claims = tuple(
        replace(
            r,
            platform=names.get(normalize(r.platform), r.platform),
            base_platform=names.get(normalize(r.base_platform), r.base_platform),
        )
        for r in bare.claims
    )
    rates = tuple(
        replace(r, platform=names.get(normalize(r.platform), r.platform))
        for r in known
        if isinstance(r, Rate)
    )
    return replace(bare, observations=observations, rates=rates, claims=claims, memo={}, _cuts={})


def _unresolved(catalog: Catalog) -> list[Problem]:
    """Find rows that name a platform or source which no file has."""
    problems = []
    named: tuple[Observation | Rate, ...] = (*catalog.observations, *catalog.rates)
    for fact in named:
        if fact.platform not in catalog.platforms:
            message = str(not_known("platform", fact.platform, catalog.platforms))
            advice = f"{message} Add it to platforms.csv."
            problems.append(Problem(fact.origin.file, fact.origin.row, "platform", advice))
    for claim in catalog.claims:
        for name in ("platform", "base_platform"):
            text = getattr(claim, name)
            if text and text not in catalog.platforms:
                message = str(not_known("platform", text, catalog.platforms))
                problems.append(Problem(claim.origin.file, claim.origin.row, name, message))
    for record in catalog.everything:
        source = record.source_id
        if not record.known_at(None) or source == Path(record.origin.file).name:
            continue
        if source not in catalog.sources:
            advice = f"{source!r} is not in sources.csv."
            problems.append(Problem(record.origin.file, record.origin.row, "source_id", advice))
    for row in catalog.workload_rows:
        base = catalog.workloads.get(normalize(row.workload))
        if base is None:
            advice = (
                "needs tokens_in and tokens_out: it is none of the shapes "
                f"{', '.join(SHAPES)} of a model with observations."
            )
            problems.append(Problem(row.origin.file, row.origin.row, "workload", advice))
    return problems


def _model_of(row: WorkloadRow) -> str:
    return row.model or row.workload.rpartition("/")[0] or row.workload


def _overlaid(
    row: WorkloadRow,
    base: Workload | None,
    models: Mapping[str, str],
    released: Mapping[str, dt.date],
) -> Workload | None:
    name = normalize(_model_of(row))
    model = models.get(name, _model_of(row))
    tokens_in = row.tokens_in or (base.tokens_in if base else None)
    tokens_out = row.tokens_out or (base.tokens_out if base else None)
    if tokens_in is None or tokens_out is None:
        return None
    speed, wait = row.min_tokens_per_second_per_user, row.max_seconds_to_first_token
    if base is not None:
        speed = base.min_tokens_per_second_per_user if speed is None else speed
        wait = base.max_seconds_to_first_token if wait is None else wait
    return Workload(
        base.key if base else row.workload,
        model,
        tokens_in,
        tokens_out,
        speed,
        wait,
        released.get(name),
        row.origin.user,
    )


def _close(value: float, target: float) -> bool:
    return abs(value - target) <= SHAPE_TOLERANCE * target
