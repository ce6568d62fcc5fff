"""What agents may propose, and the check that every proposal goes through.

Whatever the first policy of a bank has may stay as it is, a parameter's value or a whole tree.
Everything else in a proposal must be allowed: by the declared parameters, fields and actions, by
the scenario's ``policy_feature_toggles``, and by the language of policies itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payment_simulator.ai_cash_mgmt.constraints.checks import (
    parameter_problems,
    starting_policy,
    tree_problems,
    unread_parameters,
)
from payment_simulator.ai_cash_mgmt.constraints.sections import ScenarioConstraints
from payment_simulator.ai_cash_mgmt.constraints.specs import ParameterSpec
from payment_simulator.ai_cash_mgmt.constraints.words import describe
from payment_simulator.errors import GameFileError, PolicyError
from payment_simulator.policy import Policy, parse_policy
from payment_simulator.policy.grammar import FRACTION
from payment_simulator.policy.parse import policy_or_problems
from payment_simulator.scenario import Scenario, policy_problems
from payment_simulator.wording import quoted

__all__ = [
    "ConstraintValidator",
    "ParameterSpec",
    "ScenarioConstraints",
    "default_constraints",
    "describe",
    "starting_policy",
    "unread_parameters",
]

_DEFAULT_STEP = 0.05


class ConstraintValidator:
    """Tells what is wrong with a policy that is proposed for a bank.

    Parameters
    ----------
    constraints : ScenarioConstraints
        What may be proposed.
    scenario : Scenario
        What is played.
    bank : str
        Whose policy it is.
    starting_policy : Policy, optional
        The bank's first policy, whose parts may stay as they are; that of
        :func:`starting_policy` if not given.
    """

    def __init__(
        self,
        constraints: ScenarioConstraints,
        scenario: Scenario,
        bank: str,
        starting_policy: Policy | None = None,
    ) -> None:
        self.constraints = constraints
        self.scenario = scenario
        self.bank = bank
        self.starting_policy = (
            _start(scenario, bank, constraints) if starting_policy is None else starting_policy
        )

    def validate(self, policy: Policy | Mapping[str, Any] | str) -> list[str]:
        """Say everything that is wrong with a policy.

        Parameters
        ----------
        policy : Policy, Mapping or str
            A policy, what its JSON text holds, or the text.

        Returns
        -------
        list of str
            One line for each problem; none if the policy may be used. What is no policy at all is
            not looked at further.
        """
        parsed, problems = policy_or_problems(policy)
        if parsed is None:
            return problems
        return [
            *policy_problems(parsed, self.scenario),
            *parameter_problems(parsed, self.constraints, self.starting_policy),
            *tree_problems(parsed, self.constraints, self.starting_policy),
        ]

    def parse(self, policy: Policy | Mapping[str, Any] | str) -> Policy:
        """Return a policy that may be used.

        Raises
        ------
        PolicyError
            It may not; the message names the first problem and counts the others.
        """
        problems = self.validate(policy)
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            raise PolicyError(f"policy of bank {quoted(self.bank)}: {problems[0]}{more}")
        return policy if isinstance(policy, Policy) else parse_policy(policy)


_start = starting_policy


def default_constraints(scenario: Scenario) -> ScenarioConstraints:
    """Return what agents may propose where nothing is declared.

    That is the share of the pool to fund, in twentieths, and any tree.

    Raises
    ------
    GameFileError
        No bank has a pool, so there is nothing that could be meant.
    """
    if not any(agent.liquidity_pool for agent in scenario.agents):
        raise GameFileError(
            f"scenario {quoted(scenario.name)}: no bank has a liquidity_pool, so it is not clear "
            "what agents may set; expected a game file with constraints: allowed_parameters, each "
            "with name, min_value and max_value"
        )
    share = ParameterSpec(name=FRACTION, min_value=0, max_value=1, step=_DEFAULT_STEP)
    return ScenarioConstraints(allowed_parameters=(share,))
