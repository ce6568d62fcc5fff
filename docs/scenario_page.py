"""The page of the scenario file, made from its models: types and defaults are those of the code.

What a key means is written here, once. A key of a model that has no meaning here, or a meaning
that has no key, stops the generation.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from payment_simulator.policy import builtin
from payment_simulator.scenario import (
    agents,
    arrivals,
    costs,
    distributions,
    event_kinds,
    lsm,
    policy_configs,
    switches,
)
from payment_simulator.scenario.model import Scenario
from payment_simulator.scenario.switches import PAYMENT_COLUMNS
from payment_simulator.scenario.yaml_text import MAX_BYTES, MAX_DEPTH

CHECKED = (
    "examples/scenarios/two_period.yaml: valid, 2 banks, 1 day of 2 ticks, 3 fixed payments; "
    "policies: fifo (2)"
)
HEAD = f"""# The scenario file

Made from the models of the scenario by `docs/generate.py`. What each key does, to the cent and the
tick, is told in [the rules](rules.md); `examples/scenarios` has files to begin with.

A scenario is a YAML file of at most {MAX_BYTES // 2**20} MiB, nested at most {MAX_DEPTH} deep,
without anchors, aliases, tags and keys that stand twice. Money is a whole number of cents (`1_000`
and `1000.0` are whole, `"1000"` is text), time is counted in ticks from 0, rates in *bps* are basis
points, 1 / 10,000. A key that is not known is an error that names the nearest known one, and
everything is checked when the file is loaded:

```console
$ payment-sim scenario check examples/scenarios/two_period.yaml
{CHECKED}
```

The smallest scenario has a length and a bank:

```yaml
simulation: {{ticks_per_day: 10, num_days: 1}}
agents:
  - {{id: BANK_A, opening_balance: 1_000_000}}
```

A section is a mapping whose keys stand further down. *Needed* keys have no default; *its defaults*
means that a section may be left out, and its keys then have theirs.
"""

#: Title, model and introduction of every section, in the order of the page.
SECTIONS: tuple[tuple[str, type[BaseModel], str], ...] = (
    ("The file", Scenario, ""),
    ("`simulation`", switches.SimulationConfig, ""),
    (
        "`agents[]`",
        agents.Agent,
        "What `limits` holds may stand directly on the bank instead.",
    ),
    ("`limits`", agents.Limits, "Net outflow of a day: what settled out less what settled in."),
    ("`policy`: `Fifo`", policy_configs.FifoPolicy, "Releases every payment at once."),
    ("`policy`: `Deadline`", policy_configs.DeadlinePolicy, ""),
    ("`policy`: `LiquidityAware`", policy_configs.LiquidityAwarePolicy, ""),
    ("`policy`: `LiquiditySplitting`", policy_configs.LiquiditySplittingPolicy, ""),
    ("`policy`: `MockSplitting`", policy_configs.MockSplittingPolicy, ""),
    ("`policy`: `FromJson`", policy_configs.FromJsonPolicy, ""),
    ("`policy`: `Inline`", policy_configs.InlinePolicy, ""),
    ("`policy`: `InlineJson`", policy_configs.InlineJsonPolicy, ""),
    ("`arrival_config`", arrivals.ArrivalConfig, "Random payments of one kind."),
    ("`arrival_bands`", arrivals.ArrivalBands, "Random payments by band of priority."),
    ("A band of `arrival_bands`", arrivals.ArrivalBand, ""),
    ("`amount_distribution`: `Normal`", distributions.Normal, ""),
    ("`amount_distribution`: `LogNormal`", distributions.LogNormal, ""),
    ("`amount_distribution`: `Uniform`", distributions.Uniform, ""),
    ("`amount_distribution`: `Exponential`", distributions.Exponential, ""),
    ("`priority_distribution`: `Fixed`", distributions.Fixed, ""),
    ("`priority_distribution`: `Categorical`", distributions.Categorical, ""),
    ("`priority_distribution`: `Uniform`", distributions.UniformPriority, ""),
    ("`cost_rates`", costs.CostRates, ""),
    (
        "A penalty",
        costs.Penalty,
        "A penalty is a whole number of cents, which is short for mode `fixed`, or:",
    ),
    ("`priority_delay_multipliers`", costs.PriorityDelayMultipliers, ""),
    ("`lsm_config`", lsm.LsmConfig, ""),
    ("`priority_escalation`", switches.PriorityEscalation, ""),
    (
        "`policy_feature_toggles`, `cost_feature_toggles`",
        switches.Toggles,
        "For policies: names of trees, actions, fields, or groups of fields. For costs: kinds.",
    ),
    ("`payments_file`", switches.PaymentsFile, ""),
    ("`schedule`: `OneTime`", event_kinds.OneTime, ""),
    ("`schedule`: `Repeating`", event_kinds.Repeating, ""),
    ("`scenario_events[]`: `DirectTransfer`", event_kinds.DirectTransfer, ""),
    ("`scenario_events[]`: `CustomTransactionArrival`", event_kinds.CustomTransactionArrival, ""),
    ("`scenario_events[]`: `ScheduledSettlement`", event_kinds.ScheduledSettlement, ""),
    ("`scenario_events[]`: `CollateralAdjustment`", event_kinds.CollateralAdjustment, ""),
    ("`scenario_events[]`: `GlobalArrivalRateChange`", event_kinds.GlobalArrivalRateChange, ""),
    ("`scenario_events[]`: `AgentArrivalRateChange`", event_kinds.AgentArrivalRateChange, ""),
    ("`scenario_events[]`: `CounterpartyWeightChange`", event_kinds.CounterpartyWeightChange, ""),
    ("`scenario_events[]`: `DeadlineWindowChange`", event_kinds.DeadlineWindowChange, ""),
)

#: What keys mean that mean the same wherever they stand.
SHARED = {
    "type": "Which of the kinds it is.",
    "schedule": "When it happens.",
    "from_agent": "The bank that pays.",
    "to_agent": "The bank that is paid.",
    "agent": "The bank.",
    "amount_distribution": "How amounts are spread.",
    "rate_per_tick": "Mean of the Poisson number of payments in a tick.",
    "counterparty_weights": "Weight of each receiver; all others weigh the same if it is empty.",
    "divisible": "Payments may settle in part.",
    "mean": "Mean of the amount.",
    "std_dev": "Standard deviation of the amount.",
    "min": "The smallest.",
    "max": "The largest.",
    "multiplier": "What rates are multiplied by from then on; it replaces the one before.",
    "urgency_threshold": "Release what is due in at most so many ticks.",
}
MEANINGS: dict[type[BaseModel], dict[str, str]] = {
    Scenario: {
        "name": "What results call it; the name of the file if not given.",
        "description": "For people.",
        "source": "Where it comes from.",
        "simulation": "Length and seed.",
        "agents": "The banks.",
        "cost_rates": "What liquidity, delay and failure cost.",
        "lsm_config": "How Queue 2 is worked off.",
        "scenario_events": "What happens at given ticks, whatever the banks do.",
        "policy_feature_toggles": "What policies may use.",
        "cost_feature_toggles": "Which kinds of cost are charged.",
        "deferred_crediting": "What is received can be used from the next tick on.",
        "deadline_cap_at_eod": "No deadline lies after the day of arrival.",
        "algorithm_sequencing": "Once an algorithm settled anything, the sequence begins again.",
        "entry_disposition_offsetting": "A released payment that cannot settle seeks an offset.",
        "priority_mode": "The RTGS class follows from the priority.",
        "queue1_ordering": "The order in which policies are asked about payments.",
        "priority_escalation": "Priorities rise towards the deadline.",
        "eod_rush_threshold": "Share of the day after which `is_eod_rush` is 1.",
        "daily_liquidity_reallocation": "Fund at every open and repay at every close; else once.",
        "end_of_day": "At the close, what is unsettled is penalised, or settled by borrowing.",
        "queue_discipline": "Under `strict`, payments of a bank settle in the order of its queue.",
        "delay_applies_to": "Where delay costs.",
        "payments_file": "Observed payments, instead of or beside random ones.",
    },
    switches.SimulationConfig: {
        "ticks_per_day": "Ticks of a day.",
        "num_days": "Days of the run.",
        "rng_seed": "What all randomness is derived from.",
    },
    agents.Agent: {
        "id": "Name of the bank.",
        "opening_balance": "Balance before the first tick.",
        "unsecured_cap": "Credit without collateral.",
        "policy": "How it decides; one of the kinds below.",
        "arrival_config": "Its random payments; not beside `arrival_bands`.",
        "arrival_bands": "Its random payments, by band; not beside `arrival_config`.",
        "posted_collateral": "Collateral posted at the beginning.",
        "collateral_haircut": "Share of posted collateral that gives no credit.",
        "max_collateral_capacity": (
            "The most that it can post; ten times `unsecured_cap` if not given."
        ),
        "limits": "The most that its net outflow of a day may come to.",
        "liquidity_pool": "What it could fund at the open of a day.",
        "liquidity_allocation_fraction": (
            "Share of the pool that it funds; the policy's `initial_liquidity_fraction`, if it has "
            "that parameter, comes first. Only beside a pool."
        ),
    },
    agents.Limits: {
        "bilateral_limits": "To one bank, by its name.",
        "multilateral_limit": "To all banks together; no limit if not given.",
    },
    policy_configs.FifoPolicy: {},
    policy_configs.DeadlinePolicy: {},
    policy_configs.LiquidityAwarePolicy: {"target_buffer": "Cents of liquidity that it keeps."},
    policy_configs.LiquiditySplittingPolicy: {
        "max_splits": "The most parts.",
        "min_split_amount": "No part is smaller.",
    },
    policy_configs.MockSplittingPolicy: {"num_splits": "Parts of every payment."},
    policy_configs.FromJsonPolicy: {
        "json_path": (
            "File of the policy: beside the scenario, then in the working folder, then the name of "
            "a built-in one."
        )
    },
    policy_configs.InlinePolicy: {"decision_trees": "The policy itself, as a mapping."},
    policy_configs.InlineJsonPolicy: {"json_string": "The policy itself, as JSON text."},
    arrivals.ArrivalConfig: {
        "deadline_range": "First and last deadline, in ticks after arrival.",
        "priority": "Priority of all its payments, short for a `Fixed` distribution of it.",
        "priority_distribution": "How priorities are spread; not beside `priority`.",
    },
    arrivals.ArrivalBands: {
        "urgent": "Priorities 8 to 10.",
        "normal": "Priorities 4 to 7.",
        "low": "Priorities 0 to 3.",
    },
    arrivals.ArrivalBand: {
        "deadline_offset_min": "First deadline, in ticks after arrival.",
        "deadline_offset_max": "Last deadline, in ticks after arrival.",
    },
    distributions.Normal: {},
    distributions.LogNormal: {},
    distributions.Uniform: {},
    distributions.Exponential: {"lambda": "1 / mean, per cent of money."},
    distributions.Fixed: {"value": "The priority."},
    distributions.Categorical: {
        "values": "The priorities.",
        "weights": "A weight for each; they need not sum to one.",
    },
    distributions.UniformPriority: {},
    costs.CostRates: {
        "overdraft_bps_per_tick": "Of a negative balance.",
        "delay_cost_per_tick_per_cent": "Cents for each unsettled cent.",
        "collateral_cost_per_tick_bps": "Of posted collateral.",
        "liquidity_cost_per_tick_bps": "Of what was funded from the pool.",
        "eod_penalty": "At the close; may be written `eod_penalty_per_transaction`.",
        "deadline_penalty": "Once, when a payment becomes overdue.",
        "split_friction_cost": "Cents for every part but the first.",
        "overdue_delay_multiplier": "Factor on delay once a payment is overdue.",
        "eod_borrowing_bps": "Of what is borrowed at the close, under `end_of_day: borrow`.",
        "priority_delay_multipliers": "Factors on delay by band.",
    },
    costs.Penalty: {
        "mode": "A fixed amount, or a share of what is unsettled.",
        "amount": "In mode `fixed`, which needs it.",
        "bps_per_event": "In mode `rate`, which needs it.",
    },
    costs.PriorityDelayMultipliers: {
        "urgent_multiplier": "Payments that arrived with priority 8 to 10.",
        "normal_multiplier": "4 to 7.",
        "low_multiplier": "0 to 3.",
    },
    lsm.LsmConfig: {
        "enable_bilateral": "`bilateral` follows `fifo`; not beside `algorithms`.",
        "enable_cycles": "`cycles` comes last; not beside `algorithms`.",
        "max_cycle_length": "The most banks of a chain of `cycles`.",
        "max_cycles_per_tick": "The most chains of a tick.",
        "algorithms": "The sequence itself, each at most once.",
    },
    switches.PriorityEscalation: {
        "enabled": "Whether priorities rise; needed where the section is there.",
        "curve": "How they rise.",
        "start_escalating_at_ticks": "Ticks before the deadline; may be written `threshold_ticks`.",
        "max_boost": "Steps of priority at the deadline.",
    },
    switches.Toggles: {
        "include": "What is allowed, and nothing else.",
        "exclude": "What is not allowed; not beside `include`.",
    },
    switches.PaymentsFile: {
        "path": "The file, relative to that of the scenario.",
        "columns": (
            "Our name of a column to the file's, where they differ; null for a column that the "
            f"file does not have. Ours: {', '.join(f'`{name}`' for name in PAYMENT_COLUMNS)}."
        ),
        "on_error": "A bad line stops, or is passed over and counted.",
    },
    event_kinds.OneTime: {"tick": "Tick of the run."},
    event_kinds.Repeating: {
        "start_tick": "Tick of the run at which it happens first.",
        "interval": "Ticks from one time to the next.",
    },
    event_kinds.DirectTransfer: {"amount": "Moved between balances, unconditionally."},
    event_kinds.CustomTransactionArrival: {
        "amount": "Of the payment, which joins Queue 1.",
        "priority": "Of the payment.",
        "deadline": "Ticks after arrival; the last tick of the day if not given.",
        "is_divisible": "It may settle in part.",
    },
    event_kinds.ScheduledSettlement: {"amount": "Of the payment, which is released at once."},
    event_kinds.CollateralAdjustment: {"delta": "Change of what is posted, not below zero."},
    event_kinds.GlobalArrivalRateChange: {},
    event_kinds.AgentArrivalRateChange: {},
    event_kinds.CounterpartyWeightChange: {
        "counterparty": "The receiver whose weight changes.",
        "new_weight": "Its weight from then on.",
        "auto_balance_others": "The other weights change so that the sum stays.",
    },
    event_kinds.DeadlineWindowChange: {
        "min_ticks_multiplier": "Factor on the first deadline; as it was if not given.",
        "max_ticks_multiplier": "Factor on the last deadline; as it was if not given.",
    },
}


def scenario_page() -> str:
    """Return the page of the scenario file."""
    parts = [HEAD]
    for title, model, introduction in SECTIONS:
        rows = [_row(model, name, field) for name, field in model.model_fields.items()]
        _check_meanings(model)
        table = ["| key | takes | default | meaning |", "|---|---|---|---|", *rows]
        above = [f"{introduction}\n"] if introduction else []
        parts.append("\n".join([f"## {title}\n", *above, *table, ""]))
    return "\n".join(parts)


def _key(name: str, field: FieldInfo) -> str:
    return field.alias or name


def _check_meanings(model: type[BaseModel]) -> None:
    keys = {_key(name, field) for name, field in model.model_fields.items()}
    own = set(MEANINGS[model])
    if not own <= keys or not keys <= own | set(SHARED):
        raise KeyError(f"{model.__name__}: {sorted(own - keys)} {sorted(keys - own - set(SHARED))}")


def _row(model: type[BaseModel], name: str, field: FieldInfo) -> str:
    key = _key(name, field)
    meaning, default = MEANINGS[model].get(key) or SHARED[key], _default(model, key, field)
    return f"| `{key}` | {takes(field.annotation, field.metadata)} | {default} | {meaning} |"


def _default(model: type[BaseModel], key: str, field: FieldInfo) -> str:
    if key == "type" or (field.default is PydanticUndefined and field.default_factory is None):
        return "needed"
    value = field.get_default(call_default_factory=True)
    if value is None and issubclass(model, policy_configs.BuiltInPolicy):
        return f"{builtin(model.__name__.removesuffix('Policy')).parameters[key]:_.12g}"
    if isinstance(value, costs.Penalty):
        value = value.amount
    elif isinstance(value, distributions.Fixed):
        return f"priority {value.value}"
    elif isinstance(value, BaseModel):
        return f"`{getattr(value, 'type', '')}`" if key == "policy" else "its defaults"
    return plain(value)


def plain(value: Any) -> str:
    """Return a default as a page shows it."""
    if value in (None, "", (), {}):
        return "none" if value is None else "empty"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:_}" if isinstance(value, int) else f"{value:g}"
    return f"`{value}`"


def takes(annotation: Any, metadata: Sequence[Any]) -> str:
    """Return what a key takes, in the words of its own check."""
    said = [text for item in metadata for text in _words(item)]
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    text = str(getattr(annotation, "__name__", annotation))
    if said:
        text = said[-1]
    elif origin is typing.Annotated:
        text = takes(inner[0], inner[1:])
    elif origin is typing.Literal:
        text = _one_of([str(choice) for choice in inner])
    elif origin is tuple:
        text = f"a list, each {takes(inner[0], ())}"
    elif origin in {dict, Mapping}:
        text = f"a mapping from {takes(inner[0], ())} to {takes(inner[1], ())}"
    elif origin in {typing.Union, types.UnionType}:
        kinds = [takes(kind, ()) for kind in inner if kind is not type(None)]
        text = ", or ".join(dict.fromkeys(kinds))
    elif annotation is str:
        text = "a name"
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        text = "a penalty" if annotation is costs.Penalty else "a section"
    return text


def _one_of(choices: Sequence[str]) -> str:
    listed = ", ".join(f"`{choice}`" for choice in choices)
    return listed if len(choices) == 1 else f"one of {listed}"


def _words(item: Any) -> Iterator[str]:
    """Give what a check says that it expects; it stands in the check's closure."""
    if not isinstance(item, BeforeValidator):
        return
    function: Any = item.func
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    if "words" in cells:
        words = cells["words"].cell_contents
        yield words.split(":")[0] if words.startswith("a name:") else words
    elif "kinds" in cells:
        yield _one_of(cells["kinds"].cell_contents)
