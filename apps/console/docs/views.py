"""`/docs`: for whoever is signed in, with their own address in every sample."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.accounts.tenancy import OrganizationRequest, organization_required
from apps.console.docs import facts
from apps.console.docs.pages import PAGES, page_of


@require_safe
@organization_required
def docs(request: OrganizationRequest, slug: str) -> HttpResponse:
    page = page_of(slug)
    base_url = request.build_absolute_uri("/").rstrip("/")
    context: dict[str, Any] = {"page": page, "pages": PAGES, "base_url": base_url}
    return render(request, page.template, {**context, **facts.of(page.slug, request.organization)})
