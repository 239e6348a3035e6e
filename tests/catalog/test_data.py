"""The shipped files: every figure has a source, and the headline rows have the right numbers."""

import csv
import datetime as dt
import itertools
import operator
from collections import Counter

import pytest

from xltoken.catalog import reading, store
from xltoken.catalog.records import EVIDENCE_GRADES, RECORDS, Observation, Rate, Source, columns
from xltoken.economics.unit_cost import usd_per_million_tokens

DAY = dt.timedelta(days=1)
TENSORRT_LLM = "trtllm-perf-overview-2026"

# Output tok/s per GPU, gpt-oss-120b: TensorRT-LLM performance overview (main 03e27c7),
# https://github.com/NVIDIA/TensorRT-LLM/blob/03e27c7d5ff0/docs/source/developer-guide/perf-overview.md
GPT_OSS_120B = {
    ("B200", 1000, 1000): 25_943,
    ("B200", 1024, 1024): 25_870,
    ("B200", 1024, 8192): 17_289,
    ("B200", 1024, 32768): 6_279,
    ("B200", 8192, 1024): 6_111,
    ("B200", 32768, 1024): 1_392,
    ("GB200 NVL72", 1000, 1000): 27_198,
    ("GB200 NVL72", 1024, 1024): 26_609,
    ("GB200 NVL72", 1024, 8192): 14_800,
    ("GB200 NVL72", 1024, 32768): 5_556,
    ("GB200 NVL72", 8192, 1024): 6_835,
    ("GB200 NVL72", 32768, 1024): 1_645,
    ("H200", 1000, 1000): 6_868,
    ("H200", 1024, 1024): 6_798,
    ("H200", 1024, 8192): 3_543,
    ("H200", 8192, 1024): 1_828,
    ("H200", 32768, 1024): 519,
    ("H100", 1000, 1000): 4_685,
    ("H100", 1024, 1024): 4_715,
    ("H100", 1024, 32768): 1_177,
    ("H100", 8192, 1024): 1_169,
    ("H100", 32768, 1024): 333,
}

# GLM-5, 8k in, 1k out, SGLang with MTP, of two articles of 2026-05-26 and 2026-05-25:
# platform, precision, layout, concurrency, total tok/s per GPU, tok/s/user, published USD/M.
# https://inferencex.semianalysis.com/blog/b200-glm5-nvfp4-vs-h200-fp8-3-6x-perf-per-dollar
# https://inferencex.semianalysis.com/blog/mi355x-glm5-fp8-sglang-40-cheaper-than-b200
GLM_5 = [
    ("B200", "nvfp4", "TP4", 4, 1038.7, 121.22, 0.52),
    ("B200", "nvfp4", "TP4", 8, 1523.5, 94.53, 0.36),
    ("B200", "nvfp4", "TP4", 16, 2228.1, 66.27, 0.24),
    ("B200", "nvfp4", "TP4", 32, 3037.3, 43.99, 0.18),
    ("B200", "nvfp4", "TP4", 64, 3739.7, 26.78, 0.14),
    ("B200", "nvfp4", "TP4", 128, 4115.5, 17.63, 0.13),
    ("B200", "nvfp4", "TP4", 256, 4090.7, 17.37, 0.13),
    ("B200", "nvfp4", "TP8", 4, 579.2, 140.08, 0.94),
    ("B200", "fp8", "TP8", 4, 417.0, 100.85, 1.30),
    ("B200", "fp8", "TP8", 128, 1929.5, 13.78, 0.28),
    ("H200", "fp8", "TP8", 4, 347.9, 84.49, 1.13),
    ("H200", "fp8", "TP8", 32, 851.9, 24.90, 0.46),
    ("MI355X", "fp8", "TP4", 4, 625.5, 76.80, 0.66),
    ("MI355X", "fp8", "TP4", 16, 1208.1, 35.82, 0.34),
]


@pytest.fixture(scope="module")
def catalog():
    """Read the shipped catalog, without any overlay."""
    store.reload()
    return store.load("")


def rows_of(record):
    """Read a shipped file as text."""
    with (reading.DATA / record.FILE).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def records_of(catalog, kind):
    """Return every shipped row of one kind, withdrawn ones too."""
    return [record for record in catalog.everything if isinstance(record, kind)]


def rate(catalog, platform, basis, day):
    """Return the one shipped rate of a platform and basis that is valid on a day."""
    (row,) = (
        row
        for row in catalog.rates_of(platform)
        if row.basis == basis and row.valid_from <= day and (row.valid_to or day) >= day
    )
    return row


def test_the_shipped_files_have_no_problem():
    """Every shipped row can be used."""
    assert store.read("")[1] == []


@pytest.mark.parametrize("record", RECORDS)
def test_a_shipped_file_has_exactly_its_columns(record):
    """The header of a shipped file is the schema, in its order but for the place of source_id."""
    header = list(rows_of(record)[0])
    names = [field.name for field in columns(record)]
    assert sorted(header) == sorted(names)
    assert header[-2:] == ["recorded", "withdrawn"]


@pytest.mark.parametrize("record", RECORDS)
def test_a_shipped_file_is_plain(record):
    """Shipped files are UTF-8 without byte order mark, with no spaces around cells and Unix lines."""
    content = (reading.DATA / record.FILE).read_bytes()
    assert not content.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in content
    assert content.endswith(b"\n")
    cells = itertools.chain.from_iterable(row.values() for row in rows_of(record))
    assert all(cell == cell.strip() for cell in cells)


def test_every_row_rests_on_a_source(catalog):
    """Each shipped fact names a source of sources.csv, and each was recorded on a day."""
    for record in catalog.everything:
        assert record.source_id in catalog.sources, record
        assert record.recorded is not None, record
        assert not record.origin.user


def test_every_source_can_be_looked_up(catalog):
    """Each source has a web address, a publisher and the day on which it was retrieved."""
    for source in records_of(catalog, Source):
        assert source.url.startswith(("https://", "http://")), source
        assert source.publisher, source
        assert source.retrieved is not None, source
        assert source.published is None or source.published <= source.retrieved, source


def test_every_source_is_used(catalog):
    """No source stands in the file without a fact that rests on it."""
    facts = (record for record in catalog.everything if not isinstance(record, Source))
    assert set(catalog.sources) == {record.source_id for record in facts}


@pytest.mark.parametrize("record", RECORDS)
def test_no_key_stands_twice(record, catalog):
    """Of the shipped rows that are not withdrawn, no two have the same key."""
    names = reading.identity(record)
    live = [row for row in records_of(catalog, record) if row.withdrawn is None]
    keys = Counter(
        tuple(store.normalize(str(getattr(row, name))) for name in names) for row in live
    )
    assert [key for key, count in keys.items() if count > 1] == []


def test_no_configuration_is_counted_twice_on_a_day(catalog):
    """Two observations of one day differ in platform, model, shape or configuration."""
    names = "date platform model tokens_in tokens_out precision speculative framework layout"
    names += " method concurrency"
    configuration = operator.attrgetter(*names.split())
    counted = Counter(map(configuration, catalog.observations))
    assert [key for key, count in counted.items() if count > 1] == []


def test_every_row_is_steady(catalog):
    """By Little's law no shipped row holds more than twice the tokens it serves."""
    ratios = [row.steadiness for row in catalog.observations if row.steadiness is not None]
    assert len(ratios) > 1_000
    assert max(ratios) <= 2.0
    assert min(ratios) > 1.0
    assert sum(ratio > 1.35 for ratio in ratios) < 0.05 * len(ratios)


def test_the_date_of_the_catalog():
    """The catalog's date is the latest day recorded in any shipped file."""
    days = (row["recorded"] for record in RECORDS for row in rows_of(record))
    assert store.read("")[0].date == dt.date.fromisoformat(max(days))


def test_nothing_was_recorded_before_it_happened(catalog):
    """Observations are dated and published on or before the day they were recorded."""
    for row in catalog.observations:
        assert row.date <= row.known_since <= row.recorded, row


def test_grades_follow_the_sources(catalog):
    """Benchmark runs are measured, TensorRT-LLM's own table is vendor, statements are claims."""
    grades = {}
    for row in catalog.observations:
        source = row.source_id.partition("-run-")[0]
        grades.setdefault(source, set()).add(row.evidence)
    assert grades == {
        "ix": {"measured"},
        "ix-article-glm5-b200": {"measured"},
        "ix-article-glm5-mi355x": {"measured"},
        "ix-article-dsr1-gb200": {"measured"},
        "ix-article-dsr1-sglang056": {"measured"},
        TENSORRT_LLM: {"vendor"},
        "nv-blog-2025-10": {"claim"},
    }
    assert set.union(*grades.values()) <= set(EVIDENCE_GRADES)


def test_four_bit_formats_belong_to_their_vendor(catalog):
    """Every row names a precision; measured and vendor FP4 is nvfp4 on NVIDIA and mxfp4 on AMD."""
    for row in catalog.observations:
        assert row.precision in {"fp8", "nvfp4", "mxfp4"}, row
        other = {"NVIDIA": "mxfp4", "AMD": "nvfp4"}[catalog.platforms[row.platform].vendor]
        assert row.evidence == "claim" or row.precision != other, row


def test_gpt_oss_is_the_table_of_tensorrt_llm(catalog):
    """The 22 rows of gpt-oss-120b have the published output tok/s per GPU, and no others."""
    rows = [row for row in catalog.observations if row.source_id == TENSORRT_LLM]
    shipped = {
        (row.platform, row.tokens_in, row.tokens_out): row.tokens_per_second_output for row in rows
    }
    assert shipped == GPT_OSS_120B
    assert len(rows) == len(GPT_OSS_120B)
    assert {row.model for row in rows} == {"gpt-oss-120b"}
    assert {row.tokens_per_second_total for row in rows} == {None}
    assert {row.date_precision for row in rows} == {"year"}


def test_the_headline_token_costs_two_cents(catalog):
    """25,943 output tok/s on a B200 at $1.95 an hour are $0.0209 per 1M output tokens."""
    row = next(row for row in catalog.observations if row.observation_id == "trtllm-oss-01")
    hour = rate(catalog, "B200", "own_hyperscaler", dt.date(2026, 3, 18))
    usd = usd_per_million_tokens(hour.usd_per_accelerator_hour, row.tokens_per_second_output)
    assert (row.platform, row.precision, row.evidence) == ("B200", "nvfp4", "vendor")
    assert round(usd, 4) == 0.0209


@pytest.mark.parametrize("point", GLM_5, ids=lambda point: "-".join(map(str, point[:4])))
def test_glm_5_is_the_point_of_the_article(catalog, point):
    """A shipped GLM-5 point has the article's speeds, and costs what it says within a cent."""
    platform, precision, layout, concurrency, total, per_user, published = point
    (row,) = (
        row
        for row in catalog.of(platform, "glm-5")
        if (row.precision, row.layout, row.concurrency) == (precision, layout, concurrency)
        and row.speculative == "mtp"
    )
    assert (row.tokens_in, row.tokens_out) == (8192, 1024)
    assert (row.total, row.tokens_per_second_per_user) == (total, per_user)
    hour = rate(catalog, platform, "own_hyperscaler", row.date)
    usd = usd_per_million_tokens(hour.usd_per_accelerator_hour, row.total)
    assert usd == pytest.approx(published, abs=0.01)


def test_glm_5_has_all_points_of_its_articles(catalog):
    """GLM-5 has 42 points: 5 on H200, 22 on B200 and 15 on MI355X, all of two articles."""
    rows = [row for row in catalog.observations if row.model == "glm-5"]
    assert Counter(row.platform for row in rows) == {"H200": 5, "B200": 22, "MI355X": 15}
    assert Counter(row.date for row in rows) == {
        dt.date(2026, 5, 25): 20,
        dt.date(2026, 5, 20): 22,
    }


def test_the_claims_are_two_speeds_of_one_machine(catalog):
    """B200 on gpt-oss-120b is claimed at 6,000 tok/s on 2025-08-05 and 30,000 on 2025-10-09."""
    claims = [row for row in catalog.observations if row.evidence == "claim"]
    assert [
        (row.date, row.tokens_per_second_output, row.tokens_per_second_per_user) for row in claims
    ] == [(dt.date(2025, 8, 5), 6_000, 100), (dt.date(2025, 10, 9), 30_000, 100)]
    for row in claims:
        assert (row.platform, row.model) == ("B200", "gpt-oss-120b")
        assert row.known_since == dt.date(2025, 10, 9)
        assert row.speculative == ("none" if row.date.month == 8 else "eagle3-v2")
        assert "assumed" in row.note


def test_the_claims_cost_what_they_say(catalog):
    """At $2.34 an hour the claimed speeds cost $0.108 and $0.0217 per 1M output tokens."""
    hour = rate(catalog, "B200", "own_neocloud", dt.date(2026, 3, 18)).usd_per_accelerator_hour
    claims = [row for row in catalog.observations if row.evidence == "claim"]
    usd = [usd_per_million_tokens(hour, row.tokens_per_second_output) for row in claims]
    assert [round(usd[0], 3), round(usd[1], 4)] == [0.108, 0.0217]


@pytest.mark.parametrize(
    ("day", "hyperscaler", "neocloud", "rental", "kilowatts", "kw_basis"),
    [
        (dt.date(2026, 3, 18), 1.95, 2.34, 2.90, 2.17, "utility"),
        (dt.date(2026, 8, 13), 1.95, 2.34, 2.90, 2.17, "utility"),
        (dt.date(2026, 8, 14), 1.73, 2.07, 2.60, 1.71, "chip_and_host"),
    ],
)
def test_the_rates_of_a_b200(catalog, day, hyperscaler, neocloud, rental, kilowatts, kw_basis):
    """USD per B200-hour and kW by basis, before and after the surveys of July 2026."""
    bases = ("own_hyperscaler", "own_neocloud", "rental_3yr")
    rows = [rate(catalog, "B200", basis, day) for basis in bases]
    assert [row.usd_per_accelerator_hour for row in rows] == [hyperscaler, neocloud, rental]
    assert {(row.kw_per_accelerator, row.kw_basis) for row in rows} == {(kilowatts, kw_basis)}


def test_rates_follow_each_other_without_gap(catalog):
    """Of one platform and basis each rate ends the day before the next, and the last is open."""
    series = {}
    for row in records_of(catalog, Rate):
        series.setdefault((row.platform, row.basis), []).append(row)
    for rows in series.values():
        rows.sort(key=lambda row: row.valid_from)
        assert rows[-1].valid_to is None, rows[-1]
        for early, late in itertools.pairwise(rows):
            assert early.valid_to == late.valid_from - DAY, early


def test_every_platform_with_evidence_has_both_own_rates(catalog):
    """Where there is evidence there is a rate for the scenarios base and conservative, with kW."""
    for platform in catalog.platforms_with_evidence:
        for basis in ("own_hyperscaler", "own_neocloud"):
            rows = [row for row in catalog.rates_of(platform) if row.basis == basis]
            assert rows, (platform, basis)
            assert all(row.kw_per_accelerator and row.kw_basis for row in rows)


def test_power_is_on_one_basis_by_date(catalog):
    """Of rates that state kW, those before 2026-08-14 are utility, later ones chip and host."""
    stated = [row for row in catalog.rates if row.kw_per_accelerator is not None]
    assert len(stated) >= len(catalog.rates) - 1
    for row in stated:
        early = row.valid_from < dt.date(2026, 8, 14)
        assert row.kw_basis == ("utility" if early else "chip_and_host"), row


def test_placeholders_are_marked(catalog):
    """Where there is evidence, B300 and GB300 before 2026-08-14 alone have placeholder rates."""
    measured = catalog.platforms_with_evidence
    marked = {
        (row.platform, row.valid_from, row.basis)
        for row in catalog.rates
        if row.placeholder and row.platform in measured
    }
    bases = ("own_hyperscaler", "own_neocloud", "rental_3yr")
    platforms = ("B300", "GB300 NVL72")
    assert marked == set(itertools.product(platforms, [dt.date(2026, 3, 18)], bases))


def test_on_demand_has_no_rates_yet(catalog):
    """No shipped rate is on demand; the other three bases have rows."""
    assert {row.basis for row in catalog.rates} == {
        "own_hyperscaler",
        "own_neocloud",
        "rental_3yr",
    }


def test_platforms_without_evidence_say_so(catalog):
    """Platforms nobody measured are listed, and their note says that no measurement is usable."""
    silent = set(catalog.platforms) - catalog.platforms_with_evidence
    assert silent == {
        "Vera Rubin NVL72",
        "RTX PRO 6000",
        "Trainium2",
        "Trainium3",
        "TPU v7",
        "Gaudi 3",
    }
    for name in silent:
        note = catalog.platforms[name].note
        assert "no usable measurement" in note or "no public measurement" in note, name


def test_every_platform_with_evidence_has_a_launch_date(catalog):
    """The age of a platform, and so its drift, is known wherever there is evidence."""
    for platform in catalog.platforms_with_evidence:
        assert catalog.platforms[platform].launched <= catalog.date


def test_aliases_are_of_one_platform(catalog):
    """No two platforms claim one name, and every alias finds its platform."""
    claimed = Counter()
    for key, platform in catalog.platforms.items():
        names = {key, platform.label, *platform.aliases.split(";")}
        forms = {store.normalize(name) for name in names} - {""}
        claimed.update(forms)
        assert all(catalog.platform(form).platform == key for form in forms)
    assert set(claimed.values()) == {1}


@pytest.mark.parametrize(
    ("text", "key"),
    [("gb200", "GB200 NVL72"), ("gb300-nvl72", "GB300 NVL72"), ("Instinct MI355X", "MI355X")],
)
def test_platforms_answer_to_their_usual_names(catalog, text, key):
    """The usual short names find the shipped platforms."""
    assert catalog.platform(text).platform == key


def test_every_model_has_the_five_shapes(catalog):
    """Three models are known, each with five workloads and the release date of its weights."""
    released = {
        "deepseek-r1": dt.date(2025, 1, 20),
        "glm-5": dt.date(2026, 2, 11),
        "gpt-oss-120b": dt.date(2025, 8, 5),
    }
    assert {(workload.key, workload.model_released) for workload in catalog.workloads.values()} == {
        (f"{model}/{shape}", day) for model, day in released.items() for shape in store.SHAPES
    }
    assert not any(workload.user for workload in catalog.workloads.values())


def test_every_model_is_served_by_evidence(catalog):
    """Every model has a workload that some observation serves."""
    for model in catalog.models.values():
        rows = [row for row in catalog.observations if row.model == model]
        loads = [load for load in catalog.workloads.values() if load.model == model]
        assert any(load.serves(row) for load in loads for row in rows)


def test_every_observation_is_counted(catalog):
    """No observation is withdrawn so far, and all of them are of platforms in the file."""
    assert len(catalog.observations) == len(records_of(catalog, Observation)) == 1150
    assert catalog.platforms_with_evidence <= set(catalog.platforms)


def test_the_prior_of_the_drift(catalog):
    """The prior software gain is 1 % throughput a month."""
    prior = catalog.priors["software_gain_per_month"]
    assert (prior.value, prior.unit) == (0.01, "share of throughput a month")


def test_before_it_was_recorded_the_catalog_is_empty(catalog):
    """A cut before the first record holds no row and has the date of the cut."""
    cut = min(record.recorded for record in catalog.everything) - DAY
    past = catalog.at(cut)
    assert (past.date, past.observations, past.rates, past.workloads) == (cut, (), (), {})
