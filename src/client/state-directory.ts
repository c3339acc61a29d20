import { lstatSync, mkdirSync, readlinkSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { errorCode } from "../core/errors.ts";

/** Most symbolic links followed, as on Linux (path_resolution(7)). */
const MAX_LINKS = 40;

/** The path of a file in Talk's state directory (XDG Base Directory Specification 0.8). */
export function statePath(
  file: "key" | "history" | "talk.db",
  { XDG_STATE_HOME, HOME }: Record<string, string | undefined>,
): string {
  const state = XDG_STATE_HOME?.startsWith("/") ? XDG_STATE_HOME : join(HOME || homedir(), ".local/state");
  return join(state, "talk", file);
}

/**
 * Resolves all symbolic links in a path, even if its target does not exist yet, so that creating the file does not
 * replace a link. Creates the directory if need be.
 * @throws the system's error
 */
export function followLinks(path: string, links = 0): string {
  const folder = dirname(path);
  const place = folder === path ? path : join(followFolder(folder, links), path.slice(folder.length));
  const target = linkAt(place);
  if (target === undefined) return place;
  if (links >= MAX_LINKS) throw Object.assign(new Error("too many symbolic links"), { code: "ELOOP" });
  return followLinks(resolve(dirname(place), target), links + 1);
}

function followFolder(path: string, links: number): string {
  const folder = dirname(path) === path ? path : followLinks(path, links);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** The target of the symbolic link at a path; undefined if there is none. */
function linkAt(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
