"""Stands in for Verda's public API, control plane and data plane, strict and with a clock of its own.

    with FakeVerda(backend=worker_url) as verda:
        client = Client(verda.base_url, verda.client_id, verda.client_secret)
        verda.faults.add("/container-deployments", "POST", kind="rate_limited", seconds=2)
        client.create(deployment_spec(name="vf-tts"))  # from tests.fakes.verda.specs
        verda.clock.advance(65)
        assert verda.containers["vf-tts"].status == "healthy"
        assert verda.calls.count("/container-deployments", "POST") == 2
        assert verda.bill() == 0

Requests to `endpoint_base_url` with `verda.inference_key` reach the worker; `verda.edge` says how faithfully.
"""

from tests.fakes.verda.fake import FakeVerda
from tests.fakes.verda.faults import Fault

__all__ = ["FakeVerda", "Fault"]
