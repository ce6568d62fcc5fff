"""Game sessions and policy iterations: the specification's part of the repository."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from payment_simulator.ai_cash_mgmt.persistence.models.game import (
    GameSessionRecord,
    PolicyIterationRecord,
)
from payment_simulator.ai_cash_mgmt.persistence.records import RecordStore, checked_limit
from payment_simulator.ai_cash_mgmt.persistence.vocabulary import GameMode, GameStatus, one_of
from payment_simulator.errors import InputError


class GameRecords(RecordStore):
    """Saves and reads games and their steps."""

    def save_game_session(self, session: GameSessionRecord) -> None:
        """Save or update a game session.

        A session that is there already with the same values is left alone; one with other values
        is replaced, and kept in ``superseded_records``.

        Parameters
        ----------
        session : GameSessionRecord
            The session; durable when the call returns.
        """
        self._save(self._of_kind(GameSessionRecord, session))

    def get_game_session(self, game_id: str) -> GameSessionRecord | None:
        """Return a game session, or ``None`` when there is no such game."""
        return self._read_one("get_game_session", GameSessionRecord, (game_id,))

    def update_game_session_status(
        self,
        game_id: str,
        status: str,
        completed_at: datetime | None = None,
        total_iterations: int | None = None,
        converged: bool | None = None,
        final_cost: float | None = None,
    ) -> None:
        """Update game session status and completion fields.

        Parameters
        ----------
        game_id : str
            Game session identifier.
        status : str
            New status value.
        completed_at : datetime, optional
            Completion timestamp. This and what follows stays as it is when not given.
        total_iterations : int, optional
            Total iterations count.
        converged : bool, optional
            Whether the game converged.
        final_cost : float, optional
            Final aggregate cost (cents).

        Raises
        ------
        GameNotFoundError
            There is no such game.
        pydantic.ValidationError
            A value is refused; nothing was changed.
        """
        given = {
            "completed_at": completed_at,
            "total_iterations": total_iterations,
            "converged": converged,
            "final_cost": final_cost,
        }
        with self._store.transaction():
            session = self.get_game_session(game_id)
            if session is None:
                raise self._game_not_found(game_id)
            changes = {name: value for name, value in given.items() if value is not None}
            self._save(session.replace(status=status, **changes))

    def list_game_sessions(
        self,
        status: str | None = None,
        game_mode: str | None = None,
        limit: int = 100,
    ) -> list[GameSessionRecord]:
        """List game sessions, newest first; games that started together by their id.

        Parameters
        ----------
        status, game_mode : str, optional
            Only games with this status, of this mode; both when both are given.
        limit : int
            At most this many.

        Raises
        ------
        InputError
            The limit is not a whole number of at least 1, or a filter names a status or mode
            that does not exist.
        """
        for kind, value, name in (
            (GameStatus, status, "status"),
            (GameMode, game_mode, "game_mode"),
        ):
            if value is not None:
                try:
                    one_of(kind, value)
                except ValueError as error:
                    raise InputError(f"{name}: {error}") from None
        status, game_mode = (None if v is None else str(v) for v in (status, game_mode))
        parameters = (status, status, game_mode, game_mode, checked_limit(limit))
        return self._read("list_game_sessions", GameSessionRecord, parameters)

    def get_game_ids(self) -> list[str]:
        """Return the identifiers of all games, in order."""
        return [row[0] for row in self._rows("game_ids")]

    def save_policy_iteration(self, iteration: PolicyIterationRecord) -> None:
        """Save a policy iteration record.

        A record that is there already under the same game, agent and iteration is replaced if it
        differs, and kept in ``superseded_records``.

        Parameters
        ----------
        iteration : PolicyIterationRecord
            The record; durable when the call returns.

        Raises
        ------
        GameNotFoundError
            The game it belongs to is not there.
        """
        self._save(self._of_kind(PolicyIterationRecord, iteration))

    def save_policy_iterations(self, iterations: Iterable[PolicyIterationRecord]) -> None:
        """Save many policy iteration records in one transaction: all of them, or none.

        Raises
        ------
        GameNotFoundError
            A game that one of them belongs to is not there.
        DuplicateKeyError
            Two of them have the same game, agent and iteration.
        """
        self._save_all(PolicyIterationRecord, iterations)

    def get_policy_iterations(
        self,
        game_id: str,
        agent_id: str | None = None,
    ) -> list[PolicyIterationRecord]:
        """Return the steps of a game, or of one of its agents, by iteration, then agent."""
        if agent_id is None:
            return self._read("get_policy_iterations", PolicyIterationRecord, (game_id,))
        return self._read(
            "get_policy_iterations_of_agent", PolicyIterationRecord, (game_id, agent_id)
        )

    def get_policy_iterations_between(
        self, game_id: str, first: int, last: int
    ) -> list[PolicyIterationRecord]:
        """Return the steps of some iterations of a game, by iteration, then agent."""
        return self._read(
            "get_policy_iterations_between", PolicyIterationRecord, (game_id, first, last)
        )

    def get_profiles(self, game_id: str) -> list[int]:
        """Return a number for the policies in force after each iteration of a game.

        Equal policies have equal numbers: that of the first iteration that ended with them, or 0
        for those at the start.
        """
        rows = self._rows("policies_in_turn", (game_id,))
        in_force: dict[str, str] = {}
        for _, agent, found, _ in rows:
            in_force.setdefault(agent, found)
        numbers = {tuple(in_force.items()): 0}
        profiles = []
        for iteration, steps in groupby(rows, key=itemgetter(0)):
            in_force.update({agent: left for _, agent, _, left in steps})
            profiles.append(numbers.setdefault(tuple(in_force.items()), iteration))
        return profiles

    def get_best_policy(self, game_id: str, agent_id: str) -> str | None:
        """Return the accepted policy of least cost, the earliest of equals.

        Returns
        -------
        str or None
            Policy JSON; ``None`` when the agent has no accepted policy.
        """
        found = self._rows("get_best_policy", (game_id, agent_id))
        return found[0][0] if found else None

    def get_optimization_summary(self, game_id: str) -> dict[str, Any]:
        """Get summary statistics for a game's optimization.

        Returns
        -------
        dict
            ``total_iterations``, ``accepted_iterations``, ``rejected_iterations``,
            ``total_cost_improvement`` (cents, accepted iterations only), ``total_tokens_used``
            and ``total_llm_latency`` (seconds); zeros for a game without iterations.
        """
        rows = self._rows("optimization_figures", (game_id,))
        gains = [gain for was_accepted, gain, _, _ in rows if was_accepted]
        return {
            "total_iterations": len(rows),
            "accepted_iterations": len(gains),
            "rejected_iterations": len(rows) - len(gains),
            "total_cost_improvement": _exact_sum(gains),
            "total_tokens_used": sum(tokens for _, _, tokens, _ in rows),
            "total_llm_latency": _exact_sum(seconds for _, _, _, seconds in rows),
        }

    def get_parameter_trajectory(
        self, game_id: str, agent_id: str, name: str
    ) -> list[tuple[int, float]]:
        """Return the value of a policy parameter that rules after each step of an agent.

        Parameters
        ----------
        game_id, agent_id : str
            Whose policy.
        name : str
            Parameter in the policy's ``parameters``.

        Returns
        -------
        list of (int, float)
            Iteration and value; steps whose policy is not JSON or lacks the parameter are left
            out.
        """
        points = []
        for iteration, policy_json in self._rows("get_policies_in_force", (game_id, agent_id)):
            value = _parameter(policy_json, name)
            if value is not None:
                points.append((iteration, value))
        return points


def _exact_sum(values: Iterable[float]) -> float:
    """Return the sum, rounded once, so that it is the same in any order."""
    values = list(values)
    try:
        return math.fsum(values)
    except OverflowError:  # beyond 1.8e308 on the way
        return sum(values, 0.0)


def _parameter(policy_json: str, name: str) -> float | None:
    try:
        policy = json.loads(policy_json)
    except (ValueError, RecursionError):
        return None
    parameters = policy.get("parameters") if isinstance(policy, dict) else None
    value = parameters.get(name) if isinstance(parameters, dict) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if math.isfinite(value) else None
