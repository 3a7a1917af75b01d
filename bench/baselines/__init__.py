"""What the platform's speech process is measured against, served by the same gunicorn in the same run."""
