"""Matches: what proves what, and taking the two apart again."""

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from ledger.actors import Actor
from ledger.admin.base import ReasonForm, detail_action
from ledger.errors import DomainError
from reconciliation.admin.filters import FeeGroupFilter
from reconciliation.models import Match
from reconciliation.services.undone_matches import undo_match
from settlements.admin.forms import AskingAdmin


@admin.register(Match)
class MatchAdmin(AskingAdmin):
    list_display = ("kind", "subject", "rule", "rule_version", "evidence", "run", "created_at")
    list_filter = ("kind", "rule", FeeGroupFilter)
    list_select_related = (
        *("payment", "refund", "dispute", "won_dispute"),
        *("processor_payout", "payout", "run"),
    )
    search_fields = (
        *("payment__public_id", "payment__reference", "refund__public_id", "refund__reference"),
        *("processor_payout__external_id", "payout__public_id"),
    )
    actions_detail = ("undo",)

    @admin.display(description="ours")
    def subject(self, match: Match) -> str:
        return str(match.subject)

    @detail_action("Undo the match", permission="reconciliation.delete_match")
    def undo(self, request: HttpRequest, object_id: str) -> HttpResponse:
        match: Match | None = self.get_object(request, object_id)
        if match is None:
            raise Http404
        form = ReasonForm(request.POST or None)
        if form.is_valid():
            try:
                undone = undo_match(match, actor=Actor.user(request.user), **form.cleaned_data)
            except DomainError as refusal:
                form.add_error(None, refusal.message)
            else:
                messages.success(request, f"The match of {match.subject} is undone.")
                return HttpResponseRedirect(self._url_of_undone(undone.pk))
        return self.ask(
            request,
            form,
            title=f"Undo the match of {match.subject}",
            explanation="Its line and our record are open again, what the match had posted is"
            " reversed, and no rule makes it a second time; a person may.",
            back=self._url_of(match),
        )

    def _url_of_undone(self, pk: int) -> str:
        return reverse(f"{self.admin_site.name}:reconciliation_undonematch_change", args=[pk])
