-- +goose Up
-- modify "access_tokens" table
ALTER TABLE "access_tokens" ADD COLUMN "kind" character varying NOT NULL DEFAULT 'PERSONAL', ADD COLUMN "previous_hash" bytea NULL, ADD COLUMN "renewed_at" timestamptz NULL, ADD COLUMN "address" character varying NOT NULL DEFAULT '', ADD COLUMN "last_expires_at" timestamptz NULL;
-- create index "accesstoken_previous_hash" to table: "access_tokens"
CREATE INDEX "accesstoken_previous_hash" ON "access_tokens" ("previous_hash") WHERE (previous_hash IS NOT NULL);
-- create "audit_entries" table
CREATE TABLE "audit_entries" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "actor_id" uuid NULL, "action" character varying NOT NULL, "subject_id" uuid NULL, "space_id" uuid NULL, "reason" character varying NOT NULL DEFAULT '', "address" character varying NOT NULL DEFAULT '', PRIMARY KEY ("id"));
-- create index "auditentry_actor_id_id" to table: "audit_entries"
CREATE INDEX "auditentry_actor_id_id" ON "audit_entries" ("actor_id", "id");
-- create index "auditentry_space_id_id" to table: "audit_entries"
CREATE INDEX "auditentry_space_id_id" ON "audit_entries" ("space_id", "id");
-- create index "auditentry_subject_id_id" to table: "audit_entries"
CREATE INDEX "auditentry_subject_id_id" ON "audit_entries" ("subject_id", "id");
-- create "mails" table
CREATE TABLE "mails" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "address" character varying NOT NULL, "template" character varying NOT NULL, "data" jsonb NULL, "attempts" bigint NOT NULL DEFAULT 0, "next_at" timestamptz NOT NULL, "last_error" character varying NOT NULL DEFAULT '', PRIMARY KEY ("id"));
-- create index "mail_address" to table: "mails"
CREATE INDEX "mail_address" ON "mails" ("address");
-- create index "mail_next_at" to table: "mails"
CREATE INDEX "mail_next_at" ON "mails" ("next_at");
-- modify "spaces" table
ALTER TABLE "spaces" ADD COLUMN "join_address" character varying NULL;
-- create index "space_join_address" to table: "spaces"
CREATE UNIQUE INDEX "space_join_address" ON "spaces" ("join_address") WHERE (join_address IS NOT NULL);
-- create "break_glasses" table
CREATE TABLE "break_glasses" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "reason" character varying NOT NULL, "ends_at" timestamptz NOT NULL, "space_id" uuid NOT NULL, "member_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "break_glasses_members_member" FOREIGN KEY ("member_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "break_glasses_spaces_space" FOREIGN KEY ("space_id") REFERENCES "spaces" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "breakglass_ends_at" to table: "break_glasses"
CREATE INDEX "breakglass_ends_at" ON "break_glasses" ("ends_at");
-- create index "breakglass_member_id_ends_at" to table: "break_glasses"
CREATE INDEX "breakglass_member_id_ends_at" ON "break_glasses" ("member_id", "ends_at");
-- create index "breakglass_space_id_id" to table: "break_glasses"
CREATE INDEX "breakglass_space_id_id" ON "break_glasses" ("space_id", "id");
-- create "identities" table
CREATE TABLE "identities" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "issuer" character varying NOT NULL, "subject" character varying NOT NULL, "member_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "identities_members_member" FOREIGN KEY ("member_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "identity_issuer_subject" to table: "identities"
CREATE UNIQUE INDEX "identity_issuer_subject" ON "identities" ("issuer", "subject");
-- create index "identity_member_id" to table: "identities"
CREATE INDEX "identity_member_id" ON "identities" ("member_id");
-- create "join_requests" table
CREATE TABLE "join_requests" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "address" character varying NOT NULL, "message" text NOT NULL DEFAULT '', "state" character varying NOT NULL DEFAULT 'PENDING', "decided_by_id" uuid NULL, "decided_at" timestamptz NULL, "member_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "join_requests_members_member" FOREIGN KEY ("member_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "joinrequest_address_id" to table: "join_requests"
CREATE INDEX "joinrequest_address_id" ON "join_requests" ("address", "id");
-- create index "joinrequest_member_id_id" to table: "join_requests"
CREATE INDEX "joinrequest_member_id_id" ON "join_requests" ("member_id", "id");
-- create "one_time_tokens" table
CREATE TABLE "one_time_tokens" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "hash" bytea NOT NULL, "purpose" character varying NOT NULL, "email" character varying NOT NULL, "expires_at" timestamptz NOT NULL, "used_at" timestamptz NULL, "member_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "one_time_tokens_members_member" FOREIGN KEY ("member_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "onetimetoken_expires_at" to table: "one_time_tokens"
CREATE INDEX "onetimetoken_expires_at" ON "one_time_tokens" ("expires_at");
-- create index "onetimetoken_hash" to table: "one_time_tokens"
CREATE UNIQUE INDEX "onetimetoken_hash" ON "one_time_tokens" ("hash");
-- create index "onetimetoken_member_id_purpose" to table: "one_time_tokens"
CREATE INDEX "onetimetoken_member_id_purpose" ON "one_time_tokens" ("member_id", "purpose");
-- create "passwords" table
CREATE TABLE "passwords" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "hash" character varying NOT NULL, "updated_at" timestamptz NOT NULL, "member_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "passwords_members_member" FOREIGN KEY ("member_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "password_member_id" to table: "passwords"
CREATE UNIQUE INDEX "password_member_id" ON "passwords" ("member_id");
-- What follows stands outside of ent's schema. secrets are the installation's own keys, throttles how often somebody may try.
CREATE TABLE "secrets" ("name" text PRIMARY KEY, "value" bytea NOT NULL);
CREATE TABLE "throttles" ("key" bytea PRIMARY KEY, "due" bigint NOT NULL);
CREATE INDEX "throttles_due" ON "throttles" ("due");
-- The audit log is only ever added to.
-- +goose StatementBegin
CREATE FUNCTION audit_entries_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'audit entries do not change and are not deleted';
END $$;
-- +goose StatementEnd
CREATE TRIGGER audit_entries_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit_entries" FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_stay();
CREATE TRIGGER access_changed AFTER UPDATE OF ends_at OR DELETE ON "break_glasses" FOR EACH ROW EXECUTE FUNCTION access_changed('member_id');

-- +goose Down
DROP TRIGGER access_changed ON "break_glasses";
DROP TRIGGER audit_entries_stay ON "audit_entries";
DROP FUNCTION audit_entries_stay();
DROP TABLE "throttles";
DROP TABLE "secrets";
-- reverse: create index "password_member_id" to table: "passwords"
DROP INDEX "password_member_id";
-- reverse: create "passwords" table
DROP TABLE "passwords";
-- reverse: create index "onetimetoken_member_id_purpose" to table: "one_time_tokens"
DROP INDEX "onetimetoken_member_id_purpose";
-- reverse: create index "onetimetoken_hash" to table: "one_time_tokens"
DROP INDEX "onetimetoken_hash";
-- reverse: create index "onetimetoken_expires_at" to table: "one_time_tokens"
DROP INDEX "onetimetoken_expires_at";
-- reverse: create "one_time_tokens" table
DROP TABLE "one_time_tokens";
-- reverse: create index "joinrequest_member_id_id" to table: "join_requests"
DROP INDEX "joinrequest_member_id_id";
-- reverse: create index "joinrequest_address_id" to table: "join_requests"
DROP INDEX "joinrequest_address_id";
-- reverse: create "join_requests" table
DROP TABLE "join_requests";
-- reverse: create index "identity_member_id" to table: "identities"
DROP INDEX "identity_member_id";
-- reverse: create index "identity_issuer_subject" to table: "identities"
DROP INDEX "identity_issuer_subject";
-- reverse: create "identities" table
DROP TABLE "identities";
-- reverse: create index "breakglass_space_id_id" to table: "break_glasses"
DROP INDEX "breakglass_space_id_id";
-- reverse: create index "breakglass_member_id_ends_at" to table: "break_glasses"
DROP INDEX "breakglass_member_id_ends_at";
-- reverse: create index "breakglass_ends_at" to table: "break_glasses"
DROP INDEX "breakglass_ends_at";
-- reverse: create "break_glasses" table
DROP TABLE "break_glasses";
-- reverse: create index "space_join_address" to table: "spaces"
DROP INDEX "space_join_address";
-- reverse: modify "spaces" table
ALTER TABLE "spaces" DROP COLUMN "join_address";
-- reverse: create index "mail_next_at" to table: "mails"
DROP INDEX "mail_next_at";
-- reverse: create index "mail_address" to table: "mails"
DROP INDEX "mail_address";
-- reverse: create "mails" table
DROP TABLE "mails";
-- reverse: create index "auditentry_subject_id_id" to table: "audit_entries"
DROP INDEX "auditentry_subject_id_id";
-- reverse: create index "auditentry_space_id_id" to table: "audit_entries"
DROP INDEX "auditentry_space_id_id";
-- reverse: create index "auditentry_actor_id_id" to table: "audit_entries"
DROP INDEX "auditentry_actor_id_id";
-- reverse: create "audit_entries" table
DROP TABLE "audit_entries";
-- reverse: create index "accesstoken_previous_hash" to table: "access_tokens"
DROP INDEX "accesstoken_previous_hash";
-- reverse: modify "access_tokens" table
ALTER TABLE "access_tokens" DROP COLUMN "last_expires_at", DROP COLUMN "address", DROP COLUMN "renewed_at", DROP COLUMN "previous_hash", DROP COLUMN "kind";
