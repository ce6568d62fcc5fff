"""``payment-sim policy``: check policy files, and show what a policy does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from payment_simulator.cli.options import JsonOption
from payment_simulator.wording import counted, nearest, quoted, visible

if TYPE_CHECKING:
    from payment_simulator.policy import Policy

app = typer.Typer(
    help="Check policy files, and show what a policy does.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_FILE_HELP = "A policy file, or the name of a built-in policy."


@app.command()
def check(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help=_FILE_HELP)],
    json: JsonOption = False,
) -> None:
    """Check policies completely; name every problem.

    Exit code 2 when there is one.
    """
    from payment_simulator.cli.output import print_json
    from payment_simulator.errors import PolicyError

    found = [_checked(file) for file in files]
    problems = [
        f"{visible(file)}, {problem}"
        for file, (_, texts) in zip(files, found, strict=True)
        for problem in texts
    ]
    if json:
        results = [_result(file, *checked) for file, checked in zip(files, found, strict=True)]
        print_json(results)
    else:
        for file, (policy, _) in zip(files, found, strict=True):
            if policy is not None:
                notes = "".join(f"; note: {note}" for note in _notes(policy))
                typer.echo(f"{visible(file)}: valid, {counted(_n_nodes(policy), 'node')}{notes}")
        if len(problems) > 1:
            typer.echo("\n".join(visible(problem) for problem in problems))
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise PolicyError(problems[0] + more)


@app.command()
def show(
    file: Annotated[str, typer.Argument(metavar="FILE", help=_FILE_HELP)],
    json: JsonOption = False,
) -> None:
    """Draw a policy as a tree and tell it in words."""
    from payment_simulator.cli.output import print_facts, print_json
    from payment_simulator.policy import parse_policy, to_dict
    from payment_simulator.policy.show import draw_policy, parameter_texts, tell_policy

    text, name = text_of(file)
    policy = parse_policy(text, where=name)
    if json:
        print_json(to_dict(policy))
        return
    print_facts(
        [
            ("policy", policy.policy_id),
            ("version", policy.version),
            *([("description", policy.description)] if policy.description else []),
            *((f"parameter {key}", value) for key, value in parameter_texts(policy)),
        ]
    )
    lines = ["", *draw_policy(policy).split("\n"), "", *tell_policy(policy).split("\n")]
    typer.echo("\n".join(visible(line) for line in lines))


def text_of(file: str) -> tuple[str, str]:
    """Return the text of a policy, and how errors name it: a file comes before a built-in name."""
    from payment_simulator.errors import PolicyError
    from payment_simulator.policy import builtin, builtin_names, to_json
    from payment_simulator.policy.reading import read_file

    is_there = "\0" not in file and os.path.lexists(file)
    is_name = file.replace("_", "").isalnum()
    if is_there or not is_name:
        return read_file(file), file
    try:
        return to_json(builtin(file)), file
    except PolicyError as error:
        raise PolicyError(
            f"{quoted(file)}: there is no such file, and no built-in policy of this name; "
            f"{nearest(file, builtin_names())}"
        ) from error


def _checked(file: str) -> tuple[Policy | None, list[str]]:
    """Return a policy, or what is wrong with it; a file that is not there stops the command."""
    from payment_simulator.policy import check_policy, parse_policy

    text, name = text_of(file)
    problems = check_policy(text)
    return (None, problems) if problems else (parse_policy(text, where=name), [])


def _result(file: str, policy: Policy | None, problems: list[str]) -> dict[str, Any]:
    return {
        "file": file,
        "is_valid": policy is not None,
        "policy_id": policy.policy_id if policy else None,
        "nodes": _n_nodes(policy) if policy else None,
        "problems": problems,
        "notes": _notes(policy) if policy else [],
    }


def _notes(policy: Policy) -> list[str]:
    from payment_simulator.policy.check import policy_notes

    return policy_notes(policy)


def _n_nodes(policy: Policy) -> int:
    from payment_simulator.policy.tree import nodes

    return sum(1 for _, root in policy.trees() for _ in nodes(root))
