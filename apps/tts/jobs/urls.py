from django.urls import path

from apps.tts.jobs import views

urlpatterns = [
    path("jobs", views.job_list, name="jobs"),
    path("jobs/new", views.job_create, name="job_create"),
    path("jobs/<uuid:job_id>", views.job_detail, name="job"),
    path("jobs/<uuid:job_id>/cancel", views.job_cancel, name="job_cancel"),
    path("jobs/<uuid:job_id>/resume", views.job_resume, name="job_resume"),
    path("jobs/<uuid:job_id>/delete", views.job_delete, name="job_delete"),
    path("jobs/<uuid:job_id>/audio", views.job_audio, name="job_audio"),
]
