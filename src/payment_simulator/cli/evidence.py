"""``payment-sim digest`` and ``payment-sim sign``, and what ``verify`` compares with them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from payment_simulator.cli.options import DatabaseOption, JsonOption, database_to_read
from payment_simulator.cli.play import GameArgument
from payment_simulator.wording import visible

if TYPE_CHECKING:
    from payment_simulator.ai_cash_mgmt import GameRepository

_HEX = re.compile("[0-9a-fA-F]{64}")


def _digest(given: str) -> str:
    if not _HEX.fullmatch(given):
        raise typer.BadParameter(
            f"{given!r:.80} is not a digest: 64 hexadecimal digits, as payment-sim digest prints"
        )
    return given.lower()


DigestOption = Annotated[
    str | None,
    typer.Option(
        "--digest", metavar="HEX", parser=_digest, help="The digest that the game should have."
    ),
]
SignatureOption = Annotated[
    Path | None,
    typer.Option("--signature", metavar="FILE", help="A signature made by payment-sim sign."),
]
SignerOption = Annotated[
    Path | None,
    typer.Option(
        "--signer", metavar="FILE", help="Who may sign: a public key, or OpenSSH allowed signers."
    ),
]


def digest(game: GameArgument, db: DatabaseOption = None, json: JsonOption = False) -> None:
    """Print one SHA-256 over all rows of a game.

    It is the same wherever the rows are stored: publish it with a result, and anyone can tell
    whether a record is the one it was taken from. --json adds a SHA-256 for each table.
    """
    from payment_simulator.ai_cash_mgmt import GameRepository, game_digest
    from payment_simulator.cli.output import print_json
    from payment_simulator.persistence.connection import DatabaseManager

    with DatabaseManager(database_to_read(db, "digest GAME"), read_only=True) as manager:
        found = game_digest(GameRepository(manager.conn), game)
    if json:
        print_json(found.to_dict())
    else:
        typer.echo(found.sha256)


def sign(
    game: GameArgument,
    key: Annotated[
        Path,
        typer.Option("--key", metavar="FILE", help="An SSH key; a public one if an agent has it."),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="A new file; printed if none is given."
        ),
    ] = None,
    db: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Sign the digest of a game with an SSH key.

    ssh-keygen of OpenSSH makes the signature. payment-sim verify GAME --signature FILE --signer
    FILE checks it.
    """
    from payment_simulator.ai_cash_mgmt import GameRepository, game_digest
    from payment_simulator.ai_cash_mgmt.record.signing import sign_digest
    from payment_simulator.cli.output import print_json
    from payment_simulator.persistence.connection import DatabaseManager

    if output is not None:
        _check_is_new(output)
    with DatabaseManager(database_to_read(db, "sign GAME"), read_only=True) as manager:
        found = game_digest(GameRepository(manager.conn), game)
    signature = sign_digest(found, key)
    if output is not None:
        _write(output, signature)
    if json:
        file = None if output is None else str(output)
        print_json({"game_id": game, "digest": found.sha256, "signature": signature, "file": file})
    elif output is None:
        typer.echo(signature, nl=False)
    else:
        typer.echo(f"{visible(output)} signs {visible(game)}, digest {found.sha256}")


def _check_is_new(file: Path) -> None:
    from payment_simulator.errors import InputError

    if file.exists() or file.is_symlink():
        raise InputError(f"{file} is there already; give another path with -o")
    if not file.parent.is_dir():
        raise InputError(f"{file}: there is no folder {file.parent}; make it, or give another path")


def _write(file: Path, text: str) -> None:
    from payment_simulator.errors import InputError

    try:
        with file.open("x", encoding="ascii", newline="") as new:
            new.write(text)
    except OSError as error:
        raise InputError(
            f"{file} cannot be written ({error.strerror}); give another path with -o"
        ) from error


@dataclass(frozen=True)
class Evidence:
    """What came from outside the file, to be compared with a game: ``verify``'s options."""

    digest: str | None
    signature: Path | None
    signer: Path | None

    def __post_init__(self) -> None:
        """Refuse a signature without its signer, and the reverse."""
        if (self.signature is None) != (self.signer is None):
            raise typer.BadParameter("--signature FILE and --signer FILE go together; give both")

    def compare(self, repository: GameRepository, game: str) -> Compared:
        """Compare a game with it."""
        from payment_simulator.ai_cash_mgmt import game_digest
        from payment_simulator.ai_cash_mgmt.record.signing import check_signature

        compared = Compared()
        if self.digest is None and self.signature is None:
            return compared
        found = game_digest(repository, game)
        if self.digest is not None:
            is_equal = self.digest == found.sha256
            finding = "equal" if is_equal else f"different, the record has {found.sha256}"
            said = {"expected": self.digest, "found": found.sha256, "is_equal": is_equal}
            compared.add("digest", is_equal, finding, said)
        if self.signature is not None and self.signer is not None:
            checked = check_signature(found, self.signature, self.signer)
            compared.add("signature", checked.is_good, checked.finding, checked.to_dict())
        return compared


@dataclass
class Compared:
    """What a comparison with evidence found: whether all of it fits, in lines, and for JSON."""

    is_good: bool = True
    lines: list[str] = field(default_factory=list)
    said: dict[str, Any] = field(default_factory=dict)

    def add(self, what: str, is_good: bool, finding: str, said: dict[str, Any]) -> None:
        """Add what was found of one piece of evidence."""
        self.is_good = self.is_good and is_good
        self.lines.append(f"{what}: {finding}")
        self.said[what] = said
