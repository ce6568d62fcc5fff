"""Lists of games: filtered, sorted, a page at a time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.builders import STARTED, a_record, a_session, an_iteration

from payment_simulator.ai_cash_mgmt import GameRepository, GameSessionRecord
from payment_simulator.analysis.listing import SORTS, count_games, list_games
from payment_simulator.errors import DamagedDatabaseError, InputError
from payment_simulator.persistence.connection import DatabaseManager

DAY = timedelta(days=1)
SESSIONS = [
    a_session("oldest", scenario_config="../scenarios/two_period.yaml", master_seed=3),
    a_session("twin-b", started_at=STARTED + 2 * DAY, optimized_agents=["Größe", "100%"]),
    a_session("twin-a", started_at=STARTED + 2 * DAY, master_seed=-1),
    a_record(
        GameSessionRecord,
        game_id="ended",
        started_at=STARTED + timedelta(microseconds=1),
        scenario_config=r"C:\games\Ten_Days.YML",
        final_cost=0.5,
    ),
    a_session(
        "campaign_1",
        started_at=STARTED + DAY,
        game_mode="campaign_learning",
        scenario_config="v1.2/",
        final_cost=7.0,
        total_iterations=2,
    ),
]
NEWEST_FIRST = ["twin-a", "twin-b", "campaign_1", "ended", "oldest"]


@pytest.fixture
def games(repo: GameRepository) -> GameRepository:
    """Save five games, two of which started in the same microsecond."""
    for session in SESSIONS:
        repo.save_game_session(session)
    repo.save_policy_iterations(
        [
            an_iteration(1, game_id="oldest", llm_model="search/tpe"),
            an_iteration(4, game_id="oldest", llm_model="anthropic/claude_sonnet"),
            an_iteration(3, game_id="oldest", agent_id="BANK_B"),
            an_iteration(1, game_id="campaign_1", llm_model="search/tpe"),
            an_iteration(30, game_id="ended", llm_model="grid/exhaustive"),
        ]
    )
    return repo


def ids(repo: GameRepository, **how: Any) -> list[str]:
    return [game.game_id for game in list_games(repo, **how)]


def test_newest_first_and_by_id_where_they_started_together(games: GameRepository):
    assert ids(games) == NEWEST_FIRST


def test_a_row_is_the_game(games: GameRepository):
    ended = list_games(games, status="converged")[0]
    session = next(found for found in SESSIONS if found.game_id == "ended")
    assert ended.scenario == "Ten_Days"
    assert ended.scenario_config == session.scenario_config
    assert ended.agents == ("BANK_A", "BANK_B")
    assert (ended.master_seed, ended.game_mode) == (42, "rl_optimization")
    assert (ended.started_at, ended.completed_at) == (session.started_at, session.completed_at)
    assert (ended.iterations, ended.final_cost, ended.converged) == (15, 0.5, True)


def test_a_running_game_has_the_iterations_of_its_last_step(games: GameRepository):
    found = {game.game_id: game.iterations for game in list_games(games)}
    assert found == {"oldest": 4, "twin-a": 0, "twin-b": 0, "campaign_1": 2, "ended": 15}


def test_a_scenario_is_called_by_its_file(games: GameRepository):
    found = {game.game_id: game.scenario for game in list_games(games)}
    assert found["oldest"] == "two_period"
    assert found["twin-a"] == "scenario"
    assert found["campaign_1"] == "v1.2/", "a path that ends in a slash has no name"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"status": "failed"}, []),
        ({"status": "interrupted", "mode": "rl_optimization"}, ["twin-a", "twin-b", "oldest"]),
        ({"mode": "campaign_learning"}, ["campaign_1"]),
        ({"scenario": "PERIOD"}, ["oldest"]),
        ({"scenario": "scenarios"}, []),
        ({"scenario": ""}, NEWEST_FIRST),
        ({"text": "TWIN"}, ["twin-a", "twin-b"]),
        ({"text": "_"}, ["twin-a", "campaign_1", "ended", "oldest"]),
        ({"text": "%"}, ["twin-b"]),
        ({"text": "GRÖSSE"}, []),
        ({"text": "GRÖß"}, ["twin-b"]),
        ({"text": "claude_"}, ["oldest"]),
        ({"text": "Search/TPE"}, ["campaign_1", "oldest"]),
        ({"text": "ten_days"}, ["ended"]),
        ({"text": '", "'}, []),
        ({"text": "'; DROP TABLE game_sessions; --"}, []),
        ({"text": "twin", "scenario": "scen", "status": "interrupted"}, ["twin-a", "twin-b"]),
    ],
    ids=str,
)
def test_filters(filters: dict[str, str], expected: list[str], games: GameRepository):
    assert ids(games, **filters) == expected
    assert count_games(games, **filters) == len(expected)


@pytest.mark.parametrize(
    ("sort", "ascending"),
    [
        ("started", ["oldest", "ended", "campaign_1", "twin-a", "twin-b"]),
        ("game", ["campaign_1", "ended", "oldest", "twin-a", "twin-b"]),
        ("status", ["ended", "twin-a", "twin-b", "campaign_1", "oldest"]),
        ("iterations", ["twin-a", "twin-b", "campaign_1", "oldest", "ended"]),
        ("cost", ["ended", "campaign_1", "twin-a", "twin-b", "oldest"]),
        ("scenario", ["ended", "twin-a", "twin-b", "oldest", "campaign_1"]),
        ("seed", ["twin-a", "oldest", "twin-b", "campaign_1", "ended"]),
    ],
)
def test_sorted(sort: str, ascending: list[str], games: GameRepository):
    assert ids(games, sort=sort, descending=False) == ascending
    largest_first = ids(games, sort=sort)
    if sort == "cost":
        assert largest_first == ["campaign_1", "ended", "twin-a", "twin-b", "oldest"]
    else:
        assert largest_first[0] in {ascending[-1], *NEWEST_FIRST[:2]}
        assert sorted(largest_first) == sorted(ascending)


def test_every_order_is_tried():
    marks = test_sorted.pytestmark
    assert {case[0] for case in marks[0].args[1]} == set(SORTS)


def test_a_page_at_a_time(games: GameRepository):
    assert ids(games, limit=2) == NEWEST_FIRST[:2]
    assert ids(games, limit=2, offset=2) == NEWEST_FIRST[2:4]
    assert ids(games, limit=2, offset=5) == []
    assert count_games(games) == 5


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"status": "paused"}, "status: 'paused' is not one of: running, completed"),
        ({"mode": "chess"}, "mode: 'chess' is not one of: rl_optimization"),
        ({"sort": "started_at; DROP"}, "sort: 'started_at; DROP' is not one of: started, game"),
        ({"limit": 0}, "limit is 0, expected"),
        ({"limit": 2**63}, "limit is 9223372036854775808"),
        ({"offset": -1}, "offset is -1, expected a whole number of at least 0"),
    ],
    ids=str,
)
def test_refuses(how: dict[str, Any], said: str, games: GameRepository):
    with pytest.raises(InputError) as error:
        list_games(games, **how)
    assert said in str(error.value)


@pytest.mark.usefixtures("games")
def test_names_that_are_no_json_are_damage_and_no_obstacle_to_a_search(
    manager: DatabaseManager, db_path: Path
):
    manager.close()
    with duckdb.connect(str(db_path)) as conn:
        conn.execute("UPDATE game_sessions SET optimized_agents = '[\"' WHERE game_id = 'ended'")
    with DatabaseManager(db_path, read_only=True) as reading:
        repo = GameRepository(reading.conn)
        assert ids(repo, text="twin") == ["twin-a", "twin-b"]
        with pytest.raises(DamagedDatabaseError, match=r"ended.*optimized_agents"):
            list_games(repo)
