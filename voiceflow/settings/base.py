"""What Django, DRF, allauth, Celery and the rest are told."""

from __future__ import annotations

from typing import Any

import environ
from csp.constants import NONCE, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from redis.backoff import NoBackoff
from redis.retry import Retry

from .env import ENV
from .environment import BASE_DIR as BASE_DIR
from .media import MEDIA_ROOT as MEDIA_ROOT
from .media import MEDIA_STORAGE
from .media import S3_BUCKET as S3_BUCKET
from .sign_in import OPENID_URL as OPENID_URL
from .sign_in import SIGN_IN_APPS
from .sign_in import SIGN_IN_ORIGINS as SIGN_IN_ORIGINS
from .sign_in import SOCIALACCOUNT_PROVIDERS as SOCIALACCOUNT_PROVIDERS
from .unfold import UNFOLD as UNFOLD

ENVIRONMENT: str = ENV["VOICEFLOW_ENV"]
IS_PRODUCTION = ENVIRONMENT == "production"
DEMO_MODE = not ENV["VERDA_CLIENT_ID"]
DEBUG = False

SECRET_KEY = ENV["SECRET_KEY"]
SECRET_KEY_FALLBACKS = ENV["SECRET_KEY_FALLBACKS"]
BASE_URL: str = ENV["BASE_URL"]
ALLOWED_HOSTS = ENV["ALLOWED_HOSTS"]
CSRF_TRUSTED_ORIGINS = [BASE_URL]
CSRF_FAILURE_VIEW = "apps.console.errors.csrf_failure"
FIELD_ENCRYPTION_KEYS = ENV["FIELD_ENCRYPTION_KEYS"]
KEY_PEPPERS = ENV["KEY_PEPPERS"]
VAR_DIR = ENV["VAR_DIR"]
ADMIN_EMAIL = ENV["ADMIN_EMAIL"]
ADMIN_PASSWORD = ENV["ADMIN_PASSWORD"]

# ---- applications and middleware -------------------------------------------------------------------
INSTALLED_APPS = [
    "apps.core",
    "apps.accounts",
    "apps.webhooks",
    "apps.keys",
    "apps.voices",
    "apps.deployments",
    "apps.usage",
    "apps.tts",
    "apps.contributions",
    "apps.console",
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    *SIGN_IN_APPS,
    "csp",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
]
MIDDLEWARE = [
    "apps.core.middleware.request_context",
    "apps.core.middleware.express_lane",
    "django.middleware.security.SecurityMiddleware",
    "apps.core.static.StaticFilesMiddleware",
    "apps.core.csp.PolicyByPath",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "voiceflow.urls"
ASGI_APPLICATION = "voiceflow.asgi.application"
WSGI_APPLICATION = "voiceflow.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.console.context.console",
            ],
        },
    }
]

# ---- stores ------------------------------------------------------------------------------------------
DATABASES: dict[str, dict[str, Any]] = {"default": environ.Env.db_url_config(ENV["DATABASE_URL"])}
DATABASES["default"] |= {
    "ENGINE": "django.db.backends.postgresql",
    "CONN_MAX_AGE": 0,
    "OPTIONS": {
        **DATABASES["default"].get("OPTIONS", {}),
        "pool": {"min_size": 1, "max_size": ENV["DATABASE_POOL_SIZE"], "timeout": 5},
        "connect_timeout": 3,
    },
}
REDIS_URL: str = ENV["REDIS_URL"]
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 3, "retry": Retry(NoBackoff(), 1)},
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"
STORAGES = {
    "default": MEDIA_STORAGE,
    "staticfiles": {"BACKEND": "apps.console.storage.StaticFilesStorage"},
}
if ENVIRONMENT == "test":
    STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / ENV["STATIC_ROOT"] if ENV["STATIC_ROOT"] else VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = ENVIRONMENT == "test"

# ---- people ------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
if ENVIRONMENT == "test":
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "apps.accounts.adapters.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "apps.accounts.adapters.SocialAccountAdapter"
ACCOUNT_SIGNUP_FORM_CLASS = "apps.accounts.forms.SignupForm"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ALLAUTH_TRUSTED_PROXY_COUNT = ENV["TRUSTED_PROXY_COUNT"]
# Signed in by email once, an account keeps that way in: the address may change, who it is does not.
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True

# ---- mail --------------------------------------------------------------------------------------------
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENV["DEFAULT_FROM_EMAIL"]
MAIL_DIR = VAR_DIR / "mail"
if ENV["EMAIL_URL"]:
    _mail = environ.Env.email_url_config(ENV["EMAIL_URL"])
    EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
    EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_HOST"], _mail["EMAIL_PORT"]
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"], _mail["EMAIL_HOST_PASSWORD"]
    EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.get("EMAIL_USE_TLS", False), _mail.get("EMAIL_USE_SSL", False)
    EMAIL_TIMEOUT = 10
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = str(MAIL_DIR)
MAIL_TO_FILES = not ENV["EMAIL_URL"]

# ---- language and time -------------------------------------------------------------------------------
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
FORMAT_MODULE_PATH = "voiceflow.formats"

# ---- security ----------------------------------------------------------------------------------------
_HTTPS = BASE_URL.startswith("https://")
SECURE_SSL_REDIRECT = ENV["SECURE_SSL_REDIRECT"]
SECURE_REDIRECT_EXEMPT = [r"^health$", r"^ready$", r"^ready/speech$"]
SECURE_HSTS_SECONDS = 31_536_000 if _HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 14 * 24 * 3600
X_FRAME_OPTIONS = "DENY"
if ENV["TRUSTED_PROXY_COUNT"]:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
OUTBOUND_ALLOWED_NETWORKS = ENV["OUTBOUND_ALLOWED_NETWORKS"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
# Recordings of 20 MB and the form around them; by the beginning of the path.
LARGER_BODIES = {
    "/api/voices": 20_100_000,
    "/voices/new": 20_100_000,
    # Half a million characters, each of up to 12 bytes where it is escaped.
    "/api/jobs": 6_100_000,
    "/jobs/new": 6_100_000,
    "/elevenlabs/v1/voices/add": 20_100_000,
    # 50,000 sentences of a campaign, and payout files.
    "/admin/contributions/": 20_100_000,
    "/api/contributions/clips": ENV["CLIP_MAX_BYTES"] + 100_000,
}
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "media-src": [SELF, "blob:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF, *SIGN_IN_ORIGINS],
        "frame-ancestors": [NONE],
    },
}
CSP_BY_PREFIX = {
    # Unfold evaluates Alpine's expressions and writes its colours into a style element.
    "/admin/": {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]},
}

# ---- API ---------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.keys.authentication.ApiKeyAuthentication",
        "apps.keys.authentication.ConsoleAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["apps.keys.authentication.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.core.api.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "apps.core.api.Page",
    "PAGE_SIZE": 50,
    "EXCEPTION_HANDLER": "apps.core.api.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "VoiceFlow",
    "DESCRIPTION": "Text in, speech out; keys and usage beside it. Send your key as `X-API-Key`.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api",
    "DISABLE_ERRORS_AND_WARNINGS": False,
    "TAGS": [
        {"name": "speech", "description": "Text in, speech out. Needs a key with the scope `speech`."},
        {"name": "OpenAI", "description": "For OpenAI's clients: their base URL is `/v1` of this host."},
        {
            "name": "ElevenLabs",
            "description": "For ElevenLabs' clients: their base URL is `/elevenlabs` of this host.",
        },
        {
            "name": "ElevenLabs account",
            "description": "Voices and what is used up. Changes need a key with the scope `manage`.",
        },
        {"name": "text", "description": "What a text is spoken as. Needs a key with the scope `speech`."},
        {
            "name": "voices",
            "description": "The platform's voices and your own. Changes need the scope `manage`.",
        },
        {
            "name": "jobs",
            "description": "Long texts made into one file. Needs a key with the scope `speech`.",
        },
        {
            "name": "deployments",
            "description": "Your own workers: make, change, start and stop them. Needs the scope `manage`.",
        },
        {"name": "gpus", "description": "What deployments can run on. Needs the scope `manage`."},
        {"name": "keys", "description": "Issue, rotate and revoke keys. Needs the scope `manage`."},
        {
            "name": "webhooks",
            "description": "Events sent to your own servers, signed. Needs the scope `manage`.",
        },
        {"name": "usage", "description": "Every request, newest first. Needs the scope `manage`."},
        {"name": "stats", "description": "Requests summed up. Needs the scope `manage`."},
        {
            "name": "contributions",
            "description": "Lending a voice: what the pages under /contribute do. For whoever is signed in; "
            "keys belong to organizations and do not open it.",
        },
        {
            "name": "campaigns",
            "description": "How far your organization's voice collection is. Needs the scope `manage`.",
        },
    ],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "BearerKey": {"type": "http", "scheme": "bearer"},
            "XiApiKey": {"type": "apiKey", "in": "header", "name": "xi-api-key"},
        }
    },
    "ENUM_NAME_OVERRIDES": {
        "NormalizeEnum": ["auto", "on", "off"],
        "KeyStateEnum": "apps.keys.models.ApiKey.State",
        "VoiceStateEnum": "apps.voices.models.Voice.State",
        "JobStateEnum": "apps.tts.models.SpeechJob.State",
        "JobPartStateEnum": "apps.tts.models.JobPart.State",
        "DeploymentStateEnum": "apps.deployments.states.State",
        "ModeEnum": "apps.keys.models.ApiKey.Mode",
        "PlatformModeEnum": ["demo", "live"],
        "ProviderEnum": "apps.deployments.models.Deployment.Provider",
        "WorkerStateEnum": "apps.deployments.models.Worker.State",
        "UsageStateEnum": "apps.usage.models.UsageRecord.State",
        "WebhookStateEnum": "apps.webhooks.models.Endpoint.State",
        "WebhookDisabledEnum": "apps.webhooks.models.Endpoint.Disabled",
        "DeliveryStateEnum": "apps.webhooks.models.Delivery.State",
        "AttemptOutcomeEnum": "apps.webhooks.models.Attempt.Outcome",
        "CampaignStateEnum": "apps.contributions.models.Campaign.State",
        "ClipStateEnum": "apps.contributions.models.Clip.State",
        "PayoutStateEnum": "apps.contributions.models.Payout.State",
        "EarningStateEnum": ["held", "payable", "taken_back"],
        "PurposeEnum": "apps.contributions.models.Purpose",
        "VerdictEnum": ["accept", "review", "reject"],
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.core.schema.add_errors",
        "apps.webhooks.schema.add_webhooks",
    ],
}

# ---- limits ------------------------------------------------------------------------------------------
LIMIT_REQUESTS_PER_MINUTE = ENV["LIMIT_REQUESTS_PER_MINUTE"]
LIMIT_CONCURRENT_REQUESTS = ENV["LIMIT_CONCURRENT_REQUESTS"]
LIMIT_TEST_REQUESTS_PER_MINUTE = ENV["LIMIT_TEST_REQUESTS_PER_MINUTE"]
LIMIT_TEST_CONCURRENT_REQUESTS = ENV["LIMIT_TEST_CONCURRENT_REQUESTS"]
LIMIT_CHARACTERS_PER_REQUEST = ENV["LIMIT_CHARACTERS_PER_REQUEST"]
SPEECH_LEAN_DOOR = ENV["SPEECH_LEAN_DOOR"]
LIMIT_CHARACTERS_PER_MONTH = ENV["LIMIT_CHARACTERS_PER_MONTH"]
LIMIT_TEST_CHARACTERS_PER_MONTH = ENV["LIMIT_TEST_CHARACTERS_PER_MONTH"]
SPEECH_QUEUE_MAX = ENV["SPEECH_QUEUE_MAX"]
SPEECH_QUEUE_SECONDS = ENV["SPEECH_QUEUE_SECONDS"]
SPEECH_WAIT_MAX_SECONDS = ENV["SPEECH_WAIT_MAX_SECONDS"]
USAGE_HOURS_KEPT_DAYS = ENV["USAGE_HOURS_KEPT_DAYS"]
LIMIT_VOICES = ENV["LIMIT_VOICES"]
METRICS_TOKEN = ENV["METRICS_TOKEN"]
LIMIT_DEPLOYMENTS = ENV["LIMIT_DEPLOYMENTS"]
VERDA_CLIENT_ID = ENV["VERDA_CLIENT_ID"]
VERDA_CLIENT_SECRET = ENV["VERDA_CLIENT_SECRET"]
VERDA_INFERENCE_KEY = ENV["VERDA_INFERENCE_KEY"]
VERDA_BASE_URL = ENV["VERDA_BASE_URL"]
VERDA_NAME_PREFIX = ENV["VERDA_NAME_PREFIX"]
VERDA_WORKER_PORT = ENV["VERDA_WORKER_PORT"]
VERDA_CALLS_A_SECOND = ENV["VERDA_CALLS_A_SECOND"]
VERDA_ATTEMPTS = ENV["VERDA_ATTEMPTS"]
DEFAULT_WORKER_IMAGE = ENV["DEFAULT_WORKER_IMAGE"]
VERDA_REGISTRY_CREDENTIALS = ENV["VERDA_REGISTRY_CREDENTIALS"]
HF_TOKEN = ENV["HF_TOKEN"]
CONSENT_SECRET = ENV["CONSENT_SECRET"]
ROUTING_REFRESH_MS = ENV["ROUTING_REFRESH_MS"]
LOCAL_MAX_WORKERS = ENV["LOCAL_MAX_WORKERS"]
LOCAL_CHATTERBOX_PYTHON = ENV["LOCAL_CHATTERBOX_PYTHON"]
LOCAL_MODELS_DIR = ENV["LOCAL_MODELS_DIR"]
LOCAL_WORKER_TOKEN_REQUIRED = ENV["LOCAL_WORKER_TOKEN_REQUIRED"]

# ---- jobs --------------------------------------------------------------------------------------------
JOB_PARTS_AT_ONCE = ENV["JOB_PARTS_AT_ONCE"]
JOB_RESULT_DAYS = ENV["JOB_RESULT_DAYS"]
JOB_TEXT_DAYS = ENV["JOB_TEXT_DAYS"]
JOB_LINK_SECONDS = 60 * ENV["JOB_LINK_MINUTES"]

# ---- voice collection --------------------------------------------------------------------------------
CLIP_MAX_BYTES = ENV["CLIP_MAX_BYTES"]
CLIPS_PER_HOUR = ENV["CLIPS_PER_HOUR"]

# ---- webhooks ----------------------------------------------------------------------------------------
WEBHOOK_LOG_DAYS = ENV["WEBHOOK_LOG_DAYS"]

# ---- Celery ------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 600
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "global_keyprefix": "celery:"}
# What takes long has processes of its own, so that nothing waits behind it.
CELERY_TASK_ROUTES = {
    "apps.tts.jobs.tasks.work": {"queue": "jobs"},
    "apps.contributions.tasks.check_clip": {"queue": "clips"},
    "apps.contributions.releasing.tasks.make_release": {"queue": "releases"},
    "apps.webhooks.tasks.deliver": {"queue": "webhooks"},
    "apps.webhooks.tasks.sweep": {"queue": "webhooks"},
}
CELERY_TIMEZONE = "UTC"
