"""``payment-sim verify``: plays a recorded game again and compares."""

from __future__ import annotations

import typer

from payment_simulator.cli import evidence
from payment_simulator.cli.options import DatabaseOption, JsonOption, database_to_read
from payment_simulator.cli.play import GameArgument, ThreadsOption
from payment_simulator.cli.progress import game_progress
from payment_simulator.wording import counted


def verify(
    game: GameArgument,
    db: DatabaseOption = None,
    threads: ThreadsOption = None,
    digest: evidence.DigestOption = None,
    signature: evidence.SignatureOption = None,
    signer: evidence.SignerOption = None,
    json: JsonOption = False,
) -> None:
    """Play a game again from its record and compare every row.

    Nothing else is needed. Reports the first difference: exit code 0 if there is none, 1 if there
    is one. A digest or a signature that does not fit counts as a difference. Says what this cannot
    prove.
    """
    from payment_simulator.ai_cash_mgmt import GameRepository
    from payment_simulator.ai_cash_mgmt.record.verification import verify_game
    from payment_simulator.cli.output import print_json, print_text
    from payment_simulator.persistence.connection import DatabaseManager

    outside = evidence.Evidence(digest, signature, signer)
    with DatabaseManager(database_to_read(db, "verify GAME"), read_only=True) as manager:
        repository = GameRepository(manager.conn)
        compared = outside.compare(repository, game)
        for line in [] if json else compared.lines:
            print_text(line)
        session = repository.get_game_session(game)
        limit = 1 if session is None else max(session.total_iterations, 1)
        with game_progress(limit, shown=not json) as progress:
            found = verify_game(
                repository,
                game,
                threads=threads,
                on_step=progress.on_step,
                on_work=progress.on_work,
            )
    if json:
        print_json({**found.to_dict(), **compared.said})
    elif found.first_difference is None:
        steps = counted(found.steps, "step")
        if not found.ended:
            steps = f"the game has not ended; its {steps} so far"
        print_text(f"{game}: identical; {steps} played again from the record alone")
        for what in found.not_proved:
            print_text(f"Not proved: {what}")
    else:
        print_text(f"{game}: different; {found.first_difference}")
        if found.note:
            print_text(f"Note: {found.note}")
    if not (found.is_identical and compared.is_good):
        raise typer.Exit(1)
