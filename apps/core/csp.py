"""One Content-Security-Policy for our own pages, and another where vendored ones need more."""

from __future__ import annotations

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class PolicyByPath(CSPMiddleware):
    """CONTENT_SECURITY_POLICY, with the directives that CSP_BY_PREFIX replaces under a path."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        for prefix, directives in settings.CSP_BY_PREFIX.items():
            if request.path_info.startswith(prefix):
                parts.replace = directives | (parts.replace or {})
        return parts
