"""Scripts, styles and pictures of the pages, served under an address that changes with them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
#: The address of a file changes when any of them does, so a browser never asks twice for one.
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}


class Assets:
    """The files of the folder ``static``, and others that are made.

    All stand under one prefix, so that modules find each other by their names.

    Parameters
    ----------
    made : mapping of str to str
        Texts of files that are not in the folder, by name.
    """

    def __init__(self, made: Mapping[str, str]) -> None:
        self._files = {name: text.encode() for name, text in made.items()}
        self._collect(files("payment_simulator.dashboard").joinpath("static"), "")
        whole = hashlib.sha256()
        for name, content in sorted(self._files.items()):
            whole.update(name.encode() + b"\0" + content + b"\0")
        self._version = whole.hexdigest()[:12]

    def _collect(self, folder: Traversable, prefix: str) -> None:
        for entry in folder.iterdir():
            if entry.is_dir():
                self._collect(entry, f"{prefix}{entry.name}/")
            elif "." + entry.name.rpartition(".")[2] in _KINDS:
                self._files[prefix + entry.name] = entry.read_bytes()

    def address(self, name: str) -> str:
        """Return where a file is served."""
        if name not in self._files:
            raise KeyError(name)
        return f"/static/{self._version}/{name}"

    async def serve(self, request: Request) -> Response:
        """Answer a request for a file."""
        name = request.path_params["name"]
        content = self._files.get(name)
        if content is None or request.path_params["version"] != self._version:
            return PlainTextResponse("There is no such file; reload the page.\n", 404)
        return Response(content, media_type=_KINDS["." + name.rpartition(".")[2]], headers=_FOREVER)
