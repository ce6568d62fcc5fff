"""Games side by side, as their records tell them; nothing of the simulator is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.builders import a_record, a_session, an_iteration
from tests.migration.first_tool import write_first_tool_file

from payment_simulator.ai_cash_mgmt import (
    EquilibriumCertificateRecord,
    GameOutcomeRecord,
    GameProvenanceRecord,
    GameRepository,
    GameSessionRecord,
    LLMInteractionRecord,
)
from payment_simulator.analysis.compare import compare_games
from payment_simulator.analysis.opening import open_record
from payment_simulator.errors import GameNotFoundError, InputError
from payment_simulator.persistence.connection import DatabaseManager

CONFIG: dict[str, Any] = {
    "constraints": {"allowed_parameters": [{"name": "share"}]},
    "optimized_agents": {
        "BANK_A": {"constraints": None},
        "BANK_B": {"constraints": {"allowed_parameters": [{"name": "limit"}]}},
    },
}
POLICY = json.dumps({"parameters": {"share": 0.25, "limit": 7, "other": 1}})


@pytest.fixture
def ended(repo: GameRepository) -> GameRepository:
    """Save a game that has ended, with all that a comparison reads."""
    repo.save_game_session(
        a_record(GameSessionRecord, config_json=json.dumps(CONFIG), total_iterations=3)
    )
    repo.save_policy_iterations(
        [
            an_iteration(1, tokens_used=10),
            an_iteration(2, tokens_used=20),
            an_iteration(3, tokens_used=30, was_accepted=False),
            an_iteration(1, agent_id="BANK_B", tokens_used=0, llm_model="grid/exhaustive"),
        ]
    )
    repo.save_game_outcomes(
        a_record(GameOutcomeRecord, agent_id=bank, final_policy_json=POLICY)
        for bank in ("BANK_A", "BANK_B", "BANK_C")
    )
    bounded = '{"estimate": 0.5, "low": 0.25, "high": 0.75}'
    certificates = {"regrets_json": f'{{"BANK_A": {bounded}, "BANK_B": 0}}'}
    repo.save_equilibrium_certificate(
        a_record(EquilibriumCertificateRecord, distance_from_equilibrium=9.0)
    )
    repo.save_equilibrium_certificate(
        a_record(EquilibriumCertificateRecord, certificate_number=2, **certificates)
    )
    for number, price in ((1, 0.1), (2, 0.2), (3, None)):
        call = a_record(LLMInteractionRecord, attempt_number=number, cost_usd=price)
        repo.save_llm_interaction(call)
    repo.save_game_provenance(a_record(GameProvenanceRecord))
    return repo


def test_the_figures_of_a_game(ended: GameRepository):
    (game,) = compare_games(ended, ["game-001"]).games
    assert (game.status, game.master_seed, game.cost_source) == ("converged", 42, "outcomes")
    assert (game.start_cost, game.final_cost, game.improvement) == (4500.0, 2500.0, 2000.0)
    assert (game.iterations, game.last_accepted_iteration, game.converged_iteration) == (3, 2, 3)
    assert (game.steps, game.accepted, game.acceptance_rate) == (4, 3, 0.75)
    assert (game.distance_from_equilibrium, game.price_of_anarchy) == (0.5, 1.25)
    assert (game.distance_upper_bound, game.num_deviations) == (0.75, 21)
    assert game.deviation_space == "parameters"
    assert (game.banks[0].regret_low, game.banks[0].regret_high) == (0.25, 0.75)
    assert game.proposers == ("anthropic/claude-sonnet", "grid/exhaustive")
    assert (game.tokens_used, game.calls, game.unpriced_calls) == (60, 3, 1)
    assert game.cost_usd == pytest.approx(0.3)
    assert (game.num_samples, game.package_version) == (20, "0.1.0")


def test_the_figures_of_its_banks(ended: GameRepository):
    (game,) = compare_games(ended, ["game-001"]).games
    a, b, c = game.banks
    assert [bank.bank for bank in game.banks] == ["BANK_A", "BANK_B", "BANK_C"]
    assert (a.start_cost, a.final_cost, a.improvement) == (1500.0, 1200.0, 300.0)
    assert (a.improvement_low, a.improvement_high, a.confidence) == (250.5, 349.5, 0.95)
    assert (a.start_settlement_rate, a.final_settlement_rate) == (0.95, 1.0)
    assert (a.regret, b.regret, c.regret) == (0.5, 0.0, None)
    assert (a.steps, a.accepted) == (3, 2)
    # What was optimised alone: declared for the game, declared for the bank, nothing.
    assert (a.parameters, b.parameters, c.parameters) == ({"share": 0.25}, {"limit": 7.0}, {})
    assert [bank.is_optimized for bank in game.banks] == [True, True, False]


def test_a_game_without_outcomes_shows_what_its_steps_measured(repo: GameRepository):
    repo.save_game_session(a_session(config_json="{}"))
    refused = json.dumps({"parameters": {"x": 9}})
    in_force = json.dumps({"parameters": {"x": 1.5, "y": True, "z": "text"}})
    repo.save_policy_iterations(
        [
            an_iteration(1),
            an_iteration(2, old_cost=1100.0, new_cost=1200.0, cost_improvement=-100.0,
                         was_accepted=False, old_policy_json=in_force, new_policy_json=refused),
            an_iteration(1, agent_id="BANK_B", new_policy_json="no JSON"),
        ]
    )  # fmt: skip
    found = compare_games(repo, ["game-001"])
    (game,) = found.games
    assert (game.cost_source, game.num_samples, game.converged_iteration) == ("steps", None, None)
    assert (game.start_cost, game.final_cost, game.improvement) == (None, None, None)
    a, b = game.banks
    assert (a.start_cost, a.final_cost, a.improvement) == (1500.0, 1100.0, 400.0)
    assert (a.parameters, b.parameters) == ({"x": 1.5}, {})
    assert game.iterations == 2
    assert any("no outcomes on held-out days of game-001" in note for note in found.notes)
    assert any("Not played to the end: interrupted (game-001)" in note for note in found.notes)


@pytest.mark.parametrize(
    "text",
    ['{"parameters": 3}', "[]", "7", "[" * 100_000, '{"parameters": {"share": NaN}}',
     '{"parameters": {"share": ' + "9" * 400 + "}}"],
    ids=["number", "list", "seven", "deep", "nan", "huge"],
)  # fmt: skip
def test_what_is_no_policy_has_no_parameters(repo: GameRepository, text: str):
    repo.save_game_session(a_session(config_json=text))
    repo.save_policy_iteration(an_iteration(new_policy_json=text))
    ((bank,),) = (game.banks for game in compare_games(repo, ["game-001"]).games)
    assert bank.parameters == {}


def test_a_game_without_steps(repo: GameRepository):
    repo.save_game_session(a_session())
    found = compare_games(repo, ["game-001"])
    (game,) = found.games
    assert (game.banks, game.cost_source, game.acceptance_rate) == ((), "none", None)
    assert [row["bank"] for row in found.rows()] == [""]


def test_a_game_that_is_not_there_is_told_with_the_nearest(ended: GameRepository):
    with pytest.raises(GameNotFoundError, match=r"'game-002'.*nearest: game-001"):
        compare_games(ended, ["game-001", "game-002"])


def test_no_game_is_refused(ended: GameRepository):
    with pytest.raises(InputError, match="no game is named"):
        compare_games(ended, [])


def test_a_game_that_is_named_twice_is_shown_once_and_that_is_said(ended: GameRepository):
    found = compare_games(ended, ["game-001", "game-001"])
    assert [game.game_id for game in found.games] == ["game-001"]
    assert found.notes[0] == "game-001 is named more than once; it is shown once."
    assert compare_games(ended, "game-001").games == found.games


def test_games_stand_in_the_order_in_which_they_are_named(repo: GameRepository):
    for name in ("a", "b", "c"):
        repo.save_game_session(a_session(name))
    assert [game.game_id for game in compare_games(repo, ["b", "c", "a"]).games] == ["b", "c", "a"]


def test_rows_make_a_frame(ended: GameRepository):
    ended.save_game_session(a_session("later"))
    rows = compare_games(ended, ["game-001", "later"]).rows()
    assert len({tuple(row) for row in rows}) == 1
    frame = pl.DataFrame(rows)
    assert frame["bank"].to_list() == ["BANK_A", "BANK_B", "BANK_C", ""]
    assert frame["final_cost"].to_list() == [1200.0, 1200.0, 1200.0, None]
    assert frame["game_final_cost"].to_list() == [2500.0, 2500.0, 2500.0, None]
    assert frame["parameter_limit"].to_list() == [None, 7.0, None, None]
    assert frame["proposers"][0] == "anthropic/claude-sonnet, grid/exhaustive"


def test_everything_can_be_written_as_json(ended: GameRepository):
    found = compare_games(ended, ["game-001"]).to_dict()
    assert json.loads(json.dumps(found)) == json.loads(json.dumps(found, allow_nan=False))
    assert list(found) == [
        "games", "groups", "baselines", "paired", "intervals", "notes"
    ]  # fmt: skip
    assert found["games"][0]["banks"][0]["parameters"] == {"share": 0.25}


def test_files_of_the_first_tool_are_compared_as_they_are(tmp_path: Path):
    path = tmp_path / "old.db"
    write_first_tool_file(path)
    with open_record(path) as repo:
        found = compare_games(repo, ["exp1-run-001", "unfinished"], baselines=True)
    assert found.games[0].final_cost == 250.0
    assert found.games[0].cost_source == "steps"
    assert found.baselines == {}
    assert sum(note.startswith("No baselines of ") for note in found.notes) == 2
    assert any("whether their costs are comparable" in note for note in found.notes)


def test_without_baselines_nothing_of_the_simulator_is_imported(db_path: Path):
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_session())
    program = """
import sys
from payment_simulator.analysis.compare import compare_games
from payment_simulator.analysis.compare.files import to_csv, to_latex
from payment_simulator.analysis.opening import open_record
with open_record(sys.argv[1]) as repo:
    found = compare_games(repo, ["game-001"])
to_csv(found), to_latex(found)
heavy = ("numpy", "numba", "optuna", "yaml", "payment_simulator.kernels",
         "payment_simulator.simulation", "payment_simulator.scenario", "payment_simulator.policy")
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(db_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
