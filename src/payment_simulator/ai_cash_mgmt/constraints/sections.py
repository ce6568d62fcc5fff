"""The section ``constraints`` of a game file: what agents may propose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, field_serializer

from payment_simulator.ai_cash_mgmt.constraints.specs import ParameterSpec
from payment_simulator.policy import ACTIONS, FIELDS
from payment_simulator.policy.actions import BANK_TREES, COLLATERAL_TREES, PAYMENT_TREES
from payment_simulator.policy.fields import field_info
from payment_simulator.policy.tree import TREES
from payment_simulator.scenario.places import nearest
from payment_simulator.scenario.values import Section, Text, describe, misfit, quoted

#: Shorter names of trees that files of the field use.
TREE_NAMES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        **{tree: (tree,) for tree in TREES},
        "payment": PAYMENT_TREES,
        "bank": BANK_TREES,
        "collateral": COLLATERAL_TREES,
        "collateral_tree": COLLATERAL_TREES,
    }
)


def actions_of(tree: str) -> tuple[str, ...]:
    """Return every action that may stand in a tree."""
    return tuple(info.name for info in ACTIONS.values() if tree in info.trees)


def _parameters(specs: tuple[ParameterSpec, ...]) -> tuple[ParameterSpec, ...]:
    _refuse_twice([spec.name for spec in specs])
    return specs


def _fields(names: tuple[str, ...] | None) -> tuple[str, ...] | None:
    for name in names or ():
        if field_info(name) is None:
            raise misfit(f"{quoted(name)} is no field; {nearest(name, FIELDS)}")
    _refuse_twice(names or ())
    return names


def _refuse_twice(names: Sequence[str], *at: str) -> None:
    for place, name in enumerate(names):
        if name in names[:place]:
            raise misfit(f"{quoted(name)} is here twice; expected each once", *at)


def _by_tree(data: Any) -> Any:
    """Return actions by the full names of trees."""
    if not isinstance(data, Mapping):
        return data
    found: dict[str, Any] = {}
    for key, names in data.items():
        if key not in TREE_NAMES:
            raise misfit(f"no such tree; {nearest(str(key), TREE_NAMES)}", str(key))
        if not isinstance(names, list | tuple):
            raise misfit(f"{describe(names)}; expected a list of actions", key)
        for tree in TREE_NAMES[key]:
            if tree in found:
                raise misfit(f"{tree} is named twice; expected it once", key)
            found[tree] = tuple(names)
            _check_actions(names, tree, key)
    return found


def _check_actions(names: Sequence[Any], tree: str, key: str) -> None:
    known = actions_of(tree)
    for name in names:
        if not isinstance(name, str):
            raise misfit(f"{describe(name)}; expected names of actions", key)
        if name not in known:
            raise misfit(f"{quoted(name)} is no action of {tree}; {nearest(name, known)}", key)
    _refuse_twice(names, key)


class ScenarioConstraints(Section):
    """What agents may propose; what a bank's first policy has may always stay as it is.

    Attributes
    ----------
    allowed_parameters : tuple of ParameterSpec
        Parameters that may be set. All others keep the values of the first policy.
    allowed_fields : tuple of str, optional
        Fields and state registers that trees may read; all if not given.
    allowed_actions : mapping of tree to tuple of str, optional
        Actions that each tree may use; all of all trees if not given. A tree that is not named
        stays as the first policy has it.
    """

    allowed_parameters: Annotated[tuple[ParameterSpec, ...], AfterValidator(_parameters)] = ()
    allowed_fields: Annotated[tuple[Text, ...] | None, AfterValidator(_fields)] = None
    allowed_actions: Annotated[Mapping[str, tuple[str, ...]] | None, BeforeValidator(_by_tree)] = (
        None
    )

    @field_serializer("allowed_actions")
    def _plain_actions(
        self, actions: Mapping[str, tuple[str, ...]] | None
    ) -> dict[str, list[str]] | None:
        return None if actions is None else {tree: list(names) for tree, names in actions.items()}

    def spec(self, name: str) -> ParameterSpec | None:
        """Return what a parameter may be; None if it is not declared."""
        return next((spec for spec in self.allowed_parameters if spec.name == name), None)

    def actions(self, tree: str) -> tuple[str, ...]:
        """Return the actions that a tree may use."""
        if self.allowed_actions is None:
            return actions_of(tree)
        return self.allowed_actions.get(tree, ())

    def allows_field(self, name: str) -> bool:
        """Tell whether trees may read a field."""
        return self.allowed_fields is None or name in self.allowed_fields
