"""A form on a page of its own."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from ledger.admin import ReadOnlyAdmin


class AskingAdmin(ReadOnlyAdmin):
    """A screen whose steps may ask for more than a reason."""

    def ask(
        self, request: HttpRequest, form: forms.Form, *, title: str, explanation: str, back: str
    ) -> HttpResponse:
        """The form on a page of its own."""
        context = {
            **self.admin_site.each_context(request),
            **{"opts": self.opts, "title": title, "explanation": explanation},
            **{"form": form, "back": back},
        }
        return TemplateResponse(request, "admin/ledger/step.html", context)
