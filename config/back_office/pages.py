"""Pages that belong to no single record: all tie-outs, and the search."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from config.back_office.figures import may_see
from config.back_office.lights import lights, work_out
from config.back_office.search import AMOUNT_DAYS, find
from reconciliation.models import SourceAccount


def tie_outs(request: HttpRequest) -> HttpResponse:
    """Every account's light, worked out by now."""
    if not may_see(request, SourceAccount):
        raise PermissionDenied
    work_out()
    context = {**admin.site.each_context(request), "title": "Tie-outs", "lights": lights()}
    return TemplateResponse(request, "admin/reconciliation/tie_outs.html", context)


def search(request: HttpRequest) -> HttpResponse:
    """Anything by id, reference or amount; if it is one thing only, its own page."""
    text = request.GET.get("q", "")
    found = find(request, text)
    if len(found.hits) == 1:
        return HttpResponseRedirect(found.hits[0].url)
    context = {
        **admin.site.each_context(request),
        "title": "Find",
        "text": text.strip(),
        "found": found,
        "amount_days": AMOUNT_DAYS,
    }
    return TemplateResponse(request, "admin/find.html", context)


urlpatterns: list[URLPattern] = [
    path("tie-outs/", admin.site.admin_view(tie_outs), name="tie_outs"),
    path("find/", admin.site.admin_view(search), name="find"),
]
