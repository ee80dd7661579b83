import type { IncomingMessage } from "node:http";
import { createHttpService, type HttpReply, type HttpService, plainReply } from "@drydock/shared/http-service.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import { type LaunchDeps, launchJob } from "../usecases/launch-job.ts";
import { receiveClairNotification } from "./clair-notification.ts";

/** What the HTTP side of the API is made from. */
export interface HttpApiOptions {
  /** host:port; port 0 takes a free one. */
  listen: string;
  deps: LaunchDeps;
  logger: Logger;
}

/** Makes the HTTP server for what other services post: /notify/clair takes Clair's notifications. */
export function createHttpApi({ listen, deps, logger }: HttpApiOptions): HttpService {
  const handle = async (request: IncomingMessage): Promise<HttpReply> => {
    if (request.url?.split("?")[0] !== "/notify/clair") return plainReply(404, "not found; there is /notify/clair");
    return receiveClairNotification(request, async (launch) => (await launchJob(deps, launch)).id);
  };
  return createHttpService({ name: "http-api", listen, setting: "DRYDOCK_HTTP_LISTEN", handle, logger });
}
