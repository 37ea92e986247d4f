"""Who acts for the merchant, for owners."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from config.portal.forms import InvitationForm, RemovalForm, RoleForm
from config.portal.invitations import DAYS, invite
from config.portal.keys import is_over
from config.portal.pages import MemberPage
from ledger.actors import Actor
from ledger.errors import NotFound
from payments.models import MerchantMember
from payments.selectors import api_keys_of
from payments.services.members import change_role, remove_member


class MemberNotFound(NotFound):
    code = "member_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such member.")


class Members(MemberPage):
    is_for_owners = True

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._list(InvitationForm(initial={"role": MerchantMember.Role.VIEWER}))

    def post(self, request: HttpRequest) -> HttpResponse:
        """A link to pass on, which makes somebody a member."""
        form = InvitationForm(request.POST)
        if not form.is_valid():
            return self._list(form)
        email, role = form.cleaned_data["email"], form.cleaned_data["role"]
        token = invite(self.visitor.member, email, role=role)
        link = request.build_absolute_uri(reverse("portal:join", args=[token]))
        return self.page(
            "invited", status=201, title=f"Invitation for {email}", link=link, days=DAYS
        )

    def _list(self, form: InvitationForm) -> HttpResponse:
        rows = self.merchant.members.select_related("user").order_by("pk")
        return self.page("members", title="Members", members=rows, form=form)


class MemberDetail(MemberPage):
    is_for_owners = True

    def get(self, request: HttpRequest, member_id: int) -> HttpResponse:
        return self.shown(self.found(member_id))

    def found(self, member_id: int) -> MerchantMember:
        """Raises MemberNotFound, also for a member of another merchant."""
        rows = self.merchant.members.select_related("user", "merchant")
        member: MerchantMember | None = rows.filter(pk=member_id).first()
        if member is None:
            raise MemberNotFound()
        return member

    def shown(
        self,
        member: MerchantMember,
        *,
        role: RoleForm | None = None,
        removal: RemovalForm | None = None,
    ) -> HttpResponse:
        return self.page(
            "member",
            title=f"Member {member.user.get_username()}",
            member=member,
            role=role or RoleForm(initial={"role": member.role}),
            removal=removal or RemovalForm(),
        )


class MemberRole(MemberDetail):
    def post(self, request: HttpRequest, member_id: int) -> HttpResponse:
        member, form = self.found(member_id), RoleForm(request.POST)
        if not form.is_valid():
            return self.shown(member, role=form)
        change_role(member, role=form.cleaned_data["role"], actor=self.visitor.actor)
        return HttpResponseRedirect(reverse("portal:members"))


class MemberRemoval(MemberDetail):
    def post(self, request: HttpRequest, member_id: int) -> HttpResponse:
        member, form = self.found(member_id), RemovalForm(request.POST)
        if not form.is_valid():
            return self.shown(member, removal=form)
        remove_member(member, actor=self.visitor.actor)
        if keys := self._keys_made_by(member):
            messages.warning(
                request,
                f"API keys that {member.user} made still work: {', '.join(keys)}. Revoke those that"
                " the person may have kept.",
            )
        return HttpResponseRedirect(reverse("portal:members"))

    def _keys_made_by(self, member: MerchantMember) -> list[str]:
        """Their names."""
        keys = api_keys_of(self.merchant).filter(created_by=str(Actor.user(member.user))[:120])
        return [key.name for key in keys if not is_over(key)]
