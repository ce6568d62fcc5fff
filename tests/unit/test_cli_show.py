"""payment-sim show: a game in figures, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from payment_simulator.ai_cash_mgmt import (
    EquilibriumCertificateRecord,
    GameOutcomeRecord,
    GameProvenanceRecord,
    GameRepository,
    GameSessionRecord,
    LLMInteractionRecord,
)
from payment_simulator.ai_cash_mgmt.proposers.base import Situation
from payment_simulator.cli import output
from payment_simulator.errors import GameFailedError
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import a_record, a_session, an_iteration
from tests.command_line import (
    as_record,
    cells,
    facts,
    one_error,
    payment_sim,
    payment_sim_process,
    tree,
)
from tests.games import Told, castro, play, stay, ten_days, twelve


@pytest.fixture
def games(db_path: Path) -> None:
    """Save two games without steps."""
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_session("oldest"))
        repo.save_game_session(a_session("twin-a"))


def test_a_game_in_figures(db_path: Path):
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_record(GameSessionRecord, final_cost=123_456_789.0))
        steps = [
            an_iteration(1, old_cost=1500.0, new_cost=1200.0, cost_improvement=300.0),
            an_iteration(
                2, old_cost=1200.0, new_cost=1300.0, cost_improvement=-100.0, was_accepted=False
            ),
            an_iteration(3, old_cost=1250.0, new_cost=1225.0, cost_improvement=25.0),
            an_iteration(1, agent_id="BANK_B", was_accepted=False, llm_model="grid/exhaustive"),
        ]
        repo.save_policy_iterations(steps)
        repo.save_game_provenance(a_record(GameProvenanceRecord))
        repo.save_equilibrium_certificate(
            a_record(
                EquilibriumCertificateRecord,
                regrets_json='{"BANK_A": {"estimate": 50.0, "low": 20.0, "high": 90.0}}',
                distance_from_equilibrium=50.0,
                distance_upper_bound=90.0,
            )
        )
    outcome = payment_sim("show", "game-001", "--db", db_path)
    assert (outcome.code, outcome.err) == (0, "")
    shown = facts(outcome.out)
    assert shown["game"] == ["game-001"]
    assert shown["seed"] == ["42"]
    assert shown["time (UTC)"] == ["2026-01-02 03:04 to 2026-01-02 04:05, 3,661.1 s"]
    assert shown["iterations"] == ["15"]
    assert shown["final cost"] == ["1,234,567.89, all banks together"]
    assert shown["proposers"] == ["anthropic/claude-sonnet, grid/exhaustive"]
    assert shown["proposing"] == ["6,000 tokens, 10.0 s"]
    assert shown["played with"] == ["payment-simulator 0.1.0"]
    assert shown["distance from equilibrium"] == [
        "0.50 (95 % interval 0.20 to 0.90), of 21 deviations tried in parameters"
    ]
    agents = [row for row in cells(outcome.out) if row[0] in {"BANK_A", "BANK_B"}]
    claude, grid = "anthropic/claude-sonnet", "grid/exhaustive"
    assert agents == [
        ["BANK_A", "3", "2", "1", "0", "67%", "0.50", "[0.20,", "0.90]", claude],
        ["BANK_B", "1", "0", "1", "0", "0%", "-", grid],
    ]
    assert "BANK_A: 15.00 at the start, 12.25 after the last step" in outcome.out


@pytest.mark.usefixtures("games")
def test_a_game_without_steps(db_path: Path):
    outcome = payment_sim("show", "oldest", "--db", db_path)
    assert facts(outcome.out)["last step"] == ["none yet"]
    way_on = f"payment-sim resume oldest --db {db_path}"
    assert facts(outcome.out)["to go on"] == [way_on]
    assert "accepted" not in outcome.out
    assert "The game has no steps in the record." in outcome.out
    steps = payment_sim("show", "oldest", "--db", db_path, "--steps")
    assert steps.out == "The game has no steps in the record.\n"
    found = json.loads(payment_sim("show", "oldest", "--db", db_path, "--json").out)
    assert found["agents"] == []
    assert (found["session"]["status"], found["state"]) == ("running", "interrupted")
    assert (found["is_playing"], found["go_on"]) == (False, way_on)
    assert found["provenance"] is found["certificate"] is None


def test_json_has_the_records_and_the_figures(repo, manager, db_path: Path):
    session, origin = a_record(GameSessionRecord), a_record(GameProvenanceRecord)
    certificates = [
        a_record(EquilibriumCertificateRecord, certificate_number=number) for number in (1, 2)
    ]
    repo.save_game_session(session)
    repo.save_policy_iteration(an_iteration())
    repo.save_game_provenance(origin)
    for certificate in certificates:
        repo.save_equilibrium_certificate(certificate)
    summary = repo.get_optimization_summary("game-001")
    manager.close()
    outcome = payment_sim("show", "game-001", "--db", db_path, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    assert as_record(GameSessionRecord, found["session"]) == session
    assert as_record(GameProvenanceRecord, found["provenance"]) == origin
    assert as_record(EquilibriumCertificateRecord, found["certificate"]) == certificates[1]
    assert found["summary"] == summary
    assert found["agents"] == [
        {
            "agent_id": "BANK_A",
            "steps": 1,
            "accepted": 1,
            "rejected": 0,
            "refused": 0,
            "acceptance_rate": 1.0,
            "start_cost": 1500.0,
            "final_cost": 1200.0,
            "best_cost": 1200.0,
            "regret": {"estimate": 0.5, "low": 0.25, "high": 0.75},
            "proposers": ["anthropic/claude-sonnet"],
            "tokens_used": 1500,
            "latency_seconds": 2.5,
        }
    ]
    [step] = found["steps"]
    assert (step["verdict"], step["old_cost"], step["cost_improvement"]) == (
        "accepted",
        1500.0,
        300.0,
    )
    said = found["in_words"][0]
    assert said["text"] == "The game converged after 15 iterations: policies and costs were stable."
    assert said["numbers"][0]["value"] == 15


@pytest.mark.parametrize(("asked", "near"), [("twin-c", "twin-a"), ("oldes", "oldest")])
@pytest.mark.usefixtures("games")
def test_an_unknown_game_names_the_nearest(asked: str, near: str, db_path: Path):
    said = one_error(payment_sim("show", asked, "--db", db_path))
    assert said.startswith(f"game {asked!r} is not in the record; nearest: ")
    assert near in said


@pytest.mark.usefixtures("games")
def test_an_unknown_game_that_resembles_none(db_path: Path):
    said = one_error(payment_sim("show", "zzzzzzzzzzzz", "--db", db_path))
    assert "'zzzzzzzzzzzz' is not in the record" in said
    assert "save_game_session" not in said, "a person at a terminal cannot call that"


@pytest.mark.usefixtures("games")
def test_debug_shows_the_traceback(db_path: Path):
    plain = payment_sim_process("show", "nobody", "--db", db_path)
    one_error(plain)
    debug = payment_sim_process("--debug", "show", "nobody", "--db", db_path)
    assert debug.code != 0
    assert debug.err.startswith("Traceback (most recent call last):")
    assert "GameNotFoundError: game 'nobody'" in debug.err


@pytest.mark.usefixtures("games")
def test_nothing_is_written_by_looking(db_path: Path):
    before = tree(db_path.parent)
    for command in (["games"], ["show", "oldest"], ["show", "nobody"]):
        payment_sim(*command, "--db", db_path)
    assert tree(db_path.parent) == before


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Play a game with random days, one in a run, and one that fails."""

    def moody(situation: Situation) -> Any:
        if situation.iteration == 2:
            raise RuntimeError("no [red]answer\x1b[31m")
        return stay(situation)

    path = tmp_path_factory.mktemp("show") / "games.db"
    play(path, twelve(convergence={"stability_window": 2, "max_iterations": 2}))
    play(path, ten_days(convergence={"stability_window": 2, "max_iterations": 2}))
    with pytest.raises(GameFailedError):
        play(path, castro(game_id="failed"), proposers={"BANK_A": Told(moody)})
    return path


def shown(path: Path, *words: str) -> str:
    outcome = payment_sim("show", *words, "--db", path)
    assert (outcome.code, outcome.err) == (0, "")
    return outcome.out


class TestAGameThatWasPlayed:
    def test_costs_of_held_out_days_are_told_from_those_of_steps(self, played: Path):
        said = shown(played, "twelve")
        heads = (
            "Means of 8 held-out days, on which no step was judged:",
            "By kind of cost:",
            "Steps, and how many of the proposals were accepted:",
            "Cost in force after each step, as measured in it:",
        )
        places = [said.index(head) for head in heads]
        assert places == sorted(places)
        assert facts(said)["judged on"] == ["8 sample days in each step, fresh"]
        assert facts(said)["acceptance"] == [
            "mean: gain above 0.01 of the old cost, no claim of how likely that is chance"
        ]
        by_kind = said[places[1] : places[2]]
        assert [row[:2] for row in cells(by_kind) if row[0] == "BANK_A"] == [
            ["BANK_A", "liquidity"],
            ["BANK_A", "delay"],
            ["BANK_A", "end_of_day"],
        ]

    def test_costs_of_a_run_are_headed_so(self, played: Path):
        said = shown(played, "ten_days")
        assert "The run, beside the same run under the first policies:" in said
        assert "Cost in force after each step, what was still to come of the run:" in said
        assert "regret" not in said

    def test_kinds_add_up_to_the_cost_of_the_bank(self, played: Path):
        found = json.loads(shown(played, "twelve", "--json"))
        for outcome in found["outcomes"]:
            kinds = json.loads(outcome["final_costs_json"]).values()
            assert sum(kinds) == pytest.approx(outcome["final_cost"])

    def test_where_it_stopped_and_why(self, played: Path):
        said = shown(played, "failed")
        assert facts(said)["stopped"] == [
            r"iteration 2, BANK_A: python/told: RuntimeError: no [red]answer\x1b[31m"
        ]
        assert "The game failed in iteration 2, at a step of BANK_A." in said

    def test_steps_with_reasons(self, played: Path):
        head, first, *rest = shown(played, "failed", "--steps").splitlines()
        assert head.split() == (
            [
                "iteration",
                "bank",
                "verdict",
                "old",
                "cost",
                "new",
                "cost",
                "gain",
                "proposer",
                "reason",
            ]
        )
        assert first.split()[:7] == (
            ["1", "BANK_A", "rejected", "50.00", "50.00", "0.00", "python/told"]
        )
        assert first.endswith("nothing better was found: the policy proposed is the one in force")
        refused = next(line for line in rest if "refused" in line)
        assert refused.split()[:6] == ["2", "BANK_A", "refused", "50.00", "-", "-"]
        assert refused.endswith(r"python/told: RuntimeError: no [red]answer\x1b[31m")

    def test_steps_on_a_narrow_terminal(self, played: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(output, "_columns_of_terminal", lambda: 70)
        lines = shown(played, "failed", "--steps").splitlines()
        assert max(map(len, lines)) <= 70
        place = next(i for i, line in enumerate(lines) if line.split()[:1] == ["1"])
        assert lines[place + 1 : place + 3] == [
            "    python/told: nothing better was found: the policy proposed is the",
            "    one in force",
        ]

    def test_of_one_bank(self, played: Path):
        found = json.loads(shown(played, "twelve", "--agent", "BANK_B", "--json"))
        assert {row["agent_id"] for row in found["agents"]} == {"BANK_B"}
        assert {row["agent_id"] for row in found["outcomes"]} == {"BANK_B"}
        assert {row["agent_id"] for row in found["steps"]} == {"BANK_B"}
        steps = shown(played, "twelve", "--agent", "BANK_B", "--steps")
        assert "BANK_A" not in steps
        assert "BANK_B" in steps
        assert "BANK_A" not in shown(played, "twelve", "--agent", "BANK_B").split("Means of")[1]

    def test_of_a_bank_that_is_not_there(self, played: Path):
        said = one_error(payment_sim("show", "twelve", "--agent", "BNK_B", "--db", played))
        assert said == "game 'twelve' has no bank 'BNK_B'; nearest: BANK_B"

    def test_every_number_of_the_words_can_be_looked_up(self, played: Path):
        traced = shown(played, "twelve", "--trace").splitlines()
        queries = [line.strip() for line in traced if line.startswith("        SELECT ")]
        assert len(queries) > 10
        with DatabaseManager(played, read_only=True) as manager:
            for place, line in enumerate(traced):
                if line.strip() not in queries:
                    continue
                [(value,)] = manager.conn.execute(line).fetchall()
                text, _, rest = traced[place - 1].strip().partition(":")[0].partition(" = ")
                assert text.split()[0] == f"{value:,}" or rest.split()[0] == repr(value)

    def test_the_next_commands_work(self, played: Path):
        lines = shown(played, "twelve").splitlines()
        commands = [line.split("  (")[0].split() for line in lines if "  payment-sim " in line]
        assert [words[-1] for words in commands] == ["--steps", "--trace"]
        for words in commands:
            assert payment_sim(*words[1:]).code == 0


def test_many_banks_and_calls_of_models(db_path: Path):
    banks = [f"BANK_{number:02}" for number in range(9)]
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_record(GameSessionRecord, optimized_agents=banks))
        repo.save_policy_iterations(an_iteration(1, agent_id=bank) for bank in banks)
        repo.save_game_outcomes(a_record(GameOutcomeRecord, agent_id=bank) for bank in banks)
        for number, price in enumerate([0.25, None], 1):
            call = a_record(LLMInteractionRecord, agent_id="BANK_00", attempt_number=number)
            repo.save_llm_interaction(call.replace(cost_usd=price))
    said = shown(db_path, "game-001")
    assert facts(said)["model calls"] == [
        (
            "2 calls, 2 without a policy, 2,000 tokens in, 1,000 out, 0.2500 USD, "
            "the price of 1 call not known, 2 refused or filtered"
        )
    ]
    assert ["(all", "9)", "delay", "135.00", "108.00", "27.00"] in cells(said)
    assert "all 9 banks: 135.00 at the start, 108.00 after the last step" in said
    assert "BANK_05: " not in said.split("Cost in force")[1]
