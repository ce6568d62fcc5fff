"""Reads the text of a file that a person wrote: bounded, UTF-8, and no binary file by mistake."""

from __future__ import annotations

from pathlib import Path

from payment_simulator.errors import InputError, ScenarioError
from payment_simulator.scenario.yaml_text import MAX_BYTES
from payment_simulator.wording import visible


def read_text(
    file: Path, what: str = "a scenario file (YAML)", kind: type[InputError] = ScenarioError
) -> str:
    """Return the text of a file.

    Parameters
    ----------
    file : pathlib.Path
        The file.
    what : str
        What was expected, in words.
    kind : type of InputError
        What is raised where it cannot be read.

    Raises
    ------
    InputError
        It is not there, cannot be read, is too large, or is not UTF-8.
    """
    try:
        if not file.is_file():
            found = "a folder" if file.is_dir() else "no file" if file.exists() else "not there"
            raise kind(visible(f"{file}: {found}; expected {what}"))
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, kind):
            raise
        problem = getattr(error, "strerror", None) or error
        raise kind(visible(f"{file}: cannot be read ({problem})")) from error
    if len(content) > MAX_BYTES:
        raise kind(visible(f"{file}: larger than {MAX_BYTES // 2**20} MiB; expected {what}"))
    if b"\0" in content:
        raise kind(visible(f"{file}: a binary file; expected {what}"))
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise kind(visible(f"{file}, line {line}: not UTF-8; save the file as UTF-8")) from None
