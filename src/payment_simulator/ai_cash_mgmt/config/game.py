"""Game files: read, checked completely, and written down so that they can be read again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn, Self

from pydantic import BaseModel, PrivateAttr, ValidationError

from payment_simulator.ai_cash_mgmt.config.checks import agents_of, check_config
from payment_simulator.ai_cash_mgmt.config.keys import GameKeys
from payment_simulator.ai_cash_mgmt.config.proposer import ProposerConfig
from payment_simulator.ai_cash_mgmt.config.sections import (
    AcceptanceConfig,
    AgentConfig,
    BootstrapConfig,
    ConvergenceConfig,
    EquilibriumConfig,
    OptimizationSchedule,
    OutputConfig,
)
from payment_simulator.ai_cash_mgmt.constraints import default_constraints
from payment_simulator.errors import GameFileError
from payment_simulator.scenario import Scenario
from payment_simulator.scenario.places import Misplaced, Origin
from payment_simulator.scenario.text_file import read_text
from payment_simulator.scenario.values import describe
from payment_simulator.scenario.yaml_text import YamlError, copy_plain, read_yaml, write_yaml
from payment_simulator.wording import visible

__all__ = [
    "AcceptanceConfig",
    "AgentConfig",
    "BootstrapConfig",
    "ConvergenceConfig",
    "EquilibriumConfig",
    "GameConfig",
    "OptimizationSchedule",
    "OutputConfig",
    "ProposerConfig",
    "is_game_file",
]

_WHAT: Final = "a game file (YAML)"
#: Keys that scenario files have and game files do not.
_OF_SCENARIOS: Final = ("simulation", "agents")


@dataclass(frozen=True)
class _Source:
    """Where a configuration comes from."""

    origin: Origin
    text: str
    folder: Path | None


class GameConfig(GameKeys):
    """A game file, complete and checked in itself; immutable.

    Attributes are the keys of the file, as :class:`GameKeys` has them.
    """

    _source: _Source | None = PrivateAttr(default=None)

    @classmethod
    def from_yaml(cls, path: str | Path) -> Self:
        """Read a game file.

        Raises
        ------
        GameFileError
            It cannot be used; one line names file, line, place, value and what was expected.
        """
        file = Path(path)
        text = read_text(file, _WHAT, GameFileError)
        return cls.from_text(text, where=str(path), folder=file.parent)

    @classmethod
    def from_text(cls, text: str, *, where: str = "game", folder: Path | None = None) -> Self:
        """Make a configuration of the text of a game file.

        Parameters
        ----------
        text : str
            YAML.
        where : str
            What errors call it.
        folder : pathlib.Path, optional
            What paths in it are relative to; the working folder where not given.

        Raises
        ------
        GameFileError
            It cannot be used; one line names line, place, value and what was expected.
        """
        try:
            data, mark = read_yaml(text)
        except YamlError as error:
            origin = Origin(where, kind=GameFileError)
            raise origin.error(str(error), line=error.line) from None
        return cls._build(_Source(Origin(where, data, mark, GameFileError), text, folder))

    @classmethod
    def from_mapping(
        cls, data: Mapping[str, Any], *, where: str = "game", folder: str | Path | None = None
    ) -> Self:
        """Make a configuration of what a game file holds.

        Parameters
        ----------
        data : mapping
            Keys as in the file; sections may also be given as their classes.
        where : str
            What errors call it.
        folder : path or str, optional
            What paths in it are relative to; the working folder where not given.

        Raises
        ------
        GameFileError
            It cannot be used; one line names place, value and what was expected.
        """
        if not isinstance(data, Mapping):
            raise GameFileError(visible(f"{where}: {describe(data)}; expected a mapping"))
        try:
            copied = copy_plain(_without_sections(dict(data)))
            text = write_yaml(copied)
        except YamlError as error:
            raise Origin(where, kind=GameFileError).error(str(error)) from None
        origin = Origin(where, copied, kind=GameFileError)
        return cls._build(_Source(origin, text, None if folder is None else Path(folder)))

    @classmethod
    def for_scenario(cls, path: str | Path, scenario: Scenario, **overrides: Any) -> Self:
        """Return the configuration of a game on a scenario, where there is no game file.

        Parameters
        ----------
        path : path or str
            The scenario file.
        scenario : Scenario
            What stands in it.
        **overrides : Any
            Keys of game files, instead of the defaults: a search for every bank that has a choice,
            default constraints, and the distance from an equilibrium at the end.

        Raises
        ------
        GameFileError
            The scenario has nothing that agents could set, or an override cannot be used.
        """
        data: dict[str, Any] = {"scenario_config": str(path), "equilibrium": {}, **overrides}
        if data.get("constraints") is None:
            try:
                data["constraints"] = default_constraints(scenario)
            except GameFileError as error:
                raise GameFileError(visible(f"{path}: {error}")) from None
        config = cls.from_mapping(data, where=f"game of {path}")
        config.check_against(scenario)
        return config

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Make a configuration of what :meth:`to_json` wrote.

        Raises
        ------
        GameFileError
            The text is something else.
        """
        where = "config_json"

        def refuse(name: str) -> NoReturn:
            raise ValueError(f"{name} is no number of JSON")

        try:
            data = json.loads(text, parse_constant=refuse)
        except (ValueError, RecursionError) as error:
            raise GameFileError(visible(f"{where}: not JSON: {error}")) from None
        config = cls.from_mapping(data, where=where)
        config._source = _Source(config._origin, "", None)  # noqa: SLF001 - of its own class
        return config

    @classmethod
    def _build(cls, source: _Source) -> Self:
        origin = source.origin
        if origin.data is None:
            raise origin.error(f"it is empty; expected {_WHAT}")
        try:
            config = cls.model_validate(origin.data)
        except ValidationError as error:
            raise origin.invalid(error) from None
        config._source = source  # noqa: SLF001 - of its own class
        return config

    def to_json(self) -> str:
        """Return the configuration as JSON that :meth:`from_json` reads back as an equal one.

        Everything that holds is in it, defaults too. Keys are sorted, but that the banks stand in
        the order of their steps. Where the file stood is not in it.
        """
        data = self.model_dump(mode="json")
        return json.dumps(_ordered(data), ensure_ascii=False, allow_nan=False)

    def __eq__(self, other: object) -> bool:
        """Compare all that holds; where the files stood makes no difference."""
        return isinstance(other, GameConfig) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        """Return the hash of all that holds."""
        return hash(self.to_json())

    @property
    def folder(self) -> Path | None:
        """Where the game file stood; None where there was none."""
        return None if self._source is None else self._source.folder

    @property
    def source_text(self) -> str:
        """The game file as it was read; empty where there was none."""
        return "" if self._source is None else self._source.text

    def changes(self) -> str:
        """Return what holds instead of what the text of the game file says.

        Options of ``payment-sim play``, and changes made in Python, are no part of that text.

        Returns
        -------
        str
            A JSON object of the keys at the top of the file whose values differ, with their whole
            values; empty where none does, or where there is no text.
        """
        if not self.source_text:
            return ""
        mine = json.loads(self.to_json())
        said = json.loads(type(self).from_text(self.source_text).to_json())
        # The order of banks counts, so texts are compared.
        changed = {key: mine[key] for key in mine if json.dumps(mine[key]) != json.dumps(said[key])}
        return json.dumps(changed, ensure_ascii=False) if changed else ""

    def with_changes(self, changes: str) -> Self:
        """Return the configuration with other values, as :meth:`changes` tells them.

        Raises
        ------
        GameFileError
            The text is something else, or a value cannot be used.
        """
        where = "changes of a game file"
        try:
            changed = json.loads(changes)
        except (ValueError, RecursionError) as error:
            raise GameFileError(visible(f"{where}: not JSON: {error}")) from None
        if not isinstance(changed, dict):
            raise GameFileError(visible(f"{where}: {describe(changed)}; expected a mapping"))
        config = self.from_mapping({**json.loads(self.to_json()), **changed}, where=where)
        config._source = self._source  # noqa: SLF001 - of its own class
        return config

    def scenario_path(self) -> Path:
        """Return the path of the scenario file."""
        return (self.folder or Path()) / self.scenario_config

    def check_against(self, scenario: Scenario) -> None:
        """Check what only the scenario can tell.

        Raises
        ------
        GameFileError
            A bank is not there or has nothing to choose, a parameter has no value to begin with,
            or the run is too short for the schedule.
        """
        try:
            check_config(self, scenario)
        except Misplaced as error:
            raise self._origin.misplaced(error) from None

    def agents(self, scenario: Scenario) -> tuple[str, ...]:
        """Return the banks that are optimised, in the order of their steps.

        Raises
        ------
        GameFileError
            No bank has a choice.
        """
        try:
            return agents_of(self, scenario)
        except Misplaced as error:
            raise self._origin.misplaced(error) from None

    @property
    def _origin(self) -> Origin:
        return Origin("game", kind=GameFileError) if self._source is None else self._source.origin


def is_game_file(source: str | Mapping[str, Any]) -> bool:
    """Tell a game file from a scenario file, by the keys at its top.

    Parameters
    ----------
    source : str or mapping
        YAML text, or what it holds. Where it is not YAML, a line that begins with
        ``scenario_config:`` tells.
    """
    data: Any = source
    if isinstance(source, str):
        try:
            data, _ = read_yaml(source)
        except YamlError:
            return re.search(r"^[\"']?scenario_config[\"']?\s*:", source, re.MULTILINE) is not None
    if not isinstance(data, Mapping):
        return False
    if "scenario_config" in data:
        return True
    return not any(key in data for key in _OF_SCENARIOS) and any(
        key in data for key in GameConfig.model_fields
    )


def _without_sections(value: Any) -> Any:
    """Return data in which sections have become what a file would hold."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {key: _without_sections(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_without_sections(part) for part in value]
    return str(value) if isinstance(value, Path) else value


def _ordered(data: Any, key: str = "") -> Any:
    """Return data with sorted keys; the order of banks is that of their steps."""
    if isinstance(data, dict):
        names = list(data) if key == "optimized_agents" else sorted(data)
        return {name: _ordered(data[name], name) for name in names}
    return [_ordered(part) for part in data] if isinstance(data, list) else data
