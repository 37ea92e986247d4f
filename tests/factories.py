"""Data for tests, made by the services themselves, so that it obeys every rule they keep.

`MerchantFactory()`, `ApiKeyFactory(merchant=…).secret`, `PaymentFactory(money=eur("100.00"))`,
`SucceededPaymentFactory(…)`, `RefundFactory(payment=…)`, `SucceededRefundFactory(payment=…)`.
"""

from datetime import date
from typing import Any, NamedTuple

import factory
from django.utils import timezone

from ledger.actors import Actor
from ledger.entries import AccountRef, AccountType
from ledger.models import Account
from ledger.money import Money
from ledger.services.accounts import open_account
from payments.models import ApiKey, Dispute, Gateway, Merchant, Payment, Refund
from payments.services.api_keys import issue_api_key
from payments.services.disputes import DisputeNotice, open_dispute
from payments.services.gateways import define_gateway
from payments.services.merchants import register_merchant, set_fee_plan
from payments.services.payments import PaymentWish, create_payment
from payments.services.processing import process_payments, process_refunds
from payments.services.refunds import RefundWish, create_refund

ACTOR = Actor.system("tests")
ALWAYS = date(2020, 1, 1)


def eur(text: str) -> Money:
    return Money.of(text, "EUR")


class AccountFactory(factory.Factory):
    """An account of the ledger: a wallet-like liability in euro unless said otherwise."""

    class Meta:
        model = Account

    code = factory.Sequence(lambda n: f"account:{n}")
    type = AccountType.LIABILITY
    currency = "EUR"

    @classmethod
    def _create(cls, model_class: Any, **fields: Any) -> Account:
        return open_account(AccountRef(**fields))


class GatewayFactory(factory.Factory):
    """A gateway behind the simulator; its contract: 1.40 % and 0.25 per payment, T+2."""

    class Meta:
        model = Gateway

    code = "sim"
    adapter = Gateway.Adapter.SIMULATOR
    fee_basis_points = 140
    fee_fixed = 25

    @classmethod
    def _create(cls, model_class: Any, **fields: Any) -> Gateway:
        return define_gateway(**fields)


class MerchantFactory(factory.Factory):
    """A merchant with a gateway that takes its payments, and a fee of 2.90 % and 0.30 in euro.

    `fees` maps currencies to (basis points, fixed part in minor units).
    """

    class Meta:
        model = Merchant

    code = factory.Sequence(lambda n: f"shop-{n}")
    fees = {"EUR": (290, 30)}

    @classmethod
    def _create(
        cls, model_class: Any, *, fees: dict[str, tuple[int, int]], **fields: Any
    ) -> Merchant:
        GatewayFactory()
        merchant = register_merchant(**fields)
        for currency, (basis_points, fixed) in fees.items():
            set_fee_plan(
                merchant,
                currency=currency,
                basis_points=basis_points,
                fixed=fixed,
                valid_from=ALWAYS,
            )
        return merchant


class IssuedKey(NamedTuple):
    record: ApiKey
    secret: str


class ApiKeyFactory(factory.Factory):
    """A key that may read and write payments, with its secret."""

    class Meta:
        model = ApiKey

    merchant = factory.SubFactory(MerchantFactory)
    name = "web shop"
    scopes = (
        ApiKey.Scope.PAYMENTS_READ,
        ApiKey.Scope.PAYMENTS_WRITE,
        ApiKey.Scope.REFUNDS_WRITE,
    )

    @classmethod
    def _create(cls, model_class: Any, *, merchant: Merchant, **fields: Any) -> IssuedKey:
        return IssuedKey(*issue_api_key(merchant, **fields))


class PaymentFactory(factory.Factory):
    """A payment of 100.00 EUR that waits to be processed."""

    class Meta:
        model = Payment

    merchant = factory.SubFactory(MerchantFactory)
    idempotency_key = factory.Sequence(lambda n: f"order-{n}")
    money = Money(100_00, "EUR")
    source = "tok_visa"

    @classmethod
    def _create(
        cls, model_class: Any, *, merchant: Merchant, idempotency_key: str, **wish: Any
    ) -> Payment:
        return create_payment(
            merchant, PaymentWish(**wish), idempotency_key=idempotency_key, actor=ACTOR
        )


class SucceededPaymentFactory(PaymentFactory):
    """A payment the simulator has accepted and the ledger knows; other due ones are done too."""

    @classmethod
    def _create(cls, model_class: Any, **fields: Any) -> Payment:
        payment = super()._create(model_class, **fields)
        process_payments()
        payment.refresh_from_db()
        assert payment.status == Payment.Status.SUCCEEDED, payment.status
        return payment


class AuthorizedPaymentFactory(PaymentFactory):
    """A payment the simulator keeps for us, to be captured or canceled."""

    capture = Payment.Capture.MANUAL

    @classmethod
    def _create(cls, model_class: Any, **fields: Any) -> Payment:
        payment = super()._create(model_class, **fields)
        process_payments()
        payment.refresh_from_db()
        assert payment.status == Payment.Status.AUTHORIZED, payment.status
        return payment


class RefundFactory(factory.Factory):
    """A refund, of all that is left unless `money` is given, that waits to be processed."""

    class Meta:
        model = Refund

    payment = factory.SubFactory(SucceededPaymentFactory)
    idempotency_key = factory.Sequence(lambda n: f"refund-{n}")
    money = None

    @classmethod
    def _create(
        cls, model_class: Any, *, payment: Payment, idempotency_key: str, **wish: Any
    ) -> Refund:
        return create_refund(
            payment,
            RefundWish(payment.public_id, **wish),
            idempotency_key=idempotency_key,
            actor=ACTOR,
        )


class SucceededRefundFactory(RefundFactory):
    """A refund the simulator has accepted and the ledger knows."""

    @classmethod
    def _create(cls, model_class: Any, **fields: Any) -> Refund:
        refund = super()._create(model_class, **fields)
        process_refunds()
        refund.refresh_from_db()
        assert refund.status == Refund.Status.SUCCEEDED, refund.status
        return refund


class DisputeFactory(factory.Factory):
    """A dispute of 40.00 EUR the gateway told us about; its money is gone."""

    class Meta:
        model = Dispute

    payment = factory.SubFactory(SucceededPaymentFactory)
    reference = factory.Sequence(lambda n: f"dispute-{n}")
    money = Money(40_00, "EUR")
    effective_at = factory.LazyFunction(timezone.now)

    @classmethod
    def _create(cls, model_class: Any, **notice: Any) -> Dispute:
        return open_dispute(DisputeNotice(**notice), actor=ACTOR)
