"""Ends a game cleanly where a person or the system stops it, and says how to go on."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Self

import typer

if TYPE_CHECKING:
    from payment_simulator.ai_cash_mgmt import GameRepository

#: What a shell adds to the number of the signal that ended a command.
_BY_SIGNAL = 128


class Signals:
    """Ctrl-C, the end of the terminal, and a request to end: the first one stops the work.

    It is raised as ``KeyboardInterrupt``. Those that come while the work is being ended change
    nothing, so that the record is closed whatever is pressed. A signal that was to be ignored
    when the command began (``nohup``, a job in the background) stays ignored.

    Attributes
    ----------
    number : int or None
        The signal that came.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._is_raised = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        """Take the signals over."""
        if threading.current_thread() is threading.main_thread():
            self._before[signal.SIGINT] = signal.signal(signal.SIGINT, self._interrupt)
            for name in ("SIGTERM", "SIGHUP"):
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) == signal.SIG_DFL:
                    self._before[number] = signal.signal(number, self._end)
        return self

    def __exit__(self, *_: object) -> None:
        """Give them back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _end(self, number: int, _: FrameType | None) -> None:
        if self.number is None:
            self.number = number
            # By way of the one signal that is held back while something must happen as a whole.
            signal.raise_signal(signal.SIGINT)

    def _interrupt(self, number: int, _: FrameType | None) -> None:
        is_ignored = self.number is None and self._before.get(number) == signal.SIG_IGN
        if self._is_raised or is_ignored:
            return
        self.number = self.number or number
        self._is_raised = True
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raise what a destructor or a callback, in which it came, has swallowed."""
        if self._is_raised:
            raise KeyboardInterrupt

    @property
    def exit_code(self) -> int:
        """Return what a shell says of a command that the signal ended."""
        return _BY_SIGNAL + (self.number or signal.SIGINT)


def watched(tell: Callable[[Any], None] | None, signals: Signals) -> Callable[[Any], None]:
    """Return what tells a game's progress, and notices there that the game is to stop."""

    def telling(what: Any) -> None:
        signals.check()
        if tell is not None:
            with suppress(OSError):  # a terminal that is gone must not make the game fail
                tell(what)

    return telling


@dataclass
class Ending:
    """What is known of a game when its command ends.

    Attributes
    ----------
    path : pathlib.Path
        The record.
    trust : bool
        Whether the command that goes on needs ``--trust``.
    game_id : str
        The game.
    status : str or None
        Its status in the record; None while it is not there.
    signals : Signals
        What may stop it.
    """

    path: Path
    trust: bool
    signals: Signals
    game_id: str = ""
    status: str | None = None

    @contextmanager
    def noting(self, repository: GameRepository) -> Iterator[None]:
        """Look, where the enclosed block is stopped, at what the record holds of the game."""
        from payment_simulator.errors import PaymentSimulatorError

        try:
            yield
        except KeyboardInterrupt:
            with suppress(PaymentSimulatorError):  # there may be no tables yet
                session = repository.get_game_session(self.game_id)
                self.status = None if session is None else session.status
            raise

    def interrupted(self) -> str:
        """Return what to say where the game was stopped."""
        if self.status is None:
            return "Interrupted; nothing was played yet."
        if self.status != "running":
            return f"Interrupted; the game has ended. See it with: {self._command('show')}"
        return f"Interrupted; every step that was made is recorded.{self.go_on()}"

    def go_on(self, found: Path | None = None) -> str:
        """Return the command that goes on with the game, or shows what it has come to."""
        if self.status not in (None, "running", "failed"):
            return f" See the game with: {self._command('show', found)}"
        return f" Go on with: {self._command('resume', found)}{' --trust' * self.trust}"

    def _command(self, command: str, found: Path | None = None) -> str:
        from payment_simulator.cli.game_report import command_for

        return command_for(command, self.game_id, found or self.path)


@contextmanager
def ending(
    path: Path, *, trust: bool, game_id: str = "", status: str | None = None
) -> Iterator[Ending]:
    """Say how to go on where a signal or a failure ends a game.

    Parameters
    ----------
    path : pathlib.Path
        The record, which the enclosed block opens and closes.
    trust : bool
        Whether the command that goes on needs ``--trust``.
    game_id, status : str, optional
        What is known of the game beforehand.
    """
    from payment_simulator.errors import DatabaseMovedError, GameFailedError

    with Signals() as signals:
        told = Ending(path, trust, signals, game_id, status)
        try:
            yield told
        except KeyboardInterrupt:
            with suppress(OSError):  # the terminal may be gone
                typer.echo(f"\n{told.interrupted()}", err=True)
            raise typer.Exit(signals.exit_code) from None
        except GameFailedError as error:
            told.game_id = error.game_id
            error.args = (f"{error}.{told.go_on()}",)
            raise
        except DatabaseMovedError as error:
            if error.found is not None and told.game_id:
                error.args = (f"{error}.{told.go_on(error.found)}",)
            raise
