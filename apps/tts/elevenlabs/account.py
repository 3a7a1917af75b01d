"""`GET /v1/user` and `/v1/user/subscription`: what a key may use, and what of it is used up."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api import organization_of
from apps.accounts.models import Organization
from apps.keys.identity import Identity
from apps.tts.elevenlabs import schema
from apps.tts.elevenlabs.django_views import ElevenLabsView
from apps.usage.allowances import allowances
from apps.usage.reports import Period
from apps.voices.consents import accepted_terms
from apps.voices.models import Voice

# Where nothing limits characters: their clients want a number, and some keep it in 32 bits.
UNLIMITED: Final = 2**31 - 1


class SubscriptionView(ElevenLabsView):
    reading_scopes = ("speech",)

    @extend_schema(
        operation_id="elevenlabs_get_subscription",
        summary="Characters and voices: what there is, and what of it is used up",
        description="Characters are those of the UTC month, of live or of test keys by the key that asks.",
        tags=[schema.ACCOUNT_TAG],
        auth=schema.SECURITY,
        responses=schema.ElevenLabsSubscriptionSerializer,
    )
    def get(self, request: Request) -> Response:
        return Response(subscription_body(identity_of(request), organization_of(request)))


class UserView(ElevenLabsView):
    reading_scopes = ("speech",)

    @extend_schema(
        operation_id="elevenlabs_get_user",
        summary="Who the key belongs to",
        description="An organization, for ElevenLabs' clients a user.",
        tags=[schema.ACCOUNT_TAG],
        auth=schema.SECURITY,
        responses=schema.ElevenLabsUserSerializer,
    )
    def get(self, request: Request) -> Response:
        identity, organization = identity_of(request), organization_of(request)
        return Response(
            {
                "user_id": str(organization.pk),
                "workspace_id": str(organization.pk),
                "first_name": organization.name,
                "xi_api_key_preview": identity.key_prefix,
                "is_api_key_hashed": True,
                "is_new_user": False,
                "is_onboarding_completed": True,
                "is_onboarding_checklist_completed": True,
                "can_use_delayed_payment_methods": False,
                "created_at": int(organization.created_at.timestamp()),
                "seat_type": "workspace_member",
                "subscription": subscription_body(identity, organization),
            }
        )


def identity_of(request: Request) -> Identity:
    assert isinstance(request.auth, Identity)  # noqa: S101 - nobody comes without a key
    return request.auth


def subscription_body(identity: Identity, organization: Organization) -> dict[str, Any]:
    """There are no plans to tell of: the tier is the key's mode."""
    month = timezone.now().date().replace(day=1)
    count, limit = _characters(identity, month)
    own_voices = Voice.objects.for_organization(organization).cloned().live().count()
    return {
        "tier": "free" if identity.mode == "test" else "standard",
        "status": "active",
        "character_count": count,
        "character_limit": limit,
        "next_character_count_reset_unix": int(Period.month(month).end.timestamp()),
        "max_credit_limit_extension": 0,
        "can_extend_character_limit": False,
        "allowed_to_extend_character_limit": False,
        "voice_slots_used": own_voices,
        "voice_limit": settings.LIMIT_VOICES,
        "can_extend_voice_limit": False,
        "can_use_instant_voice_cloning": bool(settings.CONSENT_SECRET)
        and accepted_terms(organization) is not None,
        "voice_add_edit_counter": 0,
        "professional_voice_slots_used": 0,
        "professional_voice_slots_used_in_workspace": 0,
        "professional_voice_limit": 0,
        "can_use_professional_voice_cloning": False,
        "currency": "usd",
        "current_overage": {"amount": "0", "currency": "usd"},
        "billing_period": "monthly_period",
        "character_refresh_period": "monthly_period",
        "open_invoices": [],
        "has_open_invoices": False,
    }


def _characters(identity: Identity, month: date) -> tuple[int, int]:
    """Charged and allowed, of the organization or of the key: whichever has less left."""
    counted = [
        (allowance.used, UNLIMITED if allowance.limit is None else allowance.limit)
        for allowance in allowances([identity.organization_id], month)
        if allowance.mode == identity.mode and allowance.key_id in (None, identity.key_id)
    ]
    return min(counted, key=lambda used_of: used_of[1] - used_of[0])
