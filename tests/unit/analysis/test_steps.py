"""Steps in full, and as rows of a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.builders import a_record, a_session, an_iteration
from tests.games import Told, castro, fraction, play, twelve
from tests.migration.first_tool import write_first_tool_file

from payment_simulator.ai_cash_mgmt import (
    EvaluationSampleRecord,
    GameRepository,
    IterationContextRecord,
    LLMInteractionRecord,
    PolicyDiffRecord,
)
from payment_simulator.analysis.opening import open_record
from payment_simulator.analysis.steps import (
    VERDICTS,
    RefusedTry,
    count_steps,
    step_rows,
    step_view,
)
from payment_simulator.errors import GameNotFoundError, InputError

PLAIN = '{"version": "1.0", "policy_id": "p"}'


@pytest.fixture
def game(repo: GameRepository) -> GameRepository:
    """Return a repository with six steps of two banks: accepted, rejected and refused by turns."""
    repo.save_game_session(a_session(config_json='{"acceptance": {"confidence": 0.9}}'))
    repo.save_policy_iterations(
        an_iteration(
            number,
            agent_id=bank,
            was_accepted=number == 1,
            validation_errors=["no JSON", "too long"] if number == 3 else [],
            old_policy_json=PLAIN,
        )
        for number in (1, 2, 3)
        for bank in ("BANK_A", "BANK_B")
    )
    return repo


def keys(repo: GameRepository, **how: Any) -> list[tuple[str, int]]:
    return [(row.agent_id, row.iteration) for row in step_rows(repo, "game-001", **how)]


def test_rows_come_in_pages(game: GameRepository):
    every = [(bank, number) for number in (1, 2, 3) for bank in ("BANK_A", "BANK_B")]
    assert keys(game) == every
    assert keys(game, limit=4) + keys(game, limit=4, offset=4) == every
    assert keys(game, offset=6) == []
    assert keys(game, agent_id="BANK_B") == every[1::2]
    assert keys(game, verdicts=["rejected", "refused"]) == every[2:]
    assert keys(game, agent_id="BANK_A", verdicts=["refused"]) == [("BANK_A", 3)]
    assert step_rows(game, "another") == []


def test_steps_are_counted_by_verdict(game: GameRepository):
    assert count_steps(game, "game-001") == {"accepted": 2, "rejected": 2, "refused": 2}
    assert count_steps(game, "game-001", agent_id="BANK_A") == dict.fromkeys(VERDICTS, 1)
    assert count_steps(game, "another") == dict.fromkeys(VERDICTS, 0)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"verdicts": ["reject"]}, "verdict is 'reject'; nearest: rejected"),
        ({"limit": 0}, "limit is 0"),
        ({"offset": -1}, "offset is -1"),
    ],
)
def test_pages_that_cannot_be(how: dict[str, Any], told: str, game: GameRepository):
    with pytest.raises(InputError, match=told):
        step_rows(game, "game-001", **how)


def test_a_row_says_why(game: GameRepository):
    game.save_iteration_context(
        a_record(
            IterationContextRecord,
            iteration_number=2,
            context_json='{"decision": {"reason": "mean cost rises"}}',
        )
    )
    game.save_policy_diff(a_record(PolicyDiffRecord, iteration_number=2, diff_summary="x: 1 -> 2"))
    told = {(r.agent_id, r.iteration): (r.reason, r.change) for r in step_rows(game, "game-001")}
    assert told["BANK_A", 2] == ("mean cost rises", "x: 1 -> 2")
    assert told["BANK_A", 3] == ("no JSON; too long", "")
    assert told["BANK_B", 2] == ("", "")


@pytest.mark.parametrize("text", ["[]", "{}", '{"decision": 3}', '{"decision": {"reason": null}}'])
def test_a_context_that_tells_no_reason(text: str, game: GameRepository):
    context = a_record(IterationContextRecord, iteration_number=2, context_json=text)
    game.save_iteration_context(context)
    assert step_rows(game, "game-001", limit=1, offset=2)[0].reason == ""
    view = step_view(game, "game-001", "BANK_A", 2)
    assert (view.reason, view.reasoning, view.refused) == ("", "", ())


def test_a_view_of_a_step_without_anything_beside_it(game: GameRepository):
    view = step_view(game, "game-001", "BANK_B", 3)
    assert view.verdict == "refused"
    assert view.reason == "no JSON; too long"
    assert (view.diff, view.context, view.samples, view.calls) == (None, None, None, ())
    assert view.old is not None
    assert view.old.policy_id == "p"
    assert view.new is None  # the builder's policy lacks its version


def test_a_view_of_a_whole_step(game: GameRepository):
    told = {
        "reasoning": "money is dear",
        "decision": {"reason": "cheaper"},
        "refused": [{"proposal": "{", "errors": ["no JSON"]}, "odd", {"proposal": 3}],
    }
    game.save_iteration_context(a_record(IterationContextRecord, context_json=json.dumps(told)))
    game.save_policy_diff(a_record(PolicyDiffRecord))
    for attempt in (2, 1):
        game.save_llm_interaction(a_record(LLMInteractionRecord, attempt_number=attempt))
    for number, new in ((1, 90.0), (2, 70.0)):
        game.save_evaluation_samples(
            [
                a_record(
                    EvaluationSampleRecord,
                    sample_number=number,
                    old_cost=100.0,
                    new_cost=new,
                    cost_improvement=100.0 - new,
                )
            ]
        )
    view = step_view(game, "game-001", "BANK_A", 1)
    assert (view.verdict, view.reason, view.reasoning) == ("accepted", "cheaper", "money is dear")
    assert view.refused == (RefusedTry("{", ("no JSON",)), RefusedTry("", ()))
    assert [call.attempt_number for call in view.calls] == [1, 2]
    samples = view.samples
    assert samples is not None
    assert samples.difference == (10.0, 30.0)
    assert samples.mean == 20.0
    assert samples.confidence == 0.9
    # Student's t of one degree of freedom at 0.95 is 6.3138; the standard error is 10.
    assert samples.high - samples.mean == pytest.approx(63.138, abs=0.001)
    assert samples.mean - samples.low == pytest.approx(63.138, abs=0.001)


@pytest.mark.parametrize(
    ("key", "kind", "told"),
    [
        (("gam-001", "BANK_A", 1), GameNotFoundError, "nearest: game-001"),
        (("game-001", "BANK_C", 1), InputError, "nearest: BANK_"),
        (("game-001", "BANK_A", 9), InputError, "that bank has iterations 1 to 3"),
    ],
)
def test_a_step_that_is_not_there(
    key: tuple[str, str, int], kind: type[InputError], told: str, game: GameRepository
):
    with pytest.raises(kind, match=told):
        step_view(game, *key)


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"acceptance": []}', "{}"])
def test_the_confidence_of_an_odd_game_file_is_the_usual_one(text: str, game: GameRepository):
    game.save_game_session(a_session(config_json=text))
    game.save_evaluation_samples([a_record(EvaluationSampleRecord)])
    samples = step_view(game, "game-001", "BANK_A", 1).samples
    assert samples is not None
    assert samples.confidence == 0.95
    # One day tells nothing of how much others would differ.
    assert (samples.low, samples.mean, samples.high) == (None, 300.0, None)


def test_steps_of_a_real_game(db_path: Path):
    play(db_path, twelve())
    with open_record(db_path) as repo:
        rows = step_rows(repo, "twelve")
        assert sum(count_steps(repo, "twelve").values()) == len(rows) > 0
        for row in rows:
            view = step_view(repo, "twelve", row.agent_id, row.iteration)
            assert (view.verdict, view.reason) == (row.verdict, row.reason)
            assert row.reason
            assert view.old is not None
            assert view.new is not None
            assert view.samples is not None
            assert view.samples.mean == pytest.approx(row.cost_improvement)
            low, high = view.samples.low, view.samples.high
            assert (low is None) == (high is None)
            if low is not None and high is not None:
                assert low < view.samples.mean < high


def test_a_refused_step_of_a_real_game(db_path: Path):
    bad = Told(fraction(7.0))
    play(
        db_path,
        castro(convergence={"stability_window": 2, "max_iterations": 2}),
        proposers={"BANK_A": bad},
    )
    with open_record(db_path) as repo:
        view = step_view(repo, "castro", "BANK_A", 1)
    assert view.verdict == "refused"
    assert "initial_liquidity_fraction" in view.reason
    assert len(view.refused) > 1


def test_files_of_the_first_tool_lack_tables(tmp_path: Path):
    path = tmp_path / "old.db"
    write_first_tool_file(path)
    with open_record(path) as repo:
        found = 0
        for game_id in repo.get_game_ids():
            for row in step_rows(repo, game_id):
                found += 1
                view = step_view(repo, game_id, row.agent_id, row.iteration)
                assert repr(view.iteration.old_cost) == repr(row.old_cost)  # one is no number
        assert found > 0
