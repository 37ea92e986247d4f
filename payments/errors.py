"""What this floor refuses."""

from ledger.errors import Conflict, Invalid, NotFound
from ledger.money import Money


class IdempotencyMismatch(Invalid):
    code = "idempotency_key_reused"

    def __init__(self, key: str) -> None:
        super().__init__(f"The idempotency key {key!r} was used for another request.")


class ReferenceTaken(Conflict):
    code = "reference_taken"

    def __init__(self, reference: str) -> None:
        super().__init__(f"The reference {reference!r} belongs to another payment or refund.")


class RefundExceedsPayment(Invalid):
    code = "amount_exceeds_refundable"

    def __init__(self, payment: object, left: Money, asked: Money) -> None:
        super().__init__(f"{payment} has {left} left to refund; {asked} was asked.")


class PaymentNotRefundable(Conflict):
    code = "payment_not_refundable"

    def __init__(self, payment: object, status: str) -> None:
        super().__init__(f"{payment} is {status}; only a succeeded payment can be refunded.")


class CurrencyMismatch(Invalid):
    code = "currency_mismatch"

    def __init__(self, asked: str, actual: str) -> None:
        super().__init__(f"The payment is in {actual}; {asked} was asked.")


class PaymentNotFound(NotFound):
    code = "payment_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such payment.")


class RefundNotFound(NotFound):
    code = "refund_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such refund.")


class UnknownStatus(Invalid):
    code = "unknown_status"

    def __init__(self, status: str) -> None:
        super().__init__(f"There is no status {status[:30]!r}.")


class MerchantNotFound(NotFound):
    code = "merchant_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no merchant {name[:60]!r}.")


class NoGateway(Conflict):
    code = "no_gateway"

    def __init__(self) -> None:
        super().__init__("No gateway that can take payments is configured.")


class CardNumberRefused(Invalid):
    code = "card_number_refused"

    def __init__(self) -> None:
        super().__init__("This looks like a card number. Send a token of it, never the number.")
