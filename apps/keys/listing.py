"""The keys an organization sees: searched, filtered and sorted by the URL."""

from __future__ import annotations

from django.db.models import F, Q
from django.http import QueryDict

from apps.accounts.models import Organization
from apps.keys.forms import KeyFilterForm
from apps.keys.models import ApiKey, ApiKeyQuerySet

SORTS = {
    "name": F("name").asc(),
    "-name": F("name").desc(),
    "created": F("id").asc(),
    "-created": F("id").desc(),
    "used": F("last_used_at").asc(nulls_first=True),
    "-used": F("last_used_at").desc(nulls_last=True),
}
DEFAULT_SORT = "-created"


def sort_of(query: QueryDict) -> str:
    sort = query.get("sort", DEFAULT_SORT)
    return sort if sort in SORTS else DEFAULT_SORT


def listed_keys(organization: Organization, form: KeyFilterForm, sort: str) -> ApiKeyQuerySet:
    form.is_valid()
    wanted = form.cleaned_data
    keys: ApiKeyQuerySet = ApiKey.objects.for_organization(organization).select_related("created_by")
    if text := wanted.get("q"):
        keys = keys.filter(Q(name__icontains=text) | Q(prefix__startswith=text) | Q(last4=text))
    if mode := wanted.get("mode"):
        keys = keys.filter(mode=mode)
    if wanted.get("state") == "usable":
        keys = keys.usable()
    elif wanted.get("state") == "ended":
        keys = keys.exclude(pk__in=ApiKey.objects.for_organization(organization).usable().values("pk"))
    return keys.order_by(SORTS[sort], "-id")
