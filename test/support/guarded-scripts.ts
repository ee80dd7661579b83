import type { ScriptFile } from "@drydock/job-controller/redis/bundle/script-file.ts";

/** Commands that only read, and those that write; of each where its keys are among its arguments. Default: the first. */
const commands: Readonly<Record<"reads" | "writes", string>> = {
  reads:
    "GET EXISTS HGET HMGET HGETALL HKEYS HLEN HEXISTS HRANDFIELD GETRANGE LLEN LINDEX LRANGE SCARD SISMEMBER XRANGE XREVRANGE XINFO ZCARD ZCOUNT ZLEXCOUNT ZRANGE ZRANGEBYSCORE ZRANK ZREVRANGE ZSCORE",
  writes:
    "SET DEL UNLINK EXPIRE PEXPIRE HSET HSETNX HDEL HINCRBY INCRBY LPUSH RPUSH LPOP LREM LSET LTRIM LMOVE RENAME SADD SREM XADD XDEL ZADD ZINCRBY ZREM ZREMRANGEBYRANK ZREMRANGEBYSCORE ZPOPMIN PUBLISH",
};
const keysAt: Readonly<Record<string, string>> = {
  ...{ EXISTS: "all", DEL: "all", UNLINK: "all", LMOVE: "two", RENAME: "two", XINFO: "second" },
};

/**
 * Lua with which a file's commands are held to what its header says that it reads and writes: any other command is a
 * SCRIPT_FAULT that names the file and the key. Use it as the prologue of a bundle.
 */
export function guardCommands({ path, reads, writes }: ScriptFile): string {
  const table = (words: string[]) => `{${words.map((word) => `["${word}"]=true`).join(",")}}`;
  const parts = [
    `local redis = (function(real, may_read, may_write)`,
    `local reading, writing = ${table(commands.reads.split(" "))}, ${table(commands.writes.split(" "))}`,
    `local keys_at = {${Object.entries(keysAt)
      .map(([command, at]) => `${command}="${at}"`)
      .join(",")}}`,
    `local function check(command, ...)`,
    `if command == "TIME" then return end`,
    `if not reading[command] and not writing[command] then error("${path} uses " .. command .. ", which the guard does not know", 3) end`,
    `local arguments, at = { ... }, keys_at[command] or "first"`,
    `local from, to = at == "second" and 2 or 1, at == "all" and #arguments or at == "first" and 1 or 2`,
    `for number = from, to do`,
    `local kind = string.match(arguments[number], "^{drydock:%d+}:([a-z-]+)") or arguments[number]`,
    `local may = may_write[kind] or reading[command] and may_read[kind]`,
    `if not may then error("${path} may not " .. (reading[command] and "read " or "write ") .. kind .. ": its header does not say so", 3) end`,
    `end end`,
    `return { call = function(...) check(...) return real.call(...) end, pcall = function(...) check(...) return real.pcall(...) end }`,
    `end)(redis, ${table(reads)}, ${table(writes)})`,
  ];
  return parts.join(" ");
}
