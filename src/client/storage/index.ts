/** Local storage: the transcript, waiting texts, and typed lines. */
import { statSync } from "node:fs";
import type { UserName } from "../../core/schemas.ts";
import { createHistory, type History } from "./history.ts";
import { type LocalStoreOptions, openLocalStore } from "./local-store.ts";
import { createTranscript, readOnly, type Transcript } from "./transcript.ts";
import { createWaitingTexts, type WaitingTexts } from "./waiting-texts.ts";

/** Storage for one user of one registry. */
export interface Kept {
  transcript: Transcript;
  waiting: WaitingTexts;
}

export interface Storage {
  history: History;
  /** @param registry its normalized URL @param recording whether messages are stored too */
  of(registry: string, me: UserName, recording: boolean): Kept;
  /**
   * Stores what was added, so that it survives a crash of the process.
   * @returns true once it is stored, or once the file has been locked for too long to keep waiting
   */
  commit(): boolean;
  close(): void;
}

/** Opens files only when first needed. @param now the time, in milliseconds since 1970 */
export function openStorage({
  now = Date.now,
  ...options
}: Omit<LocalStoreOptions, "keepsToFile"> & { now?: () => number }): Storage {
  // A file replaced by `/dev/null` means that nothing should be stored.
  const path = isDevice(options.path) ? undefined : options.path;
  const told = new Set<string>();
  function onTrouble(sentence: string): void {
    if (told.has(sentence)) return;
    told.add(sentence);
    options.onTrouble(sentence);
  }
  const store = openLocalStore({ ...options, path, onTrouble });
  // A second store, which never falls back to memory: texts sent meanwhile would stay in the file and be sent again.
  const forWaiting = openLocalStore({ ...options, path, onTrouble, keepsToFile: true });
  const forHistory = isDevice(options.historyFile)
    ? openLocalStore({ ...options, path: undefined, onTrouble })
    : store;
  let commit = store.commit;
  return {
    history: createHistory(forHistory),
    of(registry, me, recording) {
      const chat = chatOf(registry, me);
      const transcript = createTranscript({ store, chat, registry, me, now });
      commit = transcript.commit;
      return {
        transcript: recording ? transcript : readOnly(transcript),
        waiting: createWaitingTexts(forWaiting, chat, transcript.commit, now),
      };
    },
    commit: () => commit(),
    close() {
      commit();
      store.close();
      forWaiting.close();
    },
  };
}

/** Storage in memory, for programs that have their own. */
export function keptInMemory(registry: string, me: UserName): Kept {
  const storage = openStorage({ path: undefined, historyFile: "", onTrouble() {} });
  return storage.of(registry, me, false);
}

function isDevice(path: string | undefined): boolean {
  try {
    return path !== undefined && statSync(path).isCharacterDevice();
  } catch {
    return false;
  }
}

/** 48 bits of a hash: exact both in JavaScript and in SQLite. */
function chatOf(registry: string, me: UserName): number {
  // No URL contains a line break, so distinct pairs stay distinct.
  // Not node:crypto, which takes longer to load than everything else here.
  return new Bun.CryptoHasher("sha256").update(`${registry}\n${me}`).digest().readUIntBE(0, 6);
}
