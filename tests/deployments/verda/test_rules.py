"""What is refused before any call, and what the package may import."""

from __future__ import annotations

import ast
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import apps.deployments.providers.verda as package
from apps.deployments.providers.verda import rules
from apps.deployments.providers.verda.errors import InvalidRequest
from apps.deployments.providers.verda.types import ContainerSpec, Scaling
from tests.deployments.verda.conftest import IMAGE

FOLDER = Path(package.__file__).parent
DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize("name", ["a", "vf-tts", "0", "a" * 63, "a--b"])
def test_names(name: str) -> None:
    rules.check_name(name)


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a_b", "a.b", "a" * 64, "a\n", "é", "a/b"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        rules.check_name(name)
    assert (caught.value.status, caught.value.permanent) == (None, True)


@pytest.mark.parametrize("image", [IMAGE, "nginx:1.27", "localhost:5000/a/b:v1", "a.b/c_d/e-f:V1.0_x-2"])
def test_images(image: str) -> None:
    rules.check_image(image)


@pytest.mark.parametrize(
    ("image", "why"),
    [
        ("nginx", "no tag"),
        ("localhost:5000/nginx", "no tag"),
        ("ghcr.io/a/b:latest", "latest"),
        ("ghcr.io/a/b:LATEST", "latest"),
        (f"ghcr.io/a/b@{DIGEST}", "digest"),
        (f"ghcr.io/a/b:v1@{DIGEST}", "digest"),
        ("ghcr.io/a/b:", "not the name"),
        (":v1", "not the name"),
        ("ghcr.io/a b:v1", "not the name"),
        ("https://ghcr.io/a/b:v1", "not the name"),
        ("ghcr.io/A/b:v1", "not the name"),
        ("ghcr.io/a/b:v1\n", "not the name"),
        ("", "no tag"),
    ],
)
def test_what_is_no_image(image: str, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        rules.check_image(image)


@pytest.mark.parametrize(
    "scaling",
    [
        Scaling(min_replicas=-1),
        Scaling(max_replicas=0),
        Scaling(min_replicas=2, max_replicas=1),
        Scaling(scale_down_delay_seconds=-1),
        Scaling(scale_up_delay_seconds=-1),
        Scaling(concurrent_requests_per_replica=0),
        Scaling(queue_message_ttl_seconds=0),
        Scaling(queue_load_threshold=0),
    ],
)
def test_what_is_no_scaling(scaling: Scaling) -> None:
    with pytest.raises(InvalidRequest):
        rules.check_scaling(scaling)


def test_what_is_no_deployment(spec: ContainerSpec) -> None:
    rules.check_container(spec)
    for broken in (
        replace(spec, compute_name=""),
        replace(spec, compute_size=0),
        replace(spec, port=0),
        replace(spec, port=65536),
        replace(spec, health_path="health"),
    ):
        with pytest.raises(InvalidRequest):
            rules.check_container(broken)


@pytest.mark.parametrize("value", ["", ".", "..", "a/b", "a%2Fb", "a?b", "a b", "a\n", "ä"])
def test_what_could_name_another_path_is_refused(value: str) -> None:
    with pytest.raises(InvalidRequest):
        rules.check_segment(value)


def imports_of(file: Path) -> set[str]:
    """Modules that a file names, those of its own package by their file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == package.__name__:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def test_the_client_stands_alone() -> None:
    allowed = {"requests", "urllib3", "verda", *sys.stdlib_module_names}
    seen, waiting = set[str](), {package.__name__ + ".client"}
    while waiting:
        module = waiting.pop()
        seen.add(module)
        for name in imports_of(FOLDER / f"{module.rpartition('.')[2]}.py"):
            if name.startswith(package.__name__ + "."):
                waiting |= {name} - seen
            else:
                assert name.partition(".")[0] in allowed, f"{module} imports {name}"
    assert len(seen) > 10
