"""Pages of voices: everybody of the organization hears them, owners and admins manage its own."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts.tenancy import OrganizationRequest, manager_required, organization_required
from apps.core.addresses import client_address_of
from apps.core.errors import AppError, NotFound
from apps.core.media import serving
from apps.core.media.links import Linked
from apps.voices import consents, services, statements
from apps.voices.actors import Actor
from apps.voices.forms import (
    ConfirmVoiceForm,
    NewVoiceForm,
    TermsForm,
    VoiceFilterForm,
    VoiceForm,
    WithdrawForm,
)
from apps.voices.listing import find_listed, listed_voices
from apps.voices.models import Voice, VoiceConsent

VOICES_PER_PAGE = 25


@require_safe
@organization_required
def voice_list(request: OrganizationRequest) -> HttpResponse:
    filters = VoiceFilterForm(request.GET)
    filters.is_valid()
    wanted = filters.cleaned_data
    voices = listed_voices(
        request.organization,
        search=wanted.get("q", ""),
        category=wanted.get("category", ""),
        language=wanted.get("language", ""),
    )
    # One's own first: `cloned` comes before `premade`.
    page = Paginator(voices.order_by("category", "name", "id"), VOICES_PER_PAGE)
    context = {
        "page": page.get_page(request.GET.get("page")),
        "filters": filters,
        "is_filtered": any(wanted.values()),
        "own_count": Voice.objects.for_organization(request.organization).cloned().live().count(),
        "limit": settings.LIMIT_VOICES,
        "can_clone": bool(settings.CONSENT_SECRET),
    }
    return render(request, "voices/list.html", context)


@require_http_methods(["GET", "POST"])
@manager_required
def voice_add(request: OrganizationRequest) -> HttpResponse:
    form = NewVoiceForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        try:
            voice = services.add_voice(
                organization=request.organization,
                recordings=form.cleaned_data["file"],
                by=_actor(request),
                via=VoiceConsent.Via.CONSOLE,
                consent=form.cleaned_data["consent"],
                consent_version=form.cleaned_data["consent_version"],
                **form.told,
            )
        except AppError as error:
            _refuse(form, error)
        else:
            messages.success(request, f"{voice.name} is added. Requests can name it from now on.")
            return redirect("voice", voice_id=voice.public_id)
    return _form_page(request, "voices/add.html", form, statement=statements.current_consent())


@require_safe
@organization_required
def voice_detail(request: OrganizationRequest, voice_id: str) -> HttpResponse:
    voice = _voice_or_404(request, voice_id)
    consent = next(iter(voice.consents.all()), None)
    context = {
        "voice": voice,
        "consent": consent,
        "consent_text": statements.text_of(consent.text_version) if consent else "",
    }
    return render(request, "voices/detail.html", context)


@require_http_methods(["GET", "POST"])
@manager_required
def voice_edit(request: OrganizationRequest, voice_id: str) -> HttpResponse:
    voice = _own_voice_or_404(request, voice_id)
    initial = {
        "name": voice.name,
        "description": voice.description,
        "labels": voice.labels,
        "language": next(iter(voice.languages), ""),
    }
    form = VoiceForm(request.POST or None, initial=initial)
    if form.is_valid():
        try:
            services.describe_voice(voice=voice, **form.told)
        except AppError as error:
            _refuse(form, error)
        else:
            messages.success(request, f"{voice.name} is saved.")
            return redirect("voice", voice_id=voice.public_id)
    return _form_page(request, "voices/edit.html", form, voice=voice)


@require_http_methods(["GET", "POST"])
@manager_required
def voice_withdraw(request: OrganizationRequest, voice_id: str) -> HttpResponse:
    voice = _own_voice_or_404(request, voice_id)
    form = WithdrawForm(request.POST or None, voice=voice)
    if form.is_valid():
        try:
            services.withdraw_consent(voice=voice, by=_actor(request), reason=form.cleaned_data["reason"])
        except AppError as error:
            _refuse(form, error)
        else:
            messages.success(request, f"The consent to {voice.name} is withdrawn. It is not spoken any more.")
            return redirect("voice", voice_id=voice.public_id)
    return _form_page(request, "voices/withdraw.html", form, voice=voice)


@require_http_methods(["GET", "POST"])
@manager_required
def voice_delete(request: OrganizationRequest, voice_id: str) -> HttpResponse:
    voice = _own_voice_or_404(request, voice_id)
    form = ConfirmVoiceForm(request.POST or None, voice=voice)
    if form.is_valid():
        try:
            services.delete_voice(voice=voice, by=_actor(request))
        except AppError as error:
            _refuse(form, error)
        else:
            messages.success(request, f"{voice.name} is deleted.")
            return redirect("voices")
    return _form_page(request, "voices/delete.html", form, voice=voice)


@require_http_methods(["GET", "POST"])
@manager_required
def voice_terms(request: OrganizationRequest) -> HttpResponse:
    """What programs add voices under that cannot show a statement."""
    statement = statements.current_terms()
    form = TermsForm(request.POST or None)
    if form.is_valid():
        try:
            consents.accept_terms(
                organization=request.organization, version=form.cleaned_data["version"], by=_actor(request)
            )
        except AppError as error:
            _refuse(form, error)
        else:
            messages.success(request, "The terms are accepted. Keys of your organization can add voices.")
            return redirect("voice_terms")
    return _form_page(
        request,
        "voices/terms.html",
        form,
        statement=statement,
        accepted=consents.accepted_terms(request.organization),
    )


@require_safe
@organization_required
def voice_preview(request: OrganizationRequest, voice_id: str) -> HttpResponseBase:
    """The clip, from wherever it is kept: pages are let play nothing of other origins."""
    voice = _voice_or_404(request, voice_id)
    if not voice.preview_key:
        raise Http404
    return serving.answer(request, _clip(voice.preview_key, f"{voice.name}.mp3", "audio/mpeg"))


@require_safe
@organization_required
def voice_recording(request: OrganizationRequest, voice_id: str) -> HttpResponseBase:
    voice = _own_voice_or_404(request, voice_id)
    if voice.state == Voice.State.WITHDRAWN:
        raise Http404
    return serving.answer(request, _clip(voice.reference_key, f"{voice.name}, recording.wav", "audio/wav"))


def _clip(key: str, filename: str, content_type: str) -> Linked:
    return Linked(key, 0, filename, content_type, attachment=False)


def _actor(request: OrganizationRequest) -> Actor:
    return Actor.of_person(request.user, address=client_address_of(request))


def _voice_or_404(request: OrganizationRequest, voice_id: str) -> Voice:
    try:
        return find_listed(request.organization, voice_id)
    except NotFound as error:
        raise Http404 from error


def _own_voice_or_404(request: OrganizationRequest, voice_id: str) -> Voice:
    voice = _voice_or_404(request, voice_id)
    if not voice.is_cloned:
        raise Http404
    return voice


def _form_page(request: HttpRequest, template: str, form: Form, **context: Any) -> HttpResponse:
    return render(request, template, {"form": form, **context}, status=400 if form.errors else 200)


def _refuse(form: Form, error: AppError) -> None:
    visible = {field.name for field in form.visible_fields()}
    form.add_error(error.param if error.param in visible else None, error.message)
