"""Two processes and one file: one writes, the other is told so or reads a consistent copy."""

from __future__ import annotations

import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.errors import DatabaseBusyError
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import a_session, an_iteration
from tests.faults.children import compete, hold, write
from tests.faults.folder import names
from tests.faults.history import count_saves

pytestmark = pytest.mark.slow
N_ROUNDS = 12


def test_a_second_writer_is_told_who_holds_the_file(db_path, start_child):
    first = start_child(hold, db_path)
    first.hear()
    with pytest.raises(DatabaseBusyError) as caught:
        DatabaseManager(db_path, busy_seconds=0.1)
    message = str(caught.value)
    assert str(db_path) in message
    assert f"process {first.pid} " in message
    assert "wait until it ends" in message
    assert "read_only=True" in message
    first.tell()
    first.result()
    with DatabaseManager(db_path, busy_seconds=0.1) as manager:
        assert count_saves(GameRepository(manager.conn)) == 1


def test_a_second_writer_waits_for_a_short_one(db_path, start_child):
    first = start_child(hold, db_path)
    first.hear()
    second = start_child(compete, db_path, "game-002", 1, 60)
    second.hear()
    second.tell()
    first.tell()
    assert second.result() is None


@pytest.mark.parametrize("busy_seconds", [0, 60], ids=["at once", "in turn"])
def test_two_processes_make_the_same_file(busy_seconds, tmp_path, start_child):
    for number in range(N_ROUNDS):
        path = tmp_path / str(number) / "simulation.db"
        path.parent.mkdir()
        both = {
            game_id: start_child(compete, path, game_id, 3, busy_seconds)
            for game_id in ("game-001", "game-002")
        }
        for child in both.values():
            child.hear()
        for child in both.values():
            child.tell()
        refusals = {game_id: child.result() for game_id, child in both.items()}
        winners = [game_id for game_id, refusal in refusals.items() if refusal is None]
        assert len(winners) == 2 or (busy_seconds == 0 and len(winners) == 1), refusals
        for refusal in filter(None, refusals.values()):
            assert f"process {both[winners[0]].pid} " in refusal
        with DatabaseManager(path) as manager:
            repo = GameRepository(manager.conn)
            assert {s.game_id for s in repo.list_game_sessions()} == set(winners)
            for game_id in winners:
                assert repo.get_game_session(game_id) == a_session(game_id)
                assert repo.get_policy_iterations(game_id) == [
                    an_iteration(n, game_id=game_id) for n in (1, 2, 3)
                ]
        assert names(path.parent) == [path.name]


def test_readers_through_a_burst_of_saves(db_path, start_child):
    n_saves, n_before, n_copies = 320, 0, 0
    writer = start_child(write, db_path, 0, n_saves, "256KB")
    writer.hear()
    while n_before < n_saves:
        n_acknowledged = writer.hear_all()[-1] + 1
        with DatabaseManager(db_path, read_only=True) as manager:
            n_found = count_saves(GameRepository(manager.conn))
            n_copies += manager.is_snapshot
        assert n_found >= max(n_acknowledged, n_before)
        # The writer may be one save ahead of what it has said.
        assert n_found <= writer.hear_all()[-1] + 2
        n_before = n_found
    writer.result()
    assert n_copies > 3


def test_a_reader_by_another_name(db_path, tmp_path, start_child):
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.db"
    link.symlink_to(db_path)
    writer = start_child(hold, db_path, 9)
    writer.hear()
    with DatabaseManager(link, read_only=True, busy_seconds=0.1) as manager:
        assert manager.is_snapshot
        assert count_saves(GameRepository(manager.conn)) == 9
