"""/payments/batch"""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.views import APIView

from ledger.errors import DomainError
from payments import doorbell
from payments.answers import Answer
from payments.api.authentication import HasScope, caller_of
from payments.api.conventions import StrictSerializer, render_json
from payments.api.idempotency import (
    KEY_SCHEMA,
    Done,
    MissingIdempotencyKey,
    checked_key,
    once,
    response_of,
)
from payments.api.payment_shapes import (
    PaymentInput,
    PaymentOutput,
    location_of,
    read_payment,
    render_new_payment,
)
from payments.models import ApiKey, Merchant
from payments.services.batches import Batch, Order, create_batch

PAYMENTS_MAX = 1_000
OPTIONAL_KEY_HEADER = OpenApiParameter(
    "Idempotency-Key",
    KEY_SCHEMA,
    OpenApiParameter.HEADER,
    description="For the batch as a whole; without it, the keys of its payments do.",
)


class BatchItem(PaymentInput):
    """A payment and its own key."""

    idempotency_key = serializers.CharField(max_length=255)


@extend_schema_field(BatchItem)
class _Unread(serializers.Field):
    """Read later, on its own: what is wrong with one does not concern the others."""

    def to_internal_value(self, data: Any) -> Any:
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class _UnreadList(serializers.ListField):
    """As it comes: asking the child about each takes a while, to hear that all are right."""

    def run_child_validation(self, data: Any) -> Any:
        return data


class BatchInput(StrictSerializer):
    """Up to 1,000 payments, each with its own key."""

    payments = _UnreadList(child=_Unread(allow_null=True), min_length=1, max_length=PAYMENTS_MAX)


class FieldProblem(serializers.Serializer):
    """What is wrong with one field."""

    pointer = serializers.CharField(help_text="JSON pointer, `#/payments/0/amount`.")
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemOutput(serializers.Serializer):
    """RFC 9457."""

    type = serializers.URLField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField(help_text="Stable; docs/errors.md lists them.")
    request_id = serializers.CharField()
    errors = FieldProblem(many=True)  # type: ignore[assignment]


class BatchResult(serializers.Serializer):
    """What a request of its own would have been answered."""

    status = serializers.IntegerField(help_text="202, or that of the error.")
    payment = PaymentOutput(required=False)
    replayed = serializers.BooleanField(required=False)
    error = ProblemOutput(required=False)


class BatchOutput(serializers.Serializer):
    results = BatchResult(many=True, help_text="In the order of the payments.")


class PaymentBatches(APIView):
    """Take up to 1,000 payments (202), each with its own key and its own answer.

    The request may have an Idempotency-Key of its own; without one, the keys of its payments make
    it safe to repeat.
    """

    permission_classes = [HasScope]
    scopes = {"POST": ApiKey.Scope.PAYMENTS_WRITE}
    body_bytes_max = 2 * 1024 * 1024

    @extend_schema(
        operation_id="create_payment_batch",
        request=BatchInput,
        parameters=[OPTIONAL_KEY_HEADER],
        responses={202: BatchOutput},
    )
    def post(self, request: Request) -> HttpResponse:
        asked = BatchInput(data=request.data)
        asked.is_valid(raise_exception=True)
        items = asked.validated_data["payments"]
        if "Idempotency-Key" in request.headers or "idempotency_key" in request.data:
            return once(request, "create_payment_batch", lambda: self._carry_out(request, items))
        done = self._carry_out(request, items)
        if done.ring is not None:
            doorbell.ring(done.ring)
        return response_of(Answer(done.status, done.body))

    def _carry_out(self, request: Request, items: list[Any]) -> Done:
        caller = caller_of(request)
        batch = Batch(
            merchant=caller.merchant,
            actor=caller.actor,
            request_id=request._request.request_id,  # type: ignore[attr-defined]
            body_of=render_new_payment,
            location_of=location_of,
        )
        read = [_read(item, caller.merchant) for item in items]
        answers = iter(create_batch(batch, [order for order in read if isinstance(order, Order)]))
        outcomes = [next(answers) if isinstance(order, Order) else order for order in read]
        has_news = any(isinstance(answer, Answer) and not answer.is_replay for answer in outcomes)
        return Done(
            202,
            b'{"results":[%b]}' % b",".join(map(self._result, outcomes)),
            ring=doorbell.Kind.PAYMENTS if has_news else None,
        )

    def _result(self, outcome: Answer | Exception) -> bytes:
        """JSON; a payment as it was answered, or would have been, alone."""
        if isinstance(outcome, Answer):
            replayed = b',"replayed":true' if outcome.is_replay else b""
            return b'{"status":%d,"payment":%b%b}' % (outcome.status, outcome.body, replayed)
        response = self.get_exception_handler()(outcome, self.get_exception_handler_context())
        assert response is not None
        return render_json({"status": response.status_code, "error": response.data})


def _read(item: Any, merchant: Merchant) -> Order | APIException | DomainError:
    """The item as an order, or what is wrong with it."""
    try:
        wish = read_payment(item, merchant)
        if "idempotency_key" not in item:
            raise MissingIdempotencyKey()
        return Order(checked_key(item["idempotency_key"]), wish)
    except (APIException, DomainError) as refusal:
        return refusal
