"""Recorded games played once more: equal where nothing was touched, different where it was."""

from __future__ import annotations

import json
import re
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.builders import a_session
from tests.games import Told, castro, fraction, play, ten_days, twelve
from tests.planting import change_texts

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.proposers.base import ProposerError
from payment_simulator.ai_cash_mgmt.record.verification import Verification, verify_game
from payment_simulator.errors import GameFailedError, GameNotFoundError, InputError
from payment_simulator.persistence.connection import DatabaseManager


def verify(path: Path, game: str) -> Verification:
    with DatabaseManager(path, read_only=True) as manager:
        return verify_game(GameRepository(manager.conn), game)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("played") / "game.db"
    play(path, twelve())
    return path


def change(path: Path, sql: str) -> int:
    """Change a record behind its back."""
    with duckdb.connect(str(path)) as conn:
        return int(conn.execute(sql).fetchall()[0][0])


@pytest.mark.parametrize("config", [castro(), twelve(), ten_days()], ids=lambda c: c.game_id)
def test_a_record_is_what_its_game_gives(db_path: Path, config: Any) -> None:
    result = play(db_path, config)
    found = verify(db_path, config.game_id)
    assert found.first_difference is None
    assert found.steps == 2 * result.iterations


def test_it_needs_nothing_but_the_record(
    tmp_path: Path, played: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    copy = shutil.copy(played, empty / "copy.db")
    assert verify(Path(copy), "twelve").is_identical


def test_files_of_policies_and_payments_may_be_gone(tmp_path: Path, db_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "hold.json").write_text(
        json.dumps(
            {
                "policy_id": "wait",
                "parameters": {"patience": 2},
                "payment_tree": {
                    "type": "condition",
                    "node_id": "old",
                    "condition": {
                        "op": ">=",
                        "left": {"field": "queue_age"},
                        "right": {"param": "patience"},
                    },
                    "on_true": {"type": "action", "node_id": "go", "action": "Release"},
                    "on_false": {"type": "action", "node_id": "stay", "action": "Hold"},
                },
            }
        )
    )
    (folder / "payments.csv").write_text(
        "day,tick,sender,receiver,amount,priority,deadline,divisible\n"
        "0,0,A,B,500,5,6,false\n0,1,B,A,700,5,6,true\n1,0,A,B,900,9,3,false\n1,2,B,A,100,5,6,false\n"
    )
    (folder / "scenario.yaml").write_text(
        "simulation: {ticks_per_day: 8, num_days: 2}\n"
        "agents:\n"
        "  - {id: A, opening_balance: 5000, policy: {type: FromJson, json_path: hold.json}}\n"
        "  - {id: B, opening_balance: 5000}\n"
        "payments_file: {path: payments.csv}\n"
    )
    parameter = {"name": "patience", "param_type": "int", "min_value": 0, "max_value": 7}
    config = castro(
        scenario_config=str(folder / "scenario.yaml"),
        optimized_agents={"A": {}},
        constraints={"allowed_parameters": [parameter]},
        bootstrap={"num_samples": 5, "sample_method": "bootstrap", "observed_runs": 3},
    )
    result = play(db_path, config)
    assert result.banks["A"].final_cost < result.banks["A"].start_cost
    shutil.rmtree(folder)
    assert verify(db_path, "castro").first_difference is None


NUMBERS = [
    ("policy_iterations", "old_cost", "old_cost * (1 + 1e-15) + 1e-9"),
    ("policy_iterations", "new_cost", "new_cost + 1e-6"),
    ("policy_iterations", "cost_improvement", "cost_improvement + 1e-7"),
    ("policy_iterations", "trigger_tick", "trigger_tick + 1"),
    ("policy_iterations", "was_accepted", "NOT was_accepted"),
    ("policy_iterations", "old_policy_json", "replace(old_policy_json, '0.', '0.0')"),
    ("policy_iterations", "new_policy_json", "replace(new_policy_json, '0.', '0.0')"),
    ("evaluation_samples", "old_cost", "old_cost + 1e-6"),
    ("evaluation_samples", "new_cost", "new_cost + 1e-6"),
    ("evaluation_samples", "new_settlement_rate", "new_settlement_rate * 0.999"),
    ("evaluation_samples", "sample_seed", "sample_seed + 1"),
    ("iteration_context", "cost_mean", "cost_mean + 1e-6"),
    ("iteration_context", "cost_breakdown_json", "replace(cost_breakdown_json, '1', '2')"),
    ("game_outcomes", "start_cost", "start_cost + 1e-6"),
    ("game_outcomes", "final_cost", "final_cost + 1e-6"),
    ("game_outcomes", "final_policy_json", "replace(final_policy_json, '0.', '0.0')"),
    ("game_outcomes", "start_costs_json", "replace(start_costs_json, '1', '2')"),
    ("equilibrium_certificates", "distance_from_equilibrium", "distance_from_equilibrium + 1e-6"),
    ("equilibrium_certificates", "regrets_json", "regrets_json || ' '"),
    ("game_sessions", "final_cost", "final_cost + 1e-6"),
    ("game_sessions", "total_iterations", "total_iterations + 1"),
    ("simulation_runs", "total_cost", "total_cost + 1e-6"),
    ("simulation_runs", "policies_json", "replace(policies_json, '0.', '0.0')"),
    ("daily_costs", "cost", "cost + 1e-6"),
    ("bank_states", "tick_cost", "tick_cost + 1e-6"),
    ("bank_states", "balance_cents", "balance_cents + 1"),
    ("transactions", "delay_cost", "delay_cost + 1e-6"),
    ("transactions", "amount_cents", "amount_cents + 1"),
    ("simulation_events", "amount_cents", "amount_cents + 1"),
]


@pytest.mark.sampled(9)
@pytest.mark.parametrize(("table", "column", "new"), NUMBERS, ids=lambda v: str(v)[:24])
def test_a_single_changed_digit_is_found(
    tmp_path: Path, played: Path, table: str, column: str, new: str
) -> None:
    path = Path(shutil.copy(played, tmp_path / "changed.db"))
    # One row alone, the last in order.
    row = f"(SELECT max(rowid) FROM {table} WHERE {column} IS NOT NULL AND ({new}) != {column})"
    assert change(path, f"UPDATE {table} SET {column} = {new} WHERE rowid = {row}") == 1
    found = verify(path, "twelve")
    assert found.first_difference is not None
    assert table in found.first_difference
    assert column in found.first_difference


@pytest.mark.parametrize("table", ["policy_iterations", "evaluation_samples", "game_outcomes"])
def test_a_missing_row_is_found(tmp_path: Path, played: Path, table: str) -> None:
    path = Path(shutil.copy(played, tmp_path / "changed.db"))
    change(path, f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})")
    found = verify(path, "twelve")
    assert table in str(found.first_difference)


def test_a_row_too_many_is_found(tmp_path: Path, played: Path) -> None:
    path = Path(shutil.copy(played, tmp_path / "changed.db"))
    change(
        path,
        "INSERT INTO policy_iterations SELECT * REPLACE (99 AS iteration_number) "
        "FROM policy_iterations WHERE iteration_number = 1 AND agent_id = 'BANK_A'",
    )
    assert "iteration 99" in str(verify(path, "twelve").first_difference)


#: Stores a long text that rows can name.
STORED = (
    "INSERT INTO texts VALUES (sha256('{}'), 2); "
    "INSERT INTO text_pieces VALUES (sha256('{}'), 1, '{}')"
)
#: A call of a model in an iteration.
CALL = (
    f"{STORED}; INSERT INTO llm_interaction_log (game_id, agent_id, iteration_number, "
    "attempt_number, llm_model, system_prompt_sha256, user_prompt_sha256, "
    "input_tokens, output_tokens, llm_latency_seconds, request_timestamp) "
    "VALUES ('twelve', 'BANK_A', %d, 1, 'x/y', sha256('{}'), sha256('{}'), 9000000, 0, 0, "
    "now()::TIMESTAMP)"
)
#: What a stranger may do to a record; each is found by itself.
FORGERIES = {
    "another end": "UPDATE game_sessions SET status = 'failed', final_cost = 1000",
    "another gain": "UPDATE game_outcomes "
    "SET final_cost = 500, cost_improvement = start_cost - 500",
    "a better distance": "UPDATE equilibrium_certificates SET distance_from_equilibrium = 0",
    "no end": "UPDATE game_sessions SET status = 'running', completed_at = NULL, "
    "converged = false, final_cost = NULL, total_iterations = 0",
    "a call": CALL % 99,
    "a call of a step": CALL % 1,
    "a run": "INSERT INTO simulation_runs SELECT * REPLACE ('twelve/more' AS run_id) "
    "FROM simulation_runs WHERE purpose = 'final'",
    "a failure": "INSERT INTO game_failures "
    "VALUES ('twelve', 1, NULL, 1, 'x', 'OSError', now()::TIMESTAMP, 0, NULL)",
    "samples": "INSERT INTO evaluation_samples SELECT * REPLACE (99 AS iteration_number) "
    "FROM evaluation_samples WHERE iteration_number = 1",
    "contexts": "INSERT INTO iteration_context SELECT * REPLACE ('BANK_X' AS agent_id) "
    "FROM iteration_context WHERE iteration_number = 1 AND agent_id = 'BANK_A'",
    "a difference": "INSERT INTO policy_diffs SELECT * REPLACE (77 AS iteration_number) "
    "FROM policy_diffs WHERE iteration_number = 1",
    "an outcome": "INSERT INTO game_outcomes SELECT * REPLACE ('BANK_X' AS agent_id) "
    "FROM game_outcomes WHERE agent_id = 'BANK_A'",
    "a certificate": "INSERT INTO equilibrium_certificates "
    "SELECT * REPLACE (2 AS certificate_number) FROM equilibrium_certificates",
    "a file": f"{STORED}; INSERT INTO provenance_files "
    "VALUES ('twelve', 'policy', 'BANK_X', sha256('{}'))",
    "nothing superseded": "DELETE FROM superseded_records",
    "something superseded": "INSERT INTO superseded_records VALUES ('policy_iterations', "
    "'[\"twelve\",\"BANK_A\",1]', 1, '{}', now()::TIMESTAMP)",
    "no origin": "DELETE FROM game_provenance",
    "no game file": "DELETE FROM provenance_files WHERE role = 'game_file'",
}


@pytest.mark.sampled(9)
@pytest.mark.parametrize("sql", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forgery_is_found(tmp_path: Path, played: Path, sql: str) -> None:
    path = Path(shutil.copy(played, tmp_path / "changed.db"))
    assert change(path, sql) > 0
    assert verify(path, "twelve").first_difference is not None


@pytest.mark.parametrize(
    ("role", "old", "new"),
    [
        ("game_file", "\\Z", "# a"),
        ("game_file", "\\Z", "\noutput: {database_path: x.db}"),
        ("scenario", "800_000", "800_001"),
    ],
    ids=["a remark in the game file", "another key in the game file", "another amount"],
)
def test_a_changed_file_is_found(
    tmp_path: Path, played: Path, role: str, old: str, new: str
) -> None:
    path = Path(shutil.copy(played, tmp_path / "changed.db"))
    with duckdb.connect(str(path)) as conn:
        table, where = "provenance_files", f"role = '{role}' AND name != 'options'"
        change_in = partial(re.sub, old, new)
        assert change_texts(conn, table, "sha256", change_in, where) == 1
    assert verify(path, "twelve").first_difference is not None


def test_a_game_cut_short_is_found(tmp_path: Path, played: Path) -> None:
    path = Path(shutil.copy(played, tmp_path / "changed.db"))
    for table in ("policy_iterations", "iteration_context", "policy_diffs", "evaluation_samples"):
        change(path, f"DELETE FROM {table} WHERE iteration_number > 1")
    for table in ("game_outcomes", "equilibrium_certificates", "simulation_runs"):
        change(path, f"DELETE FROM {table} WHERE game_id = 'twelve'")
    change(path, FORGERIES["no end"])
    assert "superseded_records" in str(verify(path, "twelve").first_difference)


def test_every_key_of_the_configuration_is_compared(tmp_path: Path, played: Path) -> None:
    path = Path(shutil.copy(played, tmp_path / "changed.db"))
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        session = repo.get_game_session("twelve")
        assert session is not None
        for where, text in changed_keys(session.config_json):
            manager.conn.execute("UPDATE game_sessions SET config_json = ?", [text])
            found = verify_game(repo, "twelve").first_difference
            assert found is not None
            assert f"config_json, {', '.join(where)}: the record has" in found


def changed_keys(text: str) -> list[tuple[tuple[str, ...], str]]:
    """Return a configuration again and again, each time with another value changed."""
    config, found = json.loads(text), []

    def walk(part: dict[str, Any], path: tuple[str, ...]) -> None:
        for key, value in part.items():
            if isinstance(value, dict) and value:
                walk(value, (*path, key))
                continue
            part[key] = "x" if isinstance(value, str | None) else [value]
            found.append(((*path, key), json.dumps(config)))
            part[key] = value

    walk(config, ())
    assert len(found) > 20
    return found


def test_options_and_changes_made_in_python_are_recorded(db_path: Path) -> None:
    config = twelve(bootstrap={"num_samples": 2})
    rule = config.convergence.model_copy(update={"max_iterations": 1})
    changed = config.model_copy(update={"master_seed": 7, "convergence": rule})
    play(db_path, changed)
    assert verify(db_path, "twelve").first_difference is None
    with DatabaseManager(db_path, read_only=True) as manager:
        files = GameRepository(manager.conn).get_provenance_files("twelve")
    [options] = [json.loads(file.content) for file in files if file.name == "options"]
    assert options.keys() == {"master_seed", "convergence"}
    assert options["master_seed"] == 7
    assert options["convergence"]["max_iterations"] == 1


def test_what_is_not_proved_is_named(db_path: Path) -> None:
    play(db_path, castro(), proposers={"BANK_A": Told(fraction(0.0), "python/mine")})
    found = verify(db_path, "castro")
    assert found.ended
    assert f"{found.steps // 2} proposals of python/mine, fed back as recorded" in found.not_proved


def test_a_text_that_does_not_fit_its_hash_is_refused(tmp_path: Path, played: Path) -> None:
    path = Path(shutil.copy(played, tmp_path / "changed.db"))
    of_scenario = "(SELECT sha256 FROM provenance_files WHERE role = 'scenario')"
    sql = f"UPDATE text_pieces SET content = content || ' ' WHERE sha256 = {of_scenario}"
    assert change(path, f"{sql} AND piece_number = 1") == 1
    found = str(verify(path, "twelve").first_difference)
    assert re.match(r"texts \(sha256='[0-9a-f]{64}'\): the text was changed", found)


def test_proposals_of_code_are_fed_back(db_path: Path) -> None:
    told = {"BANK_A": Told(lambda s: fraction(0.0 if s.refused else 7.0)(s), "python/mine")}
    play(db_path, castro(), proposers=told)
    assert verify(db_path, "castro").first_difference is None


def test_a_game_that_was_interrupted_is_compared_as_far_as_it_goes(db_path: Path) -> None:
    def propose(situation: Any) -> Any:
        if situation.iteration == 3:
            raise ProposerError("gone")
        return fraction(0.1)(situation)

    with pytest.raises(GameFailedError):
        play(db_path, castro(), proposers={"BANK_B": Told(propose)})
    found = verify(db_path, "castro")
    assert found.first_difference is None
    assert found.steps == 5
    assert not found.ended
    assert "1 failure on the way, as recorded" in found.not_proved
    assert "the end of the game, which is failed: there is none" in found.not_proved


def test_a_game_that_is_not_there(played: Path) -> None:
    with pytest.raises(GameNotFoundError, match="nearest: twelve"):
        verify(played, "twelvth")


def test_a_game_of_another_tool_cannot_be_verified(repo: GameRepository) -> None:
    repo.save_game_session(a_session(game_id="other", config_json="{}"))
    with pytest.raises(InputError, match="other"):
        verify_game(repo, "other")
