"""OpenAI's surface behind Django's URLs, and in the schema."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view

from apps.tts.openai import endpoints, schema
from apps.tts.openai.body import OpenAISpeechSerializer
from apps.tts.views import EndpointGetView, EndpointPostView


@extend_schema_view(
    post=extend_schema(
        operation_id="openai_create_speech",
        summary="Text in, speech out, as OpenAI's clients ask for it",
        tags=[schema.TAG],
        auth=schema.SECURITY,
        request=OpenAISpeechSerializer,
        responses=schema.SPEECH_ANSWERS,
    )
)
class SpeechView(EndpointPostView):
    endpoint = endpoints.SPEECH


@extend_schema_view(
    get=extend_schema(
        operation_id="openai_list_models",
        summary="Models that can be named",
        tags=[schema.TAG],
        auth=schema.SECURITY,
        responses=schema.MODELS,
    )
)
class ModelsView(EndpointGetView):
    endpoint = endpoints.MODELS


@extend_schema_view(
    get=extend_schema(
        operation_id="openai_retrieve_model",
        summary="One model",
        tags=[schema.TAG],
        auth=schema.SECURITY,
        responses=schema.OpenAIModelSerializer,
    )
)
class ModelView(EndpointGetView):
    endpoint = endpoints.MODEL


class UnknownView(EndpointPostView):
    endpoint = endpoints.UNKNOWN
    schema = None
