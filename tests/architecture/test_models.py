"""House rules about every model we own."""

import pytest
from django.apps import apps
from django.db import models

OUR_APPS = ("ledger", "payments", "settlements", "reconciliation", "config")
OUR_MODELS = [model for app in OUR_APPS for model in apps.get_app_config(app).get_models()]
WITH_STATUS = [
    model for model in OUR_MODELS if any(field.name == "status" for field in model._meta.fields)
]


def name_of(model: type[models.Model]) -> str:
    return model._meta.label


def test_every_foreign_key_protects() -> None:
    found = [
        f"{model._meta.label}.{field.name}"
        for model in OUR_MODELS
        for field in model._meta.fields
        if isinstance(field, models.ForeignKey)
        and field.remote_field.on_delete is not models.PROTECT
    ]

    assert found == []


def test_no_model_points_at_many() -> None:
    """A hidden table would have no constraint and no PROTECT of its own."""
    assert [model for model in OUR_MODELS if model._meta.many_to_many] == []


def test_money_and_scores_are_no_floats() -> None:
    found = [
        f"{model._meta.label}.{field.name}"
        for model in OUR_MODELS
        for field in model._meta.fields
        if isinstance(field, models.FloatField)
    ]

    assert found == []


def test_machines_are_found() -> None:
    assert {model.__name__ for model in WITH_STATUS} >= {
        *("Payment", "Refund", "Dispute", "SettlementBatch", "Payout", "Discrepancy")
    }


@pytest.mark.parametrize("model", WITH_STATUS, ids=name_of)
def test_transition_table_is_total(model: type[models.Model]) -> None:
    states, table = set(model.Status), model.TRANSITIONS  # type: ignore[attr-defined]

    assert set(table) == states
    assert set().union(*table.values()) <= states


@pytest.mark.parametrize("model", WITH_STATUS, ids=name_of)
def test_every_state_can_be_reached_and_some_are_final(model: type[models.Model]) -> None:
    table = model.TRANSITIONS  # type: ignore[attr-defined]
    reached = {model._meta.get_field("status").get_default()}

    while more := set().union(*(table[state] for state in reached)) - reached:
        reached |= more

    assert reached == set(table)


@pytest.mark.parametrize("model", WITH_STATUS, ids=name_of)
def test_database_knows_the_same_states(model: type[models.Model]) -> None:
    named = [
        set(values)
        for constraint in model._meta.constraints
        if isinstance(constraint, models.CheckConstraint)
        for name, values in plain_conditions(constraint.condition)
        if name == "status__in" and constraint.name.endswith("_status_known")
    ]

    assert named == [set(model.Status.values)]  # type: ignore[attr-defined]


def plain_conditions(condition: object) -> list[tuple[str, object]]:
    """The (lookup, value) pairs of a condition that is nothing but one AND of them."""
    assert isinstance(condition, models.Q)
    is_plain = condition.connector == models.Q.AND and not condition.negated
    return [child for child in condition.children if isinstance(child, tuple)] if is_plain else []
