import { MAX_NAME_LENGTH, PROBE_USER } from "../core/protocol.ts";
import type { UserName } from "../core/schemas.ts";

/** Who is logged in, as a legal name: the system's word if there is no $USER (Bun's userInfo() says "unknown"). */
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
    // There is no such program here, or none that runs.
    return "";
  }
}
