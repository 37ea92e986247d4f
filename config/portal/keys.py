"""API keys, for the roles that the API gives them to; none may do more than whoever makes it.

A secret is shown in the answer that made it, and nowhere after.
"""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from config.portal.forms import NewKeyForm, RevocationForm, RotationForm
from config.portal.listings import listing_of
from config.portal.pages import MemberPage, Scope
from payments.models import ApiKey
from payments.selectors import api_key_of, api_keys_of
from payments.services.api_keys import (
    check_grant,
    issue_api_key,
    revoke_api_key,
    rotate_api_key,
)


def state_of(key: ApiKey) -> str:
    if key.revoked_at:
        return "Revoked"
    if key.expires_at and key.expires_at <= timezone.now():
        return "Expired"
    return "Replaced, still works" if key.replaced_by_id else "Works"


def is_over(key: ApiKey) -> bool:
    return state_of(key) in ("Revoked", "Expired")


class _KeyPage(MemberPage):
    needs = Scope.KEYS_WRITE

    def issued(self, key: ApiKey, secret: str) -> HttpResponse:
        return self.page(
            "issued", status=201, title=f"Your new key {key.name}", key=key, secret=secret
        )


class Keys(_KeyPage):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self._list(NewKeyForm(self.visitor.scopes))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = NewKeyForm(self.visitor.scopes, request.POST)
        if not form.is_valid():
            return self._list(form)
        said = form.cleaned_data
        check_grant(said["scopes"], own=self.visitor.scopes)
        ends = timezone.now() + timedelta(days=int(said["days"])) if said["days"] else None
        key, secret = issue_api_key(
            self.merchant,
            name=said["name"],
            scopes=said["scopes"],
            expires_at=ends,
            actor=self.visitor.actor,
        )
        return self.issued(key, secret)

    def _list(self, form: NewKeyForm) -> HttpResponse:
        listing = listing_of(api_keys_of(self.merchant), self.request, self.visitor)
        return self.page(
            "keys",
            title="API keys",
            form=form,
            listing=listing,
            rows=[(key, state_of(key)) for key in listing.rows],
        )


class KeyDetail(_KeyPage):
    def get(self, request: HttpRequest, key_id: str) -> HttpResponse:
        return self._shown(api_key_of(self.merchant, key_id))

    def _shown(
        self,
        key: ApiKey,
        *,
        rotation: RotationForm | None = None,
        revocation: RevocationForm | None = None,
    ) -> HttpResponse:
        return self.page(
            "key",
            title=f"API key {key.name}",
            key=key,
            state=state_of(key),
            is_beyond=not self.visitor.scopes.issuperset(key.scopes),
            is_over=is_over(key),
            rotation=rotation or RotationForm(),
            revocation=revocation or RevocationForm(),
        )


class KeyRotation(KeyDetail):
    def post(self, request: HttpRequest, key_id: str) -> HttpResponse:
        key, form = api_key_of(self.merchant, key_id), RotationForm(request.POST)
        if not form.is_valid():
            return self._shown(key, rotation=form)
        check_grant(key.scopes, own=self.visitor.scopes)
        return self.issued(
            *rotate_api_key(
                key,
                overlap_hours=form.cleaned_data["overlap_hours"],
                actor=self.visitor.actor,
            )
        )


class KeyRevocation(KeyDetail):
    def post(self, request: HttpRequest, key_id: str) -> HttpResponse:
        key, form = api_key_of(self.merchant, key_id), RevocationForm(request.POST)
        if not form.is_valid():
            return self._shown(key, revocation=form)
        revoke_api_key(key, actor=self.visitor.actor)
        return HttpResponseRedirect(reverse("portal:key", args=[key.public_id]))
