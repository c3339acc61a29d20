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
    // Local users first, because starting a program takes longer than the rest of a `send`.
    const users = await Bun.file("/etc/passwd").text();
    const [name] = users.match(new RegExp(`^[^:\\n]+(?=:[^:\\n]*:${process.getuid?.()}:)`, "m")) ?? [];
    if (name !== undefined) return name;
    const { stdout } = Bun.spawn(["id", "-un"], { stdin: "ignore", stderr: "ignore" });
    return (await stdout.text()).trim();
  } catch {
    // There is no such file or program.
    return "";
  }
}
