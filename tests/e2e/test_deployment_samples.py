"""The samples of the docs that make deployments and set budgets, run as they stand there."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from apps.console.docs.samples import samples_of
from apps.deployments.models import Budget, Deployment
from tests.e2e.docs_samples import run_sample
from tests.platform import Tenant


def cases(name: str) -> list[object]:
    return [
        pytest.param(sample.language, marks=[pytest.mark.node] if sample.language == "javascript" else [])
        for sample in samples_of(name, "")
    ]


@pytest.mark.parametrize("language", cases("deployments"))
def test_a_deployment_is_made(acme: Tenant, tmp_path: Path, language: str) -> None:
    printed = run_sample(acme, "deployments", language, folder=tmp_path)
    made = Deployment.objects.get(organization=acme.organization)
    assert (made.name, made.engine, made.gpu, made.min_replicas, made.max_replicas) == (
        "narrator",
        "cpu",
        "a6000-48gb",
        0,
        2,
    )
    assert "narrator" in printed
    assert "requested" in printed


@pytest.mark.parametrize("language", cases("budgets"))
def test_a_budget_is_set(acme: Tenant, tmp_path: Path, language: str) -> None:
    printed = run_sample(acme, "budgets", language, folder=tmp_path)
    budget = Budget.objects.get(organization=acme.organization)
    assert (budget.monthly_usd, budget.stops) == (Decimal(200), True)
    assert "200.00" in printed


def test_the_engine_of_the_sample_is_one_that_can_run(settings: object) -> None:
    for python, is_demo, engine in (
        ("", True, "cpu"),
        ("/opt/python", True, "chatterbox"),
        ("", False, "chatterbox"),
    ):
        settings.LOCAL_CHATTERBOX_PYTHON, settings.DEMO_MODE = python, is_demo  # type: ignore[attr-defined]
        assert all(f"{engine}&quot;" in sample.code for sample in samples_of("deployments", ""))
