"""Lines that could not be read: corrected, or left out for a reason."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.widgets import UnfoldAdminTextareaWidget

from ledger.actors import Actor
from ledger.admin.base import ReasonForm, detail_action
from ledger.errors import DomainError
from reconciliation.admin.filters import WaitingLinesFilter
from reconciliation.importers.records import RAW_CHARS_MAX
from reconciliation.models import RejectedLine
from reconciliation.services.quarantine import correct_line, discard_line
from settlements.admin.forms import AskingAdmin


class CorrectionForm(ReasonForm):
    text = forms.CharField(
        max_length=RAW_CHARS_MAX,
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="As it should stand in the file, with as many lines as before.",
    )
    field_order = ("text", "reason")


@admin.register(RejectedLine)
class RejectedLineAdmin(AskingAdmin):
    list_display = ("file", "line_no", "reason", "file_status", "resolution", "resolved_by")
    list_filter = (WaitingLinesFilter, "resolution", "code", "file__source")
    list_select_related = ("file",)
    search_fields = ("reason", "raw", "file__name", "file__public_id")
    actions_detail = ("correct", "discard")

    def get_queryset(self, request: HttpRequest) -> QuerySet[RejectedLine]:
        return super().get_queryset(request).select_related("file__source")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only of lines that wait for a person."""
        line = self.get_object(request, object_id)
        allowed = super().get_actions_detail(request, object_id)
        is_open = line is not None and not line.resolution and line.file.loaded_at is not None
        return allowed if is_open else []

    @admin.display(description="file is")
    def file_status(self, line: RejectedLine) -> str:
        return line.file.status

    @detail_action("Correct", permission="reconciliation.correct_rejectedline")
    def correct(self, request: HttpRequest, object_id: str) -> HttpResponse:
        line = self._found(request, object_id)
        form = CorrectionForm(request.POST or None, initial={"text": line.raw})
        if form.is_valid():
            try:
                correct_line(
                    line,
                    # A browser ends lines with CR LF, whatever it was given.
                    text=form.cleaned_data["text"].replace("\r\n", "\n"),
                    actor=Actor.user(request.user),
                    reason=form.cleaned_data["reason"],
                )
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                messages.success(request, f"{line} is read again.")
                return HttpResponseRedirect(self._url_of(line))
        return self.ask(
            request,
            form,
            title=f"Correct {line}",
            explanation=f"{line.reason}. The file is read once more with your text in its place;"
            " the file itself stays as it came.",
            back=self._url_of(line),
        )

    @detail_action("Leave out", permission="reconciliation.discard_rejectedline")
    def discard(self, request: HttpRequest, object_id: str) -> HttpResponse:
        line = self._found(request, object_id)
        return self.step(
            request,
            line,
            title="Leave out",
            explanation="The line is never loaded. The file itself stays as it came.",
            service=lambda actor, reason: discard_line(line, actor=actor, reason=reason),
        )

    def _found(self, request: HttpRequest, object_id: str) -> RejectedLine:
        line = self.get_object(request, object_id)
        if line is None:
            raise Http404
        return line
