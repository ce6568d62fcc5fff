"""Makes scenarios out of files and texts: the one door into this floor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from payment_simulator.errors import ScenarioError
from payment_simulator.scenario.check import check_money, check_scenario
from payment_simulator.scenario.model import Loaded, Scenario
from payment_simulator.scenario.payments_file import read_payments
from payment_simulator.scenario.places import Misplaced, Origin
from payment_simulator.scenario.policies import resolve_policies
from payment_simulator.scenario.text_file import read_text
from payment_simulator.scenario.values import describe
from payment_simulator.scenario.yaml_text import (
    MAX_BYTES,
    YamlError,
    copy_plain,
    read_yaml,
    write_yaml,
)
from payment_simulator.wording import visible


def load_scenario(path: str | Path) -> Scenario:
    """Read a scenario file, with the policies and payments that it names.

    Parameters
    ----------
    path : path or str
        The YAML file. Paths in it are relative to its folder.

    Returns
    -------
    Scenario
        Complete and checked.

    Raises
    ------
    ScenarioError
        The file cannot be used; one line names file, line, place, value and what was expected.

    Examples
    --------
    >>> scenario = load_scenario("two_period.yaml")  # doctest: +SKIP
    """
    file = Path(path)
    return _build(read_text(file), where=str(path), folder=file.parent, name=file.stem)


def parse_scenario(
    source: str | Mapping[str, Any], *, where: str = "scenario", folder: str | Path | None = None
) -> Scenario:
    """Make a scenario out of YAML text, or of the same as a mapping.

    Parameters
    ----------
    source : str or mapping
        The scenario.
    where : str
        What errors call it.
    folder : path or str, optional
        What paths in it are relative to; the working folder where not given.

    Returns
    -------
    Scenario
        Complete and checked. Its ``text`` is the text, or the mapping written as YAML.

    Raises
    ------
    ScenarioError
        It cannot be used; one line names place, value and what was expected.

    Examples
    --------
    >>> scenario = parse_scenario('''
    ... simulation: {ticks_per_day: 10, num_days: 1}
    ... agents:
    ...   - {id: BANK_A, opening_balance: 1_000_000}
    ...   - {id: BANK_B, opening_balance: 1_000_000}
    ... ''')
    >>> scenario.bank_ids
    ('BANK_A', 'BANK_B')
    """
    base = None if folder is None else Path(folder)
    if isinstance(source, str):
        return _build(source, where=where, folder=base)
    if not isinstance(source, Mapping):
        raise ScenarioError(visible(f"{where}: {describe(source)}; expected text or a mapping"))
    try:
        data = copy_plain(dict(source))
    except YamlError as error:
        raise Origin(where).error(str(error)) from None
    return _complete(Origin(where, data), None, base, "scenario")


def _build(text: str, *, where: str, folder: Path | None, name: str = "scenario") -> Scenario:
    if len(text) > MAX_BYTES:
        raise Origin(where).error(f"larger than {MAX_BYTES // 2**20} MiB")
    try:
        data, mark = read_yaml(text)
    except YamlError as error:
        raise Origin(where).error(str(error), line=error.line) from None
    return _complete(Origin(where, data, mark), text, folder, name)


def _complete(origin: Origin, text: str | None, folder: Path | None, name: str) -> Scenario:
    data = origin.data
    if data is None:
        raise origin.error("it is empty; expected a scenario")
    if isinstance(data, dict) and "name" not in data:
        data = {**data, "name": name}
    try:
        scenario = Scenario.model_validate(data)
        check_scenario(scenario)
        policies = resolve_policies(scenario, folder)
        payments, n_skipped = read_payments(scenario, folder)
        check_money(scenario, payments)
    except ValidationError as error:
        raise origin.invalid(error) from None
    except Misplaced as error:
        raise origin.misplaced(error) from error.__cause__
    if text is None:
        text = write_yaml(origin.data)
    return scenario.with_loaded(Loaded(text, policies, payments, n_skipped))
