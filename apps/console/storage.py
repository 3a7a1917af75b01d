"""Static files under names that hold their hash."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Imports between ES modules are hashed too, so that a browser never mixes two releases."""

    support_js_module_import_aggregation = True
