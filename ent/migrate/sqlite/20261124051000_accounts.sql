-- +goose Up
-- Columns are added one by one: making the tables anew would drop their triggers.
ALTER TABLE `access_tokens` ADD COLUMN `kind` text NOT NULL DEFAULT ('PERSONAL');
ALTER TABLE `access_tokens` ADD COLUMN `previous_hash` blob NULL;
ALTER TABLE `access_tokens` ADD COLUMN `renewed_at` datetime NULL;
ALTER TABLE `access_tokens` ADD COLUMN `address` text NOT NULL DEFAULT ('');
ALTER TABLE `access_tokens` ADD COLUMN `last_expires_at` datetime NULL;
ALTER TABLE `spaces` ADD COLUMN `join_address` text NULL;
-- create index "accesstoken_previous_hash" to table: "access_tokens"
CREATE INDEX `accesstoken_previous_hash` ON `access_tokens` (`previous_hash`) WHERE previous_hash IS NOT NULL;
-- create index "space_join_address" to table: "spaces"
CREATE UNIQUE INDEX `space_join_address` ON `spaces` (`join_address`) WHERE join_address IS NOT NULL;
-- create "audit_entries" table
CREATE TABLE `audit_entries` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `actor_id` blob NULL, `action` text NOT NULL, `subject_id` blob NULL, `space_id` blob NULL, `reason` text NOT NULL DEFAULT (''), `address` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- create index "auditentry_subject_id_id" to table: "audit_entries"
CREATE INDEX `auditentry_subject_id_id` ON `audit_entries` (`subject_id`, `id`);
-- create index "auditentry_actor_id_id" to table: "audit_entries"
CREATE INDEX `auditentry_actor_id_id` ON `audit_entries` (`actor_id`, `id`);
-- create index "auditentry_space_id_id" to table: "audit_entries"
CREATE INDEX `auditentry_space_id_id` ON `audit_entries` (`space_id`, `id`);
-- create "break_glasses" table
CREATE TABLE `break_glasses` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `reason` text NOT NULL, `ends_at` datetime NOT NULL, `space_id` blob NOT NULL, `member_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `break_glasses_spaces_space` FOREIGN KEY (`space_id`) REFERENCES `spaces` (`id`) ON DELETE RESTRICT, CONSTRAINT `break_glasses_members_member` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "breakglass_member_id_ends_at" to table: "break_glasses"
CREATE INDEX `breakglass_member_id_ends_at` ON `break_glasses` (`member_id`, `ends_at`);
-- create index "breakglass_space_id_id" to table: "break_glasses"
CREATE INDEX `breakglass_space_id_id` ON `break_glasses` (`space_id`, `id`);
-- create index "breakglass_ends_at" to table: "break_glasses"
CREATE INDEX `breakglass_ends_at` ON `break_glasses` (`ends_at`);
-- create "identities" table
CREATE TABLE `identities` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `issuer` text NOT NULL, `subject` text NOT NULL, `member_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `identities_members_member` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "identity_issuer_subject" to table: "identities"
CREATE UNIQUE INDEX `identity_issuer_subject` ON `identities` (`issuer`, `subject`);
-- create index "identity_member_id" to table: "identities"
CREATE INDEX `identity_member_id` ON `identities` (`member_id`);
-- create "join_requests" table
CREATE TABLE `join_requests` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `address` text NOT NULL, `message` text NOT NULL DEFAULT (''), `state` text NOT NULL DEFAULT ('PENDING'), `decided_by_id` blob NULL, `decided_at` datetime NULL, `member_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `join_requests_members_member` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "joinrequest_address_id" to table: "join_requests"
CREATE INDEX `joinrequest_address_id` ON `join_requests` (`address`, `id`);
-- create index "joinrequest_member_id_id" to table: "join_requests"
CREATE INDEX `joinrequest_member_id_id` ON `join_requests` (`member_id`, `id`);
-- create "mails" table
CREATE TABLE `mails` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `address` text NOT NULL, `template` text NOT NULL, `data` json NULL, `attempts` integer NOT NULL DEFAULT (0), `next_at` datetime NOT NULL, `last_error` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- create index "mail_next_at" to table: "mails"
CREATE INDEX `mail_next_at` ON `mails` (`next_at`);
-- create index "mail_address" to table: "mails"
CREATE INDEX `mail_address` ON `mails` (`address`);
-- create "one_time_tokens" table
CREATE TABLE `one_time_tokens` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `hash` blob NOT NULL, `purpose` text NOT NULL, `email` text NOT NULL, `expires_at` datetime NOT NULL, `used_at` datetime NULL, `member_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `one_time_tokens_members_member` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "onetimetoken_hash" to table: "one_time_tokens"
CREATE UNIQUE INDEX `onetimetoken_hash` ON `one_time_tokens` (`hash`);
-- create index "onetimetoken_member_id_purpose" to table: "one_time_tokens"
CREATE INDEX `onetimetoken_member_id_purpose` ON `one_time_tokens` (`member_id`, `purpose`);
-- create index "onetimetoken_expires_at" to table: "one_time_tokens"
CREATE INDEX `onetimetoken_expires_at` ON `one_time_tokens` (`expires_at`);
-- create "passwords" table
CREATE TABLE `passwords` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `hash` text NOT NULL, `updated_at` datetime NOT NULL, `member_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `passwords_members_member` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "password_member_id" to table: "passwords"
CREATE UNIQUE INDEX `password_member_id` ON `passwords` (`member_id`);
-- What follows stands outside of ent's schema. secrets are the installation's own keys, throttles how often somebody may try.
CREATE TABLE `secrets` (`name` text NOT NULL PRIMARY KEY, `value` blob NOT NULL);
CREATE TABLE `throttles` (`key` blob NOT NULL PRIMARY KEY, `due` integer NOT NULL) WITHOUT ROWID;
CREATE INDEX `throttles_due` ON `throttles` (`due`);
-- The audit log is only ever added to.
-- +goose StatementBegin
CREATE TRIGGER audit_entries_stay_as_they_are BEFORE UPDATE ON `audit_entries` BEGIN
  SELECT RAISE(ABORT, 'audit entries do not change');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_entries_stay BEFORE DELETE ON `audit_entries` BEGIN
  SELECT RAISE(ABORT, 'audit entries are not deleted');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER access_changed_break_glasses AFTER UPDATE OF ends_at ON `break_glasses` BEGIN
  INSERT INTO access_changes (subject) VALUES (old.member_id);
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER access_changed_break_glasses;
DROP TRIGGER audit_entries_stay;
DROP TRIGGER audit_entries_stay_as_they_are;
DROP TABLE `throttles`;
DROP TABLE `secrets`;
-- reverse: create index "password_member_id" to table: "passwords"
DROP INDEX `password_member_id`;
-- reverse: create "passwords" table
DROP TABLE `passwords`;
-- reverse: create index "onetimetoken_expires_at" to table: "one_time_tokens"
DROP INDEX `onetimetoken_expires_at`;
-- reverse: create index "onetimetoken_member_id_purpose" to table: "one_time_tokens"
DROP INDEX `onetimetoken_member_id_purpose`;
-- reverse: create index "onetimetoken_hash" to table: "one_time_tokens"
DROP INDEX `onetimetoken_hash`;
-- reverse: create "one_time_tokens" table
DROP TABLE `one_time_tokens`;
-- reverse: create index "mail_address" to table: "mails"
DROP INDEX `mail_address`;
-- reverse: create index "mail_next_at" to table: "mails"
DROP INDEX `mail_next_at`;
-- reverse: create "mails" table
DROP TABLE `mails`;
-- reverse: create index "joinrequest_member_id_id" to table: "join_requests"
DROP INDEX `joinrequest_member_id_id`;
-- reverse: create index "joinrequest_address_id" to table: "join_requests"
DROP INDEX `joinrequest_address_id`;
-- reverse: create "join_requests" table
DROP TABLE `join_requests`;
-- reverse: create index "identity_member_id" to table: "identities"
DROP INDEX `identity_member_id`;
-- reverse: create index "identity_issuer_subject" to table: "identities"
DROP INDEX `identity_issuer_subject`;
-- reverse: create "identities" table
DROP TABLE `identities`;
-- reverse: create index "breakglass_ends_at" to table: "break_glasses"
DROP INDEX `breakglass_ends_at`;
-- reverse: create index "breakglass_space_id_id" to table: "break_glasses"
DROP INDEX `breakglass_space_id_id`;
-- reverse: create index "breakglass_member_id_ends_at" to table: "break_glasses"
DROP INDEX `breakglass_member_id_ends_at`;
-- reverse: create "break_glasses" table
DROP TABLE `break_glasses`;
-- reverse: create index "auditentry_space_id_id" to table: "audit_entries"
DROP INDEX `auditentry_space_id_id`;
-- reverse: create index "auditentry_actor_id_id" to table: "audit_entries"
DROP INDEX `auditentry_actor_id_id`;
-- reverse: create index "auditentry_subject_id_id" to table: "audit_entries"
DROP INDEX `auditentry_subject_id_id`;
-- reverse: create "audit_entries" table
DROP TABLE `audit_entries`;
-- reverse: create index "space_join_address" to table: "spaces"
DROP INDEX `space_join_address`;
ALTER TABLE `spaces` DROP COLUMN `join_address`;
-- reverse: create index "accesstoken_previous_hash" to table: "access_tokens"
DROP INDEX `accesstoken_previous_hash`;
ALTER TABLE `access_tokens` DROP COLUMN `last_expires_at`;
ALTER TABLE `access_tokens` DROP COLUMN `address`;
ALTER TABLE `access_tokens` DROP COLUMN `renewed_at`;
ALTER TABLE `access_tokens` DROP COLUMN `previous_hash`;
ALTER TABLE `access_tokens` DROP COLUMN `kind`;
