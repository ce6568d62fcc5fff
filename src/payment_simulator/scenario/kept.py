"""Keeps all that a scenario is made of as texts, and makes it of them again.

A record keeps the source of a scenario, and what was read beside it: policies and payments. From
these alone the scenario can be made again on another machine, where the files are not.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from pydantic import ValidationError

from payment_simulator.errors import ScenarioError
from payment_simulator.policy import Policy
from payment_simulator.scenario.check import check_money, check_scenario
from payment_simulator.scenario.features import check_toggles, policy_problems
from payment_simulator.scenario.model import Loaded, ObservedPayment, Scenario
from payment_simulator.scenario.payment_cells import BadCellError, LineReader
from payment_simulator.scenario.places import Misplaced, Origin
from payment_simulator.scenario.values import quoted
from payment_simulator.scenario.yaml_text import YamlError, read_yaml
from payment_simulator.wording import spreadsheet_text, visible

COLUMNS = ("tick", "sender", "receiver", "amount", "deadline", "priority", "divisible")


def payments_text(scenario: Scenario) -> str:
    """Return the observed payments of a scenario as CSV, by tick; empty where it has none.

    The columns are those of a payments file: ``tick`` of the run, ids of banks, cents, ``deadline``
    in ticks after arrival. An id that a spreadsheet would take for a formula is guarded.
    """
    if not scenario.payments:
        return ""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    ids = scenario.bank_ids
    for p in scenario.payments:
        ends = (spreadsheet_text(ids[p.sender]), spreadsheet_text(ids[p.receiver]))
        row = (p.tick, *ends, p.amount, p.deadline_offset, p.priority, str(p.divisible).lower())
        writer.writerow(row)
    return file.getvalue()


def restore_scenario(
    text: str,
    policies: Mapping[str, Policy],
    payments: str = "",
    *,
    where: str = "scenario",
    name: str = "scenario",
) -> Scenario:
    """Make a scenario of its kept texts; no file is looked for.

    Parameters
    ----------
    text : str
        The source of the scenario.
    policies : mapping of bank to Policy
        One for each bank, instead of what the source says of policies.
    payments : str
        As :func:`payments_text` wrote them.
    where : str
        What errors call it.
    name : str
        Its name, where the source gives none.

    Raises
    ------
    ScenarioError
        The texts do not go together.
    """
    try:
        data, mark = read_yaml(text)
    except YamlError as error:
        raise Origin(where).error(str(error), line=error.line) from None
    origin = Origin(where, data, mark)
    if not isinstance(data, dict):
        raise origin.error("expected a scenario")
    try:
        scenario = Scenario.model_validate({"name": name, **data})
        check_scenario(scenario)
        check_toggles(scenario)
        observed = _payments(payments, scenario, where)
        check_money(scenario, observed)
    except ValidationError as error:
        raise origin.invalid(error) from None
    except Misplaced as error:
        raise origin.misplaced(error) from error
    chosen = tuple(_policy(bank, policies, scenario, where) for bank in scenario.bank_ids)
    return scenario.with_loaded(Loaded(text, chosen, observed))


def _policy(bank: str, policies: Mapping[str, Policy], scenario: Scenario, where: str) -> Policy:
    if bank not in policies:
        raise ScenarioError(visible(f"{where}: the policy of bank {quoted(bank)} was not kept"))
    policy = policies[bank]
    problems = policy_problems(policy, scenario)
    if problems:
        raise ScenarioError(visible(f"{where}: policy of bank {quoted(bank)}: {problems[0]}"))
    return policy


def _payments(text: str, scenario: Scenario, where: str) -> tuple[ObservedPayment, ...]:
    if not text:
        return ()
    rows = csv.reader(io.StringIO(text), strict=True)
    reader = LineReader(
        places={name: place for place, name in enumerate(COLUMNS)},
        n_columns=len(COLUMNS),
        banks={spreadsheet_text(bank): number for number, bank in enumerate(scenario.bank_ids)},
        ticks_per_day=scenario.simulation.ticks_per_day,
        num_days=scenario.simulation.num_days,
    )
    try:
        if tuple(next(rows, ())) != COLUMNS:
            raise ScenarioError(
                visible(f"{where}, payments: expected the columns {', '.join(COLUMNS)}")
            )
        payments = [reader.read(row) for row in rows]
    except (csv.Error, BadCellError) as error:
        raise ScenarioError(visible(f"{where}, payments, line {rows.line_num}: {error}")) from None
    return tuple(sorted(payments, key=lambda payment: payment.tick))
