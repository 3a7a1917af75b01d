"""The two doors. Whatever the provider does wrong ends on the page that says so."""

from __future__ import annotations

from allauth.account.internal.decorators import login_not_required
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView, OAuth2View
from django.http import HttpRequest, HttpResponse

from .adapter import OpenIDAdapter
from .issuer import OpenIDError


def _answer(view: type[OAuth2View], request: HttpRequest) -> HttpResponse:
    """allauth's view expects no errors before the provider was asked for a token: discovery comes first."""
    adapter = OpenIDAdapter(request)
    try:
        answer: HttpResponse = view.adapter_view(adapter)(request)
    except OpenIDError as error:
        answer = render_authentication_error(request, adapter.get_provider(), exception=error)
    return answer


@login_not_required  # type: ignore[untyped-decorator]
def oauth2_login(request: HttpRequest) -> HttpResponse:
    return _answer(OAuth2LoginView, request)


@login_not_required  # type: ignore[untyped-decorator]
def oauth2_callback(request: HttpRequest) -> HttpResponse:
    return _answer(OAuth2CallbackView, request)
