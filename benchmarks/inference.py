"""How often bounds, intervals and the acceptance rule are wrong, for samples of known mean.

Samples are drawn from distributions whose mean is exactly 0, so every lower bound above 0 and every
accepted policy is an error. ``--write`` puts the tables into ``docs/explanation/inference.md``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from _certificates import Shares, anywhere, at_equilibrium
from _measure import Report, parser
from payment_simulator.ai_cash_mgmt.evaluation.acceptance import Decision, Evaluation, decide
from payment_simulator.ai_cash_mgmt.evaluation.inference import interval, lower_bound
from payment_simulator.ai_cash_mgmt.evaluation.spending import error_of_step, look_sizes
from payment_simulator.kernels.layout import Floats

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "inference.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
SIZES = (20, 50, 200, 800)
CONFIDENCE, STEPS = 0.95, 15
FIRST, MOST = 200, 3_200
#: Share of games in which a policy that is no better may be accepted; the rule allows 0.05.
MOST_FALSE = 0.07

BOUNDS = """\
Share of {samples:,} samples whose one-sided bound lies above the true mean (0.05 is allowed), and
share of the intervals given, two-sided at 0.95, that cover it:"""
GAMES = """\
Rule `confident` at 0.95: share of {games:,} games of {steps} steps, none of whose proposals is
better, in which one is accepted, and how many days a step drew on average (at first {first}, at
most {most:,}):"""

CERTIFICATES = """\
Certificates of {runs} made-up games each: a bank whose mean cost is a parabola of one parameter
with a grid of 21 points, {least} to {most:,} days, skewed to either side. First at the best point,
then anywhere on the grid:"""
#: Shapes of days: sigma of the lognormal tail, and its side.
TAILS = {"tail of losses": (1.0, -1.0), "tail of gains": (1.0, 1.0), "long tail": (1.25, -1.0)}
#: Share of certificates whose interval holds the truth, at an equilibrium and elsewhere.
LEAST_COVERED, LEAST_COVERED_ANYWHERE, LEAST_CORRELATION = 0.93, 0.90, 0.95

Draw = Callable[[np.random.Generator, int], Floats]


def _lognormal(sigma: float, sign: float) -> Draw:
    middle = math.exp(sigma**2 / 2)
    return lambda rng, n: sign * (rng.lognormal(0.0, sigma, n) - middle)


def _rare(share: float, loss: float) -> Draw:
    gain = loss * share / (1.0 - share)
    return lambda rng, n: np.where(rng.random(n) < share, -loss, gain)


#: Distributions of what a policy gains in a day, all of mean 0.
CASES: dict[str, Draw] = {
    "normal": lambda rng, n: rng.normal(size=n),
    "Student's t, 3 degrees": lambda rng, n: rng.standard_t(3, size=n),
    "lognormal, tail of losses": _lognormal(1.0, -1.0),
    "lognormal, tail of gains": _lognormal(1.0, 1.0),
    "lognormal, longer tail of losses": _lognormal(1.25, -1.0),
    "loss of 99 on 1 % of days": _rare(0.01, 99.0),
    "loss of 19 on 5 % of days": _rare(0.05, 19.0),
    "no spread": lambda rng, n: np.full(n, 1.0),  # noqa: ARG005 - a constant draws nothing
}


def main() -> None:
    arguments = parser(__doc__, repeat=1)
    arguments.add_argument("--samples", type=int, default=2_000, help="samples of each size")
    arguments.add_argument("--games", type=int, default=400, help="games of each distribution")
    arguments.add_argument("--write", action="store_true", help="write the tables into the page")
    arguments.add_argument("--certificates", type=int, default=50, help="of each shape of days")
    arguments.add_argument("--thorough", action="store_true", help="200 certificates of each")
    options = arguments.parse_args()
    runs = 200 if options.thorough else options.certificates
    report = Report("Bounds, intervals and acceptance, for samples of known mean", options)
    bounds = [_bounds_row(name, draw, options.samples) for name, draw in CASES.items()]
    games = [_game_row(name, draw, options.games, report) for name, draw in CASES.items()]
    text = "\n\n".join(
        (
            BOUNDS.format(samples=options.samples),
            _table(("gain of a day", *_heads()), bounds),
            GAMES.format(games=options.games, steps=STEPS, first=FIRST, most=MOST),
            _table(("gain of a day", "false acceptance", "days a step"), games),
            CERTIFICATES.format(runs=runs, least=FIRST, most=MOST),
            _table(
                ("days", "where", "covered", "bias (standard error)", "correlation", "days drawn"),
                [row for tail in TAILS for row in _certificate_rows(tail, runs, report)],
            ),
        )
    )
    if options.write:
        before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
        after = rest.split(END)[1]
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    report.finish()


def _certificate_rows(tail: str, runs: int, report: Report) -> list[list[str]]:
    rows = []
    for where, study, least in (
        ("at the equilibrium", at_equilibrium, LEAST_COVERED),
        ("anywhere", anywhere, LEAST_COVERED_ANYWHERE),
    ):
        found: Shares = study(runs, *TAILS[tail])
        is_right = found.covered >= least and not found.correlation < LEAST_CORRELATION
        if where == "at the equilibrium":
            is_right = is_right and abs(found.bias) <= 2.0 * found.standard_error
        report.add(
            f"certificates, {tail}, {where}",
            target=f"at least {least:g} covered",
            met=is_right,
            covered=found.covered,
            bias=found.bias,
        )
        correlation = "" if math.isnan(found.correlation) else f"{found.correlation:.3f}"
        bias = f"{found.bias:.2f} ({found.standard_error:.2f})"
        rows.append([tail, where, f"{found.covered:.3f}", bias, correlation, f"{found.days:,.0f}"])
    return rows


def _heads() -> list[str]:
    return [f"{what}, {n} days" for n in SIZES for what in ("error", "coverage")]


def _bounds_row(name: str, draw: Draw, samples: int) -> list[str]:
    rng, cells = np.random.default_rng(1), [name]
    for n in SIZES:
        wrong = covered = given = 0
        for _ in range(samples):
            values = draw(rng, n)
            bound, both = lower_bound(values, 0.05), interval(values, CONFIDENCE)
            if bound is None or both is None:
                continue
            given += 1
            wrong += bound > 0.0
            covered += both[0] <= 0.0 <= both[1]
        cells += (
            [f"{wrong / samples:.3f}", f"{covered / given:.3f}"] if given else ["none given"] * 2
        )
    return cells


def _game_row(name: str, draw: Draw, games: int, report: Report) -> list[str]:
    rng, false, days = np.random.default_rng(2), 0, 0
    for _ in range(games):
        for iteration in range(1, STEPS + 1):
            decision, size = _step(draw, rng, iteration)
            days += size
            if decision.is_accepted:
                false += 1
                break
    share = false / games
    report.add(
        f"false acceptance, {name}",
        target=f"at most {MOST_FALSE:g}",
        met=share <= MOST_FALSE,
        share=share,
    )
    return [name, f"{share:.3f}", f"{days / games / STEPS:,.0f}"]


def _step(draw: Draw, rng: np.random.Generator, iteration: int) -> tuple[Decision, int]:
    """Judge one proposal that is no better, as a game would."""
    sizes = look_sizes(FIRST, MOST)
    error = error_of_step(CONFIDENCE, iteration) / len(sizes)
    values = draw(rng, MOST)
    for size in sizes:
        old, rate = 1_000.0 + values[:size], np.ones(size)
        decision = decide(
            Evaluation(old, np.full(size, 1_000.0), rate, rate, tuple(range(size))),
            rule="confident",
            error=error,
            improvement_threshold=0.0,
            min_settlement_rate=None,
        )
        if not decision.is_open:
            break
    return decision, size


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
