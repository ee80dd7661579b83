import { z } from "zod";
import { isDigest, isRepository, tagPattern } from "../domain/image-reference.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { bareType, isSpecificType } from "../domain/media-types.ts";
import type { CatalogPage, ListedTag } from "../domain/registry-listing.ts";
import { brokenAnswer, errorOf } from "./errors.ts";
import type { HarborApi, HarborPage } from "./harbor-api.ts";
import { LeftOutNotes } from "./list-page.ts";
import { nextCursor, type PageCursor } from "./page-cursor.ts";
import type { RegistryAccess, RegistryResponse } from "./registry-access.ts";

/** Where the list of repositories is: at a page of one project of a page of projects; at its first one if that is not named. */
const place = z.object({
  projects: z.int().min(1),
  index: z.int().min(0),
  project: z.string(),
  page: z.int().min(1),
  /** How often a page of projects began anew; without it that would look like a circle. */
  restarts: z.int().min(0),
});
type Place = z.infer<typeof place>;

interface ProjectPage {
  names: readonly string[];
  hasNext: boolean;
  notes: LeftOutNotes;
}

const named = z.object({ name: z.string() });
const text = z.string().catch("");
const artifact = z.object({
  digest: z.string().refine(isDigest),
  manifest_media_type: text,
  push_time: text,
  tags: z.array(z.unknown()).nullish().catch(undefined),
});
const tag = z.object({ name: z.string(), push_time: text });

const firstPlace: Place = { projects: 1, index: 0, project: "", page: 1, restarts: 0 };
const repositoryList = "Harbor's list of repositories";
const projectList = "Harbor's list of projects";
/** How long a page of projects is good for the lists of its repositories, in milliseconds. */
const projectsMs = 300_000;

/** The lists of a Harbor: projects, their repositories, and artifacts with digests and tags. */
export class HarborCatalog {
  readonly #api: HarborApi;
  readonly #access: RegistryAccess;
  #projects: { number: number; until: number; page: ProjectPage } | undefined;

  constructor(access: RegistryAccess, api: HarborApi) {
    this.#access = access;
    this.#api = api;
  }

  /**
   * Undefined when Harbor does not let the worker begin.
   * @throws JobFailure, see docs/errors.md
   */
  async listRepositories(
    cursor: PageCursor | undefined,
    signal: AbortSignal,
  ): Promise<CatalogPage<string> | undefined> {
    const before = cursor === undefined ? firstPlace : readPlace(cursor.at);
    const isFirst = cursor === undefined;
    const projects = await this.#projectPage(before.projects, isFirst, signal);
    if (projects === undefined) return undefined;
    const at = placeIn(projects, before);
    const notes = at.page === 1 && at.index === 0 ? projects.notes : new LeftOutNotes();
    const found = at.project === "" ? nothing : await this.#repositories(at, notes, signal);
    const after = placeAfter(at, projects, found.hasNext);
    const next = after && nextCursor(repositoryList, cursor, { by: "harbor", at: JSON.stringify(after) });
    return { items: found.names, next, ...notes.toLeftOut() };
  }

  /**
   * Undefined when Harbor does not let the worker begin, or the repository is in no project.
   * @throws JobFailure, see docs/errors.md
   */
  async listTags(
    repository: string,
    cursor: PageCursor | undefined,
    signal: AbortSignal,
  ): Promise<CatalogPage<ListedTag> | undefined> {
    const slash = repository.indexOf("/");
    if (slash < 0) return undefined;
    const list = `Harbor's list of the artifacts of ${repository}`;
    const page = Number.parseInt(cursor?.at ?? "1", 10) || 1;
    const path = `${repositoriesOf(repository.slice(0, slash))}/${twiceEncoded(repository.slice(slash + 1))}/artifacts`;
    const asked = this.#api.page({ list, path: `${path}?with_tag=true`, page, signal });
    const found = await (cursor === undefined ? asked.catch(unlessTooLarge) : asked);
    if (found === undefined) return undefined;
    if ("refused" in found) return this.#refusedTags(list, found.refused, cursor);
    const notes = new LeftOutNotes();
    const items = found.entries.flatMap((entry) => tagsOf(entry, notes));
    const next = found.hasNext ? nextCursor(list, cursor, { by: "harbor", at: String(page + 1) }) : undefined;
    return { items, next, ...notes.toLeftOut() };
  }

  #refusedTags(list: string, response: RegistryResponse, cursor: PageCursor | undefined) {
    if (isGone(response)) return { items: [], next: undefined };
    if (cursor === undefined) return undefined;
    throw this.#access.refusal(list, response);
  }

  async #projectPage(number: number, isFirst: boolean, signal: AbortSignal): Promise<ProjectPage | undefined> {
    const { clock } = this.#access.options;
    const known = this.#projects;
    if (!isFirst && known?.number === number && clock.now() < known.until) return known.page;
    const found = await this.#api.page({ list: projectList, path: "/projects", page: number, signal });
    if ("refused" in found) {
      if (isFirst) return undefined;
      throw this.#access.refusal(projectList, found.refused);
    }
    const notes = new LeftOutNotes();
    const isProject = (name: string) => isRepository(name) && !name.includes("/");
    const page = { names: namesIn(found, isProject, notes), hasNext: found.hasNext, notes };
    this.#projects = { number, until: clock.now() + projectsMs, page };
    return page;
  }

  async #repositories({ project, page }: Place, notes: LeftOutNotes, signal: AbortSignal) {
    const list = `Harbor's list of the repositories of ${project}`;
    const found = await this.#api.page({ list, path: repositoriesOf(project), page, signal });
    if (!("refused" in found)) {
      const isInProject = (name: string) => isRepository(name) && name.startsWith(`${project}/`);
      return { names: namesIn(found, isInProject, notes), hasNext: found.hasNext };
    }
    const { refused } = found;
    if (isGone(refused)) return nothing;
    if (refused.status !== 401 && refused.status !== 403) throw this.#access.refusal(list, refused);
    notes.add(project, `is a project whose repositories the worker may not list (${refused.status})`);
    return nothing;
  }
}

const nothing = { names: [], hasNext: false };

/** A cursor of another version begins anew. */
function readPlace(at: string): Place {
  try {
    return place.parse(JSON.parse(at));
  } catch {
    return firstPlace;
  }
}

/**
 * The place in a page of projects as it is now. When its project is gone meanwhile, nobody knows how many others are: the
 * page begins anew, as nothing is to be left out.
 */
function placeIn({ names }: ProjectPage, before: Place): Place {
  const index = names.indexOf(before.project);
  if (index >= 0) return { ...before, index };
  const isAnew = before.project !== "";
  return { ...before, index: 0, project: names[0] ?? "", page: 1, restarts: before.restarts + Number(isAnew) };
}

function placeAfter(at: Place, { names, hasNext }: ProjectPage, hasMore: boolean): Place | undefined {
  if (hasMore) return { ...at, page: at.page + 1 };
  const project = names[at.index + 1];
  if (project !== undefined) return { ...at, index: at.index + 1, project, page: 1 };
  return hasNext ? { ...at, projects: at.projects + 1, index: 0, project: "", page: 1 } : undefined;
}

function namesIn({ entries }: HarborPage, isName: (name: string) => boolean, notes: LeftOutNotes): string[] {
  return entries.flatMap((entry) => {
    const name = named.safeParse(entry).data?.name;
    if (name !== undefined && isName(name)) return name;
    notes.add(name, "is no name of a project or a repository");
    return [];
  });
}

/** The tags of an artifact, or the artifact itself if it has none. */
function tagsOf(entry: unknown, notes: LeftOutNotes): ListedTag[] {
  const read = artifact.safeParse(entry).data;
  if (read === undefined) {
    notes.add(undefined, "is no artifact with a digest that can be checked");
    return [];
  }
  const { digest, manifest_media_type: type, push_time, tags } = read;
  const common = { digest, mediaType: isSpecificType(type) ? bareType(type) : undefined };
  if (!tags?.length) return [{ tag: "", ...common, pushedAt: timeOf(push_time) }];
  return tags.flatMap((listed) => {
    const { name, push_time: pushTime = "" } = tag.safeParse(listed).data ?? {};
    if (name !== undefined && tagPattern.test(name))
      return { tag: name, ...common, pushedAt: timeOf(pushTime) ?? timeOf(push_time) };
    notes.add(name, "is no tag");
    return [];
  });
}

/** Go writes a time that is not set as one of the year 1. */
function timeOf(text: string): Date | undefined {
  const time = Date.parse(text);
  return time > 0 ? new Date(time) : undefined;
}

function repositoriesOf(project: string): string {
  return `/projects/${encodeURIComponent(project)}/repositories`;
}

/** Harbor decodes a repository's name twice, as servers before it decode the path once. */
function twiceEncoded(name: string): string {
  return encodeURIComponent(encodeURIComponent(name));
}

/** Whether Harbor itself says that there is nothing. */
function isGone(response: RegistryResponse): boolean {
  if (response.status !== 404) return false;
  if (errorOf(response)?.code) return true;
  throw brokenAnswer("something else came in place of Harbor's answer (404); check what stands before it");
}

/** Artifacts have annotations of any size; the registry's own list of tags has none. */
function unlessTooLarge(error: unknown): undefined {
  if (!(error instanceof JobFailure) || error.reason !== "REGISTRY_ANSWER_TOO_LARGE") throw error;
}
