// Starts the real binary and stops it: the only way these tests reach Keystead.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const START_MILLISECONDS_MAX = 30_000;
const DEBUG_BUILD = fileURLToPath(new URL("../../target/debug/keystead", import.meta.url));

/** Our environment without what the server would take for settings (it refuses unknown ones). */
function environment() {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("KEYSTEAD_")),
  );
}

/** A running server over a directory of its own. */
export async function start() {
  const directory = await mkdtemp(join(tmpdir(), "keystead-"));
  const binary = process.env.KEYSTEAD_BINARY ?? DEBUG_BUILD;
  const listen = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
  const child = spawn(binary, ["serve", "--data-dir", directory, ...listen], {
    env: environment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const endpoint = await announced(child);
  const credentials = parse(await readFile(join(directory, "root-credentials"), "utf8"));
  return {
    endpoint,
    credentials,
    async stop() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      const code = await ended;
      await rm(directory, { recursive: true });
      return code;
    },
  };
}

/** Waits until the server says where it listens; rejects when it ends or stays silent. */
function announced(child) {
  return new Promise((resolve, reject) => {
    let output = "";
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`the server said no address:\n${output}`));
    }, START_MILLISECONDS_MAX);
    const read = (text) => {
      output += text;
      const found = output.match(/listens on (http:\/\/127\.0\.0\.1:\d+)/);
      if (found && output.includes("Health and metrics on")) {
        clearTimeout(timer);
        resolve(found[1]);
      }
    };
    child.stdout.setEncoding("utf8").on("data", read);
    child.stderr.setEncoding("utf8").on("data", read);
    child.once("error", reject);
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`the server ended with ${code}:\n${output}`));
    });
  });
}

/** The default profile of an AWS shared-credentials file. */
function parse(text) {
  const value = (name) => text.match(new RegExp(`^${name}\\s*=\\s*(\\S+)$`, "m"))[1];
  return {
    accessKeyId: value("aws_access_key_id"),
    secretAccessKey: value("aws_secret_access_key"),
  };
}
