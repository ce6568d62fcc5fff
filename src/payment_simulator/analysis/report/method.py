"""How a game was made, so that somebody else can make it again: seeds, versions, hashes, rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis.older_files import or_nothing
from payment_simulator.analysis.overview import GameOverview
from payment_simulator.analysis.report.tables import Column, Table, Value
from payment_simulator.analysis.report.texts import command, parsed
from payment_simulator.wording import counted

_METHODS = {
    "fresh": "drawn anew from the scenario",
    "bootstrap": "drawn with replacement from payments of observed days",
    "permutation": "observed days with their payments in another order",
    "stratified": "drawn with replacement, hour by hour or band by band",
    "day_block": "drawn with replacement, whole days at a time",
}
_ROLES = {
    "game_file": "game file",
    "scenario": "scenario",
    "policy": "first policy of",
    "payments": "payments",
}


@dataclass(frozen=True)
class Method:
    """What a report says of how a game was made.

    Attributes
    ----------
    facts : list of tuple
        Names and values.
    files : Table or None
        The files that the game was made of, with their hashes.
    commands : list of tuple
        Commands, and what each does.
    """

    facts: list[tuple[str, str]]
    files: Table | None
    commands: list[tuple[str, str]]


def method_of(repo: GameRepository, overview: GameOverview) -> Method:
    """Return what a report says of how a game was made."""
    game_id = overview.session.game_id
    commands = [
        ("verify", "plays the game again from the record alone and compares every step"),
        ("show", "shows the game in a terminal"),
    ]
    return Method(
        list(_facts(overview)),
        _files(repo, game_id),
        [(command(name, game_id), meaning) for name, meaning in commands],
    )


def _facts(overview: GameOverview) -> Iterator[tuple[str, str]]:
    session, rules, origin = overview.session, overview.rules, overview.provenance
    yield "master seed", str(session.master_seed)
    yield "when agents optimise", _mode(session.game_mode)
    if rules.update:
        yield "update", _update(rules.update)
    words = rules.acceptance_words()
    if words:
        yield "accepted if", words
    if rules.sample_method:
        yield "sample days", _METHODS.get(rules.sample_method, rules.sample_method)
    if overview.judging_days:
        low, high = overview.judging_days
        days = counted(high, "day") if low == high else f"{low:,} to {high:,} days"
        yield "each step judged on", days
    if origin is None:
        yield "program", "not recorded"
        return
    revision = f", revision {origin.code_revision}" if origin.code_revision else ""
    clean = {True: ", source unchanged", False: ", source changed", None: ""}[origin.code_is_clean]
    yield "program", f"payment-simulator {origin.package_version}{revision}{clean}"
    yield "Python", origin.python_version
    yield "platform", origin.platform
    libraries = parsed(origin.libraries_json)
    if isinstance(libraries, dict):
        yield "libraries", ", ".join(f"{name} {version}" for name, version in libraries.items())


def _mode(mode: str) -> str:
    words = {
        "campaign_learning": "between whole simulations",
        "rl_optimization": "inside one running simulation",
    }
    return f"{words[mode]} ({mode})" if mode in words else mode


def _update(update: str) -> str:
    words = {
        "sequential": "one bank after the other, each against the others as they are by then",
        "simultaneous": "all banks at once, against the others as they were before",
    }
    return f"{words[update]} ({update})" if update in words else update


def _files(repo: GameRepository, game_id: str) -> Table | None:
    files = or_nothing(lambda: repo.list_provenance_files(game_id))
    if not files:
        return None
    rows: list[tuple[Value, ...]] = [
        (_ROLES.get(file.role, file.role), file.name, file.num_bytes, file.sha256)
        for file in files
    ]
    columns = (Column("what"), Column("name"), Column("bytes", "count"), Column("SHA-256"))
    note = "The record holds these files in full; the hash is of their text in UTF-8."
    return Table("files", "What the game was made of", columns, rows, note)
