"""Finds a proposer that a user wrote: a class in a module beside the game file, or installed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from payment_simulator.ai_cash_mgmt.proposers.base import Proposal, Proposed, Proposer, Situation
from payment_simulator.errors import GameFileError
from payment_simulator.wording import nearest, quoted, visible


class Labelled:
    """A proposer that has no label of its own, with one.

    Parameters
    ----------
    proposer : object
        It has a method ``propose``.
    label : str
        Who proposes.
    """

    def __init__(self, proposer: Any, label: str) -> None:
        self._proposer = proposer
        self.label = label

    def propose(self, situation: Situation) -> Proposal | Proposed:
        """Return what the proposer says."""
        answer: Proposal | Proposed = self._proposer.propose(situation)
        return answer

    def check(self) -> None:
        """Let the proposer say what is missing before it can be asked, if it can."""
        check = getattr(self._proposer, "check", None)
        if callable(check):
            check()


def load_own(name: str, options: Mapping[str, Any], folder: Path | None) -> Proposer:
    """Return an instance of a user's class.

    The module is code, and runs as such: whoever names it in a game file trusts it. While it is
    imported and the instance is made, the folder is the first place where modules are looked for.

    Parameters
    ----------
    name : str
        ``module:Class``.
    options : mapping of str to Any
        Keywords that the class is called with.
    folder : pathlib.Path, optional
        Where the game file stands; the working folder where not given.

    Returns
    -------
    Proposer
        Its label is its own, or ``python/module:Class`` where it has none.

    Raises
    ------
    GameFileError
        There is no such module or class, it fails, or its instances propose nothing.
    """
    module_name, _, class_name = name.partition(":")
    place = (Path.cwd() if folder is None else folder).absolute()
    with _first_place(place, module_name.partition(".")[0]):
        found = _class(_module(module_name, place), class_name, name)
        try:
            made = found(**options)
        except Exception as error:
            given = ", ".join(options) or "none"
            raise GameFileError(
                f"proposer {name}: it cannot be made with the options given ({visible(given)}): "
                f"{_told(error)}"
            ) from error
    return _checked(made, name)


def _checked(made: Any, name: str) -> Proposer:
    """Return a user's object as a proposer."""
    if not callable(getattr(made, "propose", None)):
        raise GameFileError(
            f"proposer {name}: it has no method propose(situation); expected one that returns a "
            "policy"
        )
    label = getattr(made, "label", None)
    if label is None:
        return Labelled(made, f"python/{name}")
    if not isinstance(label, str) or not label.strip() or not label.isprintable():
        raise GameFileError(
            f"proposer {name}: its label is {visible(repr(label))[:60]}; expected a short text, "
            "or no label"
        )
    proposer: Proposer = made
    return proposer


def _module(name: str, place: Path) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # What the module itself imports may be what is not there.
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            known = [path.stem for path in place.glob("*.py")]
            raise GameFileError(
                f"proposer: there is no module {quoted(name)}, neither in {visible(place)} nor "
                f"among what is installed; {nearest(name, known)}"
            ) from error
        raise GameFileError(f"proposer: module {quoted(name)} fails: {_told(error)}") from error
    except Exception as error:
        raise GameFileError(f"proposer: module {quoted(name)} fails: {_told(error)}") from error


def _class(module: ModuleType, class_name: str, name: str) -> Any:
    found = getattr(module, class_name, None)
    if not callable(found):
        known = [key for key, value in vars(module).items() if isinstance(value, type)]
        raise GameFileError(
            f"proposer {name}: module {module.__name__} has no class {quoted(class_name)}; "
            f"{nearest(class_name, known)}"
        )
    return found


def _told(error: BaseException) -> str:
    return visible(f"{type(error).__name__}: {error}")[:300]


@contextmanager
def _first_place(place: Path, top: str) -> Iterator[None]:
    """Look for modules in a folder first, for a while.

    A module of the same name that was imported from elsewhere before (two games may each have a
    ``mine.py``) is set aside, and comes back afterwards.
    """
    importlib.invalidate_caches()
    aside = _named(top) if _is_elsewhere(place, top) else {}
    for name in aside:
        del sys.modules[name]
    sys.path.insert(0, str(place))
    try:
        yield
    finally:
        sys.path.remove(str(place))
        if aside:
            for name in _named(top):
                del sys.modules[name]
            sys.modules.update(aside)


def _named(top: str) -> dict[str, ModuleType]:
    """Return the imported modules that are one module, or within it."""
    return {
        name: module
        for name, module in sys.modules.items()
        if name == top or name.startswith(f"{top}.")
    }


def _is_elsewhere(place: Path, top: str) -> bool:
    """Tell whether a folder has a module of which another one is imported."""
    is_here = (place / f"{top}.py").is_file() or (place / top / "__init__.py").is_file()
    if not is_here or top not in sys.modules:
        return False
    file = getattr(sys.modules[top], "__file__", None)
    return file is None or not Path(file).resolve().is_relative_to(place.resolve())
