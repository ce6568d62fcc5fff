"""payment-sim play, resume and verify: a whole game from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import a_session, an_iteration
from tests.command_line import Outcome, facts, one_error, payment_sim
from tests.games import FRACTION, GAMES, SCENARIOS, Told, castro, play, stay

TWO_PERIOD = GAMES / "two_period.yaml"
KEYS = [
    "game_id",
    "status",
    "iterations",
    "converged",
    "final_cost",
    "banks",
    "distance_from_equilibrium",
    "distance_upper_bound",
    "regrets",
    "cycle",
    "digest",
]


def played(*arguments: object, **variables: str) -> Outcome:
    outcome = payment_sim("play", *arguments, **variables)
    assert outcome.code == 0, outcome.err
    return outcome


def test_json_has_the_whole_result(db_path: Path):
    found = json.loads(played(TWO_PERIOD, "--db", db_path, "--json").out)
    assert list(found) == KEYS
    assert found["game_id"].startswith("two_period-42-")
    assert (found["status"], found["converged"]) == ("converged", True)
    assert found["banks"] == {
        "BANK_A": {"start_cost": 5000.0, "final_cost": 0.0, "parameters": {FRACTION: 0}},
        "BANK_B": {"start_cost": 5000.0, "final_cost": 2000.0, "parameters": {FRACTION: 0.2}},
    }
    assert found["final_cost"] == 2000.0
    assert (found["distance_from_equilibrium"], found["distance_upper_bound"]) == (0.0, 0.0)
    exact = {"estimate": 0.0, "low": 0.0, "high": 0.0}
    assert found["regrets"] == {"BANK_A": exact, "BANK_B": exact}
    assert found["cycle"] is None
    digest = payment_sim("digest", found["game_id"], "--db", db_path, "--json").out
    assert found["digest"] == json.loads(digest)["digest"]
    assert payment_sim("db", "check", db_path).out.endswith(": 0 faults, 0 notes\n")


def test_a_person_reads_who_improved_and_what_to_do_next(db_path: Path):
    said = played(TWO_PERIOD, "--db", db_path, "--id", "mine").out
    for text in (
        "BANK_A",
        "50.00",
        "30.00",
        "distance from equilibrium  0.00 (exact), of ",
        "mine",
    ):
        assert text in said
    commands = [line.split() for line in said.splitlines() if line.startswith("  payment-sim ")]
    assert [words[1] for words in commands] == ["show", "verify"]
    for words in commands:
        assert payment_sim(*words[1:]).code == 0


def test_the_table_has_the_parameters_that_were_played_for(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scenario = (SCENARIOS / "two_period.yaml").read_text()
    text = TWO_PERIOD.read_text().replace("../scenarios/", "")
    text = text.replace("{BANK_A: {}, BANK_B: {}}", "[BANK_B]")
    share = "    liquidity_allocation_fraction: 0.5\n"
    assert scenario.count(share) == 2
    urgent = f"{share}    policy: {{type: Deadline, urgency_threshold: 2}}\n"
    (tmp_path / "two_period.yaml").write_text(scenario.replace(share, urgent))
    (tmp_path / "game.yaml").write_text(text)
    said = played("game.yaml", "--iterations", "1", "--id", "mine").out
    assert "urgency_threshold" not in said
    rows = {line.split()[0]: line.split() for line in said.splitlines() if " BANK_" in line}
    assert rows["BANK_B"][4] == FRACTION
    assert len(rows["BANK_A"]) == 4, "nobody plays it"
    found = json.loads(played("game.yaml", "--iterations", "1", "--id", "two", "--json").out)
    assert "urgency_threshold" in found["banks"]["BANK_A"]["parameters"]


def test_options_take_the_place_of_what_the_file_says(db_path: Path):
    options = ["--seed", "7", "--iterations", "2", "--id", "short", "--threads", "1"]
    found = json.loads(played(TWO_PERIOD, "--db", db_path, *options, "--json").out)
    assert (found["game_id"], found["iterations"], found["status"]) == ("short", 2, "completed")
    with DatabaseManager(db_path, read_only=True) as manager:
        session = GameRepository(manager.conn).get_game_session("short")
    assert session is not None
    assert session.master_seed == 7
    assert json.loads(session.config_json)["convergence"]["max_iterations"] == 2


def test_a_scenario_is_played_with_defaults(db_path: Path):
    file = SCENARIOS / "two_period.yaml"
    found = json.loads(played(file, "--db", db_path, "--json").out)
    assert found["distance_from_equilibrium"] == 0.0
    assert found["banks"]["BANK_B"]["parameters"] == {FRACTION: 0.2}


def test_the_database_is_that_of_option_environment_file_or_folder(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    played(TWO_PERIOD, "--iterations", "1", "--id", "a")
    assert (tmp_path / "simulation.db").exists()
    played(TWO_PERIOD, "--iterations", "1", "--id", "a", PAYMENT_SIM_DB="env.db")
    assert (tmp_path / "env.db").exists()
    text = TWO_PERIOD.read_text().replace("../scenarios", str(SCENARIOS))
    (tmp_path / "game.yaml").write_text(f"{text}\noutput: {{database_path: file.db}}\n")
    played("game.yaml", "--iterations", "1", "--id", "a")
    assert (tmp_path / "file.db").exists()
    played("game.yaml", "--iterations", "1", "--id", "b", "--db", "option.db")
    assert (tmp_path / "option.db").exists()


def test_a_game_that_is_there_is_not_played_over(db_path: Path):
    played(TWO_PERIOD, "--db", db_path, "--id", "mine", "--iterations", "1")
    said = one_error(payment_sim("play", TWO_PERIOD, "--db", db_path, "--id", "mine"))
    assert "is in the record already (completed)" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty"),
        ("scenario_config: nowhere.yaml", "nowhere.yaml: not there"),
        ("scenario_config: s.yaml\nmaster_sed: 1", "line 2, master_sed: unknown key; nearest"),
        ("scenario_config: s.yaml\nproposer: {kind: serch}", "proposer.kind"),
        ("scenario_config: s.yaml\nproposer: {kind: llm}", "proposer.model"),
        ("scenario_config: s.yaml\nproposer: {api_key: sk-1}", "environment variable"),
        ("scenario_config: s.yaml\noptimized_agents: [BANK_C]", "BANK_C"),
        ("scenario_config: s.yaml\ngame_mode: rl_optimization", "optimization_schedule"),
        ("scenario_config: [", "game.yaml"),
    ],
    ids=lambda text: text[-24:],
)
def test_a_bad_game_file_gets_one_line(text: str, said: str, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text((SCENARIOS / "two_period.yaml").read_text())
    (tmp_path / "game.yaml").write_text(text)
    assert said in one_error(payment_sim("play", "game.yaml"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["game.yaml", "s.yaml"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--seed", "-1"], "--seed"),
        (["--seed", str(2**63)], "--seed"),
        (["--iterations", "0"], "--iterations"),
        (["--id", " "], "--id"),
        (["--id", "esc\x1b[31m"], "--id"),
        (["--threads", "0"], "--threads"),
    ],
    ids=str,
)
def test_bad_options(options: list[str], said: str, db_path: Path):
    assert said in one_error(payment_sim("play", TWO_PERIOD, "--db", db_path, *options))


def test_a_failed_game_says_how_to_go_on(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "moody.py").write_text(
        "from pathlib import Path\n"
        "class Moody:\n"
        "    label = 'python/moody'\n"
        "    def propose(self, situation):\n"
        "        if situation.iteration == 2 and not Path('calm').exists():\n"
        "            raise RuntimeError('not today')\n"
        "        return situation.policy\n"
    )
    text = TWO_PERIOD.read_text().replace("../scenarios", str(SCENARIOS))
    text = text.replace("kind: search, candidates: 32", "kind: python, object: 'moody:Moody'")
    (tmp_path / "game.yaml").write_text(text)
    said = one_error(payment_sim("play", "game.yaml", "--id", "moody"), code=1)
    assert "iteration 2, bank BANK_A: python/moody: RuntimeError: not today." in said
    assert said.endswith("Go on with: payment-sim resume moody --trust")
    assert "failed" in payment_sim("games").out
    assert "not today" in payment_sim("show", "moody").out
    (tmp_path / "calm").touch()
    assert "--trust" in one_error(payment_sim("resume", "moody"))
    outcome = payment_sim("resume", "moody", "--trust", "--json")
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)
    assert list(found) == KEYS
    assert (found["status"], found["iterations"]) == ("converged", 5)
    assert json.loads(payment_sim("verify", "moody", "--json").out)["identical"] is True
    assert "has ended (converged after 5 iterations)" in one_error(payment_sim("resume", "moody"))


@pytest.fixture
def recorded(db_path: Path) -> Path:
    """Play a game of few steps."""
    play(db_path, castro(), proposers={"BANK_A": Told(stay)})
    return db_path


def test_verify_says_that_a_record_is_what_its_game_gives(recorded: Path):
    outcome = payment_sim("verify", "castro", "--db", recorded)
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("castro: identical; ")
    found = json.loads(payment_sim("verify", "castro", "--db", recorded, "--json").out)
    assert found.pop("steps") > 0
    assert found == {
        "game_id": "castro",
        "identical": True,
        "first_difference": None,
        "ended": True,
        "not_proved": [line.removeprefix("Not proved: ") for line in outcome.out.splitlines()[1:]],
    }
    assert "proposals of python/told, fed back" in outcome.out


def test_verify_names_the_first_difference(recorded: Path):
    with duckdb.connect(str(recorded)) as conn:
        conn.execute(
            "UPDATE policy_iterations SET new_cost = new_cost + 1, "
            "cost_improvement = cost_improvement - 1 WHERE iteration_number = 2"
        )
    outcome = payment_sim("verify", "castro", "--db", recorded)
    assert (outcome.code, outcome.err) == (1, "")
    assert "iteration 2 of BANK_" in outcome.out
    outcome = payment_sim("verify", "castro", "--db", recorded, "--json")
    assert outcome.code == 1
    found: dict[str, Any] = json.loads(outcome.out)
    assert found["identical"] is False
    assert "new_cost" in found["first_difference"]


@pytest.mark.parametrize("command", ["resume", "verify", "show"])
def test_a_game_that_is_not_there(command: str, recorded: Path):
    assert "nearest: castro" in one_error(payment_sim(command, "castor", "--db", recorded))


@pytest.mark.parametrize("command", [["play", TWO_PERIOD], ["resume", "game-001"]], ids=str)
def test_a_file_that_another_process_writes(command: list[Any], held: tuple[int, Path]):
    pid, path = held
    assert f"process {pid}" in one_error(payment_sim(*command, "--db", path), code=1)


def test_show_counts_the_iterations_of_a_game_that_is_not_over(db_path: Path):
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_session("mine"))
        repo.save_policy_iteration(an_iteration(3, game_id="mine"))
    assert facts(payment_sim("show", "mine", "--db", db_path).out)["iterations"] == ["3"]
