"""One changed value anywhere in a record is found: every column of every table, game by game."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from payment_simulator.ai_cash_mgmt import verify_game
from payment_simulator.ai_cash_mgmt.record.game_check import check_games
from tests.effort import tries
from tests.security.planted import KINDS, PAGE, Change, page, planted
from tests.security.recorded import Recorded

#: At least this share of changes outside the clock is found.
SHARE = 0.99


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("planted")


@pytest.fixture(scope="module")
def changes(folder: Path) -> list[Change]:
    return planted(folder)


def test_every_column_is_changed(changes: list[Change]) -> None:
    changed = {(change.table, change.column) for change in changes}
    columns = {(kind.TABLE, column) for kind in KINDS for column in kind.table().columns}
    assert columns - changed == set()


def test_changes_are_found_by_verify_or_by_db_check(changes: list[Change]) -> None:
    counted = [change for change in changes if not change.is_clock]
    missed = [change for change in counted if not change.is_found]
    print(f"{len(counted) - len(missed)} of {len(counted)} changes outside the clock are found")
    assert len(counted) > tries(200, 250)
    assert len(missed) <= (1 - SHARE) * len(counted), missed


def test_the_page_of_guards_says_what_was_found(changes: list[Change]) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(changes), (
        "run: python -m tests.security.planted"
    )


STEP = "game_id = 'mixed' AND agent_id = 'BANK_A' AND iteration_number = 1"
#: Several values changed so that they fit each other, but for the seal; rows taken out or added.
TOGETHER = {
    "tokens": [
        f"UPDATE llm_interaction_log SET input_tokens = input_tokens + 50 WHERE {STEP}",
        (
            "UPDATE policy_iterations SET tokens_used = tokens_used + 50 * ("
            f"SELECT count(*) FROM llm_interaction_log WHERE {STEP}) WHERE {STEP}"
        ),
    ],
    "a proposal's tokens": [
        (
            "UPDATE policy_iterations SET tokens_used = 99 WHERE agent_id = 'BANK_B' "
            "AND iteration_number = 1"
        ),
    ],
    "a failure less": ["DELETE FROM game_failures WHERE failure_number = 2"],
    "an old session less": [
        "DELETE FROM superseded_records WHERE table_name = 'game_sessions' AND revision = 4"
    ],
    "a failed try less": [
        (
            "DELETE FROM superseded_records WHERE table_name = 'policy_iterations' "
            "AND record_key LIKE '%BANK_B%'"
        )
    ],
    "a failed sample less": [
        "DELETE FROM superseded_records WHERE table_name = 'evaluation_samples'"
    ],
    "a call less": [f"DELETE FROM llm_interaction_log WHERE {STEP} AND attempt_number = 2"],
    "a call of a failed try less": [
        "DELETE FROM llm_interaction_log WHERE iteration_number = 2 AND attempt_number = 1"
    ],
}


@pytest.mark.parametrize("statements", TOGETHER.values(), ids=TOGETHER.keys())
def test_changes_that_fit_each_other_are_found(
    changes: list[Change], folder: Path, tmp_path: Path, statements: list[str]
) -> None:
    assert changes  # the games have been played
    path = Path(shutil.copy(folder / "mixed.db", tmp_path / "mixed.db"))
    with Recorded("mixed", path).open() as repo:
        for sql in statements:
            assert repo.store.write(sql) > 0
        assert verify_game(repo, "mixed").first_difference is not None
        assert list(check_games(repo))
