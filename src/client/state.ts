import { homedir } from "node:os";
import { join } from "node:path";

/** Where a file of ours is kept: in `talk` in the user's state folder (XDG Base Directory Specification 0.8). */
export function statePath(
  file: "key" | "history",
  { XDG_STATE_HOME, HOME }: Record<string, string | undefined>,
): string {
  const state = XDG_STATE_HOME?.startsWith("/") ? XDG_STATE_HOME : join(HOME || homedir(), ".local/state");
  return join(state, "talk", file);
}
