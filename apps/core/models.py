"""Abstract models of every room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models

from apps.core.ids import uuid7

if TYPE_CHECKING:
    from apps.accounts.models import Organization


class BaseModel(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class OrganizationQuerySet(models.QuerySet[Any]):
    def for_organization(self, organization: Organization) -> Self:
        """The only way a customer's row is reached."""
        return self.filter(organization=organization)


class OrganizationOwned(BaseModel):
    organization = models.ForeignKey("accounts.Organization", on_delete=models.CASCADE, related_name="+")

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        abstract = True
