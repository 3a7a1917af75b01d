"""`/api/jobs`: long texts, made part by part into one file."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api import organization_of
from apps.accounts.models import User
from apps.core.bodies import read_larger_body
from apps.core.errors import NotFound
from apps.core.schema import IDEMPOTENCY_KEY
from apps.keys.identity import Identity, identity_of_organization
from apps.tts.fields import NameField, TextField
from apps.tts.idempotency.answering import checked_key
from apps.tts.jobs import services
from apps.tts.jobs.models import MAX_TITLE_CHARACTERS, JobPart, SpeechJob
from apps.tts.native import SpeechSerializer
from apps.tts.request import SpeechBody

TAG = "jobs"
IDEMPOTENCY_HEADER = "Idempotency-Key"
_IDEMPOTENCY_KEY = OpenApiParameter(
    IDEMPOTENCY_HEADER,
    cast("dict[str, Any]", IDEMPOTENCY_KEY["schema"]),
    OpenApiParameter.HEADER,
    description="Any word of yours: sent again with the same body, it gives the same job instead of another.",
)
# What the schema cannot tell from what an operation takes.
_REFUSES_STATE = {"x-refuses": [409]}
_REFUSES_SPEECH = {"x-refuses": [402, 404, 422, 429]}


class NewJobSerializer(SpeechSerializer):
    """As /generate takes them; a job is never streamed."""

    stream = None  # type: ignore[assignment]
    text = TextField(
        max_length=services.MAX_CHARACTERS,
        help_text=f"What is said; at most {services.MAX_CHARACTERS:,} characters.",
    )
    title = NameField(
        required=False, allow_blank=True, default="", max_length=MAX_TITLE_CHARACTERS, help_text="For lists."
    )


class JobErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()


class JobSerializer(serializers.ModelSerializer[SpeechJob]):
    state = serializers.ChoiceField(choices=SpeechJob.State.choices, read_only=True)
    stage = serializers.CharField(
        read_only=True, help_text="Of a running job: splitting, speaking, assembling, or waiting."
    )
    progress = serializers.FloatField(read_only=True, help_text="From 0 to 1, by characters.")
    options = serializers.JSONField(read_only=True, help_text="The other parameters as they were sent.")
    error = serializers.SerializerMethodField()
    waits_for = serializers.CharField(
        read_only=True, help_text="While it waits, the code of what it waits for; else empty."
    )
    result_bytes = serializers.IntegerField(read_only=True, allow_null=True)
    expires_at = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="When its audio is removed."
    )

    class Meta:
        model = SpeechJob
        fields = [
            "id",
            "state",
            "stage",
            "title",
            "mode",
            "key_id",
            "model",
            "voice",
            "format",
            "options",
            "characters",
            "characters_done",
            "characters_charged",
            "progress",
            "parts_total",
            "parts_done",
            "audio_ms",
            "waits_for",
            "error",
            "result_bytes",
            "expires_at",
            "created_at",
            "started_at",
            "ended_at",
        ]
        read_only_fields = fields

    @extend_schema_field(JobErrorSerializer(allow_null=True))
    def get_error(self, job: SpeechJob) -> dict[str, str] | None:
        return {"code": job.error_code, "message": job.error_message} if job.error_code else None


class JobPartSerializer(serializers.ModelSerializer[JobPart]):
    usage_id = serializers.UUIDField(
        source="record_id", read_only=True, allow_null=True, help_text="Its request, as in /api/usage."
    )

    class Meta:
        model = JobPart
        fields = ["number", "start", "stop", "state", "audio_ms", "characters_charged", "usage_id"]
        read_only_fields = fields


class WholeJobSerializer(JobSerializer):
    parts = JobPartSerializer(many=True, read_only=True, help_text="Spans of the text, in code points.")

    class Meta(JobSerializer.Meta):
        fields = [*JobSerializer.Meta.fields, "parts"]
        read_only_fields = fields


class ResultSerializer(serializers.Serializer[Any]):
    url = serializers.URLField(help_text="Fetch it without a key; it ends at `expires_at`.")
    expires_at = serializers.DateTimeField()
    filename = serializers.CharField()
    content_type = serializers.CharField()
    bytes = serializers.IntegerField()
    audio_ms = serializers.IntegerField()


class JobsQuerySerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=SpeechJob.State.choices, required=False)


# One for all: checking keeps nothing in it.
_FORM = NewJobSerializer()


def checked(data: Any) -> tuple[SpeechBody, str]:
    """The body and the title. Raises DRF's `ValidationError`, `InvalidRequest` (`text_too_long`)."""
    if not isinstance(data, dict):
        raise serializers.ValidationError("The body must be a JSON object with a text.")
    if unknown := next((name for name in data if name not in _FORM.fields), None):
        known = ", ".join(_FORM.fields)
        raise serializers.ValidationError({unknown: [f"Unknown field; there are {known}."]})
    text = data.get("text")
    if isinstance(text, str):
        services.require_length(text)
    values = _FORM.run_validation(data)
    title = values.pop("title")
    return SpeechBody(**values), title


class _JobView(APIView):
    """A key sees the jobs of its organization that were made in its own mode, a person sees all."""

    required_scope = "speech"


def _visible(request: Request) -> QuerySet[SpeechJob]:
    jobs: QuerySet[SpeechJob] = SpeechJob.objects.for_organization(organization_of(request)).present()
    return jobs.filter(mode=request.auth.mode) if isinstance(request.auth, Identity) else jobs


def _identity(request: Request) -> Identity:
    """Whom a new job speaks for: a person's speaks for the organization, as it does in the console."""
    if isinstance(request.auth, Identity):
        return request.auth
    return identity_of_organization(organization_of(request).pk)


def _job_or_404(request: Request, job_id: UUID) -> SpeechJob:
    job = _visible(request).filter(pk=job_id).first()
    if job is None:
        raise NotFound("There is no such job.")
    return job


def _whole(job: SpeechJob, *, status_code: int = status.HTTP_200_OK) -> Response:
    return Response(WholeJobSerializer(job).data, status=status_code)


@extend_schema_view(
    get=extend_schema(
        summary="List jobs", operation_id="jobs_list", tags=[TAG], parameters=[JobsQuerySerializer]
    )
)
class JobsView(_JobView, generics.ListAPIView[SpeechJob]):
    serializer_class = JobSerializer
    queryset = SpeechJob.objects.none()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        read_larger_body(request._request)
        super().initial(request, *args, **kwargs)

    def get_queryset(self) -> Any:
        query = JobsQuerySerializer(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        return _visible(self.request).filter(**query.validated_data)

    @extend_schema(
        summary="Make a long text into one file",
        operation_id="jobs_create",
        tags=[TAG],
        parameters=[_IDEMPOTENCY_KEY],
        request=NewJobSerializer,
        responses={
            201: WholeJobSerializer,
            200: OpenApiResponse(WholeJobSerializer, description="The job that this key made before."),
        },
        extensions=_REFUSES_SPEECH,
    )
    def post(self, request: Request) -> Response:
        given = request.headers.get(IDEMPOTENCY_HEADER)
        key = "" if given is None else checked_key(given)
        body, title = checked(request.data)
        job, is_new = services.create_job(
            identity=_identity(request),
            body=body,
            title=title,
            created_by=request.user if isinstance(request.user, User) else None,
            idempotency_key=key,
        )
        if is_new:
            return _whole(job, status_code=status.HTTP_201_CREATED)
        return Response(WholeJobSerializer(job).data, headers={"Idempotent-Replayed": "true"})


class JobView(_JobView):
    @extend_schema(
        summary="One job, with its parts", operation_id="jobs_get", tags=[TAG], responses=WholeJobSerializer
    )
    def get(self, request: Request, job_id: UUID) -> Response:
        return _whole(_job_or_404(request, job_id))

    @extend_schema(
        summary="Delete a job with its text and audio",
        operation_id="jobs_delete",
        tags=[TAG],
        responses={204: OpenApiResponse(description="Gone at once; what was made of it stays charged.")},
    )
    def delete(self, request: Request, job_id: UUID) -> Response:
        services.delete_job(job=_job_or_404(request, job_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class CancelJobView(_JobView):
    @extend_schema(
        summary="Cancel a job",
        operation_id="jobs_cancel",
        tags=[TAG],
        request=None,
        responses=WholeJobSerializer,
        extensions=_REFUSES_STATE,
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        job = _job_or_404(request, job_id)
        services.cancel_job(job=job)
        return _whole(job)


class ResumeJobView(_JobView):
    @extend_schema(
        summary="Go on with a job that failed",
        operation_id="jobs_resume",
        tags=[TAG],
        request=None,
        responses=WholeJobSerializer,
        extensions=_REFUSES_STATE,
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        job = _job_or_404(request, job_id)
        services.resume_job(job=job)
        return _whole(job)


class JobResultView(_JobView):
    @extend_schema(
        summary="A link to the audio of a job",
        description="Made anew with each call, for a while.",
        operation_id="jobs_result",
        tags=[TAG],
        responses=ResultSerializer,
        extensions=_REFUSES_STATE,
    )
    def get(self, request: Request, job_id: UUID) -> Response:
        job = _job_or_404(request, job_id)
        link = services.link_of(job)
        told = {
            "url": link.url,
            "expires_at": link.expires_at,
            "filename": job.filename,
            "content_type": job.content_type,
            "bytes": job.result_bytes,
            "audio_ms": job.audio_ms,
        }
        return Response(ResultSerializer(told).data, headers={"Cache-Control": "no-store"})
