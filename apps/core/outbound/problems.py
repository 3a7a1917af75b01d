"""What a failure means to the customer whose URL it was."""

from __future__ import annotations

import ssl

import aiohttp

from .addresses import Target
from .answers import Problem
from .dialling import Attempt, RefusedAddressError

_REFUSED = "The host leads to an address that we do not send to: only to ones that everybody can reach."
_PLAIN = "The host leads to an address that we only send to by https."


def of(error: Exception, attempt: Attempt, target: Target) -> tuple[Problem, str]:
    """The code and one sentence, which names no address that a name stands for."""
    if attempt.is_refused or _is_refused(error):
        return Problem.REFUSED_ADDRESS, _PLAIN if target.scheme == "http" else _REFUSED
    if attempt.socket is not None and attempt.socket.is_flooded:
        return Problem.PROTOCOL, f"{target.host} sent more than an answer can be."
    if isinstance(error, aiohttp.InvalidURL):
        return Problem.INVALID_URL, "The URL is not one that can be sent to."
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Problem.DNS, f"The name {target.host} could not be found."
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return Problem.TLS, f"The certificate of {target.host} is not valid: {_flaw(error)}."
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return Problem.TLS, f"No TLS connection to {target.host} could be made."
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return Problem.TIMEOUT, f"{target.host} did not take the connection in time."
    if isinstance(error, TimeoutError) and attempt.dialled is None:
        return Problem.TIMEOUT, f"No connection to {target.host} could be made in time."
    if isinstance(error, TimeoutError):
        return Problem.TIMEOUT, f"{target.host} did not answer in time."
    if isinstance(error, aiohttp.ClientConnectorError):
        return Problem.CONNECT, f"{target.host} took no connection at port {target.port}."
    if isinstance(error, aiohttp.ServerDisconnectedError | OSError):
        return Problem.RESET, f"{target.host} closed the connection before it answered."
    return Problem.PROTOCOL, f"{target.host} answered with something that is not HTTP."


def _is_refused(error: Exception) -> bool:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return isinstance(cause, RefusedAddressError)


def _flaw(error: aiohttp.ClientConnectorCertificateError) -> str:
    """OpenSSL's words for it, which speak of the certificate alone."""
    cause = error.certificate_error
    words = getattr(cause, "verify_message", "") or "it could not be verified"
    return str(words).rstrip(".")
