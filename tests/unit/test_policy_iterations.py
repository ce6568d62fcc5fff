"""Steps of a game: saved one by one or many at once, and read in order."""

from __future__ import annotations

import random

import pytest
from pydantic import ValidationError

from payment_simulator.ai_cash_mgmt import GameRepository, PolicyIterationRecord
from payment_simulator.errors import DuplicateKeyError, GameNotFoundError, InputError
from payment_simulator.persistence.connection import DatabaseManager
from tests.builders import a_session, an_iteration
from tests.saving import bits, n_rows


def keys(found: list[PolicyIterationRecord]) -> list[tuple[str, int]]:
    return [(r.agent_id, r.iteration_number) for r in found]


@pytest.fixture
def game(repo: GameRepository) -> GameRepository:
    repo.save_game_session(a_session())
    return repo


def test_a_step_comes_back_as_it_was_saved(game: GameRepository):
    rejected = an_iteration(
        2,
        was_accepted=False,
        validation_errors=["urgency: 11 > 10", 'says "no"\n', ""],
        old_policy_json="not JSON",
        new_policy_json="",
        new_cost=1500.25,
        cost_improvement=-0.25,
    )
    game.save_policy_iteration(an_iteration())
    game.save_policy_iteration(rejected)
    found = game.get_policy_iterations("game-001")
    assert [bits(r) for r in found] == [bits(an_iteration()), bits(rejected)]


def test_steps_are_read_by_iteration_then_agent(game: GameRepository):
    game.save_game_session(a_session("game-002"))
    steps = [
        an_iteration(number, agent_id=agent, game_id=game_id)
        for number in (1, 2, 9, 10, 11, 100)
        for agent in ("B", "a", "b", "\u00e4")
        for game_id in ("game-001", "game-002")
    ]
    random.Random(7).shuffle(steps)
    half = len(steps) // 2
    game.save_policy_iterations(steps[:half])
    for step in steps[half:]:
        game.save_policy_iteration(step)
    of_game = sorted(
        (r for r in steps if r.game_id == "game-001"),
        key=lambda r: (r.iteration_number, r.agent_id),
    )
    assert keys(game.get_policy_iterations("game-001")) == keys(of_game)
    of_agent = [r for r in of_game if r.agent_id == "b"]
    assert keys(game.get_policy_iterations("game-001", "b")) == keys(of_agent)
    assert keys(game.get_policy_iterations("game-001", agent_id="b")) == keys(of_agent)
    for nothing in (("game-001", "c"), ("game-003", None), ("game-001", "")):
        assert game.get_policy_iterations(*nothing) == []


def test_a_step_of_a_game_that_is_not_there_is_refused(
    game: GameRepository, manager: DatabaseManager
):
    before = n_rows(manager)
    orphan = an_iteration(2, game_id="gmae-001")
    with pytest.raises(GameNotFoundError, match=r"'gmae-001'.*nearest: game-001"):
        game.save_policy_iteration(orphan)
    with pytest.raises(GameNotFoundError, match=r"'gmae-001'.*nearest: game-001"):
        game.save_policy_iterations([an_iteration(1), orphan, an_iteration(3)])
    assert n_rows(manager) == before


def test_only_steps_can_be_saved_as_steps(game: GameRepository):
    for other in (a_session(), an_iteration().model_dump(), None):
        with pytest.raises(InputError, match="expected a PolicyIterationRecord"):
            game.save_policy_iteration(other)  # type: ignore[arg-type]
        with pytest.raises(InputError, match="expected a PolicyIterationRecord"):
            game.save_policy_iterations([an_iteration(), other])  # type: ignore[list-item]
    with pytest.raises(InputError, match="expected a PolicyIterationRecord"):
        game.save_policy_iterations(an_iteration())  # type: ignore[arg-type]
    assert game.get_policy_iterations("game-001") == []


def test_many_steps_are_saved_at_once(game: GameRepository):
    steps = [an_iteration(number) for number in range(1, 500)]
    game.save_policy_iterations(step for step in steps)
    assert [bits(r) for r in game.get_policy_iterations("game-001")] == [bits(r) for r in steps]
    assert game.get_superseded_records() == []


def test_no_steps_are_no_work(repo: GameRepository, manager: DatabaseManager):
    repo.save_policy_iterations([])
    assert set(n_rows(manager).values()) == {0}


def test_a_batch_with_a_wrong_record_saves_none(game: GameRepository):
    wrong = an_iteration(2).model_copy(update={"new_cost": float("inf")})
    with pytest.raises(ValidationError, match="new_cost"):
        game.save_policy_iterations([an_iteration(1), wrong, an_iteration(3)])
    assert game.get_policy_iterations("game-001") == []


def test_a_batch_whose_source_breaks_off_saves_none(game: GameRepository):
    def steps():
        yield an_iteration(1)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        game.save_policy_iterations(steps())
    assert game.get_policy_iterations("game-001") == []


@pytest.mark.parametrize("tokens_used", [1500, 1501])
def test_a_key_twice_in_a_batch_is_refused(tokens_used: int, game: GameRepository):
    game.save_policy_iteration(an_iteration(3, tokens_used=7))
    twice = an_iteration(2, tokens_used=tokens_used)
    batch = [an_iteration(1), an_iteration(2), an_iteration(3), twice]
    with pytest.raises(DuplicateKeyError) as refusal:
        game.save_policy_iterations(batch)
    said = str(refusal.value)
    for part in ("policy_iterations", "game-001", "BANK_A", "iteration_number=2"):
        assert part in said
    assert [r.tokens_used for r in game.get_policy_iterations("game-001")] == [7]


def test_a_batch_of_new_same_and_changed_steps(game: GameRepository):
    same, old = an_iteration(1), an_iteration(2)
    game.save_policy_iterations([same, old])
    changed = old.replace(tokens_used=9, validation_errors=["late"])
    new = an_iteration(3)
    game.save_policy_iterations([new, changed, same])
    found = game.get_policy_iterations("game-001")
    assert [bits(r) for r in found] == [bits(r) for r in (same, changed, new)]
    assert [r.record_key for r in game.get_superseded_records()] == ['["game-001","BANK_A",2]']
