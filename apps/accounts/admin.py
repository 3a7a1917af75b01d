"""People and organizations for staff. What has effects is done by services; nobody is deleted here."""

from __future__ import annotations

from typing import Any

from allauth.account.admin import EmailAddressAdmin as AllauthEmailAddressAdmin
from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.socialaccount.admin import SocialAccountAdmin as AllauthSocialAccountAdmin
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm

from apps.accounts import services
from apps.accounts.admin_forms import (
    MembershipFormSet,
    OrganizationAddForm,
    OrganizationChangeForm,
    UserAddForm,
    UserEditForm,
)
from apps.accounts.models import Membership, Organization, User

# One door: allauth limits attempts and asks for a verified address, Django's own login does neither.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

for _model in (Group, EmailAddress, SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(_model)  # SocialApp: configured by the environment; SocialToken: never kept


class ReadOnlyAdmin(ModelAdmin):
    """Rows that only the platform writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class MembershipInline(TabularInline):
    model = Membership
    formset = MembershipFormSet
    fields = ["user", "role", "created_at"]
    readonly_fields = ["created_at"]
    autocomplete_fields = ["user"]
    extra = 0
    tab = True


class MembershipOfUserInline(TabularInline):
    """Where somebody belongs; changed on the organization's page, which keeps an owner."""

    model = Membership
    fields = readonly_fields = ["organization", "role", "created_at"]
    extra = 0
    tab = True
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class EmailAddressInline(MembershipOfUserInline):
    model = EmailAddress
    fields = readonly_fields = ["email", "primary", "verified"]


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]
    form = UserEditForm
    add_form = UserAddForm
    change_password_form = AdminPasswordChangeForm
    list_display = [
        "email",
        "name",
        "organization_names",
        "shown_state",
        "is_staff",
        "date_joined",
        "last_login",
    ]
    list_filter = ["is_active", "is_staff", "is_superuser", ("date_joined", RangeDateTimeFilter)]
    list_filter_submit = True
    search_fields = ["email", "name", "organizations__name"]
    ordering = ["-date_joined"]
    filter_horizontal = ["groups", "user_permissions"]
    readonly_fields = ["last_login", "date_joined"]
    actions = ["deactivate", "activate"]
    inlines = [MembershipOfUserInline, EmailAddressInline]
    fieldsets = [
        (None, {"fields": ["email", "name", "password"]}),
        (
            "Rights",
            {
                "fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"],
                "classes": ["tab"],
            },
        ),
        ("Dates", {"fields": ["last_login", "date_joined"], "classes": ["tab"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "name", "password1", "password2"]})]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("organizations")

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[type[Any]]:
        return self.inlines if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # deactivate instead: what a person did must stay attributable

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "email" in form.changed_data:
            services.replace_email_address(user=obj)

    @display(description="Organizations")
    def organization_names(self, user: User) -> str:
        return ", ".join(organization.name for organization in user.organizations.all()) or "none"

    @display(description="State", ordering="is_active", label={"Active": "success", "Deactivated": "danger"})
    def shown_state(self, user: User) -> str:
        return "Active" if user.is_active else "Deactivated"

    @admin.action(description="Deactivate: may no longer sign in", permissions=["change"])
    def deactivate(self, request: HttpRequest, users: QuerySet[User]) -> None:
        others = users.exclude(pk=request.user.pk or 0)
        for user in others:
            services.set_active(user=user, active=False)
            self.log_change(request, user, "Deactivated.")
        self.message_user(request, f"{len(others)} deactivated.", messages.SUCCESS)
        if len(others) < len(users):
            self.message_user(request, "You cannot deactivate yourself.", messages.WARNING)

    @admin.action(description="Activate: may sign in again", permissions=["change"])
    def activate(self, request: HttpRequest, users: QuerySet[User]) -> None:
        for user in users:
            services.set_active(user=user, active=True)
            self.log_change(request, user, "Activated.")
        self.message_user(request, f"{len(users)} activated.", messages.SUCCESS)


@admin.register(Organization)
class OrganizationAdmin(ModelAdmin):
    list_display = ["name", "slug", "shown_state", "member_count", "created_at", "id"]
    list_filter = ["is_suspended", ("created_at", RangeDateTimeFilter)]
    list_filter_submit = True
    search_fields = ["name", "slug", "=id", "members__email"]
    ordering = ["-created_at"]
    actions = ["suspend", "unsuspend"]
    inlines = [MembershipInline]
    readonly_fields = ["id", "slug", "shown_state", "policy_version", "created_at", "updated_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        return super().get_queryset(request).annotate(memberships_count=Count("memberships"))  # type: ignore[no-any-return]

    def get_fieldsets(self, request: HttpRequest, obj: Organization | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": ["name", "owner_email"]})]
        return [
            (
                None,
                {
                    "fields": [
                        "name",
                        "history_days",
                        "shown_state",
                        "slug",
                        "id",
                        "policy_version",
                        "created_at",
                        "updated_at",
                    ]
                },
            )
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = OrganizationChangeForm if change else OrganizationAddForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: Organization | None) -> list[type[Any]]:
        return [MembershipInline] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        return False  # suspend instead: keys and usage are the truth about what was charged

    def save_model(self, request: HttpRequest, obj: Organization, form: Any, change: bool) -> None:
        if change:
            services.rename_organization(organization=obj, name=form.cleaned_data["name"])
            if "history_days" in form.changed_data:
                services.set_history_days(organization=obj, days=form.cleaned_data["history_days"])
            return
        made = services.create_organization(
            name=form.cleaned_data["name"], owner=form.cleaned_data["owner_email"]
        )
        obj.pk = made.pk
        obj.refresh_from_db()

    @display(description="State", ordering="is_suspended", label={"Active": "success", "Suspended": "danger"})
    def shown_state(self, organization: Organization) -> str:
        return "Suspended" if organization.is_suspended else "Active"

    @display(description="Members", ordering="memberships_count")
    def member_count(self, organization: Any) -> int:
        return int(organization.memberships_count)

    @admin.action(description="Suspend: refuse their keys at once", permissions=["change"])
    def suspend(self, request: HttpRequest, organizations: QuerySet[Organization]) -> None:
        self._set_suspended(request, organizations, suspended=True)

    @admin.action(description="Lift the suspension", permissions=["change"])
    def unsuspend(self, request: HttpRequest, organizations: QuerySet[Organization]) -> None:
        self._set_suspended(request, organizations, suspended=False)

    def _set_suspended(
        self, request: HttpRequest, organizations: QuerySet[Organization], *, suspended: bool
    ) -> None:
        word = "suspended" if suspended else "active again"
        for organization in organizations:
            services.set_suspended(organization=organization, suspended=suspended)
            self.log_change(request, organization, f"{word.capitalize()}.")
        self.message_user(request, f"{len(organizations)} {word}.", messages.SUCCESS)


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    """Who belongs where; changed on the organization's page."""

    list_display = ["user", "organization", "role", "created_at"]
    list_filter = ["role"]
    search_fields = ["user__email", "user__name", "organization__name", "organization__slug"]
    list_select_related = ["user", "organization"]
    ordering = ["-id"]


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Rights that several of the staff share."""

    list_display = ["name"]


@admin.register(EmailAddress)
class EmailAddressAdmin(AllauthEmailAddressAdmin, ModelAdmin):
    list_display = ["email", "user", "primary", "verified"]
    list_filter = ["primary", "verified"]
    list_select_related = ["user"]
    readonly_fields = ["user", "email"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(SocialAccount)
class SocialAccountAdmin(ReadOnlyAdmin, AllauthSocialAccountAdmin):
    """Sign-ins with Google, GitHub and OpenID."""

    list_display = ["user", "provider", "uid", "last_login", "date_joined"]
    list_filter = ["provider"]
    list_select_related = ["user"]
    fields = ["user", "provider", "uid", "last_login", "date_joined"]
