"""What is remembered with a catalog, and holding on to one."""

import pytest

from xltoken.catalog import store
from xltoken.catalog.keys import NotKnown
from xltoken.catalog.store import CatalogError


def test_that_nothing_is_known_is_remembered():
    """A reason why nothing is known is worked out once, and told each time by an error of its own."""
    asked = []

    @store.per_catalog
    def unknown(catalog, name):
        asked.append(name)
        raise NotKnown(f"{name} is not known.")

    catalog = store.read("")[0]
    told = []
    for _ in range(3):
        with pytest.raises(NotKnown, match=r"^H300 is not known\.$") as refused:
            unknown(catalog, "H300")
        told.append(refused.value)
    assert asked == ["H300"]
    assert len({id(error) for error in told}) == 3


def test_who_holds_a_catalog_keeps_it(monkeypatch, tmp_path):
    """Inside the block every call sees the catalog of the first; before and after, the current."""
    (tmp_path / "priors.csv").write_text("name,value\nother,1\n", encoding="utf-8")
    shipped = store.current()
    with store.held():
        assert store.current() is shipped
        monkeypatch.setenv(store.ENVIRONMENT, str(tmp_path))
        assert store.current() is shipped
        with store.held():
            laid = store.current()
            assert laid is not shipped
        assert store.current() is shipped
    assert store.current() is laid


def test_a_catalog_that_cannot_be_used_is_not_held(monkeypatch, tmp_path):
    """A failure is not held: the next call in the block reads again."""
    with store.held():
        monkeypatch.setenv(store.ENVIRONMENT, str(tmp_path / "none"))
        with pytest.raises(CatalogError):
            store.current()
        monkeypatch.delenv(store.ENVIRONMENT)
        assert store.current() is store.load("")
