"""repo.transaction(): all the saves of a block, or none of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from pydantic import ValidationError

from payment_simulator.ai_cash_mgmt import (
    DailyCostRecord,
    EvaluationSampleRecord,
    GameRepository,
    SimulationRunRecord,
)
from payment_simulator.errors import DuplicateKeyError, GameNotFoundError, PaymentSimulatorError
from payment_simulator.persistence.arrow import arrow_batch
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import a_record, a_session, an_iteration
from tests.saving import n_rows


class InterruptionError(Exception):
    """Something unforeseen in the middle of a block."""


def save_two(repo: GameRepository) -> None:
    repo.save_policy_iteration(an_iteration())
    repo.save_evaluation_samples(
        [a_record(EvaluationSampleRecord, sample_number=n) for n in (1, 2)]
    )


def test_a_block_that_ends_well_is_all_there(
    repo: GameRepository, db_path: Path, manager: DatabaseManager
):
    with repo.transaction():
        repo.save_game_session(a_session())
        save_two(repo)
    manager.close()
    with DatabaseManager(db_path) as again:
        reopened = GameRepository(again.conn)
        assert reopened.get_policy_iterations("game-001") == [an_iteration()]
        assert len(reopened.get_evaluation_samples("game-001")) == 2


@pytest.mark.parametrize("error", [InterruptionError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_a_block_that_breaks_off_leaves_nothing(
    error: type[BaseException], repo: GameRepository, manager: DatabaseManager
):
    repo.save_game_session(a_session())
    before = n_rows(manager)

    def block() -> None:
        with repo.transaction():
            repo.update_game_session_status("game-001", "completed")
            save_two(repo)
            raise error

    with pytest.raises(error):
        block()
    assert n_rows(manager) == before
    assert repo.list_game_sessions() == [a_session()]


def test_the_repository_works_on_after_a_block_that_broke_off(repo: GameRepository):
    def block() -> None:
        with repo.transaction():
            repo.save_game_session(a_session())
            raise InterruptionError

    for _ in range(3):
        with pytest.raises(InterruptionError):
            block()
    repo.save_game_session(a_session())
    with repo.transaction():
        save_two(repo)
    assert len(repo.get_evaluation_samples("game-001")) == 2


def test_reads_of_the_block_see_its_saves(repo: GameRepository):
    other = GameRepository(repo._store.cursor())
    with repo.transaction():
        repo.save_game_session(a_session())
        save_two(repo)
        repo.save_policy_iteration(an_iteration(tokens_used=1))
        assert repo.list_game_sessions() == [a_session()]
        assert repo.get_policy_iterations("game-001") == [an_iteration(tokens_used=1)]
        assert repo.get_optimization_summary("game-001")["total_tokens_used"] == 1
        assert len(repo.get_evaluation_samples("game-001")) == 2
        assert len(repo.get_superseded_records()) == 1
        assert other.list_game_sessions() == []
        assert other.get_superseded_records() == []
    assert other.list_game_sessions() == [a_session()]


def test_a_block_in_a_block_is_part_of_it(repo: GameRepository, manager: DatabaseManager):
    with repo.transaction():
        repo.save_game_session(a_session())
        with repo.transaction():
            save_two(repo)
        assert len(repo.get_evaluation_samples("game-001")) == 2
    before = n_rows(manager)

    def outer_breaks_off() -> None:
        with repo.transaction():
            with repo.transaction():
                repo.save_policy_iteration(an_iteration(2))
            raise InterruptionError

    def inner_breaks_off() -> None:
        with repo.transaction():
            repo.save_policy_iteration(an_iteration(2))
            with repo.transaction():
                repo.save_policy_iteration(an_iteration(3))
                raise InterruptionError

    for block in (outer_breaks_off, inner_breaks_off):
        with pytest.raises(InterruptionError):
            block()
        assert n_rows(manager) == before


def test_a_save_refused_at_the_door_does_not_end_the_block(repo: GameRepository):
    with repo.transaction():
        repo.save_game_session(a_session())
        with pytest.raises(GameNotFoundError):
            repo.save_policy_iteration(an_iteration(game_id="game-002"))
        with pytest.raises(DuplicateKeyError):
            repo.save_policy_iterations([an_iteration(), an_iteration()])
        with pytest.raises(ValidationError):
            repo.update_game_session_status("game-001", "paused")
        save_two(repo)
    assert repo.list_game_sessions() == [a_session()]
    assert repo.get_policy_iterations("game-001") == [an_iteration()]


def refused_by_the_table(repo: GameRepository) -> None:
    """Have a batch of rows refused whose last one is bad."""
    kind = DailyCostRecord
    rows = [a_record(kind, day=day).to_row() for day in (0, 1)]
    rows[1] = (*rows[1][:-1], -1.0)
    table = arrow_batch(kind.table().columns, kind.table().types, rows)
    with pytest.raises(ValidationError, match="cost"):
        repo.save_daily_costs("run-001", table)


def refused_as_a_question(repo: GameRepository) -> None:
    """Ask for a game by a number, which no text can be turned into."""
    with suppress(PaymentSimulatorError):
        repo.get_game_session(5)  # type: ignore[arg-type]


def save_nothing_more(_: GameRepository) -> None:
    pass


@pytest.mark.parametrize("go_on", [save_nothing_more, save_two])
@pytest.mark.parametrize("refused", [refused_by_the_table, refused_as_a_question])
def test_a_refusal_never_loses_the_rest_of_a_block_without_a_word(
    refused: Callable[[GameRepository], None],
    go_on: Callable[[GameRepository], None],
    repo: GameRepository,
):
    repo.save_simulation_run(a_record(SimulationRunRecord, game_id=None))
    try:
        with repo.transaction():
            repo.save_game_session(a_session())
            refused(repo)
            go_on(repo)
    except PaymentSimulatorError:
        assert repo.list_game_sessions() == []
        assert repo.get_evaluation_samples("game-001") == []
    else:  # a block that ends well is all there
        assert repo.list_game_sessions() == [a_session()]
        assert len(repo.get_evaluation_samples("game-001")) == (2 if go_on is save_two else 0)
    assert repo.get_daily_costs("run-001") == []
