from django.urls import path

from apps.deployments import budget_views, views

_ONE = "deployments/<uuid:deployment_id>"

urlpatterns = [
    path("deployments", views.deployment_list, name="deployments"),
    path("deployments/new", views.deployment_create, name="deployment_create"),
    path("deployments/budget", budget_views.budget, name="deployment_budget"),
    path("deployments/budget/resume", budget_views.budget_resume, name="deployment_budget_resume"),
    path("deployments/budget/remove", budget_views.budget_remove, name="deployment_budget_remove"),
    path(_ONE, views.deployment_detail, name="deployment"),
    path(f"{_ONE}/scale", views.deployment_scale, name="deployment_scale"),
    path(f"{_ONE}/update", views.deployment_update, name="deployment_update"),
    path(f"{_ONE}/delete", views.deployment_delete, name="deployment_delete"),
    *(
        path(f"{_ONE}/{verb}", views.deployment_act, {"verb": verb}, name=f"deployment_{verb}")
        for verb in views.ACTIONS
    ),
    path("gpus", views.gpu_list, name="gpus"),
]
