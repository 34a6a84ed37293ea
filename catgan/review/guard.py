"""Who may ask: the browser that was given the token, from the page's own address; nobody else."""

import ipaddress
import secrets
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BODY = 4 << 20  # bytes of a request: some 20,000 decisions
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}


class Guard:
    """Stands before an app, and lets nothing through that is not the page's own.

    A page of another site may send requests here too, from the browser of whoever looks at it; a
    name of that site may even be made to lead here. So the address asked for must be this one
    (`Host`), the page that asks must come from it (`Origin`), and the cookie with the token, which
    other sites' requests do not carry, must be there.
    """

    def __init__(self, app: App, *, token: str, host: str, port: int) -> None:
        """Guard an app.

        Args:
            app: What answers.
            token: What the first address has, and the cookie from then on.
            host: The address that is listened at.
            port: Likewise.
        """
        self._app = app
        self._token = token
        self._host = host
        self._port = port
        self._cookie = f"catgan-review-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        fresh = False

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                if fresh:
                    own.append((b"set-cookie", self._set_cookie().encode()))
                message = {**message, "headers": [*message.get("headers", []), *own]}
            await send(message)

        why_not = self._refuse(scope["method"], headers)
        if why_not is None and not self._knows(headers.get("cookie", "")):
            fresh = self._begins(scope)
            if not fresh:
                why_not = "Open the address that catgan printed: it has the key to this page."
        if why_not is not None:
            await _refused(answer, why_not)
            return
        await self._app(scope, _bounded(receive), answer)

    def _refuse(self, method: str, headers: dict[str, str]) -> str | None:
        host = headers.get("host", "")
        if not self._is_here(host):
            return "This page has another address."
        if method not in ("GET", "HEAD", "POST"):
            return "This page does not do that."
        origin = headers.get("origin")
        if origin is None and method == "POST":
            return "Requests must come from the page itself."
        if origin is not None and origin != f"http://{host}":
            return "Requests must come from the page itself."
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MOST_BODY:
            return "The request is too large."
        return None

    def _is_here(self, host: str) -> bool:
        """Whether a `Host` is this machine's: an address in figures, or a name of its own."""
        name, _, port = host.rpartition(":")
        if port != str(self._port):
            return False
        name = name.strip("[]").lower()
        if name == "localhost":
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return not _is_loopback(self._host) and name in {
                self._host.lower(),
                socket.gethostname().lower(),
                socket.getfqdn().lower(),
            }
        # figures cannot be made to lead elsewhere, as the name of another site can
        return address.is_loopback or not _is_loopback(self._host)

    def _knows(self, cookies: str) -> bool:
        try:
            found = SimpleCookie(cookies).get(self._cookie)
        except CookieError:
            return False
        return found is not None and secrets.compare_digest(
            found.value.encode(), self._token.encode()
        )

    def _begins(self, scope: Scope) -> bool:
        """Whether it is the first request, with the token in its address."""
        if scope["method"] != "GET" or scope["path"] != "/":
            return False
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        return secrets.compare_digest(asked.encode(), self._token.encode())

    def _set_cookie(self) -> str:
        return f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bounded(receive: Receive) -> Receive:
    """The same requests, ended where a body grows too large without saying so beforehand."""
    got = 0

    async def take() -> Message:
        nonlocal got
        message = await receive()
        got += len(message.get("body", b""))
        return {"type": "http.disconnect"} if got > MOST_BODY else message

    return take


async def _refused(send: Send, why: str) -> None:
    body = (why + "\n").encode()
    await send(
        {
            "type": "http.response.start",
            "status": 403,
            "headers": [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", str(len(body)).encode()),
                (b"cache-control", b"no-store"),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
