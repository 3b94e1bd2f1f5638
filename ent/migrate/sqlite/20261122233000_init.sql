-- +goose Up
-- create "access_tokens" table
CREATE TABLE `access_tokens` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `hash` blob NOT NULL, `name` text NOT NULL DEFAULT (''), `scope` text NOT NULL, `expires_at` datetime NULL, `revoked_at` datetime NULL, `last_used_at` datetime NULL, `member_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `access_tokens_members_member` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "accesstoken_hash" to table: "access_tokens"
CREATE UNIQUE INDEX `accesstoken_hash` ON `access_tokens` (`hash`);
-- create index "accesstoken_member_id_id" to table: "access_tokens"
CREATE INDEX `accesstoken_member_id_id` ON `access_tokens` (`member_id`, `id`);
-- create "affiliations" table
CREATE TABLE `affiliations` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `title` text NOT NULL DEFAULT (''), `is_primary` bool NOT NULL DEFAULT (false), `starts_on` date NULL, `ends_on` date NULL, `member_id` blob NOT NULL, `organization_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `affiliations_members_member` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT, CONSTRAINT `affiliations_organizations_organization` FOREIGN KEY (`organization_id`) REFERENCES `organizations` (`id`) ON DELETE RESTRICT);
-- create index "affiliation_primary" to table: "affiliations"
CREATE UNIQUE INDEX `affiliation_primary` ON `affiliations` (`member_id`) WHERE is_primary;
-- create index "affiliation_member_id_organization_id" to table: "affiliations"
CREATE INDEX `affiliation_member_id_organization_id` ON `affiliations` (`member_id`, `organization_id`);
-- create index "affiliation_organization_id_id" to table: "affiliations"
CREATE INDEX `affiliation_organization_id_id` ON `affiliations` (`organization_id`, `id`);
-- create "calls" table
CREATE TABLE `calls` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `opens_at` datetime NOT NULL, `due_at` datetime NOT NULL, `closes_at` datetime NOT NULL, `time_zone` text NOT NULL, `requirements` json NOT NULL, `offering_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `calls_offerings_offering` FOREIGN KEY (`offering_id`) REFERENCES `offerings` (`id`) ON DELETE RESTRICT);
-- create index "call_offering_id_opens_at" to table: "calls"
CREATE INDEX `call_offering_id_opens_at` ON `calls` (`offering_id`, `opens_at`);
-- create "cohorts" table
CREATE TABLE `cohorts` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `name` text NOT NULL, `starts_on` date NOT NULL, `ends_on` date NOT NULL, `updated_at` datetime NOT NULL, `archived_at` datetime NULL, `offering_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `cohorts_offerings_offering` FOREIGN KEY (`offering_id`) REFERENCES `offerings` (`id`) ON DELETE RESTRICT);
-- create index "cohort_offering_id_name" to table: "cohorts"
CREATE UNIQUE INDEX `cohort_offering_id_name` ON `cohorts` (`offering_id`, `name`);
-- create index "cohort_name_id" to table: "cohorts"
CREATE INDEX `cohort_name_id` ON `cohorts` (`name`, `id`);
-- create "enrollments" table
CREATE TABLE `enrollments` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `state` text NOT NULL, `reason` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `cohort_id` blob NOT NULL, `team_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `enrollments_cohorts_cohort` FOREIGN KEY (`cohort_id`) REFERENCES `cohorts` (`id`) ON DELETE RESTRICT, CONSTRAINT `enrollments_teams_team` FOREIGN KEY (`team_id`) REFERENCES `teams` (`id`) ON DELETE RESTRICT);
-- create index "enrollment_cohort_id_team_id" to table: "enrollments"
CREATE UNIQUE INDEX `enrollment_cohort_id_team_id` ON `enrollments` (`cohort_id`, `team_id`);
-- create index "enrollment_team_id_cohort_id" to table: "enrollments"
CREATE INDEX `enrollment_team_id_cohort_id` ON `enrollments` (`team_id`, `cohort_id`);
-- create "events" table
CREATE TABLE `events` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `xid` integer NULL DEFAULT (0), `stream_id` blob NOT NULL, `seq` integer NOT NULL, `kind` text NOT NULL, `object_id` blob NOT NULL, `actor_id` blob NULL, `created_at` datetime NOT NULL);
-- create index "event_stream_id_seq" to table: "events"
CREATE UNIQUE INDEX `event_stream_id_seq` ON `events` (`stream_id`, `seq`);
-- create index "event_xid_id" to table: "events"
CREATE INDEX `event_xid_id` ON `events` (`xid`, `id`);
-- create index "event_created_at" to table: "events"
CREATE INDEX `event_created_at` ON `events` (`created_at`);
-- create "frameworks" table
CREATE TABLE `frameworks` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `name` text NOT NULL, `summary` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- create index "framework_name" to table: "frameworks"
CREATE UNIQUE INDEX `framework_name` ON `frameworks` (`name`);
-- create "idempotency_records" table
CREATE TABLE `idempotency_records` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `key` text NOT NULL, `operation` text NOT NULL, `payload_hash` blob NOT NULL, `result_id` blob NOT NULL, `member_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `idempotency_records_members_member` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "idempotencyrecord_member_id_key" to table: "idempotency_records"
CREATE UNIQUE INDEX `idempotencyrecord_member_id_key` ON `idempotency_records` (`member_id`, `key`);
-- create index "idempotencyrecord_created_at" to table: "idempotency_records"
CREATE INDEX `idempotencyrecord_created_at` ON `idempotency_records` (`created_at`);
-- create "members" table
CREATE TABLE `members` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `email` text NOT NULL, `handle` text NOT NULL, `name` text NOT NULL, `pronouns` text NOT NULL DEFAULT (''), `title` text NOT NULL DEFAULT (''), `about` text NOT NULL DEFAULT (''), `avatar_url` text NOT NULL DEFAULT (''), `time_zone` text NOT NULL, `expertise` json NULL, `status` text NOT NULL DEFAULT ('ACTIVE'), `event_seq` integer NOT NULL DEFAULT (0), `updated_at` datetime NOT NULL, PRIMARY KEY (`id`));
-- create index "member_email" to table: "members"
CREATE UNIQUE INDEX `member_email` ON `members` (`email`);
-- create index "member_handle" to table: "members"
CREATE UNIQUE INDEX `member_handle` ON `members` (`handle`);
-- create index "member_name_id" to table: "members"
CREATE INDEX `member_name_id` ON `members` (`name`, `id`);
-- create "notifications" table
CREATE TABLE `notifications` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `reasons` json NOT NULL, `read_at` datetime NULL, `recipient_id` blob NOT NULL, `actor_id` blob NOT NULL, `thread_id` blob NOT NULL, `post_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `notifications_members_recipient` FOREIGN KEY (`recipient_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT, CONSTRAINT `notifications_members_actor` FOREIGN KEY (`actor_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT, CONSTRAINT `notifications_threads_thread` FOREIGN KEY (`thread_id`) REFERENCES `threads` (`id`) ON DELETE RESTRICT, CONSTRAINT `notifications_posts_post` FOREIGN KEY (`post_id`) REFERENCES `posts` (`id`) ON DELETE RESTRICT);
-- create index "notification_recipient_id_post_id" to table: "notifications"
CREATE UNIQUE INDEX `notification_recipient_id_post_id` ON `notifications` (`recipient_id`, `post_id`);
-- create index "notification_recipient_id_id" to table: "notifications"
CREATE INDEX `notification_recipient_id_id` ON `notifications` (`recipient_id`, `id` DESC);
-- create index "notification_unread" to table: "notifications"
CREATE INDEX `notification_unread` ON `notifications` (`recipient_id`, `thread_id`) WHERE read_at IS NULL;
-- create "offerings" table
CREATE TABLE `offerings` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `slug` text NOT NULL, `name` text NOT NULL, `summary` text NOT NULL DEFAULT (''), `outcome` text NOT NULL DEFAULT (''), `supports` json NOT NULL, `fee_amount` integer NOT NULL, `fee_currency` text NOT NULL, `team_capacity` integer NOT NULL, `program_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `offerings_programs_program` FOREIGN KEY (`program_id`) REFERENCES `programs` (`id`) ON DELETE RESTRICT);
-- create index "offering_slug" to table: "offerings"
CREATE UNIQUE INDEX `offering_slug` ON `offerings` (`slug`);
-- create index "offering_program_id_name_id" to table: "offerings"
CREATE INDEX `offering_program_id_name_id` ON `offerings` (`program_id`, `name`, `id`);
-- create "organizations" table
CREATE TABLE `organizations` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `name` text NOT NULL, `kind` text NOT NULL, `city` text NOT NULL DEFAULT (''), `region` text NOT NULL DEFAULT (''), `country` text NOT NULL DEFAULT (''), `website_url` text NOT NULL DEFAULT (''), `about` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `archived_at` datetime NULL, PRIMARY KEY (`id`));
-- create index "organization_name" to table: "organizations"
CREATE UNIQUE INDEX `organization_name` ON `organizations` (`name`);
-- create index "organization_name_id" to table: "organizations"
CREATE INDEX `organization_name_id` ON `organizations` (`name`, `id`);
-- create "posts" table
CREATE TABLE `posts` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `seq` integer NOT NULL, `body` text NOT NULL, `body_html` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `reaction_counts` json NULL, `edited_at` datetime NULL, `deleted_at` datetime NULL, `thread_id` blob NOT NULL, `author_id` blob NOT NULL, `reply_to_id` blob NULL, PRIMARY KEY (`id`), CONSTRAINT `posts_threads_thread` FOREIGN KEY (`thread_id`) REFERENCES `threads` (`id`) ON DELETE RESTRICT, CONSTRAINT `posts_members_author` FOREIGN KEY (`author_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT, CONSTRAINT `posts_posts_replies` FOREIGN KEY (`reply_to_id`) REFERENCES `posts` (`id`) ON DELETE RESTRICT);
-- create index "post_thread_id_seq" to table: "posts"
CREATE UNIQUE INDEX `post_thread_id_seq` ON `posts` (`thread_id`, `seq`);
-- create index "post_author_id_id" to table: "posts"
CREATE INDEX `post_author_id_id` ON `posts` (`author_id`, `id`);
-- create "post_revisions" table
CREATE TABLE `post_revisions` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `version` integer NOT NULL, `body` text NOT NULL, `post_id` blob NOT NULL, `editor_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `post_revisions_posts_post` FOREIGN KEY (`post_id`) REFERENCES `posts` (`id`) ON DELETE RESTRICT, CONSTRAINT `post_revisions_members_editor` FOREIGN KEY (`editor_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "postrevision_post_id_version" to table: "post_revisions"
CREATE UNIQUE INDEX `postrevision_post_id_version` ON `post_revisions` (`post_id`, `version`);
-- create "programs" table
CREATE TABLE `programs` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `slug` text NOT NULL, `name` text NOT NULL, `summary` text NOT NULL DEFAULT (''), `starts_on` date NOT NULL, `ends_on` date NOT NULL, PRIMARY KEY (`id`));
-- create index "program_slug" to table: "programs"
CREATE UNIQUE INDEX `program_slug` ON `programs` (`slug`);
-- create index "program_name_id" to table: "programs"
CREATE INDEX `program_name_id` ON `programs` (`name`, `id`);
-- create "reactions" table
CREATE TABLE `reactions` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `emoji` text NOT NULL, `post_id` blob NOT NULL, `member_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `reactions_posts_post` FOREIGN KEY (`post_id`) REFERENCES `posts` (`id`) ON DELETE RESTRICT, CONSTRAINT `reactions_members_member` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "reaction_post_id_member_id_emoji" to table: "reactions"
CREATE UNIQUE INDEX `reaction_post_id_member_id_emoji` ON `reactions` (`post_id`, `member_id`, `emoji`);
-- create index "reaction_member_id_post_id" to table: "reactions"
CREATE INDEX `reaction_member_id_post_id` ON `reactions` (`member_id`, `post_id`);
-- create "read_states" table
CREATE TABLE `read_states` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `last_read_seq` integer NOT NULL DEFAULT (0), `uncounted` integer NOT NULL DEFAULT (0), `updated_at` datetime NOT NULL, `thread_id` blob NOT NULL, `member_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `read_states_threads_thread` FOREIGN KEY (`thread_id`) REFERENCES `threads` (`id`) ON DELETE RESTRICT, CONSTRAINT `read_states_members_member` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "readstate_member_id_thread_id" to table: "read_states"
CREATE UNIQUE INDEX `readstate_member_id_thread_id` ON `read_states` (`member_id`, `thread_id`);
-- create index "readstate_thread_id_last_read_seq" to table: "read_states"
CREATE INDEX `readstate_thread_id_last_read_seq` ON `read_states` (`thread_id`, `last_read_seq`);
-- create "resources" table
CREATE TABLE `resources` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `kind` text NOT NULL, `title` text NOT NULL, `summary` text NOT NULL DEFAULT (''), `url` text NOT NULL DEFAULT (''), `licence` text NOT NULL DEFAULT (''), `audience` text NOT NULL, `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `archived_at` datetime NULL, `space_id` blob NULL, `author_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `resources_spaces_space` FOREIGN KEY (`space_id`) REFERENCES `spaces` (`id`) ON DELETE RESTRICT, CONSTRAINT `resources_members_author` FOREIGN KEY (`author_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "resource_updated_at_id" to table: "resources"
CREATE INDEX `resource_updated_at_id` ON `resources` (`updated_at` DESC, `id` DESC);
-- create index "resource_space_id_updated_at_id" to table: "resources"
CREATE INDEX `resource_space_id_updated_at_id` ON `resources` (`space_id`, `updated_at` DESC, `id` DESC);
-- create "resource_versions" table
CREATE TABLE `resource_versions` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `number` integer NOT NULL, `title` text NOT NULL, `summary` text NOT NULL DEFAULT (''), `url` text NOT NULL DEFAULT (''), `licence` text NOT NULL DEFAULT (''), `note` text NOT NULL DEFAULT (''), `resource_id` blob NOT NULL, `author_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `resource_versions_resources_resource` FOREIGN KEY (`resource_id`) REFERENCES `resources` (`id`) ON DELETE RESTRICT, CONSTRAINT `resource_versions_members_author` FOREIGN KEY (`author_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "resourceversion_resource_id_number" to table: "resource_versions"
CREATE UNIQUE INDEX `resourceversion_resource_id_number` ON `resource_versions` (`resource_id`, `number`);
-- create "role_assignments" table
CREATE TABLE `role_assignments` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `role` text NOT NULL, `scope` text NOT NULL, `scope_id` blob NULL, `ends_at` datetime NULL, `member_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `role_assignments_members_member` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "roleassignment_member_id_role_scope_scope_id" to table: "role_assignments"
CREATE INDEX `roleassignment_member_id_role_scope_scope_id` ON `role_assignments` (`member_id`, `role`, `scope`, `scope_id`);
-- create index "roleassignment_scope_id_role" to table: "role_assignments"
CREATE INDEX `roleassignment_scope_id_role` ON `role_assignments` (`scope_id`, `role`);
-- create "search_documents" table
CREATE TABLE `search_documents` (`id` integer NOT NULL PRIMARY KEY AUTOINCREMENT, `kind` text NOT NULL, `object_id` blob NOT NULL, `thread_id` blob NULL, `title` text NOT NULL DEFAULT (''), `body` text NOT NULL DEFAULT (''));
-- create index "searchdocument_object_id" to table: "search_documents"
CREATE UNIQUE INDEX `searchdocument_object_id` ON `search_documents` (`object_id`);
-- create index "searchdocument_thread_id" to table: "search_documents"
CREATE INDEX `searchdocument_thread_id` ON `search_documents` (`thread_id`);
-- create "spaces" table
CREATE TABLE `spaces` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `kind` text NOT NULL, `name` text NOT NULL DEFAULT (''), `about` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `archived_at` datetime NULL, `cohort_id` blob NULL, `team_id` blob NULL, PRIMARY KEY (`id`), CONSTRAINT `spaces_cohorts_cohort` FOREIGN KEY (`cohort_id`) REFERENCES `cohorts` (`id`) ON DELETE RESTRICT, CONSTRAINT `spaces_teams_team` FOREIGN KEY (`team_id`) REFERENCES `teams` (`id`) ON DELETE RESTRICT);
-- create index "space_cohort" to table: "spaces"
CREATE UNIQUE INDEX `space_cohort` ON `spaces` (`cohort_id`) WHERE cohort_id IS NOT NULL;
-- create index "space_team" to table: "spaces"
CREATE UNIQUE INDEX `space_team` ON `spaces` (`team_id`) WHERE team_id IS NOT NULL;
-- create index "space_name_id" to table: "spaces"
CREATE INDEX `space_name_id` ON `spaces` (`name`, `id`);
-- create "space_memberships" table
CREATE TABLE `space_memberships` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `role` text NOT NULL DEFAULT ('MEMBER'), `derived` bool NOT NULL DEFAULT (false), `starts_at` datetime NOT NULL, `ends_at` datetime NULL, `space_id` blob NOT NULL, `member_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `space_memberships_spaces_space` FOREIGN KEY (`space_id`) REFERENCES `spaces` (`id`) ON DELETE RESTRICT, CONSTRAINT `space_memberships_members_member` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "spacemembership_space_id_member_id" to table: "space_memberships"
CREATE UNIQUE INDEX `spacemembership_space_id_member_id` ON `space_memberships` (`space_id`, `member_id`);
-- create index "spacemembership_member_id_space_id" to table: "space_memberships"
CREATE INDEX `spacemembership_member_id_space_id` ON `space_memberships` (`member_id`, `space_id`);
-- create index "spacemembership_space_id_id" to table: "space_memberships"
CREATE INDEX `spacemembership_space_id_id` ON `space_memberships` (`space_id`, `id`);
-- create "sponsorships" table
CREATE TABLE `sponsorships` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `sponsor_name` text NOT NULL, `sponsor_url` text NOT NULL DEFAULT (''), `waived_amount` integer NOT NULL, `currency` text NOT NULL, `acknowledgement` text NOT NULL, `offering_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `sponsorships_offerings_offering` FOREIGN KEY (`offering_id`) REFERENCES `offerings` (`id`) ON DELETE RESTRICT);
-- create index "sponsorship_offering_id_id" to table: "sponsorships"
CREATE INDEX `sponsorship_offering_id_id` ON `sponsorships` (`offering_id`, `id`);
-- create "teams" table
CREATE TABLE `teams` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `name` text NOT NULL, `about` text NOT NULL DEFAULT (''), `updated_at` datetime NOT NULL, `archived_at` datetime NULL, `organization_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `teams_organizations_organization` FOREIGN KEY (`organization_id`) REFERENCES `organizations` (`id`) ON DELETE RESTRICT);
-- create index "team_organization_id_name" to table: "teams"
CREATE UNIQUE INDEX `team_organization_id_name` ON `teams` (`organization_id`, `name`);
-- create index "team_name_id" to table: "teams"
CREATE INDEX `team_name_id` ON `teams` (`name`, `id`);
-- create "team_memberships" table
CREATE TABLE `team_memberships` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `role` text NOT NULL, `starts_on` date NOT NULL, `ends_on` date NULL, `updated_at` datetime NOT NULL, `team_id` blob NOT NULL, `member_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `team_memberships_teams_team` FOREIGN KEY (`team_id`) REFERENCES `teams` (`id`) ON DELETE RESTRICT, CONSTRAINT `team_memberships_members_member` FOREIGN KEY (`member_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "team_membership_current" to table: "team_memberships"
CREATE UNIQUE INDEX `team_membership_current` ON `team_memberships` (`team_id`, `member_id`) WHERE ends_on IS NULL;
-- create index "teammembership_team_id_id" to table: "team_memberships"
CREATE INDEX `teammembership_team_id_id` ON `team_memberships` (`team_id`, `id`);
-- create index "teammembership_member_id_team_id" to table: "team_memberships"
CREATE INDEX `teammembership_member_id_team_id` ON `team_memberships` (`member_id`, `team_id`);
-- create "threads" table
CREATE TABLE `threads` (`id` blob NOT NULL, `created_at` datetime NOT NULL, `title` text NOT NULL, `pinned` bool NOT NULL DEFAULT (false), `locked` bool NOT NULL DEFAULT (false), `lock_reason` text NOT NULL DEFAULT (''), `post_seq` integer NOT NULL DEFAULT (0), `event_seq` integer NOT NULL DEFAULT (0), `deleted_posts` integer NOT NULL DEFAULT (0), `last_post_id` blob NULL, `last_activity_at` datetime NOT NULL, `updated_at` datetime NOT NULL, `space_id` blob NOT NULL, `author_id` blob NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `threads_spaces_space` FOREIGN KEY (`space_id`) REFERENCES `spaces` (`id`) ON DELETE RESTRICT, CONSTRAINT `threads_members_author` FOREIGN KEY (`author_id`) REFERENCES `members` (`id`) ON DELETE RESTRICT);
-- create index "thread_space_id_last_activity_at_id" to table: "threads"
CREATE INDEX `thread_space_id_last_activity_at_id` ON `threads` (`space_id`, `last_activity_at` DESC, `id` DESC);
-- create index "thread_author_id_id" to table: "threads"
CREATE INDEX `thread_author_id_id` ON `threads` (`author_id`, `id`);
-- create "resource_frameworks" table
CREATE TABLE `resource_frameworks` (`resource_id` blob NOT NULL, `framework_id` blob NOT NULL, PRIMARY KEY (`resource_id`, `framework_id`), CONSTRAINT `resource_frameworks_resource_id` FOREIGN KEY (`resource_id`) REFERENCES `resources` (`id`) ON DELETE CASCADE, CONSTRAINT `resource_frameworks_framework_id` FOREIGN KEY (`framework_id`) REFERENCES `frameworks` (`id`) ON DELETE CASCADE);

-- +goose Down
-- reverse: create "resource_frameworks" table
DROP TABLE `resource_frameworks`;
-- reverse: create index "thread_author_id_id" to table: "threads"
DROP INDEX `thread_author_id_id`;
-- reverse: create index "thread_space_id_last_activity_at_id" to table: "threads"
DROP INDEX `thread_space_id_last_activity_at_id`;
-- reverse: create "threads" table
DROP TABLE `threads`;
-- reverse: create index "teammembership_member_id_team_id" to table: "team_memberships"
DROP INDEX `teammembership_member_id_team_id`;
-- reverse: create index "teammembership_team_id_id" to table: "team_memberships"
DROP INDEX `teammembership_team_id_id`;
-- reverse: create index "team_membership_current" to table: "team_memberships"
DROP INDEX `team_membership_current`;
-- reverse: create "team_memberships" table
DROP TABLE `team_memberships`;
-- reverse: create index "team_name_id" to table: "teams"
DROP INDEX `team_name_id`;
-- reverse: create index "team_organization_id_name" to table: "teams"
DROP INDEX `team_organization_id_name`;
-- reverse: create "teams" table
DROP TABLE `teams`;
-- reverse: create index "sponsorship_offering_id_id" to table: "sponsorships"
DROP INDEX `sponsorship_offering_id_id`;
-- reverse: create "sponsorships" table
DROP TABLE `sponsorships`;
-- reverse: create index "spacemembership_space_id_id" to table: "space_memberships"
DROP INDEX `spacemembership_space_id_id`;
-- reverse: create index "spacemembership_member_id_space_id" to table: "space_memberships"
DROP INDEX `spacemembership_member_id_space_id`;
-- reverse: create index "spacemembership_space_id_member_id" to table: "space_memberships"
DROP INDEX `spacemembership_space_id_member_id`;
-- reverse: create "space_memberships" table
DROP TABLE `space_memberships`;
-- reverse: create index "space_name_id" to table: "spaces"
DROP INDEX `space_name_id`;
-- reverse: create index "space_team" to table: "spaces"
DROP INDEX `space_team`;
-- reverse: create index "space_cohort" to table: "spaces"
DROP INDEX `space_cohort`;
-- reverse: create "spaces" table
DROP TABLE `spaces`;
-- reverse: create index "searchdocument_thread_id" to table: "search_documents"
DROP INDEX `searchdocument_thread_id`;
-- reverse: create index "searchdocument_object_id" to table: "search_documents"
DROP INDEX `searchdocument_object_id`;
-- reverse: create "search_documents" table
DROP TABLE `search_documents`;
-- reverse: create index "roleassignment_scope_id_role" to table: "role_assignments"
DROP INDEX `roleassignment_scope_id_role`;
-- reverse: create index "roleassignment_member_id_role_scope_scope_id" to table: "role_assignments"
DROP INDEX `roleassignment_member_id_role_scope_scope_id`;
-- reverse: create "role_assignments" table
DROP TABLE `role_assignments`;
-- reverse: create index "resourceversion_resource_id_number" to table: "resource_versions"
DROP INDEX `resourceversion_resource_id_number`;
-- reverse: create "resource_versions" table
DROP TABLE `resource_versions`;
-- reverse: create index "resource_space_id_updated_at_id" to table: "resources"
DROP INDEX `resource_space_id_updated_at_id`;
-- reverse: create index "resource_updated_at_id" to table: "resources"
DROP INDEX `resource_updated_at_id`;
-- reverse: create "resources" table
DROP TABLE `resources`;
-- reverse: create index "readstate_thread_id_last_read_seq" to table: "read_states"
DROP INDEX `readstate_thread_id_last_read_seq`;
-- reverse: create index "readstate_member_id_thread_id" to table: "read_states"
DROP INDEX `readstate_member_id_thread_id`;
-- reverse: create "read_states" table
DROP TABLE `read_states`;
-- reverse: create index "reaction_member_id_post_id" to table: "reactions"
DROP INDEX `reaction_member_id_post_id`;
-- reverse: create index "reaction_post_id_member_id_emoji" to table: "reactions"
DROP INDEX `reaction_post_id_member_id_emoji`;
-- reverse: create "reactions" table
DROP TABLE `reactions`;
-- reverse: create index "program_name_id" to table: "programs"
DROP INDEX `program_name_id`;
-- reverse: create index "program_slug" to table: "programs"
DROP INDEX `program_slug`;
-- reverse: create "programs" table
DROP TABLE `programs`;
-- reverse: create index "postrevision_post_id_version" to table: "post_revisions"
DROP INDEX `postrevision_post_id_version`;
-- reverse: create "post_revisions" table
DROP TABLE `post_revisions`;
-- reverse: create index "post_author_id_id" to table: "posts"
DROP INDEX `post_author_id_id`;
-- reverse: create index "post_thread_id_seq" to table: "posts"
DROP INDEX `post_thread_id_seq`;
-- reverse: create "posts" table
DROP TABLE `posts`;
-- reverse: create index "organization_name_id" to table: "organizations"
DROP INDEX `organization_name_id`;
-- reverse: create index "organization_name" to table: "organizations"
DROP INDEX `organization_name`;
-- reverse: create "organizations" table
DROP TABLE `organizations`;
-- reverse: create index "offering_program_id_name_id" to table: "offerings"
DROP INDEX `offering_program_id_name_id`;
-- reverse: create index "offering_slug" to table: "offerings"
DROP INDEX `offering_slug`;
-- reverse: create "offerings" table
DROP TABLE `offerings`;
-- reverse: create index "notification_unread" to table: "notifications"
DROP INDEX `notification_unread`;
-- reverse: create index "notification_recipient_id_id" to table: "notifications"
DROP INDEX `notification_recipient_id_id`;
-- reverse: create index "notification_recipient_id_post_id" to table: "notifications"
DROP INDEX `notification_recipient_id_post_id`;
-- reverse: create "notifications" table
DROP TABLE `notifications`;
-- reverse: create index "member_name_id" to table: "members"
DROP INDEX `member_name_id`;
-- reverse: create index "member_handle" to table: "members"
DROP INDEX `member_handle`;
-- reverse: create index "member_email" to table: "members"
DROP INDEX `member_email`;
-- reverse: create "members" table
DROP TABLE `members`;
-- reverse: create index "idempotencyrecord_created_at" to table: "idempotency_records"
DROP INDEX `idempotencyrecord_created_at`;
-- reverse: create index "idempotencyrecord_member_id_key" to table: "idempotency_records"
DROP INDEX `idempotencyrecord_member_id_key`;
-- reverse: create "idempotency_records" table
DROP TABLE `idempotency_records`;
-- reverse: create index "framework_name" to table: "frameworks"
DROP INDEX `framework_name`;
-- reverse: create "frameworks" table
DROP TABLE `frameworks`;
-- reverse: create index "event_created_at" to table: "events"
DROP INDEX `event_created_at`;
-- reverse: create index "event_xid_id" to table: "events"
DROP INDEX `event_xid_id`;
-- reverse: create index "event_stream_id_seq" to table: "events"
DROP INDEX `event_stream_id_seq`;
-- reverse: create "events" table
DROP TABLE `events`;
-- reverse: create index "enrollment_team_id_cohort_id" to table: "enrollments"
DROP INDEX `enrollment_team_id_cohort_id`;
-- reverse: create index "enrollment_cohort_id_team_id" to table: "enrollments"
DROP INDEX `enrollment_cohort_id_team_id`;
-- reverse: create "enrollments" table
DROP TABLE `enrollments`;
-- reverse: create index "cohort_name_id" to table: "cohorts"
DROP INDEX `cohort_name_id`;
-- reverse: create index "cohort_offering_id_name" to table: "cohorts"
DROP INDEX `cohort_offering_id_name`;
-- reverse: create "cohorts" table
DROP TABLE `cohorts`;
-- reverse: create index "call_offering_id_opens_at" to table: "calls"
DROP INDEX `call_offering_id_opens_at`;
-- reverse: create "calls" table
DROP TABLE `calls`;
-- reverse: create index "affiliation_organization_id_id" to table: "affiliations"
DROP INDEX `affiliation_organization_id_id`;
-- reverse: create index "affiliation_member_id_organization_id" to table: "affiliations"
DROP INDEX `affiliation_member_id_organization_id`;
-- reverse: create index "affiliation_primary" to table: "affiliations"
DROP INDEX `affiliation_primary`;
-- reverse: create "affiliations" table
DROP TABLE `affiliations`;
-- reverse: create index "accesstoken_member_id_id" to table: "access_tokens"
DROP INDEX `accesstoken_member_id_id`;
-- reverse: create index "accesstoken_hash" to table: "access_tokens"
DROP INDEX `accesstoken_hash`;
-- reverse: create "access_tokens" table
DROP TABLE `access_tokens`;
