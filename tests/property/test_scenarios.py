"""Whatever is done to a scenario, it is read or refused in one line; nothing read is lost."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from payment_simulator.errors import ScenarioError
from payment_simulator.scenario import Scenario, expand_events, parse_scenario
from payment_simulator.scenario.event_kinds import Repeating
from payment_simulator.scenario.yaml_text import YamlError, plain_value, read_yaml, write_yaml
from tests.unit.scenario.samples import FULL

KEYS = sorted({"", "type", "x", "lambda", "\n", *Scenario.keys()})
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from([*KEYS, "A", "B", "C", "fifo", "OneTime", "Fixed", "rate", "Inline"]),
    st.sampled_from([0, 1, -1, 10**15, 10**16, 2**63, 10**400, 1e308, -0.0]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=5)), inner, max_size=3),
    ),
    max_leaves=6,
)


def holders(data: Any) -> list[Any]:
    """List all mappings and lists in a scenario, the scenario itself first."""
    found = [data]
    for part in data.values() if isinstance(data, dict) else data:
        if isinstance(part, dict | list):
            found += holders(part)
    return found


@st.composite
def spoiled(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the full scenario after one to four changes anywhere."""
    data: dict[str, Any] = copy.deepcopy(FULL)
    for _ in range(draw(st.integers(1, 4))):
        holder = draw(st.sampled_from(holders(data)))
        change = draw(st.sampled_from(["delete", "replace", "add", "move"]))
        places = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if change == "add" or not places:
            value = draw(VALUES)
            if isinstance(holder, dict):
                holder[draw(st.one_of(st.sampled_from(KEYS), st.text(max_size=5)))] = value
            else:
                holder.append(value)
            continue
        place = draw(st.sampled_from(places))
        if change == "delete":
            del holder[place]
        elif change == "replace":
            holder[place] = draw(VALUES)
        else:
            # Something that is valid in another place.
            holder[place] = copy.deepcopy(draw(st.sampled_from(holders(FULL))))
    return data


def read_or_refuse(source: Any) -> Scenario | None:
    """Read a scenario; a refusal must be one printable line with exit code 2."""
    try:
        return parse_scenario(source)
    except ScenarioError as error:
        refusal = error
    message = str(refusal)
    assert message.isprintable()
    assert message.startswith("scenario")
    assert len(message) < 2000
    assert refusal.exit_code == 2
    return None


@given(spoiled())
@settings(max_examples=400)
def test_a_spoiled_scenario_is_read_or_refused_in_one_line(data: dict[str, Any]) -> None:
    scenario = read_or_refuse(data)
    if scenario is not None:
        again = parse_scenario(scenario.text)
        # A name that the file does not give is the same in both.
        assert again == scenario
        assert again.policies == scenario.policies
        assert len(scenario.policies) == scenario.n_banks


@given(spoiled())
@settings(max_examples=200)
def test_text_and_mapping_are_judged_alike(data: dict[str, Any]) -> None:
    try:
        text = write_yaml(json.loads(json.dumps(data)))
    except ValueError:
        return
    assert read_or_refuse(data) == read_or_refuse(text)


@given(st.text(), st.integers(0, 2000), st.integers(0, 30))
@settings(max_examples=300)
def test_a_text_with_anything_in_it_is_read_or_refused(junk: str, at: int, cut: int) -> None:
    text = write_yaml(FULL)
    read_or_refuse(text[:at] + junk + text[at + cut :])


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    read_or_refuse(text)


@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
@settings(max_examples=300)
def test_what_is_written_is_read_again(data: Any) -> None:
    try:
        read = read_yaml(write_yaml(data))[0]
    except (YamlError, ValueError) as error:
        problem = str(error)
    else:
        assert repr(read) == repr(data)
        return
    # Numbers of very many digits, halves of surrogate pairs, nesting beyond what is read.
    assert any(word in problem for word in ("characters", "surrogate", "nested")), data


@given(st.text(alphabet="0123456789_+-.eExnafi ", max_size=12))
def test_numbers_are_what_python_takes_for_such(text: str) -> None:
    value = plain_value(text)
    if isinstance(value, int | float) and not isinstance(value, bool):
        plain = text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan")
        assert repr(value) == repr(type(value)(plain))


@given(
    st.lists(
        st.one_of(
            st.builds(lambda t: {"type": "OneTime", "tick": t}, st.integers(0, 19)),
            st.builds(
                lambda s, i: {"type": "Repeating", "start_tick": s, "interval": i},
                st.integers(0, 19),
                st.integers(1, 30),
            ),
        ),
        max_size=6,
    )
)
def test_events_are_expanded_as_a_plain_loop_would(schedules: list[dict[str, Any]]) -> None:
    banks = {"from_agent": "A", "to_agent": "B"}
    events = [
        {"type": "DirectTransfer", **banks, "amount": number + 1, "schedule": schedule}
        for number, schedule in enumerate(schedules)
    ]
    agents = [{"id": "A", "opening_balance": 0}, {"id": "B", "opening_balance": 0}]
    scenario = parse_scenario(
        {
            "simulation": {"ticks_per_day": 10, "num_days": 2},
            "agents": agents,
            "scenario_events": events,
        }
    )
    expected = []
    for tick in range(20):
        for event in scenario.scenario_events:
            schedule = event.schedule
            if isinstance(schedule, Repeating):
                since = tick - schedule.start_tick
                happens = since >= 0 and since % schedule.interval == 0
            else:
                happens = tick == schedule.tick
            if happens:
                expected.append((tick, event))
    assert list(expand_events(scenario)) == expected
