"""What acme has, with marks that occur nowhere else, and the paths that lead to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.socialaccount.models import SocialAccount
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.utils import timezone

from apps.accounts.models import Membership, Organization, User
from apps.accounts.services import create_organization
from apps.contributions.models import Campaign, Clip, ConsentRecord, Contributor, Prompt
from apps.deployments.models import (
    BillCheck,
    Budget,
    Deployment,
    DeploymentEvent,
    GpuPrice,
    Orphan,
    ProviderKey,
    Run,
    Worker,
)
from apps.keys.models import ApiKey
from apps.keys.services import issue_key
from apps.tts.jobs.models import SpeechJob
from apps.tts.models import HistoryItem, IdempotentAnswer
from apps.usage.models import OrganizationLimits, SpeechProcess, UsageNotice, UsageRecord
from apps.voices import statements
from apps.voices.consents import accept_terms
from apps.voices.models import Voice, VoiceConsent
from apps.webhooks.models import Delivery, Endpoint, EndpointSecret, Event, Lane
from tests.cast import PASSWORD
from tests.tenancy.collection import collection_rows
from tests.tenancy.urlconf import Route
from tests.tts.history_rows import item
from tests.tts.jobs.rows import job_rows
from tests.usage.rows import process, record
from tests.voices.recordings import actor, clone
from tests.webhooks.rows import attempt, delivery, endpoint

MARK = "Zanzibar"
BUDGET = "123.45"


@dataclass(frozen=True)
class Possessions:
    """One row of each model, by model."""

    rows: dict[type[Model], Model]

    def __getitem__(self, model: type[Model]) -> Any:
        return self.rows[model]

    def marks(self) -> set[str]:
        """Words that no answer to an outsider may hold."""
        key, request = self[ApiKey], self[UsageRecord]
        ids = {str(row.pk) for row in self.rows.values() if len(str(row.pk)) > 30}
        return ids | {
            BUDGET,
            MARK,
            MARK.lower(),
            key.prefix,
            key.prefix[8:],
            request.request_id,
            self[Worker].url,
        }

    def state(self) -> dict[str, list[dict[str, Any]]]:
        """All rows of these models, to be compared; sign-ins of outsiders change only their own."""
        return {
            model._meta.label: [
                row for row in model._default_manager.order_by("pk").values() if self._is_ours(model, row)
            ]
            for model in self.rows
        }

    def _is_ours(self, model: type[Model], row: dict[str, Any]) -> bool:
        if model is SpeechProcess:  # the tests' server notes its own heartbeat beside it
            return bool(row["id"] == self[SpeechProcess].pk)
        if model is Contributor:  # whoever looks at the campaigns becomes one
            return bool(row["id"] == self[Contributor].pk)
        organization_id = row.get("organization_id", row["id"] if model is Organization else None)
        return (
            organization_id in {None, self[Organization].pk} and row.get("email") != "charlie@globex.example"
        )


def make_possessions() -> Possessions:
    owner = User.objects.create_user(f"{MARK}@acme.example", PASSWORD, name=f"{MARK} Owner")
    acme = create_organization(name=f"{MARK} Acme", owner=owner)
    key = issue_key(
        organization=acme, name=f"{MARK} key", mode="live", scopes=["speech", "manage"], created_by=owner
    ).key
    deployment = Deployment.objects.create(
        organization=acme, name=f"{MARK.lower()}-cpu", engine="cpu", state=Deployment.State.READY
    )
    worker = Worker.objects.create(
        deployment=deployment,
        provider_id=f"{MARK}-w1",
        url="http://127.0.0.1:49999",
        state=Worker.State.READY,
        capabilities={
            "engine": "cpu",
            "models": ["hibari"],
            "voices": [f"{MARK}-voice"],
            "features": [],
            "max_batch": 1,
        },
        last_seen_at=timezone.now(),
    )
    event = DeploymentEvent.objects.create(
        deployment=deployment, to_state=Deployment.State.READY, reason=MARK
    )
    rows: list[Model] = [
        owner,
        acme,
        Membership.objects.get(user=owner),
        key,
        deployment,
        worker,
        event,
        record(acme, key=key, deployment=deployment, model="hibari"),
        OrganizationLimits.objects.create(organization=acme, requests_per_minute=77),
        IdempotentAnswer.objects.create(
            organization=acme,
            api_key=key,
            idempotency_key=f"{MARK}-order",
            body_hash=bytes(32),
            owner_id=uuid4(),
            expires_at=timezone.now() + timedelta(days=1),
        ),
        UsageNotice.objects.create(
            organization=acme,
            key=key,
            month=timezone.now().date().replace(day=1),
            threshold=80,
            characters_used=81,
            characters_limit=100,
        ),
        item(acme, f"{MARK} said this.", key=key),
        process(hostname=f"{MARK}-host"),
        EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True),
        SocialAccount.objects.create(user=owner, provider="github", uid=f"{MARK}-uid"),
        Group.objects.create(name=f"{MARK} group"),
        accept_terms(organization=acme, version=statements.current_terms().version, by=actor(owner)),
        voice := clone(acme, owner, name=f"{MARK} voice"),
        VoiceConsent.objects.get(voice=voice),
        LogEntry.objects.create(user=owner, action_flag=CHANGE, object_repr=f"{MARK} entry"),
        *job_rows(acme, key, title=f"{MARK} job"),
        *_cost_rows(deployment),
        *_webhook_rows(acme),
        *collection_rows(acme, owner, MARK),
    ]
    return Possessions({type(row): row for row in rows})


def _cost_rows(deployment: Deployment) -> list[Model]:
    now, verda = timezone.now(), Deployment.Provider.VERDA
    return [
        Run.objects.create(
            deployment=deployment,
            organization=deployment.organization,
            replica=f"{MARK}-r1",
            price_per_hour=Decimal("0.25"),
            started_at=now,
        ),
        Budget.objects.create(organization=deployment.organization, monthly_usd=Decimal(BUDGET)),
        GpuPrice.objects.create(provider=verda, gpu="a100-40gb", locations=[MARK]),
        BillCheck.objects.create(provider=verda, balance=Decimal(50)),
        Orphan.objects.create(provider=verda, provider_id=uuid4(), seen_at=now),
        ProviderKey.objects.create(provider=verda, inference_key=f"{MARK}-inference-key"),
    ]


def _webhook_rows(acme: Organization) -> list[Model]:
    url = f"https://hooks.example.com/{MARK}"
    made = endpoint(acme, url=url, description=f"{MARK} receiver", headers={f"X-{MARK}": MARK}).endpoint
    waiting = delivery(made)
    tried = attempt(waiting, response_body=MARK)
    secret, lane = EndpointSecret.objects.get(endpoint=made), Lane.objects.filter(endpoint=made)[0]
    return [made, secret, lane, Event.objects.get(pk=waiting.event_id), waiting, tried]


def path_of(route: Route, owned: Possessions) -> str:
    """The path that leads to acme's row. A pattern with parameters that no example fits fails the test."""
    if not route.has_parameters:
        return f"/{route.text}"
    examples = EXAMPLES | {
        f"admin/{model._meta.app_label}/{model._meta.model_name}/": model for model in owned.rows
    }
    for beginning, example in examples.items():
        if route.text.startswith(beginning):
            found = example(owned) if not isinstance(example, type) else owned[example].pk
            return _filled(route.text, found)
    raise AssertionError(f"No example for {route.text}: add one to EXAMPLES, or a row to make_possessions.")


def _filled(text: str, found: Any) -> str:
    """A whole path where the example is one, else the pattern with its parameter replaced."""
    if isinstance(found, str) and found.startswith("/"):
        return found
    return "/" + re.sub(r"<(?:\w+:)?\w+>", str(found), text)


EXAMPLES: dict[str, Any] = {
    "api/webhooks/<uuid:endpoint_id>": Endpoint,
    "api/webhooks/deliveries/<uuid:delivery_id>": Delivery,
    "webhooks/<uuid:endpoint_id>": Endpoint,
    "webhooks/deliveries/<uuid:delivery_id>": Delivery,
    "api/contributions/campaigns/<uuid:campaign_id>": Campaign,
    "api/contributions/organization/campaigns/<uuid:campaign_id>": Campaign,
    "api/contributions/prompts/<uuid:prompt_id>": Prompt,
    "api/contributions/clips/<uuid:clip_id>": Clip,
    "api/contributions/listen/<uuid:clip_id>": Clip,
    "api/contributions/consents/<uuid:consent_id>": ConsentRecord,
    "contribute/campaigns/<uuid:campaign_id>": Campaign,
    "contribute/clips/<uuid:clip_id>": Clip,
    "contribute/data/consents/<uuid:consent_id>": ConsentRecord,
    "api/jobs/<uuid:job_id>": SpeechJob,
    "jobs/<uuid:job_id>": SpeechJob,
    "api/deployments/<uuid:deployment_id>": Deployment,
    "api/keys/<uuid:key_id>": ApiKey,
    "keys/<uuid:key_id>/": ApiKey,
    "deployments/<uuid:deployment_id>": Deployment,
    "v1/": lambda owned: f"/v1/models/{MARK}",
    "api/voices/<str:voice_id>": Voice,
    "elevenlabs/v1/voices/<str:voice_id>": Voice,
    "voices/<str:voice_id>": Voice,
    "elevenlabs/": lambda owned: f"/elevenlabs/v1/text-to-speech/{MARK}-voice",
    "api/history/<uuid:item_id>": HistoryItem,
    "history/<uuid:item_id>": HistoryItem,
    "media/<str:signed>": lambda owned: "/media/forged:1vDkQx:c0ffee",
    "admin/mails/<str:name>/": lambda owned: "/admin/mails/some.log/0",
    "admin/r/": lambda owned: f"/admin/r/{ContentType.objects.get_for_model(ApiKey).pk}/{owned[ApiKey].pk}/",
    "admin/^(?P<app_label>": lambda owned: "/admin/keys/",
    "admin/(?P<url>": lambda owned: f"/admin/nowhere/{owned[ApiKey].pk}",
    "accounts/^password/reset/key/": lambda owned: (
        f"/accounts/password/reset/key/{user_pk_to_url_str(owned[User])}-c0ffee-0123456789abcdef/"
    ),
}
