"""Forms of the webhook pages; they check shape, services decide and act."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.forms import BoundField
from django.http import QueryDict
from django.utils import timezone

from apps.core.errors import InvalidRequest
from apps.core.outbound.addresses import check_url
from apps.webhooks import services, words
from apps.webhooks.catalogue import every_type
from apps.webhooks.models import Delivery, Endpoint
from apps.webhooks.models.endpoints import MAX_DESCRIPTION, MAX_URL

ALL, SOME = "all", "some"
HOUR_SECONDS = 3600


class HeadersField(forms.CharField):
    """`Name: value`, one a line."""

    def __init__(self, **options: Any) -> None:
        attrs = {"rows": 3, "spellcheck": "false", "autocomplete": "off"}
        super().__init__(required=False, widget=forms.Textarea(attrs=attrs), **options)

    def clean(self, value: Any) -> Any:
        headers: dict[str, str] = {}
        for line in super().clean(value).splitlines():
            if not line.strip():
                continue
            name, colon, content = line.partition(":")
            # What stands there may be a secret: it is not said again.
            if not colon:
                raise forms.ValidationError("Write each header as Name: value, on a line of its own.")
            if name.strip().lower() in headers:
                raise forms.ValidationError(f"The header {name.strip().lower()} is there twice.")
            headers[name.strip().lower()] = content.strip()
        return headers


class EndpointForm(forms.Form):
    """An endpoint, new or as it is; `events` and `own_headers` are what was chosen."""

    url = forms.CharField(
        label="URL",
        max_length=MAX_URL,
        help_text="Where events are sent with POST. It starts with https://, and everybody can reach it.",
        widget=forms.URLInput(
            attrs={
                "autocomplete": "off",
                "spellcheck": "false",
                "placeholder": "https://example.com/hooks/voice",
            }
        ),
    )
    description = forms.CharField(
        required=False,
        max_length=MAX_DESCRIPTION,
        help_text="What it is called in lists and mails.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Production"}),
    )
    which = forms.ChoiceField(
        label="Events",
        choices=[(ALL, "Every event"), (SOME, "Chosen ones")],
        initial=ALL,
        widget=forms.RadioSelect,
    )
    chosen = forms.MultipleChoiceField(label="Events", required=False, widget=forms.CheckboxSelectMultiple)
    kept = forms.MultipleChoiceField(
        label="Headers that stay", required=False, widget=forms.CheckboxSelectMultiple
    )
    headers = HeadersField(
        label="Headers",
        help_text="Sent along with each request, one a line: Authorization: Bearer … Values are encrypted, "
        "and not shown again.",
    )
    rate_limit_per_minute = forms.IntegerField(
        label="Requests a minute",
        required=False,
        min_value=1,
        max_value=services.MAX_RATE_PER_MINUTE,
        help_text="At most so many are sent there. Empty: as fast as it answers.",
    )

    def __init__(self, data: QueryDict | None = None, *, endpoint: Endpoint | None = None) -> None:
        self._endpoint = endpoint
        self._headers = endpoint.own_headers if endpoint else {}
        wanted = endpoint.events if endpoint else []
        initial = {} if endpoint is None else _values_of(endpoint, self._headers)
        super().__init__(data, initial=initial)
        self.groups = words.groups()
        offered = {group.wildcard for group in self.groups} | {kind.name for kind in every_type()}
        # What a program chose by a longer beginning stays where it is not unchecked.
        self.other_filters = [word for word in wanted if word not in offered]
        self._field("chosen").choices = [(word, word) for word in [*sorted(offered), *self.other_filters]]
        self._field("kept").choices = [(name, name) for name in self._headers]
        if self._headers:
            self.fields["headers"].label = "Add or replace headers"

    def clean_url(self) -> str:
        try:
            return check_url(self.cleaned_data["url"])
        except InvalidRequest as refused:
            raise forms.ValidationError(refused.message) from None

    def _field(self, name: str) -> forms.MultipleChoiceField:
        field = self.fields[name]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - for the type checker
        return field

    @property
    def checked(self) -> list[str]:
        return list(self["chosen"].value() or [])

    @property
    def has_headers(self) -> bool:
        return bool(self._headers)

    @property
    def further(self) -> list[BoundField]:
        return [self["headers"], self["rate_limit_per_minute"]]

    @property
    def is_further_open(self) -> bool:
        """Whether there is something to see beside what most endpoints have."""
        return self.has_headers or any(field.value() or field.errors for field in self.further)

    def clean(self) -> dict[str, Any]:
        url, kept = self.cleaned_data.get("url"), self.cleaned_data.get("kept")
        if self._endpoint is not None and kept and url and services.is_elsewhere(self._endpoint, url):
            self.add_error("kept", "The endpoint moves to another host: type the headers that go there.")
        is_empty = not self.cleaned_data.get("chosen") and "chosen" not in self.errors
        if self.cleaned_data.get("which") == SOME and is_empty:
            self.add_error("chosen", "Choose at least one, or every event.")
        return self.cleaned_data

    @property
    def events(self) -> list[str]:
        """Of a valid form; what a whole group holds is not said twice."""
        if self.cleaned_data["which"] == ALL:
            return []
        chosen: list[str] = self.cleaned_data["chosen"]
        groups = [word[:-1] for word in chosen if word.endswith(".*")]
        return [word for word in chosen if not any(word.startswith(g) and word != f"{g}*" for g in groups)]

    @property
    def own_headers(self) -> dict[str, str]:
        """Of a valid form: those that stay, and those that were typed."""
        stay = {name: self._headers[name] for name in self.cleaned_data["kept"]}
        typed: dict[str, str] = self.cleaned_data["headers"]
        return stay | typed

    @property
    def changes(self) -> dict[str, Any]:
        """Of a valid form, as services take them."""
        return {
            "url": self.cleaned_data["url"],
            "description": self.cleaned_data["description"],
            "events": self.events,
            "headers": self.own_headers,
            "rate_limit_per_minute": self.cleaned_data["rate_limit_per_minute"],
        }


class RotateSecretForm(forms.Form):
    overlap_seconds = forms.TypedChoiceField(
        label="The old secret signs on for",
        coerce=int,
        choices=[
            (0, "No time: it ends at once"),
            (HOUR_SECONDS, "1 hour"),
            (24 * HOUR_SECONDS, "24 hours"),
            (3 * 24 * HOUR_SECONDS, "3 days"),
            (7 * 24 * HOUR_SECONDS, "7 days"),
        ],
        initial=services.DEFAULT_OVERLAP_SECONDS,
        help_text="Each request carries both signatures until then: time to put the new one in place.",
    )


class TestEventForm(forms.Form):
    __test__ = False  # no tests of pytest's

    type = forms.ChoiceField(
        label="Event", help_text="Its example is sent, marked as a test, whatever the endpoint listens to."
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["type"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
        field.choices = _by_group()


class RecoverForm(forms.Form):
    since = forms.DateTimeField(
        label="Since (UTC)",
        help_text="When the events happened.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )
    include_missing = forms.BooleanField(
        label="Also what was never queued: while it was disabled, or before it was added",
        required=False,
    )

    def clean_since(self) -> datetime:
        since: datetime = self.cleaned_data["since"]
        now = timezone.now()
        if since > now:
            raise forms.ValidationError("Choose a time that has passed.")
        return max(since, now - timedelta(days=settings.WEBHOOK_LOG_DAYS))  # nothing older is kept


class DeleteEndpointForm(forms.Form):
    """Destroying asks for the name."""

    name = forms.CharField(
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off", "spellcheck": "false"})
    )

    def __init__(self, *args: Any, endpoint: Endpoint, **options: Any) -> None:
        super().__init__(*args, **options)
        self.endpoint_name = words.name_of(endpoint)
        self.fields["name"].label = f"Type {self.endpoint_name} to confirm"
        self.fields["name"].widget.attrs["data-confirms"] = self.endpoint_name

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name != self.endpoint_name:
            raise forms.ValidationError(f"This is not its name. Type {self.endpoint_name}.")
        return name


class LogFilterForm(forms.Form):
    """What the log shows, from the URL; a value that means nothing is as if it were not there."""

    state = forms.ChoiceField(
        required=False, choices=[("", "Every state"), *((str(v), str(w)) for v, w in Delivery.State.choices)]
    )
    event = forms.ChoiceField(required=False)
    start = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    end = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        field = self.fields["event"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type checker
        field.choices = [("", "Every event"), *_by_group(with_wildcards=True)]

    @property
    def wanted(self) -> dict[str, Any]:
        """As `listing.deliveries` takes it."""
        self.is_valid()
        said = self.cleaned_data
        found = {
            "state": said.get("state"),
            "event_type": said.get("event"),
            "since": _midnight(said.get("start")),
            "until": _midnight(said.get("end"), days_later=1),
        }
        return {name: value for name, value in found.items() if value}


def _values_of(endpoint: Endpoint, headers: Iterable[str]) -> dict[str, Any]:
    return {
        "url": endpoint.url,
        "description": endpoint.description,
        "which": SOME if endpoint.events else ALL,
        "chosen": endpoint.events,
        "kept": list(headers),
        "rate_limit_per_minute": endpoint.rate_limit_per_minute,
    }


def _by_group(*, with_wildcards: bool = False) -> list[tuple[str, list[tuple[str, str]]]]:
    return [
        (
            group.title,
            [
                *([(group.wildcard, group.wildcard)] if with_wildcards and len(group.kinds) > 1 else []),
                *((kind.name, kind.name) for kind in group.kinds),
            ],
        )
        for group in words.groups()
    ]


def _midnight(day: date | None, *, days_later: int = 0) -> datetime | None:
    """None for a day that no event can be of."""
    if day is None or not 2000 <= day.year < 3000:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=days_later)
