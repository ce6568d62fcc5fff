"""Games that stop before their end: why is recorded, and they go on as if nothing had been."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.games import Told, castro, fraction, play, stay, tables, ten_days, twelve
from tests.model_server import ModelServer, Reply

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.attempt import stopped
from payment_simulator.ai_cash_mgmt.game_setup import set_up
from payment_simulator.ai_cash_mgmt.orchestrator import GameOrchestrator, resume_game
from payment_simulator.ai_cash_mgmt.proposers.base import ProposerError, Situation
from payment_simulator.ai_cash_mgmt.record.ledger import RecordLedger
from payment_simulator.ai_cash_mgmt.record.verification import verify_game
from payment_simulator.analysis.compare.restore import restored
from payment_simulator.errors import (
    GameFailedError,
    GameNotFoundError,
    InputError,
    SimulationError,
)
from payment_simulator.persistence.connection import DatabaseManager
from payment_simulator.scenario import load_scenario


def whole(tmp_path: Path, config: Any, **proposers: Callable[[Situation], Any]) -> Any:
    """Return the record of a game that nothing interrupts."""
    path = tmp_path / "whole.db"
    play(path, config, proposers={bank: Told(f) for bank, f in proposers.items()})
    return tables(path)


def resume(path: Path, game: str, **proposers: Callable[[Situation], Any]) -> Any:
    """Go on with a game."""
    told = {bank: Told(function) for bank, function in proposers.items()}
    with DatabaseManager(path) as manager:
        return resume_game(GameRepository(manager.conn), game, proposers=told)


def failing_at(
    iteration: int, error: BaseException, otherwise: Callable[[Situation], Any]
) -> Callable[[Situation], Any]:
    """Return a function that raises in one iteration."""

    def propose(situation: Situation) -> Any:
        if situation.iteration == iteration:
            raise error
        return otherwise(situation)

    return propose


def steps_down(situation: Situation) -> Any:
    """Propose a little less funding at every step."""
    return fraction(round(max(0.5 - 0.1 * situation.iteration, 0.0), 2))(situation)


@pytest.mark.parametrize("error", [ProposerError("no network"), ValueError("a bug"), KeyError("k")])
def test_a_failing_proposer_fails_the_game_and_it_goes_on(
    tmp_path: Path, db_path: Path, error: Exception
) -> None:
    expected = whole(tmp_path, castro(), BANK_B=steps_down)
    told = {"BANK_B": Told(failing_at(3, error, steps_down))}
    with pytest.raises(GameFailedError, match="iteration 3, bank BANK_B"):
        play(db_path, castro(), proposers=told)
    with DatabaseManager(db_path, read_only=True) as manager:
        repo = GameRepository(manager.conn)
        session = repo.get_game_session("castro")
        assert session is not None
        assert session.status == "failed"
        assert session.total_iterations == 3
        last = repo.get_policy_iterations("castro")[-1]
        assert (last.iteration_number, last.agent_id) == (3, "BANK_B")
        assert str(error) in " ".join(last.validation_errors)
        assert not last.was_accepted
        assert last.new_cost == last.old_cost
        [failure] = repo.get_game_failures("castro")
        assert str(error) in failure.reason
        assert (failure.iteration_number, failure.agent_id) == (3, "BANK_B")
    result = resume(db_path, "castro", BANK_B=steps_down)
    assert result.status == "converged"
    assert tables(db_path) == expected


def test_an_interrupted_game_stays_running_and_goes_on(tmp_path: Path, db_path: Path) -> None:
    expected = whole(tmp_path, twelve(), BANK_A=steps_down)
    told = {"BANK_A": Told(failing_at(2, KeyboardInterrupt(), steps_down))}
    with pytest.raises(KeyboardInterrupt):
        play(db_path, twelve(), proposers=told)
    with DatabaseManager(db_path, read_only=True) as manager:
        session = GameRepository(manager.conn).get_game_session("twelve")
    assert session is not None
    assert session.status == "running"
    resume(db_path, "twelve", BANK_A=steps_down)
    assert tables(db_path) == expected


@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
def test_a_running_simulation_goes_on_where_it_stopped(
    tmp_path: Path, db_path: Path, update: str
) -> None:
    config = ten_days(update=update)
    expected = whole(tmp_path, config, BANK_B=steps_down)
    told = {"BANK_B": Told(failing_at(3, ProposerError("gone"), steps_down))}
    with pytest.raises(GameFailedError):
        play(db_path, config, proposers=told)
    resume(db_path, "ten_days", BANK_B=steps_down)
    assert tables(db_path) == expected


def test_a_game_that_fails_again_can_go_on_again(tmp_path: Path, db_path: Path) -> None:
    expected = whole(tmp_path, castro(), BANK_B=steps_down)
    gone = ProposerError("gone")
    with pytest.raises(GameFailedError):
        play(db_path, castro(), proposers={"BANK_B": Told(failing_at(2, gone, steps_down))})
    for iteration in (2, 3):
        with pytest.raises(GameFailedError):
            resume(db_path, "castro", BANK_B=failing_at(iteration, gone, steps_down))
    resume(db_path, "castro", BANK_B=steps_down)
    assert tables(db_path) == expected
    with DatabaseManager(db_path, read_only=True) as manager:
        failures = GameRepository(manager.conn).get_game_failures("castro")
    assert [failure.iteration_number for failure in failures] == [2, 2, 3]


def test_an_invalid_proposal_is_sent_back_with_its_errors(db_path: Path) -> None:
    seen: list[tuple[str, ...]] = []

    def propose(situation: Situation) -> Any:
        if situation.refused:
            seen.append(situation.refused[-1].errors)
            return fraction(0.25)(situation)
        return fraction(1.5)(situation)

    config = castro(convergence={"stability_window": 2, "max_iterations": 1})
    play(db_path, config, proposers={"BANK_A": Told(propose), "BANK_B": Told(stay)})
    assert len(seen) == 1
    assert "1.5" in seen[0][0]
    with DatabaseManager(db_path, read_only=True) as manager:
        repo = GameRepository(manager.conn)
        [step] = repo.get_policy_iterations("castro", "BANK_A")
        [context] = repo.get_iteration_contexts("castro", "BANK_A")
    assert step.was_accepted
    assert step.validation_errors == []
    [refused] = json.loads(context.context_json)["refused"]
    assert refused["errors"] == list(seen[0])
    assert json.loads(refused["proposal"])["parameters"]["initial_liquidity_fraction"] == 1.5


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "nonsense", ["", "not JSON", "{}", {"policy_id": 7}, 42, None, [1], "\ud800"]
)
def test_a_proposer_that_always_errs_ends_in_a_failed_game(db_path: Path, nonsense: Any) -> None:
    with pytest.raises(GameFailedError, match="no valid proposal in 3 steps"):
        play(db_path, castro(), proposers={"BANK_A": Told(lambda _: nonsense)})
    with DatabaseManager(db_path, read_only=True) as manager:
        repo = GameRepository(manager.conn)
        session = repo.get_game_session("castro")
        steps = repo.get_policy_iterations("castro", "BANK_A")
    assert session is not None
    assert session.status == "failed"
    assert [step.iteration_number for step in steps] == [1, 2, 3]
    assert all(step.validation_errors and not step.was_accepted for step in steps)


def test_a_game_that_has_ended_cannot_go_on(db_path: Path) -> None:
    play(db_path, castro())
    with pytest.raises(InputError, match="has ended"):
        resume(db_path, "castro")


def test_a_game_that_is_not_there_cannot_go_on(db_path: Path) -> None:
    play(db_path, castro())
    with pytest.raises(GameNotFoundError, match="nearest: castro"):
        resume(db_path, "castor")


def test_a_record_cannot_make_its_reader_run_code(db_path: Path) -> None:
    told = {"BANK_A": Told(failing_at(2, ProposerError("gone"), stay))}
    with pytest.raises(GameFailedError):
        play(db_path, castro(), proposers=told)
    with pytest.raises(InputError, match="--trust"):
        resume(db_path, "castro")


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("model", "url", "key", "said"),
    [
        (
            "openai-chat:m",
            "https://elsewhere.example/v1",
            "sk-1",
            "openai-chat:m at https://elsewhere.example/v1, asked with your key of OPENAI_API_KEY",
        ),
        ("openai-chat/m", "http://127.0.0.1:{port}/v1", "sk-1", "with your key of OPENAI_API_KEY"),
        ("openai-chat:m", "http://127.0.0.1:{port}/v1", "", "asked without a key"),
        ("openai-chat:m", "http://elsewhere.example/v1", "sk-1", "asked without a key"),
        (
            "openai:gpt-5",
            None,
            "sk-1",
            "gpt-5 of its provider, who charges for it, asked with your key of OPENAI_API_KEY",
        ),
    ],
)
def test_a_record_cannot_make_its_reader_ask_a_model(
    db_path: Path, monkeypatch: Any, model: str, url: str | None, key: str, said: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with ModelServer([Reply(status=401)]) as server:
        url = url and url.format(port=server.root.rpartition(":")[2])
        named = {"kind": "llm", "model": model, **({"base_url": url} if url else {})}
        config = castro(optimized_agents={"BANK_A": {}, "BANK_B": {"proposer": named}})
        with DatabaseManager(db_path) as manager:
            repository = GameRepository(manager.conn)
            repository.initialize_schema()
            scenario = load_scenario(config.scenario_path())
            RecordLedger(repository, set_up("castro", config, scenario)).begin()
            with pytest.raises(InputError, match=r"--trust, or is_trusted=True") as caught:
                resume_game(repository, "castro")
            assert said in str(caught.value)
            assert "'BANK_B'" in str(caught.value)
            # Neither of these asks anybody.
            assert verify_game(repository, "castro").is_identical
            restored(repository, "castro")
            assert server.requests == []
            if url is not None and "127.0.0.1" in url:
                with pytest.raises(GameFailedError, match="HTTP 401"):
                    resume_game(repository, "castro", is_trusted=True)
                sent = f"Bearer {key or 'none'}"
                assert [r.headers["authorization"] for r in server.requests] == [sent]


def test_a_policy_that_stops_a_run_is_refused_with_the_reason(db_path: Path) -> None:
    nothing = {"value": 0}
    ratio = {"compute": {"op": "/", "left": {"field": "amount"}, "right": nothing}}
    dividing = {
        "policy_id": "dividing",
        "parameters": {"initial_liquidity_fraction": 1},
        "payment_tree": {
            "condition": {"op": ">", "left": ratio, "right": nothing},
            "on_true": {"action": "Release"},
            "on_false": {"action": "Hold"},
        },
    }
    config = castro(convergence={"stability_window": 2, "max_iterations": 1})
    play(db_path, config, proposers={"BANK_B": Told(lambda _: dividing)})
    with DatabaseManager(db_path, read_only=True) as manager:
        [step] = GameRepository(manager.conn).get_policy_iterations("castro", "BANK_B")
    assert not step.was_accepted
    [error] = step.validation_errors
    assert "bank BANK_B, payment 0: its policy divides by zero; div0" in error


def test_what_stops_a_run_elsewhere_is_told_without_names() -> None:
    told = stopped(SimulationError("tick 3, bank B, payment 7: no"), "A", ("A", "B"))
    assert "B" not in told
    assert "7" not in told
    assert "tick 3" in stopped(SimulationError("tick 3, bank A: no"), "A", ("A", "B"))


def test_a_game_is_not_played_twice_at_once(repo: GameRepository) -> None:
    def propose(_: Situation) -> Any:
        return resume_game(repo, "castro", is_trusted=True)

    with pytest.raises(GameFailedError, match="'castro' is being played by this process already"):
        GameOrchestrator(castro(), repo, proposers={"BANK_A": Told(propose)}).play()
