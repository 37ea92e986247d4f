"""Statement files: looked at, sent, watched and tried again."""

from typing import Any, BinaryIO

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from ledger.actors import Actor
from ledger.admin import ReadOnlyAdmin
from ledger.admin.base import detail_action
from ledger.errors import DomainError
from ledger.money import Money
from reconciliation.admin.uploads import (
    SetAside,
    UploadForm,
    find_set_aside,
    forget,
    set_aside,
)
from reconciliation.continuity import findings_of_file
from reconciliation.models import Source, Statement, StatementFile
from reconciliation.previews import preview_statement
from reconciliation.services.receiving import receive_statement, try_again

Status = StatementFile.Status
STATEMENTS_SHOWN = 20


@admin.register(StatementFile)
class StatementFileAdmin(ReadOnlyAdmin):
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
    change_form_template = "admin/reconciliation/file.html"
    fields = (
        *("public_id", "name", "source", "format", "size", "sha256", "channel"),
        *("received_by", "received_at", "status", "progress", "findings", "files_inside"),
        *("first_bad_lines", "line_count", "known_count", "uncounted_count", "rejected_count"),
        *("loaded_at", "refusal_code", "refusal", "attempts", "failures", "problem"),
    )
    readonly_fields = ("progress", "findings", "files_inside", "first_bad_lines")
    actions_list = ("upload",)
    actions_detail = ("try_again",)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """A refused file may be tried again, any other not."""
        file = self.get_object(request, object_id)
        allowed = super().get_actions_detail(request, object_id)
        return allowed if file is not None and file.status == Status.REFUSED else []

    @detail_action("Send a file", permission="reconciliation.upload_statementfile")
    def upload(self, request: HttpRequest) -> HttpResponse:
        """Shown before it is sent, if that is asked for: `step` is preview, or what was shown."""
        aside = find_set_aside(request.POST.get("token", ""), user_id=_user_id(request))
        if aside is not None:
            return self._send_aside(request, aside)
        form = UploadForm(request.POST or None, request.FILES or None)
        if "token" in request.POST:
            form = UploadForm()
            messages.error(request, "What was shown is gone; please choose the file again.")
        elif form.is_valid():
            source, upload = form.cleaned_data["source"], form.cleaned_data["file"]
            if request.POST.get("step") == "preview":
                return self._preview(request, source, upload, form.cleaned_data["remark"])
            remark = form.cleaned_data["remark"]
            sent = self._send(request, source, upload.file, name=upload.name, remark=remark)
            if isinstance(sent, HttpResponse):
                return sent
            form.add_error(None, sent)
        context = {**self._page(request), "title": "Send a file", "form": form}
        return TemplateResponse(request, "admin/reconciliation/upload.html", context)

    def _preview(
        self, request: HttpRequest, source: Source, upload: Any, remark: str
    ) -> HttpResponse:
        context = {
            **self._page(request),
            "title": "Look before it is sent",
            "source": source,
            "file_name": upload.name,
            "preview": preview_statement(source, upload.file, name=upload.name),
            "token": set_aside(upload, source, remark=remark, user_id=_user_id(request)),
        }
        return TemplateResponse(request, "admin/reconciliation/preview.html", context)

    def _send_aside(self, request: HttpRequest, aside: SetAside) -> HttpResponse:
        source = Source.objects.get(pk=aside.source_id)
        with aside.open() as content:
            sent = self._send(request, source, content, name=aside.name, remark=aside.remark)
        forget(aside)
        if isinstance(sent, HttpResponse):
            return sent
        messages.error(request, sent)
        return HttpResponseRedirect(self._list_url)

    def _send(
        self, request: HttpRequest, source: Source, content: BinaryIO, *, name: str, remark: str
    ) -> HttpResponse | str:
        """The way to the file's page; or why it is not taken."""
        try:
            received = receive_statement(
                source,
                content,
                name=name,
                channel=StatementFile.Channel.ADMIN,
                actor=Actor.user(request.user),
                remark=remark,
            )
        except DomainError as refusal:
            return refusal.message
        if received.is_known:
            messages.info(request, "These very bytes were sent before: this is that file.")
        return HttpResponseRedirect(self._url_of(received.file))

    def _page(self, request: HttpRequest) -> dict[str, Any]:
        common = self.admin_site.each_context(request)
        return {**common, "opts": self.opts, "back": self._list_url}

    @property
    def _list_url(self) -> str:
        return reverse(f"{self.admin_site.name}:reconciliation_statementfile_changelist")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.watch)
        name = "reconciliation_statementfile_watch"
        urls: list[URLPattern] = [path("<int:pk>/watch/", view, name=name), *super().get_urls()]
        return urls

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        file = self.get_object(request, object_id)
        if file is not None and self.has_view_permission(request, file):
            extra_context = {**(extra_context or {}), **_watched(file)}
        return super().change_view(request, object_id, form_url, extra_context)

    def watch(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How far a file is, alone: what its page asks for again until it is read."""
        file = self.get_object(request, str(pk))
        if file is None:
            raise Http404
        if not self.has_view_permission(request, file):
            raise PermissionDenied
        return TemplateResponse(request, "admin/reconciliation/file_progress.html", _watched(file))

    @detail_action("Try again", permission="reconciliation.retry_statementfile")
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


def _watched(file: StatementFile) -> dict[str, Any]:
    statements = file.statements.select_related("source_account__source")[:STATEMENTS_SHOWN]
    return {
        "file": file,
        "statements": [
            (each, _money(each.opening_balance, each), _money(each.closing_balance, each))
            for each in statements
        ],
    }


def _money(minor: int | None, statement: Statement) -> Money | None:
    return None if minor is None else Money(minor, statement.source_account.currency)


def _user_id(request: HttpRequest) -> int:
    assert request.user.pk is not None  # the admin lets nobody else in
    return int(request.user.pk)
