"""How the API is spoken: authentication, limits, and the page that describes it."""

import hashlib
from datetime import timedelta

from config.environment import IS_PRODUCTION, SECRET_KEY, env

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "payments.api.authentication.ApiKeyAuthentication",
        "payments.api.authentication.PersonAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "payments.api.bodies.StrictJSONParser",
        "payments.api.bodies.FormLabelParser",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
# Tokens of people: one algorithm, and a key that signs nothing else (RFC 8725).
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": hashlib.sha256(f"tokens of people {SECRET_KEY}".encode()).hexdigest(),
    "ISSUER": "tieout",
    "AUDIENCE": "tieout-api",
    "USER_ID_CLAIM": "sub",
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=10),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
}
# Requests per seconds for each key, or address where nobody is known; global: of all together.
RATE_LIMITS = {
    "payments": env.str("RATE_LIMIT_PAYMENTS", default="1000/1"),
    "writes": env.str("RATE_LIMIT_WRITES", default="500/1"),
    "reads": env.str("RATE_LIMIT_READS", default="1000/1"),
    "anonymous": env.str("RATE_LIMIT_ANONYMOUS", default="300/1"),
    # Passwords are guessed one by one; a developer's tests sign up in bursts.
    "login": env.str("RATE_LIMIT_LOGIN", default="20/60" if IS_PRODUCTION else "600/60"),
    "global": env.str("RATE_LIMIT_GLOBAL", default="5000/1"),
}
# How many reverse proxies of ours a request passes; the last of them names the client's address.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
SPECTACULAR_SETTINGS = {
    "TITLE": "Tieout",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.openapi.complete",
    ],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "ComponentState": ["UP", "DOWN"],
        "StatementFileStatus": "reconciliation.models.files.StatementFile.Status",
        "DiscrepancyType": "reconciliation.models.discrepancies.Discrepancy.Type",
        "DiscrepancyStatus": "reconciliation.models.discrepancies.Discrepancy.Status",
        "WebhookDeliveryStatus": "payments.models.webhooks.WebhookDelivery.Status",
        "WebhookEndpointStatus": "payments.models.webhooks.WebhookEndpoint.Status",
    },
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
}
