"""All kinds of changes that take two people, of every floor."""

from config.people.access import ROLES, SECOND_FACTOR_RESET
from payments.services.price_changes import PRICES
from reconciliation.services.settings import TOLERANCE

CARRIERS = (PRICES, TOLERANCE, ROLES, SECOND_FACTOR_RESET)
