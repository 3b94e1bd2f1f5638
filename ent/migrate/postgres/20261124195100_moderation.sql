-- +goose Up
-- modify "posts" table
ALTER TABLE "posts" ADD COLUMN "hidden_body" text NOT NULL DEFAULT '';
-- Whom a member does not want to hear from decides what they are sent, as their access does.
-- +goose StatementBegin
CREATE FUNCTION access_narrowed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO access_changes (subject) VALUES ((to_jsonb(NEW) ->> TG_ARGV[0])::uuid);
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER access_narrowed AFTER INSERT ON "blocks" FOR EACH ROW EXECUTE FUNCTION access_narrowed('member_id');
CREATE TRIGGER access_changed AFTER DELETE ON "blocks" FOR EACH ROW EXECUTE FUNCTION access_changed('member_id');

-- +goose Down
DROP TRIGGER access_changed ON "blocks";
DROP TRIGGER access_narrowed ON "blocks";
DROP FUNCTION access_narrowed();
ALTER TABLE "posts" DROP COLUMN "hidden_body";
