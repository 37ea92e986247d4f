"""Merchants, and who acts for them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from ledger.admin import ReadOnlyAdmin
from ledger.admin.base import detail_action
from payments.models import ApiKey, IdempotencyKey, Login, Merchant, MerchantMember
from payments.services.api_keys import revoke_api_key
from payments.services.members import remove_member


@admin.register(Merchant)
class MerchantAdmin(ReadOnlyAdmin):
    list_display = ("code", "name", "email", "time_zone", "created_at")
    search_fields = ("code", "name", "email", "public_id")


@admin.register(MerchantMember)
class MerchantMemberAdmin(ReadOnlyAdmin):
    list_display = ("user", "merchant", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "merchant")
    search_fields = ("user__username", "merchant__code")
    actions_detail = ("remove",)

    @detail_action("Remove", permission="payments.delete_merchantmember")
    def remove(self, request: HttpRequest, object_id: str) -> HttpResponse:
        member = get_object_or_404(MerchantMember, pk=object_id)
        return self.step(
            request,
            member,
            title="Remove",
            explanation="The person cannot act for the merchant any more, from now on.",
            service=lambda actor, reason: remove_member(member, actor=actor, reason=reason),
        )

    def _url_of(self, record: Any) -> str:
        return reverse("admin:payments_merchantmember_changelist")


@admin.register(Login)
class LoginAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "user", "created_at", "expires_at", "ended_at")
    list_select_related = ("user",)
    search_fields = ("public_id", "user__username")
    exclude = ("credentials", "refresh_id")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = (
        "name",
        "merchant",
        "prefix",
        "scopes",
        "last_used_at",
        "expires_at",
        "revoked_at",
    )
    list_select_related = ("merchant",)
    search_fields = ("name", "prefix", "public_id", "merchant__code")
    exclude = ("digest",)
    actions_detail = ("revoke",)

    @detail_action("Revoke", permission="payments.change_apikey")
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        key = get_object_or_404(ApiKey, pk=object_id)
        return self.step(
            request,
            key,
            title="Revoke",
            explanation="No request is let in with this key any more. This cannot be undone.",
            service=lambda actor, reason: revoke_api_key(key, actor=actor, reason=reason),
        )


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "merchant", "route", "key", "http_status", "location")
    list_filter = ("route",)
    list_select_related = ("merchant",)
    search_fields = ("key", "request_id")
    fields = ("merchant", "route", "key", "request_id", "http_status", "location", "created_at")
