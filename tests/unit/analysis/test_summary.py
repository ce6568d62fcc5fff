"""A game in plain words: true, grammatical, and every number from a query that anybody can run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.builders import a_record, a_session, an_iteration
from tests.games import FRACTION, Told, castro, play, stay, ten_days, twelve
from tests.model_server import ModelServer, Reply, Request

from payment_simulator.ai_cash_mgmt import (
    EquilibriumCertificateRecord,
    GameFailureRecord,
    GameOutcomeRecord,
    GameRepository,
    GameSessionRecord,
    LLMInteractionRecord,
)
from payment_simulator.analysis.opening import open_record
from payment_simulator.analysis.summary import game_summary
from payment_simulator.analysis.tracing import UNITS, Sentence, traced
from payment_simulator.errors import GameFailedError, GameNotFoundError
from payment_simulator.persistence.connection import DatabaseManager

HOSTILE = "it's\x1b[31m \u202e-- 7\n"
SHORT = {"stability_window": 2, "max_iterations": 1}


def treasurer(number: int, request: Request) -> Reply:
    """Answer nonsense first, then with a fifth."""
    if number == 0:
        return Reply(text="I would rather not say.")
    [user] = [m["content"] for m in request.body["messages"] if m["role"] == "user"]
    policy = json.loads(re.findall(r"```json\n(.*?)\n```", user, re.DOTALL)[0])
    policy["parameters"][FRACTION] = 0.2
    return Reply(text=json.dumps({"reasoning": "a fifth", "policy": policy}))


def play_them(path: Path) -> None:
    """Play games of every kind into one record."""

    def moody(situation: Any) -> Any:
        if situation.iteration == 2:
            raise RuntimeError("no 3rd answer")
        return stay(situation)

    def stop(step: Any) -> None:
        if step.iteration == 2:
            raise KeyboardInterrupt

    play(path, castro())
    play(path, twelve())
    play(path, ten_days())
    play(path, castro(game_id="one", optimized_agents=["BANK_B"], convergence=SHORT))
    with pytest.raises(GameFailedError):
        play(path, castro(game_id="failed"), proposers={"BANK_A": Told(moody)})
    with pytest.raises(KeyboardInterrupt):
        play(path, castro(game_id="running"), on_step=stop)
    with ModelServer(treasurer) as server:
        model = {"kind": "llm", "model": "openai-chat:m", "base_url": server.url}
        play(path, castro(game_id="model", proposer=model, convergence=SHORT))


def save_others(path: Path) -> None:
    """Save what is too rare to be played: many banks, known prices, odd ends."""
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        banks = [f"BANK_{n}" for n in range(7)]
        repo.save_game_session(
            a_record(
                GameSessionRecord,
                game_id="many",
                game_mode="campaign_learning",
                optimized_agents=banks,
            )
        )
        repo.save_policy_iterations(
            an_iteration(1, game_id="many", agent_id=b, validation_errors=e, was_accepted=not e)
            for b, e in zip(banks, [[], [], [], [], ["no"], ["no"], []], strict=True)
        )
        repo.save_game_outcomes(
            a_record(
                GameOutcomeRecord,
                game_id="many",
                agent_id=bank,
                final_cost=1500.0 - gain,
                cost_improvement=float(gain),
                improvement_low=float(gain - 50),
                improvement_high=float(gain + 50),
            )
            for bank, gain in zip(banks, [1, -900, 30, -20, 700, 0, 0], strict=True)
        )
        repo.save_equilibrium_certificate(a_record(EquilibriumCertificateRecord, game_id="many"))
        for number, price in enumerate([0.0125, 0.5, None], 1):
            call = a_record(
                LLMInteractionRecord, game_id="many", attempt_number=number, cost_usd=price
            )
            repo.save_llm_interaction(call)
        repo.save_game_session(a_session(HOSTILE, optimized_agents=["BANK_A"]))
        repo.save_policy_iteration(an_iteration(1, game_id=HOSTILE))
        repo.save_game_session(a_session("bare"))
        repo.save_game_session(a_session("broken", status="failed"))
        repo.save_game_failure(
            a_record(GameFailureRecord, game_id="broken", agent_id=None, iteration_number=None)
        )
        repo.save_game_session(
            a_session("nothing gained", status="completed", game_mode="campaign_learning")
        )
        repo.save_game_outcomes(
            [
                a_record(
                    GameOutcomeRecord,
                    game_id="nothing gained",
                    num_samples=1,
                    start_cost=0.0,
                    final_cost=0.2,
                    cost_improvement=-0.2,
                    improvement_low=None,
                    improvement_high=None,
                    confidence=None,
                )
            ]
        )


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GameRepository]:
    """Return a record with games of every kind."""
    path = tmp_path_factory.mktemp("summary") / "games.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "sk-none")
        play_them(path)
    save_others(path)
    with open_record(path) as repo:
        yield repo


GAMES = [
    "castro",
    "twelve",
    "ten_days",
    "one",
    HOSTILE,
    "failed",
    "running",
    "model",
    "many",
    "bare",
    "broken",
    "nothing gained",
]


def told(record: GameRepository, game: str) -> list[str]:
    return [sentence.text for sentence in game_summary(record, game)]


def test_all_games_are_tried(record: GameRepository) -> None:
    assert sorted(GAMES) == record.get_game_ids()


@pytest.mark.parametrize("game", GAMES, ids=ascii)
def test_every_number_is_what_its_query_gives(game: str, record: GameRepository) -> None:
    numbers = [number for said in game_summary(record, game) for number in said.numbers]
    for number in numbers:
        assert record.read(number.sql, number.parameters) == [(number.value,)]
        # As it would be pasted, into any program.
        assert record.read(number.statement) == [(number.value,)]
        assert number.statement.isprintable()
        assert number.text in {UNITS[number.unit](number.value), "no" if not number.value else ""}


@pytest.mark.parametrize("game", GAMES, ids=ascii)
def test_table_column_and_rows_lead_to_the_number(game: str, record: GameRepository) -> None:
    for sentence in game_summary(record, game):
        for number in sentence.numbers:
            names = record.read(
                "SELECT column_name FROM duckdb_columns() WHERE table_name = ?", [number.table]
            )
            known = {name for (name,) in names}
            assert set(number.column.split(", ")) <= {*known, "*"}
            assert number.statement.endswith(f"FROM {number.table} WHERE {number.rows}")


@pytest.mark.parametrize("game", GAMES, ids=ascii)
def test_no_number_is_said_without_its_source(game: str, record: GameRepository) -> None:
    for sentence in game_summary(record, game):
        left = re.sub(r"BANK_\w", "", sentence.text)
        for number in sentence.numbers:
            before, found, after = left.partition(number.text)
            assert found, f"{number.text} is not in {left!r}"
            left = before + after
        assert not re.search(r"\d", left), sentence.text


class TestWords:
    """Number and tense are right for every kind of game."""

    def test_converged_with_certificate(self, record: GameRepository) -> None:
        assert told(record, "castro") == [
            "The game converged after 3 iterations: policies and costs were stable.",
            "Its 2 banks made 6 steps: 2 proposals were accepted and 4 were rejected.",
            (
                "On 1 held-out day the banks together paid 100.00 under their first policies and "
                "20.00 under their last, 80.0 % less."
            ),
            "BANK_A: from 50.00 to 0.00, 50.00 less.",
            "BANK_B: from 50.00 to 20.00, 30.00 less.",
            (
                "At the end no deviation was found to gain; the distance from equilibrium is 0.00, "
                "at most 0.00, of 42 deviations tried in parameters, trees and collateral."
            ),
        ]

    def test_one_bank_one_iteration(self, record: GameRepository) -> None:
        assert told(record, "one")[:2] == [
            "The game came to its end after 1 iteration without having converged.",
            "Its bank made 1 step: 1 proposal was accepted.",
        ]
        assert "BANK_A: 50.00, as before." in told(record, "one")
        assert told(record, HOSTILE) == [
            "The game was interrupted; its last step is one of iteration 1.",
            "So far its bank has made 1 step: 1 proposal was accepted.",
        ]

    def test_random_days_with_intervals(self, record: GameRepository) -> None:
        said = told(record, "twelve")
        assert said[2].startswith("On 8 held-out days the banks together paid ")
        assert " on average" in said[2]
        assert "the distance from equilibrium" in said[-1]
        assert ", at most " in said[-1]
        assert " deviations tried in parameters" in said[-1]

    def test_a_run(self, record: GameRepository) -> None:
        said = told(record, "ten_days")
        assert said[2].startswith("With their first policies the run would have cost the banks")
        assert said[-1] == "How far from an equilibrium it ended was not measured."

    def test_failed(self, record: GameRepository) -> None:
        assert told(record, "failed") == [
            "The game failed in iteration 2, at a step of BANK_A.",
            (
                "By then its 2 banks had made 3 steps: 1 proposal was accepted, 1 was rejected and "
                "1 step had no valid proposal."
            ),
        ]
        assert told(record, "broken") == ["The game failed."]

    def test_running(self, record: GameRepository) -> None:
        assert told(record, "running") == [
            "The game was interrupted; its last step is one of iteration 2.",
            "So far its 2 banks have made 3 steps: 2 proposals were accepted and 1 was rejected.",
        ]
        assert told(record, "bare") == ["The game was interrupted, and has no step."]

    def test_a_model(self, record: GameRepository) -> None:
        assert re.fullmatch(
            r"3 calls of language models took [\d,]+ tokens in and [\d,]+ out; "
            "what that cost is not known.",
            told(record, "model")[-1],
        )

    def test_many_banks_refusals_and_prices(self, record: GameRepository) -> None:
        assert told(record, "many") == [
            "The game converged after 15 iterations: policies and costs were stable.",
            (
                "Its 7 banks made 7 steps: 5 proposals were accepted and 2 steps had no valid "
                "proposal."
            ),
            (
                "On 20 held-out days the banks together paid 105.00 on average under their first "
                "policies and 106.89 under their last, 1.8 % more."
            ),
            "Of all banks these changed most.",
            (
                "BANK_1: from 15.00 to 24.00, 9.00 more (at confidence 0.95 between 8.50 and 9.50 "
                "more)."
            ),
            (
                "BANK_4: from 15.00 to 8.00, 7.00 less (at confidence 0.95 between 6.50 and 7.50 "
                "less)."
            ),
            (
                "BANK_2: from 15.00 to 14.70, 0.30 less (at confidence 0.95 between 0.20 more and "
                "0.80 less)."
            ),
            (
                "BANK_3: from 15.00 to 15.20, 0.20 more (at confidence 0.95 between 0.70 more and "
                "0.30 less)."
            ),
            (
                "At the end BANK_A could gain most by deviating alone: 0.01, the distance from "
                "equilibrium, at most 0.01, of 21 deviations tried in parameters."
            ),
            (
                "3 calls of language models took 3,000 tokens in and 1,500 out, for 0.512 US "
                "dollars; the price of 1 call is not known."
            ),
        ]

    def test_a_share_of_nothing_is_not_said(self, record: GameRepository) -> None:
        assert told(record, "nothing gained") == [
            "The game came to its end after no iteration without having converged.",
            "On 1 held-out day BANK_A paid 0.00 under its first policy and 0.002 under its last.",
            "How far from an equilibrium it ended was not measured.",
        ]


def test_sentences_as_json(record: GameRepository) -> None:
    first = game_summary(record, HOSTILE)[0].as_dict()
    literal = "('it''s' || chr(27) || '[31m ' || chr(8238) || '-- 7' || chr(10))"
    assert first == {
        "text": "The game was interrupted; its last step is one of iteration 1.",
        "numbers": [
            {
                "text": "1",
                "value": 1,
                "unit": "count",
                "table": "policy_iterations",
                "column": "iteration_number",
                "rows": f"game_id = {literal}",
                "sql": "SELECT max(iteration_number) FROM policy_iterations "
                f"WHERE game_id = {literal}",
            }
        ],
    }


def test_what_is_no_number_is_not_said(db_path: Path) -> None:
    sql = "SELECT final_cost FROM game_sessions WHERE game_id = ?"
    with DatabaseManager(db_path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        repo.save_game_session(a_session("odd"))
        assert traced(repo, sql, "cents", ("odd",)) is None
        assert traced(repo, sql, "cents", ("none",)) is None
        manager.conn.execute("UPDATE game_sessions SET final_cost = 'NaN'")
        assert traced(repo, sql, "cents", ("odd",)) is None
        manager.conn.execute("UPDATE game_sessions SET final_cost = 1234567.8")
        found = traced(repo, sql, "cents", ("odd",))
        assert found is not None
        assert (found.text, found.value) == ("12,345.68", 1234567.8)


def test_a_game_that_is_not_there(record: GameRepository) -> None:
    with pytest.raises(GameNotFoundError, match="nearest: castro"):
        game_summary(record, "castor")


def test_a_sentence_without_numbers() -> None:
    assert Sentence.of("Nothing ", "happened.") == Sentence("Nothing happened.", ())
