"""The rows that tell how a game ended."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from payment_simulator._version import __version__
from payment_simulator.ai_cash_mgmt.certificate import Certificate
from payment_simulator.ai_cash_mgmt.evaluation.assessment import BankOutcome
from payment_simulator.ai_cash_mgmt.game_setup import GameSetup
from payment_simulator.ai_cash_mgmt.loop import Ending
from payment_simulator.ai_cash_mgmt.persistence.models import (
    EquilibriumCertificateRecord,
    GameOutcomeRecord,
    SimulationRunRecord,
)
from payment_simulator.kernels.layout import S_ARRIVED, S_CREATED, S_SETTLED
from payment_simulator.policy import to_dict, to_json
from payment_simulator.simulation import Run, measures
from payment_simulator.simulation.result import policies_json
from payment_simulator.simulation.simulator import scenario_hash


@dataclass(frozen=True)
class EndingRecords:
    """The rows that tell how a game ended.

    Attributes
    ----------
    outcomes : list of GameOutcomeRecord
    certificate : EquilibriumCertificateRecord or None
    runs : list of tuple
        A run to look at under the first policies, and one under the last: the record of each, and
        the run itself.
    """

    outcomes: list[GameOutcomeRecord]
    certificate: EquilibriumCertificateRecord | None
    runs: list[tuple[SimulationRunRecord, Run]]


def ending_records(setup: GameSetup, ending: Ending, now: datetime) -> EndingRecords:
    """Return the rows that tell how a game ended."""
    assessment = ending.assessment
    certificate = ending.certificate
    return EndingRecords(
        outcomes=[_outcome(setup, outcome, now) for outcome in assessment.outcomes],
        certificate=None if certificate is None else _certificate(setup, ending, certificate, now),
        runs=[
            (_run(setup, assessment.start_run, "start", now), assessment.start_run),
            (_run(setup, assessment.final_run, "final", now), assessment.final_run),
        ],
    )


def _outcome(setup: GameSetup, outcome: BankOutcome, now: datetime) -> GameOutcomeRecord:
    low, high = outcome.interval or (None, None)
    return GameOutcomeRecord(
        game_id=setup.game_id,
        agent_id=outcome.bank,
        num_samples=outcome.num_samples,
        start_cost=outcome.start_cost,
        final_cost=outcome.final_cost,
        cost_improvement=outcome.start_cost - outcome.final_cost,
        improvement_low=low,
        improvement_high=high,
        confidence=None if low is None else setup.config.acceptance.confidence,
        start_settlement_rate=outcome.start_rate,
        final_settlement_rate=outcome.final_rate,
        start_costs_json=json.dumps(dict(outcome.start_costs)),
        final_costs_json=json.dumps(dict(outcome.final_costs)),
        start_policy_json=to_json(outcome.start_policy),
        final_policy_json=to_json(outcome.final_policy),
        created_at=now,
    )


def _certificate(
    setup: GameSetup, ending: Ending, certificate: Certificate, now: datetime
) -> EquilibriumCertificateRecord:
    final = {o.bank: to_dict(o.final_policy) for o in ending.assessment.outcomes}
    return EquilibriumCertificateRecord(
        game_id=setup.game_id,
        certificate_number=1,
        profile_json=json.dumps(final, ensure_ascii=False),
        created_at=now,
        **certificate.to_fields(),
    )


def _run(setup: GameSetup, run: Run, purpose: str, now: datetime) -> SimulationRunRecord:
    scenario, costs = run.scenario, run.total_costs
    arrived = run.stat[:, S_ARRIVED] + run.stat[:, S_CREATED]
    return SimulationRunRecord(
        run_id=f"{setup.game_id}/{purpose}",
        game_id=setup.game_id,
        purpose=purpose,
        scenario_config=setup.config.scenario_config,
        scenario_sha256=scenario_hash(scenario),
        policies_json=policies_json(run.policies, scenario.bank_ids),
        master_seed=run.seed,
        num_days=scenario.simulation.num_days,
        ticks_per_day=scenario.simulation.ticks_per_day,
        num_agents=scenario.n_banks,
        num_payments=int(arrived.sum()),
        num_settled=int(run.stat[:, S_SETTLED].sum()),
        total_cost=sum(costs.values()),
        measures_json=json.dumps(measures(run)),
        package_version=__version__,
        started_at=now,
        completed_at=now,
    )
