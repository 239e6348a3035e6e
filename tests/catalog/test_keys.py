"""Text keys: what does not count in a name, and what a message says of an unknown one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xltoken.catalog.keys import NotKnown, nearest, normalize, not_known

PLATFORMS = ["H100", "H200", "B200", "GB200 NVL72", "GB300 NVL72", "MI355X"]
words = st.text("abcdefghijklmnopqrstuvwxyz0123456789./", min_size=1, max_size=12)
separators = st.text(" -_\t\n\r\u00a0", max_size=3)


@pytest.mark.parametrize(
    "text",
    [
        "GB200 NVL72",
        "gb200-nvl72",
        "GB200_NVL72",
        " gb200\u00a0nvl72 ",
        "Gb200Nvl72",
        "GB200\tNVL72\r\n",
    ],
)
def test_case_spaces_hyphens_and_underscores_do_not_count(text):
    """All spellings of a key have one form."""
    assert normalize(text) == "gb200nvl72"


@given(st.lists(words, min_size=1, max_size=5), st.data())
def test_separators_and_case_never_change_a_key(parts, data):
    """Separators put anywhere, and upper case, leave the form as it was."""
    spelled = "".join(data.draw(separators) + part for part in parts) + data.draw(separators)
    assert normalize(spelled) == normalize(spelled.upper()) == "".join(parts)


@given(words, words)
def test_other_characters_count(one, other):
    """Keys that differ in a letter, digit, dot or slash stay different."""
    assert (normalize(one) == normalize(other)) == (one == other)


@given(st.text("aAß\u0130Iı\u017fΣςﬁGB2 -_\t\u00a0"))
def test_normalizing_twice_changes_nothing(text):
    """A normalized key is its own form."""
    assert normalize(normalize(text)) == normalize(text)


def test_nearest_names_come_best_first_as_they_are_spelled():
    """The most similar name stands first, in the spelling of the catalog."""
    assert nearest("gb200nvl", PLATFORMS)[0] == "GB200 NVL72"
    assert nearest("MI 355", PLATFORMS)[0] == "MI355X"


def test_nearest_is_limited_in_number_and_likeness():
    """No more names than asked are given, and none that is unlike."""
    assert len(nearest("h100", PLATFORMS, count=2)) <= 2
    assert (
        nearest("h10", ["H100", "H101", "H102", "H103"], count=2)
        == nearest("h10", ["H100", "H101", "H102", "H103"])[:2]
    )
    assert nearest("zebra", PLATFORMS) == []


def test_an_unknown_key_names_the_nearest():
    """The message repeats what was typed and names the nearest, not the rest."""
    message = str(not_known("platform", "GB20O NVL72", PLATFORMS))
    assert message.startswith("platform 'GB20O NVL72' is not known. Nearest: GB200 NVL72")
    assert "MI355X" not in message


def test_an_unknown_key_unlike_any_names_all_of_a_few():
    """Where nothing is near and there are at most twelve names, all of them are given."""
    assert str(not_known("basis", "zebra", PLATFORMS)) == (
        "basis 'zebra' is not known. Known: H100, H200, B200, GB200 NVL72, GB300 NVL72, MI355X."
    )
    twelve = [f"q{number}" for number in range(12)]
    assert "Known: q0, " in str(not_known("basis", "zebra", twelve))


@pytest.mark.parametrize("names", [[], [f"q{number}" for number in range(13)]])
def test_an_unknown_key_without_hint_says_only_that(names):
    """Where there are no names, or too many to list, the message ends without a hint."""
    assert str(not_known("model", "zebra", names)) == "model 'zebra' is not known."


def test_names_may_come_from_a_generator():
    """Names that can be read only once serve the nearest and the list."""
    assert "Known: H100, H200" in str(not_known("platform", "zebra", iter(PLATFORMS)))


def test_not_known_is_a_lookup_error():
    """A missing fact is a LookupError and no ValueError: a cell shows #N/A, not #VALUE!."""
    error = not_known("platform", "x", [])
    assert isinstance(error, NotKnown)
    assert isinstance(error, LookupError)
    assert not isinstance(error, ValueError)
