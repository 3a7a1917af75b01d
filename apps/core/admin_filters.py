"""A filter by time that partitions by month can serve: bounds of the UUIDv7 id."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.forms import RangeDateTimeForm

from apps.core.ids import uuid7_floor

WITHOUT_BOUNDS = timedelta(days=7)


class StartedFilter(admin.FieldListFilter):
    """From and to, in UTC. With neither, and nothing searched for, the last seven days."""

    template = "unfold/filters/filters_datetime_range.html"
    form_class = RangeDateTimeForm
    NAME = "started"
    PARTS = (f"{NAME}_from_0", f"{NAME}_from_1", f"{NAME}_to_0", f"{NAME}_to_1")

    def __init__(
        self, field: Any, request: HttpRequest, params: dict[str, Any], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(field, request, params, *args, **kwargs)
        self.title = "time in UTC, else the last 7 days"
        self._request = request
        for part in self.PARTS:
            values: Any = self.used_parameters.get(part) or [None]
            self.used_parameters[part] = values[-1]

    def expected_parameters(self) -> list[str | None]:
        return list(self.PARTS)

    def queryset(self, request: HttpRequest, records: QuerySet[Any]) -> QuerySet[Any]:
        start, end = self._moment("from", "00:00"), self._moment("to", "23:59:59")
        if start is None and end is None and not request.GET.get(SEARCH_VAR):
            start = timezone.now() - WITHOUT_BOUNDS
        if start is not None:
            records = records.filter(id__gte=uuid7_floor(start))
        if end is not None:
            records = records.filter(id__lt=uuid7_floor(end + timedelta(seconds=1)))
        return records

    def choices(self, changelist: Any) -> Iterator[Any]:
        form = self.form_class(name=self.NAME, data={part: self.used_parameters[part] for part in self.PARTS})
        yield {"request": self._request, "parameter_name": self.NAME, "form": form}

    def _moment(self, bound: str, time_of_day: str) -> datetime | None:
        """`None` where nothing was given, or nothing that means a time."""
        day = self.used_parameters[f"{self.NAME}_{bound}_0"]
        clock = self.used_parameters[f"{self.NAME}_{bound}_1"] or time_of_day
        try:
            return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC) if day else None
        except ValueError:
            return None
