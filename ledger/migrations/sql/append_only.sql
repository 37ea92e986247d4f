-- Entries, postings, seals and the audit trail are only ever added to. What an account, a hold, a
-- period or a request for a change is about stays as it was written; only their state moves on.

-- Names are looked up in temporary tables first unless those are named last: whoever may create one
-- could show the rules of the ledger periods that are open and accounts without a floor.
CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'ledger_append_only';
END $$;

CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger_journalentry
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger_posting
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger_auditevent
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger_seal
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger_auditseal
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger_holdcapture
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- What an account is never changes, or entries that balanced would not; and it is never deleted.
CREATE TRIGGER ledger_account_is_fixed BEFORE UPDATE OF id, owner, code, type, currency OR DELETE
ON ledger_account FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_account_is_fixed BEFORE DELETE ON ledger_accountbalance
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

CREATE TRIGGER ledger_hold_is_fixed
BEFORE UPDATE OF id, public_id, idempotency_key, account_id, reference, amount OR DELETE
ON ledger_hold FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_period_is_fixed BEFORE UPDATE OF id, code, starts_at, ends_at OR DELETE
ON ledger_accountingperiod FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- What was asked for stays as it is, and so does a decision.
CREATE TRIGGER ledger_change_is_fixed
BEFORE UPDATE OF id, public_id, kind, subject, payload, in_force, digest, reason, requested_by,
    created_at, expires_at OR DELETE
ON ledger_changerequest FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_change_is_decided BEFORE UPDATE ON ledger_changerequest
FOR EACH ROW WHEN (OLD.status <> 'REQUESTED') EXECUTE FUNCTION ledger_refuse_change();
