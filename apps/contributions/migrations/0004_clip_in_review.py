from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("contributions", "0003_releases_and_voices")]

    operations = [
        migrations.AddIndex(
            model_name="clip",
            index=models.Index(fields=["id"], condition=Q(state="in_review"), name="clip_in_review"),
        )
    ]
