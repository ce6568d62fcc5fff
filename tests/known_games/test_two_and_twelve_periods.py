"""Games whose ends are known, from the literature or from exhaustive search."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from payment_simulator.ai_cash_mgmt.evaluation.arena import Arena
from payment_simulator.ai_cash_mgmt.game_setup import set_up
from payment_simulator.ai_cash_mgmt.record.result import GameResult
from payment_simulator.scenario import load_scenario
from tests.games import FRACTION, castro, fraction, play

#: Starting points of banks A and B, one for each seed.
STARTS = [
    (0.5, 0.5),
    (0.0, 0.0),
    (1.0, 1.0),
    (0.0, 1.0),
    (1.0, 0.0),
    (0.2, 0.8),
    (0.9, 0.1),
    (0.35, 0.6),
    (0.05, 0.2),
    (0.7, 0.45),
    (0.15, 0.95),
    (0.6, 0.3),
]
COLLATERAL = 100_000


def from_point(start: tuple[float, float], step: float | None, **changes: Any) -> Any:
    """Return the two-period game from a starting point."""
    agents = {
        bank: {
            "constraints": {
                "allowed_parameters": [
                    {
                        "name": FRACTION,
                        "min_value": 0,
                        "max_value": 1,
                        "default": value,
                        **({} if step is None else {"step": step}),
                    }
                ]
            }
        }
        for bank, value in zip(("BANK_A", "BANK_B"), start, strict=True)
    }
    return castro(optimized_agents=agents, constraints=None, **changes)


def check_equilibrium(result: GameResult) -> None:
    """Assert the answer of Castro et al., section 4: (0, 0.20), at 0 and 2 % of the collateral."""
    assert result.converged
    assert result.banks["BANK_A"].parameters[FRACTION] == 0.0
    assert result.banks["BANK_B"].parameters[FRACTION] == 0.2
    assert result.banks["BANK_A"].final_cost == 0.0
    assert result.banks["BANK_B"].final_cost == 0.02 * COLLATERAL
    assert result.distance_from_equilibrium == 0.0


@pytest.mark.sampled(6)
@pytest.mark.parametrize("kind", ["search", "grid"])
@pytest.mark.parametrize(("seed", "start"), list(enumerate(STARTS)), ids=str)
def test_the_two_period_game_on_the_grid_of_twentieths(
    kind: str, seed: int, start: tuple[float, float], db_path: Path
) -> None:
    config = from_point(start, 0.05, master_seed=seed, proposer={"kind": kind})
    check_equilibrium(play(db_path, config))


@pytest.mark.sampled(6)
@pytest.mark.parametrize("update", ["sequential", "simultaneous"])
@pytest.mark.parametrize(("seed", "start"), list(enumerate(STARTS)), ids=str)
def test_the_two_period_game_on_the_continuum(
    seed: int, start: tuple[float, float], update: str, db_path: Path
) -> None:
    config = from_point(
        start,
        None,
        master_seed=seed,
        update=update,
        proposer={"kind": "search"},
        convergence={"stability_window": 5, "max_iterations": 50},
    )
    result = play(db_path, config)
    assert result.banks["BANK_A"].parameters[FRACTION] == pytest.approx(0.0, abs=0.005)
    assert result.banks["BANK_B"].parameters[FRACTION] == pytest.approx(0.2, abs=0.005)
    assert result.distance_from_equilibrium is not None
    # Half a hundredth of the collateral, at the price of funding.
    assert result.distance_from_equilibrium <= 0.005 * 0.1 * COLLATERAL + 1e-6


def twelve_periods(**changes: Any) -> Any:
    """Return the twelve-period game, judged on many days."""
    scenario = Path(castro().scenario_config).with_name("twelve_period.yaml")
    return castro(
        game_id="twelve",
        scenario_config=str(scenario),
        proposer={"kind": "search"},
        bootstrap={"num_samples": 200},
        acceptance={"rule": "confident"},
        convergence={"stability_threshold": 0.01, "stability_window": 4, "max_iterations": 30},
        constraints={"allowed_parameters": [{"name": FRACTION, "min_value": 0, "max_value": 1}]},
        equilibrium=None,
        **changes,
    )


def best_response_costs(config: Any, values: np.ndarray[Any, Any]) -> dict[str, float]:
    """Iterate best responses on a fine grid, on the days on which the game reports its end."""
    scenario = load_scenario(config.scenario_path())
    setup = set_up("exhaustive", config, scenario)
    days, arena = setup.sampler.days("final"), Arena(setup.scenario)
    start = setup.scenario.policies[0]
    profile = list(setup.scenario.policies)
    at = [-1] * scenario.n_banks
    for _ in range(20):
        before = list(at)
        for i, bank in enumerate(scenario.bank_ids):
            candidates = [_with_fraction(start, value) for value in values]
            costs = arena.candidate_costs(tuple(profile), bank, candidates, days)
            at[i] = int(np.argmin(costs))
            profile[i] = candidates[at[i]]
        if at == before:
            return arena.mean_costs(tuple(profile), days)
    raise AssertionError("best responses go round in circles")


def _with_fraction(policy: Any, value: float) -> Any:
    from types import SimpleNamespace

    return fraction(float(value))(SimpleNamespace(policy=policy)).policy  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_search_in_the_twelve_period_game_ends_where_exhaustive_search_does(
    seed: int, db_path: Path
) -> None:
    config = twelve_periods(master_seed=seed)
    result = play(db_path, config)
    exhaustive = best_response_costs(config, np.linspace(0, 1, 201))
    for bank, found in result.banks.items():
        # What is gained by less than 200 days can show with confidence is left.
        assert found.final_cost == pytest.approx(exhaustive[bank], rel=0.03)
        assert found.interval is not None
        # Never dearer than the start by more than the interval leaves open.
        assert found.interval[1] >= 0.0
