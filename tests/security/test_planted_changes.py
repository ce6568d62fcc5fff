"""One changed value anywhere in a record is found: every column of every table, game by game."""

from __future__ import annotations

import pytest

from tests.security.planted import KINDS, PAGE, Change, page, planted

#: At least this share of changes outside the clock is found.
SHARE = 0.99


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> list[Change]:
    return planted(tmp_path_factory.mktemp("planted"))


def test_every_column_is_changed(changes: list[Change]) -> None:
    changed = {(change.table, change.column) for change in changes}
    columns = {(kind.TABLE, column) for kind in KINDS for column in kind.table().columns}
    assert columns - changed == set()


def test_changes_are_found_by_verify_or_by_db_check(changes: list[Change]) -> None:
    counted = [change for change in changes if not change.is_clock]
    missed = [change for change in counted if not change.is_found]
    print(f"{len(counted) - len(missed)} of {len(counted)} changes outside the clock are found")
    assert len(counted) > 300
    assert len(missed) <= (1 - SHARE) * len(counted), missed


def test_the_page_of_guards_says_what_was_found(changes: list[Change]) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(changes), (
        "run: python -m tests.security.planted"
    )
