-- Since when nothing that lists show needs the row, as upkeep saw it, in milliseconds since 1970.
ALTER TABLE texts ADD COLUMN unused_since bigint;
ALTER TABLE details ADD COLUMN unused_since bigint;
CREATE INDEX details_vulnerability ON details (vulnerability_id);
CREATE INDEX tags_tag ON tags (tag_id);

-- When a scan or a tag last named the image in the repository, to the hour.
ALTER TABLE places ADD COLUMN seen_at bigint NOT NULL DEFAULT (extract(epoch FROM now()) * 1000)::bigint;
ALTER TABLE places ALTER COLUMN seen_at DROP DEFAULT;
