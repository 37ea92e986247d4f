-- A claim changes no indexed column of a payment: with room on its page its row version finds a
-- place beside the first one, and no index is touched.
ALTER TABLE payments_payment SET (fillfactor = 50);
