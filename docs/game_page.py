"""The page of the game file, made from its models: types and defaults are those of the code.

What a key means is written here, once. A key without a meaning, a meaning without a key, an example
that is no game file and a mistake that is none stop the generation.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from payment_simulator.ai_cash_mgmt import GameConfig, ParameterSpec, ScenarioConstraints
from payment_simulator.ai_cash_mgmt.config import sections
from payment_simulator.ai_cash_mgmt.config.keys import GameKeys
from payment_simulator.ai_cash_mgmt.config.proposer import KEYS_OF, ProposerConfig
from payment_simulator.ai_cash_mgmt.constraints.sections import TREE_NAMES
from payment_simulator.ai_cash_mgmt.constraints.space import MAX_COMBINATIONS
from payment_simulator.errors import GameFileError
from payment_simulator.policy.grammar import FRACTION
from payment_simulator.scenario.yaml_text import MAX_BYTES

#: How types and defaults are told, as on the page of the scenario file.
_WORDS: Any = runpy.run_path(str(Path(__file__).parent / "scenario_page.py"))

#: A game file that has every key but those of other kinds of proposers.
EXAMPLE = Path(__file__).parents[1] / "examples" / "games" / "every_key.yaml"
HEAD = f"""# The game file

Made from the models of the game by `docs/generate.py`. How a game goes is told in
[another page](../explanation/game.md); `examples/games` has files to begin with.

A game file is a YAML file of at most {MAX_BYTES // 2**20} MiB, written as a
[scenario file](scenario.md) is. A key that is not known is an error that names the nearest known
one, and everything is checked, against the scenario too, before the first step. Only
`scenario_config` is needed. `payment-sim play FILE` takes a scenario file too, and then plays with
the defaults of this page, and `equilibrium: {{}}`.

A section is a mapping whose keys stand further down. *Its defaults* means that a section may be
left out, and its keys then have theirs.

## A complete example

```yaml
{EXAMPLE.read_text(encoding="utf-8")}```
"""

#: Title, model and keys (none: all) of every section, in the order of the page.
SECTIONS: tuple[tuple[str, type[BaseModel], tuple[str, ...]], ...] = (
    ("The file", GameKeys, ()),
    ("`optimized_agents`", sections.AgentConfig, ()),
    ("`proposer`", ProposerConfig, ProposerConfig.KEYS),
    *((f"`proposer`: `{kind}`", ProposerConfig, keys) for kind, keys in KEYS_OF.items()),
    ("`optimization_schedule`", sections.OptimizationSchedule, ()),
    ("`bootstrap`", sections.BootstrapConfig, ()),
    ("`acceptance`", sections.AcceptanceConfig, ()),
    ("`convergence`", sections.ConvergenceConfig, ()),
    ("`constraints`", ScenarioConstraints, ()),
    ("`allowed_parameters[]`", ParameterSpec, ()),
    ("`equilibrium`", sections.EquilibriumConfig, ()),
    ("`output`", sections.OutputConfig, ()),
)
#: What stands above the keys of a section.
_ABOVE = {
    "`optimized_agents`": "`[BANK_A, BANK_B]` is short for banks without keys of their own.",
    "`proposer`": "These keys belong to every kind; each kind has more.",
    "`proposer`: `search`": f"""Tries policies in the simulator, against the other banks' true
policies, and proposes the cheapest. It changes parameters alone: each has to be one that a tree
reads, or `{FRACTION}` of a bank with a pool.""",
    "`proposer`: `grid`": f"""Tries all combinations of all values, at most {MAX_COMBINATIONS:,};
else as `search`.""",
    "`proposer`: `llm`": """Asks a language model, which may change parameters and trees
([how](../how-to/play-with-a-language-model.md)). The provider's key stands in the environment; a
key of a proposer that looks like a secret is refused, wherever it stands.""",
    "`proposer`: `python`": """Code of your own, which is imported and run
([how](../how-to/write-a-proposer.md)).""",
    "`bootstrap`": "What the methods do: [seeds and replay](../explanation/seeds-and-replay.md).",
    "`constraints`": """What a bank's first policy has may stay as it is, a parameter's value or a
whole tree. Without this section agents may set the share of the pool, in twentieths, and those that
can change trees may change any.""",
    "`allowed_parameters[]`": f"""A game begins with the value that the bank's policy has; else with
`default`; else, for `{FRACTION}`, with the bank's `liquidity_allocation_fraction`. That value may
lie off the steps; proposals may not.""",
    "`equilibrium`": """`true` is short for `{}`, `false` for leaving it out. What is measured:
[how a game goes](../explanation/game.md#convergence-and-what-it-is-worth).""",
}
_CAMPAIGN, _RUNNING = "`campaign_learning`", "`rl_optimization`"
MEANINGS: dict[type[BaseModel], dict[str, str]] = {
    GameKeys: {
        "game_id": "Name in the record; made of scenario, seed and time if not given.",
        "scenario_config": "The scenario file, relative to the folder of this file.",
        "master_seed": "What all randomness is derived from. The scenario's seed plays no part.",
        "game_mode": f"{_CAMPAIGN}: between whole simulations. {_RUNNING}: in a running one.",
        "optimized_agents": "Who plays, in the order of steps; all that have a choice if empty.",
        "proposer": "Who proposes, for all banks that do not say otherwise.",
        "optimization_schedule": "When steps are made.",
        "bootstrap": "The sample days that a step proposes and is judged on.",
        "acceptance": "When a proposal is accepted.",
        "update": "An accepted policy rules at once, or from the next iteration on.",
        "convergence": "When the game ends.",
        "constraints": "What may be proposed, for all banks that do not say otherwise.",
        "equilibrium": "How the distance from an equilibrium is measured at the end; not if none.",
        "output": "Where the record goes.",
    },
    sections.AgentConfig: {
        "proposer": "In the place of the game's.",
        "constraints": "In the place of the game's, as a whole.",
    },
    ProposerConfig: {
        "kind": "Which of the kinds it is.",
        "max_retries": (
            "How often a proposal that is not valid goes back with its errors, in one step. A call "
            "of a model that fails is repeated as often."
        ),
        "max_invalid_steps": "After so many steps in a row without a valid proposal a game fails.",
        "candidates": "Policies that are tried in a step, the one in force among them.",
        "sampler": (
            "Who finds half of them: Parzen trees (Optuna), chance, an even covering. The other "
            "half lie close to the best so far."
        ),
        "grid_points": "Values that are tried of a `float` without `step`.",
        "model": "Needed. Providers: `anthropic`, `openai`, `openai-chat`, `google`.",
        "base_url": "Where the model is, if not where its provider has it.",
        "temperature": "Of the model; its own if none.",
        "max_tokens": "The longest answer, tokens.",
        "timeout_seconds": "For one call.",
        "send_seed": (
            "Whether servers that take a seed for sampling (`openai-chat`, `google`) are sent one; "
            "`false` for a server that refuses it."
        ),
        "prompt_budget_chars": "The longest prompt, characters; what was left out is recorded.",
        "object": "Needed. The class, as `module:Class`; a module beside this file is found.",
        "options": "Keywords that the class is called with.",
    },
    sections.OptimizationSchedule: {
        "type": (
            f"`on_simulation_end` is that of {_CAMPAIGN}; the others are those of {_RUNNING}: "
            "after every `interval_ticks`, or after every day but the last."
        ),
        "interval_ticks": "Needed for `every_x_ticks`, and for no other; less than the run has.",
    },
    sections.BootstrapConfig: {
        "num_samples": "Days for each purpose; one where all would be the same.",
        "sample_method": "`fresh` draws new days, the others draw observed payments again.",
        "observed_runs": "Runs that are observed; a running simulation has what it saw.",
        "max_samples": (
            "Days that may be drawn where fewer are not evidence enough; 16 times "
            "`num_samples` if none."
        ),
    },
    sections.AcceptanceConfig: {
        "rule": (
            "`mean`: the mean gain is above the improvement threshold. `confident`: besides, the "
            "one-sided lower bound of the mean paired gain is above 0."
        ),
        "confidence": "Of that bound, and of the intervals reported at the end.",
        "min_settlement_rate": (
            "Share of the value in the system that has to settle on average, whatever the gain."
        ),
    },
    sections.ConvergenceConfig: {
        "stability_threshold": "Costs are stable when no bank's moves by more than this share",
        "stability_window": "within so many iterations.",
        "max_iterations": "The game ends here at the latest.",
        "improvement_threshold": "A gain counts when it is above this share of the old cost.",
        "best_response_check": (
            "A game has converged only when, besides, no bank gains more than the improvement "
            "threshold at any point of the grid of its parameters."
        ),
    },
    ScenarioConstraints: {
        "allowed_parameters": "What may be set. All other parameters keep their first values.",
        "allowed_fields": "Fields and registers that changed trees may read; all if none.",
        "allowed_actions": (
            "Actions of each tree; all of all trees if none. A tree that is not named stays as it "
            f"is. Trees: {', '.join(f'`{name}`' for name in TREE_NAMES)}."
        ),
    },
    ParameterSpec: {
        "name": "As the policy has it.",
        "param_type": "A number, a whole number, or one of some numbers.",
        "min_value": "The lowest; needed but for `enum`.",
        "max_value": "The highest; needed but for `enum`.",
        "step": "From one value to the next, counted from the lowest; none: any number between.",
        "default": "Where a bank begins whose policy does not have the parameter.",
        "values": "The numbers of an `enum`, and needed there.",
    },
    sections.EquilibriumConfig: {
        "grid_points": "Values that are tried of a `float` without `step`.",
        "num_samples": "Days at first, at least 200; as many as steps are judged on if none.",
        "tolerance": "Days are added until every interval is within this share of the bank's cost.",
        "max_samples": "Days at most; 16 times those at first if none.",
    },
    sections.OutputConfig: {
        "database_path": "A DuckDB file, relative to the working folder; `--db` comes first."
    },
}
#: What the page says instead of what the model would.
_TAKES = {
    "optimized_agents": "banks by name, each a section; or a list of names",
    "equilibrium": "a section, or true or false",
    "allowed_actions": "a mapping from trees to lists of names",
    "allowed_fields": "a list, each a name",
    "values": "a list of numbers",
}
#: Mistakes of which the page shows what is said.
_MISTAKES: tuple[dict[str, Any], ...] = (
    {"proposer": {"kind": "grid", "candidates": 64}},
    {"proposer": {"kind": "llm", "model": "anthropic:claude-sonnet-4-5", "api_key": "..."}},
    {"optimization_schedule": {"type": "after_eod"}},
    {"convergence": {"max_iteration": 10}},
    {"constraints": {"allowed_actions": {"payment": ["Relase"]}}},
)


def game_page() -> str:
    """Return the page of the game file."""
    GameConfig.from_yaml(EXAMPLE)
    parts = [HEAD]
    for title, model, keys in SECTIONS:
        _check_meanings(model)
        rows = [_row(model, key) for key in keys or model.model_fields]
        table = ["| key | takes | default | meaning |", "|---|---|---|---|", *rows]
        above = [f"{_ABOVE[title]}\n"] if title in _ABOVE else []
        parts.append("\n".join([f"## {title}\n", *above, *table, ""]))
    mistakes = "\n".join(f"- {_said(mistake)}" for mistake in _MISTAKES)
    return "\n".join([*parts, f"## What errors look like\n\n{mistakes}\n"])


def _check_meanings(model: type[BaseModel]) -> None:
    keys, known = set(model.model_fields), set(MEANINGS[model])
    if keys != known:
        raise KeyError(f"{model.__name__}: {sorted(keys ^ known)}")


def _row(model: type[BaseModel], key: str) -> str:
    field = model.model_fields[key]
    takes = _TAKES.get(key) or _WORDS["takes"](field.annotation, field.metadata)
    return f"| `{key}` | {takes} | {_default(model, key)} | {MEANINGS[model][key]} |"


def _default(model: type[BaseModel], key: str) -> str:
    field = model.model_fields[key]
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    return "its defaults" if isinstance(value, BaseModel) else _WORDS["plain"](value)


def _said(mistake: dict[str, Any]) -> str:
    try:
        GameConfig.from_mapping({"scenario_config": "two.yaml", **mistake})
    except GameFileError as error:
        return str(error)
    raise ValueError(f"{mistake} is no mistake")
