import type { Blob, SampleImage } from "../images/sample-image.ts";

/** Where to push, and as whom. */
export interface PushTarget {
  /** The registry's URL, without a slash at the end. */
  url: string;
  username: string;
  password: string;
}

/**
 * Pushes images: repositories at once, and the images of a repository one after another. The registry answers 500 to a question
 * for a blob that it is just linking to the repository, and images of a repository often share blobs.
 * @throws Error when the registry refuses
 */
export async function pushImages(
  target: PushTarget,
  images: readonly SampleImage[],
  signal?: AbortSignal,
): Promise<void> {
  const byRepository = Map.groupBy(images, ({ repository }) => repository);
  const pushes = [...byRepository.values()].map(async (ofRepository) => {
    for (const image of ofRepository) await pushImage(target, image, signal);
  });
  await Promise.all(pushes);
}

/**
 * Pushes an image through the registry's API, or an index after the images that it lists. What the registry already has
 * is not sent again.
 * @throws Error when the registry refuses
 */
export async function pushImage(target: PushTarget, image: SampleImage, signal?: AbortSignal): Promise<void> {
  for (const listed of image.listed) await pushImage(target, listed, signal);
  const repository = `${target.url}/v2/${image.repository}`;
  const send = await authorised(target, image.repository, signal);
  await Promise.all(image.blobs.map((blob) => pushBlob(send, repository, blob)));
  await send(`${repository}/manifests/${image.tag}`, {
    method: "PUT",
    headers: { "content-type": image.mediaType },
    body: image.manifest,
  });
}

type Send = (url: string, init: RequestInit) => Promise<Response>;

async function pushBlob(send: Send, repository: string, { digest, bytes }: Blob): Promise<void> {
  const head = await send(`${repository}/blobs/${digest}`, { method: "HEAD" });
  if (head.ok) return;
  const begun = await send(`${repository}/blobs/uploads/`, { method: "POST" });
  const location = new URL(begun.headers.get("location") ?? "", repository);
  location.searchParams.set("digest", digest);
  await send(location.href, {
    method: "PUT",
    headers: { "content-type": "application/octet-stream" },
    body: bytes,
  });
}

/** Sends requests with a token for the repository, if the registry asks for one. */
async function authorised(target: PushTarget, repository: string, signal?: AbortSignal): Promise<Send> {
  const limit = () => AbortSignal.any([AbortSignal.timeout(30_000), ...(signal === undefined ? [] : [signal])]);
  const ping = await fetch(`${target.url}/v2/`, { signal: limit() });
  await ping.body?.cancel();
  const challenge = ping.status === 401 ? ping.headers.get("www-authenticate") : null;
  const authorization = challenge === null ? {} : await authorize(challenge, target, repository, limit());
  return async (url, init) => {
    const headers = { ...authorization, ...init.headers };
    const response = await fetch(url, { ...init, headers, signal: limit() });
    const text = await response.text();
    if (response.ok || (init.method === "HEAD" && response.status === 404)) return response;
    throw new Error(`${init.method} ${new URL(url).pathname}: the registry answered ${response.status} ${text}`);
  };
}

async function authorize(
  challenge: string,
  { username, password }: PushTarget,
  repository: string,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const basic = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  const realm = /^Bearer .*realm="([^"]+)"/i.exec(challenge)?.[1];
  if (realm === undefined) return { authorization: basic };
  const url = new URL(realm);
  url.searchParams.set("service", /service="([^"]+)"/i.exec(challenge)?.[1] ?? "");
  url.searchParams.set("scope", `repository:${repository}:pull,push`);
  const response = await fetch(url, { headers: { authorization: basic }, signal });
  if (!response.ok) throw new Error(`the token server answered ${response.status}`);
  const { token } = (await response.json()) as { token: string };
  return { authorization: `Bearer ${token}` };
}
