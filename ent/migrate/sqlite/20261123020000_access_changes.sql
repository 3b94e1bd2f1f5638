-- +goose Up
-- What may have cost somebody their access: a row is written by triggers in the transaction that did it, so that no change can
-- forget to, and read by those who push events (internal/event). The subject is a member, a token or a thread; without one
-- it is everybody. Rows are needed for a moment only. It stands outside of ent's schema.
CREATE TABLE `access_changes` (
  `id` integer PRIMARY KEY AUTOINCREMENT,
  `subject` blob,
  `at` datetime NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'))
);
CREATE INDEX `access_changes_at` ON `access_changes` (`at`);
-- +goose StatementBegin
CREATE TRIGGER access_changed_space_memberships AFTER UPDATE OF space_id, member_id, starts_at, ends_at ON `space_memberships` BEGIN
  INSERT INTO access_changes (subject) VALUES (old.member_id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER access_deleted_space_memberships AFTER DELETE ON `space_memberships` BEGIN
  INSERT INTO access_changes (subject) VALUES (old.member_id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER access_changed_role_assignments AFTER UPDATE OF member_id, role, scope, scope_id, ends_at ON `role_assignments` BEGIN
  INSERT INTO access_changes (subject) VALUES (old.member_id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER access_deleted_role_assignments AFTER DELETE ON `role_assignments` BEGIN
  INSERT INTO access_changes (subject) VALUES (old.member_id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER access_changed_members AFTER UPDATE OF status ON `members` BEGIN
  INSERT INTO access_changes (subject) VALUES (old.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER access_deleted_members AFTER DELETE ON `members` BEGIN
  INSERT INTO access_changes (subject) VALUES (old.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER access_changed_access_tokens AFTER UPDATE OF scope, expires_at, revoked_at ON `access_tokens` BEGIN
  INSERT INTO access_changes (subject) VALUES (old.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER access_deleted_access_tokens AFTER DELETE ON `access_tokens` BEGIN
  INSERT INTO access_changes (subject) VALUES (old.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER access_changed_threads AFTER UPDATE OF space_id ON `threads` BEGIN
  INSERT INTO access_changes (subject) VALUES (old.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER access_deleted_threads AFTER DELETE ON `threads` BEGIN
  INSERT INTO access_changes (subject) VALUES (old.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER access_changed_spaces AFTER UPDATE OF kind, cohort_id, team_id ON `spaces` BEGIN
  INSERT INTO access_changes (subject) VALUES (NULL);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER access_deleted_spaces AFTER DELETE ON `spaces` BEGIN
  INSERT INTO access_changes (subject) VALUES (NULL);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER access_changed_teams AFTER UPDATE OF organization_id ON `teams` BEGIN
  INSERT INTO access_changes (subject) VALUES (NULL);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER access_deleted_teams AFTER DELETE ON `teams` BEGIN
  INSERT INTO access_changes (subject) VALUES (NULL);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER access_changed_enrollments AFTER UPDATE OF cohort_id, team_id, state ON `enrollments` BEGIN
  INSERT INTO access_changes (subject) VALUES (NULL);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER access_deleted_enrollments AFTER DELETE ON `enrollments` BEGIN
  INSERT INTO access_changes (subject) VALUES (NULL);
END;
-- +goose StatementEnd
-- What ended since a moment ago is found by these.
CREATE INDEX `roleassignment_ends_at` ON `role_assignments` (`ends_at`) WHERE ends_at IS NOT NULL;
CREATE INDEX `spacemembership_ends_at` ON `space_memberships` (`ends_at`) WHERE ends_at IS NOT NULL;

-- +goose Down
DROP INDEX `spacemembership_ends_at`;
DROP INDEX `roleassignment_ends_at`;
DROP TRIGGER access_deleted_enrollments;
DROP TRIGGER access_changed_enrollments;
DROP TRIGGER access_deleted_teams;
DROP TRIGGER access_changed_teams;
DROP TRIGGER access_deleted_spaces;
DROP TRIGGER access_changed_spaces;
DROP TRIGGER access_deleted_threads;
DROP TRIGGER access_changed_threads;
DROP TRIGGER access_deleted_access_tokens;
DROP TRIGGER access_changed_access_tokens;
DROP TRIGGER access_deleted_members;
DROP TRIGGER access_changed_members;
DROP TRIGGER access_deleted_role_assignments;
DROP TRIGGER access_changed_role_assignments;
DROP TRIGGER access_deleted_space_memberships;
DROP TRIGGER access_changed_space_memberships;
DROP TABLE `access_changes`;
