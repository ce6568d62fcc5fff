"""Games in which language models propose, over a real connection to a server on this machine."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.orchestrator import resume_game
from payment_simulator.ai_cash_mgmt.record.verification import verify_game
from payment_simulator.errors import GameFailedError
from payment_simulator.persistence.connection import DatabaseManager
from tests.games import FRACTION, castro, play, tables
from tests.known_games.test_two_and_twelve_periods import STARTS, check_equilibrium, from_point
from tests.model_server import ModelServer, Reply, Request

KEY = "sk-not-for-the-record-7731"


def said(request: Request) -> dict[str, str]:
    """Return what a request says, by role."""
    return {message["role"]: message["content"] for message in request.body["messages"]}


#: What the scripted treasurer tries, again and again.
TRIES = (0.0, 0.4, 0.1, 0.2, 0.05)


def treasurer(_: int, request: Request) -> Reply:
    """Answer as a patient treasurer would: try one share after the other, again and again.

    It knows what the prompt says and nothing else: the iteration, and its policy in force.
    """
    user = said(request)["user"]
    iteration = int(re.search(r"^Iteration (\d+)\.", user)[1])  # type: ignore[index]
    policy = json.loads(re.search(r"```json\n(.*?)\n```", user, re.DOTALL)[1])  # type: ignore[index]
    policy["parameters"][FRACTION] = TRIES[iteration % len(TRIES)]
    return Reply(text=json.dumps({"reasoning": "one after the other", "policy": policy}))


def model(server: ModelServer, **keys: Any) -> dict[str, Any]:
    return {"kind": "llm", "model": "openai-chat:treasurer", "base_url": server.url, **keys}


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("seed", "start"), list(enumerate(STARTS)), ids=str)
def test_scripted_models_find_the_equilibrium_of_the_two_period_game(
    seed: int, start: tuple[float, float], db_path: Path
) -> None:
    with ModelServer(treasurer) as server:
        config = from_point(
            start,
            0.05,
            master_seed=seed,
            proposer=model(server),
            # As long as it takes to try everything in vain, and once more.
            convergence={"stability_window": 6, "max_iterations": 40},
        )
        result = play(db_path, config)
        assert len(server.requests) == 2 * result.iterations
    check_equilibrium(result)
    with DatabaseManager(db_path, read_only=True) as manager:
        repo = GameRepository(manager.conn)
        calls = repo.get_llm_interactions("castro")
        steps = repo.get_policy_iterations("castro")
        # The server is gone: what is compared comes from the record.
        assert verify_game(repo, "castro").first_difference is None
    assert len(calls) == len(steps)
    assert {step.llm_model for step in steps} == {"openai-chat/treasurer"}
    assert all(step.tokens_used > 0 and step.llm_latency_seconds > 0 for step in steps)


def test_a_model_plays_against_a_search(db_path: Path) -> None:
    with ModelServer(treasurer) as server:
        agents = {"BANK_A": {"proposer": model(server)}, "BANK_B": {}}
        rule = {"stability_window": 6, "max_iterations": 40}
        config = castro(proposer={"kind": "search"}, optimized_agents=agents, convergence=rule)
        check_equilibrium(play(db_path, config))
    with DatabaseManager(db_path, read_only=True) as manager:
        steps = GameRepository(manager.conn).get_policy_iterations("castro")
    labels = {(step.agent_id, step.llm_model) for step in steps}
    assert labels == {("BANK_A", "openai-chat/treasurer"), ("BANK_B", "search/tpe")}


def test_a_lost_network_fails_the_game_and_it_goes_on(
    tmp_path: Path, db_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    rule = {"stability_window": 4, "max_iterations": 5}

    def config(server: ModelServer) -> Any:
        return castro(proposer=model(server, max_retries=0), convergence=rule)

    del port
    with ModelServer(treasurer) as server:
        play(tmp_path / "whole.db", config(server))
        expected = tables(tmp_path / "whole.db")

        def failing(number: int, request: Request) -> Reply:
            return Reply("out of order", status=500) if number == 5 else treasurer(number, request)

        server._script = failing
        server.requests.clear()
        with pytest.raises(GameFailedError, match="iteration 3, bank BANK_B"):
            play(db_path, config(server))
        server._script = treasurer
        n_before = len(server.requests)
        with DatabaseManager(db_path) as manager:
            resume_game(GameRepository(manager.conn), "castro", is_trusted=True)
        # Nothing that had been answered was asked again.
        assert len(server.requests) - n_before == 10 - 5
    found = dict(tables(db_path))
    calls = found.pop("llm_interaction_log")
    failed = [call for call in calls if call["raw_response_sha256"] is None]
    assert [call["agent_id"] for call in failed] == ["BANK_B"]
    assert {**expected, "llm_interaction_log": []} == {**found, "llm_interaction_log": []}
    answered = [call for call in calls if call["raw_response_sha256"] is not None]
    for call in answered:
        call.pop("attempt_number")
    for call in expected["llm_interaction_log"]:
        call.pop("attempt_number")
    assert sorted(answered, key=repr) == sorted(expected["llm_interaction_log"], key=repr)
    with DatabaseManager(db_path, read_only=True) as manager:
        assert verify_game(GameRepository(manager.conn), "castro").first_difference is None
    assert KEY.encode() not in db_path.read_bytes()


def test_an_invalid_answer_goes_back_and_each_attempt_is_recorded(db_path: Path) -> None:
    def script(number: int, request: Request) -> Reply:
        if number == 0:
            return Reply(text="I would rather not say.")
        if number == 1:
            return Reply(text=treasurer(number, request).text.replace("0.4", "1.7"))
        return treasurer(number, request)

    with ModelServer(script) as server:
        config = castro(
            proposer=model(server), convergence={"stability_window": 2, "max_iterations": 1}
        )
        play(db_path, config)
    with DatabaseManager(db_path, read_only=True) as manager:
        repo = GameRepository(manager.conn)
        calls = repo.get_llm_interactions("castro", "BANK_A", 1)
        [step] = repo.get_policy_iterations("castro", "BANK_A")
        assert verify_game(repo, "castro").first_difference is None
    assert [call.attempt_number for call in calls] == [1, 2, 3]
    assert calls[0].parsing_error
    assert calls[0].parsing_error in calls[1].user_prompt
    assert calls[2].parsing_error is None
    assert step.validation_errors == []
    assert step.tokens_used == sum(call.input_tokens + call.output_tokens for call in calls)
