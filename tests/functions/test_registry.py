"""The registry: what is exported, described and documented, and the worked examples."""

import datetime as dt
import inspect
import itertools

import pytest
from contract_tools import ask, check_fit, outcome

import xltoken
from xltoken.functions import FUNCTIONS, WorksheetFunction, cells
from xltoken.functions.definition import REQUIRED, Column, Kind, Parameter, literal
from xltoken.functions.registry import FAMILIES, described, documentation, load

EXPORTED = [
    "TOKEN_COST",
    "TOKEN_CAPACITY",
    "TOKEN_COST_RANGE",
    "TOKENS_PER_MEGAWATT",
    "ACCELERATORS_REQUIRED",
    "TOKEN_SOURCE",
    "PLATFORM_RANKING",
    "CHEAPEST_PLATFORM",
    "TOKEN_PRICE",
    "COST_CURVE",
    "LEARNING_CURVE",
    "COST_CURVE_FIT",
    "NPV_DECLINING",
    "NPV_STATIC",
    "NPV_ADVANTAGE",
    "PAYBACK_MONTHS",
    "IRR_ALL",
    "LEVELIZED_COST",
    "BREAKEVEN_PRICE",
    "BREAKEVEN_UTILIZATION",
    "DEPRECIATION_CHARGE",
    "COST_LINES",
    "BUY_OR_BUILD",
    "NPV_SIMULATION",
    "NPV_TORNADO",
    "XLTOKEN_INFO",
]

TABLES = ["capacity_table", "cost_table", "evidence_table", "price_table", "ranking_table"]

SIGNATURES = {
    "TOKEN_COST": "(platform, month, workload, [assumptions])",
    "TOKEN_CAPACITY": "(platform, month, workload, [accelerators=1], [assumptions])",
    "TOKEN_COST_RANGE": "(platform, month, workload, [confidence=0.8], [assumptions])",
    "TOKENS_PER_MEGAWATT": "(platform, month, workload, [assumptions])",
    "ACCELERATORS_REQUIRED": (
        "(platform, month, workload, volume, [peak_factor=1], [assumptions])"
    ),
    "TOKEN_PRICE": '(model_or_workload, month, [provider="lowest"], [kind], [assumptions])',
    "TOKEN_SOURCE": '(platform, workload, [field="citation"], [month=0], [assumptions])',
    "PLATFORM_RANKING": "(month, workload, [assumptions])",
    "CHEAPEST_PLATFORM": "(month, workload, [rank=1], [assumptions])",
    "COST_CURVE": '(start, month, decline, [floor=0], [shape="exponential"], [floor_share])',
    "LEARNING_CURVE": "(start, cumulative_volume, learning_rate, [initial_volume=1])",
    "COST_CURVE_FIT": '(months, costs, [shape="exponential"])',
    "NPV_SIMULATION": (
        "(discount_rate, volumes, unit_cost, decline, [price=0], [investment=0], [assumptions])"
    ),
    "NPV_TORNADO": (
        "(discount_rate, volumes, unit_cost, decline, [price=0], [investment=0], [spread=0.2], "
        "[assumptions])"
    ),
    "NPV_DECLINING": (
        "(discount_rate, volumes, unit_cost, [decline=0], [price=0], [investment=0], [floor=0], "
        "[assumptions])"
    ),
    "NPV_STATIC": ("(discount_rate, volumes, unit_cost, [price=0], [investment=0], [assumptions])"),
    "NPV_ADVANTAGE": (
        "(discount_rate, volumes, unit_cost, [decline=0], [price=0], [investment=0], [floor=0], "
        "[assumptions])"
    ),
    "PAYBACK_MONTHS": "(cashflows, [discount_rate=0])",
    "IRR_ALL": "(cashflows, [periods_per_year=1])",
    "LEVELIZED_COST": (
        '(discount_rate, volumes, costs, [investment=0], [residual=0], [timing="end"])'
    ),
    "BREAKEVEN_PRICE": (
        "(discount_rate, volumes, unit_cost, decline, [investment=0], [floor=0], [assumptions])"
    ),
    "BREAKEVEN_UTILIZATION": (
        "(discount_rate, capacity, costs, price, [investment=0], [assumptions])"
    ),
    "DEPRECIATION_CHARGE": ('(cost, salvage, life_years, year, [method="straight_line"], [share])'),
    "COST_LINES": (
        "(discount_rate, investment, volumes, life_years, [salvage=0], [market_decline=0])"
    ),
    "BUY_OR_BUILD": (
        "(discount_rate, volumes, api_price, unit_cost, [investment=0], "
        '[field="npv"], [assumptions])'
    ),
    "XLTOKEN_INFO": '([field="version"])',
}

functions = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=list(FUNCTIONS))


def test_exported_names_are_pinned():
    """What the package exports is written down here: a name that comes or goes is a decision."""
    assert set(dir(xltoken)) == {"__version__", *EXPORTED, *TABLES}
    assert sorted(FUNCTIONS) == sorted(EXPORTED)
    assert len(dir(xltoken)) == len(EXPORTED) + len(TABLES) + 1


def test_every_exported_name_is_the_function_of_that_name():
    """An attribute of the package is the registry's function, and nothing else passes for one."""
    for name in EXPORTED:
        function, example = getattr(xltoken, name), FUNCTIONS[name].example
        assert function.__doc__ == documentation(FUNCTIONS[name])
        assert function(*example) == FUNCTIONS[name](*example)
    for name in ("token_cost", "Token_Cost", "_TOKEN_COST", "TOKEN_COSTS", "REQUIRED"):
        with pytest.raises(AttributeError, match=f"no attribute '{name}'"):
            getattr(xltoken, name)


@functions
def test_signatures_are_those_of_the_design(function: WorksheetFunction):
    """Names, order, brackets and defaults of the parameters are those of DESIGN.md, section 6."""
    assert function.signature == function.name + SIGNATURES[function.name]


def test_load_gives_the_registry_and_every_family_declares():
    """Loading returns the one registry, and every module of it declares a function."""
    assert load() is FUNCTIONS
    modules = [f.implementation.__module__ for f in FUNCTIONS.values()]
    families = [module.removeprefix("xltoken.functions.") for module in modules]
    assert list(dict.fromkeys(families)) == list(FAMILIES)


@functions
def test_worked_example_is_right_at_both_doors(function: WorksheetFunction):
    """The worked example gives a value, the same one in Python, through the engine and by name."""
    result = ask(function, function.example)
    check_fit(result)
    assert not isinstance(result, cells.CellError)
    assert outcome(function(*function.example)) == outcome(result)
    names = [p.name for p in function.parameters]
    named = dict(zip(names, function.example, strict=False))
    assert outcome(function(**named)) == outcome(result)
    first, *rest = named.items()
    assert outcome(function(first[1], **dict(reversed(rest)))) == outcome(result)


@functions
def test_the_written_example_is_the_worked_example(function: WorksheetFunction):
    """The formula shown to people computes what the worked example computes."""
    from xltoken.recalc.workbook import evaluate

    rows, notebook = evaluate(function.example_formula)
    result = function(*function.example)
    assert rows == cells.outgoing(result if isinstance(result, list) else [[result]])
    assert not notebook.messages


@functions
def test_the_same_call_gives_the_same_result(function: WorksheetFunction):
    """A result does not depend on what was asked before."""
    first = outcome(function(*function.example))
    for other in FUNCTIONS.values():
        other(*other.example)
    assert outcome(function(*function.example)) == first


@functions
def test_too_many_arguments_are_refused_with_the_signature(function: WorksheetFunction):
    """One argument more than there are parameters is #VALUE!, and the message shows the signature."""
    full = [*function.example, *[None] * (len(function.parameters) - len(function.example))]
    assert outcome(function(*full)) == outcome(function(*function.example))
    result = ask(function, [*full, None])
    assert result == "#VALUE!"
    assert isinstance(result, cells.CellError)
    assert function.signature in result.message
    assert f"it got {len(full) + 1}" in result.message


@functions
def test_no_arguments_at_all_is_value_or_the_default(function: WorksheetFunction):
    """Called with nothing, a function asks for its first required parameter or takes defaults."""
    result = ask(function, [])
    required = [p for p in function.parameters if p.required]
    if required:
        assert result == "#VALUE!"
        assert f"{required[0].name} is missing" in result.message
    else:
        assert outcome(result) == outcome(function(*[p.default for p in function.parameters]))


@functions
def test_unknown_and_doubled_names_are_python_errors(function: WorksheetFunction):
    """A keyword that is no parameter is a TypeError, as of any Python function."""
    with pytest.raises(TypeError, match="nope"):
        function(nope=1)
    with pytest.raises(TypeError, match="multiple values"):
        function(1, **{function.parameters[0].name: 1})


@functions
def test_documentation_holds_each_parameter_and_unit(function: WorksheetFunction):
    """The documentation names each parameter with kind, help, unit and default, and the example."""
    text = documentation(function)
    lines = text.splitlines()
    assert lines[0] == function.summary
    for p in function.parameters:
        head = f"{p.name} : {p.kind.value}" + ("" if p.required else ", optional")
        assert head in lines
        body = lines[lines.index(head) + 1]
        assert p.help.rstrip(".") in body
        assert p.unit in body
        default = p.default if p.otherwise is None else p.otherwise
        if p.required or default is None:
            assert "Default" not in body
        else:
            shown = f'"{default}"' if isinstance(default, str) else f"{default:g}"
            assert body.endswith(f"Default {shown}.")
    for text_part in (function.result, function.formula, function.source):
        assert text_part in text
    assert lines[-1] == function.example_formula
    titles = [above for above, below in itertools.pairwise(lines) if set(below) == {"-"}]
    expected = ["Parameters", "Returns", "Notes", "Examples"]
    assert titles == [t for t in expected if t != "Notes" or function.formula or function.source]


def test_documentation_without_a_formula_has_no_notes():
    """Notes appear only where there is a formula or a source."""
    bare = _toy(lambda: 1.0)
    assert "Notes" not in documentation(bare)


@functions
def test_every_definition_is_complete(function: WorksheetFunction):
    """A function has summary, result, example and a help text ending in a stop for every parameter."""
    assert function.name == function.name.upper() == function.implementation.__name__
    for text in (function.family, function.summary, function.result, function.formula):
        assert text == text.strip() != ""
    assert function.summary.endswith(".")
    names = [p.name for p in function.parameters]
    assert len(set(names)) == len(names)
    assert all(p.help.endswith(".") for p in function.parameters)
    numeric = (Kind.NUMBER, Kind.SERIES, Kind.DATE)
    assert all(p.unit for p in function.parameters if p.kind in numeric)
    needs = [p.required for p in function.parameters]
    assert needs == sorted(needs, reverse=True), "a required parameter follows an optional one"
    assert len(inspect.signature(function.implementation).parameters) == len(names)
    if Kind.ASSUMPTIONS in [p.kind for p in function.parameters]:
        assert function.parameters[-1].kind is Kind.ASSUMPTIONS
    assert all(column.kind in ("number", "text", "date") for column in function.columns)


@functions
def test_described_is_plain_data_of_the_definition(function: WorksheetFunction):
    """The listing of a function is plain data, and repeats its definition."""
    listed = described(function)
    assert listed["name"] == function.name
    assert listed["signature"] == function.signature
    assert listed["example"] == function.example_formula
    assert [p["name"] for p in listed["parameters"]] == [p.name for p in function.parameters]
    for shown, parameter in zip(listed["parameters"], function.parameters, strict=True):
        assert type(shown["kind"]) is str
        assert shown["required"] is (parameter.default is REQUIRED)
        expected = None if parameter.required else parameter.default
        expected = parameter.otherwise if expected is None else expected
        assert shown["default"] == expected


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, ""),
        (True, "TRUE"),
        (False, "FALSE"),
        ('say "so"', '"say ""so"""'),
        (dt.date(2026, 1, 31), "DATE(2026,1,31)"),
        (1.0, "1"),
        (0.1, "0.1"),
        (1e-7, "1e-07"),
        ([["a", 1.5], ["b", True]], '{"a",1.5;"b",TRUE}'),
        ([["a"], ["b"]], '{"a";"b"}'),
        ((("a", "b"),), '{"a","b"}'),
    ],
)
def test_literal_writes_what_a_formula_reads(value, written):
    """A Python value is written as a person types it into a formula."""
    assert literal(value) == written


def test_literal_writes_a_flat_list_as_the_cells_read_it():
    """A flat list lifts in the same direction in Python and in the formula written for it."""
    from xltoken.recalc.workbook import evaluate

    curve = FUNCTIONS["COST_CURVE"]
    starts = [0.1, 0.2]
    rows, _ = evaluate(f"=COST_CURVE({literal(starts)}, 12, 0.5)")
    assert rows == curve(starts, 12, 0.5)


def test_kinds_lift_as_the_design_says():
    """Keys, dates and numbers lift; series and assumptions are taken whole."""
    assert [kind.value for kind in Kind if kind.lifts] == ["key", "date", "number"]


def test_small_money_is_prices_costs_and_rates():
    """The parameters in which a cut Decimal is unsafe are the prices, costs and yearly rates."""
    found = {p.name for f in FUNCTIONS.values() for p in f.parameters if p.small_money}
    assert found == {
        "start",
        "floor",
        "decline",
        "discount_rate",
        "unit_cost",
        "price",
        "costs",
        "api_price",
        "market_decline",
    }


def test_marks_show_as_words():
    """The marks for required and missing read as words in messages and debuggers."""
    assert repr(REQUIRED) == "REQUIRED"
    assert repr(cells.MISSING) == "MISSING"


def _toy(implementation, *parameters, columns=()):
    return WorksheetFunction(
        "TOY", "Toys", "A toy.", tuple(parameters), "Anything.", "", "", (), columns, implementation
    )


def test_a_table_function_has_columns():
    """A function with columns gives a table, one without gives a cell."""
    assert not _toy(lambda: 1.0).table
    assert _toy(lambda: 1.0, columns=(Column("a", "number"),)).table
    parameter = Parameter("x", Kind.NUMBER, "share", "A share.", 0.5)
    assert _toy(lambda x: x, parameter).signature == "TOY([x=0.5])"
