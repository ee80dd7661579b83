import { connect, type Socket } from "node:net";
import {
  GetJobRequest,
  JobServiceService as jobs,
  WatchJobRequest,
} from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import type { Of } from "./hostile-calls.ts";
import { JobApi } from "./job-api.ts";
import { UnreadConnection } from "./unread-call.ts";

/** More than an address may have open. */
const connections = 2_500;
const watchers = 2_500;
const madeAtOnce = 50;
/** Calls that one connection makes at once, and the connections that do so. */
const callsAtOnce = 1_000;
const floods = 3;
const jobId = "1m8q9cf380anny";
/** Loopback has more addresses than one: whoever has used up his own shuts out nobody else. */
const [ofConnections, ofWatchers] = ["127.0.0.2", "127.0.0.3"];

const idleConnections: Of = (address) => {
  const [host = "", port] = address.split(":");
  const open = new Set<Socket>();
  return {
    ...{ what: `${madeAtOnce} connections that do nothing, ${connections} at most`, pauseMs: 50, made: 0 },
    make: async () => {
      for (let at = 0; at < madeAtOnce && open.size < connections; at++) {
        const socket = connect({ host, port: Number(port), localAddress: ofConnections });
        open.add(socket.on("error", () => {}).on("close", () => open.delete(socket)));
        socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
      }
    },
    stop: async () => {
      for (const socket of open) socket.destroy();
    },
  };
};

const idleWatchers: Of = (address) => {
  const api = new JobApi(address);
  const launch = async () => {
    const { id } = await api.launch("HOSTILE", {});
    return WatchJobRequest.encode({ jobId: id, afterRevision: 0 }).finish();
  };
  let launched: ReturnType<typeof launch> | undefined;
  const clients: UnreadConnection[] = [];
  let open = 0;
  return {
    ...{ what: `${madeAtOnce} WatchJob on 50 connections, ${watchers} at most`, pauseMs: 50, made: 0 },
    make: async () => {
      launched ??= launch();
      const request = await launched;
      for (let at = 0; at < madeAtOnce && open < watchers; at++) {
        const known = clients[at];
        const connection = known?.isOpen ? known : new UnreadConnection(address, { localAddress: ofWatchers });
        clients[at] = connection;
        open++;
        connection.call(jobs.watchJob.path, request).once("close", () => open--);
      }
    },
    stop: async () => {
      api.close();
      for (const client of clients) client.close();
    },
  };
};

const callFloods: Of = (address) => {
  const request = GetJobRequest.encode({ jobId }).finish();
  const clients = Array.from({ length: floods }, () => new UnreadConnection(address));
  let open = 0;
  return {
    ...{ what: `${callsAtOnce} GetJob at once, on each of ${floods} connections`, pauseMs: 100, made: 0 },
    make: async () => {
      for (let at = 0; open < floods * callsAtOnce; at++) {
        open++;
        const call = clients[at % floods]?.call(jobs.getJob.path, request);
        call?.resume().once("close", () => open--);
      }
    },
    stop: async () => {
      for (const client of clients) client.close();
    },
  };
};

/** Those who have too much open. */
export const connectionFloods: Of[] = [idleConnections, idleWatchers, callFloods];
