"""Settings of sources: set with a reason, each a version that stays."""

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDateWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from ledger.actors import Actor
from ledger.admin import ReadOnlyAdmin
from ledger.admin.base import ReasonForm, detail_action
from ledger.errors import DomainError
from reconciliation.importers import FORMATS
from reconciliation.models import MatchingTolerance, Source, SourceVersion
from reconciliation.services.settings import (
    DEPOSIT_DAYS_MAX,
    FX_TOLERANCE_MAX,
    Tolerance,
    ask_for_tolerance,
)
from reconciliation.services.sources import change_source
from settlements.admin.forms import AskingAdmin

AS_DELIVERED = ("", "As it is for such a source")


class ToleranceForm(ReasonForm):
    valid_from = forms.DateField(widget=UnfoldAdminDateWidget)
    fx_tolerance_basis_points = forms.IntegerField(
        min_value=0,
        max_value=FX_TOLERANCE_MAX,
        widget=UnfoldAdminTextInputWidget,
        help_text="How far a conversion may be off the reference rate.",
    )
    deposit_days = forms.IntegerField(
        min_value=0,
        max_value=DEPOSIT_DAYS_MAX,
        widget=UnfoldAdminTextInputWidget,
        help_text="Business days from a payout row to its bank deposit; of a bank, from the day a"
        " payout of ours is to leave to its entry.",
    )
    field_order = ("valid_from", "fx_tolerance_basis_points", "deposit_days", "reason")


class SourceForm(ReasonForm):
    formats = forms.MultipleChoiceField(
        choices=[(code, code) for code in sorted(FORMATS)],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    zone = forms.CharField(
        max_length=64, widget=UnfoldAdminTextInputWidget, help_text="Europe/Berlin"
    )
    counterparties = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Names a processor's deposits carry on bank statements, one per line.",
    )
    on_bad_line = forms.ChoiceField(
        choices=[AS_DELIVERED, *Source.OnBadLine.choices],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    field_order = ("formats", "zone", "counterparties", "on_bad_line", "reason")

    def clean_counterparties(self) -> tuple[str, ...]:
        lines = self.cleaned_data["counterparties"].splitlines()
        return tuple(line.strip() for line in lines if line.strip())

    def clean_formats(self) -> tuple[str, ...]:
        return tuple(self.cleaned_data["formats"])


class SourceSettingsAdmin(AskingAdmin):
    """The steps that change what is set about a source."""

    actions_detail = ("ask_for_tolerance", "change_source")

    @detail_action("Ask for tolerances", permission="reconciliation.request_matchingtolerance")
    def ask_for_tolerance(self, request: HttpRequest, object_id: str) -> HttpResponse:
        source = self._found(request, object_id)
        now = {
            "fx_tolerance_basis_points": source.fx_tolerance_basis_points,
            "deposit_days": source.deposit_days,
        }
        form = ToleranceForm(request.POST or None, initial=now)
        if form.is_valid():
            said = form.cleaned_data
            try:
                change = ask_for_tolerance(
                    source,
                    Tolerance(said["fx_tolerance_basis_points"], said["deposit_days"]),
                    valid_from=said["valid_from"],
                    actor=Actor.user(request.user),
                    reason=said["reason"],
                )
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                messages.success(request, f"{change} waits for somebody else to approve it.")
                return HttpResponseRedirect(self._url_of(source))
        return self.ask(
            request,
            form,
            title=f"Ask for tolerances: {source}",
            explanation="Runs of that day and later use them, once somebody else approves it. What"
            " was found before stays.",
            back=self._url_of(source),
        )

    @detail_action("Change", permission="reconciliation.define_source")
    def change_source(self, request: HttpRequest, object_id: str) -> HttpResponse:
        source = self._found(request, object_id)
        now = {
            "formats": source.formats,
            "zone": source.zone,
            "counterparties": "\n".join(source.counterparties),
            "on_bad_line": source.on_bad_line,
        }
        form = SourceForm(request.POST or None, initial=now)
        if form.is_valid():
            try:
                change_source(source, actor=Actor.user(request.user), **form.cleaned_data)
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                messages.success(request, f"{source} was changed.")
                return HttpResponseRedirect(self._url_of(source))
        return self.ask(
            request,
            form,
            title=f"Change {source}",
            explanation="Files that are loaded from now on are read like this. What it was stays as"
            " a version.",
            back=self._url_of(source),
        )

    def _found(self, request: HttpRequest, object_id: str) -> Source:
        source: Source | None = self.get_object(request, object_id)
        if source is None:
            raise Http404
        return source


@admin.register(MatchingTolerance)
class MatchingToleranceAdmin(ReadOnlyAdmin):
    list_display = (
        *("source", "valid_from", "fx_tolerance_basis_points", "deposit_days"),
        *("set_by", "reason", "created_at"),
    )
    list_filter = ("source",)
    list_select_related = ("source",)
    search_fields = ("source__code", "set_by", "reason")


@admin.register(SourceVersion)
class SourceVersionAdmin(ReadOnlyAdmin):
    list_display = ("source", "number", "terms", "set_by", "reason", "created_at")
    list_filter = ("source",)
    list_select_related = ("source",)
    search_fields = ("source__code", "set_by", "reason")
