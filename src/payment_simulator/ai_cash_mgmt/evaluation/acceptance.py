"""Whether a policy that was proposed takes the place of the one in force."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from payment_simulator.ai_cash_mgmt.evaluation.student import t_quantile
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
    """

    old_cost: Floats
    new_cost: Floats
    old_rate: Floats
    new_rate: Floats
    seeds: tuple[int, ...]

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
        What is gained at least, at the confidence asked for (cents); where the rule asks for it.
    """

    is_accepted: bool
    reason: str
    lower_bound: float | None


def decide(
    evaluation: Evaluation,
    *,
    rule: str,
    confidence: float,
    improvement_threshold: float,
    min_settlement_rate: float | None,
) -> Decision:
    """Decide on a proposal.

    Parameters
    ----------
    evaluation : Evaluation
    rule : {"mean", "confident"}
        ``mean``: its mean cost is lower, by more than the threshold. ``confident``: besides, the
        one-sided lower bound of the mean gain is above 0. Samples are paired, so what days have in
        common does not blur the difference. Of one sample, or where all differences are equal,
        there is no spread to judge by, and the bound is the mean itself.
    confidence : float
        Of that bound, between 0 and 1.
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
    bound = lower_bound(evaluation.differences, confidence) if rule == "confident" else None
    refusal = (
        _too_dear(evaluation, improvement_threshold)
        or _too_unsure(evaluation, bound, confidence)
        or _settles_too_little(evaluation, min_settlement_rate)
    )
    if refusal is not None:
        return Decision(is_accepted=False, reason=refusal, lower_bound=bound)
    reason = f"mean cost falls {_change(evaluation)}"
    if bound is not None:
        reason += f"; {_bound_words(evaluation, bound, confidence)}"
    return Decision(is_accepted=True, reason=reason, lower_bound=bound)


def lower_bound(differences: Floats, confidence: float) -> float:
    """Return the one-sided lower bound of a mean, by Student's t.

    Parameters
    ----------
    differences : ndarray[float64], shape (samples,)
    confidence : float
        Between 0 and 1.

    Returns
    -------
    float
        The mean itself, where there is one sample, or where all are equal.
    """
    return mean(differences) - _margin(differences, confidence)


def interval(differences: Floats, confidence: float) -> tuple[float, float]:
    """Return the two-sided interval of a mean, by Student's t.

    Parameters
    ----------
    differences : ndarray[float64], shape (samples,)
    confidence : float
        Between 0 and 1.

    Returns
    -------
    tuple of float
        Lower and upper end; twice the mean itself, where there is one sample, or where all are
        equal.
    """
    middle = mean(differences)
    margin = _margin(differences, (1.0 + confidence) / 2.0)
    return middle - margin, middle + margin


def mean(values: Floats) -> float:
    """Return the mean; its sum is rounded once, so no larger sum is ever found the smaller."""
    if len(values) == 0:
        raise InputError("no sample; expected at least one")
    return math.fsum(values.tolist()) / len(values)


def _margin(values: Floats, probability: float) -> float:
    """Return the standard error of a mean, times the quantile of a probability."""
    n = len(values)
    if n == 1 or values.min() == values.max():
        return 0.0
    middle = mean(values)
    squares = math.fsum((value - middle) ** 2 for value in values.tolist())
    return t_quantile(probability, n - 1) * math.sqrt(squares / (n - 1) / n)


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


def _too_unsure(evaluation: Evaluation, bound: float | None, confidence: float) -> str | None:
    if bound is None or bound > 0.0:
        return None
    return (
        f"mean cost falls {_change(evaluation)}, but it is not sure to fall: "
        f"{_bound_words(evaluation, bound, confidence)}"
    )


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


def _bound_words(evaluation: Evaluation, bound: float, confidence: float) -> str:
    share = f"{confidence:.6g}"
    if len(evaluation.seeds) == 1:
        return f"with one sample the lower bound of the gain is the gain itself, {_cents(bound)}"
    return (
        f"at confidence {share} the gain is at least {_cents(bound)} cents "
        f"({len(evaluation.seeds)} paired samples)"
    )


def _cents(value: float) -> str:
    """Return cents with two decimals; with three digits where these would show nothing."""
    return f"{value:,.2f}" if abs(value) >= 1.0 or value == 0.0 else f"{value:.3g}"
