"""The texts of a game as files of their own: what it was made of, and the policies it found."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.persistence.models import FileRole
from payment_simulator.ai_cash_mgmt.persistence.models.base import valid_json
from payment_simulator.analysis.exchange.naming import Names
from payment_simulator.analysis.exchange.tables_out import query

_FOLDERS = {
    FileRole.GAME_FILE: ("game_file", ".yaml"),
    FileRole.SCENARIO: ("scenario", ".yaml"),
    FileRole.POLICY: ("policies/start", ".json"),
}


def readable_files(repo: GameRepository, game_id: str) -> Iterator[tuple[str, str]]:
    """Yield the readable files of a game: path within its folder, and text as it was recorded.

    Parameters
    ----------
    repo : GameRepository
        The record.
    game_id : str
        The game.
    """
    session = repo.get_game_session(game_id)
    if session is not None:
        yield _with_ending("config", session.config_json, ".txt"), session.config_json
    provenance = repo.get_game_provenance(game_id)
    if provenance is not None:
        origin = json.dumps(provenance.model_dump(mode="json"), indent=2)
        yield "provenance.json", f"{origin}\n"
    names: dict[str, Names] = {}
    for file in repo.list_provenance_files(game_id):
        if file.role == FileRole.PAYMENTS:
            continue  # many games may have the same, which is long
        folder, ending = _FOLDERS[FileRole(file.role)]
        text = repo.get_text(file.sha256)
        if file.role == FileRole.GAME_FILE:
            ending = ".json" if _is_json(text) else ending
        name = names.setdefault(folder, Names()).name(file.name, ending)
        yield f"{folder}/{name}", text
    for folder, policies in (
        ("policies/final", _final_policies(repo, game_id)),
        ("policies/best", dict(repo.read(query("best_policies"), (game_id,)))),
    ):
        given = Names()
        for bank, policy in sorted(policies.items()):
            yield f"{folder}/{_with_ending(given.name(bank), policy, '.txt')}", policy


def _final_policies(repo: GameRepository, game_id: str) -> Mapping[str, str]:
    """Return the policies in force at the end: as the game ended, or as far as it came."""
    last = dict(repo.read(query("final_policies"), (game_id,)))
    ended = {o.agent_id: o.final_policy_json for o in repo.get_game_outcomes(game_id)}
    return {**last, **ended}


def _with_ending(name: str, text: str, otherwise: str) -> str:
    return f"{name}{'.json' if _is_json(text) else otherwise}"


def _is_json(text: str) -> bool:
    try:
        valid_json(text)
    except ValueError:
        return False
    return True
