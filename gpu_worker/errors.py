"""The one exception that a caller gets to see."""

from __future__ import annotations

from gpu_worker.protocol import Error, ErrorCode


class WorkerError(Exception):
    """A request that is refused or that fails, in words for its caller.

    `param` names the field at fault; `queue_position` is sent as `X-Queue-Position`, and where the status is
    429 or 503 `retry_after_seconds` as `Retry-After`, which is 1 where it is None.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        param: str | None = None,
        retry_after_seconds: int | None = None,
        queue_position: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param
        self.retry_after_seconds = retry_after_seconds
        self.queue_position = queue_position

    def to_json(self, request_id: str) -> dict[str, dict[str, object]]:
        """The body of a refusal."""
        return {
            "error": {
                "code": self.code.value,
                "message": self.message,
                "param": self.param,
                "retryable": self.code.retryable,
                "request_id": request_id,
            }
        }

    def to_message(self) -> Error:
        """The last message of a framed stream that fails."""
        return Error(code=self.code.value, message=self.message, retryable=self.code.retryable)
