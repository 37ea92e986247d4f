-- What was asked for is frozen, what was decided stays, and seals of the audit trail are append-only.
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON ledger_auditseal
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();

-- What was asked for stays as it is, and so does a decision.
CREATE TRIGGER ledger_change_is_fixed
BEFORE UPDATE OF id, public_id, kind, subject, payload, in_force, digest, reason, requested_by,
    created_at, expires_at OR DELETE
ON ledger_changerequest FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_change_is_decided BEFORE UPDATE ON ledger_changerequest
FOR EACH ROW WHEN (OLD.status <> 'REQUESTED') EXECUTE FUNCTION ledger_refuse_change();
