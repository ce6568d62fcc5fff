"""Plays one step: asks a bank's agent, checks what it proposes, and has it judged."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from payment_simulator.ai_cash_mgmt.config import GameConfig
from payment_simulator.ai_cash_mgmt.evaluation.acceptance import Decision, Evaluation, decide
from payment_simulator.ai_cash_mgmt.evaluation.arena import Arena
from payment_simulator.ai_cash_mgmt.evaluation.mean_costs import Days, Profile
from payment_simulator.ai_cash_mgmt.evaluation.spending import error_of_step, look_sizes
from payment_simulator.ai_cash_mgmt.persistence.models.base import INT32_MAX
from payment_simulator.ai_cash_mgmt.proposers.base import (
    CallLog,
    PastStep,
    Proposal,
    Proposed,
    ProposerError,
    Refusal,
    Situation,
    Tools,
)
from payment_simulator.ai_cash_mgmt.seeds import derive_seed
from payment_simulator.ai_cash_mgmt.stages import Stage
from payment_simulator.ai_cash_mgmt.step import (
    Agent,
    OnWork,
    Step,
    StepFailedError,
    WatchedCalls,
    unwatched,
)
from payment_simulator.errors import DatabaseError, PaymentSimulatorError, SimulationError
from payment_simulator.policy import Policy, to_json

UNCHANGED = "nothing better was found: the policy proposed is the one in force"


def play_step(
    config: GameConfig,
    stage: Stage,
    agent: Agent,
    profile: Profile,
    when: tuple[int, int],
    history: tuple[PastStep, ...],
    calls: CallLog,
    *,
    on_work: OnWork = unwatched,
) -> Step:
    """Let an agent make its step.

    Parameters
    ----------
    config : GameConfig
    stage : Stage
        Where the step takes place.
    agent : Agent
    profile : tuple of Policy
        The policies of all banks, as the step sees them.
    when : tuple of int
        Iteration (from 1), and the last tick played before it.
    history : tuple of PastStep
        The agent's own steps so far.
    calls : CallLog
        Where calls of models are written down.
    on_work : callable
        Told what is done next.

    Raises
    ------
    StepFailedError
        The proposer failed.
    SimulationError
        A run under the policies in force stopped.
    """
    return _Attempt(config, stage, agent, profile, when, history, calls, on_work).play()


class _Attempt:
    """A step while it is being played; see :func:`play_step`."""

    def __init__(
        self,
        config: GameConfig,
        stage: Stage,
        agent: Agent,
        profile: Profile,
        when: tuple[int, int],
        history: tuple[PastStep, ...],
        calls: CallLog,
        on_work: OnWork,
    ) -> None:
        self._config = config
        self._on_work = on_work
        self._agent = agent
        self._profile = profile
        self._stage = stage
        self._arena: Arena = stage.arena
        iteration, _ = when
        self._judging = stage.days("judge", iteration, agent.bank)
        i = stage.arena.scenario.bank_ids.index(agent.bank)
        self._old = profile[i]
        days = stage.days("propose", iteration, agent.bank)
        self._situation = Situation(
            bank=agent.bank,
            iteration=iteration,
            trigger_tick=when[1],
            mode=config.game_mode,
            scenario=stage.arena.scenario,
            policy=self._old,
            constraints=agent.constraints,
            validator=agent.validator,
            history=history,
            refused=(),
            seed=derive_seed(config.master_seed, "proposer", iteration, agent.bank),
            calls=WatchedCalls(calls, agent.bank, on_work),
            tools=self._tools(stage, days),
            acceptance=acceptance_words(config),
        )
        self._proposals: list[Proposal] = []
        self._seconds = 0.0

    def _tools(self, stage: Stage, days: Days) -> Tools:
        arena, profile, bank = self._arena, self._profile, self._agent.bank
        return Tools(
            costs=lambda candidates: arena.candidate_costs(profile, bank, candidates, days),
            day_costs=lambda candidates, first, end: arena.day_costs(
                profile, bank, candidates, days.part(first, end)
            ),
            n_days=len(days),
            report=lambda: arena.report(profile, bank, days),
            replay=lambda number: arena.replay(profile, days, number),
            so_far=stage.so_far,
        )

    def play(self) -> Step:
        """Ask until there is a valid proposal, or no more retries."""
        errors: tuple[str, ...] = ()
        for refused in range(self._agent.max_retries + 1):
            once_more = f" once more, after {refused} refused" if refused else ""
            self._on_work(f"{self._agent.bank} proposes{once_more}")
            try:
                proposal = self._ask()
            except ProposerError as error:
                step = self._without_proposal((str(error),))
                raise StepFailedError(step, error) from error
            text, policy, errors = self._check(proposal)
            if policy is not None:
                self._on_work(f"{self._agent.bank} is judged")
                try:
                    evaluation, decision = self._judge(policy)
                except SimulationError as error:
                    self._old_twice()  # raises where the policies in force are to blame
                    banks = self._arena.scenario.bank_ids
                    errors = (stopped(error, self._situation.bank, banks),)
                else:
                    return self._step(text, policy, evaluation, decision)
            refusal = Refusal(text, errors, is_withdrawn=bool(proposal.errors))
            self._situation.refused = (*self._situation.refused, refusal)
        return self._without_proposal(errors)

    def _ask(self) -> Proposal:
        """Ask the proposer once; a fault of its own becomes a ``ProposerError``."""
        label = self._agent.proposer.label
        started = time.perf_counter()
        try:
            answer = self._agent.proposer.propose(self._situation)
        except (ProposerError, DatabaseError, SimulationError):
            raise
        except PaymentSimulatorError as error:
            raise ProposerError(f"{label}: {error}") from error
        except (Exception, SystemExit) as error:
            raise ProposerError(f"{label}: {type(error).__name__}: {error}") from error
        took = time.perf_counter() - started
        proposal = answer if isinstance(answer, Proposal) else Proposal(answer)
        given = proposal.latency_seconds
        self._seconds += took if given is None else given
        self._proposals.append(proposal)
        return proposal

    def _check(self, proposal: Proposal) -> tuple[str, Policy | None, tuple[str, ...]]:
        """Return a proposal as text, and as a policy or the errors in it."""
        proposed = proposal.policy
        withdrawn = tuple(_storable(str(error)) for error in proposal.errors)
        errors = withdrawn or tuple(self._agent.validator.validate(proposed))
        if not errors:
            policy = self._agent.validator.parse(proposed)
            return to_json(policy), policy, ()
        return _as_text(proposed), None, errors

    def _judge(self, policy: Policy) -> tuple[Evaluation, Decision]:
        """Compare a policy with the one in force, on more days while evidence is lacking.

        Raises
        ------
        SimulationError
            A run stopped.
        """
        if policy == self._old:
            return self._old_twice(), _rejected(UNCHANGED)
        rule, settings = self._config.acceptance, self._config.bootstrap
        sizes: tuple[int, ...] = (len(self._judging),)
        if rule.rule == "confident" and not self._judging.is_exact:
            sizes = look_sizes(settings.num_samples, settings.most_samples)
        error = error_of_step(rule.confidence, self._situation.iteration) / len(sizes)
        evaluation = self._compare(policy, self._days_between(0, sizes[0]))
        decision = self._decide(evaluation, error)
        looks = 1
        for size in sizes[1:]:
            more = self._days_between(len(evaluation.seeds), size)
            if not decision.is_open or len(more) == 0:
                break
            evaluation = evaluation.with_more(self._compare(policy, more))
            decision = self._decide(evaluation, error)
            looks += 1
        if decision.is_open:
            why = "bootstrap.max_samples allows no more days"
            decision = replace(decision, reason=f"{decision.reason}; {why}")
        if rule.rule == "confident":
            decision = replace(decision, error_spent=error * looks)
        return evaluation, decision

    def _compare(self, policy: Policy, days: Days) -> Evaluation:
        return self._arena.compare(self._profile, self._situation.bank, policy, days)

    def _days_between(self, first: int, end: int) -> Days:
        """Return the judging days from one place to before another."""
        if end <= len(self._judging):
            return self._judging.part(first, end)
        situation = self._situation
        days = self._stage.days("judge", situation.iteration, situation.bank, count=end)
        return days.part(first, end)

    def _old_twice(self) -> Evaluation:
        arena, days = self._arena, self._judging
        i = arena.scenario.bank_ids.index(self._situation.bank)
        batch = arena.play([self._profile], days)
        cost, rate = arena.bank_costs(batch)[:, 0, i], batch.settlement_rate[:, 0]
        return Evaluation(cost, cost, rate, rate, tuple(int(number) for number in days.numbers))

    def _without_proposal(self, errors: tuple[str, ...]) -> Step:
        refused = self._situation.refused
        text = refused[-1].text if refused else to_json(self._old)
        decision = _rejected("there is no valid proposal")
        return self._step(text, None, self._old_twice(), decision, errors)

    def _step(
        self,
        text: str,
        policy: Policy | None,
        evaluation: Evaluation,
        decision: Decision,
        errors: tuple[str, ...] = (),
    ) -> Step:
        situation, proposals = self._situation, self._proposals
        return Step(
            bank=situation.bank,
            iteration=situation.iteration,
            trigger_tick=situation.trigger_tick,
            label=self._agent.proposer.label,
            old=self._old,
            new=policy,
            new_text=text,
            evaluation=evaluation,
            decision=decision,
            errors=errors,
            refused=situation.refused,
            reasoning=proposals[-1].reasoning if proposals else "",
            # What a server says of its tokens may be anything; the column is an INTEGER.
            tokens_used=min(sum(proposal.tokens_used for proposal in proposals), INT32_MAX),
            latency_seconds=self._seconds,
            report=situation.report,
            shown=situation.shown,
            n_past=len(situation.history),
        )

    def _decide(self, evaluation: Evaluation, error: float) -> Decision:
        acceptance = self._config.acceptance
        return decide(
            evaluation,
            rule=acceptance.rule,
            error=error,
            improvement_threshold=self._config.convergence.improvement_threshold,
            min_settlement_rate=acceptance.min_settlement_rate,
        )


def _rejected(reason: str) -> Decision:
    return Decision(is_accepted=False, reason=reason, lower_bound=None)


def acceptance_words(config: GameConfig) -> str:
    """Say when a proposal is accepted, as a bank may know it."""
    rule = config.acceptance
    share = config.convergence.improvement_threshold
    words = "it costs your bank less than the policy in force"
    if share > 0:
        words += f", on average by more than {share:g} of that cost"
    if rule.rule == "confident":
        words += (
            f", and surely so: over the whole game the chance that any policy is accepted that is "
            f"no better is at most {1 - rule.confidence:.3g}"
        )
    if rule.min_settlement_rate is not None:
        words += (
            f", and the system as a whole settles at least {rule.min_settlement_rate:g} of the "
            "value that arrives"
        )
    return words


def _as_text(proposed: Proposed) -> str:
    """Return what a proposer gave as text, whatever it is."""
    if isinstance(proposed, str):
        return _storable(proposed)
    if isinstance(proposed, Policy):
        return to_json(proposed)
    if isinstance(proposed, Mapping):
        try:
            return _storable(json.dumps(proposed, ensure_ascii=False))
        except (TypeError, ValueError, RecursionError):
            pass
    return _storable(repr(proposed))


def _storable(text: str) -> str:
    """Return a text as the record can hold it: halves of characters become question marks."""
    return text.encode("utf-8", "replace").decode()


def stopped(error: SimulationError, bank: str, bank_ids: Sequence[str]) -> str:
    """Say that a run stops under a proposal; what tells of other banks is no business of this."""
    told = str(error)
    if any(other in told for other in bank_ids if other != bank):
        told = "it asks of the system what it cannot compute exactly"
    return f"with this policy a run stops: {told}"
