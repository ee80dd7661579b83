import { type FieldViolation, fieldsInvalid } from "@drydock/shared/errors.ts";
import type {
  FindImagesRequest,
  FoundImage as FoundImageMessage,
  PutReportHead,
  RecordImagesRequest,
} from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import type { ScannerLayer } from "../ports/layer-locks.ts";
import type { FoundImage } from "../ports/report-store.ts";
import { digestRule, isDigest } from "./validate.ts";

const maxImages = 1_000;
const maxTags = 5_000;
const maxLayerNames = 1_000;
const maxPlatforms = 64;
const maxPageTokenLength = 4_096;
/** How many rules that are broken are named: each image may break some. */
const maxViolations = 20;

/** Checks the images that a worker has found. */
export function validateFoundImages({ images }: RecordImagesRequest): FoundImage[] {
  const violations: FieldViolation[] = [];
  if (images.length > maxImages) refuse(violations, "images", `must not be more than ${maxImages}`);
  const tags = images.reduce((sum, image) => sum + image.tags.length, 0);
  if (tags > maxTags) refuse(violations, "images", `must not have more than ${maxTags} tags together`);
  if (violations.length === 0) for (const [at, image] of images.entries()) check(image, `images[${at}]`, violations);
  if (violations.length > 0) throw fieldsInvalid(violations.slice(0, maxViolations));
  return images;
}

/** Checks which platforms the upload of a report says that the scan has looked for. */
export function validateIndexPlatforms({ indexDigest, indexPlatforms }: PutReportHead): void {
  const violations: FieldViolation[] = [];
  const field = "head.index_platforms";
  if (indexPlatforms.length > 0 && indexDigest === "") refuse(violations, field, "must be empty without index_digest");
  if (indexPlatforms.length > maxPlatforms) refuse(violations, field, `must not be more than ${maxPlatforms}`);
  else if (!indexPlatforms.every((platform) => isName(platform, 64))) refuse(violations, field, nameRule(64));
  if (violations.length > 0) throw fieldsInvalid(violations);
}

/** Checks where a count goes on: a cursor of Redis', or nothing for the beginning. */
export function validateScanToken(pageToken: string): string {
  if (/^\d{0,20}$/.test(pageToken)) return pageToken;
  throw fieldsInvalid([{ field: "page_token", description: "must be next_page_token of the page before" }]);
}

/** Checks which images are asked for by their layers. */
export function validateFindImages({ layerNames, pageToken, repository }: FindImagesRequest): void {
  const violations: FieldViolation[] = [];
  if (repository !== "" && layerNames.length > 0) refuse(violations, "repository", "must be empty beside layer_names");
  if (repository.length > 255) refuse(violations, "repository", "must not be longer than 255 characters");
  if (layerNames.length > maxLayerNames) {
    refuse(violations, "layer_names", `must not be more than ${maxLayerNames}`);
  } else if (!layerNames.every((name) => isName(name, 256))) refuse(violations, "layer_names", nameRule(256));
  if (pageToken.length > maxPageTokenLength) {
    refuse(violations, "page_token", `must not be longer than ${maxPageTokenLength} characters`);
  }
  if (violations.length > 0) throw fieldsInvalid(violations);
}

/** Checks which layer's lock is asked for. */
export function validateScannerLayer({ scanner, layer }: ScannerLayer): ScannerLayer {
  const violations: FieldViolation[] = [];
  for (const [field, name] of Object.entries({ scanner, layer })) {
    if (!isName(name, 256)) refuse(violations, field, nameRule(256));
  }
  if (violations.length > 0) throw fieldsInvalid(violations);
  return { scanner, layer };
}

function check({ repository, digest, tags }: FoundImageMessage, field: string, violations: FieldViolation[]): void {
  if (!isName(repository, 255)) refuse(violations, `${field}.repository`, nameRule(255));
  if (!isDigest(digest)) refuse(violations, `${field}.digest`, digestRule);
  if (!tags.every((tag) => isName(tag, 128))) refuse(violations, `${field}.tags`, nameRule(128));
}

function isName(text: string, most: number): boolean {
  return text.length > 0 && text.length <= most && !/[\s\p{Cc}]/u.test(text);
}

function nameRule(most: number): string {
  return `must be of 1 to ${most} characters, without spaces and control characters`;
}

function refuse(violations: FieldViolation[], field: string, description: string): void {
  violations.push({ field, description });
}
