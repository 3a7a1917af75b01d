"""What is known of providers: their keys, and what is left over there."""

from __future__ import annotations

from django.db import models

from apps.core.crypto import EncryptedTextField
from apps.core.models import BaseModel
from apps.deployments.models.deployments import Deployment


class Orphan(BaseModel):
    """Something at a provider that is ours by its name, and that no deployment here accounts for."""

    provider = models.CharField(max_length=16, choices=Deployment.Provider)
    provider_id = models.UUIDField(help_text="The deployment that its name tells of.")
    seen_at = models.DateTimeField(help_text="When it was last there.")
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "provider_id"], name="orphan_once_at_provider")
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.provider_id}"


class ProviderKey(BaseModel):
    """What a provider's own front asks of requests to the workers behind it; set and changed by staff."""

    provider = models.CharField(max_length=16, choices=Deployment.Provider, unique=True)
    inference_key = EncryptedTextField()

    def __str__(self) -> str:
        return self.get_provider_display()
