// The token server of compose.yaml's demo. Everybody may pull, so that workers need no password; only the sample images' pusher may push.

import { runUntilSignal } from "@drydock/shared/lifecycle.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { pullRights } from "../registry/access.ts";
import { reader, writer } from "../registry/accounts.ts";
import { keptCertificate } from "../registry/kept-certificate.ts";
import { createTokenServer, tokenIssuer } from "../registry/token-server.ts";

const { TOKEN_SERVER_LISTEN = "127.0.0.1:5001", TOKEN_SERVER_FOLDER = "." } = process.env;
const logger = createLogger({ name: "token-server" });
const server = createTokenServer({
  listen: TOKEN_SERVER_LISTEN,
  certificate: keptCertificate(TOKEN_SERVER_FOLDER, tokenIssuer),
  users: [reader, writer],
  anonymous: pullRights,
});

await runUntilSignal([server], {
  logger,
  graceMs: 5_000,
  onReady: () => logger.info({ url: server.url, issuer: server.issuer, service: server.service }, "ready"),
});
