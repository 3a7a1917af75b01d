"""`/api/spending`: what an organization's deployments cost this month; `/api/budget`: what they may."""

from __future__ import annotations

import dataclasses

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api import organization_of
from apps.accounts.models import Organization
from apps.core.errors import NotFound
from apps.deployments import budgets, costs
from apps.deployments.api import actor_of
from apps.deployments.cost_serializers import (
    BudgetSerializer,
    NewBudgetSerializer,
    ResumedSerializer,
    SpendingSerializer,
)


class SpendingView(APIView):
    @extend_schema(
        summary="What deployments cost this month",
        description="Those of your own, since the UTC month began. The shared ones cost you nothing here.",
        operation_id="spending",
        responses=SpendingSerializer,
    )
    def get(self, request: Request) -> Response:
        organization, now = organization_of(request), timezone.now()
        body = dataclasses.asdict(costs.spending(organization, now)) | {
            "since": costs.month_of(now),
            "deployments": costs.dearest(organization, now),
            "stopped_by_budget": budgets.stopped_by_budget(organization),
        }
        return Response(SpendingSerializer(body).data)


class ResumeView(APIView):
    @extend_schema(
        summary="Start what the budget stopped",
        description=(
            "All deployments that ran until the budget was used up, and that nobody started since; one that "
            "was paused stays stopped. Raise or remove the budget first, or wait for the next month. What "
            "keeps one of them back keeps no other back."
        ),
        operation_id="spending_resume",
        request=None,
        responses=ResumedSerializer,
        extensions={"x-refuses": [402]},
    )
    def post(self, request: Request) -> Response:
        resumed = budgets.resume(organization_of(request), by=actor_of(request))
        body = {
            "started": resumed.started,
            "not_started": [
                {"id": deployment.pk, "name": deployment.name, "error": error}
                for deployment, error in resumed.not_started
            ],
        }
        return Response(ResumedSerializer(body).data)


class BudgetView(APIView):
    @extend_schema(
        summary="The budget of your deployments, and what of it is spent",
        description="404 where none is set: deployments may then cost any amount.",
        operation_id="budget_get",
        responses=BudgetSerializer,
        extensions={"x-refuses": [404]},
    )
    def get(self, request: Request) -> Response:
        return _shown(organization_of(request))

    @extend_schema(
        summary="Set the budget of your deployments",
        description=(
            "Owners and admins are told by mail at 80 %. Where it `stops`, requests to deployments of your "
            "own are refused with 402 `budget_exhausted` shortly before it is reached, and a minute later "
            "they are stopped. Raise it, then start them again by `/api/spending/resume`; a new month begins "
            "by itself."
        ),
        operation_id="budget_set",
        request=NewBudgetSerializer,
        responses=BudgetSerializer,
    )
    def put(self, request: Request) -> Response:
        form = NewBudgetSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        organization = organization_of(request)
        budgets.set_budget(organization, **form.validated_data)
        return _shown(organization)

    @extend_schema(
        summary="Remove the budget of your deployments",
        operation_id="budget_remove",
        responses={204: OpenApiResponse(description="There is none any more, or there never was.")},
    )
    def delete(self, request: Request) -> Response:
        budgets.remove_budget(organization_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _shown(organization: Organization) -> Response:
    budget = budgets.budget_of(organization)
    if budget is None:
        raise NotFound("No budget is set: your organization's deployments may cost any amount.")
    body = dataclasses.asdict(costs.spending(organization)) | {
        name: getattr(budget, name) for name in ("monthly_usd", "stops", "warned_at", "exhausted_at")
    }
    return Response(BudgetSerializer(body).data)
