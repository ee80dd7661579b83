/** The keys of a shard's report indexes; of an image, in the shard that its digest falls to. */
export interface ReportKeys {
  /** HASH, report id -> what the indexes are made from, until they are; in the shard of the job. */
  outbox: string;
  /** HASH, report id -> digest, of reports that were removed with their jobs; in the shard of the job. */
  gone: string;
  /** HASH, digest -> ImageState as JSON. */
  images: string;
  /** HASH, number of an image -> entry of its newest report. */
  entries: string;
  /** HASH, number of an image -> its facts. */
  facts: string;
  /** HASH, number of an image -> numbers of its terms, of four bytes each. */
  imageTerms: string;
  /** ZSET, number of an image -> when the one of its reports was stored that is kept longest. */
  stored: string;
  /** ZSET of all images, ordered by bytes. */
  worst: string;
  oldest: string;
  newest: string;
  epss: string;
  /** ZSET of repository, zero byte, digest and number, ordered by bytes. */
  located: string;
  /** HASH, number of a term -> its text. */
  terms: string;
  /** HASH, repository -> totals as a list in JSON; that of all repositories has the empty name. */
  totals: string;
  /** HASH, block -> postings: the images whose repositories are too many to be listed. */
  beyond: string;
  /** HASH, day -> totals; in shard 0 only. */
  days: string;
  /** HASH, text of a term behind the vulnerability -> its number. */
  vulnerability(name: string): string;
  /** HASH, block -> postings. */
  found(term: number): string;
  /** HASH, hash of a layer and block -> postings. */
  layers(bucket: number): string;
  /** HASH, tag -> digest; in the shard that the repository falls to. */
  tags(repository: string): string;
  /** SET of the repositories of a digest that are too many to be listed. */
  locationsBeyond(digest: string): string;
  /** HASH, digest of an image -> its platform, and `platforms` -> those that a scan has looked for, with a blank between two; in the shard that the digest of the index falls to. */
  imagesOf(indexDigest: string): string;
}

/** @param prefix that of all keys of the shard */
export function reportKeysOf(prefix: string): ReportKeys {
  return {
    outbox: `${prefix}report-outbox`,
    gone: `${prefix}reports-gone`,
    images: `${prefix}images`,
    entries: `${prefix}image-entries`,
    facts: `${prefix}image-facts`,
    imageTerms: `${prefix}image-terms`,
    stored: `${prefix}images-stored`,
    worst: `${prefix}images-worst`,
    oldest: `${prefix}images-oldest`,
    newest: `${prefix}images-newest`,
    epss: `${prefix}images-epss`,
    located: `${prefix}images-located`,
    terms: `${prefix}terms`,
    totals: `${prefix}report-totals`,
    beyond: `${prefix}images-beyond`,
    days: `${prefix}report-days`,
    vulnerability: (name) => `${prefix}vulnerability:${name}`,
    found: (term) => `${prefix}found:${term}`,
    layers: (bucket) => `${prefix}layers:${bucket}`,
    tags: (repository) => `${prefix}tags:${repository}`,
    locationsBeyond: (digest) => `${prefix}locations-beyond:${digest}`,
    imagesOf: (indexDigest) => `${prefix}index-images:${indexDigest}`,
  };
}
