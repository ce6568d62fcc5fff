"""Who may ask the dashboard for what, and what browsers are told about its answers.

A dashboard on this machine is within reach of every page that a browser here has open, so each
request is looked at before anything is read: its method, the name by which the server was called
(a page elsewhere can give its own name this machine's address), whether another site made it, and,
where the dashboard listens to more than this machine, a token.
"""

from __future__ import annotations

import hmac
import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Nothing is loaded from elsewhere, and no text can become a script or a style.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
#: Paths whose answers are for the pages themselves, never for a person following a link.
_FOR_PAGES = ("/data/", "/live/", "/parts/", "/static/")
_HTTP_PORT = 80


@dataclass(frozen=True)
class Access:
    """Who is let in.

    Attributes
    ----------
    host : str
        The address that the server is bound to.
    port : int
        Its port.
    token : str, optional
        What has to be shown; not asked for where it is None.
    names : frozenset of str
        Names of this server beside those it has by itself, in small letters.
    """

    host: str
    port: int
    token: str | None = field(default=None, repr=False)
    names: frozenset[str] = frozenset()

    @property
    def cookie(self) -> str:
        """Return the cookie's name; cookies of one machine are shared by all its ports."""
        return f"payment-sim-{self.port}"

    def knows(self, host: str) -> bool:
        """Tell whether a ``Host`` header names this server."""
        name, port = _split(host)
        if is_loopback(self.host):
            return port == self.port and (name in LOOPBACK_NAMES or name in self.names)
        return name in self.names or name in LOOPBACK_NAMES or _is_address(name)


def is_loopback(host: str) -> bool:
    """Tell whether an address is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def own_names(more: Iterable[str] = ()) -> frozenset[str]:
    """Return the names of this machine and others that were given, in small letters."""
    found = {socket.gethostname(), socket.getfqdn(), *more}
    return frozenset(name.lower().rstrip(".") for name in found if name)


def _split(host: str) -> tuple[str, int | None]:
    name, colon, port = host.lower().rpartition(":")
    if not colon or host.endswith("]"):
        return host.lower().rstrip("."), _HTTP_PORT
    return name.rstrip("."), int(port) if port.isascii() and port.isdecimal() else None


def _is_address(name: str) -> bool:
    # An address cannot be rebound: no name service stands between it and the server.
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


class Guard:
    """Middleware that turns away what must not be answered, and signs what is answered."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the application do so."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def signed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, signed)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if scope["method"] not in {"GET", "HEAD"}:
            return _say(405, "The dashboard only reads: GET and HEAD.", {"Allow": "GET, HEAD"})
        # More than one Host header is two opinions on who was asked.
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._access.knows(hosts[0]):
            return _say(
                421,
                "This server is not called by that name. Open the address that "
                "payment-sim dashboard printed; --allow-host NAME admits another name.",
            )
        if _is_foreign(headers, scope["path"]):
            return _say(403, "Another site asked for this; open the dashboard itself.")
        return self._without_token(scope, headers)

    def _without_token(self, scope: Scope, headers: Headers) -> Response | None:
        """Turn away who shows no token; who shows it in the address gets a cookie for it."""
        token = self._access.token
        if token is None:
            return None
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        shown = [value for name, value in query if name == "token"]
        if shown and _is_same(shown[0], token):
            rest = urlencode([(name, value) for name, value in query if name != "token"])
            # One slash: an address that begins with two leads to another server.
            path = quote("/" + scope["path"].lstrip("/\\"))
            answer = RedirectResponse(path + ("?" + rest if rest else ""), status_code=303)
            answer.set_cookie(
                self._access.cookie, token, path="/", httponly=True, samesite="strict"
            )
            return answer
        if _is_same(_cookie(headers, self._access.cookie), token):
            return None
        return _say(
            403,
            "A token is needed: open the address that payment-sim dashboard printed, with its "
            "token. If you have just done so from a link, reload this page.",
        )


def _is_foreign(headers: Headers, path: str) -> bool:
    """Tell whether a browser says that another site made the request.

    A person may follow a link from elsewhere to a page; no other site may ask for data.
    """
    if headers.get("sec-fetch-site", "none") in {"same-origin", "none"}:
        return False
    is_a_visit = (
        headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    )
    return not is_a_visit or path.startswith(_FOR_PAGES)


def _cookie(headers: Headers, name: str) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def _is_same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


def _say(status: int, text: str, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(text + "\n", status, headers)
