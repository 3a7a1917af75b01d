# Tasks that are sent from a process other than Celery's own find their broker by this app.
from voiceflow.celery import app as celery_app

__all__ = ["celery_app"]
