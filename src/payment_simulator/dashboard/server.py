"""Runs the dashboard until somebody ends it."""

from __future__ import annotations

import errno
import logging
import os
import secrets
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from types import FrameType

import uvicorn

from payment_simulator.dashboard.app import build_app
from payment_simulator.dashboard.security import Access, is_loopback, own_names
from payment_simulator.dashboard.site import Site
from payment_simulator.dashboard.source import Source
from payment_simulator.errors import InputError

#: Room for an address with long names in it, in bytes.
_LONGEST_REQUEST = 1 << 18
_TOKEN_BYTES = 24


@dataclass(frozen=True)
class Place:
    """Where a dashboard is served: a socket that is bound, and who is let in.

    Attributes
    ----------
    listener : socket.socket
    access : Access
    url : str
        What a person opens; with the token, where one is asked for.
    """

    listener: socket.socket
    access: Access
    url: str


def take_place(
    host: str, port: int, *, names: Iterable[str] = (), wants_token: bool = False
) -> Place:
    """Bind an address, before anything else is done.

    Parameters
    ----------
    host : str
        An address of this machine; one that others reach comes with a token.
    port : int
        Its port; 0 takes one that is free.
    names : iterable of str
        Other names by which the server may be called.
    wants_token : bool
        Ask for a token on this machine, too.

    Raises
    ------
    InputError
        The address or the port cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise InputError(
            f"--host {host}: it is no address of this machine ({error}); "
            "leave it out, or give 127.0.0.1, 0.0.0.0 or an address that the machine has"
        ) from error
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise _cannot_bind(error, host, port) from error
    port = listener.getsockname()[1]
    token = None
    if wants_token or not is_loopback(host):
        token = secrets.token_urlsafe(_TOKEN_BYTES)
    known = frozenset(name.lower() for name in names)
    access = Access(host, port, token, known if is_loopback(host) else own_names(known))
    shown = _host_to_open(host)
    return Place(listener, access, f"http://{shown}:{port}/" + (f"?token={token}" if token else ""))


def _cannot_bind(error: OSError, host: str, port: int) -> InputError:
    if error.errno == errno.EADDRINUSE:
        return InputError(
            f"--port {port}: another program listens there on {host}, perhaps another dashboard; "
            "give another port, or 0 for any that is free"
        )
    if error.errno == errno.EACCES:
        return InputError(
            f"--port {port}: it is reserved for the system; give one from 1024, or 0 for any"
        )
    return InputError(
        f"--host {host}: it cannot be listened on ({error.strerror}); give an address of this "
        "machine"
    )


def _host_to_open(host: str) -> str:
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - to be recognised, not bound
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host


class _Server(uvicorn.Server):
    """A server that tells its pages when it ends, so that it does not wait for them."""

    def __init__(self, config: uvicorn.Config, site: Site) -> None:
        super().__init__(config)
        self._site = site

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take an order to end."""
        self._site.stopping.set()
        super().handle_exit(sig, frame)
        # What is left of it is the end of the command, not of the process that called it.
        self._captured_signals.clear()


def serve(source: Source, place: Place) -> None:
    """Serve a record until an interrupt or an order to end comes."""
    app, site = build_app(source, place.access)
    config = uvicorn.Config(
        app,
        access_log=False,  # a token stands in the first address that is asked for
        log_level=logging.WARNING,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        loop="asyncio",
        http="h11",
        ws="none",
        h11_max_incomplete_event_size=_LONGEST_REQUEST,
        timeout_graceful_shutdown=1,
    )
    try:
        _Server(config, site).run(sockets=[place.listener])
    finally:
        source.close()
