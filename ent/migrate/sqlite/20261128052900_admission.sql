-- +goose Up
-- Columns are added by themselves: making a table anew would drop its triggers.
ALTER TABLE `calls` ADD COLUMN `title` text NOT NULL DEFAULT ('');
ALTER TABLE `calls` ADD COLUMN `summary` text NOT NULL DEFAULT ('');
ALTER TABLE `calls` ADD COLUMN `opens_local` text NOT NULL DEFAULT ('');
ALTER TABLE `calls` ADD COLUMN `due_local` text NOT NULL DEFAULT ('');
ALTER TABLE `calls` ADD COLUMN `closes_local` text NOT NULL DEFAULT ('');
ALTER TABLE `calls` ADD COLUMN `rubric` json NULL;
ALTER TABLE `calls` ADD COLUMN `capacity` integer NOT NULL DEFAULT (0);
ALTER TABLE `calls` ADD COLUMN `offer_days` integer NOT NULL DEFAULT (14);
ALTER TABLE `calls` ADD COLUMN `blind` bool NOT NULL DEFAULT (false);
ALTER TABLE `calls` ADD COLUMN `reviews_wanted` integer NOT NULL DEFAULT (2);
ALTER TABLE `calls` ADD COLUMN `form_version` integer NOT NULL DEFAULT (0);
ALTER TABLE `calls` ADD COLUMN `last_number` integer NOT NULL DEFAULT (0);
ALTER TABLE `calls` ADD COLUMN `published_at` datetime NULL;
ALTER TABLE `calls` ADD COLUMN `released_at` datetime NULL;
ALTER TABLE `calls` ADD COLUMN `event_seq` integer NOT NULL DEFAULT (0);
ALTER TABLE `calls` ADD COLUMN `version` integer NOT NULL DEFAULT (1);
ALTER TABLE `calls` ADD COLUMN `updated_at` datetime NULL;
ALTER TABLE `calls` ADD COLUMN `cohort_id` blob NULL CONSTRAINT `calls_cohorts_cohort` REFERENCES `cohorts` (`id`) ON DELETE RESTRICT;
-- What there is was seen by everybody.
UPDATE `calls` SET `published_at` = `created_at`, `updated_at` = `created_at`;
ALTER TABLE `enrollments` ADD COLUMN `fee_amount` integer NULL;
ALTER TABLE `enrollments` ADD COLUMN `waived_amount` integer NULL;
ALTER TABLE `enrollments` ADD COLUMN `fee_currency` text NOT NULL DEFAULT ('');
ALTER TABLE `enrollments` ADD COLUMN `fee_note` text NOT NULL DEFAULT ('');
ALTER TABLE `enrollments` ADD COLUMN `application_id` blob NULL CONSTRAINT `enrollments_applications_application` REFERENCES `applications` (`id`) ON DELETE RESTRICT;
ALTER TABLE `enrollments` ADD COLUMN `sponsorship_id` blob NULL CONSTRAINT `enrollments_sponsorships_sponsorship` REFERENCES `sponsorships` (`id`) ON DELETE RESTRICT;
-- create index "call_cohort_id" to table: "calls"
CREATE INDEX `call_cohort_id` ON `calls` (`cohort_id`) WHERE cohort_id IS NOT NULL;
-- create index "enrollment_application" to table: "enrollments"
CREATE UNIQUE INDEX `enrollment_application` ON `enrollments` (`application_id`) WHERE application_id IS NOT NULL;
-- create index "enrollment_sponsorship_id" to table: "enrollments"
CREATE INDEX `enrollment_sponsorship_id` ON `enrollments` (`sponsorship_id`) WHERE sponsorship_id IS NOT NULL;
-- create "answers" table
CREATE TABLE `answers` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `key` text NOT NULL, `value` text NOT NULL DEFAULT (''), `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `application_id` blob NOT NULL, `file_id` blob NULL, `editor_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `answers_applications_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE RESTRICT, CONSTRAINT `answers_files_file` FOREIGN KEY (`file_id`) REFERENCES `files` (`id`) ON DELETE RESTRICT, CONSTRAINT `answers_members_editor` FOREIGN KEY (`editor_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "answer_application_id_key" to table: "answers"
CREATE UNIQUE INDEX `answer_application_id_key` ON `answers` (`application_id`, `key`);
-- create index "answer_editor_id" to table: "answers"
CREATE INDEX `answer_editor_id` ON `answers` (`editor_id`);
-- create index "answer_file_id" to table: "answers"
CREATE INDEX `answer_file_id` ON `answers` (`file_id`) WHERE file_id IS NOT NULL;
-- create "answer_versions" table
CREATE TABLE `answer_versions` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `version` integer NOT NULL, `value` text NOT NULL DEFAULT (''), `answer_id` blob NOT NULL, `file_id` blob NULL, `editor_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `answer_versions_answers_answer` FOREIGN KEY (`answer_id`) REFERENCES `answers` (`id`) ON DELETE RESTRICT, CONSTRAINT `answer_versions_files_file` FOREIGN KEY (`file_id`) REFERENCES `files` (`id`) ON DELETE RESTRICT, CONSTRAINT `answer_versions_members_editor` FOREIGN KEY (`editor_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "answerversion_answer_id_version" to table: "answer_versions"
CREATE UNIQUE INDEX `answerversion_answer_id_version` ON `answer_versions` (`answer_id`, `version`);
-- create index "answerversion_editor_id" to table: "answer_versions"
CREATE INDEX `answerversion_editor_id` ON `answer_versions` (`editor_id`);
-- create index "answerversion_file_id" to table: "answer_versions"
CREATE INDEX `answerversion_file_id` ON `answer_versions` (`file_id`) WHERE file_id IS NOT NULL;
-- create "applications" table
CREATE TABLE `applications` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `organization_name` text NOT NULL, `organization_kind` text NOT NULL DEFAULT ('OTHER'), `team_name` text NOT NULL DEFAULT (''), `number` integer NOT NULL, `state` text NOT NULL DEFAULT ('DRAFT'), `state_reason` text NOT NULL DEFAULT (''), `reopened` json NULL, `information_request` text NOT NULL DEFAULT (''), `information_due_at` datetime NULL, `submitted_at` datetime NULL, `late` bool NOT NULL DEFAULT (false), `submissions` integer NOT NULL DEFAULT (0), `extended_until` datetime NULL, `next_reminder_at` datetime NULL, `event_seq` integer NOT NULL DEFAULT (0), `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `call_id` blob NOT NULL, `organization_id` blob NULL, PRIMARY KEY (`id`), CONSTRAINT `applications_calls_call` FOREIGN KEY (`call_id`) REFERENCES `calls` (`id`) ON DELETE RESTRICT, CONSTRAINT `applications_organizations_organization` FOREIGN KEY (`organization_id`) REFERENCES `organizations` (`id`) ON DELETE RESTRICT);
-- create index "application_call_id_number" to table: "applications"
CREATE UNIQUE INDEX `application_call_id_number` ON `applications` (`call_id`, `number`);
-- create index "application_call_id_state_number" to table: "applications"
CREATE INDEX `application_call_id_state_number` ON `applications` (`call_id`, `state`, `number`);
-- create index "application_call_id_organization_name_id" to table: "applications"
CREATE INDEX `application_call_id_organization_name_id` ON `applications` (`call_id`, `organization_name`, `id`);
-- create index "application_call_id_submitted_at_id" to table: "applications"
CREATE INDEX `application_call_id_submitted_at_id` ON `applications` (`call_id`, `submitted_at`, `id`);
-- create index "application_organization_id" to table: "applications"
CREATE INDEX `application_organization_id` ON `applications` (`organization_id`);
-- create index "application_next_reminder_at" to table: "applications"
CREATE INDEX `application_next_reminder_at` ON `applications` (`next_reminder_at`) WHERE next_reminder_at IS NOT NULL;
-- create "application_editors" table
CREATE TABLE `application_editors` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `owner` bool NOT NULL DEFAULT (false), `application_id` blob NOT NULL, `member_id` blob NOT NULL, `added_by_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `application_editors_applications_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE RESTRICT, CONSTRAINT `application_editors_members_member` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT, CONSTRAINT `application_editors_members_added_by` FOREIGN KEY (`added_by_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "applicationeditor_application_id_member_id" to table: "application_editors"
CREATE UNIQUE INDEX `applicationeditor_application_id_member_id` ON `application_editors` (`application_id`, `member_id`);
-- create index "applicationeditor_member_id_application_id" to table: "application_editors"
CREATE INDEX `applicationeditor_member_id_application_id` ON `application_editors` (`member_id`, `application_id`);
-- create index "applicationeditor_added_by_id" to table: "application_editors"
CREATE INDEX `applicationeditor_added_by_id` ON `application_editors` (`added_by_id`);
-- create "bulk_actions" table
CREATE TABLE `bulk_actions` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `kind` text NOT NULL, `input` json NOT NULL, `targets` json NOT NULL, `dry_run` bool NOT NULL DEFAULT (false), `state` text NOT NULL DEFAULT ('WAITING'), `done` integer NOT NULL DEFAULT (0), `outcomes` json NULL, `leased_until` datetime NULL, `finished_at` datetime NULL, `event_seq` integer NOT NULL DEFAULT (0), `call_id` blob NOT NULL, `actor_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `bulk_actions_calls_call` FOREIGN KEY (`call_id`) REFERENCES `calls` (`id`) ON DELETE RESTRICT, CONSTRAINT `bulk_actions_members_actor` FOREIGN KEY (`actor_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "bulkaction_call_id_id" to table: "bulk_actions"
CREATE INDEX `bulkaction_call_id_id` ON `bulk_actions` (`call_id`, `id`);
-- create index "bulkaction_actor_id" to table: "bulk_actions"
CREATE INDEX `bulkaction_actor_id` ON `bulk_actions` (`actor_id`);
-- create index "bulk_action_open" to table: "bulk_actions"
CREATE INDEX `bulk_action_open` ON `bulk_actions` (`leased_until`) WHERE finished_at IS NULL;
-- create "conflicts" table
CREATE TABLE `conflicts` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `note` text NOT NULL DEFAULT (''), `ended_at` datetime NULL, `application_id` blob NOT NULL, `member_id` blob NOT NULL, `declared_by_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `conflicts_applications_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE RESTRICT, CONSTRAINT `conflicts_members_member` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT, CONSTRAINT `conflicts_members_declared_by` FOREIGN KEY (`declared_by_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "conflict_current" to table: "conflicts"
CREATE UNIQUE INDEX `conflict_current` ON `conflicts` (`application_id`, `member_id`) WHERE ended_at IS NULL;
-- create index "conflict_member_id_application_id" to table: "conflicts"
CREATE INDEX `conflict_member_id_application_id` ON `conflicts` (`member_id`, `application_id`);
-- create index "conflict_declared_by_id" to table: "conflicts"
CREATE INDEX `conflict_declared_by_id` ON `conflicts` (`declared_by_id`);
-- create "decisions" table
CREATE TABLE `decisions` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `kind` text NOT NULL, `reason` text NOT NULL DEFAULT (''), `note` text NOT NULL DEFAULT (''), `rank` integer NULL, `released_at` datetime NULL, `expires_at` datetime NULL, `answer` text NULL, `answered_at` datetime NULL, `superseded_at` datetime NULL, `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `application_id` blob NOT NULL, `call_id` blob NOT NULL, `decider_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `decisions_applications_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE RESTRICT, CONSTRAINT `decisions_calls_call` FOREIGN KEY (`call_id`) REFERENCES `calls` (`id`) ON DELETE RESTRICT, CONSTRAINT `decisions_members_decider` FOREIGN KEY (`decider_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "decision_current" to table: "decisions"
CREATE UNIQUE INDEX `decision_current` ON `decisions` (`application_id`) WHERE superseded_at IS NULL;
-- create index "decision_application_id_id" to table: "decisions"
CREATE INDEX `decision_application_id_id` ON `decisions` (`application_id`, `id`);
-- create index "decision_call_id_kind_rank_id" to table: "decisions"
CREATE INDEX `decision_call_id_kind_rank_id` ON `decisions` (`call_id`, `kind`, `rank`, `id`);
-- create index "decision_offers" to table: "decisions"
CREATE INDEX `decision_offers` ON `decisions` (`expires_at`) WHERE answered_at IS NULL;
-- create index "decision_decider_id" to table: "decisions"
CREATE INDEX `decision_decider_id` ON `decisions` (`decider_id`);
-- create "documents" table
CREATE TABLE `documents` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `requirement` text NOT NULL, `signer` text NOT NULL DEFAULT (''), `url` text NOT NULL DEFAULT (''), `removed_at` datetime NULL, `application_id` blob NOT NULL, `file_id` blob NULL, `signer_request_id` blob NULL, `added_by_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `documents_applications_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE RESTRICT, CONSTRAINT `documents_files_file` FOREIGN KEY (`file_id`) REFERENCES `files` (`id`) ON DELETE RESTRICT, CONSTRAINT `documents_signer_requests_signer_request` FOREIGN KEY (`signer_request_id`) REFERENCES `signer_requests` (`id`) ON DELETE RESTRICT, CONSTRAINT `documents_members_added_by` FOREIGN KEY (`added_by_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "document_current" to table: "documents"
CREATE UNIQUE INDEX `document_current` ON `documents` (`application_id`, `requirement`, `signer`) WHERE removed_at IS NULL;
-- create index "document_application_id_id" to table: "documents"
CREATE INDEX `document_application_id_id` ON `documents` (`application_id`, `id`);
-- create index "document_file_id" to table: "documents"
CREATE INDEX `document_file_id` ON `documents` (`file_id`) WHERE file_id IS NOT NULL;
-- create index "document_signer_request_id" to table: "documents"
CREATE INDEX `document_signer_request_id` ON `documents` (`signer_request_id`) WHERE signer_request_id IS NOT NULL;
-- create index "document_added_by_id" to table: "documents"
CREATE INDEX `document_added_by_id` ON `documents` (`added_by_id`);
-- create "entitlements" table
CREATE TABLE `entitlements` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `support` text NOT NULL, `team_roles` json NULL, `offering_id` blob NOT NULL, `space_id` blob NULL, `resource_id` blob NULL, PRIMARY KEY (`id`), CONSTRAINT `entitlements_offerings_offering` FOREIGN KEY (`offering_id`) REFERENCES `offerings` (`id`) ON DELETE RESTRICT, CONSTRAINT `entitlements_spaces_space` FOREIGN KEY (`space_id`) REFERENCES `spaces` (`id`) ON DELETE RESTRICT, CONSTRAINT `entitlements_resources_resource` FOREIGN KEY (`resource_id`) REFERENCES `resources` (`id`) ON DELETE RESTRICT);
-- create index "entitlement_space" to table: "entitlements"
CREATE UNIQUE INDEX `entitlement_space` ON `entitlements` (`offering_id`, `support`, `space_id`) WHERE space_id IS NOT NULL;
-- create index "entitlement_resource" to table: "entitlements"
CREATE UNIQUE INDEX `entitlement_resource` ON `entitlements` (`offering_id`, `support`, `resource_id`) WHERE resource_id IS NOT NULL;
-- create index "entitlement_space_id" to table: "entitlements"
CREATE INDEX `entitlement_space_id` ON `entitlements` (`space_id`) WHERE space_id IS NOT NULL;
-- create index "entitlement_resource_id" to table: "entitlements"
CREATE INDEX `entitlement_resource_id` ON `entitlements` (`resource_id`) WHERE resource_id IS NOT NULL;
-- create "extensions" table
CREATE TABLE `extensions` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `until` datetime NOT NULL, `until_local` text NOT NULL, `reason` text NOT NULL DEFAULT (''), `application_id` blob NOT NULL, `granted_by_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `extensions_applications_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE RESTRICT, CONSTRAINT `extensions_members_granted_by` FOREIGN KEY (`granted_by_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "extension_application_id_id" to table: "extensions"
CREATE INDEX `extension_application_id_id` ON `extensions` (`application_id`, `id`);
-- create index "extension_granted_by_id" to table: "extensions"
CREATE INDEX `extension_granted_by_id` ON `extensions` (`granted_by_id`);
-- create "form_versions" table
CREATE TABLE `form_versions` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `number` integer NOT NULL, `questions` json NOT NULL, `published_at` datetime NULL, `updated_at` datetime NOT NULL, `call_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `form_versions_calls_call` FOREIGN KEY (`call_id`) REFERENCES `calls` (`id`) ON DELETE RESTRICT);
-- create index "formversion_call_id_number" to table: "form_versions"
CREATE UNIQUE INDEX `formversion_call_id_number` ON `form_versions` (`call_id`, `number`);
-- create "reviews" table
CREATE TABLE `reviews` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `scores` json NOT NULL, `comment` text NOT NULL DEFAULT (''), `recommendation` text NULL, `points` integer NOT NULL DEFAULT (0), `submitted_at` datetime NULL, `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `assignment_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `reviews_review_assignments_assignment` FOREIGN KEY (`assignment_id`) REFERENCES `review_assignments` (`id`) ON DELETE RESTRICT);
-- create index "review_assignment_id" to table: "reviews"
CREATE UNIQUE INDEX `review_assignment_id` ON `reviews` (`assignment_id`);
-- create "review_assignments" table
CREATE TABLE `review_assignments` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `state` text NOT NULL DEFAULT ('ASSIGNED'), `ended_at` datetime NULL, `updated_at` datetime NOT NULL, `application_id` blob NOT NULL, `reviewer_id` blob NOT NULL, `assigned_by_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `review_assignments_applications_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE RESTRICT, CONSTRAINT `review_assignments_members_reviewer` FOREIGN KEY (`reviewer_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT, CONSTRAINT `review_assignments_members_assigned_by` FOREIGN KEY (`assigned_by_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "review_assignment_current" to table: "review_assignments"
CREATE UNIQUE INDEX `review_assignment_current` ON `review_assignments` (`application_id`, `reviewer_id`) WHERE ended_at IS NULL;
-- create index "reviewassignment_application_id_id" to table: "review_assignments"
CREATE INDEX `reviewassignment_application_id_id` ON `review_assignments` (`application_id`, `id`);
-- create index "reviewassignment_reviewer_id_id" to table: "review_assignments"
CREATE INDEX `reviewassignment_reviewer_id_id` ON `review_assignments` (`reviewer_id`, `id`);
-- create index "reviewassignment_assigned_by_id" to table: "review_assignments"
CREATE INDEX `reviewassignment_assigned_by_id` ON `review_assignments` (`assigned_by_id`);
-- create "saved_views" table
CREATE TABLE `saved_views` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `name` text NOT NULL, `filter` json NOT NULL, `shared` bool NOT NULL DEFAULT (false), `updated_at` datetime NOT NULL, `call_id` blob NOT NULL, `owner_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `saved_views_calls_call` FOREIGN KEY (`call_id`) REFERENCES `calls` (`id`) ON DELETE RESTRICT, CONSTRAINT `saved_views_members_owner` FOREIGN KEY (`owner_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "savedview_call_id_owner_id_name" to table: "saved_views"
CREATE UNIQUE INDEX `savedview_call_id_owner_id_name` ON `saved_views` (`call_id`, `owner_id`, `name`);
-- create index "savedview_owner_id" to table: "saved_views"
CREATE INDEX `savedview_owner_id` ON `saved_views` (`owner_id`);
-- create "signer_requests" table
CREATE TABLE `signer_requests` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `requirement` text NOT NULL, `signer` text NOT NULL, `name` text NOT NULL, `email` text NOT NULL, `letter` text NOT NULL, `letter_hash` blob NOT NULL, `token_hash` blob NULL, `expires_at` datetime NOT NULL, `state` text NOT NULL DEFAULT ('PENDING'), `signed_name` text NOT NULL DEFAULT (''), `answered_at` datetime NULL, `address` text NOT NULL DEFAULT (''), `refusal` text NOT NULL DEFAULT (''), `application_id` blob NOT NULL, `requester_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `signer_requests_applications_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE RESTRICT, CONSTRAINT `signer_requests_members_requester` FOREIGN KEY (`requester_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "signer_request_pending" to table: "signer_requests"
CREATE UNIQUE INDEX `signer_request_pending` ON `signer_requests` (`application_id`, `requirement`, `signer`) WHERE answered_at IS NULL;
-- create index "signerrequest_application_id_id" to table: "signer_requests"
CREATE INDEX `signerrequest_application_id_id` ON `signer_requests` (`application_id`, `id`);
-- create index "signer_request_token" to table: "signer_requests"
CREATE UNIQUE INDEX `signer_request_token` ON `signer_requests` (`token_hash`) WHERE token_hash IS NOT NULL;
-- create index "signerrequest_requester_id" to table: "signer_requests"
CREATE INDEX `signerrequest_requester_id` ON `signer_requests` (`requester_id`);
-- create "submissions" table
CREATE TABLE `submissions` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `number` integer NOT NULL, `form_version` integer NOT NULL, `content` json NOT NULL, `hash` blob NOT NULL, `application_id` blob NOT NULL, `submitter_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `submissions_applications_application` FOREIGN KEY (`application_id`) REFERENCES `applications` (`id`) ON DELETE RESTRICT, CONSTRAINT `submissions_members_submitter` FOREIGN KEY (`submitter_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "submission_application_id_number" to table: "submissions"
CREATE UNIQUE INDEX `submission_application_id_number` ON `submissions` (`application_id`, `number`);
-- create index "submission_submitter_id" to table: "submissions"
CREATE INDEX `submission_submitter_id` ON `submissions` (`submitter_id`);


-- +goose Down
DROP INDEX `enrollment_sponsorship_id`;
DROP INDEX `enrollment_application`;
DROP INDEX `call_cohort_id`;
ALTER TABLE `enrollments` DROP COLUMN `sponsorship_id`;
ALTER TABLE `enrollments` DROP COLUMN `application_id`;
ALTER TABLE `enrollments` DROP COLUMN `fee_note`;
ALTER TABLE `enrollments` DROP COLUMN `fee_currency`;
ALTER TABLE `enrollments` DROP COLUMN `waived_amount`;
ALTER TABLE `enrollments` DROP COLUMN `fee_amount`;
DROP TABLE `submissions`;
DROP TABLE `saved_views`;
DROP TABLE `reviews`;
DROP TABLE `review_assignments`;
DROP TABLE `extensions`;
DROP TABLE `entitlements`;
DROP TABLE `documents`;
DROP TABLE `signer_requests`;
DROP TABLE `decisions`;
DROP TABLE `conflicts`;
DROP TABLE `bulk_actions`;
DROP TABLE `answer_versions`;
DROP TABLE `answers`;
DROP TABLE `application_editors`;
DROP TABLE `applications`;
DROP TABLE `form_versions`;
ALTER TABLE `calls` DROP COLUMN `cohort_id`;
ALTER TABLE `calls` DROP COLUMN `updated_at`;
ALTER TABLE `calls` DROP COLUMN `version`;
ALTER TABLE `calls` DROP COLUMN `event_seq`;
ALTER TABLE `calls` DROP COLUMN `released_at`;
ALTER TABLE `calls` DROP COLUMN `published_at`;
ALTER TABLE `calls` DROP COLUMN `last_number`;
ALTER TABLE `calls` DROP COLUMN `form_version`;
ALTER TABLE `calls` DROP COLUMN `reviews_wanted`;
ALTER TABLE `calls` DROP COLUMN `blind`;
ALTER TABLE `calls` DROP COLUMN `offer_days`;
ALTER TABLE `calls` DROP COLUMN `capacity`;
ALTER TABLE `calls` DROP COLUMN `rubric`;
ALTER TABLE `calls` DROP COLUMN `closes_local`;
ALTER TABLE `calls` DROP COLUMN `due_local`;
ALTER TABLE `calls` DROP COLUMN `opens_local`;
ALTER TABLE `calls` DROP COLUMN `summary`;
ALTER TABLE `calls` DROP COLUMN `title`;
