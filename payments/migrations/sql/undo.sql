-- Takes back what the files beside this one made and the deletion of the tables does not.
DROP FUNCTION payments_announce_events, payments_check_payments, payments_check_idempotency_keys
    CASCADE;
