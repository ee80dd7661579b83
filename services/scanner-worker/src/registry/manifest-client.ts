import { type Manifest, parseManifest, type RawManifest } from "../domain/image-manifest.ts";
import { imageName, isDigest } from "../domain/image-reference.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { bareType, indexTypes, isSpecificType, manifestTypes, schema1Types } from "../domain/media-types.ts";
import type { ResolvedTag } from "../domain/registry-listing.ts";
import { namesApi } from "./answer-form.ts";
import { digestLike, digestOfHeader } from "./digest.ts";
import { isPassing, isSuccess } from "./errors.ts";
import { RecentMap } from "./recent-map.ts";
import { pullScope, type RegistryAccess, type RegistryResponse } from "./registry-access.ts";

/** What a tag pointed at when it was asked for last, and the ETag of that answer. */
interface KnownTag extends ResolvedTag {
  etag: string;
}

/** What is asked for. */
interface Wanted {
  repository: string;
  /** A tag or a digest. */
  reference: string;
  /** The answer that need not come again. */
  known?: KnownTag | undefined;
  signal: AbortSignal;
}

/** The longest manifest, in bytes. */
export const maxManifestBytes = 4 * 1024 * 1024;
const maxKnownTags = 10_000;
const maxEtagLength = 256;
const accept = [...indexTypes, ...manifestTypes].join(", ");

/** Asks one registry for manifests and for what tags point at. */
export class ManifestClient {
  readonly #access: RegistryAccess;
  readonly #known = new RecentMap<string, KnownTag>(maxKnownTags);

  constructor(access: RegistryAccess) {
    this.#access = access;
  }

  /** @throws JobFailure, see docs/errors.md */
  async get(repository: string, reference: string, signal: AbortSignal): Promise<Manifest> {
    const wanted = { repository, reference, signal };
    const response = await this.#send("GET", wanted);
    if (!isSuccess(response)) throw this.#refusal(wanted, response);
    return parseManifest(await this.#checked(wanted, response));
  }

  /**
   * What a tag points at; undefined when there is none. HEAD tells it; where it does not, GET does. What was told before is
   * not sent again.
   * @throws JobFailure, see docs/errors.md
   */
  async resolve(repository: string, tag: string, signal: AbortSignal): Promise<ResolvedTag | undefined> {
    const name = imageName(repository, tag);
    const known = this.#known.get(name);
    const wanted = { repository, reference: tag, known, signal };
    const head = await this.#send("HEAD", wanted);
    if (isPassing(head)) throw this.#refusal(wanted, head);
    const told = known !== undefined && head.status === 304 ? known : toldBy(head);
    const found = told ?? (isGone(head) ? undefined : await this.#resolveByGet(wanted));
    if (found === undefined) this.#known.delete(name);
    else if (isKept(found.etag)) this.#known.set(name, found);
    return found && { digest: found.digest, mediaType: found.mediaType };
  }

  async #resolveByGet(wanted: Wanted): Promise<KnownTag | undefined> {
    const response = await this.#send("GET", wanted);
    if (response.status === 304 && wanted.known !== undefined) return wanted.known;
    if (response.status === 404) return undefined;
    if (!isSuccess(response)) throw this.#refusal(wanted, response);
    const raw = await this.#checked(wanted, response);
    const mediaType = isSpecificType(raw.contentType) ? raw.contentType : parseManifest(raw).mediaType;
    return { digest: raw.digest, mediaType, etag: response.headers.etag ?? "" };
  }

  /** The manifest that came, or comes when it is asked for once more, with the digest that it should have. */
  async #checked(wanted: Wanted, first: RegistryResponse): Promise<RawManifest> {
    const manifest = toManifest(wanted, first);
    if (manifest.isRight) return manifest.raw;
    const again = await this.#send("GET", { ...wanted, known: undefined });
    if (!isSuccess(again)) throw this.#refusal(wanted, again);
    const { raw, isRight } = toManifest(wanted, again);
    if (isRight) return raw;
    const { repository, reference } = wanted;
    const message = `the manifest of ${imageName(repository, reference)} does not have the digest ${raw.digest}`;
    throw new JobFailure("DIGEST_MISMATCH", message, { retryable: false });
  }

  #send(method: "GET" | "HEAD", { repository, reference, known, signal }: Wanted): Promise<RegistryResponse> {
    return this.#access.send({
      method,
      path: `/v2/${repository}/manifests/${reference}`,
      scope: pullScope(repository),
      headers: { accept, ...(known !== undefined && { "if-none-match": known.etag }) },
      maxBytes: maxManifestBytes,
      elsewhere: "follow",
      signal,
    });
  }

  #refusal({ repository, reference }: Wanted, response: RegistryResponse): JobFailure {
    return this.#access.refusal(imageName(repository, reference), response);
  }
}

function toManifest(
  { reference }: Wanted,
  { headers, body }: RegistryResponse,
): { raw: RawManifest; isRight: boolean } {
  const named = digestOfHeader(headers["docker-content-digest"]);
  const digest = isDigest(reference) ? reference : (named ?? digestLike("sha256:", body));
  const raw = { digest, contentType: bareType(headers["content-type"] ?? ""), body };
  // The digest of schema 1 is not over the bytes sent; it is not scanned anyway.
  const maySkip = schema1Types.has(raw.contentType) && schema1Types.has(parseManifest(raw).mediaType);
  return { raw, isRight: maySkip || digestLike(digest, body) === digest };
}

/** What the answer to HEAD tells; undefined when it has no digest or no type, or comes from elsewhere. */
function toldBy(response: RegistryResponse): KnownTag | undefined {
  const { headers, isHome } = response;
  const digest = digestOfHeader(headers["docker-content-digest"]);
  const mediaType = bareType(headers["content-type"] ?? "");
  if (!isHome || !isSuccess(response) || digest === undefined || !isSpecificType(mediaType)) return undefined;
  return { digest, mediaType, etag: headers.etag ?? "" };
}

/** Whether HEAD is answered by the registry itself that there is no such tag. */
function isGone(response: RegistryResponse): boolean {
  return response.status === 404 && response.isHome && namesApi(response);
}

function isKept(etag: string): boolean {
  return etag !== "" && etag.length <= maxEtagLength;
}
