-- +goose Up
-- modify "calls" table
ALTER TABLE "calls" ADD COLUMN "title" character varying NOT NULL DEFAULT '', ADD COLUMN "summary" text NOT NULL DEFAULT '', ADD COLUMN "opens_local" character varying NOT NULL DEFAULT '', ADD COLUMN "due_local" character varying NOT NULL DEFAULT '', ADD COLUMN "closes_local" character varying NOT NULL DEFAULT '', ADD COLUMN "rubric" jsonb NULL, ADD COLUMN "capacity" bigint NOT NULL DEFAULT 0, ADD COLUMN "offer_days" bigint NOT NULL DEFAULT 14, ADD COLUMN "blind" boolean NOT NULL DEFAULT false, ADD COLUMN "reviews_wanted" bigint NOT NULL DEFAULT 2, ADD COLUMN "form_version" bigint NOT NULL DEFAULT 0, ADD COLUMN "last_number" bigint NOT NULL DEFAULT 0, ADD COLUMN "published_at" timestamptz NULL, ADD COLUMN "released_at" timestamptz NULL, ADD COLUMN "event_seq" bigint NOT NULL DEFAULT 0, ADD COLUMN "version" bigint NOT NULL DEFAULT 1, ADD COLUMN "updated_at" timestamptz NULL, ADD COLUMN "cohort_id" uuid NULL, ADD CONSTRAINT "calls_cohorts_cohort" FOREIGN KEY ("cohort_id") REFERENCES "cohorts" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT;
-- create index "call_cohort_id" to table: "calls"
CREATE INDEX "call_cohort_id" ON "calls" ("cohort_id") WHERE (cohort_id IS NOT NULL);
-- create "applications" table
CREATE TABLE "applications" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "organization_name" character varying NOT NULL, "organization_kind" character varying NOT NULL DEFAULT 'OTHER', "team_name" character varying NOT NULL DEFAULT '', "number" bigint NOT NULL, "state" character varying NOT NULL DEFAULT 'DRAFT', "state_reason" text NOT NULL DEFAULT '', "reopened" jsonb NULL, "information_request" text NOT NULL DEFAULT '', "information_due_at" timestamptz NULL, "submitted_at" timestamptz NULL, "late" boolean NOT NULL DEFAULT false, "submissions" bigint NOT NULL DEFAULT 0, "extended_until" timestamptz NULL, "next_reminder_at" timestamptz NULL, "event_seq" bigint NOT NULL DEFAULT 0, "version" bigint NOT NULL DEFAULT 1, "updated_at" timestamptz NOT NULL, "call_id" uuid NOT NULL, "organization_id" uuid NULL, PRIMARY KEY ("id"), CONSTRAINT "applications_calls_call" FOREIGN KEY ("call_id") REFERENCES "calls" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "applications_organizations_organization" FOREIGN KEY ("organization_id") REFERENCES "organizations" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "application_call_id_number" to table: "applications"
CREATE UNIQUE INDEX "application_call_id_number" ON "applications" ("call_id", "number");
-- create index "application_call_id_organization_name_id" to table: "applications"
CREATE INDEX "application_call_id_organization_name_id" ON "applications" ("call_id", "organization_name", "id");
-- create index "application_call_id_state_number" to table: "applications"
CREATE INDEX "application_call_id_state_number" ON "applications" ("call_id", "state", "number");
-- create index "application_call_id_submitted_at_id" to table: "applications"
CREATE INDEX "application_call_id_submitted_at_id" ON "applications" ("call_id", "submitted_at", "id");
-- create index "application_next_reminder_at" to table: "applications"
CREATE INDEX "application_next_reminder_at" ON "applications" ("next_reminder_at") WHERE (next_reminder_at IS NOT NULL);
-- create index "application_organization_id" to table: "applications"
CREATE INDEX "application_organization_id" ON "applications" ("organization_id");
-- create "answers" table
CREATE TABLE "answers" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "key" character varying NOT NULL, "value" text NOT NULL DEFAULT '', "version" bigint NOT NULL DEFAULT 1, "updated_at" timestamptz NOT NULL, "application_id" uuid NOT NULL, "file_id" uuid NULL, "editor_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "answers_applications_application" FOREIGN KEY ("application_id") REFERENCES "applications" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "answers_files_file" FOREIGN KEY ("file_id") REFERENCES "files" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "answers_members_editor" FOREIGN KEY ("editor_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "answer_application_id_key" to table: "answers"
CREATE UNIQUE INDEX "answer_application_id_key" ON "answers" ("application_id", "key");
-- create index "answer_editor_id" to table: "answers"
CREATE INDEX "answer_editor_id" ON "answers" ("editor_id");
-- create index "answer_file_id" to table: "answers"
CREATE INDEX "answer_file_id" ON "answers" ("file_id") WHERE (file_id IS NOT NULL);
-- create "answer_versions" table
CREATE TABLE "answer_versions" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "version" bigint NOT NULL, "value" text NOT NULL DEFAULT '', "answer_id" uuid NOT NULL, "file_id" uuid NULL, "editor_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "answer_versions_answers_answer" FOREIGN KEY ("answer_id") REFERENCES "answers" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "answer_versions_files_file" FOREIGN KEY ("file_id") REFERENCES "files" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "answer_versions_members_editor" FOREIGN KEY ("editor_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "answerversion_answer_id_version" to table: "answer_versions"
CREATE UNIQUE INDEX "answerversion_answer_id_version" ON "answer_versions" ("answer_id", "version");
-- create index "answerversion_editor_id" to table: "answer_versions"
CREATE INDEX "answerversion_editor_id" ON "answer_versions" ("editor_id");
-- create index "answerversion_file_id" to table: "answer_versions"
CREATE INDEX "answerversion_file_id" ON "answer_versions" ("file_id") WHERE (file_id IS NOT NULL);
-- create "application_editors" table
CREATE TABLE "application_editors" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "owner" boolean NOT NULL DEFAULT false, "application_id" uuid NOT NULL, "member_id" uuid NOT NULL, "added_by_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "application_editors_applications_application" FOREIGN KEY ("application_id") REFERENCES "applications" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "application_editors_members_added_by" FOREIGN KEY ("added_by_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "application_editors_members_member" FOREIGN KEY ("member_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "applicationeditor_added_by_id" to table: "application_editors"
CREATE INDEX "applicationeditor_added_by_id" ON "application_editors" ("added_by_id");
-- create index "applicationeditor_application_id_member_id" to table: "application_editors"
CREATE UNIQUE INDEX "applicationeditor_application_id_member_id" ON "application_editors" ("application_id", "member_id");
-- create index "applicationeditor_member_id_application_id" to table: "application_editors"
CREATE INDEX "applicationeditor_member_id_application_id" ON "application_editors" ("member_id", "application_id");
-- create "bulk_actions" table
CREATE TABLE "bulk_actions" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "kind" character varying NOT NULL, "input" jsonb NOT NULL, "targets" jsonb NOT NULL, "dry_run" boolean NOT NULL DEFAULT false, "state" character varying NOT NULL DEFAULT 'WAITING', "done" bigint NOT NULL DEFAULT 0, "outcomes" jsonb NULL, "leased_until" timestamptz NULL, "finished_at" timestamptz NULL, "event_seq" bigint NOT NULL DEFAULT 0, "call_id" uuid NOT NULL, "actor_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "bulk_actions_calls_call" FOREIGN KEY ("call_id") REFERENCES "calls" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "bulk_actions_members_actor" FOREIGN KEY ("actor_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "bulk_action_open" to table: "bulk_actions"
CREATE INDEX "bulk_action_open" ON "bulk_actions" ("leased_until") WHERE (finished_at IS NULL);
-- create index "bulkaction_actor_id" to table: "bulk_actions"
CREATE INDEX "bulkaction_actor_id" ON "bulk_actions" ("actor_id");
-- create index "bulkaction_call_id_id" to table: "bulk_actions"
CREATE INDEX "bulkaction_call_id_id" ON "bulk_actions" ("call_id", "id");
-- create "conflicts" table
CREATE TABLE "conflicts" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "note" text NOT NULL DEFAULT '', "ended_at" timestamptz NULL, "application_id" uuid NOT NULL, "member_id" uuid NOT NULL, "declared_by_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "conflicts_applications_application" FOREIGN KEY ("application_id") REFERENCES "applications" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "conflicts_members_declared_by" FOREIGN KEY ("declared_by_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "conflicts_members_member" FOREIGN KEY ("member_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "conflict_current" to table: "conflicts"
CREATE UNIQUE INDEX "conflict_current" ON "conflicts" ("application_id", "member_id") WHERE (ended_at IS NULL);
-- create index "conflict_declared_by_id" to table: "conflicts"
CREATE INDEX "conflict_declared_by_id" ON "conflicts" ("declared_by_id");
-- create index "conflict_member_id_application_id" to table: "conflicts"
CREATE INDEX "conflict_member_id_application_id" ON "conflicts" ("member_id", "application_id");
-- create "decisions" table
CREATE TABLE "decisions" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "kind" character varying NOT NULL, "reason" text NOT NULL DEFAULT '', "note" text NOT NULL DEFAULT '', "rank" bigint NULL, "released_at" timestamptz NULL, "expires_at" timestamptz NULL, "answer" character varying NULL, "answered_at" timestamptz NULL, "superseded_at" timestamptz NULL, "version" bigint NOT NULL DEFAULT 1, "updated_at" timestamptz NOT NULL, "application_id" uuid NOT NULL, "call_id" uuid NOT NULL, "decider_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "decisions_applications_application" FOREIGN KEY ("application_id") REFERENCES "applications" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "decisions_calls_call" FOREIGN KEY ("call_id") REFERENCES "calls" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "decisions_members_decider" FOREIGN KEY ("decider_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "decision_application_id_id" to table: "decisions"
CREATE INDEX "decision_application_id_id" ON "decisions" ("application_id", "id");
-- create index "decision_call_id_kind_rank_id" to table: "decisions"
CREATE INDEX "decision_call_id_kind_rank_id" ON "decisions" ("call_id", "kind", "rank", "id");
-- create index "decision_current" to table: "decisions"
CREATE UNIQUE INDEX "decision_current" ON "decisions" ("application_id") WHERE (superseded_at IS NULL);
-- create index "decision_decider_id" to table: "decisions"
CREATE INDEX "decision_decider_id" ON "decisions" ("decider_id");
-- create index "decision_offers" to table: "decisions"
CREATE INDEX "decision_offers" ON "decisions" ("expires_at") WHERE (answered_at IS NULL);
-- create "signer_requests" table
CREATE TABLE "signer_requests" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "requirement" character varying NOT NULL, "signer" character varying NOT NULL, "name" character varying NOT NULL, "email" character varying NOT NULL, "letter" text NOT NULL, "letter_hash" bytea NOT NULL, "token_hash" bytea NULL, "expires_at" timestamptz NOT NULL, "state" character varying NOT NULL DEFAULT 'PENDING', "signed_name" character varying NOT NULL DEFAULT '', "answered_at" timestamptz NULL, "address" character varying NOT NULL DEFAULT '', "refusal" text NOT NULL DEFAULT '', "application_id" uuid NOT NULL, "requester_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "signer_requests_applications_application" FOREIGN KEY ("application_id") REFERENCES "applications" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "signer_requests_members_requester" FOREIGN KEY ("requester_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "signer_request_pending" to table: "signer_requests"
CREATE UNIQUE INDEX "signer_request_pending" ON "signer_requests" ("application_id", "requirement", "signer") WHERE (answered_at IS NULL);
-- create index "signer_request_token" to table: "signer_requests"
CREATE UNIQUE INDEX "signer_request_token" ON "signer_requests" ("token_hash") WHERE (token_hash IS NOT NULL);
-- create index "signerrequest_application_id_id" to table: "signer_requests"
CREATE INDEX "signerrequest_application_id_id" ON "signer_requests" ("application_id", "id");
-- create index "signerrequest_requester_id" to table: "signer_requests"
CREATE INDEX "signerrequest_requester_id" ON "signer_requests" ("requester_id");
-- create "documents" table
CREATE TABLE "documents" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "requirement" character varying NOT NULL, "signer" character varying NOT NULL DEFAULT '', "url" character varying NOT NULL DEFAULT '', "removed_at" timestamptz NULL, "application_id" uuid NOT NULL, "file_id" uuid NULL, "signer_request_id" uuid NULL, "added_by_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "documents_applications_application" FOREIGN KEY ("application_id") REFERENCES "applications" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "documents_files_file" FOREIGN KEY ("file_id") REFERENCES "files" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "documents_members_added_by" FOREIGN KEY ("added_by_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "documents_signer_requests_signer_request" FOREIGN KEY ("signer_request_id") REFERENCES "signer_requests" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "document_added_by_id" to table: "documents"
CREATE INDEX "document_added_by_id" ON "documents" ("added_by_id");
-- create index "document_application_id_id" to table: "documents"
CREATE INDEX "document_application_id_id" ON "documents" ("application_id", "id");
-- create index "document_current" to table: "documents"
CREATE UNIQUE INDEX "document_current" ON "documents" ("application_id", "requirement", "signer") WHERE (removed_at IS NULL);
-- create index "document_file_id" to table: "documents"
CREATE INDEX "document_file_id" ON "documents" ("file_id") WHERE (file_id IS NOT NULL);
-- create index "document_signer_request_id" to table: "documents"
CREATE INDEX "document_signer_request_id" ON "documents" ("signer_request_id") WHERE (signer_request_id IS NOT NULL);
-- modify "enrollments" table
ALTER TABLE "enrollments" ADD COLUMN "fee_amount" bigint NULL, ADD COLUMN "waived_amount" bigint NULL, ADD COLUMN "fee_currency" character varying NOT NULL DEFAULT '', ADD COLUMN "fee_note" text NOT NULL DEFAULT '', ADD COLUMN "application_id" uuid NULL, ADD COLUMN "sponsorship_id" uuid NULL, ADD CONSTRAINT "enrollments_applications_application" FOREIGN KEY ("application_id") REFERENCES "applications" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, ADD CONSTRAINT "enrollments_sponsorships_sponsorship" FOREIGN KEY ("sponsorship_id") REFERENCES "sponsorships" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT;
-- create index "enrollment_application" to table: "enrollments"
CREATE UNIQUE INDEX "enrollment_application" ON "enrollments" ("application_id") WHERE (application_id IS NOT NULL);
-- create index "enrollment_sponsorship_id" to table: "enrollments"
CREATE INDEX "enrollment_sponsorship_id" ON "enrollments" ("sponsorship_id") WHERE (sponsorship_id IS NOT NULL);
-- create "entitlements" table
CREATE TABLE "entitlements" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "support" character varying NOT NULL, "team_roles" jsonb NULL, "offering_id" uuid NOT NULL, "space_id" uuid NULL, "resource_id" uuid NULL, PRIMARY KEY ("id"), CONSTRAINT "entitlements_offerings_offering" FOREIGN KEY ("offering_id") REFERENCES "offerings" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "entitlements_resources_resource" FOREIGN KEY ("resource_id") REFERENCES "resources" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "entitlements_spaces_space" FOREIGN KEY ("space_id") REFERENCES "spaces" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "entitlement_resource" to table: "entitlements"
CREATE UNIQUE INDEX "entitlement_resource" ON "entitlements" ("offering_id", "support", "resource_id") WHERE (resource_id IS NOT NULL);
-- create index "entitlement_resource_id" to table: "entitlements"
CREATE INDEX "entitlement_resource_id" ON "entitlements" ("resource_id") WHERE (resource_id IS NOT NULL);
-- create index "entitlement_space" to table: "entitlements"
CREATE UNIQUE INDEX "entitlement_space" ON "entitlements" ("offering_id", "support", "space_id") WHERE (space_id IS NOT NULL);
-- create index "entitlement_space_id" to table: "entitlements"
CREATE INDEX "entitlement_space_id" ON "entitlements" ("space_id") WHERE (space_id IS NOT NULL);
-- create "extensions" table
CREATE TABLE "extensions" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "until" timestamptz NOT NULL, "until_local" character varying NOT NULL, "reason" text NOT NULL DEFAULT '', "application_id" uuid NOT NULL, "granted_by_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "extensions_applications_application" FOREIGN KEY ("application_id") REFERENCES "applications" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "extensions_members_granted_by" FOREIGN KEY ("granted_by_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "extension_application_id_id" to table: "extensions"
CREATE INDEX "extension_application_id_id" ON "extensions" ("application_id", "id");
-- create index "extension_granted_by_id" to table: "extensions"
CREATE INDEX "extension_granted_by_id" ON "extensions" ("granted_by_id");
-- create "form_versions" table
CREATE TABLE "form_versions" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "number" bigint NOT NULL, "questions" jsonb NOT NULL, "published_at" timestamptz NULL, "updated_at" timestamptz NOT NULL, "call_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "form_versions_calls_call" FOREIGN KEY ("call_id") REFERENCES "calls" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "formversion_call_id_number" to table: "form_versions"
CREATE UNIQUE INDEX "formversion_call_id_number" ON "form_versions" ("call_id", "number");
-- create "review_assignments" table
CREATE TABLE "review_assignments" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "state" character varying NOT NULL DEFAULT 'ASSIGNED', "ended_at" timestamptz NULL, "updated_at" timestamptz NOT NULL, "application_id" uuid NOT NULL, "reviewer_id" uuid NOT NULL, "assigned_by_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "review_assignments_applications_application" FOREIGN KEY ("application_id") REFERENCES "applications" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "review_assignments_members_assigned_by" FOREIGN KEY ("assigned_by_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "review_assignments_members_reviewer" FOREIGN KEY ("reviewer_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "review_assignment_current" to table: "review_assignments"
CREATE UNIQUE INDEX "review_assignment_current" ON "review_assignments" ("application_id", "reviewer_id") WHERE (ended_at IS NULL);
-- create index "reviewassignment_application_id_id" to table: "review_assignments"
CREATE INDEX "reviewassignment_application_id_id" ON "review_assignments" ("application_id", "id");
-- create index "reviewassignment_assigned_by_id" to table: "review_assignments"
CREATE INDEX "reviewassignment_assigned_by_id" ON "review_assignments" ("assigned_by_id");
-- create index "reviewassignment_reviewer_id_id" to table: "review_assignments"
CREATE INDEX "reviewassignment_reviewer_id_id" ON "review_assignments" ("reviewer_id", "id");
-- create "reviews" table
CREATE TABLE "reviews" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "scores" jsonb NOT NULL, "comment" text NOT NULL DEFAULT '', "recommendation" character varying NULL, "points" bigint NOT NULL DEFAULT 0, "submitted_at" timestamptz NULL, "version" bigint NOT NULL DEFAULT 1, "updated_at" timestamptz NOT NULL, "assignment_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "reviews_review_assignments_assignment" FOREIGN KEY ("assignment_id") REFERENCES "review_assignments" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "review_assignment_id" to table: "reviews"
CREATE UNIQUE INDEX "review_assignment_id" ON "reviews" ("assignment_id");
-- create "saved_views" table
CREATE TABLE "saved_views" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "name" character varying NOT NULL, "filter" jsonb NOT NULL, "shared" boolean NOT NULL DEFAULT false, "updated_at" timestamptz NOT NULL, "call_id" uuid NOT NULL, "owner_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "saved_views_calls_call" FOREIGN KEY ("call_id") REFERENCES "calls" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "saved_views_members_owner" FOREIGN KEY ("owner_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "savedview_call_id_owner_id_name" to table: "saved_views"
CREATE UNIQUE INDEX "savedview_call_id_owner_id_name" ON "saved_views" ("call_id", "owner_id", "name");
-- create index "savedview_owner_id" to table: "saved_views"
CREATE INDEX "savedview_owner_id" ON "saved_views" ("owner_id");
-- create "submissions" table
CREATE TABLE "submissions" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "number" bigint NOT NULL, "form_version" bigint NOT NULL, "content" jsonb NOT NULL, "hash" bytea NOT NULL, "application_id" uuid NOT NULL, "submitter_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "submissions_applications_application" FOREIGN KEY ("application_id") REFERENCES "applications" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "submissions_members_submitter" FOREIGN KEY ("submitter_id") REFERENCES "members" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "submission_application_id_number" to table: "submissions"
CREATE UNIQUE INDEX "submission_application_id_number" ON "submissions" ("application_id", "number");
-- create index "submission_submitter_id" to table: "submissions"
CREATE INDEX "submission_submitter_id" ON "submissions" ("submitter_id");
-- what there is was seen by everybody
UPDATE "calls" SET "published_at" = "created_at", "updated_at" = "created_at";

-- +goose Down
-- reverse: create index "submission_submitter_id" to table: "submissions"
DROP INDEX "submission_submitter_id";
-- reverse: create index "submission_application_id_number" to table: "submissions"
DROP INDEX "submission_application_id_number";
-- reverse: create "submissions" table
DROP TABLE "submissions";
-- reverse: create index "savedview_owner_id" to table: "saved_views"
DROP INDEX "savedview_owner_id";
-- reverse: create index "savedview_call_id_owner_id_name" to table: "saved_views"
DROP INDEX "savedview_call_id_owner_id_name";
-- reverse: create "saved_views" table
DROP TABLE "saved_views";
-- reverse: create index "review_assignment_id" to table: "reviews"
DROP INDEX "review_assignment_id";
-- reverse: create "reviews" table
DROP TABLE "reviews";
-- reverse: create index "reviewassignment_reviewer_id_id" to table: "review_assignments"
DROP INDEX "reviewassignment_reviewer_id_id";
-- reverse: create index "reviewassignment_assigned_by_id" to table: "review_assignments"
DROP INDEX "reviewassignment_assigned_by_id";
-- reverse: create index "reviewassignment_application_id_id" to table: "review_assignments"
DROP INDEX "reviewassignment_application_id_id";
-- reverse: create index "review_assignment_current" to table: "review_assignments"
DROP INDEX "review_assignment_current";
-- reverse: create "review_assignments" table
DROP TABLE "review_assignments";
-- reverse: create index "formversion_call_id_number" to table: "form_versions"
DROP INDEX "formversion_call_id_number";
-- reverse: create "form_versions" table
DROP TABLE "form_versions";
-- reverse: create index "extension_granted_by_id" to table: "extensions"
DROP INDEX "extension_granted_by_id";
-- reverse: create index "extension_application_id_id" to table: "extensions"
DROP INDEX "extension_application_id_id";
-- reverse: create "extensions" table
DROP TABLE "extensions";
-- reverse: create index "entitlement_space_id" to table: "entitlements"
DROP INDEX "entitlement_space_id";
-- reverse: create index "entitlement_space" to table: "entitlements"
DROP INDEX "entitlement_space";
-- reverse: create index "entitlement_resource_id" to table: "entitlements"
DROP INDEX "entitlement_resource_id";
-- reverse: create index "entitlement_resource" to table: "entitlements"
DROP INDEX "entitlement_resource";
-- reverse: create "entitlements" table
DROP TABLE "entitlements";
-- reverse: create index "enrollment_sponsorship_id" to table: "enrollments"
DROP INDEX "enrollment_sponsorship_id";
-- reverse: create index "enrollment_application" to table: "enrollments"
DROP INDEX "enrollment_application";
-- reverse: modify "enrollments" table
ALTER TABLE "enrollments" DROP CONSTRAINT "enrollments_sponsorships_sponsorship", DROP CONSTRAINT "enrollments_applications_application", DROP COLUMN "sponsorship_id", DROP COLUMN "application_id", DROP COLUMN "fee_note", DROP COLUMN "fee_currency", DROP COLUMN "waived_amount", DROP COLUMN "fee_amount";
-- reverse: create index "document_signer_request_id" to table: "documents"
DROP INDEX "document_signer_request_id";
-- reverse: create index "document_file_id" to table: "documents"
DROP INDEX "document_file_id";
-- reverse: create index "document_current" to table: "documents"
DROP INDEX "document_current";
-- reverse: create index "document_application_id_id" to table: "documents"
DROP INDEX "document_application_id_id";
-- reverse: create index "document_added_by_id" to table: "documents"
DROP INDEX "document_added_by_id";
-- reverse: create "documents" table
DROP TABLE "documents";
-- reverse: create index "signerrequest_requester_id" to table: "signer_requests"
DROP INDEX "signerrequest_requester_id";
-- reverse: create index "signerrequest_application_id_id" to table: "signer_requests"
DROP INDEX "signerrequest_application_id_id";
-- reverse: create index "signer_request_token" to table: "signer_requests"
DROP INDEX "signer_request_token";
-- reverse: create index "signer_request_pending" to table: "signer_requests"
DROP INDEX "signer_request_pending";
-- reverse: create "signer_requests" table
DROP TABLE "signer_requests";
-- reverse: create index "decision_offers" to table: "decisions"
DROP INDEX "decision_offers";
-- reverse: create index "decision_decider_id" to table: "decisions"
DROP INDEX "decision_decider_id";
-- reverse: create index "decision_current" to table: "decisions"
DROP INDEX "decision_current";
-- reverse: create index "decision_call_id_kind_rank_id" to table: "decisions"
DROP INDEX "decision_call_id_kind_rank_id";
-- reverse: create index "decision_application_id_id" to table: "decisions"
DROP INDEX "decision_application_id_id";
-- reverse: create "decisions" table
DROP TABLE "decisions";
-- reverse: create index "conflict_member_id_application_id" to table: "conflicts"
DROP INDEX "conflict_member_id_application_id";
-- reverse: create index "conflict_declared_by_id" to table: "conflicts"
DROP INDEX "conflict_declared_by_id";
-- reverse: create index "conflict_current" to table: "conflicts"
DROP INDEX "conflict_current";
-- reverse: create "conflicts" table
DROP TABLE "conflicts";
-- reverse: create index "bulkaction_call_id_id" to table: "bulk_actions"
DROP INDEX "bulkaction_call_id_id";
-- reverse: create index "bulkaction_actor_id" to table: "bulk_actions"
DROP INDEX "bulkaction_actor_id";
-- reverse: create index "bulk_action_open" to table: "bulk_actions"
DROP INDEX "bulk_action_open";
-- reverse: create "bulk_actions" table
DROP TABLE "bulk_actions";
-- reverse: create index "applicationeditor_member_id_application_id" to table: "application_editors"
DROP INDEX "applicationeditor_member_id_application_id";
-- reverse: create index "applicationeditor_application_id_member_id" to table: "application_editors"
DROP INDEX "applicationeditor_application_id_member_id";
-- reverse: create index "applicationeditor_added_by_id" to table: "application_editors"
DROP INDEX "applicationeditor_added_by_id";
-- reverse: create "application_editors" table
DROP TABLE "application_editors";
-- reverse: create index "answerversion_file_id" to table: "answer_versions"
DROP INDEX "answerversion_file_id";
-- reverse: create index "answerversion_editor_id" to table: "answer_versions"
DROP INDEX "answerversion_editor_id";
-- reverse: create index "answerversion_answer_id_version" to table: "answer_versions"
DROP INDEX "answerversion_answer_id_version";
-- reverse: create "answer_versions" table
DROP TABLE "answer_versions";
-- reverse: create index "answer_file_id" to table: "answers"
DROP INDEX "answer_file_id";
-- reverse: create index "answer_editor_id" to table: "answers"
DROP INDEX "answer_editor_id";
-- reverse: create index "answer_application_id_key" to table: "answers"
DROP INDEX "answer_application_id_key";
-- reverse: create "answers" table
DROP TABLE "answers";
-- reverse: create index "application_organization_id" to table: "applications"
DROP INDEX "application_organization_id";
-- reverse: create index "application_next_reminder_at" to table: "applications"
DROP INDEX "application_next_reminder_at";
-- reverse: create index "application_call_id_submitted_at_id" to table: "applications"
DROP INDEX "application_call_id_submitted_at_id";
-- reverse: create index "application_call_id_state_number" to table: "applications"
DROP INDEX "application_call_id_state_number";
-- reverse: create index "application_call_id_organization_name_id" to table: "applications"
DROP INDEX "application_call_id_organization_name_id";
-- reverse: create index "application_call_id_number" to table: "applications"
DROP INDEX "application_call_id_number";
-- reverse: create "applications" table
DROP TABLE "applications";
-- reverse: create index "call_cohort_id" to table: "calls"
DROP INDEX "call_cohort_id";
-- reverse: modify "calls" table
ALTER TABLE "calls" DROP CONSTRAINT "calls_cohorts_cohort", DROP COLUMN "cohort_id", DROP COLUMN "updated_at", DROP COLUMN "version", DROP COLUMN "event_seq", DROP COLUMN "released_at", DROP COLUMN "published_at", DROP COLUMN "last_number", DROP COLUMN "form_version", DROP COLUMN "reviews_wanted", DROP COLUMN "blind", DROP COLUMN "offer_days", DROP COLUMN "capacity", DROP COLUMN "rubric", DROP COLUMN "closes_local", DROP COLUMN "due_local", DROP COLUMN "opens_local", DROP COLUMN "summary", DROP COLUMN "title";
