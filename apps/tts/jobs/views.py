"""Pages of jobs: everybody of the organization makes and hears them; deleting is for owners and admins."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.tenancy import OrganizationRequest, manager_required, organization_required
from apps.core.bodies import read_larger_body
from apps.core.errors import AppError, PayloadTooLarge
from apps.core.media import serving
from apps.core.media.links import Linked
from apps.keys.identity import identity_of_person
from apps.tts.jobs import services, words
from apps.tts.jobs.forms import DeleteJobForm, JobFilterForm, NewJobForm
from apps.tts.jobs.listing import listed_jobs
from apps.tts.jobs.models import JobText, SpeechJob

JOBS_PER_PAGE = 25
PARTS_PER_PAGE = 50
SHOWN_CHARACTERS = 20_000
TABS = {"summary": "Summary", "parts": "Parts", "text": "Text"}
# What browsers play in an <audio> element.
PLAYABLE = frozenset({"mp3", "opus", "aac", "flac", "wav"})


@require_safe
@organization_required
def job_list(request: OrganizationRequest) -> HttpResponse:
    filters = JobFilterForm(request.GET)
    filters.is_valid()
    state = filters.cleaned_data.get("state", "")
    page = Paginator(listed_jobs(request.organization, state=state), JOBS_PER_PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "page": page,
        "filters": filters,
        "is_filtered": bool(state),
        "base_url": request.build_absolute_uri("/").rstrip("/"),
        "is_live": any(job.is_active for job in page),
    }
    return render(request, "jobs/list.html", context)


@csrf_exempt
def job_create(request: HttpRequest) -> HttpResponseBase:
    """Reads a long text before the check of the form's token would read it, and refuse its length."""
    try:
        if request.method == "POST":
            read_larger_body(request)
    except PayloadTooLarge:
        messages.error(request, f"A job has at most {services.MAX_CHARACTERS:,} characters.")
        return redirect("job_create")
    return _job_create(request)


@csrf_protect
@require_http_methods(["GET", "POST"])
@organization_required
def _job_create(request: OrganizationRequest) -> HttpResponse:
    form = NewJobForm(request.POST or None, organization=request.organization)
    if form.is_valid():
        try:
            job, _ = services.create_job(
                identity=identity_of_person(user_id=request.user.pk, organization_id=request.organization.pk),
                body=form.body,
                title=form.cleaned_data["title"],
                created_by=request.user,
            )
        except AppError as error:
            _refuse(form, error)
        else:
            return redirect("job", job_id=job.pk)
    context = {"form": form, "limit": services.MAX_CHARACTERS, **_kept_for()}
    return render(request, "jobs/create.html", context, status=400 if form.errors else 200)


@require_safe
@organization_required
def job_detail(request: OrganizationRequest, job_id: UUID) -> HttpResponse:
    job = _job_or_404(request, job_id)
    tab = request.GET.get("tab", "")
    tab = tab if tab in TABS else next(iter(TABS))
    context: dict[str, Any] = {
        "job": job,
        "tab": tab,
        "tabs": TABS.items(),
        "stage": words.stage(job),
        "why_it_waits": words.why_it_waits(job.waits_for),
        "what_to_do": words.what_to_do(job.error_code),
        "is_playable": job.format in PLAYABLE,
        **_kept_for(),
    }
    if tab == "parts":
        context["page"] = Paginator(job.parts.order_by("number"), PARTS_PER_PAGE).get_page(
            request.GET.get("page")
        )
    elif tab == "text":
        context |= _text_of(job)
    elif job.has_result:
        context["link"] = services.link_of(job)
    return render(request, "jobs/detail.html", context)


@require_POST
@organization_required
def job_cancel(request: OrganizationRequest, job_id: UUID) -> HttpResponse:
    job = _job_or_404(request, job_id)
    try:
        services.cancel_job(job=job)
    except AppError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"{job.name} is cancelled.")
    return redirect("job", job_id=job.pk)


@require_POST
@organization_required
def job_resume(request: OrganizationRequest, job_id: UUID) -> HttpResponse:
    job = _job_or_404(request, job_id)
    try:
        services.resume_job(job=job)
    except AppError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"{job.name} goes on.")
    return redirect("job", job_id=job.pk)


@require_http_methods(["GET", "POST"])
@manager_required
def job_delete(request: OrganizationRequest, job_id: UUID) -> HttpResponse:
    job = _job_or_404(request, job_id)
    form = DeleteJobForm(request.POST or None, job=job)
    if form.is_valid():
        services.delete_job(job=job)
        messages.success(request, f"{form.job_name} is deleted.")
        return redirect("jobs")
    context = {"form": form, "job": job}
    return render(request, "jobs/delete.html", context, status=400 if form.errors else 200)


@require_safe
@organization_required
def job_audio(request: OrganizationRequest, job_id: UUID) -> HttpResponseBase:
    """The file itself, in ranges as a player asks for them; from wherever it is kept."""
    job = _job_or_404(request, job_id)
    try:
        services.require_result(job)
    except AppError as error:
        raise Http404 from error
    wanted = Linked(job.result_key, 0, job.filename, job.content_type, "download" in request.GET)
    return serving.answer(request, wanted)


def _job_or_404(request: OrganizationRequest, job_id: UUID) -> SpeechJob:
    job: SpeechJob = get_object_or_404(listed_jobs(request.organization), pk=job_id)
    return job


def _kept_for() -> dict[str, int]:
    return {"result_days": settings.JOB_RESULT_DAYS, "text_days": settings.JOB_TEXT_DAYS}


def _text_of(job: SpeechJob) -> dict[str, Any]:
    text = JobText.objects.filter(pk=job.pk).values_list("text", flat=True).first()
    if text is None:
        return {"text": None}
    return {"text": text[:SHOWN_CHARACTERS], "more": max(0, len(text) - SHOWN_CHARACTERS)}


def _refuse(form: Form, error: AppError) -> None:
    form.add_error(error.param if error.param in form.fields else None, error.message)
