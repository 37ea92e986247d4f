DROP TRIGGER payments_event_announced ON payments_event;
DROP FUNCTION payments_announce_events();
