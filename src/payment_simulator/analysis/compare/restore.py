"""Makes a recorded game again so that its days can be played; nobody is asked for a proposal."""

from __future__ import annotations

from typing import NoReturn

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.ai_cash_mgmt.config import GameConfig
from payment_simulator.ai_cash_mgmt.game_setup import GameSetup, set_up
from payment_simulator.ai_cash_mgmt.proposers.base import ProposerError, Situation
from payment_simulator.ai_cash_mgmt.record.provenance import scenario_of
from payment_simulator.analysis.older_files import or_nothing
from payment_simulator.errors import GameNotFoundError, InputError
from payment_simulator.persistence.texts import text_sha256


class Nobody:
    """Stands where a proposer would, so that none that a record names is made."""

    label = "nobody"

    def propose(self, situation: Situation) -> NoReturn:
        """Refuse."""
        raise ProposerError(f"no proposal is asked for here, not of {situation.bank}")


def restored(repo: GameRepository, game_id: str, threads: int | None = None) -> GameSetup:
    """Return a game as it was set up, from the texts of its record.

    A proposer that is code of somebody's, or a model on somebody's server, is neither loaded nor
    made: another stands in the place of every bank's.

    Raises
    ------
    GameNotFoundError
        There is no such game.
    InputError
        The record does not hold what is needed, or its texts are not those that were played.
    """
    session = repo.get_game_session(game_id)
    if session is None:
        raise GameNotFoundError(game_id, repo.get_game_ids())
    files = or_nothing(lambda: repo.get_provenance_files(game_id))
    if not files:
        raise InputError("the record does not hold the texts that it was played from")
    for file in files:
        if text_sha256(file.content) != file.sha256:
            raise InputError(
                f"provenance_files, {file.role} {file.name}: the hash is not of this text; "
                "payment-sim db check tells more"
            )
    scenario, _ = scenario_of(game_id, files)
    config = GameConfig.from_json(session.config_json)
    # The order of banks, and the seed, are the session's; a configuration of others is no help.
    if config.master_seed != session.master_seed:
        raise InputError(
            f"its configuration has the seed {config.master_seed}, the game {session.master_seed}"
        )
    proposers = {bank: Nobody() for bank in config.agents(scenario)}
    return set_up(game_id, config, scenario, proposers=proposers, threads=threads)
