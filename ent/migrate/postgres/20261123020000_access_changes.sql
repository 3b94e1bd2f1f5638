-- +goose Up
-- What may have cost somebody their access: a row is written by triggers in the transaction that did it, so that no change can
-- forget to, and read by those who push events (internal/event). The subject is a member, a token or a thread; without one
-- it is everybody. Rows are needed for a moment only. It stands outside of ent's schema.
CREATE TABLE "access_changes" (
  "id" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  "xid" xid8 NOT NULL DEFAULT pg_current_xact_id(),
  "subject" uuid,
  "at" timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX "access_changes_xid" ON "access_changes" ("xid");
CREATE INDEX "access_changes_at" ON "access_changes" ("at");
-- +goose StatementBegin
CREATE FUNCTION access_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD IS DISTINCT FROM NEW THEN
    INSERT INTO access_changes (subject) VALUES ((to_jsonb(OLD) ->> TG_ARGV[0])::uuid);
  END IF;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER access_changed AFTER UPDATE OF space_id, member_id, starts_at, ends_at OR DELETE ON "space_memberships" FOR EACH ROW EXECUTE FUNCTION access_changed('member_id');
CREATE TRIGGER access_changed AFTER UPDATE OF member_id, role, scope, scope_id, ends_at OR DELETE ON "role_assignments" FOR EACH ROW EXECUTE FUNCTION access_changed('member_id');
CREATE TRIGGER access_changed AFTER UPDATE OF status OR DELETE ON "members" FOR EACH ROW EXECUTE FUNCTION access_changed('id');
CREATE TRIGGER access_changed AFTER UPDATE OF scope, expires_at, revoked_at OR DELETE ON "access_tokens" FOR EACH ROW EXECUTE FUNCTION access_changed('id');
CREATE TRIGGER access_changed AFTER UPDATE OF space_id OR DELETE ON "threads" FOR EACH ROW EXECUTE FUNCTION access_changed('id');
CREATE TRIGGER access_changed AFTER UPDATE OF kind, cohort_id, team_id OR DELETE ON "spaces" FOR EACH ROW EXECUTE FUNCTION access_changed();
CREATE TRIGGER access_changed AFTER UPDATE OF organization_id OR DELETE ON "teams" FOR EACH ROW EXECUTE FUNCTION access_changed();
CREATE TRIGGER access_changed AFTER UPDATE OF cohort_id, team_id, state OR DELETE ON "enrollments" FOR EACH ROW EXECUTE FUNCTION access_changed();
-- What ended since a moment ago is found by these.
CREATE INDEX "roleassignment_ends_at" ON "role_assignments" ("ends_at") WHERE (ends_at IS NOT NULL);
CREATE INDEX "spacemembership_ends_at" ON "space_memberships" ("ends_at") WHERE (ends_at IS NOT NULL);

-- +goose Down
DROP INDEX "spacemembership_ends_at";
DROP INDEX "roleassignment_ends_at";
DROP TRIGGER access_changed ON "enrollments";
DROP TRIGGER access_changed ON "teams";
DROP TRIGGER access_changed ON "spaces";
DROP TRIGGER access_changed ON "threads";
DROP TRIGGER access_changed ON "access_tokens";
DROP TRIGGER access_changed ON "members";
DROP TRIGGER access_changed ON "role_assignments";
DROP TRIGGER access_changed ON "space_memberships";
DROP FUNCTION access_changed();
DROP TABLE "access_changes";
