"""The supervisor's HTTP, on its Unix socket.

`GET /deployments` lists ids; `PUT`, `GET` and `DELETE /deployments/{id}` speak the JSON of `wire`. A refusal
is `{"error": {"code", "message", "permanent"}}`.
"""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from aiohttp import web
from aiohttp.typedefs import Handler

from apps.deployments.providers.local import wire
from apps.deployments.providers.local.supervisor import CapacityError, Supervisor

MAX_BODY_BYTES = 16_384
_SUPERVISOR = web.AppKey("supervisor", Supervisor)


def build_app(supervisor: Supervisor) -> web.Application:
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[_refusals])
    app[_SUPERVISOR] = supervisor
    app.router.add_get("/health", _health)
    app.router.add_get("/deployments", _list)
    app.router.add_put("/deployments/{id}", _ensure)
    app.router.add_get("/deployments/{id}", _describe)
    app.router.add_delete("/deployments/{id}", _delete)
    return app


async def _health(request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def _list(request: web.Request) -> web.Response:
    return web.json_response({"deployments": [str(key) for key in request.app[_SUPERVISOR].ids()]})


async def _ensure(request: web.Request) -> web.Response:
    wanted = wire.wanted_from_json(_id(request), wire.decode(await request.read()))
    return web.json_response(wire.fleet_to_json(request.app[_SUPERVISOR].ensure(wanted)))


async def _describe(request: web.Request) -> web.Response:
    observation = request.app[_SUPERVISOR].describe(_id(request))
    if observation is None:
        return _refusal(HTTPStatus.NOT_FOUND, "not_found", "There is no such deployment here.")
    return web.json_response(wire.fleet_to_json(observation))


async def _delete(request: web.Request) -> web.Response:
    if not request.app[_SUPERVISOR].delete(_id(request)):
        return _refusal(HTTPStatus.NOT_FOUND, "not_found", "There is no such deployment here.")
    return web.json_response({"status": "stopping"}, status=HTTPStatus.ACCEPTED)


def _id(request: web.Request) -> UUID:
    return wire.uuid_from(request.match_info["id"])


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except wire.WireError as error:
        return _refusal(HTTPStatus.BAD_REQUEST, "invalid_request", str(error))
    except CapacityError as error:
        return _refusal(HTTPStatus.CONFLICT, "capacity", str(error))
    except web.HTTPException as error:
        return _refusal(HTTPStatus(error.status), "http_error", error.reason)


def _refusal(status: HTTPStatus, code: str, message: str) -> web.Response:
    """Whatever is refused here stays refused: none of it is a matter of time."""
    body = {"error": {"code": code, "message": message, "permanent": True}}
    return web.json_response(body, status=status)
