"""ElevenLabs' calls behind Django's URLs, and in the schema: those of the speech API's endpoints."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view

from apps.tts.elevenlabs import catalogue, schema, synthesis, timestamps
from apps.tts.elevenlabs.body import ElevenLabsSpeechSerializer
from apps.tts.views import EndpointGetView, EndpointPostView


def _speaks(operation_id: str, summary: str, responses: Any, description: str) -> Any:
    return extend_schema_view(
        post=extend_schema(
            operation_id=operation_id,
            summary=summary,
            description=description,
            tags=[schema.TAG],
            auth=schema.SECURITY,
            parameters=schema.SPEECH_PARAMETERS,
            request=ElevenLabsSpeechSerializer,
            responses=responses,
        )
    )


@_speaks(
    "elevenlabs_convert",
    "Text in, speech out",
    schema.AUDIO_ANSWERS,
    "Answers once all of it is made. What of the body has no effect here is accepted, and named in the header"
    " `X-Ignored-Parameters`.",
)
class ConvertView(EndpointPostView):
    endpoint = synthesis.CONVERT


@_speaks(
    "elevenlabs_stream",
    "Text in, speech out as it is made",
    schema.AUDIO_ANSWERS,
    "As convert, chunk by chunk; a WAV tells 0xFFFFFFFF for its sizes.",
)
class StreamView(EndpointPostView):
    endpoint = synthesis.STREAM


@_speaks(
    "elevenlabs_convert_with_timestamps",
    "Speech with the times of its characters",
    schema.ElevenLabsTimedSpeechSerializer,
    schema.TIMES,
)
class ConvertWithTimestampsView(EndpointPostView):
    endpoint = timestamps.CONVERT_WITH_TIMESTAMPS


@_speaks(
    "elevenlabs_stream_with_timestamps",
    "Speech with the times of its characters, as it is made",
    {
        (200, timestamps.LINES): OpenApiResponse(
            schema.ElevenLabsTimedSpeechSerializer,
            description="An object a line, each with the audio since the one before.",
        )
    },
    schema.TIMES,
)
class StreamWithTimestampsView(EndpointPostView):
    endpoint = timestamps.STREAM_WITH_TIMESTAMPS


@extend_schema_view(
    get=extend_schema(
        operation_id="elevenlabs_list_models",
        summary="Models that can be named",
        description="What `model_id` may name here, beside ElevenLabs' own names.",
        tags=[schema.TAG],
        auth=schema.SECURITY,
        responses=schema.ElevenLabsModelSerializer(many=True),
    )
)
class ModelsView(EndpointGetView):
    endpoint = catalogue.MODELS


class UnknownView(EndpointPostView):
    endpoint = catalogue.UNKNOWN
    schema = None
