"""The reader's end of the line to the writing process: one request, within a time and a size."""

from __future__ import annotations

import http.client
import shutil
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import IO

from payment_simulator.errors import DatabaseError, DatabaseFullError
from payment_simulator.persistence.answering import ROWS, question, rows_of
from payment_simulator.persistence.serving import AT_WORK, CONTENT_TYPE, LOOPBACK
from payment_simulator.persistence.sidecar import Sidecar
from payment_simulator.persistence.watching import SENDING_SECONDS, SLOWEST_BYTES_PER_SECOND

#: How long a writer may take to be there; it does nothing else in between.
CONNECT_SECONDS = 5.0
#: How long to wait for a first sign.
FIRST_SECONDS = 10.0
#: What an answer in memory may have at most, and what an error may say.
LARGEST_IN_MEMORY = (512 << 20) + (1 << 20)
_LARGEST_REFUSAL = 1 << 16
_PIECE = 1 << 20


class WriterIsGoneError(Exception):
    """Nobody answers at the writer's port as a writer does."""


class TooSlowError(Exception):
    """The answer took longer than it may."""


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes
    ----------
    status : int
        The HTTP status.
    body : bytes
        What was said, unless it went into a file.
    at_work : str or None
        What the writer said beside a copy that it works on in it.
    """

    status: int
    body: bytes
    at_work: str | None = None


class _Clock:
    """Hangs up when the time is over; a timeout of a socket begins again with every byte."""

    def __init__(self, connection: http.client.HTTPConnection, seconds: float) -> None:
        self._connection = connection
        self.has_rung = False
        self._start(seconds)

    def _start(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._ring)
        self._timer.daemon = True
        self._timer.start()

    def _ring(self) -> None:
        self.has_rung = True
        if self._connection.sock is not None:
            with suppress(OSError):
                self._connection.sock.shutdown(socket.SHUT_RDWR)

    def again(self, seconds: float) -> None:
        self._timer.cancel()
        self._start(seconds)

    def stop(self) -> None:
        self._timer.cancel()


def is_there(writer: Sidecar) -> bool:
    """Tell whether the writer answers, with a question that costs it nothing.

    Raises
    ------
    TooSlowError
        Somebody is there, and says nothing.
    """
    try:
        answer = ask(writer, "POST", ROWS, question("SELECT 1", ()), seconds=FIRST_SECONDS)
        return answer.status == HTTPStatus.OK and rows_of(answer.body) == [(1,)]
    except (WriterIsGoneError, DatabaseError):
        return False


def ask(
    writer: Sidecar,
    method: str,
    path: str,
    body: bytes | None = None,
    *,
    seconds: float,
    target: Path | None = None,
) -> Answer:
    """Ask the writing process.

    Parameters
    ----------
    writer : Sidecar
        Who writes, and where it answers.
    method, path : str
        What is asked.
    body : bytes, optional
        The question.
    seconds : float
        How long it may take to begin its answer.
    target : Path, optional
        A file for the answer.

    Raises
    ------
    WriterIsGoneError
        Nobody answers there, or hangs up, or it is another service.
    TooSlowError
        The answer did not come, or did not end, in time.
    DatabaseFullError
        No room for the answer.
    DatabaseError
        The answer broke off, or is larger than it may be.
    """
    connection = http.client.HTTPConnection(LOOPBACK, writer.port, timeout=CONNECT_SECONDS)
    clock = answer = None
    try:
        connection.connect()
        connection.sock.settimeout(None)
        clock = _Clock(connection, seconds)
        connection.request(method, path, body, {"Authorization": f"Bearer {writer.token}"})
        answer = connection.getresponse()
        size = answer.headers["Content-Length"] or ""
        if answer.headers["Content-Type"] != CONTENT_TYPE or not (
            size.isascii() and size.isdecimal() and len(size) < len(str(2**63))
        ):
            raise WriterIsGoneError  # another program has taken the port
        clock.again(SENDING_SECONDS + int(size) / SLOWEST_BYTES_PER_SECOND)
        if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
            raise WriterIsGoneError  # it is closing the file, which can be read then
        if answer.status != HTTPStatus.OK:
            return Answer(answer.status, answer.read(_LARGEST_REFUSAL))
        body = _take(answer, int(size), target, writer)
        return Answer(answer.status, body, answer.headers[AT_WORK])
    except (OSError, http.client.HTTPException) as error:
        raise (TooSlowError if clock and clock.has_rung else WriterIsGoneError) from error
    finally:
        if clock is not None:
            clock.stop()
        if answer is not None:
            answer.close()
        connection.close()


def _take(
    answer: http.client.HTTPResponse, size: int, target: Path | None, writer: Sidecar
) -> bytes:
    if target is None:
        if size > LARGEST_IN_MEMORY:
            raise DatabaseError(
                f"the writing process (PID {writer.pid}) announces an answer of {size:,} bytes, "
                f"expected at most {LARGEST_IN_MEMORY:,}; ask in parts"
            )
        return answer.read()
    free = shutil.disk_usage(target.parent).free
    if size > free:
        raise _no_room(size, target, f"{free:,} bytes are free")
    try:
        file: IO[bytes]
        with target.open("wb") as file:
            taken = 0
            while piece := answer.read(_PIECE):
                taken += file.write(piece)
    except OSError as error:
        raise _no_room(size, target, str(error.strerror)) from error
    if taken != size:
        raise DatabaseError(
            f"the copy from the writing process (PID {writer.pid}) broke off after {taken} of "
            f"{size} bytes; try again"
        )
    return b""


def _no_room(size: int, target: Path, why: str) -> DatabaseFullError:
    return DatabaseFullError(
        f"no room for {size:,} bytes in {target.parent} ({why}); free some space, or set TMPDIR to "
        "a larger folder"
    )
