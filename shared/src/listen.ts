import type { AddressInfo, Server } from "node:net";

/** A service that can't start for a cause outside the code. The message says what to do; its log line needs no stack. */
export class StartError extends Error {
  override readonly name = "StartError";
}

const listenFaults: Readonly<Record<string, string>> = {
  EADDRINUSE: "another process has the port",
  EADDRNOTAVAIL: "this machine has no such address",
  EACCES: "the process has no right to take the port",
  ENOTFOUND: "the host name is not known",
};

/**
 * What to throw when a server can't listen.
 * @param setting the variable that names the address
 */
export function listenError(listen: string, setting: string, error: Error): StartError {
  const code = codeOf(error);
  const { host } = splitHostPort(listen);
  const free = host.includes(":") ? `[${host}]:0` : `${host}:0`;
  const remedy =
    code === "EADDRINUSE"
      ? `to another one, or to ${free} for any free port`
      : "to an address that this process may use";
  const cause = listenFaults[code] === undefined ? code : `${listenFaults[code]} (${code})`;
  return new StartError(`can't listen on ${listen}: ${cause}; set ${setting} ${remedy}`, { cause: error });
}

/** The error's code, which grpc-js has in its message alone; else the message. */
function codeOf(error: Error): string {
  if (error.message.startsWith("Name resolution failed")) return "ENOTFOUND";
  return /\bE[A-Z]{4,}\b/.exec("code" in error ? String(error.code) : error.message)?.[0] ?? error.message;
}

/** Takes host:port apart; an IPv6 address loses its brackets. */
export function splitHostPort(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon).replace(/^\[(.*)\]$/, "$1"), port: Number(address.slice(colon + 1)) };
}

/** The host:port that a listening server is really bound to. */
export function boundAddress(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`;
}
