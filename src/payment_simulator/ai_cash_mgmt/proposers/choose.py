"""Makes the proposer that a game file names; what it needs is imported only then."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

from payment_simulator.ai_cash_mgmt.config.proposer import ProposerConfig
from payment_simulator.ai_cash_mgmt.proposers.base import Proposer


def make_proposer(config: ProposerConfig, folder: Path | None = None) -> Proposer:
    """Return the proposer of a configuration.

    Parameters
    ----------
    config : ProposerConfig
        What is wanted.
    folder : pathlib.Path, optional
        Where the game file stands; a ``python`` proposer is looked for there first.

    Raises
    ------
    InputError
        It cannot be made; one line says why.
    """
    return _MAKERS[config.kind](config, folder)


def _search(config: ProposerConfig, _folder: Path | None) -> Proposer:
    with warnings.catch_warnings():
        # In a notebook Optuna asks for a progress bar's library, which is not used here.
        warnings.filterwarnings("ignore", message="IProgress not found")
        from payment_simulator.ai_cash_mgmt.proposers.search import (  # noqa: PLC0415 - Optuna is heavy
            SearchProposer,
        )

    return SearchProposer(candidates=config.candidates, sampler=config.sampler)


def _grid(config: ProposerConfig, _folder: Path | None) -> Proposer:
    from payment_simulator.ai_cash_mgmt.proposers.grid import GridProposer  # noqa: PLC0415 - as above

    return GridProposer(grid_points=config.grid_points)


def _llm(config: ProposerConfig, _folder: Path | None) -> Proposer:
    from payment_simulator.ai_cash_mgmt.proposers.llm import (  # noqa: PLC0415 - an extra
        LLMProposer,
    )

    return LLMProposer(
        config.model or "",
        base_url=config.base_url,
        temperature=config.temperature,
        max_tokens=config.max_tokens,
        timeout_seconds=config.timeout_seconds,
        max_retries=config.max_retries,
        send_seed=config.send_seed,
        prompt_budget_chars=config.prompt_budget_chars,
    )


def _python(config: ProposerConfig, folder: Path | None) -> Proposer:
    from payment_simulator.ai_cash_mgmt.proposers.own import (  # noqa: PLC0415 - seldom needed
        load_own,
    )

    return load_own(config.object or "", config.options, folder)


_MAKERS: Mapping[str, Callable[[ProposerConfig, Path | None], Proposer]] = {
    "search": _search,
    "grid": _grid,
    "llm": _llm,
    "python": _python,
}
