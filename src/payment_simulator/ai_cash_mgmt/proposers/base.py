"""What a proposer is: asked for a better policy of one bank, it answers with one.

A proposer is any object with a ``label`` and a method ``propose``. What it is told stands in a
:class:`Situation`, and what it may do with it depends on what it is: a search may use the simulator
(``costs``), a model of a bank's treasurer sees only what its bank sees (``report``, ``history``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeAlias, runtime_checkable

from payment_simulator.ai_cash_mgmt.constraints import ConstraintValidator, ScenarioConstraints
from payment_simulator.ai_cash_mgmt.evaluation.own_report import OwnReport
from payment_simulator.ai_cash_mgmt.persistence.models import LLMInteractionRecord
from payment_simulator.errors import PaymentSimulatorError
from payment_simulator.kernels.layout import Floats
from payment_simulator.policy import Policy
from payment_simulator.scenario import Scenario
from payment_simulator.simulation import Run

#: A policy, what its JSON text holds, or the text itself.
Proposed: TypeAlias = Policy | Mapping[str, Any] | str


class ProposerError(PaymentSimulatorError):
    """A proposer could not propose anything: no network, no key, a fault of its own."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a proposer came up with.

    Attributes
    ----------
    policy : Policy, mapping or str
        The policy proposed. It is checked by whoever asked; the current one is a fine answer where
        nothing better was found.
    reasoning : str
        Why, in the proposer's words.
    tokens_used : int
        Tokens of all calls of models that this answer took, in and out.
    latency_seconds : float, optional
        Time of these calls; where not given, the time that ``propose`` took is recorded.
    errors : tuple of str
        Why this is no policy, where the proposer knows that itself. It is then sent back with these
        errors, and not checked.
    """

    policy: Proposed
    reasoning: str = ""
    tokens_used: int = 0
    latency_seconds: float | None = None
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PastStep:
    """What a bank's agent did before, and what became of it.

    Attributes
    ----------
    iteration : int
        Counted from 1.
    policy_json : str
        The policy proposed.
    parameters : Mapping of str to float
        Its parameters; empty where it was not valid.
    old_cost, new_cost : float
        Mean costs of the bank on the days that judged the step, cents.
    was_accepted : bool
    errors : tuple of str
        Why it was not valid; empty if it was.
    """

    iteration: int
    policy_json: str
    parameters: Mapping[str, float]
    old_cost: float
    new_cost: float
    was_accepted: bool
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A proposal of this very step that was sent back.

    Attributes
    ----------
    text : str
        The proposal, as JSON or as it came.
    errors : tuple of str
        What is wrong with it.
    is_withdrawn : bool
        Whether it is the proposer that said so: there was no policy to check.
    """

    text: str
    errors: tuple[str, ...]
    is_withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Tried:
    """A policy that a proposer tried.

    Attributes
    ----------
    values : tuple of float
        Its parameters, in the order in which they are declared.
    days : int
        On how many sample days it was played; the first of all.
    cost : float
        What it costs on average, cents; an estimate where these were not all days.
    """

    values: tuple[float, ...]
    days: int
    cost: float


@dataclass
class Shown:
    """What a proposer was shown beside its bank's report; it writes it down itself.

    Attributes
    ----------
    best_day, worst_day : str, optional
        These sample days, told tick by tick.
    omissions : tuple of str
        What was left out to keep within size.
    tried : tuple of Tried
        Policies that it tried on the simulator, in the order of trying.
    """

    best_day: str | None = None
    worst_day: str | None = None
    omissions: tuple[str, ...] = ()
    tried: tuple[Tried, ...] = ()


class CallLog(Protocol):
    """The calls of models in one step: those recorded before are answered from the record."""

    def begin(self) -> tuple[int, LLMInteractionRecord | None]:
        """Return the number of the next call, and the call itself where it was made before."""
        ...

    def save(self, interaction: LLMInteractionRecord) -> None:
        """Make a call durable."""
        ...

    @property
    def game_id(self) -> str:
        """The game that the calls belong to."""
        ...


@dataclass
class Situation:
    """What there is to know when a proposal is due.

    Attributes
    ----------
    bank : str
        The bank whose policy is to be improved.
    iteration : int
        Counted from 1.
    trigger_tick : int
        The last tick played before the optimisation.
    mode : str
        ``campaign_learning`` or ``rl_optimization``.
    scenario : Scenario
        What is played. Prices and rules are public; of the banks, a proposer that stands for one
        of them looks at its own alone.
    policy : Policy
        The bank's policy in force.
    constraints : ScenarioConstraints
        What it may propose.
    validator : ConstraintValidator
        Tells what is wrong with a proposal.
    history : tuple of PastStep
        The bank's own steps so far, oldest first.
    refused : tuple of Refusal
        Proposals of this step that were sent back, oldest first.
    seed : int
        For whatever is random in the proposer; derived from the master seed, iteration and bank.
    calls : CallLog
        Where calls of models are written down, and read back.
    shown : Shown
        For the proposer to write down what it was shown.
    acceptance : str
        When a proposal is accepted, in words; follows "A proposal is accepted only if".
    """

    bank: str
    iteration: int
    trigger_tick: int
    mode: str
    scenario: Scenario
    policy: Policy
    constraints: ScenarioConstraints
    validator: ConstraintValidator
    history: tuple[PastStep, ...]
    refused: tuple[Refusal, ...]
    seed: int
    calls: CallLog
    tools: Tools = field(repr=False)
    shown: Shown = field(default_factory=Shown)
    acceptance: str = "it costs your bank less than the policy in force"

    def costs(self, candidates: Sequence[Policy]) -> Floats:
        """Return the mean cost of the bank under each candidate, the others as they are.

        An analyst's tool: it plays the other banks' true policies. The days are those set aside
        for proposing; they never are the days on which a proposal is judged, unless the scenario
        has one day only.

        Parameters
        ----------
        candidates : sequence of Policy
            Valid policies.

        Returns
        -------
        ndarray[float64], shape (candidates,), cents
        """
        return self.tools.costs(candidates)

    @property
    def n_days(self) -> int:
        """The number of days set aside for proposing."""
        return self.tools.n_days

    def day_costs(self, candidates: Sequence[Policy], first: int, end: int) -> Floats:
        """Return the cost of the bank under each candidate on some of the days for proposing.

        Parameters
        ----------
        candidates : sequence of Policy
            Valid policies.
        first, end : int
            The days from one place, counted from 0, to before another.

        Returns
        -------
        ndarray[float64], shape (end - first, candidates), cents
            Infinite where a run stops under a candidate.
        """
        return self.tools.day_costs(candidates, first, end)

    @cached_property
    def report(self) -> OwnReport:
        """The bank's own books on the proposer's sample days."""
        return self.tools.report()

    @cached_property
    def best_day(self) -> Run:
        """The cheapest sample, played once more with all that happens written down."""
        return self.tools.replay(self.report.best_seed)

    @cached_property
    def worst_day(self) -> Run:
        """The dearest sample, played once more with all that happens written down."""
        return self.tools.replay(self.report.worst_seed)

    @property
    def so_far(self) -> Run | None:
        """What has happened in a running simulation; none between simulations."""
        return self.tools.so_far()


@dataclass(frozen=True)
class Tools:
    """How a situation gets at the simulator."""

    costs: Callable[[Sequence[Policy]], Floats]
    day_costs: Callable[[Sequence[Policy], int, int], Floats]
    n_days: int
    report: Callable[[], OwnReport]
    replay: Callable[[int], Run]
    so_far: Callable[[], Run | None]


@runtime_checkable
class Proposer(Protocol):
    """Improves the policy of a bank, one proposal at a time."""

    @property
    def label(self) -> str:
        """Who proposes, as ``kind/method`` or ``provider/model``."""
        ...

    def propose(self, situation: Situation) -> Proposal | Proposed:
        """Return a policy for the bank of a situation.

        It depends on the situation alone, so that a game can be taken up where it stopped.

        Raises
        ------
        ProposerError
            There can be no proposal; the game stops here, and can be resumed.
        """
        ...
