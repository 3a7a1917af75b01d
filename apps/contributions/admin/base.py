"""What the pages of this room share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import TabularInline

from apps.accounts.models import User
from apps.core.errors import AppError

_LINK = '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>'


class ReadOnlyInline(TabularInline):
    """Rows that only the platform writes."""

    extra = 0
    show_change_link = False
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def staff_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - admin lets nobody else in
    return request.user


def require(request: HttpRequest, permission: str) -> None:
    """Raises `PermissionDenied`; `permission` is one of this room, such as `change_clip`."""
    if not request.user.has_perm(f"contributions.{permission}"):
        raise PermissionDenied


def link(url: str, words: object) -> SafeString:
    return format_html(_LINK, url, words)


def page(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    shown = admin.site.each_context(request) | {"title": title} | context
    return render(request, f"admin/contributions/{template}.html", shown)


def redirected(request: HttpRequest, target: str) -> HttpResponse:
    """Also out of one of unfold's dialogs, which htmx sends."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": target})
    return HttpResponseRedirect(target)


def do(
    model_admin: Any, request: HttpRequest, row: models.Model, act: Callable[[], Any], done: str
) -> tuple[bool, Any]:
    """One act on one row: logged, or refused in words. Answers whether it was done, and its result."""
    try:
        result = act()
    except AppError as error:
        model_admin.message_user(request, f"{row}: {error.message}", messages.ERROR)
        return False, None
    model_admin.log_change(request, row, done)
    return True, result


def do_each(
    model_admin: Any,
    request: HttpRequest,
    rows: Iterable[models.Model],
    act: Callable[[Any], Any],
    done: str,
) -> int:
    """Each by itself: what one may not do holds no other back. Answers how many were done."""
    count = sum(do(model_admin, request, row, lambda row=row: act(row), done)[0] for row in rows)  # type: ignore[misc]
    if count:
        model_admin.message_user(request, f"{count:,}: {done}", messages.SUCCESS)
    return count
