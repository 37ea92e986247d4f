"""Views of a list that people keep: made, changed and removed by their owners alone."""

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from ledger.errors import Conflict, NotFound
from ledger.models import SavedView

VIEWS_MAX = 30


class ViewNotFound(NotFound):
    code = "view_not_found"

    def __init__(self) -> None:
        super().__init__("You have no such view; only its owner changes one.")


class ViewNameTaken(Conflict):
    code = "view_name_taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"You have a view named {name} of this list already.")


class TooManyViews(Conflict):
    code = "too_many_views"

    def __init__(self) -> None:
        super().__init__(f"You have {VIEWS_MAX} views of this list; remove one first.")


def views_for(user: User) -> QuerySet[SavedView]:
    """The user's own, and those that others share."""
    return SavedView.objects.filter(Q(owner=user) | Q(is_shared=True)).select_related("owner")


def save_view(owner: User, *, list_of: str, name: str, query: str, is_shared: bool) -> SavedView:
    """The owner finds this query by this name beside the list. Raises ViewNameTaken, TooManyViews.

    That the query is one of the list is for the caller to see.
    """
    if SavedView.objects.filter(owner=owner, list_of=list_of).count() >= VIEWS_MAX:
        raise TooManyViews()
    view, is_new = SavedView.objects.get_or_create(
        owner=owner,
        list_of=list_of,
        name=name,
        defaults={"query": query, "is_shared": is_shared},
    )
    if not is_new:
        raise ViewNameTaken(name)
    return view


def change_view(view: SavedView, *, name: str, is_shared: bool, by: User) -> None:
    """It has this name, for everybody or its owner alone. Raises ViewNotFound, ViewNameTaken."""
    try:
        with transaction.atomic():
            changed = _own(view, by).update(name=name, is_shared=is_shared)
    except IntegrityError:  # ledger_savedview_once_per_name, the only rule there is
        raise ViewNameTaken(name) from None
    if not changed:
        raise ViewNotFound()


def remove_view(view: SavedView, *, by: User) -> None:
    """It is gone, for those it was shared with too. Raises ViewNotFound."""
    removed, _ = _own(view, by).delete()
    if not removed:
        raise ViewNotFound()


def _own(view: SavedView, user: User) -> QuerySet[SavedView]:
    return SavedView.objects.filter(pk=view.pk, owner=user)
