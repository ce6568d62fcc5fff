"""Records to look at: games as they are played, and one made of texts that mean harm."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.builders import LATER, STARTED, a_record, a_session, an_iteration
from tests.games import castro, play, twelve

from payment_simulator.ai_cash_mgmt import (
    GameFailureRecord,
    GameOutcomeRecord,
    GameRepository,
    IterationContextRecord,
    LLMInteractionRecord,
)
from payment_simulator.persistence.connection import DatabaseManager

ELSEWHERE = "https://elsewhere.invalid"
#: Sets a mark on the window where a page takes it for more than text.
SCRIPT = "<script>window.harmed = true</script>"
PICTURE = f'"><img src="{ELSEWHERE}/x.png" onerror="window.harmed = true">'
#: Shows what follows from right to left, and a name that reads in that direction.
TURNED = "\u202egnp.esraeler\u202c"
ARABIC = "بنك الاختبار"
LONG = "interminable" * 60
HOSTILE_GAME = f"game {SCRIPT} {PICTURE} {TURNED} {ARABIC}"
HOSTILE_BANK = f"BANK'{PICTURE}"
HOSTILE_SCENARIO = f"scenarios/{SCRIPT}{PICTURE}.yaml"
PROMPT = (
    f"You are the treasurer.\n</pre>{SCRIPT}\n{PICTURE}\n{ARABIC} {TURNED}\n\x1b[31mred\x07\n{LONG}"
)


def a_policy(fraction: float, threshold: float = 3, words: str = "") -> str:
    """Return a valid policy whose texts are as given."""
    return json.dumps(
        {
            "version": "1.0",
            "policy_id": f"held{words}",
            "description": f"Waits while money is short.{words}",
            "parameters": {"initial_liquidity_fraction": fraction, "urgency": threshold},
            "payment_tree": {
                "type": "condition",
                "node_id": f"is_urgent{words}",
                "condition": {
                    "op": "<=",
                    "left": {"field": "ticks_to_deadline"},
                    "right": {"param": "urgency"},
                },
                "on_true": {"type": "action", "node_id": "now", "action": "Release"},
                "on_false": {"type": "action", "node_id": "later", "action": "Hold"},
            },
        }
    )


def make_world(path: Path) -> None:
    """Write a record with two games that were played, one of a model, one that failed."""
    play(path, castro())
    play(path, twelve())
    with DatabaseManager(path) as manager:
        repo = GameRepository(manager.conn)
        repo.initialize_schema()
        add_hostile(repo)


def add_hostile(repo: GameRepository) -> None:
    """Save a game of which every text is such as nobody should trust."""
    repo.save_game_session(
        a_session(
            HOSTILE_GAME,
            scenario_config=HOSTILE_SCENARIO,
            status="failed",
            completed_at=LATER,
            optimized_agents=[HOSTILE_BANK],
            config_json=json.dumps({"note": SCRIPT}),
        )
    )
    key: dict[str, Any] = {"game_id": HOSTILE_GAME, "agent_id": HOSTILE_BANK}
    for number in (1, 2, 3):
        step = {**key, "iteration_number": number}
        is_refused = number == 3
        repo.save_policy_iteration(
            an_iteration(
                **step,
                old_policy_json=a_policy(0.5, 3, SCRIPT),
                new_policy_json=PICTURE if is_refused else a_policy(0.5 - number / 10, 4, SCRIPT),
                old_cost=150_000.0 / number,
                new_cost=150_000.0 / number if is_refused else 120_000.0 / number,
                cost_improvement=0.0 if is_refused else 30_000.0 / number,
                was_accepted=number == 1,
                validation_errors=[f"payment_tree: {PICTURE}"] if is_refused else [],
                llm_model=f"openai/{SCRIPT}",
            )
        )
        repo.save_iteration_context(
            a_record(
                IterationContextRecord,
                **step,
                best_seed_verbose_output=PROMPT,
                worst_seed_verbose_output=PROMPT,
                context_json=json.dumps(
                    {
                        "reasoning": f"Liquidity is dear. {SCRIPT}",
                        "refused": [{"proposal": PROMPT, "errors": [PICTURE]}],
                        "decision": {"accepted": number == 1, "reason": f"it is cheaper {PICTURE}"},
                    }
                ),
            )
        )
        repo.save_llm_interaction(
            a_record(
                LLMInteractionRecord,
                **step,
                llm_model=f"openai/{SCRIPT}",
                system_prompt=PROMPT,
                user_prompt=PROMPT * 3,
                raw_response=f"{PROMPT}{{}}",
                parsing_error=PICTURE,
                llm_reasoning=PROMPT,
                parsed_policy_json=None,
                request_timestamp=STARTED + timedelta(minutes=number),
                response_timestamp=STARTED + timedelta(minutes=number, seconds=2),
            )
        )
    repo.save_game_outcomes(
        [
            a_record(
                GameOutcomeRecord,
                **key,
                final_policy_json=a_policy(0.4),
                start_costs_json=json.dumps({"delay": 1500.0, SCRIPT: 20.0}),
            )
        ]
    )
    repo.save_game_failure(
        a_record(GameFailureRecord, **key, reason=f"the model said {PICTURE}", error_type=SCRIPT)
    )
