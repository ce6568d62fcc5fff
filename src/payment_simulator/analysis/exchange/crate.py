"""Describes an export as an RO-Crate: what was run on which files, when, and what came of it.

RO-Crate 1.1 (https://w3id.org/ro/crate/1.1) with the profile Process Run Crate 0.5
(https://w3id.org/ro/wfrun/process/0.5). Nothing is described that the record or the caller does not
say: neither who ran a game nor a licence is guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from payment_simulator.ai_cash_mgmt import GameDigest, GameRepository
from payment_simulator.ai_cash_mgmt.persistence.models import GameStatus
from payment_simulator.ai_cash_mgmt.record.digest import HEADING
from payment_simulator.analysis.exchange.layout import CRATE, MANIFEST, FileEntry
from payment_simulator.errors import InputError

_SPECIFICATION = "https://w3id.org/ro/crate/1.1"
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_SPDX = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")
_URL = re.compile(r"https?://[^\s<>\"{}|\\^`]+")
_TYPES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".txt": "text/plain",
    ".yaml": "application/yaml",
}
#: What a game was made of, in its folder; all else there is what came of it.
_INPUTS = ("config", "game_file/", "payments/", "policies/start/", "scenario/")
_STATUS = {
    GameStatus.COMPLETED: "http://schema.org/CompletedActionStatus",
    GameStatus.CONVERGED: "http://schema.org/CompletedActionStatus",
    GameStatus.FAILED: "http://schema.org/FailedActionStatus",
}
Entity = dict[str, Any]


@dataclass(frozen=True)
class Credits:
    """Who publishes an export, and what others may do with it.

    Attributes
    ----------
    author : str or None
        Who played the games and publishes them; None says nothing of it.
    license : str or None
        An SPDX identifier such as ``CC-BY-4.0``, or a URL; None grants nothing.
    """

    author: str | None = None
    license: str | None = None

    def __post_init__(self) -> None:
        """Refuse a licence that is neither a URL nor an identifier, and an empty name."""
        given = self.license
        if given is not None and not (_URL.fullmatch(given) or _SPDX.fullmatch(given)):
            raise InputError(
                f"license is {given!r:.80}, expected an SPDX identifier such as CC-BY-4.0, or a URL"
            )
        if self.author is not None and not self.author.strip():
            raise InputError("author is empty, expected a name")

    @property
    def license_entity(self) -> Entity:
        """Return the licence as an entity."""
        if self.license is None:
            return {
                "@id": "#no-license",
                "@type": "CreativeWork",
                "name": "No licence was given",
                "description": "Ask the publisher of this folder what may be done with it.",
            }
        url = self.license
        if not _URL.fullmatch(url):
            url = f"https://spdx.org/licenses/{self.license}"
        return {"@id": url, "@type": "CreativeWork", "name": self.license, "url": url}


def crate(
    repo: GameRepository,
    folders: Mapping[str, str],
    files: Mapping[str, FileEntry],
    digests: Mapping[str, GameDigest],
    credits_: Credits,
) -> str:
    """Return the text of ``ro-crate-metadata.json``.

    Parameters
    ----------
    repo : GameRepository
        The record.
    folders : mapping of str to str
        Each game with its folder in the export.
    files : mapping of str to FileEntry
        The files of the export, but for this one and the manifest.
    digests : mapping of str to GameDigest
        Each game's digest.
    credits_ : Credits
        What the caller says of author and licence.
    """
    author = credits_.author
    people = [{"@id": "#author", "@type": "Person", "name": author}] if author else []
    tables = [name for name in files if name.startswith("tables/")]
    runs: list[Entity] = []
    for number, (game, folder) in enumerate(folders.items(), 1):
        of_game = [name for name in files if name.startswith(f"{folder}/")]
        runs += _game(repo, number, game, folder, of_game, tables, digests[game], people)
    actions = [entity for entity in runs if entity["@type"] == "CreateAction"]
    datasets = [entity for entity in runs if entity["@type"] == "Dataset"]
    rest = [name for name in files if not name.startswith("games/")]
    license_ = credits_.license_entity
    root: Entity = {
        "@id": "./",
        "@type": "Dataset",
        "conformsTo": {"@id": _PROFILE},
        "name": f"Games of payment-simulator: {', '.join(folders)}",
        "description": "Complete records of games in which agents improve the policies of banks "
        "in a payment system. README.md explains every file, table and column.",
        "datePublished": datetime.now(UTC).isoformat(timespec="seconds"),
        "license": _ref(license_),
        "hasPart": [{"@id": name} for name in (*(d["@id"] for d in datasets), *rest, MANIFEST)],
        "mentions": _refs(actions),
        **({"author": _refs(people)} if people else {}),
    }
    graph: list[Entity] = [
        {
            "@id": CRATE,
            "@type": "CreativeWork",
            "conformsTo": {"@id": _SPECIFICATION},
            "about": {"@id": "./"},
        },
        root,
        {
            "@id": _PROFILE,
            "@type": "CreativeWork",
            "name": "Process Run Crate",
            "version": _PROFILE.rpartition("/")[2],
        },
        license_,
        *people,
        *runs,
        *(_file(name, entry) for name, entry in files.items()),
        _file(MANIFEST, None),
    ]
    return json.dumps({"@context": f"{_SPECIFICATION}/context", "@graph": graph}, indent=2) + "\n"


def _game(
    repo: GameRepository,
    number: int,
    game: str,
    folder: str,
    of_game: list[str],
    tables: list[str],
    digest: GameDigest,
    people: list[Entity],
) -> list[Entity]:
    """Return the playing of a game, its program, its folder and its digest."""
    session, origin = repo.get_game_session(game), repo.get_game_provenance(game)
    assert session is not None  # noqa: S101 - its digest was computed
    version = origin.package_version if origin else "unknown"
    program: Entity = {
        "@id": f"#payment-simulator-{number}",
        "@type": "SoftwareApplication",
        "name": "payment-simulator",
        "softwareVersion": version,
    }
    if origin is not None:
        program["softwareRequirements"] = f"Python {origin.python_version}, {origin.platform}"
    inputs = [n for n in of_game if n.startswith(tuple(f"{folder}/{i}" for i in _INPUTS))]
    identifier: Entity = {
        "@id": f"#digest-{number}",
        "@type": "PropertyValue",
        "propertyID": HEADING,
        "name": "SHA-256 over all rows of the game",
        "value": digest.sha256,
    }
    dataset: Entity = {
        "@id": f"{folder}/",
        "@type": "Dataset",
        "name": f"Game {game}",
        "description": "What the game was made of, and the policies that it found, as files.",
        "identifier": _ref(identifier),
        "hasPart": [{"@id": name} for name in of_game],
    }
    results = [name for name in of_game if name not in inputs]
    action: Entity = {
        "@id": f"#game-{number}",
        "@type": "CreateAction",
        "name": f"Playing of game {game}",
        "description": f"{session.game_mode}, seed {session.master_seed}: {session.status} after "
        f"{session.total_iterations} iterations",
        "instrument": _ref(program),
        "object": [{"@id": name} for name in inputs],
        "result": [{"@id": name} for name in (*tables, *results)],
        "startTime": _time(session.started_at),
        "identifier": _ref(identifier),
        **({"agent": _refs(people)} if people else {}),
    }
    status = GameStatus(session.status)
    if status in _STATUS:
        action["actionStatus"] = {"@id": _STATUS[status]}
    if session.completed_at is not None:
        action["endTime"] = _time(session.completed_at)
    return [action, program, dataset, identifier]


def _file(name: str, entry: FileEntry | None) -> Entity:
    path = PurePosixPath(name)
    found: Entity = {
        "@id": name,
        "@type": "File",
        "name": path.name,
        "encodingFormat": _TYPES[path.suffix],
    }
    if entry is not None:  # the manifest, which holds the hash of this file, comes after it
        found |= {"contentSize": str(entry.bytes), "sha256": entry.sha256}
    return found


def _time(moment: datetime) -> str:
    return moment.replace(tzinfo=UTC).isoformat()


def _ref(entity: Entity) -> Entity:
    return {"@id": entity["@id"]}


def _refs(entities: Iterable[Entity]) -> list[Entity] | Entity:
    """Return references; a single one by itself, as the specification recommends."""
    found = [_ref(entity) for entity in entities]
    return found[0] if len(found) == 1 else found
