"""How Django admin looks and what its side bar holds; tokens as in static/css/tokens.css."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _static(name: str) -> Callable[[HttpRequest], str]:
    return lambda request: static(name)


def _may_view(model: str) -> Callable[[HttpRequest], bool]:
    app, name = model.split(".")
    return lambda request: request.user.has_perm(f"{app}.view_{name}")


def _mails_are_files(request: HttpRequest) -> bool:
    from apps.console import mails

    return mails.available()


def _is_at_clips(request: HttpRequest) -> bool:
    """The review of clips, below them, has an entry of its own."""
    clips = "/admin/contributions/clip/"
    return request.path.startswith(clips) and not request.path.startswith(f"{clips}review/")


def _list(title: str, icon: str, model: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{model.replace('.', '_')}_changelist"),
        "permission": _may_view(model),
    }


def _page(title: str, icon: str, url_name: str, **more: Any) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(url_name), **more}


# Neutral and accent of the tokens, in Tailwind's steps: low ones are light grounds, high ones dark grounds.
_COLOURS = {
    "base": {
        "50": "oklch(0.982 0.002 280)",
        "100": "oklch(0.955 0.003 280)",
        "200": "oklch(0.922 0.004 280)",
        "300": "oklch(0.83 0.006 280)",
        "400": "oklch(0.705 0.008 280)",
        "500": "oklch(0.505 0.009 280)",
        "600": "oklch(0.39 0.009 280)",
        "700": "oklch(0.328 0.009 280)",
        "800": "oklch(0.272 0.008 280)",
        "900": "oklch(0.175 0.006 280)",
        "950": "oklch(0.14 0.005 280)",
    },
    "primary": {
        "50": "oklch(0.975 0.012 280)",
        "100": "oklch(0.962 0.018 280)",
        "200": "oklch(0.92 0.04 280)",
        "300": "oklch(0.86 0.07 280)",
        "400": "oklch(0.76 0.125 279)",
        "500": "oklch(0.7 0.15 278)",
        "600": "oklch(0.53 0.21 275)",
        "700": "oklch(0.47 0.21 275)",
        "800": "oklch(0.4 0.17 276)",
        "900": "oklch(0.32 0.1 277)",
        "950": "oklch(0.27 0.055 277)",
    },
    "font": {
        "subtle-light": "var(--color-base-500)",
        "subtle-dark": "var(--color-base-400)",
        "default-light": "var(--color-base-600)",
        "default-dark": "var(--color-base-300)",
        "important-light": "oklch(0.215 0.008 280)",
        "important-dark": "oklch(0.955 0.003 280)",
    },
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "VoiceFlow admin",
    "SITE_HEADER": "VoiceFlow",
    "SITE_SUBHEADER": "Staff",
    "SITE_URL": "/",
    "SITE_ICON": _static("img/favicon.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _static("img/favicon.svg")}],
    "BORDER_RADIUS": "6px",
    "COLORS": _COLOURS,
    "STYLES": [_static("css/staff.css"), _static("css/staff-collection.css")],
    "DASHBOARD_CALLBACK": "apps.console.dashboard.context",
    "COMMAND": {"search_models": ["accounts.user", "accounts.organization", "keys.apikey"]},
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "navigation": [
            {
                "items": [
                    _page("Dashboard", "monitoring", "admin:index"),
                    _page("Mails", "mail", "admin:mails", permission=_mails_are_files),
                ],
            },
            {
                "title": "Speech",
                "separator": True,
                "items": [
                    _list("Requests", "graphic_eq", "usage.usagerecord"),
                    _list("Jobs", "library_books", "tts.speechjob"),
                    _list("Deployments", "deployed_code", "deployments.deployment"),
                    _list("Workers", "memory", "deployments.worker"),
                    _list("Voices", "record_voice_over", "voices.voice"),
                    _list("Deployment events", "timeline", "deployments.deploymentevent"),
                    _list("Speech processes", "dns", "usage.speechprocess"),
                ],
            },
            {
                "title": "Voice collection",
                "separator": True,
                "items": [
                    _list("Campaigns", "campaign", "contributions.campaign"),
                    _page(
                        "Review clips",
                        "headphones",
                        "admin:contributions_clip_review_queue",
                        permission=_may_view("contributions.clip"),
                    ),
                    _list("Clips", "mic", "contributions.clip") | {"active": _is_at_clips},
                    _list("Sentences", "notes", "contributions.prompt"),
                    _list("Consent texts", "article", "contributions.consenttext"),
                    _list("Contributors", "face", "contributions.contributor"),
                    _list("Consents", "handshake", "contributions.consentrecord"),
                    _list("Withdrawals", "undo", "contributions.consentwithdrawal"),
                    _list("Ledger", "account_balance", "contributions.posting"),
                    _list("Payout batches", "payments", "contributions.payoutbatch"),
                    _list("Payouts", "send_money", "contributions.payout"),
                ],
            },
            {
                "title": "Machines",
                "separator": True,
                "items": [
                    _list("Runs", "schedule", "deployments.run"),
                    _page(
                        "Shared machines",
                        "call_split",
                        "admin:shared_machines",
                        permission=_may_view("usage.usagerecord"),
                    ),
                    _list("GPU prices", "sell", "deployments.gpuprice"),
                    _list("Bills", "receipt_long", "deployments.billcheck"),
                    _list("Orphans", "link_off", "deployments.orphan"),
                    _list("Provider keys", "vpn_key", "deployments.providerkey"),
                ],
            },
            {
                "title": "Customers",
                "separator": True,
                "items": [
                    _list("Organizations", "apartment", "accounts.organization"),
                    _list("API keys", "key", "keys.apikey"),
                    _list("Webhooks", "webhook", "webhooks.endpoint"),
                    _list("Webhook deliveries", "outbox", "webhooks.delivery"),
                    _list("Limits", "speed", "usage.organizationlimits"),
                    _list("Budgets", "savings", "deployments.budget"),
                    _list("Limits reached", "notifications", "usage.usagenotice"),
                    _list("Consents to clone", "fact_check", "voices.voiceconsent"),
                    _list("Cloning terms", "contract", "voices.cloningterms"),
                    _list("People", "person", "accounts.user"),
                    _list("Memberships", "group", "accounts.membership"),
                    _list("Email addresses", "alternate_email", "account.emailaddress"),
                    _list("Social sign-ins", "login", "socialaccount.socialaccount"),
                ],
            },
            {
                "title": "Staff",
                "separator": True,
                "items": [
                    _list("Groups of rights", "shield_person", "auth.group"),
                    _list("What staff did", "history", "admin.logentry"),
                ],
            },
            {
                "title": "Elsewhere",
                "separator": True,
                "items": [
                    {"title": "Console", "icon": "open_in_new", "link": "/"},
                    _page("API documentation", "code", "api_docs"),
                    _page("Readiness", "check_circle", "ready"),
                ],
            },
        ],
    },
}
