-- The platforms that a scan of an index has looked for, whether the index has an image for them or not.
CREATE TABLE index_platforms (
  index_id int PRIMARY KEY,
  platforms text[] NOT NULL
);
