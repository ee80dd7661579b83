import { allRights, pullRights, type User } from "./access.ts";

/** Who may pull and list. */
export const reader: User = { username: "scanner", password: "scanner-password", rights: pullRights };

/** Who may do everything. */
export const writer: User = { username: "pusher", password: "pusher-password", rights: allRights };
