-- Names, digests and tags, each once: the other tables have their numbers. Found by the hash of the text, which may be longer than
-- an entry of an index.
CREATE TABLE texts (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key bytea NOT NULL UNIQUE,
  text text COLLATE "C" NOT NULL
);

-- What findings say beside their image, each once.
CREATE TABLE details (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key bytea NOT NULL UNIQUE,
  vulnerability_id int NOT NULL,
  severity text NOT NULL,
  package text COLLATE "C" NOT NULL,
  version text COLLATE "C" NOT NULL,
  fixed_version text COLLATE "C" NOT NULL
);

-- All reports that are kept. The token is that of the lease that stored it; seq grows with each that is stored.
CREATE SEQUENCE report_seq;
CREATE TABLE reports (
  id text COLLATE "C" PRIMARY KEY,
  job_id text COLLATE "C" NOT NULL,
  token bigint NOT NULL,
  image_id int NOT NULL,
  scanned_at bigint NOT NULL,
  stored_at bigint NOT NULL,
  seq bigint NOT NULL,
  entry json NOT NULL,
  detail_ids int[] NOT NULL,
  layer_ids int[] NOT NULL,
  gzip bytea NOT NULL
);
-- It is compressed already, and read in pieces.
ALTER TABLE reports ALTER COLUMN gzip SET STORAGE EXTERNAL;
CREATE INDEX reports_job ON reports (job_id);
CREATE INDEX reports_image ON reports (image_id, scanned_at, seq);
CREATE INDEX reports_stored ON reports (stored_at);

-- The images that have a report, with what their newest says, by the number of their digest. The keys are in the order of lists.
CREATE TABLE images (
  id int PRIMARY KEY,
  digest text COLLATE "C" NOT NULL,
  digest_key bigint NOT NULL,
  report_id text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  scanned_at bigint NOT NULL,
  worst_key bytea NOT NULL,
  first_repository text COLLATE "C" NOT NULL,
  worst smallint NOT NULL,
  coverage text NOT NULL,
  scanner text NOT NULL,
  findings int NOT NULL,
  fixable int NOT NULL,
  unknown int NOT NULL,
  negligible int NOT NULL,
  low int NOT NULL,
  medium int NOT NULL,
  high int NOT NULL,
  critical int NOT NULL,
  known_exploited int NOT NULL
);
CREATE INDEX images_worst ON images (worst_key, digest);
CREATE INDEX images_newest ON images ((-scanned_at), digest);
CREATE INDEX images_oldest ON images (scanned_at, digest);
CREATE INDEX images_repository ON images (first_repository, digest);

-- How many images there are, and how many of them are not FULL, as each search tells. In slots, so that few wait for each other.
CREATE TABLE image_counts (
  slot int PRIMARY KEY,
  images int NOT NULL,
  not_full int NOT NULL
);
CREATE FUNCTION count_image() RETURNS trigger LANGUAGE plpgsql SET search_path = drydock AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    UPDATE image_counts SET images = images - 1, not_full = not_full - (OLD.coverage <> 'FULL')::int
    WHERE slot = OLD.id % 16;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO image_counts AS counts VALUES (NEW.id % 16, 1, (NEW.coverage <> 'FULL')::int)
    ON CONFLICT (slot) DO UPDATE SET images = counts.images + 1, not_full = counts.not_full + excluded.not_full;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER image_counted AFTER INSERT OR DELETE ON images FOR EACH ROW EXECUTE FUNCTION count_image();
CREATE TRIGGER image_recounted AFTER UPDATE ON images FOR EACH ROW WHEN (OLD.coverage <> NEW.coverage)
  EXECUTE FUNCTION count_image();

-- Which images have which vulnerability, by their newest report, and how; in the order of digests.
CREATE TABLE findings (
  vulnerability_id int NOT NULL,
  digest_key bigint NOT NULL,
  image_id int NOT NULL,
  detail_ids int[] NOT NULL,
  PRIMARY KEY (vulnerability_id, digest_key, image_id)
);
CREATE INDEX findings_image ON findings (image_id);

-- Which images have which layer, likewise.
CREATE TABLE image_layers (
  layer_id int NOT NULL,
  digest_key bigint NOT NULL,
  image_id int NOT NULL,
  PRIMARY KEY (layer_id, digest_key, image_id)
);
CREATE INDEX image_layers_image ON image_layers (image_id);

-- Where tags point.
CREATE TABLE tags (
  repository_id int NOT NULL,
  tag_id int NOT NULL,
  digest_id int NOT NULL,
  PRIMARY KEY (repository_id, tag_id)
);
CREATE INDEX tags_digest ON tags (digest_id, repository_id);

-- The images that were scanned of an index.
CREATE TABLE index_images (
  index_id int NOT NULL,
  image_id int NOT NULL,
  PRIMARY KEY (index_id, image_id)
);
CREATE INDEX index_images_image ON index_images (image_id);

-- The names of repositories, by the numbers of their texts: globs are compared with these alone.
CREATE TABLE repositories (
  id int PRIMARY KEY,
  name text COLLATE "C" NOT NULL
);

-- The repositories that have an image or an index; an image is also where its indexes are.
CREATE TABLE places (
  digest_id int NOT NULL,
  repository_id int NOT NULL,
  PRIMARY KEY (digest_id, repository_id)
);
CREATE INDEX places_repository ON places (repository_id, digest_id);

-- What all newest reports came to on a day, in UTC.
CREATE TABLE days (
  day text COLLATE "C" PRIMARY KEY,
  totals json NOT NULL
);
