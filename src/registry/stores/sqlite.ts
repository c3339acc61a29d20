import type { Database } from "bun:sqlite";
import type { Address, UserName } from "../../core/schemas.ts";
import { MAX_RESERVED, ownerBy, RESERVED_MS, refusal } from "./ownership.ts";
import { createCommits } from "./sqlite-commits.ts";
import { guarded, openFile, opening } from "./sqlite-file.ts";
import { type Claim, MAX_USERS, type Store, type StoreOptions } from "./types.ts";

type UserRow = Address & { user: UserName; id: number };

/**
 * A store in an SQLite file, which several registries on one machine may share. An acknowledged write survives a process
 * crash (WAL, https://www.sqlite.org/wal.html). @throws StoreUnavailable
 */
export function openSqlite(
  path: string,
  { maxUsers = MAX_USERS, durability = "process", mustExist = false, now = Date.now }: StoreOptions = {},
): Store {
  const database = openFile(path, durability, mustExist);
  const sql = opening(path, () => statements(database));
  let changed = false;
  const { commit, settled } = createCommits(database, () => {
    if (changed) sql.raiseVersion.run();
    changed = false;
  });

  function read<T>(run: () => T): T {
    return guarded("cannot be read", run);
  }

  /** Why a new user with that name is refused; if it is not, its expired reservation is deleted. */
  function refusalOfNew(user: UserName, claim: Claim) {
    const reservation = sql.reservation.get({ user });
    if (!reservation) return undefined;
    const refused = reservation.until > now() ? refusal(reservation.owner, claim) : undefined;
    if (!refused) sql.dropReservation.run({ user });
    return refused;
  }

  function isFull(): boolean {
    return (sql.count.get()?.count ?? 0) >= maxUsers;
  }

  function insert(user: UserName, address: Address, claim: Claim) {
    sql.insert.run({ user, ...address, owner: ownerBy(claim) ?? null });
    sql.countOneMore.run();
    changed = true;
  }

  function drop(user: UserName) {
    sql.remove.run({ user });
    sql.countOneLess.run();
    changed = true;
  }

  return {
    create: (user, address, claim) =>
      commit(() => {
        const known = sql.owner.get({ user });
        if (known) return known.owner !== null && known.owner === claim ? "own" : "taken";
        if (refusalOfNew(user, claim)) return "reserved";
        if (isFull()) return "full";
        insert(user, address, claim);
        return "done";
      }),
    put: (user, address, claim) =>
      commit(() => {
        // The common case: the user exists and the claim is allowed.
        if (sql.update.run({ user, ...address, claim: claim ?? null }).changes > 0) {
          changed = true;
          return "done";
        }
        const known = sql.owner.get({ user });
        const refused = known ? refusal(known.owner ?? undefined, claim) : refusalOfNew(user, claim);
        if (refused) return refused;
        if (isFull()) return "full";
        insert(user, address, claim);
        return "done";
      }),
    mayChange(user, claim) {
      const known = read(() => sql.owner.get({ user }));
      return known ? (refusal(known.owner ?? undefined, claim) ?? "done") : "absent";
    },
    remove: (user, claim) =>
      commit(() => {
        const known = sql.owner.get({ user });
        if (!known) return "absent";
        const refused = refusal(known.owner ?? undefined, claim);
        if (refused) return refused;
        drop(user);
        return "done";
      }),
    expire: (user, registration) =>
      commit(() => {
        const known = sql.owner.get({ user });
        if (known?.id !== registration) return false;
        drop(user);
        if (known.owner !== null) {
          sql.reserve.run({ user, owner: known.owner, until: now() + RESERVED_MS });
          sql.dropOldReservations.run({ most: MAX_RESERVED });
        }
        return true;
      }),
    release: (user) =>
      commit(() => sql.disown.run({ user }).changes + sql.dropReservation.run({ user }).changes > 0),
    get: (user) => read(() => sql.select.get({ user })) ?? undefined,
    registrations: () =>
      read(() => sql.selectAll.all()).map(({ user, id, ...address }) => ({ user, address, id })),
    version: () => String(read(() => sql.version.get())?.version),
    lease: (registry, ms) =>
      commit(() => sql.lease.run({ registry, now: now(), until: now() + ms }).changes > 0),
    async close() {
      await settled();
      database.close();
    },
  };
}

function statements(database: Database) {
  return {
    owner: database.query<{ id: number; owner: string | null }, { user: UserName }>(
      "SELECT registration AS id, owner FROM users WHERE user = $user",
    ),
    // Random ids, because several registries write; 53 bits fit into a number.
    insert: database.query(
      `INSERT INTO users (user, protocol, host, port, registration, owner)
       VALUES ($user, $protocol, $host, $port, random() >> 11, $owner)`,
    ),
    update: database.query(
      `UPDATE users SET protocol = $protocol, host = $host, port = $port, registration = random() >> 11
       WHERE user = $user AND (owner IS NULL OR owner = $claim OR $claim = '*')`,
    ),
    remove: database.query("DELETE FROM users WHERE user = $user"),
    disown: database.query("UPDATE users SET owner = NULL WHERE user = $user AND owner IS NOT NULL"),
    select: database.query<Address, { user: UserName }>(
      "SELECT protocol, host, port FROM users WHERE user = $user",
    ),
    selectAll: database.query<UserRow, []>(
      "SELECT user, protocol, host, port, registration AS id FROM users",
    ),
    reservation: database.query<{ owner: string; until: number }, { user: UserName }>(
      "SELECT owner, until FROM reservations WHERE user = $user",
    ),
    reserve: database.query(
      "INSERT OR REPLACE INTO reservations (user, owner, until) VALUES ($user, $owner, $until)",
    ),
    dropReservation: database.query("DELETE FROM reservations WHERE user = $user"),
    dropOldReservations: database.query(
      "DELETE FROM reservations WHERE user IN (SELECT user FROM reservations ORDER BY until DESC LIMIT -1 OFFSET $most)",
    ),
    count: database.query<{ count: number }, []>("SELECT users AS count FROM state"),
    countOneMore: database.query("UPDATE state SET users = users + 1"),
    countOneLess: database.query("UPDATE state SET users = users - 1"),
    raiseVersion: database.query("UPDATE state SET version = version + 1"),
    version: database.query<{ version: number }, []>("SELECT version FROM state"),
    lease: database.query(
      `UPDATE state SET checker = $registry, checker_until = $until
       WHERE checker = $registry OR checker_until <= $now`,
    ),
  };
}
