"""Whether a game that has not ended is being played, or was interrupted.

After a kill, or when the power fails, the stored status goes on saying ``running``: nobody was left
to change it. A game is running only while a process holds the record and plays it, which that
process tells (``at_work`` of a store or repository). A process that has the record open for
writing, but plays another game or none, does not count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from payment_simulator.ai_cash_mgmt.persistence.vocabulary import GameStatus

#: The state of a game whose status is ``running``, and that nobody plays.
INTERRUPTED = "interrupted"
#: What a game can be shown as: the four statuses of the record, and interrupted.
STATES = (*(status.value for status in GameStatus), INTERRUPTED)


def game_state(status: str, game_id: str, at_work: Collection[str]) -> str:
    """Return what a game is shown as.

    Parameters
    ----------
    status : str
        As it is stored.
    game_id : str
    at_work : collection of str
        The games that are being played, of the same snapshot as the status.
    """
    is_dead = status == GameStatus.RUNNING and game_id not in at_work
    return INTERRUPTED if is_dead else str(status)


def can_go_on(state: str) -> bool:
    """Tell whether ``payment-sim resume`` goes on with a game of this state."""
    return state in {INTERRUPTED, GameStatus.FAILED.value}


def resume_options(config_json: str, banks: Iterable[str]) -> tuple[str, ...]:
    """Return the options that ``payment-sim resume`` needs for a game beside its database.

    Parameters
    ----------
    config_json : str
        The configuration, as the record has it.
    banks : iterable of str
        The banks that play.
    """
    # They take some time to load, and most games have ended.
    from payment_simulator.ai_cash_mgmt.config import GameConfig  # noqa: PLC0415
    from payment_simulator.ai_cash_mgmt.orchestrator import needs_trust  # noqa: PLC0415

    try:
        config = GameConfig.from_json(config_json)
    except ValueError:  # a record that another program made; resume says what is wrong with it
        return ()
    is_asked = any(needs_trust(config.proposer_of(bank)) for bank in banks)
    return ("--trust",) if is_asked else ()
