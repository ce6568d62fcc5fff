"""How the queue of the system is worked off."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import model_validator

from payment_simulator.scenario.values import Flag, Section, misfit, whole_in

Algorithm = Literal["fifo", "bilateral", "multilateral", "cycles"]


class LsmConfig(Section):
    """The liquidity-saving mechanisms of the system.

    Attributes
    ----------
    enable_bilateral, enable_cycles : bool
        Which algorithms follow ``fifo``, where ``algorithms`` is not given.
    max_cycle_length : int
        Banks in a chain of ``cycles``.
    max_cycles_per_tick : int
        Chains that ``cycles`` settles in a tick.
    algorithms : tuple of str, optional
        The sequence as the file gives it.
    """

    enable_bilateral: Flag = True
    enable_cycles: Flag = True
    max_cycle_length: Annotated[int, whole_in(3, 10, "banks")] = 4
    max_cycles_per_tick: Annotated[int, whole_in(1, 100)] = 10
    algorithms: tuple[Algorithm, ...] | None = None

    @model_validator(mode="after")
    def _check_algorithms(self) -> Self:
        if self.algorithms is None:
            return self
        for switch in ("enable_bilateral", "enable_cycles"):
            if switch in self.model_fields_set:
                raise misfit(
                    "it stands beside algorithms, which says all; expected one of them", switch
                )
        twice = [name for name in self.algorithms if self.algorithms.count(name) > 1]
        if twice:
            raise misfit(f"{twice[0]} is there twice; expected each at most once", "algorithms")
        return self

    @property
    def sequence(self) -> tuple[str, ...]:
        """The algorithms in the order in which they run."""
        if self.algorithms is not None:
            return self.algorithms
        return (
            "fifo",
            *(["bilateral"] if self.enable_bilateral else []),
            *(["cycles"] if self.enable_cycles else []),
        )
