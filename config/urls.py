"""All routes."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from config import health, metrics

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/")),
    path("admin/", include("config.back_office.pages")),
    path("admin/", admin.site.urls),
    path("portal/", include("config.portal.urls")),
    path("api/v1/health", health.Health.as_view()),
    path("api/v1/ready", health.Ready.as_view()),
    path("api/v1/metrics", metrics.Metrics.as_view()),
    path("metrics", RedirectView.as_view(url="/api/v1/metrics")),
    path("api/v1/", include("payments.api.urls")),
    path("api/v1/", include("settlements.api.urls")),
    path("api/v1/", include("reconciliation.api.urls")),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerView.as_view(url_name="schema")),
]

handler400 = "config.problems.bad_request"
handler404 = "config.problems.page_not_found"
handler500 = "config.problems.server_error"
