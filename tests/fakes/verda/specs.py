"""Requests that the API takes as they are; `changes` replace fields of them."""

from __future__ import annotations

from typing import Any


def scaling_spec(**changes: Any) -> dict[str, Any]:
    return {
        "min_replica_count": 0,
        "max_replica_count": 3,
        "scale_down_policy": {"delay_seconds": 900},
        "scale_up_policy": {"delay_seconds": 30},
        "queue_message_ttl_seconds": 300,
        "concurrent_requests_per_replica": 1,
        "scaling_triggers": {"queue_load": {"threshold": 1}, "cpu_utilization": {"enabled": False}},
    } | changes


def container_spec(**changes: Any) -> dict[str, Any]:
    return {"image": "ghcr.io/acme/chatterbox-tts:v1.1.0", "exposed_port": 8000} | changes


def deployment_spec(**changes: Any) -> dict[str, Any]:
    return {
        "name": "vf-tts",
        "is_spot": True,
        "compute": {"name": "V100 16GB", "size": 1},
        "container_registry_settings": {"is_private": False},
        "containers": [container_spec()],
        "scaling": scaling_spec(),
    } | changes


def instance_spec(**changes: Any) -> dict[str, Any]:
    return {
        "instance_type": "1V100.6V",
        "image": "ubuntu-24.04-cuda-12.8-open-docker",
        "hostname": "vf-1",
        "description": "d",
        "location_code": "FIN-03",
        "os_volume": {"name": "os", "size": 50, "on_spot_discontinue": "delete_permanently"},
        "is_spot": True,
    } | changes
