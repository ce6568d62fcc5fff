"""Every error this package raises on purpose, in one tree.

A message names the value, what was expected, and what to do next. Values that a record refuses are
reported by pydantic's ``ValidationError``, which is a ``ValueError`` as well.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class PaymentSimulatorError(Exception):
    """Root of the tree; its message is fit to be shown to a person as it is.

    Attributes
    ----------
    exit_code : int
        What the command line returns: 2 for bad input, 1 for work that failed.
    """

    exit_code = 1


class InputError(PaymentSimulatorError, ValueError):
    """What was given cannot be used: a value, a name, a file."""

    exit_code = 2


class PolicyError(InputError):
    """A policy cannot be used: the message names file, place, value and what was expected."""


class ScenarioError(InputError):
    """A scenario cannot be used: the message names file, place, value and what was expected."""


class GameFileError(InputError):
    """A game file cannot be used: the message names file, place, value and what was expected."""


class SimulationError(PaymentSimulatorError):
    """A run stopped rather than give a wrong number: the message names tick, bank and payment."""


class GameNotFoundError(InputError, LookupError):
    """A game is named that the record does not hold."""

    def __init__(
        self, game_id: str, known: Iterable[str] = (), advice: str = "payment-sim games lists them"
    ) -> None:
        near = difflib.get_close_matches(game_id, list(known), n=3, cutoff=0.4)
        hint = f"nearest: {', '.join(near)}" if near else advice
        super().__init__(f"game {game_id!r} is not in the record; {hint}")
        self.game_id = game_id


class GameFailedError(PaymentSimulatorError):
    """A game stopped before its end; what was recorded stands, and it can be resumed."""

    def __init__(self, game_id: str, reason: str) -> None:
        super().__init__(f"game {game_id!r} failed in {reason}")
        self.game_id = game_id
        self.reason = reason


class RunNotFoundError(InputError, LookupError):
    """A simulation run is named that the record does not hold."""

    def __init__(
        self,
        run_id: str,
        known: Iterable[str] = (),
        advice: str = "save_simulation_run() comes before its payments, events and states",
    ) -> None:
        near = difflib.get_close_matches(run_id, list(known), n=3, cutoff=0.4)
        hint = f"nearest: {', '.join(near)}" if near else advice
        super().__init__(f"simulation run {run_id!r} is not in the record; {hint}")
        self.run_id = run_id


class SignatureError(PaymentSimulatorError):
    """A signature could not be made or checked: the tool for it is missing, too old or failed."""


class DuplicateKeyError(InputError):
    """Two rows of one batch carry the same key, so which of them holds is undecided."""


class DatabaseError(PaymentSimulatorError):
    """The database refused or failed; what was acknowledged before is safe."""


class DatabaseBusyError(DatabaseError):
    """Another process (or another use in this one) holds the file."""


class SnapshotLostError(DatabaseBusyError):
    """The state of the database that was being read cannot be read any longer."""


class DatabaseMovedError(DatabaseError):
    """The file was moved, removed or replaced while it was being written.

    Attributes
    ----------
    found : pathlib.Path or None
        The database that holds every save that returned, if there is one.
    """

    def __init__(self, message: str, found: Path | None = None) -> None:
        super().__init__(message)
        self.found = found


class DatabaseClosedError(DatabaseError):
    """The connection was closed before this call."""


class DatabaseFullError(DatabaseError):
    """No room on the disk, or no memory left, for the work asked."""


class ReadOnlyDatabaseError(DatabaseError):
    """A write was tried where only reading is possible."""

    exit_code = 2


class NotADatabaseError(DatabaseError, InputError):
    """The path leads to something that is not a record of this package."""

    exit_code = 2


class DamagedDatabaseError(DatabaseError, InputError):
    """The file, its log or a row in it is not what was once written."""

    exit_code = 2


class SchemaMissingError(DatabaseError):
    """The tables that the call needs are not there yet."""

    exit_code = 2


class SchemaVersionError(DatabaseError, InputError):
    """The file was written by another version of this package and cannot be used as it is."""

    exit_code = 2
