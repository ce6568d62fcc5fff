"""The writing process's answers to readers, on loopback.

Five requests are known, each with the token of the sidecar file. ``GET /snapshot`` gives the whole
database as a DuckDB file, as one transaction sees it. ``POST /rows`` and ``POST /table`` answer one
query; see :mod:`payment_simulator.persistence.answering`. ``POST /begin`` and ``POST /end`` hold
one state for several queries; see :mod:`payment_simulator.persistence.held_snapshots`. Nothing in
them can change anything. When which is asked: ``docs/explanation/one-writer-many-readers.md``.
"""

from __future__ import annotations

import hmac
import json
import logging
import secrets
import shutil
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb

from payment_simulator.errors import DatabaseError, DatabaseFullError, PaymentSimulatorError
from payment_simulator.persistence import activity
from payment_simulator.persistence.answering import (
    LONGEST_QUESTION,
    ROWS,
    TABLE,
    answer_rows,
    answer_table,
    refusal,
)
from payment_simulator.persistence.copying import copy_database
from payment_simulator.persistence.held_snapshots import BEGIN, END, HeldSnapshots, begun
from payment_simulator.persistence.sidecar import remove_sidecar, write_sidecar
from payment_simulator.persistence.watching import (
    COPY_SECONDS,
    QUERY_SECONDS,
    REQUEST_SECONDS,
    SENDING_SECONDS,
    SLOWEST_BYTES_PER_SECOND,
    Phase,
    Request,
    Watch,
    WatchedStore,
)

LOOPBACK = "127.0.0.1"
SNAPSHOT = "/snapshot"
#: By this a reader knows that no other service has taken the port.
CONTENT_TYPE = "application/vnd.payment-simulator.snapshot"
#: Names what is worked on in a copy.
AT_WORK = "X-At-Work"
_log = logging.getLogger(__name__)


class SnapshotServer:
    """Serves copies of one open database to other processes of the same user.

    Parameters
    ----------
    conn : duckdb.DuckDBPyConnection
        A connection to the open database, for the server alone; ``close`` closes it.
    database : pathlib.Path
        Its file, beside which the sidecar is written.

    Raises
    ------
    OSError
        The folder cannot be written, or no port can be had.
    """

    def __init__(self, conn: duckdb.DuckDBPyConnection, database: Path) -> None:
        self.database = database
        self._conn = conn
        self.token = secrets.token_hex(32)
        self._server = _Server((LOOPBACK, 0), _Handler)
        self._watch = self._server.watch
        store = WatchedStore(conn, self._watch)
        self._server.store, self._server.token = store, self.token
        self._server.snapshots = HeldSnapshots(store, store.lent)
        try:
            write_sidecar(database, self._server.server_port, self.token)
        except BaseException:
            self._server.server_close()
            self._watch.close()
            raise
        self._closing = False
        self._thread = threading.Thread(
            target=self._serve, name=f"snapshots of {database.name}", daemon=True
        )
        self._thread.start()

    def _serve(self) -> None:
        # Blocks in select() and so costs nothing between requests; close() knocks to end it.
        while not self._closing:
            self._server.handle_request()

    @property
    def port(self) -> int:
        """Return the port on 127.0.0.1."""
        return self._server.server_port

    def close(self) -> None:
        """Remove the sidecar and stop answering; requests under way are interrupted.

        The log is written into the file first, for there may be no manager left to do that.
        """
        store = self._server.store
        moved = store.settle()
        if moved is not None:
            _log.error("%s", moved)
        remove_sidecar(self.database, self.token)
        if store.file is not None and store.file.error and store.file.error.found:
            remove_sidecar(store.file.error.found, self.token)  # its folder was moved
        self._server.snapshots.close()
        self._closing = True
        with suppress(OSError):
            socket.create_connection((LOOPBACK, self.port), timeout=1).close()
        self._thread.join()
        if not self._watch.close():
            _log.warning("%s: a reader's query does not end; it is left behind", self.database)
        self._server.server_close()
        self._conn.close()


class _Server(ThreadingHTTPServer):
    # What was interrupted has ended when the server closes, or would hold the process up for ever.
    daemon_threads = True
    block_on_close = False
    store: WatchedStore
    snapshots: HeldSnapshots
    token: str

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.watch = Watch()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Handle a request in a thread of its own, within its bounds."""
        admitted = self.watch.admit(request)
        self.watch.enter(admitted)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.watch.leave(admitted)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - given
        # A reader that goes away in the middle is its own affair, not the writer's.
        _log.debug("a reader's request failed", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "payment-simulator"
    sys_version = ""
    #: What this process worked on in the copy that is sent.
    _at_work: frozenset[str] | None = None
    timeout = REQUEST_SECONDS

    @property
    def _request(self) -> Request:
        return self.server.watch.here()

    def do_GET(self) -> None:
        """Answer with a copy of the database."""
        if self._is_allowed({SNAPSHOT}):
            self._request.begin(Phase.ASKING, COPY_SECONDS)
            self._send_file("snapshot.db", self._copy)

    def _copy(self, target: Path) -> None:
        location = self.server.store.location
        before = activity.at_work(location)
        copy_database(self.server.store, target)
        # What began or ended while the copy was made was worked on in it, or has ended in it.
        self._at_work = before | activity.at_work(location)

    def do_POST(self) -> None:
        """Answer a query."""
        if not self._is_allowed({ROWS, TABLE, BEGIN, END}):
            return
        length = self.headers.get("Content-Length") or ""
        if not (length.isascii() and length.isdecimal()) or int(length[:20]) > LONGEST_QUESTION:
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(int(length))
        snapshots = self.server.snapshots
        self._request.begin(Phase.ASKING, QUERY_SECONDS)
        if self.path == TABLE:
            self._send_file(
                "table.parquet", lambda file: answer_table(snapshots, body, file), refusal
            )
            return
        try:
            if self.path == ROWS:
                answer = answer_rows(snapshots, body)
            elif self.path == BEGIN:
                answer = self._begin()
            else:
                snapshots.end(body.decode(errors="replace"))
                answer = b""
        except PaymentSimulatorError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, error)
        else:
            self._send(HTTPStatus.OK, answer)

    def _begin(self) -> bytes:
        """Hold a state for whoever asked, unless the request was ended meanwhile."""
        held = self.server.snapshots.begin()
        try:
            self._request.check()
        except PaymentSimulatorError:
            self.server.snapshots.end(begun(held)[0])
            raise
        return held

    def _is_allowed(self, known: set[str]) -> bool:
        host = (self.headers.get("Host") or "").rpartition(":")[0]
        given = self.headers.get("Authorization") or ""
        expected = f"Bearer {self.server.token}"
        # A page in a browser can reach loopback under another name; it cannot know the token.
        if host != LOOPBACK or not hmac.compare_digest(given.encode(), expected.encode()):
            self.send_error(HTTPStatus.FORBIDDEN)
        elif self.path not in known:
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            return True
        return False

    def _send_file(
        self,
        name: str,
        write: Callable[[Path], None],
        said: Callable[[PaymentSimulatorError], bytes] = lambda error: str(error).encode(),
    ) -> None:
        """Send what is written to a temporary file, or why it could not be."""
        try:
            with self.server.store.room() as folder:
                target = self._request.file = folder / name
                write(target)
                self._request.check()
                size = target.stat().st_size
                with target.open("rb") as file, suppress(OSError):
                    self._send_head(HTTPStatus.OK, size)
                    shutil.copyfileobj(file, self.wfile, 1 << 20)
        except PaymentSimulatorError as error:
            is_full = isinstance(error, DatabaseFullError)
            self._refuse(
                HTTPStatus.INSUFFICIENT_STORAGE if is_full else HTTPStatus.INTERNAL_SERVER_ERROR,
                error,
                said,
            )

    def _refuse(
        self,
        status: HTTPStatus,
        error: PaymentSimulatorError,
        said: Callable[[PaymentSimulatorError], bytes] = refusal,
    ) -> None:
        """Say why there is no answer; DuckDB does not know why it was interrupted."""
        if self._request.is_writer_closing:
            status = HTTPStatus.SERVICE_UNAVAILABLE
        self._send(status, said(DatabaseError(self._request.why) if self._request.why else error))

    def _send(self, status: HTTPStatus, body: bytes) -> None:
        with suppress(OSError):  # a reader may go away, and one that is too slow is cut off
            self._send_head(status, len(body))
            self.wfile.write(body)

    def _send_head(self, status: HTTPStatus, size: int) -> None:
        seconds = SENDING_SECONDS + size / SLOWEST_BYTES_PER_SECOND
        self._request.begin(Phase.SENDING, seconds)
        self.connection.settimeout(SENDING_SECONDS)
        self.send_response(status)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(size))
        if self._at_work is not None:
            self.send_header(AT_WORK, json.dumps(sorted(self._at_work)))
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name given there
        _log.debug("reader: " + format, *args)
