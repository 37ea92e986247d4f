"""Statement files: sent, watched and tried again; their bad lines corrected or left out."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
)

from ledger.actors import Actor
from ledger.admin import ReadOnlyAdmin
from ledger.admin.base import ReasonForm, detail_action
from ledger.errors import DomainError
from reconciliation.continuity import findings_of_file
from reconciliation.importers.records import RAW_CHARS_MAX
from reconciliation.models import RejectedLine, Source, StatementFile
from reconciliation.services.quarantine import correct_line, discard_line
from reconciliation.services.receiving import receive_statement, try_again

Status = StatementFile.Status


class UploadForm(forms.Form):
    source = forms.ModelChoiceField(Source.objects.all(), widget=UnfoldAdminSelectWidget)
    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget,
        help_text="A statement or report, or a ZIP or gzip of some.",
    )


class CorrectionForm(ReasonForm):
    text = forms.CharField(
        max_length=RAW_CHARS_MAX,
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="As it should stand in the file, with as many lines as before.",
    )
    field_order = ("text", "reason")


class _Asks(ReadOnlyAdmin):
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


@admin.register(StatementFile)
class StatementFileAdmin(_Asks):
    list_display = (
        "name",
        "source",
        "status",
        "progress",
        "format",
        "line_count",
        "known_count",
        "rejected_count",
        "channel",
        "received_by",
        "received_at",
    )
    list_filter = ("status", "source", "format", "channel", "received_at")
    list_select_related = ("source",)
    search_fields = ("name", "public_id", "sha256")
    readonly_fields = ("progress", "findings", "files_inside", "first_bad_lines")
    actions_list = ("upload",)
    actions_detail = ("try_again",)

    def has_upload_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("reconciliation.upload_statementfile")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """A refused file may be tried again, any other not."""
        file = self.get_object(request, object_id)
        allowed = super().get_actions_detail(request, object_id)
        return allowed if file is not None and file.status == Status.REFUSED else []

    @detail_action("Send a file", permission="upload")
    def upload(self, request: HttpRequest) -> HttpResponse:
        form = UploadForm(request.POST or None, request.FILES or None)
        if form.is_valid():
            upload = form.cleaned_data["file"]
            try:
                received = receive_statement(
                    form.cleaned_data["source"],
                    upload.file,
                    name=upload.name,
                    channel=StatementFile.Channel.ADMIN,
                    actor=Actor.user(request.user),
                )
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                if received.is_known:
                    messages.info(request, "These very bytes were sent before: this is that file.")
                return HttpResponseRedirect(self._url_of(received.file))
        return self.ask(
            request,
            form,
            title="Send a file",
            explanation="It is kept as it is and loaded soon; its page says how far that is.",
            back=reverse(f"{self.admin_site.name}:reconciliation_statementfile_changelist"),
        )

    @detail_action("Try again", permission="upload")
    def try_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        file = self.get_object(request, object_id)
        if file is None:
            raise Http404
        return self.step(
            request,
            file,
            title="Try again",
            explanation="The file is read once more, with the configuration as it is now.",
            service=lambda actor, reason: try_again(file, actor=actor, reason=reason),
        )

    @admin.display(description="read")
    def progress(self, file: StatementFile) -> str:
        return f"{file.percent} %"

    @admin.display(description="findings")
    def findings(self, file: StatementFile) -> str:
        return "\n".join(map(str, findings_of_file(file))) or "none"

    @admin.display(description="files inside")
    def files_inside(self, file: StatementFile) -> str:
        members = file.members.select_related("file")
        return "\n".join(f"{each.name}: {each.file} {each.file.status}" for each in members)

    @admin.display(description="bad lines")
    def first_bad_lines(self, file: StatementFile) -> str:
        lines = file.rejected.all()[:20]
        return "\n".join(f"{line.line_no}: {line.reason}" for line in lines)


@admin.register(RejectedLine)
class RejectedLineAdmin(_Asks):
    list_display = ("file", "line_no", "reason", "file_status", "resolution", "resolved_by")
    list_filter = ("resolution", "code", "file__source")
    list_select_related = ("file",)
    search_fields = ("reason", "raw", "file__name", "file__public_id")
    actions_detail = ("correct", "discard")

    def has_resolve_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("reconciliation.resolve_rejectedline")

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

    @detail_action("Correct", permission="resolve")
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

    @detail_action("Leave out", permission="resolve")
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
