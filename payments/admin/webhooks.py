"""Where events are sent, and how that went. Secrets are shown once, when they are made."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from ledger.actors import Actor
from ledger.admin import ReadOnlyAdmin
from ledger.admin.base import ReasonForm, detail_action
from ledger.errors import DomainError
from payments.models import Merchant, WebhookEndpoint
from payments.services.webhook_deliveries import replay, send_test
from payments.services.webhook_endpoints import (
    OVERLAP_HOURS,
    OVERLAP_HOURS_MAX,
    EndpointWish,
    create_endpoint,
    disable_endpoint,
    enable_endpoint,
    remove_endpoint,
    rotate_secret,
)

Status = WebhookEndpoint.Status


class EndpointForm(forms.Form):
    merchant = forms.ModelChoiceField(
        Merchant.objects.all(),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="None: it is ours, and gets every merchant's events.",
    )
    url = forms.CharField(max_length=2_000, widget=UnfoldAdminTextInputWidget)
    event_types = forms.CharField(
        initial="*",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="payment.succeeded, refund.* or *; several with spaces between them.",
    )
    description = forms.CharField(max_length=255, required=False, widget=UnfoldAdminTextInputWidget)


class RotationForm(ReasonForm):
    overlap_hours = forms.IntegerField(
        min_value=0,
        max_value=OVERLAP_HOURS_MAX,
        initial=OVERLAP_HOURS,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="How long the old secret signs too.",
    )


class ReplayForm(ReasonForm):
    since = forms.SplitDateTimeField(widget=UnfoldAdminSplitDateTimeWidget, help_text="UTC")
    until = forms.SplitDateTimeField(
        required=False,
        widget=UnfoldAdminSplitDateTimeWidget,
        help_text="UTC, not included; empty: now",
    )


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyAdmin):
    list_display = (
        *("public_id", "merchant", "url", "event_types", "status", "failing_since"),
        *("created_at", "removed_at"),
    )
    list_filter = ("status", "removed_at")
    list_select_related = ("merchant",)
    search_fields = ("=public_id", "merchant__code", "url", "description")
    exclude = ("secret", "previous_secret")
    actions_list = ("create",)
    actions_detail = ("enable", "disable", "rotate_secret", "test", "replay", "remove")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Only the steps that are left."""
        endpoint = self.get_object(request, object_id)
        if endpoint is None or endpoint.removed_at is not None:
            return []
        is_enabled = endpoint.status == Status.ENABLED
        hidden = {"enable"} if is_enabled else {"test", "replay"}
        hidden |= {"disable"} if endpoint.status == Status.DISABLED else set()
        allowed = super().get_actions_detail(request, object_id)
        return [step for step in allowed if step.path not in hidden]

    @detail_action("New endpoint", permission="payments.add_webhookendpoint")
    def create(self, request: HttpRequest) -> HttpResponse:
        def service(form: forms.Form) -> WebhookEndpoint:
            wish = form.cleaned_data
            asked = EndpointWish(
                wish["url"], wish["event_types"].replace(",", " ").split(), wish["description"]
            )
            made, secret = create_endpoint(wish["merchant"], asked, actor=Actor.user(request.user))
            _show_once(request, secret)
            return made

        return self._ask(
            request,
            EndpointForm(request.POST or None),
            service,
            title="New endpoint",
            explanation="Events from now on are sent to it. Its secret is shown once, after this.",
        )

    @detail_action("Enable", permission="payments.enable_webhookendpoint")
    def enable(self, request: HttpRequest, object_id: str) -> HttpResponse:
        endpoint = self._found(request, object_id)
        return self.step(
            request,
            endpoint,
            title="Enable",
            explanation="What waited for it is due at once.",
            service=lambda actor, reason: enable_endpoint(endpoint, actor=actor, reason=reason),
        )

    @detail_action("Disable", permission="payments.disable_webhookendpoint")
    def disable(self, request: HttpRequest, object_id: str) -> HttpResponse:
        endpoint = self._found(request, object_id)
        return self.step(
            request,
            endpoint,
            title="Disable",
            explanation="What is on its way waits; new events are not kept for it.",
            service=lambda actor, reason: disable_endpoint(endpoint, actor=actor, reason=reason),
        )

    @detail_action("Rotate secret", permission="payments.rotate_webhookendpoint")
    def rotate_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        endpoint = self._found(request, object_id)

        def service(form: forms.Form) -> WebhookEndpoint:
            rotated, secret = rotate_secret(
                endpoint, actor=Actor.user(request.user), **form.cleaned_data
            )
            _show_once(request, secret)
            return rotated

        return self._ask(
            request,
            RotationForm(request.POST or None),
            service,
            title="Rotate secret",
            explanation="The new secret is shown once, after this.",
        )

    @detail_action("Send a test", permission="payments.test_webhookendpoint")
    def test(self, request: HttpRequest, object_id: str) -> HttpResponse:
        endpoint = self._found(request, object_id)
        return self.step(
            request,
            endpoint,
            title="Send a test",
            explanation="An event of the type webhook.test, to this endpoint alone.",
            service=lambda actor, reason: send_test(endpoint, actor=actor, reason=reason),
        )

    @detail_action("Replay", permission="payments.replay_webhookendpoint")
    def replay(self, request: HttpRequest, object_id: str) -> HttpResponse:
        endpoint = self._found(request, object_id)

        def service(form: forms.Form) -> WebhookEndpoint:
            count = replay(endpoint, actor=Actor.user(request.user), **form.cleaned_data)
            messages.success(request, f"{count} events are sent again.")
            return endpoint

        return self._ask(
            request,
            ReplayForm(request.POST or None),
            service,
            title="Replay",
            explanation="Every event of these days that it listens to is sent, again or at last.",
        )

    @detail_action("Remove", permission="payments.delete_webhookendpoint")
    def remove(self, request: HttpRequest, object_id: str) -> HttpResponse:
        endpoint = self._found(request, object_id)
        return self.step(
            request,
            endpoint,
            title="Remove",
            explanation="Nothing is sent to it any more. This cannot be undone.",
            service=lambda actor, reason: remove_endpoint(endpoint, actor=actor, reason=reason),
        )

    def _ask(
        self,
        request: HttpRequest,
        form: forms.Form,
        service: Callable[[forms.Form], WebhookEndpoint],
        *,
        title: str,
        explanation: str,
    ) -> HttpResponse:
        """As `step`, for what needs more than a reason."""
        if form.is_valid():
            try:
                return HttpResponseRedirect(self._url_of(service(form)))
            except DomainError as refusal:
                form.add_error(None, refusal.message)
        context = {
            **self.admin_site.each_context(request),
            **{"opts": self.opts, "title": title, "explanation": explanation, "form": form},
            "back": reverse(f"{self.admin_site.name}:payments_webhookendpoint_changelist"),
        }
        return TemplateResponse(request, "admin/ledger/step.html", context)

    def _found(self, request: HttpRequest, object_id: str) -> WebhookEndpoint:
        endpoint = self.get_object(request, object_id)
        if endpoint is None or endpoint.removed_at is not None:
            raise Http404
        return endpoint


def _show_once(request: HttpRequest, secret: str) -> None:
    messages.warning(request, f"Its secret, which is not shown again: {secret}")
