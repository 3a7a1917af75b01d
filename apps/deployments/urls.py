from django.urls import path

from apps.deployments import views

_ONE = "deployments/<uuid:deployment_id>"

urlpatterns = [
    path("deployments", views.deployment_list, name="deployments"),
    path("deployments/new", views.deployment_create, name="deployment_create"),
    path(_ONE, views.deployment_detail, name="deployment"),
    path(f"{_ONE}/scale", views.deployment_scale, name="deployment_scale"),
    path(f"{_ONE}/delete", views.deployment_delete, name="deployment_delete"),
    *(
        path(f"{_ONE}/{verb}", views.deployment_act, {"verb": verb}, name=f"deployment_{verb}")
        for verb in views.ACTIONS
    ),
    path("gpus", views.gpu_list, name="gpus"),
]
