import {
  createScriptedRegistry,
  registryError,
  type ScriptedAnswer,
  type ScriptedRegistry,
} from "./scripted-registry.ts";

/** An artifact of a fake Harbor, as its API tells of it. */
export interface FakeArtifact {
  digest: string;
  manifest_media_type?: string;
  push_time?: string;
  tags?: { name: string; push_time?: string }[] | null;
}

/** What a fake Harbor has and how it answers. */
export interface FakeHarborOptions {
  /** By project, by repository without the project. */
  projects: Record<string, Record<string, FakeArtifact[]>>;
  /** The Authorization header that it takes for its API. Default: none is wanted. */
  authorization?: string;
  /** How it tells that there are more pages. Default both. */
  paging?: "link" | "total" | "neither";
  /** Answers instead, when it gives something. */
  instead?: (path: string) => ScriptedAnswer | undefined;
}

const systemInfo = { auth_mode: "db_auth", primary_auth_mode: false, self_registration: true, banner_message: "" };

/** Makes a registry on loopback that speaks as much of Harbor's API 2.0 as a list of all images takes. */
export function createFakeHarbor(options: FakeHarborOptions): ScriptedRegistry {
  return createScriptedRegistry(({ path, headers }) => {
    const other = options.instead?.(path);
    if (other !== undefined) return other;
    if (path === "/v2/") return { status: 200, body: "{}" };
    if (path === "/api/v2.0/systeminfo") return { status: 200, body: JSON.stringify(systemInfo) };
    if (!path.startsWith("/api/v2.0/")) return { status: 404, body: registryError("NAME_UNKNOWN") };
    if (options.authorization !== undefined && headers.authorization !== options.authorization)
      return { status: 401, body: registryError("UNAUTHORIZED") };
    return listed(options, new URL(path, "http://harbor"));
  });
}

function listed(options: FakeHarborOptions, url: URL): ScriptedAnswer {
  const [, , , , project, , repository, what] = url.pathname.split("/").map(decodeURIComponent);
  const entries = entriesOf(options, project, repository === undefined ? undefined : decodeURIComponent(repository));
  if (entries === undefined || (repository !== undefined && what !== "artifacts"))
    return { status: 404, body: registryError("NOT_FOUND", "not found") };
  return pageOf(options, url, entries);
}

function entriesOf({ projects }: FakeHarborOptions, project?: string, repository?: string): object[] | undefined {
  if (project === undefined) return Object.keys(projects).map((name) => ({ name, project_id: 1, metadata: {} }));
  const repositories = projects[project];
  if (repository !== undefined) return repositories?.[repository];
  return repositories && Object.keys(repositories).map((name) => ({ name: `${project}/${name}`, artifact_count: 1 }));
}

function pageOf({ paging }: FakeHarborOptions, url: URL, entries: object[]): ScriptedAnswer {
  const page = Number(url.searchParams.get("page"));
  const size = Number(url.searchParams.get("page_size"));
  if (!(size >= 1 && size <= 100)) return { status: 422, body: registryError("UNPROCESSABLE_ENTITY") };
  const links = page > 1 ? [`<${url.pathname}?page=${page - 1}&page_size=${size}>; rel="prev"`] : [];
  if (page * size < entries.length) links.push(`<${url.pathname}?page=${page + 1}&page_size=${size}>; rel="next"`);
  return {
    status: 200,
    headers: {
      ...(paging !== "total" && paging !== "neither" && { link: links.join(" , ") }),
      ...(paging !== "link" && paging !== "neither" && { "x-total-count": String(entries.length) }),
    },
    body: JSON.stringify(entries.slice((page - 1) * size, page * size)),
  };
}
