"""Games: saved, changed, found again, listed."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from payment_simulator.ai_cash_mgmt import (
    GameMode,
    GameRepository,
    GameSessionRecord,
    GameStatus,
)
from payment_simulator.errors import DamagedDatabaseError, GameNotFoundError, InputError
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import STARTED, a_record, a_session, an_iteration
from tests.saving import bits


def stored(repo: GameRepository, game_id: str = "game-001") -> GameSessionRecord:
    session = repo.get_game_session(game_id)
    assert session is not None
    return session


def test_a_session_comes_back_as_it_was_saved(repo: GameRepository):
    running, ended = a_session(), a_record(GameSessionRecord, game_id="game-002")
    repo.save_game_session(running)
    repo.save_game_session(ended)
    assert bits(stored(repo)) == bits(running)
    assert bits(stored(repo, "game-002")) == bits(ended)


def test_a_game_that_is_not_there_is_none(repo: GameRepository):
    repo.save_game_session(a_session())
    for game_id in ("game-00", "GAME-001", "game-001 ", "", "%", "game-001\0"):
        assert repo.get_game_session(game_id) is None


def test_a_text_that_is_none_names_no_game(repo: GameRepository):
    repo.save_game_session(a_session())
    for ask in (repo.get_game_session, repo.get_policy_iterations, repo.get_optimization_summary):
        try:
            found: Any = ask("\ud800")
        except InputError:
            continue
        assert not found or not any(found.values())
    with pytest.raises((InputError, ValidationError)):
        repo.update_game_session_status("\ud800", "failed")


def test_saving_a_session_again_updates_it(repo: GameRepository):
    repo.save_game_session(a_session())
    changed = a_record(GameSessionRecord, scenario_config="other.yaml", optimized_agents=[])
    repo.save_game_session(changed)
    assert bits(stored(repo)) == bits(changed)
    assert len(repo.list_game_sessions()) == 1


def test_only_a_session_can_be_saved_as_one(repo: GameRepository):
    for other in (an_iteration(), a_session().model_dump(), None, "game-001"):
        with pytest.raises(InputError, match="expected a GameSessionRecord"):
            repo.save_game_session(other)  # type: ignore[arg-type]
    assert repo.list_game_sessions() == []


END: dict[str, Any] = {
    "completed_at": datetime(2026, 5, 6),
    "total_iterations": 3,
    "converged": True,
    "final_cost": 12.5,
}


@pytest.mark.parametrize("given", [*({name: value} for name, value in END.items()), END, {}])
def test_a_status_update_leaves_alone_what_is_not_given(given: dict, repo: GameRepository):
    for before in (a_session(), a_record(GameSessionRecord, game_id="game-002")):
        repo.save_game_session(before)
        repo.update_game_session_status(before.game_id, "failed", **given)
        expected = before.replace(status="failed", **given)
        assert bits(stored(repo, before.game_id)) == bits(expected)


def test_a_status_update_takes_its_values_by_position(repo: GameRepository):
    repo.save_game_session(a_session())
    repo.update_game_session_status("game-001", "converged", *END.values())
    assert bits(stored(repo)) == bits(a_session(status="converged", **END))


def test_a_status_update_can_set_false_and_zero(repo: GameRepository):
    repo.save_game_session(a_record(GameSessionRecord))
    repo.update_game_session_status(
        "game-001", GameStatus.RUNNING, total_iterations=0, converged=False, final_cost=-0.0
    )
    assert bits(stored(repo)) == bits(
        a_record(
            GameSessionRecord,
            status="running",
            total_iterations=0,
            converged=False,
            final_cost=-0.0,
        )
    )


def test_a_status_update_converts_times_as_a_record_does(repo: GameRepository):
    repo.save_game_session(a_session())
    east = timezone(timedelta(hours=2))
    repo.update_game_session_status("game-001", "failed", datetime(2026, 5, 6, 1, tzinfo=east))
    assert repr(stored(repo).completed_at) == repr(datetime(2026, 5, 5, 23))


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"status": "paused"}, "status"),
        ({"status": None}, "status"),
        ({"status": "failed", "total_iterations": -1}, "total_iterations"),
        ({"status": "failed", "total_iterations": 1.5}, "total_iterations"),
        ({"status": "failed", "final_cost": float("nan")}, "final_cost"),
        ({"status": "failed", "converged": 1}, "converged"),
        ({"status": "failed", "completed_at": "2026-05-06"}, "completed_at"),
    ],
)
def test_a_bad_status_update_changes_nothing(arguments: dict, field: str, repo: GameRepository):
    repo.save_game_session(a_session())
    with pytest.raises((ValidationError, InputError), match=field):
        repo.update_game_session_status("game-001", **arguments)
    assert bits(stored(repo)) == bits(a_session())
    assert repo.get_superseded_records() == []


def test_a_status_update_of_an_unknown_game_names_the_nearest(repo: GameRepository):
    with pytest.raises(GameNotFoundError, match=r"'game-001'.*save_game_session\(\)"):
        repo.update_game_session_status("game-001", "failed")
    for game_id in ("game-001", "game-002", "castro-run"):
        repo.save_game_session(a_session(game_id))
    with pytest.raises(GameNotFoundError) as refusal:
        repo.update_game_session_status("gmae-002", "failed")
    assert "'gmae-002'" in str(refusal.value)
    assert "game-002" in str(refusal.value)
    assert "castro" not in str(refusal.value)
    assert refusal.value.game_id == "gmae-002"
    assert {s.status for s in repo.list_game_sessions()} == {"running"}


def test_the_list_is_newest_first_and_equal_times_by_id(repo: GameRepository):
    second = timedelta(seconds=1)
    starts = {
        "b": STARTED,
        "a": STARTED,
        "B": STARTED,
        "\u00e4": STARTED,
        "oldest": STARTED - second,
        "newest": STARTED + second,
    }
    for game_id, start in starts.items():
        repo.save_game_session(a_session(game_id, started_at=start))
    ids = [s.game_id for s in repo.list_game_sessions()]
    assert ids == ["newest", "B", "a", "b", "\u00e4", "oldest"]
    for limit in range(1, 8):
        assert [s.game_id for s in repo.list_game_sessions(limit=limit)] == ids[:limit]


def test_the_list_holds_whole_records(repo: GameRepository):
    session = a_record(GameSessionRecord)
    repo.save_game_session(session)
    assert [bits(s) for s in repo.list_game_sessions()] == [bits(session)]


def test_the_list_is_filtered_by_status_and_mode_together(repo: GameRepository):
    for status in GameStatus:
        for mode in GameMode:
            repo.save_game_session(
                a_session(f"{status}/{mode}", status=status.value, game_mode=mode.value)
            )
    for status in GameStatus:
        assert {s.status for s in repo.list_game_sessions(status=status)} == {status.value}
        assert len(repo.list_game_sessions(status.value)) == len(GameMode)
        for mode in GameMode:
            found = repo.list_game_sessions(status=status, game_mode=mode.value)
            assert [s.game_id for s in found] == [f"{status}/{mode}"]
    assert len(repo.list_game_sessions(game_mode="campaign_learning")) == len(GameStatus)


@pytest.mark.parametrize("filters", [{"status": "paused"}, {"game_mode": "chess"}])
@pytest.mark.parametrize("value", ["paused", "", "RUNNING", 7, True, [], b"running"])
def test_a_filter_that_cannot_match_is_refused(filters: dict, value: Any, repo: GameRepository):
    (name,) = filters
    with pytest.raises(InputError, match=rf"{name}: .* is not one of: "):
        repo.list_game_sessions(**{name: value})


def test_the_list_ends_at_100_unless_told(repo: GameRepository):
    with repo.transaction():
        for number in range(105):
            repo.save_game_session(a_session(f"game-{number:03}"))
    assert [s.game_id for s in repo.list_game_sessions()] == [f"game-{n:03}" for n in range(100)]
    for limit in (105, 10**6, np.int64(1000), sys.maxsize):
        assert len(repo.list_game_sessions(limit=limit)) == 105
    assert len(repo.list_game_sessions(limit=np.int8(7))) == 7


@pytest.mark.parametrize("limit", [0, -1, True, 1.5, 1.0, "3", None, float("nan")])
def test_a_limit_that_is_none_is_refused(limit: Any, repo: GameRepository):
    repo.save_game_session(a_session())
    with pytest.raises(InputError, match=r"limit is .*, expected a whole number of at least 1"):
        repo.list_game_sessions(limit=limit)


def test_sessions_of_a_file_with_unset_counters_can_be_read(
    repo: GameRepository, manager: DatabaseManager
):
    repo.save_game_session(a_session())
    manager.conn.execute("UPDATE game_sessions SET total_iterations = NULL, converged = NULL")
    assert bits(stored(repo)) == bits(a_session(total_iterations=0, converged=False))


@pytest.mark.parametrize(
    "text",
    ["", "BANK_A", "{}", '"BANK_A"', "null", "[1]", pytest.param("[" * 100_000, id="deep")],
)
def test_a_damaged_list_is_named(text: str, repo: GameRepository, manager: DatabaseManager):
    repo.save_game_session(a_session())
    repo.save_policy_iteration(an_iteration())
    manager.conn.execute("UPDATE game_sessions SET optimized_agents = ?", [text])
    manager.conn.execute("UPDATE policy_iterations SET validation_errors = ?", [text])
    with pytest.raises(DamagedDatabaseError, match=r"game_sessions .*optimized_agents"):
        repo.get_game_session("game-001")
    with pytest.raises(DamagedDatabaseError, match=r"policy_iterations .*validation_errors"):
        repo.get_policy_iterations("game-001")
