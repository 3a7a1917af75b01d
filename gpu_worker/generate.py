"""`POST /generate` as a bare ASGI endpoint, for model classes cost more than the rest of the path."""

from __future__ import annotations

import asyncio
import logging
import time
from asyncio import FIRST_COMPLETED
from dataclasses import replace

from starlette.datastructures import Headers

from gpu_worker.answers import Answer, answer_framed, answer_streamed, answer_whole
from gpu_worker.asgi import Receive, Scope, Send
from gpu_worker.auth import require_token
from gpu_worker.bodies import decode_json, media_type_of, read_json
from gpu_worker.config import Settings
from gpu_worker.errors import WorkerError
from gpu_worker.jobs import Job
from gpu_worker.metrics import Metrics
from gpu_worker.multipart import MULTIPART_MEDIA_TYPE, MultipartBody
from gpu_worker.ordering import Order
from gpu_worker.pacing import turn
from gpu_worker.production import Producer, WholeProducer
from gpu_worker.protocol import (
    STREAM_MEDIA_TYPE,
    TENANT_HEADER,
    ErrorCode,
    InvalidRequestError,
    SpeechRequest,
)
from gpu_worker.references.reference import Reference
from gpu_worker.refusals import request_id_of, send_refusal
from gpu_worker.rendering import Renderer
from gpu_worker.service import SpeechService, shut_down
from gpu_worker.voices import Upload

logger = logging.getLogger(__name__)


class GenerateEndpoint:
    """Refuses, or lets the service speak and answers in the way that the caller asked for."""

    def __init__(self, service: SpeechService, settings: Settings, metrics: Metrics) -> None:
        self._service = service
        self._settings = settings
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. A begun answer that fails is left unfinished, which makes the server cut it."""
        exchange = _Exchange(Headers(scope=scope), receive, send)
        self._metrics.active_connections.inc()
        try:
            await turn()
            await self._answer(exchange)
        except WorkerError as error:
            await exchange.refuse(error)
        except asyncio.CancelledError:
            # Only a process that ends at once cancels what it still answers.
            await exchange.refuse(shut_down())
        except Exception:
            exchange.outcome = ErrorCode.INTERNAL.value
            raise
        finally:
            self._metrics.active_connections.dec()
            self._record(exchange)

    async def _answer(self, exchange: _Exchange) -> None:
        require_token(self._settings, exchange.headers)
        offers = self._service.offers()
        request, upload = await exchange.read_request()
        order = Order.of(request, offers)
        if request.reference_sha256 is not None:
            order = replace(order, reference=await self._find_reference(exchange, request, upload))
        elif upload is not None or request.reference_url is not None:
            message = "voice: it must be the SHA-256 of the reference that is sent."
            raise WorkerError(ErrorCode.INVALID, message, param="voice")
        is_framed = STREAM_MEDIA_TYPE in exchange.headers.get("accept", "")
        job = exchange.job = await self._service.submit(
            order, exchange.request_id, is_stream=is_framed or request.stream
        )
        answer = exchange.answer = Answer.of(order, exchange.request_id, offers.engine)
        leaving = asyncio.create_task(self._stop_when_left(exchange.receive, job))
        deadline = self._set_deadline(request, exchange, job)
        try:
            await self._speak(exchange, order, job, answer, is_framed=is_framed)
        finally:
            if deadline:
                deadline.cancel()
            self._service.finish(job)
            leaving.cancel()

    async def _find_reference(
        self, exchange: _Exchange, request: SpeechRequest, upload: Upload | None
    ) -> Reference:
        finding = asyncio.create_task(self._service.reference_for(request, upload))
        # An upload is still to be read, and tells by itself that its caller left.
        leaving = None if upload else asyncio.create_task(_wait_until_left(exchange.receive))
        try:
            await asyncio.wait({finding, leaving} if leaving else {finding}, return_when=FIRST_COMPLETED)
            if finding.done():
                return finding.result()
            raise WorkerError(ErrorCode.CANCELLED, "The caller left.")
        finally:
            finding.cancel()
            if leaving:
                leaving.cancel()

    async def _speak(
        self, exchange: _Exchange, order: Order, job: Job, answer: Answer, *, is_framed: bool
    ) -> None:
        renderer = Renderer(
            order.sample_rate,
            speed=order.request.speed,
            engine_speed=order.engine_speed,
            word_stops=job.word_stops,
        )
        pool = self._service.render_pool
        if is_framed:
            await answer_framed(job, answer, Producer(job, renderer, order.encoding, pool), exchange.send)
        elif order.request.stream:
            await answer_streamed(job, answer, Producer(job, renderer, order.encoding, pool), exchange.send)
        else:
            await answer_whole(job, answer, WholeProducer(job, renderer, order.encoding, pool), exchange.send)

    def _set_deadline(
        self, request: SpeechRequest, exchange: _Exchange, job: Job
    ) -> asyncio.TimerHandle | None:
        if request.deadline_ms is None:
            return None
        message = f"The deadline of {request.deadline_ms} ms has passed."
        reason = WorkerError(ErrorCode.DEADLINE_EXCEEDED, message)
        seconds_left = request.deadline_ms / 1000 - (time.perf_counter() - exchange.received_at)
        return asyncio.get_running_loop().call_later(seconds_left, self._service.stop, job, reason)

    async def _stop_when_left(self, receive: Receive, job: Job) -> None:
        await _wait_until_left(receive)
        self._service.stop(job, WorkerError(ErrorCode.CANCELLED, "The caller left."))

    def _record(self, exchange: _Exchange) -> None:
        """Counts the request, and tells of it in one line of the log."""
        now = time.perf_counter()
        self._metrics.requests.labels(exchange.outcome).inc()
        self._metrics.duration.observe(now - exchange.received_at)
        fields: dict[str, object] = {
            "request_id": exchange.request_id,
            "outcome": exchange.outcome,
            "total_ms": round(1000 * (now - exchange.received_at)),
        }
        if exchange.answer and exchange.job:
            fields.update(self._observe(exchange, exchange.answer, exchange.job))
        logger.info("generate", extra={"fields": fields})

    def _observe(self, exchange: _Exchange, answer: Answer, job: Job) -> dict[str, object]:
        first_audio_ms = None
        if answer.first_audio_at is not None:
            self._metrics.audio.observe(answer.audio_ms / 1000)
            self._metrics.first_audio.observe(answer.first_audio_at - exchange.received_at)
            first_audio_ms = round(1000 * (answer.first_audio_at - exchange.received_at))
            if answer.audio_ms:
                self._metrics.real_time_factor.observe(job.engine_ms / answer.audio_ms)
        if job.has_begun:
            self._metrics.queue_wait.observe(job.queue_ms / 1000)
        for reason, count in job.remade.items():
            self._metrics.pieces_remade.labels(reason).inc(count)
        return {
            "characters": answer.characters,
            "voice": answer.voice,
            "format": answer.format,
            "pieces": len(job.pieces),
            "pieces_remade": job.remade.total(),
            "audio_ms": answer.audio_ms,
            "gpu_ms": job.engine_ms,
            "queue_ms": job.queue_ms,
            "first_audio_ms": first_audio_ms,
        }


async def _wait_until_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class _Exchange:
    """One request and what is known of it so far."""

    def __init__(self, headers: Headers, receive: Receive, send: Send) -> None:
        self.headers = headers
        self.receive = receive
        self.send = send
        self.received_at = time.perf_counter()
        self.request_id = request_id_of(headers)
        self.job: Job | None = None
        self.answer: Answer | None = None
        self.outcome = "ok"

    @property
    def has_begun(self) -> bool:
        return self.answer is not None and self.answer.has_begun

    async def refuse(self, error: WorkerError) -> None:
        """Ends it for this reason, in words where the answer has not begun."""
        self.outcome = error.code.value
        if not self.has_begun:
            await send_refusal(error, self.request_id, self.send)

    async def read_request(self) -> tuple[SpeechRequest, Upload | None]:
        """The request, and the recording that comes with it, if any, which is still to be read."""
        upload = None
        try:
            if media_type_of(self.headers) == MULTIPART_MEDIA_TYPE:
                upload = MultipartBody(self.headers, self.receive)
                body = decode_json(await upload.read_request())
            else:
                body = await read_json(self.headers, self.receive)
            if isinstance(body, dict) and body.get("tenant") is None and TENANT_HEADER in self.headers:
                body["tenant"] = self.headers[TENANT_HEADER]
            request = SpeechRequest.parse(body)
        except InvalidRequestError as error:
            raise WorkerError(ErrorCode.INVALID, error.message, param=error.param) from error
        self.request_id = request.request_id or self.request_id
        return request, upload
