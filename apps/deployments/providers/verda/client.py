"""The whole of Verda that VoiceFlow uses, behind one object."""

from __future__ import annotations

from apps.deployments.providers.verda.account import Account
from apps.deployments.providers.verda.catalogue import Catalogue
from apps.deployments.providers.verda.instances import Instances
from apps.deployments.providers.verda.waiting import Waiting


class VerdaClient(Waiting, Instances, Catalogue, Account):
    """Verda's public API, over its official SDK's payloads and tokens and a transport of our own.

    Every call has timeouts and a bounded length. GET and DELETE are repeated with growing pauses where
    that may help; other calls are not, since they may have been done: their errors then say
    `outcome_unknown`, and whoever creates something looks by its name before trying again. An access token
    that is refused is renewed once. Methods raise `VerdaError`, and nothing else over the network.

    Threads of one process may share one client. Nothing is sent before the first call.
    """
