-- +goose Up
ALTER TABLE `notifications` ADD COLUMN `flagged` bool NOT NULL DEFAULT (false);
ALTER TABLE `notifications` ADD COLUMN `news` bool NOT NULL DEFAULT (true);
ALTER TABLE `notifications` ADD COLUMN `rest_read_at` datetime NULL;
-- What was told of moderation before says by its reasons what else it tells of.
UPDATE `notifications` SET
  `flagged` = CAST(`reasons` AS TEXT) LIKE '%"FLAGGED"%' AND CAST(`reasons` AS TEXT) NOT LIKE '%"FLAG\_RESOLVED"%' ESCAPE '\' AND CAST(`reasons` AS TEXT) NOT LIKE '%"WARNED"%',
  `news` = EXISTS (SELECT 1 FROM json_each(CAST(`notifications`.`reasons` AS TEXT)) AS r WHERE r.value NOT IN ('FLAGGED', 'FLAG_RESOLVED', 'WARNED'))
WHERE `duty`;

-- +goose Down
ALTER TABLE `notifications` DROP COLUMN `rest_read_at`;
ALTER TABLE `notifications` DROP COLUMN `news`;
ALTER TABLE `notifications` DROP COLUMN `flagged`;
