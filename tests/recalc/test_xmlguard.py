"""XML that may be given to a parser, and XML that may not."""

from pathlib import Path

import pytest

from xltoken.files import FileError
from xltoken.recalc import xmlguard
from xltoken.recalc.archive import check_xml

PATH = Path("folder") / "book.xlsx"
SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'<?xml version="1.0"?><!DOCTYPE a><a/>', "declares a document type or entities"),
        (b"<a><!ENTITY b 'c'></a>", "declares a document type or entities"),
        ("<a/>".encode("utf-16"), "is written in UTF-16"),
        ("<a/>".encode("utf-16-le"), "is written in UTF-16"),
        ("<a/>".encode("utf-16-be"), "is written in UTF-16"),
        ("<a/>".encode("utf-32"), "is written in UTF-16"),
        (b"<?xml version='1.0' encoding='latin-1'?><a/>", "is written in latin-1"),
        (b'\xef\xbb\xbf<?xml version="1.0" encoding = "UTF-7" ?><a/>', "is written in UTF-7"),
        (b"<a>\xff</a>", "is no UTF-8 text"),
        (b"<a>" + "ä".encode()[:1], "is no UTF-8 text"),
        (b"<a>\x00</a>", "is no UTF-8 text"),
        (b"<a>" + b"x" * (17 << 20) + b"</a>", "has a text of over 16 MiB"),
        (b"<a>" + b"x" * (40 << 20), "has a text of over 16 MiB"),
        (b'<a b="' + b"x" * (33 << 20) + b'"/>', "has a text of over 16 MiB"),
        (b"<a>" * 40_000 + b"</a>" * 40_000, "nests more than 256 elements"),
        (b"<x:a b='/'><c/>" * 40_000, "nests more than 256 elements"),
    ],
)
def test_xml_that_may_not_be_parsed(data, words):
    """XML that could harm a parser, or that is not UTF-8, is refused by the name of the part."""
    with pytest.raises(FileError, match=words) as caught:
        check_xml(PATH, SHEET, data)
    assert str(caught.value).startswith(f"{PATH}: its part {SHEET} ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<a/>",
        b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?><a>\xc3\xa4</a>',
        b"<?xml version='1.0' encoding='UTF-8' standalone='yes'?><a/>",
        "<a>größe 東京 😀</a>".encode() * 20_000,
        b"<a>" + b"<b><c/></b>" * 200_000 + b"</a>",
        b"<a>" + b"<!-- <b> <b> -->" * 50_000 + b"</a>",
        b"<a>" + b"<![CDATA[<b><b>]]>" * 50_000 + b"<?p i?></a>",
        b"<b>" * 200 + b"<c/>" * 200_000 + b"</b>" * 200,
        b"<a>" + b"x" * (15 << 20) + b"</a>",
    ],
)
def test_xml_that_may_be_parsed(data):
    """Comments, long parts, texts of any script and moderate depth are no objection."""
    check_xml(PATH, SHEET, data)


def test_utf8_is_checked_across_pieces():
    """A character that lies across two pieces of the check is no damage."""
    for shift in range(4):
        data = b"<a>" + b"x" * shift + "😀".encode() * 40_000 + b"</a>"
        assert xmlguard.objection(data) == ""
