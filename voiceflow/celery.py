"""The Celery app and its schedule, which is static."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voiceflow.settings")

from celery import Celery
from celery.schedules import crontab

app = Celery("voiceflow")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["apps.tts.jobs", "apps.contributions.releasing"])
app.conf.beat_schedule = {
    "usage-reconcile": {"task": "apps.usage.tasks.reconcile", "schedule": 15.0},
    "usage-partitions": {
        "task": "apps.usage.tasks.keep_partitions",
        "schedule": crontab(hour="3", minute="17"),
    },
    "usage-roll-up": {
        "task": "apps.usage.tasks.roll_up",
        "schedule": 60.0,
        "options": {"expires": 55},  # each one does what all before it left
    },
    "usage-forget-hours": {
        "task": "apps.usage.tasks.forget_hours",
        "schedule": crontab(hour="3", minute="27"),
    },
    "tts-remove-idempotent-answers": {
        "task": "apps.tts.tasks.remove_idempotent_answers",
        "schedule": 600.0,
    },
    "tts-sweep-idempotent-answers": {
        "task": "apps.tts.tasks.sweep_idempotent_answers",
        "schedule": crontab(hour="4", minute="11"),
    },
    "tts-make-previews": {
        "task": "apps.tts.tasks.make_previews",
        "schedule": 30.0,
        "options": {"expires": 25},
    },
    "voices-remove-files": {"task": "apps.voices.tasks.remove_files", "schedule": 300.0},
    "jobs-wake": {"task": "apps.tts.jobs.tasks.wake", "schedule": 5.0},
    "jobs-tidy": {"task": "apps.tts.jobs.tasks.tidy", "schedule": 600.0},
    "tts-remove-history": {"task": "apps.tts.tasks.remove_history", "schedule": 600.0},
    "tts-sweep-history": {
        "task": "apps.tts.tasks.sweep_history",
        "schedule": crontab(hour="4", minute="21"),
    },
    "deployments-watch-budgets": {"task": "apps.deployments.tasks.watch_budgets", "schedule": 30.0},
    "deployments-sample-prices": {
        "task": "apps.deployments.tasks.sample_prices",
        "schedule": crontab(minute="7"),
    },
    "deployments-keep-samples": {
        "task": "apps.deployments.tasks.keep_samples",
        "schedule": crontab(hour="3", minute="27"),
    },
    "deployments-check-bills": {
        "task": "apps.deployments.tasks.check_bills",
        "schedule": crontab(hour="0", minute="3"),
    },
    "contributions-sweep": {
        "task": "apps.contributions.tasks.sweep",
        "schedule": 30.0,
        "options": {"expires": 25},
    },
    "contributions-release-earnings": {
        "task": "apps.contributions.tasks.release_earnings",
        "schedule": crontab(minute="23"),
    },
    "contributions-check-ledger": {
        "task": "apps.contributions.tasks.check_ledger",
        "schedule": crontab(hour="4", minute="7"),
    },
    "contributions-remove-left-files": {
        "task": "apps.contributions.tasks.remove_left_files",
        "schedule": crontab(hour="4", minute="47"),
    },
    "releases-sweep": {
        "task": "apps.contributions.releasing.tasks.sweep",
        "schedule": 30.0,
        "options": {"expires": 25},
    },
    "releases-tidy": {
        "task": "apps.contributions.releasing.tasks.tidy",
        "schedule": crontab(hour="4", minute="37"),
    },
    "webhooks-sweep": {
        "task": "apps.webhooks.tasks.sweep",
        "schedule": 5.0,
        "options": {"expires": 10},
    },
    "webhooks-prune": {
        "task": "apps.webhooks.tasks.prune",
        "schedule": crontab(hour="3", minute="37"),
    },
    "deployments-reconcile": {"task": "apps.deployments.tasks.reconcile", "schedule": 5.0},
}
