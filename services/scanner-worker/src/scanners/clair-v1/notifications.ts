import { z } from "zod";
import { checkedList } from "../../domain/checked-list.ts";
import { brokenAnswer } from "./answer.ts";
import { type ClairAnswer, type ClairClientOptions, failureOf, readError, readJson } from "./client.ts";

/** A page of a notification of Clair's. */
export interface ClairNotificationPage {
  layerNames: string[];
  vulnerabilities: string[];
  next: string | undefined;
}

/** The notifications of a Clair 2.x. */
export interface ClairNotifications {
  /** A page; undefined when Clair has no notification of this name. */
  read(name: string, from: string | undefined, signal: AbortSignal): Promise<ClairNotificationPage | undefined>;
  /** Deletes it, so that Clair does not send it again; one that is not there is deleted already. */
  remove(name: string, signal: AbortSignal): Promise<void>;
}

/** Layers of a page and side; Clair sends a notification again until it is deleted, so no page may be too large. */
const layersOfPage = 100;
const limits = { timeoutMs: 60_000, maxBytes: 16 * 1024 * 1024 };

const side = z
  .object({
    Vulnerability: z.object({ Name: z.string().catch("") }).nullish(),
    LayersIntroducingVulnerability: checkedList(z.string()).nullish(),
    OrderedLayersIntroducingVulnerability: checkedList(z.object({ LayerName: z.string() })).nullish(),
  })
  .nullish();
const notification = z.object({ Notification: z.object({ NextPage: z.string().nullish(), Old: side, New: side }) });

type Side = z.infer<typeof side>;

/** Makes a client for the notifications of a Clair 2.x. */
export function createClairNotifications({ url, send }: ClairClientOptions): ClairNotifications {
  const base = `${url.replace(/\/+$/, "")}/v1/notifications`;

  async function ask(method: "GET" | "DELETE", path: string, signal: AbortSignal): Promise<ClairAnswer | undefined> {
    const answer = await send({ method, url: `${base}/${path}`, signal, ...limits });
    if (answer.status === 200) return answer;
    if (answer.status === 404 && readError(answer) !== undefined) return undefined;
    throw failureOf(answer, new URL(base));
  }

  return {
    read: async (name, from, signal) => {
      const page = from === undefined ? "" : `&page=${encodeURIComponent(from)}`;
      const answer = await ask("GET", `${encodeURIComponent(name)}?limit=${layersOfPage}${page}`, signal);
      return answer && parsePage(readJson(answer.body));
    },
    remove: async (name, signal) => {
      await ask("DELETE", encodeURIComponent(name), signal);
    },
  };
}

function parsePage(body: unknown): ClairNotificationPage {
  const parsed = notification.safeParse(body);
  if (!parsed.success) throw brokenAnswer("is no notification");
  const { Old, New, NextPage } = parsed.data.Notification;
  const names = [Old, New].map((own) => own?.Vulnerability?.Name ?? "").filter((name) => name !== "");
  return {
    layerNames: [...new Set([Old, New].flatMap(layersOf))],
    vulnerabilities: [...new Set(names)],
    next: NextPage || undefined,
  };
}

/** Clair 2.1 sends both lists, Clair 2.0 the first alone. */
function layersOf(own: Side): string[] {
  const ordered = own?.OrderedLayersIntroducingVulnerability ?? [];
  return [...(own?.LayersIntroducingVulnerability ?? []), ...ordered.map(({ LayerName }) => LayerName)];
}
