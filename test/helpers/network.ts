/** Virtual machines of a sort: Linux network namespaces joined by a switch, some of them behind a NAT. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterwards } from "./afterwards.ts";
import { type Program, start } from "./program.ts";

/** Where `ip netns exec` looks for files that replace those in /etc for a namespace (ip-netns(8)). */
const ETC = "/etc/netns";

/** Why namespaces cannot be created here; undefined if they can. */
export const noNetwork = whyNot();
if (noNetwork !== undefined)
  process.stderr.write(`skipped: clients on several machines, because ${noNetwork}\n`);

export interface Machine {
  ip: string;
  /** Runs a command there until it exits. */
  run(...command: string[]): { stdout: string; stderr: string; exitCode: number };
  /** Starts a program of Talk there; it ends with the test. */
  start(main: string, ...args: string[]): Program;
  /** Changes its address within the network. */
  readdress(ip: string): void;
}

export interface Network {
  /** Adds a machine to the switch. @param etc files that replace those in /etc, by name */
  machine(ip: string, etc?: Record<string, string>): Machine;
  /** Adds a machine behind a router that hides it behind its own address (NAT). */
  behindNat(ip: string, router: string): Machine;
}

let networks = 0;

/** Everything in it is removed after the test. */
export function openNetwork(): Network {
  const id = `talk-${process.pid}-${++networks}`;
  const names: string[] = [];
  const state = join(ETC, `${id}-state`);

  function namespace(suffix: string): string {
    const name = `${id}-${suffix}`;
    names.push(name);
    ip("netns", "add", name);
    ip("-n", name, "link", "set", "lo", "up");
    return name;
  }

  function cleanUp(): void {
    for (const name of names.splice(0)) {
      Bun.spawnSync(["ip", "netns", "del", name]);
      rmSync(join(ETC, name), { recursive: true, force: true });
    }
    rmSync(state, { recursive: true, force: true });
  }
  process.on("exit", cleanUp);
  afterwards(() => {
    process.off("exit", cleanUp);
    cleanUp();
  });

  const hub = namespace("switch");
  ip("-n", hub, "link", "add", "br0", "type", "bridge");
  ip("-n", hub, "link", "set", "br0", "up");

  /** Connects a namespace to the switch. */
  function plugIn(name: string, address: string): void {
    const port = `port${names.length}`;
    ip("-n", name, "link", "add", "eth0", "type", "veth", "peer", "name", port, "netns", hub);
    ip("-n", hub, "link", "set", port, "master", "br0", "up");
    ip("-n", name, "link", "set", "eth0", "up");
    ip("-n", name, "addr", "add", `${address}/24`, "dev", "eth0");
  }

  function machineIn(name: string, address: string): Machine {
    const within = ["ip", "netns", "exec", name];
    // Keys and transcripts of one user of another machine.
    const env = { XDG_STATE_HOME: join(state, name) };
    return {
      ip: address,
      run(...command) {
        const done = Bun.spawnSync([...within, ...command], { env: { ...process.env, ...env } });
        return {
          stdout: done.stdout.toString(),
          stderr: done.stderr.toString(),
          exitCode: done.exitCode,
        };
      },
      start: (main, ...args) => start(main, args, env, within),
      readdress(next) {
        ip("-n", name, "addr", "flush", "dev", "eth0", "scope", "global");
        ip("-n", name, "addr", "add", `${next}/24`, "dev", "eth0");
      },
    };
  }

  return {
    machine(address, etc = {}) {
      const name = namespace(`m${names.length}`);
      mkdirSync(join(ETC, name), { recursive: true });
      for (const [file, text] of Object.entries(etc)) writeFileSync(join(ETC, name, file), text);
      plugIn(name, address);
      return machineIn(name, address);
    },
    behindNat(address, routerAddress) {
      const router = namespace(`r${names.length}`);
      plugIn(router, routerAddress);
      const name = namespace(`n${names.length}`);
      const gateway = address.replace(/\d+$/, "1");
      ip("-n", name, "link", "add", "eth0", "type", "veth", "peer", "name", "inside", "netns", router);
      ip("-n", router, "link", "set", "inside", "up");
      ip("-n", router, "addr", "add", `${gateway}/24`, "dev", "inside");
      ip("-n", name, "link", "set", "eth0", "up");
      ip("-n", name, "addr", "add", `${address}/24`, "dev", "eth0");
      ip("-n", name, "route", "add", "default", "via", gateway);
      must("ip", "netns", "exec", router, "sysctl", "-qw", "net.ipv4.ip_forward=1");
      must(
        "ip",
        "netns",
        "exec",
        router,
        ..."iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE".split(" "),
      );
      return machineIn(name, address);
    },
  };
}

function ip(...args: string[]): void {
  must("ip", ...args);
}

function must(...command: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(command);
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
}

function whyNot(): string | undefined {
  if (process.platform !== "linux") return "network namespaces are Linux's";
  for (const tool of ["ip", "iptables", "sysctl"]) if (!Bun.which(tool)) return `there is no ${tool}`;
  if (process.getuid?.() !== 0) return "only root can make network namespaces";
  const name = `talk-${process.pid}-try`;
  try {
    must("ip", "netns", "add", name);
    must("ip", "-n", name, "link", "add", "br0", "type", "bridge");
    must("ip", "netns", "exec", name, "iptables", "-t", "nat", "-L", "-n");
    return undefined;
  } catch (error) {
    return String(error);
  } finally {
    Bun.spawnSync(["ip", "netns", "del", name]);
  }
}
