"""`/api/contributions`: what is about the person: profile, money, consents, export, erasure."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth import logout
from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.contributions import exporting, leaving, ledger, people, showing, withdrawing
from apps.contributions.authentication import ContributorView
from apps.contributions.models import ConsentRecord, Payout, Posting
from apps.contributions.payouts import MINIMUM_CENTS
from apps.contributions.serializers import (
    BalanceSerializer,
    ChangedProfileSerializer,
    EarningSerializer,
    ErasedSerializer,
    EraseSerializer,
    GivenConsentSerializer,
    PayoutSerializer,
    ProfileSerializer,
    WithdrawalReasonSerializer,
)
from apps.core.errors import NotFound

TAG = "contributions"


class ProfileView(ContributorView):
    @extend_schema(
        summary="What you told of yourself",
        operation_id="contributions_profile_get",
        tags=[TAG],
        responses=ProfileSerializer,
    )
    def get(self, request: Request) -> Response:
        return Response(ProfileSerializer(people.profile(self.contributor)).data)

    @extend_schema(
        summary="Tell of yourself, or where money goes to",
        description="All of it is optional; empty takes back what was said before.",
        operation_id="contributions_profile_update",
        tags=[TAG],
        request=ChangedProfileSerializer,
        responses=ProfileSerializer,
    )
    def patch(self, request: Request) -> Response:
        form = ChangedProfileSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        told: dict[str, Any] = dict(form.validated_data)
        account = told.pop("payout_account", None)
        if told:
            held = people.profile(self.contributor)
            described = {name: told.get(name, held[name]) for name in ("age_band", "gender", "accent")}
            people.describe(self.contributor, **described)
        if account is not None:
            people.set_payout_account(self.contributor, account)
        return Response(ProfileSerializer(people.profile(self.contributor)).data)


class BalanceView(ContributorView):
    @extend_schema(
        summary="What you have earned",
        operation_id="contributions_balance",
        tags=[TAG],
        responses=BalanceSerializer,
    )
    def get(self, request: Request) -> Response:
        balance = ledger.balance(self.contributor)
        told = {
            "currency": "USD",
            "pending": balance.pending,
            "payable": balance.payable,
            "on_the_way": balance.on_the_way,
            "paid": balance.paid,
            "minimum_cents": MINIMUM_CENTS,
        }
        return Response(BalanceSerializer(told).data)


@extend_schema_view(
    get=extend_schema(
        summary="What each recording earned, newest first",
        operation_id="contributions_earnings_list",
        tags=[TAG],
    )
)
class EarningsView(ContributorView, generics.ListAPIView[Posting]):
    serializer_class = EarningSerializer
    queryset = Posting.objects.none()

    def get_queryset(self) -> QuerySet[Posting]:
        return showing.earnings(self.contributor)

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        return None if page is None else [showing.earning_of(posting) for posting in page]


@extend_schema_view(
    get=extend_schema(
        summary="Your payouts, newest first", operation_id="contributions_payouts_list", tags=[TAG]
    )
)
class PayoutsView(ContributorView, generics.ListAPIView[Payout]):
    serializer_class = PayoutSerializer
    queryset = Payout.objects.none()

    def get_queryset(self) -> QuerySet[Payout]:
        return Payout.objects.filter(contributor=self.contributor).exclude(state=Payout.State.CANCELLED)


@extend_schema_view(
    get=extend_schema(
        summary="What you agreed to, newest first", operation_id="contributions_consents_list", tags=[TAG]
    )
)
class ConsentsView(ContributorView, generics.ListAPIView[ConsentRecord]):
    serializer_class = GivenConsentSerializer
    queryset = ConsentRecord.objects.none()

    def get_queryset(self) -> QuerySet[ConsentRecord]:
        return self.contributor.consents.select_related("withdrawal").order_by("-id")


class WithdrawView(ContributorView):
    @extend_schema(
        summary="Withdraw a consent",
        description="Use stops at once; where the campaign needs the purpose, your recordings in it go too.",
        operation_id="contributions_consents_withdraw",
        tags=[TAG],
        request=WithdrawalReasonSerializer,
        responses=GivenConsentSerializer,
    )
    def post(self, request: Request, consent_id: UUID) -> Response:
        record = self.contributor.consents.filter(pk=consent_id).first()
        if record is None:
            raise NotFound("There is no such consent.")
        form = WithdrawalReasonSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        withdrawing.withdraw(record, reason=form.validated_data["reason"])
        record = self.contributor.consents.select_related("withdrawal").get(pk=consent_id)
        return Response(GivenConsentSerializer(record).data)


class ExportView(ContributorView):
    @extend_schema(
        summary="All that is kept of you",
        description="A ZIP archive: data.json, and every recording as it was sent and as it was decoded.",
        operation_id="contributions_export",
        tags=[TAG],
        responses={
            (200, "application/zip"): OpenApiResponse(OpenApiTypes.BINARY, description="The archive.")
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        return exporting.answer(request._request, self.contributor)


class EraseView(ContributorView):
    @extend_schema(
        summary="Erase yourself as a contributor",
        description="All consents are withdrawn and recordings go. An account that has other uses stays.",
        operation_id="contributions_erase",
        tags=[TAG],
        request=EraseSerializer,
        responses=ErasedSerializer,
    )
    def post(self, request: Request) -> Response:
        form = EraseSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = request.user
        assert isinstance(user, User)  # noqa: S101 - behind IsSignedIn
        is_deleted = leaving.erase(self.contributor, user)
        if is_deleted:
            logout(request._request)
        return Response(ErasedSerializer({"account_deleted": is_deleted}).data)
