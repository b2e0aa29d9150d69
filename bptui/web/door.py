"""Who may come in: only this machine, only who knows the token, and no page of somebody else's.

A browser sends requests for any page that is open in it. So a token in the path alone keeps strangers out, the `Host`
those who have another name point here (DNS rebinding), and the `Origin` the pages of others. No cookie is needed: those
do not tell one port from another.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

LOOPBACK = "127.0.0.1"
_OWN = ("same-origin", "none")


def new_token() -> str:
    """As many bits as nobody guesses."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Door:
    """The address that lets in.

    port   where the server listens
    token  the first part of every path
    """

    port: int
    token: str = field(default_factory=new_token, repr=False)

    @property
    def address(self) -> str:
        """What is opened in a browser."""
        return f"http://{LOOPBACK}:{self.port}/{self.token}/"

    def refusal(self, path: str, headers: Mapping[str, str], *, socket: bool = False) -> str:
        """Why a request is not let in, or "".

        socket  it asks for the connection to the app, which a page always does with its origin
        """
        host, origin = headers.get("Host", ""), headers.get("Origin")
        if host not in (f"{LOOPBACK}:{self.port}", f"localhost:{self.port}"):
            return "another host"
        if (socket or origin is not None) and origin != f"http://{host}":
            return "another origin"
        if headers.get("Sec-Fetch-Site", "none") not in _OWN:
            return "another site"
        return "" if self._knows(path) else "no token"

    def _knows(self, path: str) -> bool:
        """Whether a path begins with the token; how long that takes does not tell how much of it is right."""
        given = path.removeprefix("/").partition("/")[0]
        return hmac.compare_digest(given.encode("utf-8", "replace"), self.token.encode())
