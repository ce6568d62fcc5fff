"""The loop of a game: iteration after iteration, step after step, until it converges or ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Protocol, TypeAlias

from payment_simulator.ai_cash_mgmt.attempt import play_step
from payment_simulator.ai_cash_mgmt.certificate import Certificate, certify, has_better_response
from payment_simulator.ai_cash_mgmt.evaluation.arena import Arena, with_policy
from payment_simulator.ai_cash_mgmt.evaluation.assessment import (
    Assessment,
    assess_campaign,
    assess_run,
)
from payment_simulator.ai_cash_mgmt.evaluation.convergence import Stability, cycle_of
from payment_simulator.ai_cash_mgmt.evaluation.mean_costs import Profile
from payment_simulator.ai_cash_mgmt.game_setup import GameSetup
from payment_simulator.ai_cash_mgmt.persistence.models import GameStatus
from payment_simulator.ai_cash_mgmt.proposers.base import CallLog, PastStep, ProposerError
from payment_simulator.ai_cash_mgmt.seeds import derive_seed
from payment_simulator.ai_cash_mgmt.stages import Campaign, Running, Stage
from payment_simulator.ai_cash_mgmt.step import Agent, OnWork, Step, StepFailedError, unwatched
from payment_simulator.errors import GameFailedError
from payment_simulator.policy import Policy, to_json

#: Called after every step that was played.
OnStep = Callable[[Step], None]
#: The policies of all banks as texts: what profiles are told apart by.
_Key: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class PlayedStep:
    """A step that was made, now or before.

    Attributes
    ----------
    past : PastStep
    accepted : Policy, optional
        The policy that was accepted.
    """

    past: PastStep
    accepted: Policy | None


@dataclass(frozen=True)
class Ending:
    """How a game ended.

    Attributes
    ----------
    status : GameStatus
    iterations : int
    assessment : Assessment
    certificate : Certificate, optional
    """

    status: GameStatus
    iterations: int
    assessment: Assessment
    certificate: Certificate | None


class Ledger(Protocol):
    """Where a game is written down, and what of it is written already."""

    def played(self, iteration: int, bank: str) -> PlayedStep | None:
        """Return a step that was made before."""
        ...

    def calls(self, iteration: int, bank: str) -> CallLog:
        """Return the calls of models of a step."""
        ...

    def save_step(self, step: Step) -> None:
        """Write a step down; it is durable when this returns."""
        ...

    def save_failed_step(self, step: Step, reason: Exception) -> None:
        """Write down a step, and that the game stops with it."""
        ...

    def save_ending(self, ending: Ending) -> None:
        """Write down how the game ended."""
        ...


class GameLoop:
    """Plays a game from its beginning, passing over what is written down already.

    Parameters
    ----------
    setup : GameSetup
    ledger : Ledger
    on_step : callable, optional
        Called after every step that was played.
    on_work : callable, optional
        Called with a few words before whatever may take long.
    """

    def __init__(
        self,
        setup: GameSetup,
        ledger: Ledger,
        on_step: OnStep | None = None,
        *,
        on_work: OnWork | None = None,
    ) -> None:
        self._setup = setup
        self._config = setup.config
        self._ledger = ledger
        self._on_step = on_step
        self._on_work: OnWork = on_work or unwatched
        self._profile: Profile = setup.scenario.policies
        self._history: dict[str, tuple[PastStep, ...]] = dict.fromkeys(setup.banks, ())
        self._stage = self._make_stage()
        rule = setup.config.convergence
        self._stability = Stability(rule.stability_threshold, rule.stability_window)
        #: Costs after each iteration, on days that never change; since the last invalid step.
        self._costs: list[Mapping[str, float]] = []
        self._costs_of: dict[_Key, Mapping[str, float]] = {}
        #: Number of the policies in force after each iteration: the place of the first equal ones.
        self._profiles: list[int] = []
        self._number_of: dict[_Key, int] = {_key_of(self._profile): 0}
        self.iteration = 0

    def _make_stage(self) -> Stage:
        setup, config = self._setup, self._config
        if config.game_mode == "campaign_learning":
            return Campaign(setup.scenario, setup.sampler, setup.threads)
        seed = derive_seed(config.master_seed, "run")
        return Running(setup.scenario, config, setup.sampler, setup.start, seed, setup.threads)

    def play(self) -> Ending:
        """Play the game to its end.

        Raises
        ------
        GameFailedError
            An agent could not go on; the step is written down.
        """
        status = GameStatus.COMPLETED
        for tick in islice(self._stage.triggers(), self._config.convergence.max_iterations):
            self.iteration += 1
            self._iterate(tick)
            number = self._number_of.setdefault(_key_of(self._profile), self.iteration)
            self._profiles.append(number)
            if self._has_converged():
                status = GameStatus.CONVERGED
                break
            if cycle_of(self._profiles, self._config.convergence.stability_window) is not None:
                break
        ending = self._end(status)
        self._ledger.save_ending(ending)
        return ending

    def _iterate(self, tick: int) -> None:
        """Let every agent make its step, and then the accepted policies rule."""
        before = self._profile
        after = before
        for agent in self._setup.agents:
            seen = before if self._config.update == "simultaneous" else after
            made = self._ledger.played(self.iteration, agent.bank)
            if made is None:
                made = self._play(agent, seen, tick)
            self._history[agent.bank] += (made.past,)
            if made.accepted is not None:
                i = self._setup.scenario.bank_ids.index(agent.bank)
                after = with_policy(after, i, made.accepted)
        if after != before:
            self._profile = after
            self._stage.let_rule(dict(zip(self._setup.scenario.bank_ids, after, strict=True)))

    def _play(self, agent: Agent, profile: Profile, tick: int) -> PlayedStep:
        bank, history = agent.bank, self._history[agent.bank]
        calls = self._ledger.calls(self.iteration, bank)
        try:
            when = (self.iteration, tick)
            step = play_step(
                self._config,
                self._stage,
                agent,
                profile,
                when,
                history,
                calls,
                on_work=self._on_work,
            )
        except StepFailedError as error:
            self._ledger.save_failed_step(error.step, error.reason)
            raise self._failure(bank, error.reason) from error.reason
        in_vain = self._steps_in_vain(step)
        if in_vain >= agent.max_invalid_steps:
            reason = ProposerError(
                f"{step.label} gave no valid proposal in {in_vain} steps in a row; "
                f"the last was refused because: {step.errors[0]}"
            )
            self._ledger.save_failed_step(step, reason)
            raise self._failure(bank, reason)
        self._ledger.save_step(step)
        if self._on_step is not None:
            self._on_step(step)
        is_new = step.decision.is_accepted
        return PlayedStep(step.past(), step.new if is_new else None)

    def _steps_in_vain(self, step: Step) -> int:
        """Return how many steps of an agent, up to this one, had no valid proposal."""
        if not step.errors:
            return 0
        earlier = reversed(self._history[step.bank])
        return 1 + sum(1 for _ in takewhile(lambda past: bool(past.errors), earlier))

    def _failure(self, bank: str, reason: Exception) -> GameFailedError:
        where = f"iteration {self.iteration}, bank {bank}"
        return GameFailedError(self._setup.game_id, f"{where}: {reason}")

    def _has_converged(self) -> bool:
        """Tell whether costs have been stable, and, where asked, no bank has a better response."""
        if any(history[-1].errors for history in self._history.values()):
            self._costs.clear()  # an agent that proposes nothing is no evidence
            return False
        self._costs.append(self._monitored())
        if not self._stability.is_at_rest(self._costs, self._profiles):
            return False
        if not self._config.convergence.best_response_check:
            return True
        self._on_work("looking for a better response")
        setup, profile = self._setup, self._profile
        return not has_better_response(setup, profile, self._history, self.iteration)

    def _monitored(self) -> Mapping[str, float]:
        """Return what banks pay on days that are the same all game long, from their beginning."""
        key = _key_of(self._profile)
        known = self._costs_of.get(key)
        if known is None:
            arena = Arena(self._setup.scenario, threads=self._setup.threads)
            found = arena.mean_costs(self._profile, self._setup.sampler.days("monitor"))
            known = {bank: found[bank] for bank in self._setup.banks}
            self._costs_of[key] = known
        return known

    def _end(self, status: GameStatus) -> Ending:
        start, config = self._setup.scenario.policies, self._config
        self._on_work("measuring costs at the end")
        if isinstance(self._stage, Running):
            assessment = assess_run(self._stage.finish(), start, self._profile)
        else:
            arena = Arena(self._setup.scenario, threads=self._setup.threads)
            days = self._setup.sampler.days("final")
            confidence = config.acceptance.confidence
            assessment = assess_campaign(arena, start, self._profile, days, confidence)
        certificate = None
        if config.equilibrium is not None:
            self._on_work("measuring distance from equilibrium")
            certificate = certify(self._setup, self._profile, self._history)
        return Ending(status, self.iteration, assessment, certificate)


def _key_of(profile: Profile) -> _Key:
    return tuple(to_json(policy) for policy in profile)
