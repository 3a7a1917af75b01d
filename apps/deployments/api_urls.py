from django.urls import path

from apps.deployments import api, cost_api

_ONE = "deployments/<uuid:deployment_id>"

urlpatterns = [
    path("deployments", api.DeploymentsView.as_view(), name="api_deployments"),
    path(_ONE, api.DeploymentView.as_view(), name="api_deployment"),
    path(f"{_ONE}/start", api.StartView.as_view(), name="api_deployment_start"),
    path(f"{_ONE}/stop", api.StopView.as_view(), name="api_deployment_stop"),
    path(f"{_ONE}/pause", api.PauseView.as_view(), name="api_deployment_pause"),
    path(f"{_ONE}/resume", api.ResumeView.as_view(), name="api_deployment_resume"),
    path(f"{_ONE}/restart", api.RestartView.as_view(), name="api_deployment_restart"),
    path(f"{_ONE}/sleep", api.SleepView.as_view(), name="api_deployment_sleep"),
    path(f"{_ONE}/wake", api.WakeView.as_view(), name="api_deployment_wake"),
    path(f"{_ONE}/events", api.EventsView.as_view(), name="api_deployment_events"),
    path(f"{_ONE}/metrics", api.MetricsView.as_view(), name="api_deployment_metrics"),
    path("budget", cost_api.BudgetView.as_view(), name="api_budget"),
    path("spending", cost_api.SpendingView.as_view(), name="api_spending"),
    path("spending/resume", cost_api.ResumeView.as_view(), name="api_spending_resume"),
    path("gpus", api.GpusView.as_view(), name="api_gpus"),
]
