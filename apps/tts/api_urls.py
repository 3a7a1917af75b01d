from django.urls import path

from apps.tts.history import api as history
from apps.tts.jobs import api as jobs
from apps.tts.normalizing import NormalizeView

urlpatterns = [
    path("normalize", NormalizeView.as_view(), name="api_normalize"),
    path("history", history.HistoryView.as_view(), name="api_history"),
    path("history/<uuid:item_id>", history.HistoryItemView.as_view(), name="api_history_item"),
    path("jobs", jobs.JobsView.as_view(), name="api_jobs"),
    path("jobs/<uuid:job_id>", jobs.JobView.as_view(), name="api_job"),
    path("jobs/<uuid:job_id>/cancel", jobs.CancelJobView.as_view(), name="api_job_cancel"),
    path("jobs/<uuid:job_id>/resume", jobs.ResumeJobView.as_view(), name="api_job_resume"),
    path("jobs/<uuid:job_id>/result", jobs.JobResultView.as_view(), name="api_job_result"),
]
