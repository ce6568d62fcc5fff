"""Whether a policy that was proposed takes the place of the one in force."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from payment_simulator.ai_cash_mgmt.evaluation.inference import lower_bound, mean
from payment_simulator.ai_cash_mgmt.evaluation.ties import has_no_spread
from payment_simulator.errors import InputError
from payment_simulator.kernels.layout import Floats
from payment_simulator.wording import nearest, shown

Rule: TypeAlias = Literal["mean", "confident"]
RULES: tuple[Rule, ...] = ("mean", "confident")


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The policy in force and the one proposed, played on the same sample days.

    Attributes
    ----------
    old_cost, new_cost : ndarray[float64], shape (samples,), cents
        What the bank pays.
    old_rate, new_rate : ndarray[float64], shape (samples,)
        Settled share of the value that arrived in the whole system.
    seeds : tuple of int
        Numbers of the samples.
    n_observed : float, optional
        Of how many observed runs they were drawn again; none where they are not resampled.
    is_exact : bool
        Whether nothing is random, so that the one sample is all there is.
    """

    old_cost: Floats
    new_cost: Floats
    old_rate: Floats
    new_rate: Floats
    seeds: tuple[int, ...]
    n_observed: float | None = None
    is_exact: bool = False

    def with_more(self, more: Evaluation) -> Evaluation:
        """Return the evaluation with further samples after its own."""
        return replace(
            self,
            old_cost=np.concatenate([self.old_cost, more.old_cost]),
            new_cost=np.concatenate([self.new_cost, more.new_cost]),
            old_rate=np.concatenate([self.old_rate, more.old_rate]),
            new_rate=np.concatenate([self.new_rate, more.new_rate]),
            seeds=(*self.seeds, *more.seeds),
        )

    @property
    def mean_old(self) -> float:
        """Mean cost of the policy in force, cents."""
        return mean(self.old_cost)

    @property
    def mean_new(self) -> float:
        """Mean cost of the policy proposed, cents."""
        return mean(self.new_cost)

    @property
    def mean_gain(self) -> float:
        """What is gained by the policy proposed: the first mean less the second, cents."""
        return self.mean_old - self.mean_new

    @property
    def differences(self) -> Floats:
        """What is gained on each sample, cents."""
        return self.old_cost - self.new_cost

    @property
    def mean_new_rate(self) -> float:
        """Mean settlement rate of the system under the policy proposed."""
        return mean(self.new_rate)


@dataclass(frozen=True)
class Decision:
    """What became of a proposal.

    Attributes
    ----------
    is_accepted : bool
    reason : str
        One sentence, with the numbers.
    lower_bound : float, optional
        What is gained at least, with the error allowed (cents); where the rule asks for it.
    is_open : bool
        Whether all that is missing is evidence, so that more days could lead to acceptance.
    error_spent : float, optional
        What the step took of the error that the game may make; where the rule asks for it.
    """

    is_accepted: bool
    reason: str
    lower_bound: float | None
    is_open: bool = False
    error_spent: float | None = None


def decide(
    evaluation: Evaluation,
    *,
    rule: str,
    error: float,
    improvement_threshold: float,
    min_settlement_rate: float | None,
) -> Decision:
    """Decide on a proposal.

    Parameters
    ----------
    evaluation : Evaluation
    rule : {"mean", "confident"}
        ``mean``: its mean cost is lower, by more than the threshold; no claim is made of how likely
        that is chance. ``confident``: besides, the one-sided lower bound of the mean gain is above
        0. Samples are paired, so what days have in common does not blur the difference. Where
        nothing is random the bound is the gain itself; where something is, samples without spread
        have no bound, and the proposal is rejected.
    error : float
        How likely a policy that is no better may be to be accepted, between 0 and 1; of
        ``confident`` alone. See :mod:`~payment_simulator.ai_cash_mgmt.evaluation.spending`.
    improvement_threshold : float
        Share of the old mean cost that has to be gained; 0 accepts any gain. The same cost is
        never accepted.
    min_settlement_rate : float, optional
        What the settlement rate of the system has to reach on average under the proposal, however
        cheap it is, and whatever the rate was before.

    Raises
    ------
    InputError
        The rule is not known.
    """
    if rule not in RULES:
        raise InputError(f"rule: {shown(rule)}; {nearest(str(rule), RULES)}")
    is_confident = rule == "confident"
    bound = _bound(evaluation, error) if is_confident else None
    refusal = _too_dear(evaluation, improvement_threshold) or _settles_too_little(
        evaluation, min_settlement_rate
    )
    if refusal is not None:
        return Decision(is_accepted=False, reason=refusal, lower_bound=bound)
    fall = f"mean cost falls {_change(evaluation)}"
    if not is_confident:
        return Decision(is_accepted=True, reason=fall, lower_bound=None)
    words = _bound_words(evaluation, bound, error)
    if bound is not None and bound > 0.0:
        return Decision(is_accepted=True, reason=f"{fall}; {words}", lower_bound=bound)
    reason = f"{fall}, but it is not sure to fall: {words}"
    return Decision(is_accepted=False, reason=reason, lower_bound=bound, is_open=True)


def _bound(evaluation: Evaluation, error: float) -> float | None:
    if evaluation.is_exact:
        return evaluation.mean_gain
    if has_no_spread(evaluation.old_cost, evaluation.new_cost):
        return None
    return lower_bound(evaluation.differences, error, evaluation.n_observed)


def _too_dear(evaluation: Evaluation, threshold: float) -> str | None:
    gain, needed = evaluation.mean_gain, threshold * abs(evaluation.mean_old)
    if gain < 0.0:
        return f"mean cost rises {_change(evaluation)}"
    if gain == 0.0:
        return f"mean cost stays the same, {_cents(evaluation.mean_old)} cents"
    if gain <= needed:
        return (
            f"mean cost falls {_change(evaluation)}; expected a gain above {_cents(needed)}, "
            f"{threshold:.6g} of the old cost"
        )
    return None


def _settles_too_little(evaluation: Evaluation, floor: float | None) -> str | None:
    # The sum of what is missing is exactly 0 where every rate is the floor itself; a mean of
    # equal numbers may be off by its last bit.
    if floor is None or math.fsum(rate - floor for rate in evaluation.new_rate.tolist()) >= 0.0:
        return None
    return (
        f"the settlement rate of the system would be {evaluation.mean_new_rate:.6g} on average; "
        f"expected at least {floor:.6g} (mean cost falls {_change(evaluation)})"
    )


def _change(evaluation: Evaluation) -> str:
    old, new = evaluation.mean_old, evaluation.mean_new
    return f"from {_cents(old)} to {_cents(new)} cents, by {_cents(abs(old - new))}"


def _bound_words(evaluation: Evaluation, bound: float | None, error: float) -> str:
    if evaluation.is_exact:
        return "nothing is random, so the gain is certain"
    days = f"{len(evaluation.seeds):,} paired samples"
    if evaluation.n_observed is not None:
        days += f" drawn from {evaluation.n_observed:,.6g} observed runs"
    if bound is None:
        return f"all {days} gave the same gain, so they do not show what other days would give"
    return (
        f"with a chance of error of at most {error:.3g} the gain is at least {_cents(bound)} cents "
        f"({days})"
    )


def _cents(value: float) -> str:
    """Return cents with two decimals; with three digits where these would show nothing."""
    return f"{value:,.2f}" if abs(value) >= 1.0 or value == 0.0 else f"{value:.3g}"
