"""What the declared parameters of a policy may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.games import FRACTION
from tests.situations import policy, spec

from payment_simulator.ai_cash_mgmt.constraints.space import Axis, ParameterSpace
from payment_simulator.errors import InputError
from payment_simulator.policy import to_dict

TWENTIETHS = tuple(float(f"{n / 20:.2f}") for n in range(21))


class TestAxis:
    def test_steps_are_those_that_a_person_would_write(self):
        axis = Axis.of(spec(step=0.05))
        assert axis.count == 21
        assert tuple(map(axis.at, range(21))) == TWENTIETHS

    @pytest.mark.parametrize("low", [-0.3, 0.1, 1e6])
    def test_steps_are_counted_from_the_lowest_value(self, low):
        axis = Axis.of(spec(min_value=low, max_value=low + 0.5, step=0.1))
        assert axis.grid(2) == tuple(round(low + n / 10, 6) for n in range(6))

    def test_the_last_step_is_the_highest_value_to_the_last_digit(self):
        axis = Axis.of(spec(step=1 / 3))
        assert (axis.count, axis.at(3)) == (4, 1.0)

    def test_a_whole_number_without_a_step_goes_by_ones(self):
        axis = Axis.of(spec("urgency", param_type="int", min_value=2, max_value=5))
        assert axis.grid(2) == (2.0, 3.0, 4.0, 5.0)
        wide = Axis.of(spec("cents", param_type="int", min_value=0, max_value=10**15))
        assert wide.value(0.5) == 5 * 10**14

    def test_an_enum_has_the_numbers_listed(self):
        axis = Axis.of(spec("mode", values=(7, 1, 3)))
        assert axis.grid(2) == (7.0, 1.0, 3.0)
        assert [axis.position(v) for v in (7, 1, 3)] == [0.0, 0.5, 1.0]
        assert [axis.value(p) for p in (0.1, 0.6, 0.9)] == [7.0, 1.0, 3.0]
        assert Axis.of(spec("mode", values=(4,))).value(0.7) == 4.0

    def test_a_free_number_has_six_digits_within_its_range(self):
        assert Axis.of(spec()).value(1 / 3) == 0.333333
        assert Axis.of(spec(max_value=5000)).value(1 / 3) == 1666.667
        assert Axis.of(spec(min_value=0.1, max_value=0.11)).value(1 / 3) == 0.10333333
        assert Axis.of(spec()).count is None
        assert Axis.of(spec()).grid(5) == (0.0, 0.25, 0.5, 0.75, 1.0)

    @given(st.data())
    def test_a_value_is_within_bounds_and_allowed(self, data):
        # As people write bounds; beside the range, 1e-300 and 0 are the same number.
        low = data.draw(st.floats(-1e4, 1e4).map(lambda number: round(number, 6)))
        width = data.draw(st.floats(0.1, 1e6))
        steps = data.draw(st.sampled_from([None, 1, 3, 7, 40]))
        high = low + width
        try:
            declared = spec(min_value=low, max_value=high, step=steps and (high - low) / steps)
        except ValueError:  # the step does not lead from one bound to the other
            return
        axis = Axis.of(declared)
        for position in (-0.5, 0.0, 1.0, 1.5, data.draw(st.floats(0, 1))):
            value = axis.value(position)
            assert declared.problem(value) is None
            # What was proposed once is the same where it is looked up again.
            assert axis.value(axis.position(value)) == value
        assert (axis.value(0.0), axis.value(1.0)) == (low, high)

    @given(st.integers(1, 10**9), st.data())
    def test_a_number_of_a_step_is_found_again(self, last, data):
        axis = Axis.of(spec("n", param_type="int", min_value=0, max_value=last))
        index = data.draw(st.integers(0, last))
        assert axis.value(axis.position(axis.at(index))) == index

    def test_there_is_no_negative_zero(self):
        between = Axis.of(spec(min_value=-1)).value(0.5)
        first = Axis.of(spec(min_value=-0.0)).value(0)
        last = Axis.of(spec(min_value=-1, max_value=-0.0, step=0.5)).at(2)
        listed = Axis.of(spec("mode", values=(-0.0, 1))).at(0)
        assert [str(zero) for zero in (between, first, last, listed)] == ["0.0"] * 4


class TestParameterSpace:
    def test_a_point_is_read_from_a_policy_and_put_into_it(self):
        space = ParameterSpace([spec(FRACTION), spec("urgency", param_type="int", max_value=9)])
        own = policy(**{FRACTION: 0.5, "other": 7.0})
        assert space.point(own) == {FRACTION: 0.5, "urgency": 3.0}

        changed = space.with_point(own, {FRACTION: 0.25, "urgency": 4.0})

        assert changed.parameters == {"urgency": 4.0, FRACTION: 0.25, "other": 7.0}
        assert own.parameters[FRACTION] == 0.5
        kept = [{**to_dict(one), "parameters": None} for one in (own, changed)]
        assert kept[0] == kept[1]

    def test_a_policy_that_lacks_a_parameter_is_refused(self):
        with pytest.raises(InputError, match='has no parameter "urgence"; nearest: urgency'):
            ParameterSpace([spec("urgence")]).point(policy())

    def test_without_parameters_there_is_nothing_to_choose(self):
        with pytest.raises(InputError, match="at least one parameter in the constraints"):
            ParameterSpace([])

    def test_the_size_is_the_number_of_points_where_they_can_be_counted(self):
        counted = [spec(step=0.05), spec("mode", values=(1, 2, 3))]
        assert ParameterSpace(counted).size == 63
        assert ParameterSpace([*counted, spec("other")]).size is None

    def test_the_grid_has_every_combination_the_last_parameter_fastest(self):
        space = ParameterSpace([spec("a"), spec("b", values=(5, 4)), spec("c", step=0.5)])
        points = [tuple(point.values()) for point in space.grid(2)]
        assert points[:4] == [(0, 5, 0), (0, 5, 0.5), (0, 5, 1), (0, 4, 0)]
        assert len(set(points)) == len(points) == 12
        assert list(space.grid(2)[0]) == ["a", "b", "c"]

    def test_a_grid_may_have_twenty_thousand_points_and_no_more(self):
        two = ParameterSpace([spec("a"), spec("b")])
        assert len(two.grid(141)) == 141**2
        with pytest.raises(InputError, match=r"the grid has 142 x 142 points; .* 20,000: take"):
            two.grid(142)
        with pytest.raises(InputError, match=r"has 1,000,001 points"):
            ParameterSpace([spec(step=1e-6)]).grid(2)
