"""The way to the Graph API: a request arrives promptly, or not at all."""

import socket
from urllib.request import getproxies

import httpx

UNHEARD_S = 4.0
"""Seconds after which what the other end has not acknowledged is given up, by the kernel too.

A host whose network is cut goes on repeating what it could not deliver, and delivers it when the network is
back, even for a connection that was closed meanwhile. By then another worker may have sent the message again
(after SARA_UNKNOWN_GRACE_S, which has to be longer): the customer would get it twice.
"""


def prompt_or_not_at_all(limits: httpx.Limits) -> httpx.AsyncHTTPTransport | None:
    """A transport that bounds how late a request can arrive (tcp(7), TCP_USER_TIMEOUT).

    None where the system has no such bound (not Linux), or where a proxy of the environment stands in
    between, to which httpx's own transport knows the way.
    """
    option: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is None or getproxies():
        return None
    bound = [(socket.IPPROTO_TCP, option, int(UNHEARD_S * 1000))]
    return httpx.AsyncHTTPTransport(limits=limits, socket_options=bound)
