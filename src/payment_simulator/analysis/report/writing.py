"""Renders a report and puts it where it is wanted."""

from __future__ import annotations

import os
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

from payment_simulator.ai_cash_mgmt import GameRepository
from payment_simulator.analysis.policy_trees import policy_tree_css
from payment_simulator.errors import InputError, PaymentSimulatorError
from payment_simulator.persistence.placing import place
from payment_simulator.wording import visible

try:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup
except ImportError as error:
    raise InputError(
        "reports need Jinja2, which is not installed; it comes with the extra 'report': "
        "pip install 'payment-simulator[report]'"
    ) from error

from payment_simulator.analysis.report.content import content_of

_PACKAGE = "payment_simulator.analysis.report"


def report_html(repo: GameRepository, game_id: str) -> str:
    """Return the report of a game as one page of HTML, which needs nothing else.

    Parameters
    ----------
    repo : GameRepository
        The record.
    game_id : str
        The game, whatever state it is in.

    Raises
    ------
    GameNotFoundError
        There is no such game.
    """
    sheet = files(_PACKAGE).joinpath("templates/report.css").read_text(encoding="utf-8")
    template = _environment().get_template("report.html")
    # The two style sheets are the package's own; nothing of a record is in them.
    styles = Markup(sheet + policy_tree_css())  # noqa: S704
    return template.render(content=content_of(repo, game_id), styles=styles)


def write_report(
    repo: GameRepository, game_id: str, path: str | Path, *, force: bool = False
) -> None:
    """Write the report of a game to a file.

    The file is there whole or not at all: it is written under another name beside its own, which
    it then takes.

    Parameters
    ----------
    repo : GameRepository
        The record.
    game_id : str
        The game, whatever state it is in.
    path : str or Path
        The file, in a folder that is there.
    force : bool
        Whether a file that is there is replaced.

    Raises
    ------
    GameNotFoundError
        There is no such game.
    InputError
        The path cannot be used, or a file is there and ``force`` was not given.
    """
    target = Path(path)
    check_target(target, force=force)
    page = report_html(repo, game_id).encode("utf-8")
    _put(page, target, force=force)


def check_target(target: Path, *, force: bool) -> None:
    """Raise ``InputError`` unless a report may be written there."""
    name = visible(target)
    if not str(target).strip() or target.name in {"", ".", ".."}:
        raise InputError(f"report: {name!r} names no file; give the path of an HTML file")
    if target.is_dir():
        raise InputError(f"report: {name} is a folder; give the path of an HTML file in it")
    if not target.parent.is_dir():
        raise InputError(f"report: the folder {visible(target.parent)} is not there; make it first")
    if not force and (target.exists() or target.is_symlink()):
        raise InputError(
            f"report: {name} is there already; give another path with -o, or --force to replace it"
        )


def _put(page: bytes, target: Path, *, force: bool) -> None:
    try:
        number, made = tempfile.mkstemp(prefix=".report-", suffix=".tmp", dir=target.parent)
        try:
            with os.fdopen(number, "wb") as file:
                file.write(page)
                file.flush()
                os.fsync(file.fileno())
            Path(made).chmod(0o666 & ~_umask())
            if force:
                Path(made).replace(target)
            else:
                _take_name(Path(made), target)
        finally:
            Path(made).unlink(missing_ok=True)
    except OSError as error:
        raise PaymentSimulatorError(
            f"report: {visible(target)} cannot be written: {error.strerror or error}"
        ) from error


def _take_name(made: Path, target: Path) -> None:
    """Give a file its name unless another has it by now."""
    if not place(made, target):
        raise InputError(
            f"report: {visible(target)} was made meanwhile; give another path, or --force"
        )


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_plain,
    )


def _plain(value: Any) -> Any:
    """Write out what would act on a page, in every text that is put into it."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
