"""Our functions respelled in formulas: every host's spelling, and nothing else touched."""

import html
import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xltoken.functions import FUNCTIONS
from xltoken.recalc.formulas import function_names, own_calls, own_name, plainly_spelled
from xltoken.recalc.spelling import (
    HOSTS,
    Spelling,
    SpellingError,
    edited,
    escaped_mentions,
    mentions,
    respelled,
)

SPELLINGS = [
    Spelling("excel"),
    Spelling("addin"),
    Spelling("addin", link=4),
    Spelling("lite"),
    Spelling("lite", "FIN"),
    Spelling("lite", "XLWINGS_DEV"),
    Spelling("xll"),
    Spelling("libreoffice"),
]
PAIRS = list(itertools.permutations(SPELLINGS, 2))

# --- generated formulas --------------------------------------------------------------------------
# A formula is a tuple of texts and names of ours, so that one formula can be written for each host.

ATOMS = st.sampled_from(
    [
        "1", "-2.5%", "A1", "$B$2:C3", "TRUE", "#N/A", "TOKEN_COST", "rate", "A:A", "#REF!",
        '"TOKEN_COST(1)"', '"say ""[1]!TOKEN_COST(1)"" twice"', '""', '"it\'s _xll.NPV_STATIC("',
        "'TOKEN_COST(x)'!A1", "'It''s NPV_STATIC(1)'!B2", "Jan!A1", "'a [1]!b'!C1", "Jan:Mar!A1",
        '{1,"TOKEN_COST(";2,#N/A}', "{-1;2}",
        "Costs[TOKEN_COST(USD)]", "Costs[[#This Row],[NPV_STATIC(x)]]", "Costs['[1']!TOKEN_COST(]",
        "[2]Jan!A1", "'[3]My sheet TOKEN_COST('!B1:B4", "[2]!rate", "[2]!Costs[TOKEN_COST(a)]",
        "'C:\\x[1]\\[b.xlsx]S'!A1", "Ünit!A1", "[2]Jan:Mar!A1",
    ]
)  # fmt: skip
OTHERS = st.sampled_from(
    ["SUM", "_xlfn.XLOOKUP", "_xll.OTHER", "[2]!OTHER", "_xldudf_OTHER", "_xldudf_FIN_OTHER",
     "MY_TOKEN_COST", "TOKEN_COSTS", "x.TOKEN_COST", "Jan!TOKEN_COST", "'My sheet'!NPV_STATIC",
     "[2]Jan!TOKEN_COST", "ÜTOKEN_COST", "TOKEN_COST.X", "'C:\\y.xlam'!OTHER", "_xlpm.TOKEN_COST",
     "\\TOKEN_COST", ""]
)  # fmt: skip
OURS = st.sampled_from(sorted(FUNCTIONS)).map(lambda name: (FUNCTIONS[name],))
BLANKS = st.sampled_from(["", "", "", " ", "\r\n", "  "])


def _joined(parts, between):
    out = []
    for number, part in enumerate(parts):
        out += [between] * bool(number) + [*part]
    return tuple(out)


def _call(children):
    arguments = st.lists(st.one_of(children, BLANKS.map(lambda b: (b,))), max_size=4)
    named = st.one_of(OURS, OTHERS.map(lambda text: (text,)))
    return st.builds(
        lambda name, blank, inside, after: (*name, blank, "(", *_joined(inside, ","), after, ")"),
        named, BLANKS, arguments, BLANKS,
    )  # fmt: skip


def _operated(children):
    signs = st.sampled_from(["+", "&", "<>", " ", ":", "^", ",", "*-"])
    return st.builds(lambda a, sign, b: (*a, sign, *b), children, signs, children)


FORMULAS = st.recursive(
    ATOMS.map(lambda text: (text,)),
    lambda children: st.one_of(_call(children), _operated(children)),
    max_leaves=12,
)


def written(formula, spelling):
    """The formula as a host writes it."""
    return "".join(p if isinstance(p, str) else spelling.of(p.name) for p in formula)


@settings(max_examples=400)
@given(FORMULAS, st.sampled_from(PAIRS))
def test_every_spelling_becomes_every_other(formula, pair):
    """A formula of one host becomes, to the letter, what another host writes of the same formula."""
    one, other = pair
    assert respelled(written(formula, one), other) == written(formula, other)


@settings(max_examples=400)
@given(FORMULAS, st.sampled_from(PAIRS))
def test_there_and_back_gives_the_formula(formula, pair):
    """Respelled for any host and back, a formula is the text that it was."""
    one, other = pair
    text = written(formula, one)
    assert respelled(respelled(text, other), one) == text
    assert respelled(text, one) == text


@given(FORMULAS, st.sampled_from(SPELLINGS))
def test_small_letters_come_back_in_the_registry_s_case(formula, spelling):
    """LibreOffice's small letters are read, and the names stand in capitals afterwards."""
    small = "".join(p if isinstance(p, str) else p.name.lower() for p in formula)
    assert respelled(small, spelling) == written(formula, spelling)


@given(FORMULAS, st.sampled_from(SPELLINGS))
def test_what_recalculation_reads_is_what_is_respelled(formula, spelling):
    """A recalculation finds in the respelled formula the same functions of ours, in order."""
    names = [p.name for p in formula if not isinstance(p, str)]
    text = written(formula, spelling)
    assert [one.name for one in mentions(text) if one.name] == names
    assert {name for _, name in own_calls(text)} == set(names)
    assert plainly_spelled(text) == written(formula, Spelling("excel"))


ESCAPES = {
    '"': ["&quot;", "&#34;", '"'], "'": ["&apos;", "&#39;", "'"], "&": ["&amp;", "&#x26;"],
    "<": ["&lt;"], ">": ["&gt;", ">"], "T": ["T", "T", "&#84;"], "(": ["(", "&#40;"],
    "_": ["_", "_", "&#x5F;"], "\r": ["&#13;", "\r"],
}  # fmt: skip


@given(FORMULAS, st.sampled_from(PAIRS), st.randoms(use_true_random=False))
def test_xml_is_edited_without_being_unescaped(formula, pair, random):
    """With any letters as entities the same text results, and what is no call keeps its bytes."""
    one, other = pair
    text = written(formula, one)
    xml = "".join(random.choice(ESCAPES.get(letter, [letter])) for letter in text)
    found = escaped_mentions(xml)
    made = edited(xml, found, other, {})
    assert html.unescape(made) == respelled(text, other)
    rest = re.split("\x00", edited(xml, found, _Marker(), {}))
    assert all(piece in made for piece in rest)
    assert made.startswith(rest[0])
    assert made.endswith(rest[-1])


class _Marker:
    def of(self, _):
        """A mark that no formula has."""
        return "\x00"


# --- single cases --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelled",
    [r"'C:\bank\bank.xla'!IRR_ALL", "'b.XLS'!IRR_ALL", "budget.xlsx!IRR_ALL", "[bank.xla]!IRR_ALL"],
)
def test_functions_of_files_that_cannot_be_ours_are_theirs(spelled):
    """A file that is no add-in of today and not called xltoken has functions of its own."""
    assert own_name(spelled) == ""
    assert respelled(f"1+{spelled}(A1)", Spelling("excel")) == f"1+{spelled}(A1)"


@pytest.mark.parametrize(
    "spelled",
    [
        "token_cost", "Token_Cost", "_XLL.token_cost", "_xldudf_token_cost", "_xldudf_ab_Token_Cost",
        "_xldudf_A_B_C_TOKEN_COST", "[12]!token_cost", "[0]!TOKEN_COST", "'[1]'!TOKEN_COST",
        r"'C:\Add Ins\xltoken.xlam'!TOKEN_COST", r"'C:\Bob''s\x.xlam'!TOKEN_COST",
        "'https://a.example/x (1)/xltoken.xlam'!TOKEN_COST", "xltoken.xlam!TOKEN_COST",
        "[xltoken.xlam]!TOKEN_COST", "#REF!TOKEN_COST", "'/Users/me/x.xlam'!TOKEN_COST",
        "book.xlsm!TOKEN_COST",
    ],
)  # fmt: skip
def test_every_spelling_on_disk_is_read(spelled):
    """Whatever wrote the call, in any letter case: it is ours, and becomes the plain name."""
    assert own_name(spelled) == "TOKEN_COST"
    assert respelled(f"1+{spelled}(A1)", Spelling("excel")) == "1+TOKEN_COST(A1)"


@pytest.mark.parametrize(
    "formula",
    [
        '"TOKEN_COST(1)"', "'TOKEN_COST(1)'!A1", "_xll.OTHER(1)", "[1]!OTHER(1)", "MY_TOKEN_COST(1)",
        "Jan!TOKEN_COST(1)", "'Jan 26'!TOKEN_COST(1)", "[1]Jan!TOKEN_COST(1)", "TOKEN_COST+1",
        "'C:\\[b.xlsx]Jan'!TOKEN_COST(1)", "ÉTOKEN_COST(1)", "x\\TOKEN_COST(1)", "a?TOKEN_COST(1)",
        "T[TOKEN_COST(1)]", "T[[#All],[TOKEN_COST(1)]]", "T['[TOKEN_COST(1)']]", "_xlpm.TOKEN_COST(1)",
        "_xldudf_MY_OTHER(1)", "_xldudf_(1)", "_xldudf_OTHERTOKEN_COST(1)", "TOKEN_COST[x]",
        '"TOKEN_COST(1)', "'TOKEN_COST(1)", "T[TOKEN_COST(1)", '{"TOKEN_COST(1)"}', "",
    ],
)  # fmt: skip
def test_what_is_not_ours_stays_to_the_letter(formula):
    """Texts, sheets, columns, other people's functions, and what is cut off are never touched."""
    for spelling in SPELLINGS:
        assert respelled(formula, spelling) == formula


@pytest.mark.parametrize(
    ("formula", "after"),
    [
        ("[2]Jan!A1+[3]!rate", "[1]Jan!A1+[2]!rate"),
        ("'[2]It''s'!A1&\"[2]Jan!A1\"", "'[1]It''s'!A1&\"[2]Jan!A1\""),
        ("SUM([2]Jan:Mar!A1,[10]A!B2)", "SUM([1]Jan:Mar!A1,[10]A!B2)"),
        ("[2]!Costs[[2]]", "[1]!Costs[[2]]"),
        ("Costs[2]+[2]Jan!A1", "Costs[2]+[1]Jan!A1"),
        ("'a[2]b'!A1", "'a[2]b'!A1"),
        ("[0]!rate", "[0]!rate"),
        ("[2]!OTHER([3]!OTHER())", "[1]!OTHER([2]!OTHER())"),
        ("[2]Jan!TOKEN_COST(1)", "[1]Jan!TOKEN_COST(1)"),
        ("[2]!TOKEN_COST([3]A!B1)", "TOKEN_COST([2]A!B1)"),
    ],
)
def test_links_get_their_new_numbers(formula, after):
    """A link that moved up has its new number wherever it is a link, and nowhere else."""
    assert respelled(formula, Spelling("excel"), {2: 1, 3: 2}) == after


def test_a_call_and_its_link_are_one_mention():
    """A call through a link tells the link's number; it is no use of the link beside it."""
    found = mentions("[3]!TOKEN_COST('[4]'!NPV_STATIC([5]A!B1))")
    assert [(one.name, one.link) for one in found] == [
        ("TOKEN_COST", 3), ("NPV_STATIC", 4), ("", 5),
    ]  # fmt: skip


def test_no_function_ends_as_a_namespace_and_another():
    """No name of ours is a namespace, an underscore and another: each spelling means one function."""
    names = set(FUNCTIONS)
    for name in names:
        rest = name
        while rest := rest.partition("_")[2]:
            assert rest not in names, name


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
def test_every_function_is_read_back_under_every_spelling(spelling):
    """What is written for a host is read as the function that it was, for each of ours."""
    assert all(own_name(spelling.of(name)) == name for name in FUNCTIONS)


@pytest.mark.parametrize(
    ("host", "namespace", "words"),
    [
        ("word", "", "no host 'word'; there are: excel, addin, lite, xll, libreoffice"),
        ("excel", "FIN", "only the host lite"),
        ("lite", "A B", "no namespace"),
        ("lite", "1A", "no namespace"),
        ("lite", "A.B", "no namespace"),
        ("lite", "A__B", "no namespace"),
        ("lite", "A_", "no namespace"),
        ("lite", "Ä", "no namespace"),
        ("lite", "A" * 33, "no namespace"),
        ("lite", "x00Ab", "no namespace"),
        ("lite", "A_x0041", "no namespace"),
    ],
)
def test_what_no_host_writes_is_refused(host, namespace, words):
    """Unknown hosts and impossible namespaces are refused, with what there is."""
    with pytest.raises(SpellingError, match=words):
        Spelling(host, namespace)


def test_the_hosts_are_those_of_the_spellings():
    """Every host is tested above."""
    assert {one.host for one in SPELLINGS} == set(HOSTS)


@pytest.mark.parametrize(
    "bad", ["[", "[a", "[[a]", "[a][b", "'", "''!", '"', "a!", "a.b\\", "a(", "['", "&#", "&quot;["]
)
def test_no_text_takes_long(bad):
    """A text made to confuse is read in one pass: a million letters end."""
    text = bad * (1_000_000 // len(bad)) + "x"
    respelled(text, Spelling("excel"))
    escaped_mentions(text)


def test_names_in_other_alphabets_are_functions_too():
    """A function whose name is not in plain letters is listed whole, not by its tail."""
    assert function_names('=ÄRGER(1)&"x"+_ß(2)') == ("ÄRGER", "_ß")
    assert function_names("=ÄRGER(1)") == ("ÄRGER",)
