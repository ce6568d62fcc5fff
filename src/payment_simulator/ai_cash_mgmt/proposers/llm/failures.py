"""Why a call of a language model brought no answer: in one line, and without any key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from payment_simulator.ai_cash_mgmt.proposers.llm.keys import KEYS, redacted
from payment_simulator.wording import visible

#: Keys as providers repeat them, with stars for the middle.
_MASKED: Final = re.compile(r"\b(?:sk-|AIza)[\w*.-]*[\w*]")
_LINE: Final = 300
#: HTTP codes after which the same request may well succeed.
_AGAIN: Final = frozenset({408, 409, 425, 429})
_SERVER_FAULTS: Final = 500
_UNWELCOME: Final = frozenset({401, 403})
_MALFORMED: Final = frozenset({400, 422})


class CallFailedError(Exception):
    """A call brought no answer.

    Attributes
    ----------
    is_worth_another : bool
        Whether the same call may succeed later.
    retry_after : float or None
        Seconds that the server asks to wait.
    """

    def __init__(
        self, message: str, *, is_worth_another: bool, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.is_worth_another = is_worth_another
        self.retry_after = retry_after


def failure_of(error: Exception, provider: str, timeout_seconds: float) -> CallFailedError:
    """Return what pydantic-ai raised as a failed call.

    Parameters
    ----------
    error : Exception
    provider : str
        One of ``KEYS``.
    timeout_seconds : float
        How long an answer was waited for.
    """
    from pydantic_ai import exceptions as e  # noqa: PLC0415 - an extra

    if isinstance(error, e.ModelHTTPError):
        is_spent = isinstance(error, e.ModelQuotaExceededError)
        return _http_failure(error, provider, is_spent=is_spent)
    what = one_line(error)
    if isinstance(error, e.ModelRequestTimeout | e.ModelTimeoutError):
        what = f"no answer within {timeout_seconds:g} seconds"
    elif isinstance(error, e.ModelConnectionError):
        what = f"the connection failed: {what}"
    elif not isinstance(error, e.ModelAPIError | e.UnexpectedModelBehavior):
        # A fault of the call itself, which would come again.
        return CallFailedError(f"{type(error).__name__}: {what}", is_worth_another=False)
    return CallFailedError(what, is_worth_another=True)


def _http_failure(error: Any, provider: str, *, is_spent: bool) -> CallFailedError:
    code = error.status_code
    told = f"HTTP {code}: {one_line(_message(error.body))}"
    if code in _UNWELCOME:
        told += f" (the key is that of {' or '.join(KEYS[provider])})"
    if code in _MALFORMED and "seed" in told.lower():
        told += " (send_seed: false of the proposer keeps the seed for sampling from being sent)"
    is_transient = code in _AGAIN or code >= _SERVER_FAULTS
    return CallFailedError(
        told, is_worth_another=is_transient and not is_spent, retry_after=error.retry_after
    )


def _message(body: object) -> object:
    """Return the message in the body of an error, as all providers write it, or the body."""
    if not isinstance(body, Mapping):
        return body or "no message"
    inner = body.get("error", body)
    if isinstance(inner, Mapping):
        return inner.get("message") or inner
    return inner


def one_line(text: object) -> str:
    """Return what an error says on one line, without keys, cut where it is long."""
    line = visible(_MASKED.sub("[key]", redacted(" ".join(str(text).split()))))
    return line if len(line) <= _LINE else f"{line[:_LINE]}..."
