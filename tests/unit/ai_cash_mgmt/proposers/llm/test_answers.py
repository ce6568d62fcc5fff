"""A policy is found in an answer, whatever stands around it; what is ambiguous is not taken."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.bank_situations import bank_situation, proposed
from tests.games import FRACTION

from payment_simulator.ai_cash_mgmt.proposers.llm.answers import Parsed, parse_answer
from payment_simulator.ai_cash_mgmt.proposers.llm.finding import find_objects

SITUATION = bank_situation()
VALIDATOR = SITUATION.validator


def answer(share: float, reasoning: str = "so") -> str:
    return json.dumps(proposed(SITUATION, share) | {"reasoning": reasoning})


def policy(share: float) -> str:
    return json.dumps(proposed(SITUATION, share)["policy"])


def share_of(parsed: Parsed) -> float:
    assert parsed.error is None
    return VALIDATOR.parse(parsed.policy).parameters[FRACTION]


GOOD, OTHER, BAD = answer(0.25), answer(0.5), answer(0.251)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + GOOD,
        f"```json\n{GOOD}\n```",
        f"````\n{GOOD}\n````",
        f"```{GOOD}```",
        f"Here: {GOOD} I hope that {{it}} helps :-}}",
        f"{{sure}} {GOOD}",
        f'He said "{{" and then: {GOOD}',
        f'{{"thought": "hard"}}\n{GOOD}',
        f"{GOOD}\n{GOOD}",
        f"{BAD}\nNo, on the grid of steps: {GOOD}",
        f"Now it is {policy(0.5)}; I propose {GOOD}",
        f"{GOOD[:-1]},}}",
        GOOD.replace("}}", ",}}", 1),
        GOOD.replace('"so"', '"a comma, } and { brackets ,]"'),
        f'{{"name": "propose_policy", "arguments": {GOOD}}}',
        f"[{GOOD}]",
        json.dumps({"reasoning": "so", "policy": f"```json\n{policy(0.25)}\n```"}),
        json.dumps({"policy": policy(0.25)[:-1] + ",}"}),
        policy(0.25),
        f"{{ {{ {{ {GOOD}",
        # The last bracket is cut off.
        GOOD[:-1],
    ],
)
def test_a_valid_policy_is_found(text: str) -> None:
    assert share_of(parse_answer(text, VALIDATOR)) == 0.25


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f"{GOOD}\n{OTHER}", "different valid policies"),
        (f"Either {policy(0.25)} or {policy(0.5)}", "different valid policies"),
        (f"[{GOOD}, {OTHER}]", "different valid policies"),
        (f'{{"policy": {policy(0.25)}, "policy": {policy(0.5)}}}', '"policy" twice'),
        ("", "the answer is empty"),
        (" \ufeff\n", "the answer is empty"),
    ],
)
def test_what_is_ambiguous_is_not_taken(text: str, fault: str) -> None:
    parsed = parse_answer(text, VALIDATOR)
    assert fault in (parsed.fault or "")
    assert parsed.error == parsed.fault
    assert (parsed.policy, parsed.policy_json) == (text, None)


def test_of_policies_that_are_not_valid_the_last_is_told_of() -> None:
    parsed = parse_answer(f"{answer(1.5)}\n{BAD}", VALIDATOR)
    assert "off the steps" in (parsed.error or "")
    assert parsed.fault is None
    assert json.loads(parsed.policy_json or "")["parameters"][FRACTION] == 0.251


PROSE = st.lists(
    st.sampled_from(
        [
            *"{}[]\"\\`,:'\n\ufeff\ud800",
            *("```json\n", '"policy"', '{"policy": 1}', '{"a": {', '{"parameters": {}}'),
            *("NaN", "{}", "//"),
        ]
    )
    | st.text(max_size=8),
    max_size=25,
).map("".join)


@given(PROSE, PROSE, st.sampled_from([GOOD, policy(0.25), GOOD[:-1] + " , }"]))
def test_a_valid_policy_is_found_in_any_prose(before: str, after: str, given: str) -> None:
    parsed = parse_answer(f"{before}\n{given}\n{after}", VALIDATOR)
    assert share_of(parsed) == 0.25


@given(PROSE)
def test_any_text_is_read(text: str) -> None:
    parsed = parse_answer(text, VALIDATOR)
    assert (parsed.error is None) is (VALIDATOR.validate(parsed.policy) == [])
    for found in find_objects(text):
        assert isinstance(found, dict)


@pytest.mark.parametrize(
    "text",
    [
        '{"' * 50_000,
        "{" * 100_000,
        "{}" * 100_000,
        '{"a": ' * 100_000,
        "{" * 400 + "{}" * 50_000,
        '{"a":"' + "x" * 1_000_000,
    ],
    ids=lambda text: text[:8],
)
def test_a_text_made_to_take_long_does_not(text: str) -> None:
    # Not timed: without a bound this would take hours.
    find_objects(text)
