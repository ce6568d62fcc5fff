"""check_record finds each kind of fault in rows, names the row, and finds nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.persistence.checking import Finding
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import a_session, an_iteration
from tests.command_line import payment_sim, tree
from tests.fingerprints import rows_of
from tests.planting import about_rows, fill, findings, rebuild

GAME = "game_id='game-001'"
STEP = f"{GAME}, agent_id='BANK_A', iteration_number=1"


@pytest.fixture
def record(full_record: Path, db_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a record with rows in every table."""
    shutil.copyfile(full_record, db_path)
    with DatabaseManager(db_path) as manager:
        assert all(rows_of(manager.conn).values())
        yield manager.conn


def test_a_full_record_is_clean_and_left_as_it_is(db_path: Path):
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        fill(repo)
        # No game was played for these rows, so none of their seals can be right.
        manager.conn.execute("UPDATE game_provenance SET seal_sha256 = NULL")
        assert findings(manager.conn) == []
    before = tree(db_path.parent)
    outcome = payment_sim("db", "check", db_path)
    assert (outcome.code, outcome.out) == (0, f"{db_path}: 0 faults, 0 notes\n")
    assert tree(db_path.parent) == before


def test_more_rows_than_are_looked_at_in_one_go(record: duckdb.DuckDBPyConnection):
    record.execute(
        """INSERT INTO bank_states
           SELECT bank_states.* REPLACE (tick + n::INTEGER AS tick)
           FROM bank_states, range(1, 12001) AS r(n)"""
    )
    assert findings(record) == []
    record.execute("DELETE FROM bank_states WHERE tick BETWEEN 1000 AND 7000")
    record.execute("UPDATE bank_states SET agent_id = '' WHERE tick = 12003")
    assert [f.row for f in findings(record)] == ["run_id='run-001', tick=12003, agent_id=''"]


#: Table, column, the value planted as SQL, and what is said of it.
PLANTED = [
    # What each step cost.
    ("policy_iterations", "new_cost", "1201", "cost_improvement is 300.0, expected"),
    ("policy_iterations", "old_cost", "1500.01", "cost_improvement is 300.0, expected"),
    ("policy_iterations", "cost_improvement", "-300", "cost_improvement is -300.0, expected"),
    ("policy_iterations", "new_cost", "'NaN'", "new_cost: nan"),
    ("policy_iterations", "old_cost", "'Infinity'", "old_cost: inf"),
    ("policy_iterations", "llm_latency_seconds", "-0.5", "llm_latency_seconds: -0.5"),
    ("policy_iterations", "tokens_used", "-1", "tokens_used: -1"),
    ("policy_iterations", "trigger_tick", "-1", "trigger_tick: -1"),
    # Texts that should be JSON.
    ("policy_iterations", "old_policy_json", "'{...}'", "old_policy_json is not JSON: '{...}'"),
    ("policy_iterations", "new_policy_json", "''", "new_policy_json is not JSON: ''"),
    ("policy_iterations", "new_policy_json", "'{\"a\": NaN}'", "new_policy_json is not JSON"),
    ("policy_iterations", "new_policy_json", "repeat('[', 100000)", "new_policy_json is not JSON"),
    ("policy_iterations", "validation_errors", "'late'", "validation_errors should be a JSON"),
    ("policy_iterations", "validation_errors", "'{}'", "validation_errors should be a JSON"),
    ("policy_iterations", "validation_errors", "'[\"late\", 1]'", "validation_errors"),
    ("policy_iterations", "validation_errors", "repeat('x', 100000)", "validation_errors"),
    ("game_sessions", "config_json", "'max: 25'", "config_json is not JSON: 'max: 25'"),
    ("game_sessions", "optimized_agents", "'BANK_A'", "optimized_agents should be a JSON array"),
    ("policy_diffs", "tree_changes_json", "'['", "tree_changes_json: '['"),
    ("llm_interaction_log", "details_json", "'no'", "details_json: 'no'"),
    ("simulation_events", "details_json", "'{'", "details_json: '{'"),
    ("superseded_records", "record_json", "'{'", "record_json: '{'"),
    # Words that are not known.
    ("game_sessions", "status", "'paused'", "status: 'paused'"),
    ("game_sessions", "game_mode", "'chess'", "game_mode: 'chess'"),
    # Numbers and times that cannot be.
    ("game_sessions", "total_iterations", "-1", "total_iterations: -1"),
    ("game_sessions", "final_cost", "'-Infinity'", "final_cost: -inf"),
    ("game_sessions", "started_at", "'20000-01-01'", "started_at"),
    ("evaluation_samples", "new_cost", "1201", "cost_improvement is 300.0, expected"),
    ("game_outcomes", "final_cost", "1201", "cost_improvement is 300.0, expected start_cost"),
    ("game_outcomes", "improvement_low", "301", "improvement_low is 301.0, expected at most"),
    ("game_failures", "reason", "''", "reason: ''"),
    ("transactions", "settled_tick", "arrival_tick - 1", "settled_tick is 2"),
    # What was kept word for word.
    ("provenance_files", "sha256", "upper(sha256)", "names a text that is missing: 5891B5B522D5"),
    ("provenance_files", "sha256", "''", "sha256"),
    # What must be there.
    ("policy_iterations", "new_policy_json", "NULL", "new_policy_json: None"),
    ("policy_iterations", "validation_errors", "NULL", "validation_errors should be a JSON array"),
    ("game_sessions", "started_at", "NULL", "started_at: None"),
    ("simulation_runs", "run_id", "''", "run_id: ''"),
    # What the table itself would refuse.
    ("evaluation_samples", "old_settlement_rate", "1.5", "old_settlement_rate: 1.5"),
    ("provenance_files", "role", "'photo'", "role: 'photo'"),
    ("equilibrium_certificates", "distance_from_equilibrium", "'NaN'", "distance_from_equilibrium"),
    ("transactions", "settled_cents", "amount_cents + 1", "settled_cents is 100001"),
    ("bank_states", "queue1_count", "-1", "queue1_count: -1"),
    ("daily_costs", "cost_kind", "'bribe'", "cost_kind: 'bribe'"),
    ("iteration_context", "cost_std", "'Infinity'", "cost_std: inf"),
]


@pytest.mark.sampled(15)
@pytest.mark.parametrize(
    ("table", "column", "value", "said"), PLANTED, ids=[" ".join(p[:3])[:60] for p in PLANTED]
)
def test_a_value_that_cannot_be(
    table: str, column: str, value: str, said: str, record: duckdb.DuckDBPyConnection
):
    rebuild(record, table)
    record.execute(f"UPDATE {table} SET {column} = {value}")
    found = [f for f in about_rows(record) if f.is_fault and "belong to no row" not in f.problem]
    assert [f.table for f in found] == [table]
    assert said in found[0].problem
    assert len(found[0].problem) < 500


def test_iteration_zero(record: duckdb.DuckDBPyConnection):
    record.execute("UPDATE policy_iterations SET iteration_number = 0")
    faults = [f for f in findings(record) if f.is_fault]
    assert faults[0].table == "policy_iterations"
    assert faults[0].row == STEP.replace("=1", "=0")
    assert faults[0].problem.startswith("iteration_number: 0")


def test_a_key_that_stands_twice(record: duckdb.DuckDBPyConnection):
    rebuild(record, "evaluation_samples")
    record.execute("INSERT INTO evaluation_samples FROM evaluation_samples")
    assert about_rows(record) == [
        Finding("evaluation_samples", f"{STEP}, sample_number=1", "the key stands 2 times")
    ]


STEPS = ("policy_diffs", "iteration_context", "evaluation_samples")
OF_A_GAME = (
    "policy_iterations",
    "llm_interaction_log",
    *STEPS,
    "game_provenance",
    "provenance_files",
    "equilibrium_certificates",
    "simulation_runs",
    "game_outcomes",
    "game_failures",
)
OF_A_RUN = ("transactions", "simulation_events", "bank_states", "daily_costs")


class TestOrphans:
    def test_of_a_game(self, record: duckdb.DuckDBPyConnection):
        record.execute("DELETE FROM game_sessions")
        assert findings(record) == [
            Finding(table, GAME, "1 rows belong to no row of game_sessions") for table in OF_A_GAME
        ]

    def test_of_a_step(self, record: duckdb.DuckDBPyConnection):
        record.execute("DELETE FROM policy_iterations")
        faults = [f for f in findings(record) if f.is_fault]
        # A call of a model is written down before its step and may be all that there is of it.
        assert faults == [
            Finding(table, STEP, "1 rows belong to no row of policy_iterations") for table in STEPS
        ]

    def test_of_a_run(self, record: duckdb.DuckDBPyConnection):
        record.execute("DELETE FROM simulation_runs")
        assert findings(record) == [
            Finding(table, "run_id='run-001'", "1 rows belong to no row of simulation_runs")
            for table in OF_A_RUN
        ]

    def test_a_run_of_no_game_is_none(self, record: duckdb.DuckDBPyConnection):
        record.execute("UPDATE simulation_runs SET game_id = NULL")
        assert findings(record) == []


class TestNotes:
    @pytest.mark.parametrize(
        ("numbers", "said"),
        [
            ([2, 3], "2 steps between iterations 2 and 3: some are left out"),
            ([1, 2, 5], "3 steps between iterations 1 and 5: some are left out"),
            ([1, 2, 3], None),
            ([3, 1, 2], None),
        ],
        ids=str,
    )
    def test_steps_left_out(self, numbers: list[int], said: str | None, repo, manager):
        repo.save_game_session(a_session())
        repo.save_policy_iterations([an_iteration(n) for n in numbers])
        repo.save_policy_iteration(an_iteration(1, agent_id="BANK_B"))
        expected = [
            Finding("policy_iterations", f"{GAME}, agent_id='BANK_A'", said, is_fault=False)
            for said in [said]
            if said
        ]
        assert findings(manager.conn) == expected

    @pytest.mark.parametrize(
        ("status", "total", "is_odd"),
        [
            ("converged", 2, False),  # the last iteration
            ("converged", 4, False),  # the number of steps
            ("completed", 3, True),
            ("failed", 0, True),
            ("running", 0, False),
            ("running", 7, False),
        ],
    )
    def test_count_of_iterations(self, status: str, total: int, is_odd: bool, repo, manager):
        repo.save_game_session(a_session(status=status, total_iterations=total))
        repo.save_policy_iterations(
            [an_iteration(n, agent_id=agent) for n in (1, 2) for agent in ("BANK_A", "BANK_B")]
        )
        said = f"{status} with total_iterations {total}, but the last iteration stored is 2"
        expected = [Finding("game_sessions", GAME, said, is_fault=False)] if is_odd else []
        assert findings(manager.conn) == expected

    def test_an_ended_game_without_steps(self, repo, manager):
        repo.save_game_session(a_session(status="failed", total_iterations=0))
        assert findings(manager.conn) == []
        manager.conn.execute("UPDATE game_sessions SET total_iterations = NULL, converged = NULL")
        assert findings(manager.conn) == []

    def test_are_no_failure(self, db_path: Path):
        with DatabaseManager(db_path) as manager:
            repo = GameRepository(manager.conn)
            repo.initialize_schema()
            repo.save_game_session(a_session(status="failed", total_iterations=9))
            repo.save_policy_iteration(an_iteration(2))
        outcome = payment_sim("db", "check", db_path)
        assert outcome.code == 0
        assert outcome.out.endswith(": 0 faults, 2 notes\n")
