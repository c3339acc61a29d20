import { MAX_NAME_LENGTH, PROBE_USER } from "../core/protocol.ts";
import type { UserName } from "../core/schemas.ts";

/** The login name as a valid user name; from the system if $USER is unset (Bun's userInfo() returns "unknown"). */
export async function loginName(): Promise<UserName> {
  const { USER, LOGNAME, USERNAME } = process.env;
  const login = USER || LOGNAME || USERNAME || (await systemName());
  const legal = login.replace(/[^a-zA-Z0-9_.-]/g, "-").slice(0, MAX_NAME_LENGTH);
  return /^\.{0,2}$/.test(legal) || legal === PROBE_USER ? "user" : legal;
}

async function systemName(): Promise<string> {
  try {
    const { stdout } = Bun.spawn(["id", "-un"], { stdin: "ignore", stderr: "ignore" });
    return (await stdout.text()).trim();
  } catch {
    // The program is missing or does not run.
    return "";
  }
}
