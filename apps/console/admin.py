"""The pages of admin that are not lists of a model: live figures, demo mails; and who changed what."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.sites import AdminSite
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from apps.accounts.admin import ReadOnlyAdmin
from apps.console import dashboard, mails
from apps.usage.admin_sharing import shared_machines


def numbers(request: HttpRequest) -> HttpResponse:
    """The dashboard's figures alone, for the page that keeps asking."""
    if not admin.site.has_permission(request):
        # A redirect would be followed and put the sign-in page where the figures are.
        return HttpResponse(status=403, headers={"HX-Refresh": "true"})
    response = render(request, "admin/numbers.html", {"numbers": dashboard.numbers()})
    response["Cache-Control"] = "no-store"
    return response


def mail_list(request: HttpRequest) -> HttpResponse:
    if not mails.available():
        raise Http404
    context = admin.site.each_context(request) | {"title": "Mails", "mails": mails.newest()}
    return render(request, "admin/mails/list.html", context)


def mail_page(request: HttpRequest, name: str, number: int) -> HttpResponse:
    mail = mails.one(name, number) if mails.available() else None
    if mail is None:
        raise Http404
    context = admin.site.each_context(request) | {"title": mail.subject, "mail": mail}
    return render(request, "admin/mails/mail.html", context)


def staff_urls(site: AdminSite) -> list[URLPattern]:
    return [
        path("numbers", numbers, name="numbers"),
        path("shared-machines/", site.admin_view(shared_machines), name="shared_machines"),
        path("mails/", site.admin_view(mail_list), name="mails"),
        path("mails/<str:name>/<int:number>", site.admin_view(mail_page), name="mail"),
    ]


admin.site.extra_urls = lambda: staff_urls(admin.site)  # type: ignore[attr-defined]


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """What staff did in admin."""

    list_display = ["action_time", "user", "content_type", "object_repr", "shown_action", "shown_change"]
    list_filter = ["action_flag", ("action_time", RangeDateTimeFilter), "content_type"]
    list_filter_submit = True
    list_select_related = ["user", "content_type"]
    search_fields = ["object_repr", "=object_id", "user__email", "change_message"]
    ordering = ["-action_time"]
    date_hierarchy = None
    fields = [
        "action_time",
        "user",
        "content_type",
        "object_repr",
        "object_id",
        "shown_action",
        "shown_change",
    ]

    @display(description="Action", label={"Addition": "success", "Change": "info", "Deletion": "danger"})
    def shown_action(self, entry: LogEntry) -> str:
        return str(entry.get_action_flag_display())

    @display(description="What")
    def shown_change(self, entry: Any) -> str:
        return str(entry.get_change_message() or entry.get_action_flag_display())
