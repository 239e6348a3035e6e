"""The text of formulas: our calls found under every spelling, skipped arguments filled."""

import formualizer
import pytest

from xltoken.functions import FUNCTIONS
from xltoken.recalc.formulas import (
    bare_name,
    function_names,
    is_volatile,
    own_calls,
    skipped_filled,
)

# How each host writes a function on disk (FACTS, section 2).
SPELLINGS = (
    "TOKEN_COST",
    "token_cost",
    "Token_Cost",
    "_xll.TOKEN_COST",
    "_xldudf_TOKEN_COST",
    "_xldudf_XLTOKEN_TOKEN_COST",
    "_xldudf_FIN_TOKEN_COST",
    "[1]!TOKEN_COST",
    "[12]!TOKEN_COST",
    r"'C:\Add Ins\xltoken.xlam'!TOKEN_COST",
)


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_every_spelling_is_a_call_of_ours(spelled):
    """A call is ours under every spelling that a host writes, and its name is the plain one."""
    assert list(own_calls(f"=1+{spelled}(A1,0)")) == [(spelled, "TOKEN_COST")]


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_is_found(name):
    """Each function of the registry is recognised, also where a longer name contains it."""
    assert list(own_calls(f"=SUM({name}(A1),{name.lower()} (B1))")) == [
        (name, name),
        (name.lower(), name),
    ]


@pytest.mark.parametrize(
    "formula",
    [
        '="TOKEN_COST(A1)"',
        "=MY_TOKEN_COST(A1)",
        "=x.TOKEN_COST(A1)",
        "=TOKEN_COST+1",
        "=TOKEN_COSTS(A1)",
        "=1+2",
        "=XLTOKEN",
        '="say ""TOKEN_COST(1)"" twice"',
    ],
)
def test_what_is_no_call_of_ours(formula):
    """Text literals, longer names, and names without a bracket are no calls of ours."""
    assert list(own_calls(formula)) == []


def test_several_calls_are_found_in_order():
    """Nested and repeated calls are all found, from left to right."""
    found = own_calls('=_xll.NPV_STATIC(A1,TOKEN_COST("B200(",B1,C1))+[1]!XLTOKEN_INFO()')
    assert [name for _, name in found] == ["NPV_STATIC", "TOKEN_COST", "XLTOKEN_INFO"]


@pytest.mark.parametrize(
    ("formula", "filled"),
    [
        ("=NPV_STATIC(0.1,,2)", '=NPV_STATIC(0.1,"",2)'),
        ("=NPV_STATIC(0.1,A1:A3,2,)", '=NPV_STATIC(0.1,A1:A3,2,"")'),
        ("=NPV_STATIC(,,)", '=NPV_STATIC("","","")'),
        ("=XLTOKEN_INFO()", "=XLTOKEN_INFO()"),
        ("=NPV_STATIC(0.1, ,2)", '=NPV_STATIC(0.1, "",2)'),
        ("=IF(A1,,NPV_STATIC(0.1,,2))", '=IF(A1,,NPV_STATIC(0.1,"",2))'),
        ("=NPV_STATIC(0.1,SUM(1,,2),)", '=NPV_STATIC(0.1,SUM(1,,2),"")'),
        ("=NPV_STATIC(0.1,(A1+1),)", '=NPV_STATIC(0.1,(A1+1),"")'),
        ("=NPV_STATIC(0.1,{1,2;3,4},)", '=NPV_STATIC(0.1,{1,2;3,4},"")'),
        ('=NPV_STATIC(0.1,"a,,b",)', '=NPV_STATIC(0.1,"a,,b","")'),
        ("=_xll.NPV_STATIC(0.1,,2)", '=_xll.NPV_STATIC(0.1,"",2)'),
        ("=[1]!NPV_STATIC(0.1,,2)", '=[1]!NPV_STATIC(0.1,"",2)'),
        ("=npv_static(0.1,,2)*(1+A1)", '=npv_static(0.1,"",2)*(1+A1)'),
    ],
)
def test_skipped_arguments_become_an_empty_text(formula, filled):
    """A skipped argument of ours becomes "", one of another function stays as it is."""
    assert skipped_filled(formula) == filled


@pytest.mark.parametrize(
    "formula", ["=A1+1", "=NPV_STATIC(0.1,,2)", '=IF(A1="x, y",TOKEN_COST(B1,,C1),{1,2})']
)
def test_filling_is_idempotent(formula):
    """A formula that was filled once is not changed by filling it again."""
    once = skipped_filled(formula)
    assert skipped_filled(once) == once


def test_filling_accepts_a_formula_without_its_sign():
    """The file stores formulas without the equals sign; the filled one has it."""
    assert skipped_filled("NPV_STATIC(0.1,,2)") == '=NPV_STATIC(0.1,"",2)'


def test_filling_leaves_a_formula_that_parses():
    """What filling writes is again a formula that the engine's parser reads."""
    formualizer.parse(skipped_filled("=IF(A1>0,NPV_STATIC(0.1,,B1:B3,),-1)"))


def test_functions_of_a_formula_are_listed_as_written():
    """Every function that a formula calls is listed, prefixes included."""
    names = function_names("=_xlfn.CONCAT(IF(A1,SUM(B1:B3),NOPE(2)))")
    assert {name.upper() for name in names} == {"_XLFN.CONCAT", "IF", "SUM", "NOPE"}


def test_an_unreadable_formula_has_no_functions():
    """A formula that the parser refuses lists nothing instead of failing."""
    assert function_names("=1+(((") == ()


@pytest.mark.parametrize(
    ("spelled", "bare"),
    [
        ("_xlfn.CONCAT", "CONCAT"),
        ("_xlfn._xlws.FILTER", "FILTER"),
        ("_xll.other", "OTHER"),
        ("sum", "SUM"),
    ],
)
def test_prefixes_are_no_part_of_a_name(spelled, bare):
    """The bare name has no file prefix and stands in capitals."""
    assert bare_name(spelled) == bare


@pytest.mark.parametrize(
    "formula",
    [
        "=NOW()", "=today()", "=RAND ()+1", "=IF(A1,RANDBETWEEN(1,6),0)", "=RANDARRAY(2)",
        "=SUM(OFFSET(A1,0,0,3))", '=INDIRECT("A1")', '=CELL("row",A1)', '=INFO("system")',
    ],
)  # fmt: skip
def test_volatile_formulas_are_known(formula):
    """A formula that calls a function whose value changes by itself is volatile."""
    assert is_volatile(formula)


def test_volatile_functions_are_known_with_their_prefix():
    """RANDARRAY, which files only hold as _xlfn.RANDARRAY, is volatile under that spelling."""
    assert is_volatile("=SUM(_xlfn.RANDARRAY(2))")


@pytest.mark.parametrize(
    "formula",
    [
        "=SUM(A1:A3)",
        '="NOW()"',
        "=MYNOW()",
        "=TODAY+1",
        "=x.RAND()",
        "=BRAND()",
        '=TOKEN_COST("OFFSET(",1,2)',
    ],
)
def test_usual_formulas_are_not_volatile(formula):
    """Text literals, names and longer function names make nothing volatile."""
    assert not is_volatile(formula)


def test_a_quoted_path_may_hold_an_apostrophe():
    """A path with a doubled apostrophe belongs whole to the spelling of the call."""
    spelled = r"'C:\Bob''s\xltoken.xlam'!TOKEN_COST"
    assert list(own_calls(f"={spelled}(A1)")) == [(spelled, "TOKEN_COST")]
